"""The network a rig names, its solver and its profiles, loaded and checked against its devices."""

from dataclasses import dataclass
from pathlib import Path

from gridrig.campaign.homes import HISTORY_DAYS, has_homes
from gridrig.errors import GridError, RigError
from gridrig.grid.engines import make_feeder
from gridrig.grid.feeder import Feeder
from gridrig.grid.loading import load_network
from gridrig.grid.network import Network
from gridrig.grid.points import single_phases
from gridrig.grid.profiles import Profiles, load_profiles
from gridrig.grid.switching import branches
from gridrig.quantity import DAY_S
from gridrig.rig.description import Rig
from gridrig.rig.feeder_fit import check_feeder


@dataclass
class Grid:
    """The network of a rig, its solver and its profiles: what takes seconds to load."""

    network: Network
    feeder: Feeder
    profiles: Profiles

    @property
    def link_va(self) -> float:
        """Rating of the connection to the main grid. [VA]"""
        return self.feeder.link_va


def load_grid(rig: Rig, start_utc_s: int, duration_s: int) -> Grid:
    """Load the network a rig names, make its solver, and read its profiles for a run.

    The profiles begin earlier, because forecasts look back: by a day, or by four weeks if there are
    homes and the profiles reach so far.
    """
    if rig.feeder is None:
        raise RigError("rig.no_feeder", "{path} has no [feeder], which a run needs", path=rig.path)
    folder = Path(rig.path).parent
    network = load_network(rig.feeder.network, folder=folder)
    network = network.with_points(str(device.bus) for device in rig.devices)
    feeder = make_feeder(rig.feeder.engine, network, rig.feeder.pcc)
    profiles = _profiles(rig, network, start_utc_s, duration_s)
    volts = dict(zip(network.buses, network.v_nominal_v, strict=True))
    issues = check_feeder(
        rig,
        feeder.buses,
        v_ll={name: volts[home] for name, home in feeder.homes()},
        f_hz=network.f_hz,
        profiles=profiles.sgens,
        loads=set(profiles.buses) - set(single_phases(network.points)),
        drawn=profiles.buses,
        branches=[branch for branch in branches(network) if branch != feeder.pcc_branch],
    )
    if issues:
        raise RigError(
            "rig.does_not_fit", "{path} does not fit its feeder", issues=issues, path=rig.path
        )
    return Grid(network, feeder, profiles)


def _profiles(rig: Rig, network: Network, start_utc_s: int, duration_s: int) -> Profiles:
    assert rig.feeder is not None
    source, weather, folder = rig.feeder.profiles, rig.feeder.weather, Path(rig.path).parent
    end_utc_s = start_utc_s + duration_s

    def load(days: int) -> Profiles:
        begin = start_utc_s - days * DAY_S
        return load_profiles(
            network, begin, end_utc_s, source=source, weather=weather, folder=folder
        )

    if has_homes(rig):
        try:
            return load(HISTORY_DAYS)
        except GridError as error:
            if error.code != "grid.profile_time":
                raise
    return load(1)


def feeder_apart(rig: Rig, grid: Grid) -> Feeder:
    """Make a feeder for what is only thought through: the run's own starts from its solutions."""
    assert rig.feeder is not None, "a grid is that of a feeder"
    return make_feeder(grid.feeder.engine_name, grid.network, rig.feeder.pcc)
