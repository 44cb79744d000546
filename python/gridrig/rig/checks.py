"""What no table shows alone: whether the tables of a rig file fit each other."""

from collections.abc import Iterable, Sequence
from typing import Any

from gridrig.devices import links
from gridrig.metering.ocmf_signing import derive_private_key, public_key_der
from gridrig.rig.device import HAS_TERMINAL, HEAD, LOAD, GridTerminal
from gridrig.rig.device_reading import DeviceDraft
from gridrig.rig.issues import At, Issues, near_miss, one_of, shown
from gridrig.rig.key_files import check_key_files
from gridrig.rig.keys import KeyDraft
from gridrig.rig.links import OcppLink, Wired, check_wires
from gridrig.rig.participants import AGENT_BEHIND, OF_A_MIND, GridAgent, Participant
from gridrig.rig.safe_order import CAPABILITIES_OF, FINAL_STEP, SafeStep
from gridrig.rig.schema import Draft


def check_devices(devices: Sequence[DeviceDraft], clock: Any, issues: Issues) -> None:
    """Check the devices beside each other."""
    _check_names([(d.at, "name", d.name) for d in devices], "device", issues)
    for device in devices:
        _check_clock(device, clock, issues)
        _check_references(device, devices, issues)
        face = device.emulation.face if device.emulation else None
        check_key_files(device.link, face, device.emulated, device.at, issues)
    _check_shared(devices, "bms", "storage", issues)
    _check_shared([d for d in devices if d.measures != LOAD], "measures", "meter", issues)
    _check_load_meters(devices, issues)
    wired = [
        Wired(device.label, device.link, device.emulated, device.at.key("link"))
        for device in devices
        if device.link is not None
    ]
    check_wires(wired, issues)


def _check_names(named: Iterable[tuple[At, str, str | None]], what: str, issues: Issues) -> None:
    first: dict[str, At] = {}
    for at, key, name in named:
        if name is None:
            continue
        held = first.setdefault(name, at)
        if held is not at:
            line = held.line()
            where = f" in line {line}" if line is not None else ""
            found = f"{shown(name)}, which another {what} has{where}"
            issues.add(at.key(key), found, "a name of its own")


def _check_clock(device: DeviceDraft, clock: Any, issues: Issues) -> None:
    if device.emulated:
        return
    if clock == "virtual":
        expected = 'an emulate table, or rig.clock = "wall": a real device keeps its own time'
        issues.add(device.at.key("emulate"), "nothing", expected)
    if device.link is not None and device.link.is_free():
        at = device.at.key("link").key("port")
        expected = "the real port: only an emulated device can choose one"
        issues.add(at, shown(device.link.port), expected)


def check_permissions(devices: Sequence[DeviceDraft], issues: Issues, *, has_island: bool) -> None:
    """Check that whoever may give in an island can be told to, and that there can be one."""
    for device in devices:
        link = device.link
        if not getattr(device.limits, "gives_in_island", False) or not isinstance(link, OcppLink):
            continue
        at = device.at.key("limits").key("gives_in_island")
        spoken = links.OcppLink(link.host, link.port, link.charge_point, link.version)
        if not spoken.sets_power:
            issues.add(at, "true", f"false: OCPP {link.version} has no set-points")
        elif not has_island:
            issues.add(at, "true", "false, or an [island] with its former: there is none to help")


def _check_references(device: DeviceDraft, devices: Sequence[DeviceDraft], issues: Issues) -> None:
    if device.bms is not None and device.capability == "storage":
        at = device.at.key("bms")
        pack = _refer(device.bms, at, devices, ("bms",), issues)
        if pack is not None:
            if pack.emulated != device.emulated:
                kinds = "real", "emulated"
                found = f"{shown(device.bms)}, which is {kinds[pack.emulated]}"
                expected = f"a pack that is {kinds[device.emulated]}, as its inverter"
                issues.add(at, found, expected)
            _check_same_bus(pack, device, issues)
    if device.capability == "bms" and device.emulated and _is_alone(device, devices):
        expected = "a storage that names it as its bms: an emulated pack needs an inverter"
        issues.add(device.at, "no storage with this pack", expected)
    if device.capability == "meter" and device.measures not in (None, LOAD, HEAD):
        assert device.measures is not None
        at = device.at.key("measures")
        extra = (LOAD, HEAD)
        measured = _refer(device.measures, at, devices, HAS_TERMINAL, issues, extra=extra)
        if measured is not None:
            _check_same_bus(device, measured, issues)
            if device.emulated and not measured.emulated:
                found = f"{shown(device.measures)}, which is real"
                issues.add(at, found, "an emulated device: an emulated meter sees only the model")
    if isinstance(device.terminal, GridTerminal):
        at = device.at.key("terminal").key("analyser")
        meter = _refer(device.terminal.analyser, at, devices, ("meter",), issues)
        if meter is not None and meter.measures not in (None, device.name, LOAD, HEAD):
            found = f"{shown(device.terminal.analyser)}, which measures {shown(meter.measures)}"
            issues.add(at, found, f"a meter with measures = {shown(device.name)}")


def _is_alone(pack: DeviceDraft, devices: Sequence[DeviceDraft]) -> bool:
    """Return whether no storage names this pack, or could have meant to."""
    names = {device.name for device in devices}
    meant = {device.bms for device in devices if device.capability == "storage"}
    return pack.name is not None and pack.name not in meant and meant <= names


def _check_same_bus(device: DeviceDraft, other: DeviceDraft, issues: Issues) -> None:
    if device.bus is not None and other.bus is not None and device.bus != other.bus:
        expected = f"{shown(other.bus)}, the bus of {other.label!r}"
        issues.add(device.at.key("bus"), shown(device.bus), expected)


def _refer(
    name: str,
    at: At,
    devices: Sequence[DeviceDraft],
    capabilities: Sequence[str],
    issues: Issues,
    *,
    extra: Sequence[str] = (),
) -> DeviceDraft | None:
    """Return the device a key names; note it if there is none with the right capability."""
    fitting = [d.name for d in devices if d.capability in capabilities and d.name is not None]
    named = [d for d in devices if d.name == name]
    for device in named:
        # A device whose capability has an issue, or whose name is taken, has been noted already.
        if device.capability in capabilities or device.capability is None:
            return device
    found = f"{shown(name)}, of capability {named[0].capability}" if named else shown(name)
    known = list(dict.fromkeys([*extra, *fitting]))
    issues.add(at, found, one_of(known), near_miss(name, known))
    return None


def _check_shared(devices: Sequence[DeviceDraft], key: str, what: str, issues: Issues) -> None:
    first: dict[str, DeviceDraft] = {}
    for device in devices:
        name = getattr(device, key)
        if name is None or device.capability != what:
            continue
        held = first.setdefault(name, device)
        if held is not device:
            found = f"{shown(name)}, which {what} {held.label!r} has"
            issues.add(device.at.key(key), found, f"one that no other {what} has")


def _check_load_meters(devices: Sequence[DeviceDraft], issues: Issues) -> None:
    first: dict[str, DeviceDraft] = {}
    for device in devices:
        if device.measures != LOAD or device.bus is None:
            continue
        held = first.setdefault(device.bus, device)
        if held is not device:
            found = f"{shown(device.bus)}, whose load {held.label!r} measures"
            issues.add(device.at.key("bus"), found, "one load meter on a bus")


def check_island(island: Any, at: At, devices: Sequence[DeviceDraft], issues: Issues) -> None:
    """Check that the grid former exists."""
    if island is not None:
        _refer(island.former, at.key("former"), devices, ("storage",), issues)


def check_participants(
    participants: Sequence[Draft[Participant]], devices: Sequence[DeviceDraft], issues: Issues
) -> None:
    """Check that each participant has a meter of its own, and each meter a participant."""
    _check_names([(p.at, "name", p.text("name")) for p in participants], "participant", issues)
    holder: dict[str, Draft[Participant]] = {}
    for participant in participants:
        name = participant.text("meter")
        if name is None:
            continue
        at = participant.at.key("meter")
        meter = _refer(name, at, devices, ("meter",), issues)
        held = holder.setdefault(name, participant)
        if held is not participant:
            found = f"{shown(name)}, the meter of {held.text('name') or held.at.text!r}"
            issues.add(at, found, "a meter of its own")
        if meter is not None:
            if meter.driver is not None and not meter.signs:
                found = f'{shown(name)}, whose driver "{meter.driver}" signs nothing'
                issues.add(at, found, "a meter that signs: only signed readings are paid")
            _check_agent(participant, meter, devices, issues)
    _check_zones(participants, issues)
    if participants:
        _check_everyone_metered(holder.keys(), devices, issues)


def _check_zones(participants: Sequence[Draft[Participant]], issues: Issues) -> None:
    """If anybody is in a zone, everybody is, but for the main grid, which is in none."""
    if all(participant.get("zone") is None for participant in participants):
        return
    for participant in participants:
        if "zone" not in participant.values:
            continue  # there is an issue already
        agent, at = participant.get("agent"), participant.at.key("zone")
        zone = participant.get("zone")
        if isinstance(agent, GridAgent) and zone is not None:
            issues.add(at, shown(zone), "nothing: the main grid is connected to every zone")
        elif agent is not None and not isinstance(agent, GridAgent) and zone is None:
            issues.add(at, "nothing", "its zone, since other participants have one")


def _check_agent(
    participant: Draft[Participant],
    meter: DeviceDraft,
    devices: Sequence[DeviceDraft],
    issues: Issues,
) -> None:
    agent = participant.get("agent")
    behind: str | None = meter.measures
    if behind not in (LOAD, HEAD):
        behind = next((d.capability for d in devices if d.name == behind), None)
    expected = AGENT_BEHIND.get(behind or "")
    if agent is not None and expected is not None:
        allowed = [expected, *(kind for kind, of in OF_A_MIND.items() if behind in of)]
        if agent.kind not in allowed:
            named = " or ".join(map(shown, allowed))
            issues.add(
                participant.at.key("agent").key("kind"),
                shown(agent.kind),
                f"{named}, because {meter.label!r} measures {meter.measures!r}",
            )
    if participant.get("shed_stage") is not None and expected not in (None, "consumer"):
        at = participant.at.key("shed_stage")
        issues.add(at, shown(participant.get("shed_stage")), "nothing: only a load is shed")


def _check_everyone_metered(
    held: Iterable[str], devices: Sequence[DeviceDraft], issues: Issues
) -> None:
    """Without a meter and an account at every connection point the books cannot balance."""
    accounts = set(held)
    measured = {device.measures for device in devices if device.signs}
    for device in devices:
        if device.name is None:
            continue
        if device.capability in HAS_TERMINAL and device.name not in measured:
            expected = f"a signed meter with measures = {shown(device.name)}, since the rig trades"
            issues.add(device.at, "no meter at its connection point", expected)
        if device.signs and device.name not in accounts:
            expected = "a participant behind every meter, since the rig trades"
            issues.add(device.at, "no participant behind it", expected)


def check_keys(keys: Sequence[KeyDraft], devices: Sequence[DeviceDraft], issues: Issues) -> None:
    """Check that every meter that signs has a key, and every key such a meter."""
    for key in keys:
        if key.meter is not None:
            device = _refer(key.meter, key.at.key("meter"), devices, ("meter",), issues)
            if device is not None and device.driver is not None and not device.signs:
                found = f'{shown(key.meter)}, whose driver "{device.driver}" signs nothing'
                issues.add(key.at.key("meter"), found, "a meter that signs")
    meters = {key.meter for key in keys}
    for device in devices:
        if device.signs and device.name is not None and device.name not in meters:
            expected = f"a [[key]] with meter = {shown(device.name)}"
            issues.add(device.at, "no key", expected)


def check_emulated_keys(
    keys: Sequence[KeyDraft], devices: Sequence[DeviceDraft], issues: Issues
) -> None:
    """Check that an emulated meter signs with one of its keys, under that key's serial number."""
    for device in devices:
        face = device.emulation.face if device.emulation else None
        seed = getattr(face, "seed", None)
        own = [key for key in keys if key.meter == device.name]
        if not device.signs or seed is None or device.name is None or not own:
            continue
        if any(key.key is None for key in own):
            continue  # it may be the one that has an issue already
        signs_with = public_key_der(derive_private_key(seed, device.name))
        key = next((key for key in own if key.spki == signs_with), None)
        if key is None:
            expected = f"the key of seed {seed}, as the emulated meter signs with it"
            issues.add(own[-1].at.key("public_key"), "another meter's key", expected)
            continue
        serial, enrolled = getattr(face, "serial", ""), key.key.serial if key.key else ""
        if serial and serial != enrolled:
            expected = f"{shown(serial)}, the serial of the emulated meter"
            issues.add(key.at.key("serial"), shown(enrolled), expected)


def _check_thresholds(step: Draft[SafeStep], do: Any, issues: Issues) -> None:
    """A threshold that its step does not look at was meant for another."""
    for key, step_name in (
        ("below_w", "settle"),
        ("below_a", "open-fets"),
        ("proved_v", "prove"),
        ("proved_a", "prove"),
    ):
        found = step.get(key)
        if found is not None and do not in (None, step_name) and found != getattr(SafeStep, key):
            issues.add(step.at.key(key), shown(found), f'nothing: only do = "{step_name}" heeds it')


def check_safe_order(
    steps: Sequence[Draft[SafeStep]], devices: Sequence[DeviceDraft], issues: Issues
) -> None:
    """Check that a declared order reaches every device that has a safe state to reach."""
    reached: set[str | None] = set()
    whole = True
    for step in steps:
        do = step.get("do")
        _check_thresholds(step, do, issues)
        named = step.get("devices")
        if do is None or named is None:
            whole = False
            continue
        capabilities = CAPABILITIES_OF[do]
        for index, name in enumerate(named):
            at = step.at.key("devices").item(index)
            _refer(name, at, devices, capabilities, issues)
        for device in devices:
            final = device.capability is not None and FINAL_STEP.get(device.capability) == do
            if final and (device.name in named or not named):
                reached.add(device.name)
    if not steps or not whole:
        return
    for device in devices:
        if device.capability in FINAL_STEP and device.name not in reached:
            expected = f'a [[safe]] step with do = "{FINAL_STEP[device.capability]}" for it'
            issues.add(device.at.key("safe_state"), "a safe state no step reaches", expected)
