"""An emulated SunSpec meter that signs nothing: models 1 and 201 to 204.

emulate = { seed = 3, wiring = "delta" }
"""

from dataclasses import dataclass
from typing import ClassVar

from gridrig.devices.emulators.fault import OnEvent, no_log
from gridrig.devices.emulators.meter_face import MeterFace, MeterFaceParameters
from gridrig.devices.emulators.sunspec_face import common_block
from gridrig.devices.emulators.terminal import MeterTerminal
from gridrig.devices.links import ModbusLink


@dataclass(frozen=True, kw_only=True)
class SunSpecMeterParameters(MeterFaceParameters):
    """What the `emulate` table may say of an emulated SunSpec meter."""


class SunSpecMeterEmulator(MeterFace):
    """A SunSpec meter; parameters as `MeterFace`."""

    PARAMETERS: ClassVar[type[SunSpecMeterParameters]] = SunSpecMeterParameters

    def __init__(
        self,
        name: str,
        link: ModbusLink,
        parameters: SunSpecMeterParameters,
        terminal: MeterTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        self._parameters = parameters
        blocks = [common_block(parameters, name), self._measurement()]
        super().__init__(name, link, parameters, terminal, blocks, on_event)
