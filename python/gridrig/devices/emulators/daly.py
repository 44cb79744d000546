"""An emulated Daly battery manager on UART or RS485: the A5 protocol, alone or on a bus.

    link = { kind = "serial", port = "auto:rack", baudrate = 9600, address = 2 }
    emulate = { code = "GRIDRIG-DALY-0001" }

It is a face on one pack of the plant. The link's address (1 if there is none) is the pack's place
on the bus: pack 1 answers hosts that ask as 40, pack 2 those that ask as 41; pack 1 also answers
the UART host, 80, to which it tells every frame of cells and temperatures, used or not. Frames of
one answer come back to back. A frame to somebody else, or one that cannot be checked, is met with
silence.

Its frames carry -3000.0 to 3553.5 A, but clients in use read the current as a signed word that
wraps above 276.7 A of discharge: a pack that may discharge more is refused at the start.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import ClassVar

from gridrig.devices.emulators.fault import Asked, OnEvent, no_log
from gridrig.devices.emulators.pack_telemetry import PackFaceParameters, Ranges, currents, require
from gridrig.devices.emulators.serial_pack import SerialPackEmulator
from gridrig.devices.emulators.terminal import PackState, PackTerminal
from gridrig.devices.links import SerialLink
from gridrig.devices.wire import daly
from gridrig.devices.wire import daly_data as content
from gridrig.devices.wire.pack_frames import Malformed

UART_CELL_FRAMES = 16
UART_TEMPERATURE_FRAMES = 3
IDLE_A = 0.1  # below it the state is idle
NOMINAL_CELL_MV = 3200


@dataclass(frozen=True, kw_only=True)
class DalyEmulatorParameters(PackFaceParameters):
    """What the `emulate` table may say of a Daly emulator.

    Parameters
    ----------
    code : str
        Battery code of command 57, up to 35 ASCII characters.
    made_on : str
        Day of manufacture, ISO 8601, in 2000..2099.
    sensors : int
        Temperature sensors, 1..16; all tell the pack's temperature.
    """

    code: str = "GRIDRIG-DALY-0001"
    made_on: str = "2022-03-28"
    sensors: int = 2

    def __post_init__(self) -> None:
        """Refuse what the wire cannot carry."""
        super().__post_init__()
        fits = self.code.isascii() and 0 < len(self.code) <= 35
        require(fits, "code", self.code, "1..35 ASCII characters")
        require(1 <= self.sensors <= content.SENSORS_MAX, "sensors", self.sensors, "1..16")
        try:
            year = date.fromisoformat(self.made_on).year
        except ValueError:
            year = 0
        require(2000 <= year <= 2099, "made_on", self.made_on, "a day such as 2022-03-28")


class DalyEmulator(SerialPackEmulator[DalyEmulatorParameters]):
    """Serves one pack as a Daly board."""

    PARAMETERS = DalyEmulatorParameters
    LINK = SerialLink
    FAULTS: ClassVar = {**SerialPackEmulator.FAULTS}

    def __init__(
        self,
        name: str,
        link: SerialLink,
        parameters: DalyEmulatorParameters,
        terminal: PackTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        super().__init__(name, link, parameters, terminal, on_event)
        self.address = 1 if link.address is None else link.address
        self._decoder = daly.Decoder()
        self._life = 0
        pack = terminal.pack()
        self._commanded = {True: pack.charge_fet, False: pack.discharge_fet}  # True: charge

    def ranges(self, pack: PackState) -> Ranges:
        """Return what the wire must carry and the most that it can, by the key of the rig file."""
        return {
            **currents(pack, -content.I_100MA_MIN / 10, content.I_100MA_MAX_SIGNED / 10),
            "capacity_ah": (pack.capacity_ah, 0xFFFF_FFFF / 1000),
            "cells": (len(pack.cells_mv), content.CELLS_MAX),
        }

    def hear(self, data: bytes, *, after_silence: bool) -> list[bytes]:
        """Take bytes and return the raw requests they completed."""
        events = [*(self._decoder.idle() if after_silence else ()), *self._decoder.feed(data)]
        return [daly.encode(event) for event in events if isinstance(event, daly.Frame)]

    def asked(self, request: bytes) -> Asked:
        """Return the command that a request names."""
        return Asked(command=request[2])

    def answer(self, request: bytes) -> bytes | None:
        """Return the frames that answer a request, or None if it went to somebody else."""
        (frame,) = daly.Decoder().feed(request)
        assert isinstance(frame, daly.Frame)
        if daly.reply_address(frame.address) != self.address:
            return None
        contents = self._act(frame)
        if contents is None:
            self._on_event("ignored", command=frame.command)
            return None
        self._life = self._life + 1 & 0xFF
        replies = [daly.Frame(self.address, frame.command, data) for data in contents]
        return b"".join(map(daly.encode, replies))

    def spoil(self, reply: bytes) -> bytes:
        """Return the reply with a wrong checksum in its last frame."""
        return reply[:-1] + bytes((reply[-1] ^ 0x55,))

    def mislength(self, reply: bytes) -> bytes:
        """Return the reply with a wrong length in its first frame, and a right checksum."""
        body = reply[:3] + bytes((daly.DATA_BYTES + 1,)) + reply[4:12]
        return body + bytes((daly.checksum(body),)) + reply[daly.FRAME_BYTES :]

    def _act(self, frame: daly.Frame) -> Sequence[bytes] | None:
        """Return what a command is answered with; None if this board does not know it."""
        if frame.command in (daly.CMD_CHARGE_FET, daly.CMD_DISCHARGE_FET):
            return self._switch(frame)
        if frame.command == daly.CMD_SET_SOC:
            soc = content.parse_set_soc(frame.data)
            if isinstance(soc, Malformed):
                return None
            self._terminal.set_counted_soc(soc / 1000)
            self._on_event("soc_set", soc=soc / 1000)
            return [frame.data]
        if frame.command == daly.CMD_RESTART:
            self._life = 0
            self._on_event("restarted")
            return [bytes(daly.DATA_BYTES)]
        if frame.command == daly.CMD_MADE:
            made = date.fromisoformat(self._parameters.made_on)
            return [bytes((0, 0, made.year - 2000, made.month, made.day, 0, 0, 0))]
        if frame.command == daly.CMD_CODE:
            return content.encode_code(self._parameters.code)
        shown = _SHOWN.get(frame.command)
        if shown is None:
            return None
        asked = Asked(command=frame.command)
        pack = self._telemetry.told(asked, lambda field: field in shown)
        return self._tell(frame, pack)

    def _tell(self, frame: daly.Frame, pack: PackState) -> Sequence[bytes]:
        uart = frame.address == daly.HOST_UART
        temperatures = (round(pack.temperature_c),) * self._parameters.sensors
        match frame.command:
            case daly.CMD_PACK:
                return [content.encode_pack(self._pack(pack))]
            case daly.CMD_CELL_RANGE:
                return [content.encode_cell_range(pack.cells_mv)]
            case daly.CMD_TEMPERATURE_RANGE:
                return [content.encode_temperature_range(temperatures)]
            case daly.CMD_SWITCHES:
                return [content.encode_switches(self._switches(pack))]
            case daly.CMD_SETUP:
                return [content.encode_setup(self._setup(pack))]
            case daly.CMD_CELLS:
                needed = ceil(len(pack.cells_mv) / content.CELLS_A_FRAME)
                frames = UART_CELL_FRAMES if uart else needed
                return content.encode_cells(pack.cells_mv, frames)
            case daly.CMD_TEMPERATURES:
                needed = ceil(len(temperatures) / content.TEMPERATURES_A_FRAME)
                frames = UART_TEMPERATURE_FRAMES if uart else needed
                return content.encode_temperatures(temperatures, frames)
            case daly.CMD_BALANCING:
                return [content.encode_balancing(pack.balancing)]
            case daly.CMD_RATED:
                return [content.encode_rated(round(pack.capacity_ah * 1000), NOMINAL_CELL_MV)]
            case _:
                return [content.encode_alarms(self._alarms(pack))]

    def _pack(self, pack: PackState) -> content.Pack:
        low, high = content.I_100MA_MIN, content.I_100MA_MAX
        return content.Pack(
            v_100mv=round(pack.v_v * 10),
            acquired_100mv=0,
            i_discharge_100ma=self._current(pack.i_a, steps_per_a=10, low=low, high=high),
            soc_permille=min(1000, max(0, round(pack.soc * 1000))),
        )

    def _switches(self, pack: PackState) -> content.Switches:
        state = content.IDLE
        if abs(pack.i_a) >= IDLE_A:
            state = content.DISCHARGING if pack.i_a > 0 else content.CHARGING
        return content.Switches(
            state=state,
            charge_fet=pack.charge_fet,
            discharge_fet=pack.discharge_fet,
            life=self._life,
            remaining_mah=round(pack.soc * pack.capacity_ah * 1000),
        )

    def _setup(self, pack: PackState) -> content.Setup:
        return content.Setup(
            cells=len(pack.cells_mv),
            sensors=self._parameters.sensors,
            charger=pack.i_a <= -IDLE_A,
            load=pack.i_a >= IDLE_A,
            inputs=0,
            cycles=pack.cycles & 0xFFFF,
        )

    def _alarms(self, pack: PackState) -> tuple[str, ...]:
        known = tuple(name for name in pack.protections if content.has_alarm(name))
        if known != pack.protections:
            names = sorted(set(pack.protections) - set(known))
            self._on_event("protection_without_bit", names=names)
        return known

    def _switch(self, frame: daly.Frame) -> Sequence[bytes]:
        on = frame.data[0] == 1
        if self._faults.fire("fet_refused", Asked(command=frame.command)) is None:
            self._commanded[frame.command == daly.CMD_CHARGE_FET] = on
            charge, discharge = self._commanded[True], self._commanded[False]
            self._terminal.set_fets(charge, discharge)
            self._on_event("fets", charge=charge, discharge=discharge)
        return [bytes((int(on), *frame.data[1:]))]


_SHOWN = {
    daly.CMD_PACK: frozenset({"soc", "v_v", "i_a"}),
    daly.CMD_CELL_RANGE: frozenset({"cells_mv"}),
    daly.CMD_TEMPERATURE_RANGE: frozenset({"temperature_c"}),
    daly.CMD_SWITCHES: frozenset({"soc", "i_a"}),
    daly.CMD_SETUP: frozenset({"cycles"}),
    daly.CMD_CELLS: frozenset({"cells_mv"}),
    daly.CMD_TEMPERATURES: frozenset({"temperature_c"}),
    daly.CMD_BALANCING: frozenset({"balancing"}),
    daly.CMD_ALARMS: frozenset({"protections"}),
    daly.CMD_RATED: frozenset({"capacity_ah"}),
}
