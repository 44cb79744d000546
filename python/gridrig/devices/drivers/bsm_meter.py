"""Driver for meters that sign snapshots in registers (models 64900 to 64903): capability `meter`.

Device: Bauer BSM-WS36A, and any meter with these models.
Wiring: RS-485 with Modbus RTU, 8N1; Modbus TCP behind a gateway.

    [[device]]
    capability = "meter"
    driver = "bsm-meter"
    link = { kind = "modbus-rtu", port = "/dev/ttyUSB0", baudrate = 19200, unit = 42 }
    parameters = { record = "snapshot" }                # or "ocmf"

Manual: BSM-WS36A product manual, v3.0 (2022); the models are those of bsm-python 0.12.
The meter stamps a snapshot with its own clock and signs what was taken from the grid alone. The
record is returned as received; whether it is true, the verifier decides. Its clock is set together
with its time zone, as UTC, and is not restored.
"""

from dataclasses import dataclass
from typing import ClassVar

from gridrig.devices.drivers.meter_signing import EPOCH, asked_once, set_clock, signed
from gridrig.devices.drivers.modbus_line import Patience
from gridrig.devices.drivers.sunspec_meter import (
    SunSpecMeter,
    SunSpecMeterParameters,
    refuse_out_of_range,
)
from gridrig.devices.links import ModbusLink
from gridrig.devices.wire import bsm
from gridrig.devices.wire.signed_meter import bytes_of
from gridrig.devices.wire.sunspec_definitions import ModelDefinition
from gridrig.errors import DriverError

RECORDS = ("snapshot", "ocmf")
TIME_S_MAX = 5  # how far the meter's clock may be from the time a record shall carry [s]


@dataclass(frozen=True, kw_only=True)
class BsmMeterDriverParameters(SunSpecMeterParameters):
    """What a rig file may say of the driver.

    Parameters
    ----------
    record : {"snapshot", "ocmf"}
        What `sign` returns: model 64901 as read, or the OCMF text of model 64903.
    sign_timeout_s : float
        From the request to the snapshot. [s]
    poll_s : float
        Between two looks whether it is ready. [s]
    clock_tolerance_s : int
        Largest difference when the clock is read back. [s]
    """

    record: str = "snapshot"
    sign_timeout_s: float = 15.0
    poll_s: float = 0.2
    clock_tolerance_s: int = 2

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        super().__post_init__()
        refuse_out_of_range(
            {
                "record": self.record in RECORDS,
                "sign_timeout_s": 0 < self.sign_timeout_s <= 60,
                "poll_s": 0 < self.poll_s <= 10,
                "clock_tolerance_s": self.clock_tolerance_s >= 0,
            }
        )


class BsmMeter(SunSpecMeter):
    """A meter that signs snapshots.

    Parameters
    ----------
    name : str
        Device name, for errors.
    link : ModbusTcpLink or ModbusRtuLink
        Where it is.
    parameters : BsmMeterDriverParameters
        As the rig file has them.
    """

    SIGNS: ClassVar[bool] = True
    PARAMETERS: ClassVar[type[BsmMeterDriverParameters]] = BsmMeterDriverParameters
    VENDOR_MODELS: ClassVar[tuple[ModelDefinition, ...]] = tuple(bsm.definitions().values())

    def __init__(self, name: str, link: ModbusLink, parameters: BsmMeterDriverParameters) -> None:
        super().__init__(name, link, parameters)
        self._parameters = parameters

    async def open(self) -> None:
        """Connect and find the models.

        Raises
        ------
        DriverError
            `driver.unsupported`, if it does not sign.
        """
        await super().open()
        wanted = bsm.SNAPSHOT if self._parameters.record == "snapshot" else bsm.OCMF
        try:
            for model in (bsm.METER, bsm.SNAPSHOT, wanted):
                self._device.require(model)
        except BaseException:
            await self.close()
            raise

    async def read_public_key(self) -> bytes:
        """Return the meter's public key for enrolment, SubjectPublicKeyInfo DER.

        A key read from the meter proves nothing by itself: enrol it on the bench, where you see
        which meter answers.
        """
        block = await self._device.read(bsm.METER)
        first = block.model.points["Key[1].PK"].offset
        length = block.number("BPK") or 0
        if not 0 < length <= 2 * (len(block.registers) - first):
            raise self._bad("public key", f"of {length} bytes")
        return bytes_of(block.registers[first:], length)

    async def sync_clock(self, utc_s: int) -> None:
        """Set the meter's clock and read it back. [s since 1970-01-01 UTC]"""
        tolerance_s = self._parameters.clock_tolerance_s
        await set_clock(self._device, bsm.METER, {EPOCH: utc_s, "TZO": 0}, tolerance_s)

    async def sign(self, time_s: int | None = None) -> bytes:
        """Make the meter create a snapshot and return the record as received.

        The request is sent once. If its acknowledgement is lost the snapshot still tells whether it
        is new, because its response counter moves on.

        Raises
        ------
        DriverError
            `meter.sign_timeout` kind "timeout", `meter.sign_refused` kind "refused", `meter.time`
            if the meter's clock is not at the time asked for, or what the wire said.
        """
        before = await self._device.read(bsm.SNAPSHOT)
        # After a restart the counter may begin again, but then no snapshot is valid before.
        counter = before.number("RCnt") if before.number("St") == bsm.VALID else None
        once = Patience(self._parameters.timeout_s, 0)
        asking = self._device.write_unsaved(bsm.SNAPSHOT, {"St": bsm.UPDATING}, once)
        lost = await asked_once(asking)
        await self._wait(counter, before.number("St"), lost)
        snapshot = await self._device.read(bsm.SNAPSHOT)
        if snapshot.number("St") != bsm.VALID or snapshot.number("RCnt") == counter:
            raise self._bad("snapshot", "that is not new and valid")
        self._check_time(time_s, snapshot.number("Epoch"))
        if self._parameters.record == "snapshot":
            return bytes_of(snapshot.registers, 2 * len(snapshot.registers))
        text = await self._device.read(bsm.OCMF)
        if text.number("St") != bsm.VALID or text.number("Typ") != snapshot.number("Typ"):
            raise self._bad("OCMF text", "that is not the snapshot's")
        return text.text("O").encode()

    async def _wait(
        self, counter: int | None, before: int | None, lost: DriverError | None
    ) -> None:
        """Poll the first snapshot until it is another one, or says why it is not."""
        model = await self._device.model(bsm.SNAPSHOT)
        count = model.points["RCnt"].offset + model.points["RCnt"].size

        async def look() -> bool | None:
            status = await self._device.read(bsm.SNAPSHOT, 0, count)
            state = status.number("St")
            if state not in {bsm.VALID, bsm.INVALID, bsm.UPDATING} and state != before:
                raise DriverError(
                    "meter.sign_refused",
                    "{device} refuses to sign, state {state}",
                    kind="refused",
                    device=self.name,
                    state=state,
                )
            return (state == bsm.VALID and status.number("RCnt") != counter) or None

        limit_s, poll_s = self._parameters.sign_timeout_s, self._parameters.poll_s
        await signed(self._device, look, limit_s=limit_s, poll_s=poll_s, lost=lost)

    def _check_time(self, time_s: int | None, found_s: int | None) -> None:
        if time_s is not None and (found_s is None or abs(found_s - time_s) > TIME_S_MAX):
            raise DriverError(
                "meter.time",
                "{device}: asked for a record of {expected}, its clock shows {found}",
                device=self.name,
                expected=time_s,
                found=found_s,
            )

    def _bad(self, what: str, how: str) -> DriverError:
        return DriverError(
            "meter.record",
            "{device}: a {what} {how}",
            kind="framing",
            device=self.name,
            what=what,
            how=how,
        )
