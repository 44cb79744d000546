"""A rig file as one frozen value: read whole, checked whole, every issue at once."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from gridrig.errors import RigError
from gridrig.grid.weather import Weather
from gridrig.metering.keys import EnrolledKey
from gridrig.rig.bench_fit import check_bench
from gridrig.rig.checks import (
    check_devices,
    check_emulated_keys,
    check_island,
    check_keys,
    check_participants,
    check_permissions,
    check_safe_order,
)
from gridrig.rig.compute_fit import check_places
from gridrig.rig.device import Capability, Device
from gridrig.rig.device_reading import DeviceDraft, build_device, read_device
from gridrig.rig.fleets import AggregatorTable, Fleet, check_fleets
from gridrig.rig.header import Header, Nominal
from gridrig.rig.heat_pump_fit import check_heat_pumps
from gridrig.rig.home_fit import check_homes
from gridrig.rig.island_guard import ISLANDS, OpenedProtection
from gridrig.rig.issues import At, Issues, misspelt, near_miss
from gridrig.rig.key_files import located
from gridrig.rig.keys import read_keys
from gridrig.rig.motors import Motor, check_motors, read_motors
from gridrig.rig.participants import Participant
from gridrig.rig.plant_fit import check_plant
from gridrig.rig.registry import Registry
from gridrig.rig.safe_order import DEFAULT_SAFE_ORDER, SafeStep
from gridrig.rig.schema import (
    Draft,
    Name,
    Positive,
    between,
    label_of,
    read_draft,
    read_drafts,
)
from gridrig.rig.toml_file import TomlFile, parse_toml, read_toml
from gridrig.rig.weather_fit import check_weather

DEVICES_MAX = 1000

__all__ = [
    "Device",
    "Feeder",
    "Island",
    "Nominal",
    "Override",
    "Participant",
    "Rig",
    "SyncLimits",
    "describe",
    "load_rig",
    "override_emulate",
]


@dataclass(frozen=True)
class Feeder:
    """The network the devices hang on.

    Parameters
    ----------
    engine : str
        What solves it.
    network : str
        Which network; the engine knows the forms.
    pcc : str
        The element that islands it, such as "trafo:0".
    profiles : str or None
        What loads draw: "rated", "shapes", or a table in CSV or Parquet; None for what the
        network brings.
    weather : Weather or None
        Arrays that follow the weather; a device follows one by `emulate.profile`.
    """

    engine: Literal["pandapower", "opendss"]
    network: Name
    pcc: Name
    profiles: Name | None = None
    weather: Weather | None = None


@dataclass(frozen=True)
class SyncLimits:
    """Largest differences at which an island may be closed onto the main grid.

    Parameters
    ----------
    nominal_hz : float
        Nominal the limit in Hz was written for. [Hz]
    df_hz, dv_pu, dtheta_deg : float
        Frequency, voltage and angle difference. [Hz, pu, deg]

    References
    ----------
    .. [1] IEEE, "IEEE Std 1547-2018," 2018, Table 5, up to 500 kVA.
    """

    nominal_hz: Positive = 60.0
    df_hz: Positive = 0.3
    dv_pu: Positive = 0.10
    dtheta_deg: Annotated[float, between(0, 180)] = 20.0

    def df_hz_at(self, nominal_hz: float) -> float:
        """Return the frequency limit scaled by ratio to another nominal. [Hz]"""
        return self.df_hz * nominal_hz / self.nominal_hz


@dataclass(frozen=True)
class Island:
    """How the feeder lives without the main grid.

    Parameters
    ----------
    former : str
        The storage that forms the grid.
    sync : SyncLimits
        When it may reclose.
    """

    former: Name
    sync: SyncLimits = SyncLimits()


@dataclass(frozen=True)
class Override:
    """One device or fleet whose emulate table was changed after the file was read: a mutant."""

    device: str
    emulate: Mapping[str, Any]


@dataclass(frozen=True)
class Rig:
    """A rig file in which every reference holds.

    Parameters
    ----------
    path : str
        File as the user named it.
    text : bytes
        Its bytes as read, whatever was overridden since.
    name, clock, nominal, capture
        Of the `[rig]` table.
    feeder, island : Feeder, Island or None
        None if the file has no such table.
    devices : tuple of Device
        In file order, which is the rig order everywhere.
    motors, participants, keys, fleets : tuple
        In file order.
    aggregator : AggregatorTable or None
        What is dispatched with the fleets.
    safe_order : tuple of SafeStep
        How the bench is driven to its safe state.
    overrides : tuple of Override
        Mutants applied.
    watchdog_s : float
        Without a heartbeat for so long, a run is ended and the bench made safe. [s]
    interlock_poll_s : float
        From one look at the safety loop to the next. [s]
    opened_protection : OpenedProtection
        What an island may do while trips are opened.
    """

    path: str
    text: bytes
    name: str
    clock: Literal["virtual", "wall"]
    nominal: Nominal
    feeder: Feeder | None
    island: Island | None
    devices: tuple[Device, ...]
    participants: tuple[Participant, ...]
    keys: tuple[EnrolledKey, ...]
    safe_order: tuple[SafeStep, ...]
    overrides: tuple[Override, ...] = ()
    watchdog_s: float = 5.0
    interlock_poll_s: float = 1.0
    opened_protection: OpenedProtection = ISLANDS
    capture: bool = False
    motors: tuple[Motor, ...] = ()
    fleets: tuple[Fleet, ...] = ()
    aggregator: AggregatorTable | None = None

    def device(self, name: str) -> Device:
        """Return a device by name.

        Raises
        ------
        RigError
            `rig.device_unknown`, with the near miss.
        """
        for device in self.devices:
            if device.name == name:
                return device
        names = [device.name for device in self.devices]
        raise RigError(
            "rig.device_unknown",
            "the rig has no device {device!r} (near miss: {near})",
            device=name,
            near=near_miss(name, names),
        )

    def of(self, *capabilities: Capability) -> tuple[Device, ...]:
        """Return the devices with one of the capabilities, in rig order."""
        return tuple(device for device in self.devices if device.capability in capabilities)

    def signing(self) -> tuple[Device, ...]:
        """Return the meters whose readings are signed, in rig order."""
        return tuple(device for device in self.of("meter") if device.signs)

    def meter_of(self, measured: str) -> Device | None:
        """Return the meter that measures a device (or "head"), None if there is none."""
        return next((m for m in self.of("meter") if m.measures == measured), None)


@dataclass(frozen=True, kw_only=True)
class _Top:
    rig: dict[str, Any] | None = None
    feeder: Feeder | None = None
    island: Island | None = None
    device: tuple[dict[str, Any], ...] | None = None
    motor: tuple[dict[str, Any], ...] = ()
    fleet: tuple[dict[str, Any], ...] = ()
    aggregator: AggregatorTable | None = None
    participant: tuple[dict[str, Any], ...] = ()
    key: tuple[dict[str, Any], ...] = ()
    safe: tuple[dict[str, Any], ...] = ()


_TABLES = tuple(field.name for field in fields(_Top))


def load_rig(path: str | Path, registry: Registry | None = None) -> Rig:
    """Read and check a rig file.

    Parameters
    ----------
    path : str or Path
        The file.
    registry : Registry or None
        Where drivers and emulators are looked up; None for the installed packages.

    Returns
    -------
    Rig

    Raises
    ------
    RigError
        `rig.unreadable` or `rig.invalid`, with every issue found.
    """
    return describe(read_toml(path), registry)


def describe(file: TomlFile, registry: Registry | None = None, *, mutant: bool = False) -> Rig:
    """Check a rig file that has been read; as `load_rig`.

    A mutant may sign with a key that is not enrolled: finding that out is then the test.
    """
    registry = registry or Registry.installed()
    issues = Issues(file.path)
    top = read_draft(_Top, file.table, file.top, issues)
    header = read_draft(Header, top.get("rig") or {}, file.top.key("rig"), issues)
    devices = _read_devices(file, top, header, registry, issues)
    participants = read_drafts(Participant, "participant", top, issues)
    keys = read_keys(top.get("key") or (), file.top.key("key"), issues)
    steps = read_drafts(SafeStep, "safe", top, issues, label="do")
    fleets = read_drafts(Fleet, "fleet", top, issues)

    check_devices(devices, header.get("clock"), issues)
    check_island(top.get("island"), file.top.key("island"), devices, issues)
    check_permissions(devices, issues, has_island="island" in file.table)
    nominal = header.get("nominal")
    motors = read_motors(top.get("motor") or (), file.top.key("motor"), nominal, issues)
    check_motors(motors, devices, top.get("feeder"), issues)
    if nominal is not None:
        former = top.get("island").former if top.get("island") is not None else None
        check_plant(devices, former, nominal.f_hz, issues)
    if top.get("feeder") is not None:
        at = file.top.key("feeder").key("weather")
        check_weather(top.get("feeder").weather, at, issues)
    check_bench(devices, nominal, top.get("feeder"), file.top, issues)
    check_participants(participants, devices, issues)
    check_heat_pumps(devices, issues)
    check_homes(participants, devices, issues)
    check_places(participants, devices, issues)
    check_keys(keys, devices, issues)
    check_safe_order(steps, devices, issues)
    at = file.top.key("aggregator")
    feeder, clock = top.get("feeder"), header.get("clock")
    check_fleets(fleets, top.get("aggregator"), at, devices, feeder, clock, issues)
    if not mutant:
        check_emulated_keys(keys, devices, issues)
    issues.raise_if_any("rig.invalid", f"{file.path} is no valid rig")
    return Rig(
        path=file.path,
        text=file.text,
        name=header.values["name"],
        clock=header.values["clock"],
        capture=header.values["capture"],
        nominal=header.values["nominal"],
        feeder=top.values["feeder"],
        island=top.values["island"],
        devices=tuple(located(build_device(draft, devices), file.path) for draft in devices),
        motors=tuple(draft.build() for draft in motors),
        fleets=tuple(draft.build() for draft in fleets),
        aggregator=top.values["aggregator"],
        participants=tuple(draft.build() for draft in participants),
        keys=tuple(draft.key for draft in keys if draft.key is not None),
        safe_order=tuple(draft.build() for draft in steps) or DEFAULT_SAFE_ORDER,
        watchdog_s=header.values["watchdog_s"],
        interlock_poll_s=header.values["interlock_poll_s"],
        opened_protection=header.values["opened_protection"],
    )


def override_emulate(
    rig: Rig, device: str, changes: Mapping[str, Any], registry: Registry | None = None
) -> Rig:
    """Return the rig with keys of the emulate table of one device or fleet set: a mutant.

    The whole file is checked again with the change in it. `Rig.text` stays as it was read; the
    change is in `Rig.overrides`.

    Raises
    ------
    RigError
        If the device is unknown or real, or the changed rig is not valid.
    """
    overrides = (*rig.overrides, Override(device, dict(changes)))
    file = TomlFile(rig.path, rig.text, *_parsed_again(rig))
    table = copy.deepcopy(file.table)
    fleets = {fleet.name for fleet in rig.fleets}
    for override in overrides:
        kind = "fleet" if override.device in fleets else "device"
        if kind == "device" and not rig.device(override.device).emulated:
            raise RigError(
                "rig.device_real",
                "{device} is not emulated, so it has no mutants",
                device=override.device,
            )
        entry = next(entry for entry in table[kind] if entry["name"] == override.device)
        entry["emulate"].update(override.emulate)
    changed = describe(replace(file, table=table), registry, mutant=True)
    return replace(changed, overrides=overrides)


def _parsed_again(rig: Rig) -> tuple[dict[str, Any], At]:
    file = parse_toml(rig.text, rig.path)
    return file.table, file.top


def _read_devices(
    file: TomlFile, top: Draft[_Top], header: Draft[Header], registry: Registry, issues: Issues
) -> list[DeviceDraft]:
    tables = top.get("device")
    at = file.top.key("device")
    if tables == () or not {"device"} & (file.table.keys() | misspelt(file.table, _TABLES)):
        issues.add(at, "no devices", "at least one [[device]]")
    if tables is None:
        return []
    if len(tables) > DEVICES_MAX:
        issues.add(at, f"{len(tables)} devices", f"at most {DEVICES_MAX}")
        return []
    nominal = header.get("nominal")
    return [
        read_device(table, at.item(index, label_of(table)), nominal, registry, issues)
        for index, table in enumerate(tables)
    ]
