"""One `[[device]]` table: read alone, before it is checked beside the others."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gridrig.errors import RigError
from gridrig.rig.calibration import Calibration, check_calibration
from gridrig.rig.device import (
    HAS_TERMINAL,
    HEAD,
    LIMITS,
    LOAD,
    SAFE_STATES,
    BmsLimits,
    Capability,
    Categories,
    Device,
    GridTerminal,
    HostDead,
    InverterLimits,
    Nameplate,
    Terminal,
)
from gridrig.rig.emulation import Emulation, load_or_issue, read_emulation, read_parameters
from gridrig.rig.instruments import INSTRUMENTS, ON_THE_FEEDER, SourceTerminal
from gridrig.rig.issues import At, Issues, misspelt, shown
from gridrig.rig.links import RigLink
from gridrig.rig.registry import DRIVERS, Registry
from gridrig.rig.schema import BROKEN, Draft, Name, read_draft, read_record

# Storage inverters are a kind of inverter to their drivers.
_OFFERED = {"storage": ("storage", "storage_inverter")}
# A driver says by the link class it takes which wire it speaks.
_LINK_CLASS = {
    "modbus-tcp": "ModbusTcpLink",
    "modbus-tls": "ModbusTlsLink",
    "modbus-rtu": "ModbusRtuLink",
    "serial": "SerialLink",
    "socket": "SocketLink",
    "ocpp": "OcppLink",
}


@dataclass(frozen=True, kw_only=True)
class _Table:
    name: Name
    capability: Capability
    driver: Name
    bus: Name | None = None
    link: RigLink
    terminal: Any = None
    limits: dict[str, Any] | None = None
    safe_state: dict[str, Any] | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    emulate: dict[str, Any] | None = None
    bms: Name | None = None
    measures: Name | None = None
    branch: Name | None = None
    host_dead: HostDead = "none"
    categories: Categories | None = None
    nameplate: Nameplate | None = None
    calibration: Calibration | None = None


@dataclass
class DeviceDraft:
    """A device on its way: each part is None while it has an issue or is absent."""

    at: At
    table: Mapping[str, Any]
    name: str | None = None
    capability: Capability | None = None
    driver: str | None = None
    bus: str | None = None
    link: RigLink | None = None
    terminal: Terminal | None = None
    limits: Any = None
    safe_state: Any = None
    parameters: Any = None
    emulation: Emulation | None = None
    bms: str | None = None
    measures: str | None = None
    branch: str | None = None
    signs: bool = False
    host_dead: HostDead = "none"
    categories: Categories | None = None
    nameplate: Nameplate | None = None
    calibration: Calibration | None = None

    @property
    def emulated(self) -> bool:
        """Whether the file has an emulate table for it, right or wrong."""
        return "emulate" in self.table

    @property
    def label(self) -> str:
        """The device's name for people."""
        return self.name or self.at.text


def read_device(
    table: Mapping[str, Any], at: At, nominal: Any, registry: Registry, issues: Issues
) -> DeviceDraft:
    """Read one device table, noting every issue that is its own."""
    fields = read_draft(_Table, table, at, issues)
    draft = DeviceDraft(
        at,
        table,
        name=fields.get("name"),
        capability=fields.get("capability"),
        driver=fields.get("driver"),
        bus=fields.get("bus"),
        link=fields.get("link"),
        bms=fields.get("bms"),
        measures=fields.get("measures"),
        branch=fields.get("branch"),
        host_dead=fields.get("host_dead") or "none",
        categories=fields.get("categories"),
        nameplate=fields.get("nameplate"),
        calibration=fields.get("calibration"),
    )
    check_calibration(
        draft.calibration, draft.capability, draft.emulated, at.key("calibration"), issues
    )
    if draft.name in (HEAD, LOAD):
        expected = 'a name other than "head" and "load", which meters measure'
        issues.add(at.key("name"), shown(draft.name), expected)
    _read_driver(draft, fields, registry, issues)
    if draft.capability is None:
        return draft
    draft.limits = _read_part(draft, "limits", LIMITS[draft.capability], issues)
    draft.safe_state = _read_part(draft, "safe_state", SAFE_STATES[draft.capability], issues)
    _check_only_safe_state(draft, registry, issues)
    _check_own_limits(draft, issues)
    draft.terminal = _read_terminal(draft, fields.get("terminal"), issues)
    _check_place(draft, issues)
    emulate = fields.get("emulate")
    if emulate is not None and draft.driver is not None:
        place = at.key("emulate")
        draft.emulation = read_emulation(
            emulate,
            place,
            capability=draft.capability,
            driver=draft.driver,
            registry=registry,
            issues=issues,
        )
        _check_nominal(emulate, place, nominal, issues)
    return draft


def build_device(draft: DeviceDraft, devices: Sequence[DeviceDraft]) -> Device:
    """Return the finished device; call it only when there is no issue."""
    if not (draft.name and draft.capability and draft.driver and draft.link):
        raise RigError("rig.invalid", "{at} is not complete", at=draft.at.text)
    return Device(
        name=draft.name,
        capability=draft.capability,
        driver=draft.driver,
        bus=draft.bus or _bus_of(draft, devices),
        link=draft.link,
        terminal=draft.terminal,
        limits=draft.limits,
        safe_state=draft.safe_state,
        parameters=draft.parameters,
        emulate=draft.table.get("emulate"),
        emulation=draft.emulation,
        bms=draft.bms,
        measures=draft.measures,
        branch=draft.branch,
        signs=draft.signs,
        host_dead=draft.host_dead,
        categories=draft.categories,
        nameplate=draft.nameplate,
        calibration=draft.calibration,
    )


def _bus_of(draft: DeviceDraft, devices: Sequence[DeviceDraft]) -> str | None:
    """Return the bus of what a meter measures, or of the storage a pack belongs to."""
    for other in devices:
        if other.name is not None and draft.measures == other.name:
            return other.bus
        if other.bms is not None and other.bms == draft.name:
            return other.bus
    return None


def _read_driver(
    draft: DeviceDraft, fields: Draft[_Table], registry: Registry, issues: Issues
) -> None:
    if draft.driver is None:
        return
    at = draft.at.key("driver")
    cls = load_or_issue(registry, DRIVERS, draft.driver, at, issues)
    if cls is None:
        return
    offered = getattr(cls, "capability", None)
    wanted = draft.capability
    if wanted is not None and offered not in _OFFERED.get(wanted, (wanted,)):
        found = f'driver "{draft.driver}", whose capability is {shown(offered)}'
        issues.add(at, found, f'a driver of capability "{draft.capability}"')
        return
    draft.signs = offered == "meter" and getattr(cls, "SIGNS", True)
    names = {kind.__name__ for kind in link_classes(cls)}
    if draft.link is not None and names and _LINK_CLASS[draft.link.kind] not in names:
        kinds = [shown(kind) for kind, name in _LINK_CLASS.items() if name in names]
        expected = f'{" or ".join(kinds)}, the wire of driver "{draft.driver}"'
        issues.add(draft.at.key("link").key("kind"), shown(draft.link.kind), expected)
    _check_address(draft, cls, issues)
    said = fields.get("parameters")
    if said is not None:
        schema = getattr(cls, "PARAMETERS", None)
        parameters = read_parameters(schema, said, draft.at.key("parameters"), issues)
        draft.parameters = None if parameters is BROKEN else parameters
    if draft.host_dead == "reversion-timer" and (said is None or draft.parameters is not None):
        _check_reversion(draft, cls, issues)


def _check_reversion(draft: DeviceDraft, cls: Any, issues: Issues) -> None:
    """Refuse a device that is said to come to rest by a timer which its driver does not set."""
    schema = getattr(cls, "PARAMETERS", None)
    known = {field.name for field in dataclasses.fields(schema)} if schema is not None else set()
    if "revert_s" not in known:
        expected = f'"relay" or "none": driver "{draft.driver}" sets no reversion timer'
        issues.add(draft.at.key("host_dead"), shown(draft.host_dead), expected)
    elif not (revert_s := getattr(draft.parameters, "revert_s", None)):
        at = draft.at.key("parameters").key("revert_s")
        expected = 'above 0 s, for host_dead = "reversion-timer"'
        found = "nothing" if revert_s is None else "0, which leaves the timers off"
        issues.add(at, found, expected)


def _check_address(draft: DeviceDraft, cls: Any, issues: Issues) -> None:
    address = getattr(draft.link, "address", None)
    addresses = getattr(cls, "ADDRESSES", ())
    if address is None or address in addresses:
        return
    known = f"{min(addresses)}..{max(addresses)}" if addresses else "none: it has no addresses"
    expected = f'an address of driver "{draft.driver}", {known}'
    issues.add(draft.at.key("link").key("address"), shown(address), expected)


def _check_only_safe_state(draft: DeviceDraft, registry: Registry, issues: Issues) -> None:
    """Refuse a safe state that the driver's protocol has no command for."""
    if draft.driver is None or draft.driver not in registry.names(DRIVERS):
        return
    cls = load_or_issue(registry, DRIVERS, draft.driver, draft.at.key("driver"), Issues(""))
    at = draft.at.key("safe_state")
    for key, only in getattr(cls, "ONLY_SAFE_STATE", {}).items():
        found = getattr(draft.safe_state, key, only)
        if found != only:
            expected = f'{shown(only)}: driver "{draft.driver}" cannot change it'
            issues.add(at.key(key), shown(found), expected)


def link_classes(cls: type) -> tuple[type, ...]:
    """Return the link classes that a driver or emulator takes; none, if it does not say."""
    one = getattr(cls, "LINK", None)
    return tuple(getattr(cls, "LINKS", () if one is None else (one,)))


def _read_part(draft: DeviceDraft, key: str, cls: Any, issues: Issues) -> Any:
    at = draft.at.key(key)
    if key in misspelt(draft.table, [f.name for f in dataclasses.fields(_Table)]):
        return None
    if key not in draft.table:
        names = [f.name for f in dataclasses.fields(cls)]
        what = f"a table with {', '.join(names)}" if names else "an empty table: {}"
        issues.add(at, "nothing", what)
        return None
    found = draft.table[key]
    # A value that is no table has been noted with the other keys.
    return read_record(cls, found, at, issues) if isinstance(found, Mapping) else None


def _check_own_limits(draft: DeviceDraft, issues: Issues) -> None:
    limits, at = draft.limits, draft.at.key("limits")
    if isinstance(limits, InverterLimits):
        if limits.p_w_max > limits.s_va_max:
            expected = f"at most s_va_max = {shown(limits.s_va_max)}"
            issues.add(at.key("p_w_max"), shown(limits.p_w_max), expected)
        safe = draft.safe_state
        for key in ("power_w", "limit_w"):
            found = getattr(safe, key, None)
            if found is not None and abs(found) > limits.p_w_max:
                expected = f"at most limits.p_w_max = {shown(limits.p_w_max)} in magnitude"
                issues.add(draft.at.key("safe_state").key(key), shown(found), expected)
    if isinstance(limits, BmsLimits) and limits.soc_min >= limits.soc_max:
        expected = f"below soc_max = {shown(limits.soc_max)}"
        issues.add(at.key("soc_min"), shown(limits.soc_min), expected)


def _read_terminal(draft: DeviceDraft, found: Any, issues: Issues) -> Terminal | None:
    at = draft.at.key("terminal")
    emulated = draft.emulated
    right = '"model"' if emulated else '{ grid = true, analyser = "<meter>" }'
    why = "an emulated device" if emulated else "a real device"
    if draft.capability not in HAS_TERMINAL:
        if found is not None:
            issues.add(at, shown(found), f"no terminal: a {draft.capability} has none of its own")
        return None
    on_feeder = draft.capability in ON_THE_FEEDER
    if found is None:
        if emulated or not on_feeder:  # a real one needs no place on the feeder
            issues.add(at, "nothing", f"{right}, for {why}")
    elif isinstance(found, Mapping) and "source" in found and not on_feeder:
        return read_record(SourceTerminal, found, at, issues)
    elif (found == "model") != emulated or not (found == "model" or isinstance(found, Mapping)):
        issues.add(at, shown(found), f"{right}, for {why}")
    elif found == "model":
        return "model"
    else:
        return read_record(GridTerminal, found, at, issues)
    return None


def _check_place(draft: DeviceDraft, issues: Issues) -> None:
    capability, at = draft.capability, draft.at
    if draft.bms is not None and capability != "storage":
        issues.add(at.key("bms"), shown(draft.bms), f"no bms: this is a {capability}")
    if draft.categories is not None and capability not in HAS_TERMINAL:
        issues.add(at.key("categories"), "a table", f"nothing: this is a {capability}")
    if draft.nameplate is not None and capability not in HAS_TERMINAL:
        issues.add(at.key("nameplate"), "a table", f"nothing: this is a {capability}")
    if draft.measures is not None and capability != "meter":
        issues.add(at.key("measures"), shown(draft.measures), f"nothing: this is a {capability}")
    if draft.branch is not None and capability != "switch":
        issues.add(at.key("branch"), shown(draft.branch), f"no branch: this is a {capability}")
    if capability == "storage" and "bms" not in draft.table:
        issues.add(at.key("bms"), "nothing", "the name of the bms device of its pack")
    if capability == "meter" and "measures" not in draft.table:
        expected = '"load", "head", or the name of an inverter or storage'
        issues.add(at.key("measures"), "nothing", expected)
    on_bus = capability in HAS_TERMINAL or (capability == "meter" and draft.measures == LOAD)
    if capability in ON_THE_FEEDER:
        on_bus = draft.terminal is not None
    elif capability in INSTRUMENTS and draft.bus is not None:
        issues.add(at.key("bus"), shown(draft.bus), f"no bus: this is a {capability}")
    if isinstance(draft.terminal, SourceTerminal):
        return
    if on_bus and "bus" not in draft.table:
        issues.add(at.key("bus"), "nothing", "the name of a bus of the feeder")
    if draft.measures == HEAD and draft.bus is not None:
        issues.add(at.key("bus"), shown(draft.bus), "no bus: the head is at the pcc")


_NOMINAL_KEYS = {"f_nominal_hz": "f_hz", "v_nominal_v": "v_ll", "phases": "phases"}


def _check_nominal(emulate: Mapping[str, Any], at: At, nominal: Any, issues: Issues) -> None:
    if nominal is None:
        return
    for key, name in _NOMINAL_KEYS.items():
        expected = getattr(nominal, name)
        if key in emulate and emulate[key] != expected:
            issues.add(at.key(key), shown(emulate[key]), f"rig.nominal.{name} = {shown(expected)}")
