"""Driver for gridrig's signed meter: capability `meter`, records by the signing model 64950.

Device: a SunSpec meter with the vendor model of `gridrig.devices.wire.signed_meter`.
Wiring: Modbus TCP, many meters as units of one gateway; or Modbus RTU.

    [[device]]
    capability = "meter"
    driver = "signed-meter"
    link = { kind = "modbus-tcp", host = "192.0.2.20", port = 502, unit = 12 }

The wire counts power from grid to customer, the driver turns it round. One tick costs one FC3 of 21
registers. The record is returned as received; whether it is true, the verifier decides. The clock
is not a setting: it is not restored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from gridrig.devices.capabilities import Identity, MeterReading
from gridrig.devices.drivers.meter_signing import EPOCH, asked_once, set_clock, signed
from gridrig.devices.drivers.modbus_line import Patience
from gridrig.devices.drivers.sunspec_map import SunSpecDevice
from gridrig.devices.links import ModbusLink, ModbusRtuLink, ModbusTcpLink, ModbusTlsLink
from gridrig.devices.wire import signed_meter as wire
from gridrig.devices.wire.sunspec import ModelRegisters
from gridrig.errors import DriverError

MEASURED_REGISTERS = 21  # ID up to and with Hz


@dataclass(frozen=True, kw_only=True)
class SignedMeterParameters:
    """What a rig file may say of a signed meter's driver.

    Parameters
    ----------
    timeout_s : float
        From request to reply. [s]
    retries : int
        Further attempts after the first, 0..5; the command to sign is never repeated.
    sign_timeout_s : float
        From the command to the signed record. [s]
    poll_s : float
        Between two looks whether the record is ready. [s]
    clock_tolerance_s : int
        Largest difference when the clock is read back. [s]
    """

    timeout_s: float = 1.0
    retries: int = 1
    sign_timeout_s: float = 5.0
    poll_s: float = 0.1
    clock_tolerance_s: int = 2

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        wrong = [
            name
            for name, right in (
                ("timeout_s", 0 < self.timeout_s <= 60),
                ("retries", 0 <= self.retries <= 5),
                ("sign_timeout_s", 0 < self.sign_timeout_s <= 60),
                ("poll_s", 0 < self.poll_s <= 10),
                ("clock_tolerance_s", self.clock_tolerance_s >= 0),
            )
            if not right
        ]
        if wrong:
            raise DriverError("driver.parameter", "out of range: {wrong}", wrong=wrong)


class SignedMeter:
    """A signed meter: capability `meter`.

    Parameters
    ----------
    name : str
        Device name, for errors.
    link : ModbusTcpLink or ModbusRtuLink
        Where it is.
    parameters : SignedMeterParameters
        As the rig file has them.
    """

    capability = "meter"
    PARAMETERS: ClassVar[type[SignedMeterParameters]] = SignedMeterParameters
    LINKS: ClassVar[tuple[type[ModbusLink], ...]] = (ModbusTcpLink, ModbusTlsLink, ModbusRtuLink)

    def __init__(self, name: str, link: ModbusLink, parameters: SignedMeterParameters) -> None:
        self.name = name
        self._parameters = parameters
        self._patience = Patience(parameters.timeout_s, parameters.retries)
        self._device = SunSpecDevice(
            name, link, self._patience, vendor_models=[wire.signed_meter_definition()]
        )

    async def open(self) -> None:
        """Connect and find the signing model.

        Raises
        ------
        DriverError
            `driver.unsupported`, if the meter does not sign.
        """
        await self._device.open()
        if not self._device.has(wire.MODEL_ID):
            await self._device.close()
            raise DriverError(
                "driver.unsupported",
                "{device} has no signing model {model}",
                device=self.name,
                model=wire.MODEL_ID,
            )

    async def close(self) -> None:
        """Let go of the wire."""
        await self._device.close()

    async def identify(self) -> Identity:
        """Return the common model's names."""
        return await self._device.identity()

    async def read(self) -> MeterReading:
        """Return what the meter reports now, unsigned."""
        block = await self._device.read(wire.MODEL_ID, 0, MEASURED_REGISTERS)
        return MeterReading(
            p_w=-self._needed(block, "W") / 10,
            q_var=-self._needed(block, "VAR") / 10,
            v_v=self._needed(block, "PPV") / 100,
            f_hz=self._needed(block, "Hz") / 1000,
            import_milliwh=self._needed(block, "ImpMilliWh"),
            export_milliwh=self._needed(block, "ExpMilliWh"),
        )

    async def read_public_key(self) -> bytes:
        """Return the meter's public key for enrolment, SubjectPublicKeyInfo DER.

        A key read from the meter proves nothing by itself: enrol it on the bench, where you see
        which meter answers.
        """
        points = wire.signed_meter_model().points
        length = self._needed(await self._points("KeyLen", "KeyLen"), "KeyLen")
        key = points["Key"]
        if not 0 < length <= 2 * key.size:
            raise self._bad_length("public key", length)
        return await self._bytes(key.offset, length)

    async def sync_clock(self, utc_s: int) -> None:
        """Set the meter's clock and read it back. [s since 1970-01-01 UTC]"""
        tolerance_s = self._parameters.clock_tolerance_s
        await set_clock(self._device, wire.MODEL_ID, {EPOCH: utc_s}, tolerance_s)

    async def sign(self, time_s: int | None = None) -> bytes:
        """Make the meter sign its registers and return the record as received.

        The command is sent once. If its acknowledgement is lost the status still tells whether it
        was taken, because the pagination moves on.

        Raises
        ------
        DriverError
            `meter.sign_timeout` kind "timeout", `meter.sign_refused` kind "refused", or what the
            wire said.
        """
        page = self._needed(await self._points("St", "RecLen"), "Pg")
        once = Patience(self._parameters.timeout_s, 0)
        command = {"SignTm": time_s or 0, "Cmd": wire.COMMAND_SIGN}
        lost = await asked_once(self._device.write_unsaved(wire.MODEL_ID, command, once))

        async def look() -> ModelRegisters | None:
            status = await self._points("St", "RecLen")
            if status.raw("St") == wire.REFUSED and lost is None:
                raise DriverError(
                    "meter.sign_refused",
                    "{device} refuses to sign, error {error}",
                    kind="refused",
                    device=self.name,
                    error=status.raw("Err"),
                )
            done = status.raw("St") == wire.SIGNED and self._needed(status, "Pg") != page
            return status if done else None

        limit_s, poll_s = self._parameters.sign_timeout_s, self._parameters.poll_s
        status = await signed(self._device, look, limit_s=limit_s, poll_s=poll_s, lost=lost)
        length = self._needed(status, "RecLen")
        if not 0 < length <= wire.RECORD_MAX_BYTES:
            raise self._bad_length("record", length)
        return await self._bytes(wire.signed_meter_model().points["Rec"].offset, length)

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        """Do nothing: a meter drives nothing. A safe state with settings is refused."""
        if safe_state:
            raise DriverError(
                "driver.safe_state",
                "{device}: a meter has no safe state, found {unknown}",
                device=self.name,
                unknown=sorted(safe_state),
            )

    async def restore(self) -> None:
        """Do nothing: no setting of a meter is changed."""

    async def _points(self, first: str, last: str) -> ModelRegisters:
        points = wire.signed_meter_model().points
        begin, end = points[first].offset, points[last].offset + points[last].size
        return await self._device.read(wire.MODEL_ID, begin, end - begin)

    async def _bytes(self, offset: int, length: int) -> bytes:
        """Read bytes from registers, in pieces the meter allows."""
        registers: list[int] = []
        count = (length + 1) // 2
        while len(registers) < count:
            size = min(wire.CHUNK_REGISTERS, count - len(registers))
            part = await self._device.read(wire.MODEL_ID, offset + len(registers), size)
            registers += part.registers
        return wire.bytes_of(registers, length)

    def _needed(self, block: ModelRegisters, point: str) -> int:
        value = block.number(point)
        if value is None:
            raise DriverError(
                "driver.unsupported",
                "{device} does not implement {point}",
                device=self.name,
                point=point,
            )
        return value

    def _bad_length(self, what: str, length: int) -> DriverError:
        return DriverError(
            "meter.length",
            "{device}: a {what} of {length} bytes",
            kind="framing",
            device=self.name,
            what=what,
            length=length,
        )
