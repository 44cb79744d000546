"""Whether the connections of each home fit each other, and its comfort every hour of a day."""

from collections import Counter
from collections.abc import Mapping, Sequence

from gridrig.clock.zones import zone_of
from gridrig.rig.device_reading import DeviceDraft
from gridrig.rig.instruments import HeatPumpLimits
from gridrig.rig.issues import At, Issues, shown
from gridrig.rig.participants import HomeAgent, Participant
from gridrig.rig.schema import Draft

BAND_K_MIN = 0.5  # sensors tell tenths: in a narrower band there is nothing left to plan with
LASTS_H_MIN = 1.0  # a building that cools faster has its capacity stated in another unit


def check_homes(
    participants: Sequence[Draft[Participant]], devices: Sequence[DeviceDraft], issues: Issues
) -> None:
    """Check that a home has one time zone that exists and one limit.

    Only batteries keep its reserve, and only heat pumps, all of them, its comfort: within what
    their sensors can tell, and what they may be told to take.
    """
    batteries = {d.name for d in devices if d.capability == "storage"}
    pumps: Mapping[str | None, DeviceDraft]
    pumps = {d.name: d for d in devices if d.capability == "heat_pump"}
    measures: Mapping[str | None, str | None] = {d.name: d.measures for d in devices}
    first: dict[tuple[str, str], object] = {}
    for participant in participants:
        agent = participant.get("agent")
        if not isinstance(agent, HomeAgent):
            continue
        at = participant.at.key("agent")
        if zone_of(agent.zone) is None:
            issues.add(at.key("zone"), shown(agent.zone), 'a time zone such as "Europe/Berlin"')
        for key in ("zone", "connection_w"):
            said = getattr(agent, key)
            before = first.setdefault((agent.home, key), said)
            if said != before:
                expected = f"{_shown(before)}, as at another meter of {agent.home!r}"
                issues.add(at.key(key), _shown(said), expected)
        meter = participant.text("meter")
        if agent.reserve_soc and measures.get(meter) not in batteries:
            found = shown(agent.reserve_soc)
            issues.add(at.key("reserve_soc"), found, "nothing: only a battery keeps a reserve")
        if measures.get(meter) in pumps:
            _check_least(agent, pumps[measures[meter]], at, issues)
            _check_comfort(agent, at, issues)
        elif agent.building is not None or agent.comfort:
            key = "comfort" if agent.building is None else "building"
            issues.add(at.key(key), "a table", "nothing: only a heat pump warms a room")


def _check_least(agent: HomeAgent, pump: DeviceDraft, at: At, issues: Issues) -> None:
    """Check that a pump may be told the least that it is said to take."""
    if agent.building is None or not isinstance(pump.limits, HeatPumpLimits):
        return
    least_w, most_w = agent.building.least_w, pump.limits.p_w_max
    if least_w > most_w:
        expected = f"at most limits.p_w_max = {shown(most_w)} of {shown(pump.name)}"
        issues.add(at.key("building").key("least_w"), shown(least_w), expected)


def _check_comfort(agent: HomeAgent, at: At, issues: Issues) -> None:
    """Check that a heat pump has a building that can be, and one band at every hour."""
    if agent.building is None:
        expected = "a table with capacity_wh_per_k, conductance_w_per_k and cop of what it warms"
        issues.add(at.key("building"), "nothing", expected)
    elif agent.building.capacity_wh_per_k < LASTS_H_MIN * agent.building.conductance_w_per_k:
        found = shown(agent.building.capacity_wh_per_k)
        least_wh = LASTS_H_MIN * agent.building.conductance_w_per_k
        expected = f"at least {least_wh:g}, what its conductance loses per kelvin in an hour [Wh/K]"
        issues.add(at.key("building").key("capacity_wh_per_k"), found, expected)
    for index, band in enumerate(agent.comfort):
        where = at.key("comfort").item(index, None).key("high_c")
        if band.low_c >= band.high_c:
            issues.add(where, shown(band.high_c), f"above low_c = {shown(band.low_c)}")
        elif band.high_c < band.low_c + BAND_K_MIN:
            expected = f"at least {BAND_K_MIN:g} K above low_c = {shown(band.low_c)}"
            issues.add(where, shown(band.high_c), f"{expected}: a sensor tells tenths")
    times = Counter(hour for band in agent.comfort for hour in band.hours)
    missing = [hour for hour in range(24) if times[hour] != 1]
    if missing:
        hour = missing[0]
        found = f"{times[hour]} bands for the hour from {hour}"
        issues.add(at.key("comfort"), found, "one for every hour of the day")


def _shown(value: object) -> str:
    return "nothing" if value is None else shown(value)
