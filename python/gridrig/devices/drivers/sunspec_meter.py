"""Driver for SunSpec meters, models 201 to 204 and 211 to 214: capability `meter`, unsigned.

Device: any meter with one of these models.
Wiring: Modbus TCP; or RS-485 with Modbus RTU, 8N1.

    [[device]]
    capability = "meter"
    driver = "sunspec-meter"
    link = { kind = "modbus-rtu", port = "/dev/ttyUSB0", baudrate = 19200, unit = 3 }

The wire counts power from grid to customer, the driver turns it round. Registers are whole units of
their scale factor and roll over at 2^32; the driver counts on, from the first reading. In floats
(211 to 214) a register has 24 bits: beyond 16 MWh it no longer counts single watt-hours. Nothing
here is signed: `sign` and `sync_clock` are refused as unsupported, and no such reading settles
anything.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from gridrig.devices.capabilities import Identity, MeterReading
from gridrig.devices.drivers.modbus_line import Patience
from gridrig.devices.drivers.sunspec_map import SunSpecDevice
from gridrig.devices.links import ModbusLink, ModbusRtuLink, ModbusTcpLink, ModbusTlsLink
from gridrig.devices.wire.sunspec import ModelRegisters
from gridrig.devices.wire.sunspec_definitions import ModelDefinition
from gridrig.errors import DriverError

MODELS = (203, 204, 202, 201, 213, 214, 212, 211)
ROLL_OVER = 1 << 32
ROLLED_SHARE = 0.9  # of the range: above it before, below what is left of it after, is a roll-over


@dataclass(frozen=True, kw_only=True)
class SunSpecMeterParameters:
    """What a rig file may say of a SunSpec meter's driver.

    Parameters
    ----------
    timeout_s : float
        From request to reply. [s]
    retries : int
        Further attempts after the first, 0..5.
    read_count_max : int
        Most registers the device gives in one reply, 2..125.
    """

    timeout_s: float = 1.0
    retries: int = 1
    read_count_max: int = 125

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        refuse_out_of_range(
            {
                "timeout_s": 0 < self.timeout_s <= 60,
                "retries": 0 <= self.retries <= 5,
                "read_count_max": 2 <= self.read_count_max <= 125,
            }
        )


def refuse_out_of_range(right: Mapping[str, bool]) -> None:
    """Refuse parameters, by name, that are not right.

    Raises
    ------
    DriverError
        `driver.parameter`.
    """
    wrong = [name for name, is_right in right.items() if not is_right]
    if wrong:
        raise DriverError("driver.parameter", "out of range: {wrong}", wrong=wrong)


class SunSpecMeter:
    """A SunSpec meter.

    Parameters
    ----------
    name : str
        Device name, for errors.
    link : ModbusTcpLink or ModbusRtuLink
        Where it is.
    parameters : SunSpecMeterParameters
        As the rig file has them.
    """

    capability = "meter"
    SIGNS: ClassVar[bool] = False
    PARAMETERS: ClassVar[type[SunSpecMeterParameters]] = SunSpecMeterParameters
    LINKS: ClassVar[tuple[type[ModbusLink], ...]] = (ModbusTcpLink, ModbusTlsLink, ModbusRtuLink)
    VENDOR_MODELS: ClassVar[tuple[ModelDefinition, ...]] = ()

    def __init__(self, name: str, link: ModbusLink, parameters: SunSpecMeterParameters) -> None:
        self.name = name
        self._patience = Patience(parameters.timeout_s, parameters.retries)
        self._device = SunSpecDevice(
            name,
            link,
            self._patience,
            read_count_max=parameters.read_count_max,
            vendor_models=self.VENDOR_MODELS,
        )
        self._model = 0
        self._counted: dict[str, tuple[int, int]] = {}  # last raw, times rolled over

    async def open(self) -> None:
        """Connect and find the meter's model.

        Raises
        ------
        DriverError
            `driver.unsupported`, if it has none of 201 to 204 and 211 to 214.
        """
        await self._device.open()
        self._model = next((model for model in MODELS if self._device.has(model)), 0)
        if not self._model:
            await self._device.close()
            raise self._unsupported("a SunSpec meter model, 201 to 204 or 211 to 214")

    async def close(self) -> None:
        """Let go of the wire."""
        await self._device.close()

    async def identify(self) -> Identity:
        """Return the common model's names."""
        return await self._device.identity()

    async def read(self) -> MeterReading:
        """Return what the meter reports now, unsigned."""
        block = await self._device.read(self._model)
        voltage = block.value("PPV")
        if voltage is None:
            voltage = block.value("PhV")  # a single phase has no other
        if voltage is None:
            raise self._unsupported("a voltage")
        return MeterReading(
            p_w=0.0 - self._needed(block, "W"),
            q_var=0.0 - (block.value("VAR") or 0.0),
            v_v=voltage,
            f_hz=self._needed(block, "Hz"),
            import_milliwh=self._register(block, "TotWhImp"),
            export_milliwh=self._register(block, "TotWhExp"),
        )

    async def sync_clock(self, utc_s: int) -> None:
        """Refuse: the model has no clock."""
        raise self._unsupported("a clock")

    async def read_public_key(self) -> bytes:
        """Refuse: the model has no key."""
        raise self._unsupported("a public key")

    async def sign(self, time_s: int | None = None) -> bytes:
        """Refuse: the model has no signature."""
        raise self._unsupported("signed readings")

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

    def _register(self, block: ModelRegisters, point: str) -> int:
        """Return an energy register in milliwatt-hours, counted on over its roll-overs."""
        found = block.raw(point)
        if isinstance(found, float):
            return math.floor(found * 1000)
        raw, scale = block.number(point), block.scale_factor(point)
        if raw is None or scale is None:
            raise self._unsupported(point)
        last, rolled = self._counted.get(point, (raw, 0))
        if last > ROLLED_SHARE * ROLL_OVER and raw < (1 - ROLLED_SHARE) * ROLL_OVER:
            rolled += 1
        self._counted[point] = (raw, rolled)
        units = raw + rolled * ROLL_OVER
        if scale >= -3:
            return units * int(10 ** (scale + 3))
        return units // int(10 ** (-scale - 3))

    def _needed(self, block: ModelRegisters, point: str) -> float:
        value = block.value(point)
        if value is None:
            raise self._unsupported(point)
        return value

    def _unsupported(self, what: str) -> DriverError:
        return DriverError(
            "driver.unsupported", "{device} does not have {what}", device=self.name, what=what
        )
