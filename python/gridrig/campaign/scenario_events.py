"""What a scenario makes happen: events of the world, and faults that devices are told to show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

from gridrig.campaign.fleet_events import DispatchEvent, DropOutEvent, InflateEvent
from gridrig.rig.issues import At, Issues, near_miss, one_of, shown
from gridrig.rig.schema import Draft, Name, NotNegative, Positive, Share, at_least, read_draft

PCC, LEDGER, ALL_PV = "pcc", "ledger", "pv"


@dataclass(frozen=True)
class ScenarioEvent:
    """One thing that happens to the world.

    Parameters
    ----------
    at_s : float
        When, since the run began. [s]
    do : str
        "open", "reclose", "switch", "tap", "regulator", "start", "stop", "cloud", "bms_limit",
        "set_soc", "charge_limit", "charge_power", "plug_in", "plug_out", "override",
        "thermostat", "release", "overask", "trip", "dispatch", "drop_out", "inflate",
        "ledger_down" or "ledger_up".
    target : str
        "pcc", "ledger", "pv" (all of them), a device, a motor, `line:`, `trafo:` or `regulator:`
        and a name, the participant that overasks, a fleet, or "aggregator" (all of them).
    parameters : mapping
        What belongs to `do`, absent if the file does not state it.
    name : str or None
        By which a criterion can name it.
    """

    at_s: float
    do: str
    target: str
    parameters: Mapping[str, float]
    name: str | None = None


@dataclass(frozen=True)
class Fault:
    """One fault a device is told to show.

    Parameters
    ----------
    device : str
        Which emulated device.
    at_s : float
        When it is armed, since the run began. [s]
    name : str
        Name of the fault, one of the emulator's `FAULTS`.
    parameters : mapping
        What the fault takes, `count` included.
    """

    device: str
    at_s: float
    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Open:
    do: Literal["open"]
    at_s: NotNegative
    target: Literal["pcc"]
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _Reclose:
    do: Literal["reclose"]
    at_s: NotNegative
    target: Literal["pcc"]
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _Switch:
    do: Literal["switch"]
    at_s: NotNegative
    target: Name
    closed: bool
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _Tap:
    do: Literal["tap"]
    at_s: NotNegative
    target: Name
    steps: float
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _Regulator:
    do: Literal["regulator"]
    at_s: NotNegative
    target: Name
    acts: bool | None = None
    vreg_v: Positive | None = None
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _Start:
    do: Literal["start"]
    at_s: NotNegative
    target: Name
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _Stop:
    do: Literal["stop"]
    at_s: NotNegative
    target: Name
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _Cloud:
    do: Literal["cloud"]
    at_s: NotNegative
    target: Name
    factor: Share
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _BmsLimit:
    do: Literal["bms_limit"]
    at_s: NotNegative
    target: Name
    charge_a: NotNegative | None = None
    discharge_a: NotNegative | None = None
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _SetSoc:
    do: Literal["set_soc"]
    at_s: NotNegative
    target: Name
    soc: Share
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _ChargeLimit:
    do: Literal["charge_limit"]
    at_s: NotNegative
    target: Name
    p_w: NotNegative
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _ChargePower:
    do: Literal["charge_power"]
    at_s: NotNegative
    target: Name
    p_w: float
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _PlugIn:
    do: Literal["plug_in"]
    at_s: NotNegative
    target: Name
    soc: Share | None = None
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _PlugOut:
    do: Literal["plug_out"]
    at_s: NotNegative
    target: Name
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _Override:
    do: Literal["override"]
    at_s: NotNegative
    target: Name
    p_w: float
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _Thermostat:
    do: Literal["thermostat"]
    at_s: NotNegative
    target: Name
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _Release:
    do: Literal["release"]
    at_s: NotNegative
    target: Name
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _Overask:
    do: Literal["overask"]
    at_s: NotNegative
    target: Name
    factor: Positive
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _Trip:
    do: Literal["trip"]
    at_s: NotNegative
    target: Name
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class _Ledger:
    do: Literal["ledger_down", "ledger_up"]
    at_s: NotNegative
    target: Literal["ledger"]
    name: Name | None = None


_KINDS: Mapping[str, Any] = {
    do: cls
    for cls in (
        _Open,
        _Reclose,
        _Switch,
        _Tap,
        _Regulator,
        _Start,
        _Stop,
        _Cloud,
        _BmsLimit,
        _SetSoc,
        _ChargeLimit,
        _ChargePower,
        _PlugIn,
        _PlugOut,
        _Override,
        _Thermostat,
        _Release,
        _Overask,
        _Trip,
        DispatchEvent,
        DropOutEvent,
        InflateEvent,
        _Ledger,
    )
    for do in get_args(get_type_hints(cls)["do"])
}
OF_FEEDER: Mapping[str, tuple[str, ...]] = {
    "switch": ("line:", "trafo:"),
    "tap": ("trafo:",),
    "regulator": ("regulator:",),
}
"""What of the feeder each of these events acts on, by how its target begins."""
OF_MOTORS = frozenset({"start", "stop"})
_HELD = ("storage", "ev_charger", "heat_pump")  # what a person can take out of its mind's hands
TARGET_CAPABILITIES: Mapping[str, tuple[str, ...]] = {
    "cloud": ("inverter",),
    "bms_limit": ("bms",),
    "set_soc": ("bms",),
    "charge_limit": ("ev_charger",),
    "charge_power": ("ev_charger",),
    "plug_in": ("ev_charger",),
    "plug_out": ("ev_charger",),
    "override": _HELD,
    "thermostat": ("heat_pump",),
    "release": _HELD,
    "trip": ("inverter", "storage", "bms", "ev_charger"),
}
OF_A_MIND = frozenset({"overask"})  # what acts on a participant
BY_WIRE = frozenset(
    {"charge_limit", "charge_power", "override", "thermostat", "release"}
)  # what is told to the device, real or emulated


@dataclass
class EventDraft:
    """An event on its way."""

    at: At
    fields: Draft[Any] | None

    @property
    def at_s(self) -> float | None:
        """When it happens, None if that has an issue. [s]"""
        return self.fields.get("at_s") if self.fields is not None else None

    @property
    def name(self) -> str | None:
        """Its name, None if it has none."""
        return self.fields.text("name") if self.fields is not None else None

    @property
    def do(self) -> str | None:
        """What happens, None if that has an issue."""
        return self.fields.text("do") if self.fields is not None else None

    def event(self) -> ScenarioEvent:
        """Return the finished event; call it only when there is no issue."""
        assert self.fields is not None
        values = dict(self.fields.values)
        head = {key: values.pop(key) for key in ("at_s", "do", "target", "name")}
        said = {key: value for key, value in values.items() if value is not None}
        return ScenarioEvent(parameters=said, **head)


@dataclass
class FaultDraft:
    """A fault on its way."""

    at: At
    fields: Draft[Any]
    parameters: Mapping[str, Any]

    @property
    def at_s(self) -> float | None:
        """When it is armed, None if that has an issue. [s]"""
        at_s: float | None = self.fields.get("at_s")
        return at_s

    def fault(self) -> Fault:
        """Return the finished fault; call it only when there is no issue."""
        return Fault(parameters=self.parameters, **self.fields.values)


@dataclass(frozen=True, kw_only=True)
class _Fault:
    device: Name
    at_s: NotNegative
    name: Name


def read_event(table: Mapping[str, Any], at: At, issues: Issues) -> EventDraft:
    """Read one `[[event]]`."""
    do = table.get("do")
    if not isinstance(do, str) or do not in _KINDS:
        found = "nothing" if do is None else shown(do)
        near = near_miss(do, _KINDS) if isinstance(do, str) else None
        issues.add(at.key("do"), found, one_of(_KINDS), near)
        return EventDraft(at, None)
    draft = read_draft(_KINDS[do], table, at, issues)
    if do == "bms_limit" and not {"charge_a", "discharge_a"} & table.keys():
        issues.add(at, "neither charge_a nor discharge_a", "a limit to set")
    if do == "regulator" and not {"acts", "vreg_v"} & table.keys():
        issues.add(at, "neither acts nor vreg_v", "whether it acts, or what voltage it holds")
    target = draft.text("target")
    if do in OF_FEEDER and target is not None and not target.startswith(OF_FEEDER[do]):
        expected = one_of(f"{prefix}<name>" for prefix in OF_FEEDER[do])
        issues.add(at.key("target"), shown(target), expected)
    return EventDraft(at, draft)


def read_fault(table: Mapping[str, Any], at: At, issues: Issues) -> FaultDraft:
    """Read one `[[fault]]`; what it takes is checked against the device it names."""
    own = ("device", "at_s", "name")
    # A key like one of these that is absent is that one misspelt, not a parameter.
    absent = [key for key in own if key not in table]
    head = {k: v for k, v in table.items() if k in own or near_miss(k, absent) is not None}
    said = {key: value for key, value in table.items() if key not in head}
    count = said.get("count")
    if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
        issues.add(at.key("count"), shown(count), f"an integer {at_least(1).text}")
    return FaultDraft(at, read_draft(_Fault, head, at, issues), said)


def check_events(events: Sequence[EventDraft], issues: Issues) -> None:
    """Check that names are unique, and that the connection and the feeder switch in turn."""
    first: dict[str, EventDraft] = {}
    for event in events:
        if event.name is None:
            continue
        held = first.setdefault(event.name, event)
        if held is not event:
            found = f"{shown(event.name)}, which line {held.at.line()} has"
            issues.add(event.at.key("name"), found, "a name of its own")
    timed = [e for e in events if e.do is not None and e.at_s is not None]
    is_open = False
    for event in sorted(timed, key=lambda e: e.at_s or 0.0):
        if event.do in OF_FEEDER and is_open:
            # The island's model has the network that it was born with.
            found = f"{shown(event.do)} at {shown(event.at_s)} s, when the pcc is open"
            issues.add(event.at.key("do"), found, "a time before it opens or after it recloses")
        if event.do not in ("open", "reclose"):
            continue
        opens = event.do == "open"
        if opens == is_open:
            words = ("closed", "open") if not is_open else ("open", "closed")
            issues.add(
                event.at.key("do"),
                f"{shown(event.do)} at {shown(event.at_s)} s, when the pcc is {words[0]}",
                f"the pcc to be {words[1]} by then",
            )
        is_open = opens
