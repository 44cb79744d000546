"""The feeder: a network by name, its real profiles, and the power flow behind one interface."""

from gridrig.grid.engines import ENGINES, make_feeder
from gridrig.grid.feeder import Feeder
from gridrig.grid.findings import Finding, Limits, findings
from gridrig.grid.loading import load_network
from gridrig.grid.network import (
    Line,
    Load,
    Network,
    Sgen,
    Source,
    Storage,
    Transformer,
)
from gridrig.grid.pcc import Pcc
from gridrig.grid.points import Point
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
    "Point",
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
