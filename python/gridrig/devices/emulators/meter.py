"""An emulated signed meter: SunSpec models 1 and 201 to 204, and the signing model 64950.

    emulate = { seed = 12, sign_s = 0.2 }

Many of them are units of one gateway. The registers are those of the connection point; what is
reported and signed goes through the same mutants (`sign = -1` swaps import and export, `scale`,
`telemetry = "frozen"`) and faults, because a meter signs what it believes. The private key comes
from `seed`; the signature is made by the signer that is handed in.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.fault import FaultSpec, OnEvent, no_log
from gridrig.devices.emulators.meter_face import MeterFace, MeterFaceParameters
from gridrig.devices.emulators.register_image import ModelBlock
from gridrig.devices.emulators.sunspec_face import common_block
from gridrig.devices.emulators.terminal import MeterTerminal
from gridrig.devices.emulators.wire_faults import by_name
from gridrig.devices.links import ModbusLink
from gridrig.devices.wire import signed_meter as wire

FOREIGN_SEED_OFFSET = 0x5EED  # the forger's key is nobody's on the bench
READING_FAULTS = by_name(
    (
        FaultSpec(
            "altered_reading",
            "state",
            "the next record is changed after it was signed",
            (),
            'name = "altered_reading"',
        ),
        FaultSpec(
            "forged_reading",
            "state",
            "the next record is signed with a key that is nobody's",
            (),
            'name = "forged_reading"',
        ),
        FaultSpec(
            "replayed_reading",
            "state",
            "the record before is delivered again instead of the next",
            (),
            'name = "replayed_reading"',
        ),
    )
)


class Signer(Protocol):
    """Makes signed records of one meter with one key."""

    @property
    def public_key_der(self) -> bytes:
        """The public key, SubjectPublicKeyInfo DER."""

    def sign(self, pagination: int, time_s: int, import_milliwh: int, export_milliwh: int) -> bytes:
        """Return the signed record of both registers."""

    def sign_bytes(self, data: bytes) -> bytes:
        """Return the signature over any bytes, DER."""


MakeSigner = Callable[[int, str, str], Signer]  # (seed, meter, serial)


@dataclass(frozen=True, kw_only=True)
class MeterParameters(MeterFaceParameters):
    """What the `emulate` table may say of an emulated signed meter.

    Parameters
    ----------
    ahead_of_utc_s : int
        What it signs in place of UTC is so far ahead: a meter that takes its local time for it. [s]
    """

    ahead_of_utc_s: int = 0


class SignedMeterEmulator(MeterFace):
    """A signed meter with gridrig's signing model.

    Parameters
    ----------
    name, link, parameters, terminal, on_event
        See `MeterFace`.
    make_signer : callable
        Makes a signer from (seed, meter name, serial).
    """

    PARAMETERS: ClassVar[type[MeterParameters]] = MeterParameters
    FAULTS: ClassVar[Mapping[str, FaultSpec | tuple[str, ...]]] = {
        **MeterFace.FAULTS,
        **READING_FAULTS,
    }

    def __init__(
        self,
        name: str,
        link: ModbusLink,
        parameters: MeterParameters,
        terminal: MeterTerminal,
        on_event: OnEvent = no_log,
        *,
        make_signer: MakeSigner,
    ) -> None:
        self._parameters = parameters
        self._ahead_of_utc_s = parameters.ahead_of_utc_s
        self._record = b""
        self.serial = parameters.serial or name
        self._signer = make_signer(parameters.seed, name, self.serial)
        self._make_signer = make_signer
        self._signing = self._signing_block()
        blocks = [common_block(parameters, name), self._measurement(), self._signing]
        super().__init__(name, link, parameters, terminal, blocks, on_event)

    @property
    def public_key_der(self) -> bytes:
        """The key its records are verified with."""
        return self._signer.public_key_der

    def _signing_block(self) -> ModelBlock:
        key = self._signer.public_key_der
        block = ModelBlock(
            wire.signed_meter_model(),
            values={"SignTm": 0, "Cmd": 0, "St": wire.IDLE, "Err": 0, "ClkSt": 0},
            writable=("Epoch", "SignTm", "Cmd"),
            refresh=self._report,
            commit=self._command,
        )
        block.set_raw("RecLen", 0)
        block.set_raw("KeyLen", len(key))
        self._put(block, "Key", key)
        return block

    @staticmethod
    def _put(block: ModelBlock, name: str, data: bytes) -> None:
        point = block.model.points[name]
        registers = wire.registers_of(data, point.size)
        block.registers[point.offset : point.offset + point.size] = registers

    def _report(self, block: ModelBlock) -> None:
        seen = self._believed()
        block.set_raw("Epoch", self._clock_s())
        block.set_raw("ClkSt", int(self._clock_set is not None))
        block.set_raw("ImpMilliWh", seen.import_milliwh)
        block.set_raw("ExpMilliWh", seen.export_milliwh)
        block.set_value("W", 10 * seen.p_w)
        block.set_value("VAR", 10 * seen.q_var)
        block.set_value("PPV", 100 * seen.v_v)
        block.set_value("Hz", 1000 * seen.f_hz)

    def _command(self, names: frozenset[str]) -> ExcCodes | None:
        block = self._signing
        command, time_s, epoch_s = block.raw("Cmd"), block.raw("SignTm"), block.raw("Epoch")
        if not isinstance(time_s, int) or not isinstance(epoch_s, int):
            return ExcCodes.ILLEGAL_VALUE
        if "Cmd" in names:
            if command != wire.COMMAND_SIGN:
                return ExcCodes.ILLEGAL_VALUE
            if block.raw("St") == wire.SIGNING:
                return ExcCodes.DEVICE_BUSY
        if "Epoch" in names:
            self._set_clock(epoch_s)
        if "Cmd" in names:
            block.set_raw("Cmd", 0)
            self._begin_signing(time_s)
        return None

    def _begin_signing(self, time_s: int) -> None:
        block = self._signing
        refusal = self._refusal(time_s)
        if refusal is not None:
            error, cause = refusal
            block.set_raw("St", wire.REFUSED)
            block.set_raw("Err", error)
            self._on_event("sign_refused", cause=cause)
            return
        block.set_raw("St", wire.SIGNING)
        block.set_raw("Err", wire.ERROR_NONE)
        seen = self._believed()
        self._pagination += 1
        time_s = time_s or self._clock_s()
        record = self._sign(time_s, seen.import_milliwh, seen.export_milliwh)
        if self._parameters.sign_s:
            loop = asyncio.get_running_loop()
            loop.call_later(self._parameters.sign_s, self._signed, record)
        else:
            self._signed(record)

    def _refusal(self, time_s: int) -> tuple[int, str] | None:
        """Return why a record of that time is not signed: it would say what the meter cannot."""
        if self._clock_set is None:
            return wire.ERROR_CLOCK_NOT_SET, "clock not set"
        if time_s and abs(time_s - self._clock_s()) > wire.SIGN_TIME_S_MAX:
            return wire.ERROR_TIME_NOT_NOW, f"asked for {time_s}, clock shows {self._clock_s()}"
        return None

    def _sign(self, time_s: int, import_milliwh: int, export_milliwh: int) -> bytes:
        signer = self._signer
        if self._faults.fire("forged_reading") is not None:
            seed = self._parameters.seed + FOREIGN_SEED_OFFSET
            signer = self._make_signer(seed, self.name, self.serial)
        time_s += self._ahead_of_utc_s
        genuine = signer.sign(self._pagination, time_s, import_milliwh, export_milliwh)
        if self._faults.fire("altered_reading") is not None:
            return _altered(genuine)
        if self._record and self._faults.fire("replayed_reading") is not None:
            return self._record
        return genuine

    def _signed(self, record: bytes) -> None:
        block = self._signing
        self._record = record
        self._put(block, "Rec", record)
        block.set_raw("RecLen", len(record))
        block.set_raw("Pg", self._pagination)
        block.set_raw("St", wire.SIGNED)
        self._on_event("signed", pagination=self._pagination)


def _altered(record: bytes) -> bytes:
    """Return the record with the last digit of its first value changed after signing."""
    at = record.index(b'"RV":') + len(b'"RV":')
    while record[at + 1] in b"0123456789.":
        at += 1
    digit = (record[at] - ord("0") + 1) % 10
    return record[:at] + bytes((ord("0") + digit,)) + record[at + 1 :]
