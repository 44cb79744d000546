"""The feeder: a network by name, its real profiles, and the power flow behind one interface."""

from gridrig.grid.feeder import (
    ENGINES,
    Feeder,
    make_feeder,
)
from gridrig.grid.findings import Finding, Limits, findings
from gridrig.grid.network import (
    Line,
    Load,
    Network,
    Sgen,
    Source,
    Storage,
    Transformer,
    load_network,
)
from gridrig.grid.pcc import Pcc
from gridrig.grid.profiles import LoadPoint, Profiles, load_profiles
from gridrig.grid.solution import Solution

__all__ = [
    "ENGINES",
    "Feeder",
    "Finding",
    "Limits",
    "Line",
    "Load",
    "LoadPoint",
    "Network",
    "Pcc",
    "Profiles",
    "Sgen",
    "Solution",
    "Source",
    "Storage",
    "Transformer",
    "findings",
    "load_network",
    "load_profiles",
    "make_feeder",
]
