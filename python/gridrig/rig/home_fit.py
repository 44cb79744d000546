"""Whether the connections of each home fit each other."""

from collections.abc import Mapping, Sequence

from gridrig.clock.zones import zone_of
from gridrig.rig.device_reading import DeviceDraft
from gridrig.rig.issues import Issues, shown
from gridrig.rig.participants import HomeAgent, Participant
from gridrig.rig.schema import Draft


def check_homes(
    participants: Sequence[Draft[Participant]], devices: Sequence[DeviceDraft], issues: Issues
) -> None:
    """Check that a home has one time zone that exists and one limit, and batteries its reserve."""
    batteries = {d.name for d in devices if d.capability == "storage"}
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


def _shown(value: object) -> str:
    return "nothing" if value is None else shown(value)
