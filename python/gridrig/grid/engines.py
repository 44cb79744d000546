"""The engines by the names a rig file uses, and a feeder made with one."""

from collections.abc import Callable

from gridrig.errors import GridError
from gridrig.grid.engine import Engine
from gridrig.grid.feeder import Feeder
from gridrig.grid.network import Network
from gridrig.grid.opendss_engine import OpenDssEngine
from gridrig.grid.opendss_file_engine import OpenDssFileEngine
from gridrig.grid.pandapower_engine import PandapowerEngine
from gridrig.grid.pandapower_phases_engine import PandapowerPhasesEngine
from gridrig.grid.pcc import Pcc


def _pandapower(network: Network) -> Engine:
    if network.dss_file is not None:
        raise GridError(
            "grid.engine_unfit",
            "{network} is an OpenDSS file with phases of their own: engine 'opendss' solves it, "
            "pandapower cannot",
            network=network.name,
        )
    return PandapowerPhasesEngine(network) if network.phases_differ else PandapowerEngine(network)


def _opendss(network: Network) -> Engine:
    if network.dss_file is not None:
        return OpenDssFileEngine(network)
    if network.beyond_opendss:
        raise GridError(
            "grid.engine_unfit",
            "{network} has {what}, which is not written for OpenDSS: engine 'pandapower' solves it",
            network=network.name,
            what=network.beyond_opendss,
        )
    return OpenDssEngine(network)


ENGINES: dict[str, Callable[[Network], Engine]] = {"pandapower": _pandapower, "opendss": _opendss}


def make_feeder(engine: str, network: Network, pcc: str) -> Feeder:
    """Make a feeder by the names a rig file uses.

    Parameters
    ----------
    engine : {"pandapower", "opendss"}
    network : Network
    pcc : str
        `source`, `line:<n or name>`, `trafo:<n or name>` or `trafo:<n or name>@hv`.

    Raises
    ------
    GridError
        `grid.engine_unknown`, `grid.engine_unfit`, `grid.pcc_unsupported`, `grid.pcc_unknown`,
        `grid.pcc_does_not_island`.
    """
    if engine not in ENGINES:
        raise GridError(
            "grid.engine_unknown",
            "no engine is called {engine!r}: expected {known}",
            engine=engine,
            known=" or ".join(ENGINES),
        )
    return Feeder(ENGINES[engine](network), network, Pcc.parse(pcc))
