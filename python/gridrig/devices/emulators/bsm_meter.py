"""An emulated meter that signs snapshots in its registers, in the manner of the BSM-WS36A.

    emulate = { seed = 12, serial = "001BZR1521070003" }

Models 1, 203, 64900, then five snapshots (64901) and their OCMF texts (64903). It signs what it
took from the grid; it has no contactor, so that the snapshots of turning on and off fail as not
enabled. Its identity is `MA1`, of at most 16 bytes.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.fault import FaultSpec, FaultValue, OnEvent, no_log
from gridrig.devices.emulators.meter import FOREIGN_SEED_OFFSET, READING_FAULTS, MakeSigner
from gridrig.devices.emulators.meter_face import ACC32, MeterFace, MeterFaceParameters
from gridrig.devices.emulators.modbus_face import require
from gridrig.devices.emulators.register_image import ModelBlock
from gridrig.devices.emulators.sunspec_face import common_block
from gridrig.devices.emulators.terminal import MeterTerminal
from gridrig.devices.links import ModbusLink
from gridrig.devices.wire import bsm
from gridrig.devices.wire.signed_meter import registers_of
from gridrig.devices.wire.sunspec import ModelRegisters

MA1_BYTES_MAX = 16
TURNS = (bsm.TURN_ON, bsm.TURN_OFF)  # the snapshots that would move a contactor


@dataclass(frozen=True, kw_only=True)
class BsmMeterParameters(MeterFaceParameters):
    """What the `emulate` table may say of it.

    Parameters
    ----------
    meta1, meta2, meta3 : str
        What is signed with every snapshot, until a client writes something else.
    """

    meta1: str = ""
    meta2: str = ""
    meta3: str = ""

    def __post_init__(self) -> None:
        """Refuse what does not fit its registers."""
        super().__post_init__()
        require("wiring", self.wiring, self.wiring == "wye", "wye: this meter has model 203")
        size = len(self.serial.encode())
        require("serial", self.serial, size <= MA1_BYTES_MAX, f"at most {MA1_BYTES_MAX} bytes")
        for key, most in (("meta1", 140), ("meta2", 100), ("meta3", 100)):
            found = getattr(self, key)
            require(key, found, len(found.encode()) <= most, f"at most {most} bytes")


class BsmMeterEmulator(MeterFace):
    """A meter that signs snapshots.

    Parameters
    ----------
    name, link, parameters, terminal, on_event
        See `MeterFace`.
    make_signer : callable
        Makes a signer from (seed, meter name, serial).
    """

    PARAMETERS: ClassVar[type[BsmMeterParameters]] = BsmMeterParameters
    FAULTS: ClassVar[Mapping[str, FaultSpec | tuple[str, ...]]] = {
        **MeterFace.FAULTS,
        **READING_FAULTS,
    }

    def __init__(
        self,
        name: str,
        link: ModbusLink,
        parameters: BsmMeterParameters,
        terminal: MeterTerminal,
        on_event: OnEvent = no_log,
        *,
        make_signer: MakeSigner,
    ) -> None:
        self._parameters = parameters
        self.serial = parameters.serial or name
        size = len(self.serial.encode())
        require("serial", self.serial, size <= MA1_BYTES_MAX, f"at most {MA1_BYTES_MAX} bytes")
        self._signer = make_signer(parameters.seed, name, self.serial)
        self._forger = make_signer(parameters.seed + FOREIGN_SEED_OFFSET, name, self.serial)
        self._clock_sets = 0
        self._clock_set_os = 0
        self._power_downs = 0
        self._meter = self._meter_block()
        self._snapshots = [self._snapshot_block(kind) for kind in bsm.SNAPSHOTS]
        self._texts = [self._text_block(kind) for kind in bsm.SNAPSHOTS]
        self._last: dict[int, list[int]] = {}
        blocks = [
            *(common_block(parameters, name), self._measurement(), self._meter),
            *(*self._snapshots, *self._texts),
        ]
        super().__init__(name, link, parameters, terminal, blocks, on_event)

    @property
    def public_key_der(self) -> bytes:
        """The key its snapshots are verified with."""
        return self._signer.public_key_der

    def arm(self, fault: str, *, count: int | None = None, **params: FaultValue) -> None:
        """Let a fault fire; a reboot also makes every snapshot invalid."""
        super().arm(fault, count=count, **params)
        if fault == "reboot":
            self._power_downs += 1
            for block in (*self._snapshots, *self._texts):
                block.set_raw("St", bsm.INVALID)

    def _meter_block(self) -> ModelBlock:
        p, key = self._parameters, self._signer.public_key_der
        assert isinstance(p, BsmMeterParameters)
        block = ModelBlock(
            bsm.meter_model(),
            scale={"RCR_SF": 0},
            values={
                **{"SNM": self.serial, "MA1": self.serial, "VrM": p.firmware, "VrC": p.firmware},
                **{"DI": 0, "DO": 0, "Epoch": 0, "TZO": 0},
                **{"Meta1": p.meta1, "Meta2": p.meta2, "Meta3": p.meta3},
            },
            writable=("Epoch", "TZO", "Meta1", "Meta2", "Meta3"),
            refresh=self._describe,
            commit=self._configure,
        )
        block.set_raw("NPK", bsm.KEY_REGISTERS)
        block.set_raw("BPK", len(key))
        first = block.model.points["Key[1].PK"].offset
        block.registers[first:] = registers_of(key, bsm.KEY_REGISTERS)
        return block

    def _snapshot_block(self, kind: int) -> ModelBlock:
        return ModelBlock(
            bsm.snapshot_model(),
            scale={"Wh_SF": 0, "W_SF": 0},
            values={"Typ": kind, "St": bsm.INVALID, "NSig": bsm.SIGNATURE_REGISTERS, "BSig": 0},
            writable=("St",),
            commit=partial(self._create, kind),
        )

    def _text_block(self, kind: int) -> ModelBlock:
        return ModelBlock(
            bsm.definitions()[bsm.OCMF].model(), values={"Typ": kind, "St": bsm.INVALID}
        )

    def _operating_s(self) -> int:
        return int(asyncio.get_running_loop().time()) & 0x7FFFFFFF

    def _describe(self, block: ModelBlock) -> None:
        for name, number in {
            **{"OS": self._operating_s(), "Epoch": self._clock_s(), "RCnt": self._pagination},
            **{"EpochSetCnt": self._clock_sets, "EpochSetOS": self._clock_set_os},
            "PDCnt": self._power_downs,
        }.items():
            block.set_raw(name, number)

    def _configure(self, names: frozenset[str]) -> ExcCodes | None:
        epoch_s, zone_min = self._meter.raw("Epoch"), self._meter.raw("TZO")
        if not isinstance(epoch_s, int) or not isinstance(zone_min, int):
            return ExcCodes.ILLEGAL_VALUE
        if "TZO" in names and zone_min:
            return ExcCodes.ILLEGAL_VALUE  # this meter keeps UTC
        if "Epoch" in names:
            self._set_clock(epoch_s)
            self._clock_sets += 1
            self._clock_set_os = self._operating_s()
        return None

    def _create(self, kind: int, _: frozenset[str]) -> ExcCodes | None:
        block, text = self._snapshots[kind], self._texts[kind]
        if block.raw("St") != bsm.UPDATING:
            return ExcCodes.ILLEGAL_VALUE
        if kind in TURNS:
            block.set_raw("St", bsm.FAILED_NOT_ENABLED)
            text.set_raw("St", bsm.FAILED_NOT_ENABLED)
            self._on_event("sign_refused", cause="no contactor")
            return None
        text.set_raw("St", bsm.UPDATING)
        self._pagination += 1
        signed, record = self._sign(kind)
        loop = asyncio.get_running_loop()
        loop.call_later(self._parameters.sign_s, self._finish, kind, signed, record)
        return None

    def _sign(self, kind: int) -> tuple[list[int], bytes]:
        """Return the registers of a new snapshot, signed, and its OCMF text."""
        seen, meter = self._believed(), self._meter
        self._describe(meter)
        new = self._snapshot_block(kind)
        for name in ("MA1", "RCnt", "OS", "Epoch", "TZO", "EpochSetCnt", "EpochSetOS"):
            new.set_raw(name, meter.raw(name))
        for name in ("DI", "DO", "Meta1", "Meta2", "Meta3"):
            new.set_raw(name, meter.raw(name))
        new.set_raw("TotWhImp", seen.import_milliwh // 1000 & ACC32)
        new.set_raw("RCR", 0)
        new.set_value("W", seen.p_w)
        new.set_raw("Evt", 0)
        new.set_raw("St", bsm.VALID)
        forged = self._faults.fire("forged_reading") is not None
        signer = self._forger if forged else self._signer
        signature = signer.sign_bytes(bsm.signed_bytes(ModelRegisters(new.model, new.registers)))
        new.set_raw("BSig", len(signature))
        first = new.model.points["Signature[1].Sig"].offset
        new.registers[first:] = registers_of(signature, bsm.SIGNATURE_REGISTERS)
        record = signer.sign(
            self._pagination, self._clock_s(), seen.import_milliwh, seen.export_milliwh
        )
        if self._faults.fire("altered_reading") is not None:
            new.set_raw("TotWhImp", int(new.raw("TotWhImp") or 0) ^ 1)
        if kind in self._last and self._faults.fire("replayed_reading") is not None:
            return list(self._last[kind]), record
        return new.registers, record

    def _finish(self, kind: int, signed: list[int], record: bytes) -> None:
        block, text = self._snapshots[kind], self._texts[kind]
        if block.raw("St") != bsm.UPDATING:
            return  # the meter was restarted meanwhile
        block.registers[:] = signed
        self._last[kind] = list(signed)
        text.set_raw("St", bsm.VALID)
        point = text.model.points["O"]
        text.registers[point.offset :] = registers_of(record, point.size)
        self._on_event("signed", pagination=self._pagination)
