"""An emulated signed meter: SunSpec models 1 and 203 and the signing model, many on one gateway.

    emulate = { seed = 12, sign_s = 0.2 }

The registers are those of the connection point; what is reported and signed goes through the same
mutants (`sign = -1` swaps import and export, `scale`, `telemetry = "frozen"`), because a meter
signs what it believes. The private key comes from `seed`; the signature is made by the signer that
is handed in.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.fault import FaultSpec, OnEvent, no_log
from gridrig.devices.emulators.modbus_face import (
    ModbusEmulator,
    ModbusFaceParameters,
    require,
)
from gridrig.devices.emulators.modbus_faults import MODBUS_FAULTS
from gridrig.devices.emulators.register_image import ModelBlock, SunSpecImage
from gridrig.devices.emulators.terminal import MeterTerminal, TerminalState
from gridrig.devices.emulators.wire_faults import by_name
from gridrig.devices.links import ModbusLink, ModbusRtuLink, ModbusTcpLink
from gridrig.devices.wire import signed_meter as wire
from gridrig.devices.wire.sunspec_definitions import standard_model

FOREIGN_SEED_OFFSET = 0x5EED  # the forger's key is nobody's on the bench


class Signer(Protocol):
    """Makes signed records of one meter with one key."""

    @property
    def public_key_der(self) -> bytes:
        """The public key, SubjectPublicKeyInfo DER."""

    def sign(self, pagination: int, time_s: int, import_milliwh: int, export_milliwh: int) -> bytes:
        """Return the signed record of both registers."""


MakeSigner = Callable[[int, str, str], Signer]  # (seed, meter, serial)


@dataclass(frozen=True, kw_only=True)
class MeterParameters(ModbusFaceParameters):
    """What the `emulate` table may say of an emulated meter.

    Parameters
    ----------
    v_nominal_v : float
        Nominal line-to-line voltage. [V]
    p_max_w : float
        Power its SunSpec model 203 can show. [W]
    sign_s : float
        How long it takes to sign. [s]
    clock_drift_ppm : float
        How fast its clock runs away. [1e-6]
    """

    v_nominal_v: float = 400.0
    p_max_w: float = 100_000.0
    sign_s: float = 0.2
    clock_drift_ppm: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no meter can be."""
        super().__post_init__()
        require("v_nominal_v", self.v_nominal_v, 0 < self.v_nominal_v <= 6000, "> 0, at most 6000")
        require("p_max_w", self.p_max_w, 0 < self.p_max_w <= 1e9, "> 0, at most 1e9")
        require("sign_s", self.sign_s, 0 <= self.sign_s <= 60, "0 to 60")


class SignedMeterEmulator(ModbusEmulator):
    """A signed meter: a face over one connection point.

    Parameters
    ----------
    name, link, parameters, on_event
        See `ModbusEmulator`.
    terminal : MeterTerminal
        The connection point it measures.
    make_signer : callable
        Makes a signer from (seed, meter name, serial).
    """

    kind = "meter"
    PARAMETERS: ClassVar[type[MeterParameters]] = MeterParameters
    LINKS: ClassVar[tuple[type[ModbusLink], ...]] = (ModbusTcpLink, ModbusRtuLink)
    FAULTS: ClassVar[Mapping[str, FaultSpec | tuple[str, ...]]] = {
        **MODBUS_FAULTS,
        **by_name(
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
        ),
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
        self._terminal = terminal
        self._frozen: TerminalState | None = None
        self._clock_set: tuple[int, float] | None = None  # epoch [s], loop time [s]
        self._pagination = 0
        self._record = b""
        self.serial = parameters.serial or name
        self._signer = make_signer(parameters.seed, name, self.serial)
        self._make_signer = make_signer
        self._signing = self._signing_block()
        image = SunSpecImage(self._blocks(), parameters.base)
        super().__init__(name, link, parameters, image, on_event)

    @property
    def public_key_der(self) -> bytes:
        """The key its records are verified with."""
        return self._signer.public_key_der

    def _blocks(self) -> list[ModelBlock]:
        p = self._parameters
        scale = max(0, math.ceil(math.log10(p.p_max_w / 32767)))
        measured = ModelBlock(
            standard_model(203),
            scale={
                **dict.fromkeys(("W_SF", "VA_SF", "VAR_SF"), scale),
                **{"A_SF": -1, "V_SF": -1, "Hz_SF": -2, "TotWh_SF": 0},
            },
            refresh=self._measure,
        )
        common = {"Mn": p.manufacturer, "Md": p.product, "Vr": p.firmware, "SN": self.serial}
        return [ModelBlock(standard_model(1), values=common), measured, self._signing]

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

    def _believed(self) -> tuple[TerminalState, int, int]:
        """Return the point and the two registers as this meter believes them to be."""
        state = self._terminal.state()
        if self._parameters.telemetry == "frozen":
            state = self._frozen = self._frozen or state
        import_milliwh, export_milliwh = state.import_milliwh, state.export_milliwh
        if self._parameters.scale != 1.0:
            import_milliwh = int(import_milliwh * self._parameters.scale)
            export_milliwh = int(export_milliwh * self._parameters.scale)
        if self._parameters.sign == -1:
            import_milliwh, export_milliwh = export_milliwh, import_milliwh
        return state, import_milliwh, export_milliwh

    def _powers(self, state: TerminalState) -> tuple[float, float]:
        """Return active and reactive power with the wire's sign: from grid to customer."""
        return -state.p_w * self._parameters.sign * self._parameters.scale, -state.q_var

    def _measure(self, block: ModelBlock) -> None:
        state, import_milliwh, export_milliwh = self._believed()
        p_w, q_var = self._powers(state)
        s_va, v_v = math.hypot(p_w, q_var), state.v_pu * self._parameters.v_nominal_v
        block.set_value("W", p_w)
        block.set_value("VAR", q_var)
        block.set_value("VA", s_va)
        block.set_value("A", s_va / (math.sqrt(3) * v_v) if v_v > 0 else 0.0)
        block.set_value("PPV", v_v)
        block.set_value("PhV", v_v / math.sqrt(3))
        block.set_value("Hz", state.f_hz)
        block.set_raw("TotWhImp", import_milliwh // 1000 & 0xFFFFFFFF)  # acc32 rolls over
        block.set_raw("TotWhExp", export_milliwh // 1000 & 0xFFFFFFFF)

    def _report(self, block: ModelBlock) -> None:
        state, import_milliwh, export_milliwh = self._believed()
        p_w, q_var = self._powers(state)
        block.set_raw("Epoch", self._clock_s())
        block.set_raw("ClkSt", int(self._clock_set is not None))
        block.set_raw("ImpMilliWh", import_milliwh)
        block.set_raw("ExpMilliWh", export_milliwh)
        block.set_value("W", 10 * p_w)
        block.set_value("VAR", 10 * q_var)
        block.set_value("PPV", 100 * state.v_pu * self._parameters.v_nominal_v)
        block.set_value("Hz", 1000 * state.f_hz)

    def _clock_s(self) -> int:
        if self._clock_set is None:
            return 0
        epoch_s, set_at_s = self._clock_set
        rate = 1 + self._parameters.clock_drift_ppm * 1e-6
        return epoch_s + int((asyncio.get_running_loop().time() - set_at_s) * rate)

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
            self._clock_set = (epoch_s, asyncio.get_running_loop().time())
            self._on_event("clock_set", utc_s=epoch_s)
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
        _, import_milliwh, export_milliwh = self._believed()
        self._pagination += 1
        record = self._sign(time_s or self._clock_s(), import_milliwh, export_milliwh)
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
