"""An emulated Daly battery manager of the newer kind: Modbus RTU, unit D2, alone or on a bus.

    link = { kind = "modbus-rtu", port = "auto:rack", baudrate = 9600, unit = 210 }
    emulate = { software = "1.0" }

It is a face on one pack of the plant. Its registers are those of `devices.wire.daly_registers`:
what it measures, its versions, its rated capacity, and three that take writes of one register or
several: both switches and the charge that it believes. Any other register is exception 2, a switch
that is neither 0 nor 1 exception 3.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.fault import (
    Asked,
    FaultBoard,
    FaultSpec,
    FaultValue,
    OnEvent,
    no_log,
)
from gridrig.devices.emulators.modbus_face import ModbusEmulator, ModbusFaceParameters, require
from gridrig.devices.emulators.modbus_faults import MODBUS_FAULTS
from gridrig.devices.emulators.pack_faults import PACK_FAULTS, require_sticking
from gridrig.devices.emulators.pack_telemetry import (
    PackTelemetry,
    Ranges,
    currents,
    require_carried,
    saturated,
)
from gridrig.devices.emulators.terminal import PackState, PackTerminal
from gridrig.devices.links import ModbusRtuLink
from gridrig.devices.wire import daly_registers as layout
from gridrig.devices.wire.daly_data import encode_alarms, has_alarm

IDLE_A = 0.1  # below it the state is idle
READ = Asked(function=3)


@dataclass(frozen=True, kw_only=True)
class DalyModbusEmulatorParameters(ModbusFaceParameters):
    """What the `emulate` table may say of an emulated Daly board on Modbus.

    Parameters
    ----------
    sensors : int
        Temperature sensors, 1..8; all tell the pack's temperature.
    software, hardware : str
        Its versions, 1 to 31 ASCII characters each, without a space.
    """

    sensors: int = 2
    software: str = "1.0"
    hardware: str = "GRIDRIG-DALY-D2"

    def __post_init__(self) -> None:
        """Refuse what the wire cannot carry."""
        super().__post_init__()
        require("sensors", self.sensors, 1 <= self.sensors <= layout.SENSORS_MAX, "1..8")
        for key in ("software", "hardware"):
            found = getattr(self, key)
            fits = found.isascii() and found.split() == [found]
            fits = fits and len(found) < layout.VERSION_CHARACTERS
            require(key, found, fits, "1 to 31 ASCII characters, no space")


class DalyRegisters:
    """What the board's registers hold, and what writes do.

    Parameters
    ----------
    terminal : PackTerminal
        The pack.
    telemetry : PackTelemetry
        How it is told.
    parameters : DalyModbusEmulatorParameters
        The `emulate` table.
    refuses : callable
        Returns whether a switch that is written does not move.
    on_event : OnEvent
        Takes what happens.
    """

    def __init__(
        self,
        terminal: PackTerminal,
        telemetry: PackTelemetry,
        parameters: DalyModbusEmulatorParameters,
        refuses: Callable[[], bool],
        on_event: OnEvent,
    ) -> None:
        self._terminal = terminal
        self._telemetry = telemetry
        self._parameters = parameters
        self._refuses = refuses
        self._on_event = on_event
        pack = terminal.pack()
        self._commanded = {
            layout.CHARGE_SWITCH: pack.charge_fet,
            layout.DISCHARGE_SWITCH: pack.discharge_fet,
        }

    def read(self, address: int, count: int) -> Sequence[int] | ExcCodes:
        """Return registers; exception 2 if one is none."""
        places = range(address, address + count)
        held = self._held(places)
        if not held.keys() >= set(places):
            return ExcCodes.ILLEGAL_ADDRESS
        return [held[place] for place in places]

    def write(self, address: int, values: Sequence[int]) -> ExcCodes | None:
        """Move a switch, or set the charge that the board believes."""
        wanted = dict(enumerate(values, address))
        if not wanted.keys() <= {*self._commanded, layout.SET_SOC}:
            return ExcCodes.ILLEGAL_ADDRESS
        soc = wanted.pop(layout.SET_SOC, None)
        if not set(wanted.values()) <= {0, 1} or not 0 <= (soc or 0) <= 1000:
            return ExcCodes.ILLEGAL_VALUE
        if soc is not None:
            self._terminal.set_counted_soc(soc / 1000)
            self._on_event("soc_set", soc=soc / 1000)
        if wanted and not self._refuses():
            self._commanded |= {place: bool(value) for place, value in wanted.items()}
            charge, discharge = self._commanded.values()
            self._terminal.set_fets(charge, discharge)
            self._on_event("fets", charge=charge, discharge=discharge)
        return None

    def _held(self, asked: range) -> dict[int, int]:
        p, pack = self._parameters, self._terminal.pack()
        versions = layout.encode_versions(p.software, p.hardware)
        held = dict(enumerate(versions, layout.VERSIONS))
        held[layout.RATED_100MAH] = round(pack.capacity_ah * 10)
        held[layout.SET_SOC] = _permille(pack.soc)
        held |= {place: int(on) for place, on in self._commanded.items()}
        if asked.start < layout.REGISTERS:
            told = self._telemetry.told(READ, lambda field: layout.PLACES.get(field, -1) in asked)
            held |= dict(enumerate(layout.encode_status(self._status(told))))
        return held

    def _status(self, pack: PackState) -> layout.Status:
        state = layout.IDLE
        if abs(pack.i_a) >= IDLE_A:
            state = layout.DISCHARGING if pack.i_a > 0 else layout.CHARGING
        known = tuple(name for name in pack.protections if has_alarm(name))
        if known != pack.protections:
            names = sorted(set(pack.protections) - set(known))
            self._on_event("protection_without_bit", names=names)
        low, high = -layout.I_OFFSET_100MA, layout.I_100MA_MAX
        return layout.Status(
            cells_mv=pack.cells_mv,
            temperatures_c=(round(pack.temperature_c),) * self._parameters.sensors,
            v_100mv=round(pack.v_v * 10),
            i_charge_100ma=saturated(self._on_event, -pack.i_a, steps_per_a=10, low=low, high=high),
            soc_permille=_permille(pack.soc),
            state=state,
            remaining_100mah=round(pack.soc * pack.capacity_ah * 10),
            cycles=pack.cycles & 0xFFFF,
            balancing=any(pack.balancing),
            charge_fet=pack.charge_fet,
            discharge_fet=pack.discharge_fet,
            alarms=encode_alarms(known),
        )


def _permille(soc: float) -> int:
    return min(1000, max(0, round(soc * 1000)))


class DalyModbusEmulator(ModbusEmulator):
    """Serves one pack as a Daly board on Modbus.

    Parameters
    ----------
    name, link, parameters, on_event
        See `ModbusEmulator`.
    terminal : PackTerminal
        The pack.
    """

    kind = "bms"
    PARAMETERS = DalyModbusEmulatorParameters
    LINK = ModbusRtuLink
    FAULTS: ClassVar[Mapping[str, FaultSpec | tuple[str, ...]]] = {**MODBUS_FAULTS, **PACK_FAULTS}

    def __init__(
        self,
        name: str,
        link: ModbusRtuLink,
        parameters: DalyModbusEmulatorParameters,
        terminal: PackTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        faults = FaultBoard(name, self.faults_on("modbus-rtu"), on_event, seed=parameters.seed)
        self._terminal = terminal
        registers = DalyRegisters(
            terminal,
            PackTelemetry(terminal, parameters, faults),
            parameters,
            lambda: faults.fire("fet_refused") is not None,
            on_event,
        )
        super().__init__(name, link, parameters, registers, on_event, faults)

    async def start(self) -> None:
        """Join the bus.

        Raises
        ------
        DriverError
            `emulator.out_of_range`, if the pack is bigger than the protocol; else as
            `ModbusEmulator.start`.
        """
        pack = self._terminal.pack()
        ends = (layout.I_OFFSET_100MA / 10, layout.I_100MA_MAX / 10)
        ranges: Ranges = {
            **currents(pack, ends[1], ends[0]),
            "capacity_ah": (pack.capacity_ah, 0xFFFF / 10),
            "cells": (len(pack.cells_mv), layout.CELLS_MAX),
        }
        require_carried(self.name, ranges)
        await super().start()

    def arm(self, fault: str, *, count: int | None = None, **params: FaultValue) -> None:
        """See `ModbusEmulator.arm`."""
        require_sticking(self.name, fault, params)
        super().arm(fault, count=count, **params)
