"""An emulated Pylontech battery: commands 42, 44, 47, 4F, 51, 92 and 93 of one module, on a pty.

    link = { kind = "serial", port = "auto:rack", baudrate = 115200, address = 2 }
    emulate = { serial = "GRIDRIG000000001" }

It is a face on one pack of the plant, alone or on a bus with others. It answers only requests to
its own address, except 4F and 51, which hosts also send to address 0; asked for all modules (INFO
FF) the one with the lowest address answers for the bus, and the others for themselves. A frame it
cannot check is met with silence, because on a shared bus nobody knows to whom it went. FETs cannot
be switched over this wire.
"""

from dataclasses import dataclass
from typing import ClassVar

from gridrig.devices.emulators.fault import Asked, OnEvent, no_log
from gridrig.devices.emulators.pack_faults import EXCEPTION
from gridrig.devices.emulators.pack_telemetry import (
    PackFaceParameters,
    Ranges,
    currents,
    decikelvin,
    require,
)
from gridrig.devices.emulators.serial_pack import SerialPackEmulator
from gridrig.devices.emulators.terminal import PackState, PackTerminal
from gridrig.devices.links import SerialLink
from gridrig.devices.wire import pylontech as wire
from gridrig.devices.wire import pylontech_alarm as alarm
from gridrig.devices.wire import pylontech_info as content

BROADCAST_ADDRESS = 0
ANALOG_FLAG = 0x10
FIRST_ADDRESS = 2  # of group 0

_SHOWN = {
    wire.CID2_ANALOG: frozenset({"soc", "v_v", "i_a", "cells_mv", "temperature_c", "cycles"}),
    wire.CID2_ALARM: frozenset({"protections"}),
}
_KNOWN = frozenset(
    {
        wire.CID2_ANALOG,
        wire.CID2_ALARM,
        wire.CID2_MANAGEMENT,
        wire.CID2_SYSTEM,
        wire.CID2_SERIAL,
    }
)


@dataclass(frozen=True, kw_only=True)
class PylontechEmulatorParameters(PackFaceParameters):
    """What the `emulate` table may say of a Pylontech emulator.

    Parameters
    ----------
    serial : str
        Serial number, up to 16 ASCII characters.
    device : str
        Device name, up to 10 ASCII characters.
    sensors : int
        Temperature sensors including the board's, 2..16; all tell the pack's temperature.
    cell_high_mv, cell_low_mv : int
        Highest and lowest cell voltage allowed; times the cells, the pack's voltage limits. [mV]
    cell_under_mv : int
        Cell voltage at which the pack switches off. [mV]
    """

    serial: str = "GRIDRIG000000001"
    device: str = "US5000"
    sensors: int = 5
    cell_high_mv: int = 3550
    cell_low_mv: int = 2900
    cell_under_mv: int = 2700

    def __post_init__(self) -> None:
        """Refuse what the wire cannot carry."""
        super().__post_init__()
        fits = self.serial.isascii() and 0 < len(self.serial) <= 16
        require(fits, "serial", self.serial, "1..16 ASCII characters")
        fits = self.device.isascii() and 0 < len(self.device) <= 10
        require(fits, "device", self.device, "1..10 ASCII characters")
        require(2 <= self.sensors <= 16, "sensors", self.sensors, "2..16")
        rising = 0 < self.cell_under_mv < self.cell_low_mv < self.cell_high_mv < 0x8000
        cells = (self.cell_under_mv, self.cell_low_mv, self.cell_high_mv)
        require(rising, "cell_under_mv, cell_low_mv, cell_high_mv", cells, "rising, below 32768")


class PylontechEmulator(SerialPackEmulator[PylontechEmulatorParameters]):
    """Serves one pack as a Pylontech module."""

    PARAMETERS = PylontechEmulatorParameters
    LINK = SerialLink
    FAULTS: ClassVar = {
        **{k: v for k, v in SerialPackEmulator.FAULTS.items() if k != "fet_refused"},
        EXCEPTION.name: EXCEPTION,
    }

    def __init__(
        self,
        name: str,
        link: SerialLink,
        parameters: PylontechEmulatorParameters,
        terminal: PackTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        super().__init__(name, link, parameters, terminal, on_event)
        self._decoder = wire.Decoder()
        self.address = FIRST_ADDRESS if link.address is None else link.address

    def ranges(self, pack: PackState) -> Ranges:
        """Return what the wire must carry and the most that it can, by the key of the rig file."""
        most = content.I_100MA_MAX / 10
        return {
            **currents(pack, most, most),
            "capacity_ah": (pack.capacity_ah, 16777.215),
            # A module's voltage ends at 65.535 V, its highest limit included.
            "cells": (len(pack.cells_mv), 0xFFFF // self._parameters.cell_high_mv),
        }

    def hear(self, data: bytes, *, after_silence: bool) -> list[bytes]:
        """Take bytes and return the raw requests they completed."""
        events = [*(self._decoder.idle() if after_silence else ()), *self._decoder.feed(data)]
        return [wire.encode(event) for event in events if isinstance(event, wire.Frame)]

    def asked(self, request: bytes) -> Asked:
        """Return the command that a request names."""
        return Asked(command=int(request[7:9], 16))

    def answer(self, request: bytes) -> bytes | None:
        """Return the frame that answers a request, or None if it went to somebody else."""
        (frame,) = wire.Decoder().feed(request)
        assert isinstance(frame, wire.Frame)
        ours = {self.address}
        if frame.code in {wire.CID2_VERSION, wire.CID2_MANUFACTURER}:
            ours.add(BROADCAST_ADDRESS)
        if frame.kind != wire.CID1_BATTERY or frame.address not in ours:
            return None
        fault = self._faults.fire("exception", self.asked(request))
        code, info = self._act(frame) if fault is None else (int(fault["code"]), b"")
        return wire.encode(wire.Frame(frame.address, code, info))

    def spoil(self, reply: bytes) -> bytes:
        """Return the reply with a wrong checksum."""
        last = int(reply[-2:-1], 16)
        return reply[:-2] + f"{last ^ 5:X}".encode() + reply[-1:]

    def mislength(self, reply: bytes) -> bytes:
        """Return the reply with a wrong length and a right checksum."""
        length = (int(reply[10:13], 16) + 2) & wire.INFO_CHARS_MAX
        body = reply[1:9] + f"{wire.length_field(length):04X}".encode() + reply[13:-5]
        return b"~" + body + f"{wire.checksum(body):04X}\r".encode()

    def _act(self, request: wire.Frame) -> tuple[int, bytes]:
        asked = Asked(command=request.code)
        unit = request.info[0] if len(request.info) == 1 else None
        shown = _SHOWN.get(request.code, frozenset())
        pack = self._telemetry.told(asked, lambda field: field in shown)
        match request.code:
            case wire.CID2_ANALOG if unit == self.address:
                info = content.encode_analog(
                    content.Analog(ANALOG_FLAG, unit, (self.module(pack),))
                )
            case wire.CID2_ANALOG if unit == content.ALL_MODULES:
                info = self._all_modules(self.module(pack))
            case wire.CID2_ALARM if unit == self.address:
                info = alarm.encode_alarms(self._alarms(pack))
            case wire.CID2_MANAGEMENT if unit == self.address:
                info = content.encode_management(self._management(pack))
            case wire.CID2_SYSTEM if unit in {self.address, None}:
                info = content.encode_system(self._system(pack))
            case wire.CID2_SERIAL if unit in {self.address, None}:
                info = content.encode_serial(content.Serial(self.address, self._parameters.serial))
            case wire.CID2_MANUFACTURER:
                maker = content.Manufacturer(self._parameters.device, (2, 8), "Pylon")
                info = content.encode_manufacturer(maker)
            case wire.CID2_VERSION:
                info = b""
            case code if code in _KNOWN:
                return self._refuse(request, wire.RTN_DATA)
            case _:
                return self._refuse(request, wire.RTN_COMMAND)
        return wire.RTN_OK, info

    def _all_modules(self, own: content.Module) -> bytes:
        modules = [own]
        others = [m for m in self._face.neighbours if isinstance(m, PylontechEmulator)]
        if self.address == min((m.address for m in others), default=self.address):
            for other in sorted(others, key=lambda m: m.address):
                if other is not self:
                    modules.append(other.module(other._terminal.pack()))
        return content.encode_analog(content.Analog(ANALOG_FLAG, len(modules), tuple(modules)))

    def _refuse(self, request: wire.Frame, code: int) -> tuple[int, bytes]:
        self._on_event("refused", command=request.code, return_code=code)
        return code, b""

    def module(self, pack: PackState) -> content.Module:
        """Return a pack's values as this module tells them."""
        most = content.I_100MA_MAX
        total = round(pack.capacity_ah * 1000)
        return content.Module(
            cells_mv=pack.cells_mv,
            temperatures_dk=(decikelvin(pack.temperature_c),) * self._parameters.sensors,
            i_charge_100ma=self._current(-pack.i_a, steps_per_a=10, low=-most, high=most),
            v_mv=round(pack.v_v * 1000),
            remaining_mah=round(pack.soc * total),
            total_mah=total,
            cycles=pack.cycles & 0xFFFF,
            wide=total >= 0xFFFF,
        )

    def _alarms(self, pack: PackState) -> alarm.Alarms:
        own, acting = self._parameters, set(pack.protections)

        def state(low: bool, high: bool) -> int:
            return alarm.BELOW if low else alarm.ABOVE if high else alarm.NORMAL

        def acts(*names: str) -> bool:
            return not acting.isdisjoint(names)

        cold = acts("charge_under_temperature", "discharge_under_temperature")
        hot = acts("charge_over_temperature", "discharge_over_temperature")
        first = sum(1 << bit for bit, name in alarm.PROTECTIONS.items() if name in acting)
        second = alarm.FET_CHARGE * pack.charge_fet | alarm.FET_DISCHARGE * pack.discharge_fet
        return alarm.Alarms(
            flag=ANALOG_FLAG,
            number=self.address,
            cells=tuple(
                state(mv < own.cell_under_mv, mv > own.cell_high_mv) for mv in pack.cells_mv
            ),
            temperatures=(state(cold, hot),) * own.sensors,
            charge_current=state(False, acts("charge_over_current")),
            voltage=state(acts("pack_under_voltage"), acts("pack_over_voltage")),
            discharge_current=state(False, acts("discharge_over_current", "short_circuit")),
            status=bytes((first, second, 0, 0, 0)),
        )

    def _management(self, pack: PackState) -> content.Management:
        cells = len(pack.cells_mv)
        status = (
            content.STATUS_CHARGE * pack.charge_fet | content.STATUS_DISCHARGE * pack.discharge_fet
        )
        return content.Management(
            number=self.address,
            charge_v_mv=cells * self._parameters.cell_high_mv,
            discharge_v_mv=cells * self._parameters.cell_low_mv,
            # Cut, never rounded up: a limit told must not exceed the limit meant.
            charge_i_100ma=int(pack.charge_limit_a * 10),
            discharge_i_100ma=-int(pack.discharge_limit_a * 10),
            status=status,
        )

    def _system(self, pack: PackState) -> content.SystemParameters:
        cells, own = len(pack.cells_mv), self._parameters
        return content.SystemParameters(
            flag=self.address,
            cell_high_mv=own.cell_high_mv,
            cell_low_mv=own.cell_low_mv,
            cell_under_mv=own.cell_under_mv,
            charge_high_dk=decikelvin(50),
            charge_low_dk=decikelvin(0),
            charge_i_100ma=int(pack.charge_limit_a * 10),
            module_high_mv=cells * own.cell_high_mv,
            module_low_mv=cells * own.cell_low_mv,
            module_under_mv=cells * own.cell_under_mv,
            discharge_high_dk=decikelvin(50),
            discharge_low_dk=decikelvin(-10),
            discharge_i_100ma=-int(pack.discharge_limit_a * 10),
        )
