"""An emulated JBD battery manager: registers 03, 04, 05, the FET switch E1, and its settings.

    emulate = { hardware = "JBD-SP16S020-L16S-100A", version = 0x20 }

It is a face on one pack of the plant, alone on its line: this protocol has no addresses. Currents
end at 327.67 A on this wire: a pack whose limits go beyond is refused at the start, and a current
beyond is told as the end of the range, and logged.
"""

from dataclasses import dataclass
from typing import ClassVar

from gridrig.devices.emulators.fault import Asked, OnEvent, no_log
from gridrig.devices.emulators.jbd_factory import FactoryMode
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
from gridrig.devices.wire import jbd
from gridrig.devices.wire import jbd_registers as registers
from gridrig.devices.wire import jbd_settings as settings


@dataclass(frozen=True, kw_only=True)
class JbdEmulatorParameters(PackFaceParameters):
    """What the `emulate` table may say of a JBD emulator.

    Parameters
    ----------
    hardware : str
        Hardware name of register 05, ASCII.
    version : int
        Software version, 0x80 is 8.0.
    made_on : int
        Date of manufacture as on the wire; 0x2C7C is 2022-03-28.
    sensors : int
        Temperature sensors, 1..8; all tell the pack's temperature.
    """

    hardware: str = "JBD-SP16S020-L16S-200A-B-U"
    version: int = 0x80
    made_on: int = 0x2C7C
    sensors: int = 2

    def __post_init__(self) -> None:
        """Refuse what the wire cannot carry."""
        super().__post_init__()
        fits = self.hardware.isascii() and 0 < len(self.hardware) <= 64
        require(fits, "hardware", self.hardware, "1..64 ASCII characters")
        require(0 <= self.version <= 0xFF, "version", self.version, "0..255")
        require(0 <= self.made_on <= 0xFFFF, "made_on", self.made_on, "0..65535")
        require(1 <= self.sensors <= 8, "sensors", self.sensors, "1..8")


class JbdEmulator(SerialPackEmulator[JbdEmulatorParameters]):
    """Serves one pack as a JBD board."""

    PARAMETERS = JbdEmulatorParameters
    LINK = SerialLink
    FAULTS: ClassVar = {**SerialPackEmulator.FAULTS, EXCEPTION.name: EXCEPTION}

    def __init__(
        self,
        name: str,
        link: SerialLink,
        parameters: JbdEmulatorParameters,
        terminal: PackTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        super().__init__(name, link, parameters, terminal, on_event)
        self._decoder = jbd.Decoder("request")
        self._factory = FactoryMode(terminal, on_event)

    def ranges(self, pack: PackState) -> Ranges:
        """Return what the wire must carry and the most that it can, by the key of the rig file."""
        most = registers.I_10MA_MAX / 100
        return {
            **currents(pack, most, most),
            "capacity_ah": (pack.capacity_ah, 655.35),
            # A full cell has 3.65 V and a voltage ends at 655.35 V; 127 cells fill a reply.
            "cells": (len(pack.cells_mv), 127),
        }

    def hear(self, data: bytes, *, after_silence: bool) -> list[bytes]:
        """Take bytes and return the raw requests they completed."""
        events = [*(self._decoder.idle() if after_silence else ()), *self._decoder.feed(data)]
        return [jbd.encode_request(event) for event in events if isinstance(event, jbd.Request)]

    def asked(self, request: bytes) -> Asked:
        """Return the register that a request names."""
        return Asked(command=request[2])

    def answer(self, request: bytes) -> bytes | None:
        """Return the frame that answers a request."""
        (event,) = jbd.Decoder("request").feed(request)
        assert isinstance(event, jbd.Request)
        status, payload = self._act(event)
        return jbd.encode_reply(jbd.Reply(event.register, status, payload))

    def spoil(self, reply: bytes) -> bytes:
        """Return the reply with a wrong checksum."""
        return reply[:-2] + bytes((reply[-2] ^ 0x55,)) + reply[-1:]

    def mislength(self, reply: bytes) -> bytes:
        """Return the reply with a wrong length and a right checksum."""
        body = bytes((reply[2], reply[3] + 1 & 0xFF)) + reply[4:-3]
        return reply[:2] + body + jbd.checksum(body).to_bytes(2, "big") + reply[-1:]

    def _act(self, request: jbd.Request) -> tuple[int, bytes]:
        asked = Asked(command=request.register)
        fault = self._faults.fire("exception", asked)
        if fault is not None:
            return int(fault["code"]), b""
        if request.write:
            return self._write(request), b""
        if request.payload:
            return self._refuse(request), b""
        match request.register:
            case jbd.REG_BASIC:
                pack = self._telemetry.told(asked, lambda field: field != "cells_mv")
                return jbd.STATUS_OK, registers.encode_basic(self._basic(pack))
            case jbd.REG_CELLS:
                pack = self._telemetry.told(asked, lambda field: field == "cells_mv")
                return jbd.STATUS_OK, registers.encode_cells(pack.cells_mv)
            case jbd.REG_HARDWARE:
                return jbd.STATUS_OK, self._parameters.hardware.encode("ascii")
            case number if (content := self._factory.read(number)) is not None:
                return jbd.STATUS_OK, content
            case _:
                return self._refuse(request), b""

    def _write(self, request: jbd.Request) -> int:
        if request.register != jbd.REG_FETS:
            done = self._set(request.register, request.payload)
            return jbd.STATUS_OK if done else self._refuse(request)
        if len(request.payload) != 2 or request.payload[0]:
            return self._refuse(request)
        open_bits = request.payload[1]
        if open_bits & ~(registers.FET_CHARGE | registers.FET_DISCHARGE):
            return self._refuse(request)
        charge = not open_bits & registers.FET_CHARGE
        discharge = not open_bits & registers.FET_DISCHARGE
        if self._faults.fire("fet_refused", Asked(command=request.register)) is None:
            self._terminal.set_fets(charge, discharge)
            self._on_event("fets", charge=charge, discharge=discharge)
        return jbd.STATUS_OK

    def _set(self, register: int, payload: bytes) -> bool:
        if register == settings.REG_FACTORY_ENTER:
            return self._factory.enter(payload)
        if register == settings.REG_FACTORY_LEAVE:
            return self._factory.leave(payload)  # vendor software sends it after every switch
        return self._factory.write(register, payload)

    def _refuse(self, request: jbd.Request) -> int:
        self._on_event("refused", register=request.register, write=request.write)
        return jbd.STATUS_REJECTED

    def _basic(self, pack: PackState) -> registers.BasicInfo:
        nominal = round(self._factory.design_ah * 100)
        most = registers.I_10MA_MAX
        return registers.BasicInfo(
            v_10mv=round(pack.v_v * 100),
            i_charge_10ma=self._current(-pack.i_a, steps_per_a=100, low=-most, high=most),
            remaining_10mah=round(pack.soc * nominal),
            nominal_10mah=nominal,
            cycles=pack.cycles & 0xFFFF,
            made_on=self._parameters.made_on,
            balancing=balance_words(pack.balancing),
            protection=self._protection(pack.protections),
            version=self._parameters.version,
            soc_percent=min(100, max(0, round(pack.soc * 100))),
            fets=registers.FET_CHARGE * pack.charge_fet
            | registers.FET_DISCHARGE * pack.discharge_fet,
            cells=len(pack.cells_mv),
            temperatures_dk=(decikelvin(pack.temperature_c),) * self._parameters.sensors,
        )

    def _protection(self, names: tuple[str, ...]) -> int:
        known = tuple(name for name in names if name in registers.PROTECTIONS)
        if known != names:
            self._on_event("protection_without_bit", names=sorted(set(names) - set(known)))
        return registers.protection_bits(known)


def balance_words(balancing: tuple[bool, ...]) -> int:
    """Return which cells balance: the first word cells 1-16, the second 17-32, the rest unsaid."""
    first = sum(1 << n for n, on in enumerate(balancing[:16]) if on)
    second = sum(1 << n for n, on in enumerate(balancing[16:32]) if on)
    return first << 16 | second
