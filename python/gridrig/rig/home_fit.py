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
    """Check that a home lives in one time zone that exists, and only a battery has a reserve."""
    batteries = {d.name for d in devices if d.capability == "storage"}
    measures: Mapping[str | None, str | None] = {d.name: d.measures for d in devices}
    zones: dict[str, str] = {}
    for participant in participants:
        agent = participant.get("agent")
        if not isinstance(agent, HomeAgent):
            continue
        at = participant.at.key("agent")
        if zone_of(agent.zone) is None:
            issues.add(at.key("zone"), shown(agent.zone), 'a time zone such as "Europe/Berlin"')
        first = zones.setdefault(agent.home, agent.zone)
        if agent.zone != first:
            expected = f"{shown(first)}, as at another meter of {agent.home!r}"
            issues.add(at.key("zone"), shown(agent.zone), expected)
        meter = participant.text("meter")
        if agent.reserve_soc and measures.get(meter) not in batteries:
            found = shown(agent.reserve_soc)
            issues.add(at.key("reserve_soc"), found, "nothing: only a battery keeps a reserve")
