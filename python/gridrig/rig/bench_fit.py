"""Whether the instruments of a rig and the devices behind them fit each other."""

from collections.abc import Sequence
from typing import Any

from gridrig.rig.device_reading import DeviceDraft
from gridrig.rig.instruments import OF_A_CIRCUIT, AcSourceLimits, SourceTerminal
from gridrig.rig.issues import At, Issues, near_miss, one_of, shown

# Of an emulated bench's circuit there is one each.
ONE_EACH = ("ac_source", "load_bank", "switch", "interlock")
CIRCUIT_PLACES = ("switch", "load", "grid")


def check_bench(
    devices: Sequence[DeviceDraft], nominal: Any, feeder: Any, at: At, issues: Issues
) -> None:
    """Note what does not fit.

    Parameters
    ----------
    devices : sequence of DeviceDraft
        All of the rig.
    nominal, feeder
        Of the rig, None if absent or wrong.
    at : At
        Place of the whole file.
    """
    behind = [d for d in devices if isinstance(d.terminal, SourceTerminal)]
    taken: dict[tuple[str, int], DeviceDraft] = {}
    fed: dict[str, DeviceDraft] = {}
    for device in behind:
        assert isinstance(device.terminal, SourceTerminal)
        _check_terminal(device, device.terminal, devices, nominal, issues)
        _check_channels(device, device.terminal, taken, issues)
        _check_feeding(device, device.terminal, fed, issues)
    if behind and feeder is not None:
        expected = "no [feeder]: a feeder's voltage is not imposed on a source yet"
        issues.add(at.key("feeder"), f"a feeder beside {behind[0].label!r}, on a source", expected)
    for device in devices:
        _check_frequencies(device, nominal, issues)
        if device.capability == "dc_source" and device.emulated and device.name not in fed:
            expected = "a terminal that names it as its dc_source"
            issues.add(device.at, "a DC source that feeds nothing", expected)
        if device.branch is not None and feeder is None:
            expected = "a [feeder], whose branch it opens and closes"
            issues.add(device.at.key("branch"), shown(device.branch), expected)
    if any(_in_circuit(device) for device in devices):
        _check_circuit(devices, issues)


def _check_terminal(
    device: DeviceDraft,
    terminal: SourceTerminal,
    devices: Sequence[DeviceDraft],
    nominal: Any,
    issues: Issues,
) -> None:
    at = device.at.key("terminal")
    named = (
        ("source", terminal.source, "ac_source"),
        ("analyser", terminal.analyser, "analyser"),
        ("dc_source", terminal.dc_source, "dc_source"),
    )
    for key, name, capability in named:
        if name is None:
            continue
        known = [d.name for d in devices if d.capability == capability and d.name is not None]
        found = next((d for d in devices if d.name == name), None)
        if found is None or found.capability not in (capability, None):
            what = f", of capability {found.capability}" if found is not None else ""
            issues.add(at.key(key), shown(name) + what, one_of(known), near_miss(name, known))
        elif found.emulated != device.emulated:
            kinds = ("real", "emulated")
            expected = f"one that is {kinds[device.emulated]}, as {device.label!r} is"
            issues.add(at.key(key), f"{shown(name)}, which is {kinds[found.emulated]}", expected)
    phases = getattr(nominal, "phases", None)
    if phases is not None and len(terminal.channels) != phases:
        expected = f"{phases}: one for each phase"
        issues.add(at.key("channels"), f"{len(terminal.channels)} channels", expected)


def _check_channels(
    device: DeviceDraft,
    terminal: SourceTerminal,
    taken: dict[tuple[str, int], DeviceDraft],
    issues: Issues,
) -> None:
    for channel in terminal.channels:
        at = device.at.key("terminal").key("channels")
        holder = taken.setdefault((terminal.analyser, channel), device)
        if holder is not device:
            found = f"channel {channel} of {terminal.analyser}, which {holder.label!r} has"
            issues.add(at, found, "channels of its own")
    if len(set(terminal.channels)) != len(terminal.channels):
        at = device.at.key("terminal").key("channels")
        issues.add(at, f"channels {list(terminal.channels)}", "each channel once")


def _check_feeding(
    device: DeviceDraft, terminal: SourceTerminal, fed: dict[str, DeviceDraft], issues: Issues
) -> None:
    if terminal.dc_source is None:
        return
    if device.capability == "storage":
        at = device.at.key("terminal").key("dc_source")
        issues.add(at, shown(terminal.dc_source), "nothing: a storage has its own pack")
    holder = fed.setdefault(terminal.dc_source, device)
    if holder is not device:
        found = f"{shown(terminal.dc_source)}, which feeds {holder.label!r}"
        issues.add(device.at.key("terminal").key("dc_source"), found, "a DC source of its own")


def _check_frequencies(device: DeviceDraft, nominal: Any, issues: Issues) -> None:
    limits = device.limits
    if not isinstance(limits, AcSourceLimits) or nominal is None:
        return
    at = device.at.key("limits")
    if not limits.f_hz_min <= nominal.f_hz <= limits.f_hz_max:
        found = f"{limits.f_hz_min:g} to {limits.f_hz_max:g} Hz"
        expected = f"limits around rig.nominal.f_hz = {nominal.f_hz:g}"
        issues.add(at.key("f_hz_min"), found, expected)
    v_n = nominal.v_ll / 3**0.5 if nominal.phases == 3 else nominal.v_ll
    if limits.v_v_max < v_n:
        expected = f"at least the nominal {v_n:.1f} V, phase to neutral"
        issues.add(at.key("v_v_max"), shown(limits.v_v_max), expected)


def _check_circuit(devices: Sequence[DeviceDraft], issues: Issues) -> None:
    """Check what an emulated circuit is made of: one bus, one source, one of each else."""
    first: dict[str, DeviceDraft] = {}
    for device in devices:
        if not _in_circuit(device) or device.capability not in ONE_EACH or _on_a_feeder(device):
            continue
        held = first.setdefault(device.capability, device)
        if held is not device:
            found = f"a second {device.capability} beside {held.label!r}"
            issues.add(device.at.key("emulate"), found, "one on an emulated bench's circuit")
    places = [
        d.name
        for d in devices
        if d.name and (d.capability in ("inverter", "storage") or _on_a_feeder(d))
    ]
    for device in devices:
        if device.terminal == "model":
            expected = "a terminal with source and analyser: the emulated bench has one circuit"
            issues.add(device.at.key("terminal"), '"model"', expected)
        face = device.emulation.face if device.emulation is not None else None
        for index, place in enumerate(getattr(face, "sees", ())):
            known = [*places, *CIRCUIT_PLACES]
            if place not in known:
                at = device.at.key("emulate").key("sees").item(index)
                issues.add(at, shown(place), one_of(known), near_miss(place, known))
    if "ac_source" not in first:
        emulated = next(d for d in devices if _in_circuit(d))
        issues.add(emulated.at.key("emulate"), "a circuit without a source", "an ac_source in it")


def _in_circuit(device: DeviceDraft) -> bool:
    """Return whether an instrument is emulated in a bench's circuit, not in the feeder."""
    return device.emulated and device.capability in OF_A_CIRCUIT and device.branch is None


def _on_a_feeder(device: DeviceDraft) -> bool:
    """Return whether a load bank hangs on a feeder of its own."""
    face = device.emulation.face if device.emulation is not None else None
    return getattr(face, "shed_stage", None) is not None
