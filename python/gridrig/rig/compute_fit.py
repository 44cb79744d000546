"""Whether the connections of each place that computes fit each other."""

from collections import defaultdict
from collections.abc import Sequence

from gridrig.rig.device_reading import DeviceDraft
from gridrig.rig.issues import Issues, near_miss, shown
from gridrig.rig.participants import ComputeAgent, Participant
from gridrig.rig.schema import Draft


def check_places(
    participants: Sequence[Draft[Participant]], devices: Sequence[DeviceDraft], issues: Issues
) -> None:
    """Check that each place is around a computing node, with its meter and one battery's."""
    capability_of = {d.name: d.capability for d in devices}
    measured = {d.name: d.measures for d in devices}
    nodes = {name for name, capability in capability_of.items() if capability == "compute_node"}
    behind: defaultdict[str, list[str | None]] = defaultdict(list)
    first: dict[str, Draft[Participant]] = {}
    for participant in participants:
        agent = participant.get("agent")
        if not isinstance(agent, ComputeAgent):
            continue
        at, device = participant.at.key("agent"), measured.get(participant.text("meter"))
        if agent.node not in nodes:
            near = near_miss(agent.node, [name for name in nodes if name])
            issues.add(at.key("node"), shown(agent.node), "a compute_node of the rig", near)
            continue
        is_battery = capability_of.get(device) == "storage"
        if is_battery and agent.reserve_soc is None:
            issues.add(at.key("reserve_soc"), "nothing", "what the battery keeps, 0 to 1")
        for key in ("reserve_soc", "resume_soc"):
            found = getattr(agent, key)
            if found is not None and not is_battery:
                issues.add(at.key(key), shown(found), "nothing: only a battery keeps a reserve")
        if (agent.resume_soc or 1.0) < (agent.reserve_soc or 0.0):
            expected = f"at least reserve_soc = {shown(agent.reserve_soc)}"
            issues.add(at.key("resume_soc"), shown(agent.resume_soc), expected)
        first.setdefault(agent.node, participant)
        behind[agent.node].append(device if device == agent.node else capability_of.get(device))
    for node, found_behind in behind.items():
        for what, expected in ((node, "its own meter"), ("storage", "the meter of one battery")):
            if (count := found_behind.count(what)) != 1:
                at = first[node].at.key("agent").key("node")
                issues.add(at, f"{shown(node)} with {count} of them", f"{expected} in its place")
