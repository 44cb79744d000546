"""Whether a rig fits the feeder it names: buses, nominal values and profiles."""

from collections.abc import Collection, Mapping

from gridrig.errors import Issue
from gridrig.rig.description import Rig
from gridrig.rig.issues import At, Issues, near_miss, one_of, shown
from gridrig.rig.toml_file import parse_toml

BUSES_SHOWN_MAX = 20


def check_feeder(
    rig: Rig,
    buses: Collection[str],
    *,
    v_ll: Mapping[str, float] | None = None,
    f_hz: float | None = None,
    profiles: Collection[str] | None = None,
    loads: Collection[str] = (),
    drawn: Collection[str] | None = None,
    branches: Collection[str] | None = None,
) -> tuple[Issue, ...]:
    """Return what keeps a rig from hanging on its feeder.

    Parameters
    ----------
    rig : Rig
        The rig.
    buses : collection of str
        Names of the feeder's buses.
    v_ll : mapping of str to float or None
        Nominal line-to-line voltage of each bus; None if it is not to be checked. [V]
    f_hz : float or None
        Nominal frequency of the feeder; None if it is not to be checked. [Hz]
    profiles : collection of str or None
        Elements of the network that have a PV profile; None if they are not to be checked.
    loads : collection of str
        Buses with a load of three phases, of which a motor can be part.
    drawn : collection of str or None
        Buses with any load, which an emulated meter can count; None if that is not to be checked.
    branches : collection of str or None
        What a switch can open and close, without the PCC; None if that is not to be checked.

    Returns
    -------
    tuple of Issue
        Empty if it fits.
    """
    issues = Issues(rig.path)
    file = parse_toml(rig.text, rig.path)
    top, written = file.top, file.table["device"]
    if f_hz is not None and f_hz != rig.nominal.f_hz:
        at = top.key("rig").key("nominal").key("f_hz")
        issues.add(at, shown(rig.nominal.f_hz), f"{shown(f_hz)}, the feeder's nominal frequency")
    for index, device in enumerate(rig.devices):
        profile = device.emulation.profile if device.emulation is not None else None
        if profiles is not None and profile is not None and profile not in profiles:
            at = top.key("device").item(index, device.name).key("emulate").key("profile")
            issues.add(at, shown(profile), one_of(profiles), near_miss(profile, profiles))
        if device.bus is None or "bus" not in written[index]:
            continue  # it stands where another device stands, which is checked
        at = top.key("device").item(index, device.name).key("bus")
        if device.bus not in buses:
            issues.add(at, shown(device.bus), _bus_words(buses), near_miss(device.bus, buses))
        else:
            _check_voltage(rig, device.bus, at, v_ll or {}, issues)
            counts = device.emulated and device.measures == "load"
            if counts and drawn is not None and device.bus not in drawn:
                near = near_miss(device.bus, drawn)
                issues.add(at, shown(device.bus), "a bus with a load, which it measures", near)
    if branches is not None:
        _check_branches(rig, branches, top, issues)
    for index, motor in enumerate(rig.motors):
        if motor.bus not in loads:
            at = top.key("motor").item(index, motor.name).key("bus")
            expected = (
                "a bus with a load of three phases" if motor.bus in buses else _bus_words(loads)
            )
            issues.add(at, shown(motor.bus), expected, near_miss(motor.bus, loads))
    return issues.sorted()


def _check_branches(rig: Rig, branches: Collection[str], top: At, issues: Issues) -> None:
    """Check that each switch has a branch of the feeder, and that no two have the same."""
    held: dict[str, str] = {}
    for index, device in enumerate(rig.devices):
        if device.branch is None:
            continue
        at = top.key("device").item(index, device.name).key("branch")
        if device.branch not in branches:
            words = one_of(branches) if len(branches) <= BUSES_SHOWN_MAX else "one of the feeder's"
            issues.add(at, shown(device.branch), words, near_miss(device.branch, branches))
        elif held.setdefault(device.branch, device.name) != device.name:
            found = f"{shown(device.branch)}, which {held[device.branch]} switches"
            issues.add(at, found, "a branch of its own")


def _check_voltage(rig: Rig, bus: str, at: At, v_ll: Mapping[str, float], issues: Issues) -> None:
    nominal = v_ll.get(bus)
    # Networks store kilovolts as decimals: 0.4 kV is not exactly 400 V.
    if nominal is not None and abs(nominal - rig.nominal.v_ll) > 1e-6 * nominal:
        found = f"{shown(bus)} of {nominal:g} V"
        issues.add(at, found, f"a bus of rig.nominal.v_ll = {rig.nominal.v_ll:g} V")


def _bus_words(buses: Collection[str]) -> str:
    if len(buses) <= BUSES_SHOWN_MAX:
        return one_of(buses)
    return f"one of the feeder's {len(buses)} buses"
