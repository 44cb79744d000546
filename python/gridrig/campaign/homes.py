"""The homes of a rig: whose connections belong together, and what their meters saw before a run."""

import math
from collections.abc import Mapping

import numpy as np

from gridrig.campaign.street import Street
from gridrig.campaign.views import Seat
from gridrig.grid.profiles import Profiles
from gridrig.minds.home import Connection, HomeMind, Part
from gridrig.minds.rooms import HOURS, Room
from gridrig.minds.series import FloatArray, Series
from gridrig.quantity import DAY_S
from gridrig.rig.description import Rig
from gridrig.rig.device import InverterLimits
from gridrig.rig.participants import HomeAgent

HISTORY_DAYS = 28  # what a home looks back on before a run, if the profiles reach so far
SAMPLE_S = 900  # the length of a profile's row


def has_homes(rig: Rig) -> bool:
    """Return whether any participant of a rig belongs to a home."""
    return any(isinstance(p.agent, HomeAgent) for p in rig.participants)


def make_homes(
    rig: Rig,
    seats: Mapping[str, Seat],
    street: Street,
    *,
    start_utc_s: int,
    period_s: int,
) -> tuple[HomeMind, ...]:
    """Make the mind of each home, trained on what lies before the run, in rig order."""
    members: dict[tuple[str, str, float | None], list[Connection]] = {}
    for participant in rig.participants:
        agent = participant.agent
        if isinstance(agent, HomeAgent):
            seat = seats[participant.name]
            one = _connection(seat, agent, street, start_utc_s, period_s)
            home = (agent.home, agent.zone, agent.connection_w)
            members.setdefault(home, []).append(one)
    return tuple(
        HomeMind(name, tuple(parts), zone, connection_w)
        for (name, zone, connection_w), parts in members.items()
    )


def _connection(
    seat: Seat, agent: HomeAgent, street: Street, start_utc_s: int, period_s: int
) -> Connection:
    device = seat.device
    if device is not None and device.capability == "storage":
        assert isinstance(device.limits, InverterLimits)
        return Connection(seat.name, "store", power_w=device.limits.p_w_max)
    if device is not None and device.capability == "ev_charger":
        return Connection(seat.name, "car", charger=device.name)
    if device is not None and device.capability == "heat_pump":
        return Connection(seat.name, "room", room=_room(device.name, agent, start_utc_s))
    roof = device is not None and device.capability == "inverter"
    part: Part = "sun" if roof else "use"  # a heat pump is what the house uses, too
    values = _past_w(seat, street, start_utc_s, period_s)
    first_utc_s = start_utc_s - len(values) * period_s
    return Connection(seat.name, part, Series(seat.name, first_utc_s, period_s, values))


def _room(pump: str, agent: HomeAgent, start_utc_s: int) -> Room:
    """Return what a household states of the room behind a heat pump."""
    building = agent.building
    assert building is not None, "a rig was checked for it"
    low_c, high_c = zip(*map(agent.band_c, range(HOURS)), strict=True)
    return Room(
        pump,
        building.capacity_wh_per_k,
        building.conductance_w_per_k,
        building.cop,
        building.gains_w,
        low_c,
        high_c,
        start_utc_s,
        agent.zone,
    )


def _past_w(seat: Seat, street: Street, start_utc_s: int, period_s: int) -> FloatArray:
    """Return the mean power of each period before the run, as far back as profiles are loaded."""
    profiles: Profiles = street.profiles
    device = seat.device
    if device is not None and device.name not in street.sun:
        return np.zeros(0)  # a real device: nobody metered it before the run
    days = min(HISTORY_DAYS, (start_utc_s - profiles.start_utc_s) // DAY_S)
    instants = range(start_utc_s - days * DAY_S, start_utc_s, SAMPLE_S)
    if device is None:
        sampled = [-profiles.load(str(seat.meter.bus), t)[0] for t in instants]
    else:
        sampled = [street.sun_w(device.name, t) for t in instants]
    step_s = math.gcd(period_s, SAMPLE_S)
    held = np.repeat(np.array(sampled), SAMPLE_S // step_s)
    past: FloatArray = held.reshape(-1, period_s // step_s).mean(axis=1)
    return past
