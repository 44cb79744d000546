"""What SunSpec devices of different vendors do differently, for every emulated SunSpec device.

| key | what vendors do |
|---|---|
| `base` | the map begins at 40000, at 0 or at 50000 |
| `end_model` | some maps have no end model: the register behind the last one is exception 2 |
| `fc6` | some devices answer function 6 with exception 1 |
| `read_count_max` | some give fewer than 125 registers at once and answer exception 3 |
| `common_length` | model 1 has 66 registers, or 65 on old devices |
| `order` | models by rising or falling number; the common model is always first |

The unit, 1 on most and 126 on some, is a matter of the link.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.fault import OnEvent
from gridrig.devices.emulators.modbus_face import ModbusEmulator, ModbusFaceParameters, require
from gridrig.devices.emulators.register_image import ModelBlock, SunSpecImage
from gridrig.devices.links import ModbusLink, ModbusRtuLink, ModbusTcpLink
from gridrig.devices.wire import modbus_pdu
from gridrig.devices.wire.modbus_server import Reply
from gridrig.devices.wire.sunspec import READ_COUNT_MAX, Model
from gridrig.devices.wire.sunspec_definitions import standard_model

ORDERS = ("rising", "falling")


@dataclass(frozen=True, kw_only=True)
class MapParameters(ModbusFaceParameters):
    """How one vendor's map differs.

    Parameters
    ----------
    end_model : bool
        Whether the end model closes the map.
    fc6 : bool
        Whether function 6 is served.
    read_count_max : int
        Most registers of one read.
    common_length : {66, 65}
        Length of model 1.
    order : {"rising", "falling"}
        Order of the models behind the first.
    """

    end_model: bool = True
    fc6: bool = True
    read_count_max: int = READ_COUNT_MAX
    common_length: int = 66
    order: str = "rising"

    def __post_init__(self) -> None:
        super().__post_init__()
        most = self.read_count_max
        require("read_count_max", most, 2 <= most <= READ_COUNT_MAX, f"2 to {READ_COUNT_MAX}")
        length = self.common_length
        require("common_length", length, length in {65, 66}, "65 or 66")
        require("order", self.order, self.order in ORDERS, " or ".join(ORDERS))


def common_block(parameters: MapParameters, name: str) -> ModelBlock:
    """Return model 1 of a device; without a serial number its name is one."""
    model = standard_model(1)
    if parameters.common_length != model.length:
        points = {key: point for key, point in model.points.items() if key != "Pad"}
        model = Model(model.id, model.name, points)
    return ModelBlock(
        model,
        values={
            **{"Mn": parameters.manufacturer, "Md": parameters.product},
            **{"Vr": parameters.firmware, "SN": parameters.serial or name, "DA": 1},
        },
    )


class SunSpecEmulator(ModbusEmulator):
    """An emulated device with a SunSpec map.

    Parameters
    ----------
    name, link, on_event
        See `ModbusEmulator`.
    parameters : MapParameters
        As the `emulate` table has them.
    blocks : sequence of ModelBlock
        The common model first.
    """

    LINKS: ClassVar[tuple[type[ModbusLink], ...]] = (ModbusTcpLink, ModbusRtuLink)

    def __init__(
        self,
        name: str,
        link: ModbusLink,
        parameters: MapParameters,
        blocks: Sequence[ModelBlock],
        on_event: OnEvent,
    ) -> None:
        self._map = parameters
        common, *others = blocks
        if parameters.order == "falling":
            others.reverse()
        self.models = [common, *others]
        image = SunSpecImage(self.models, parameters.base, end_model=parameters.end_model)
        super().__init__(name, link, parameters, image, on_event)

    def reply(self, pdu: bytes) -> Reply | None:
        """Answer one request; what this vendor does not serve is an exception."""
        code = self._not_served(pdu)
        if code is None:
            return super().reply(pdu)
        self._on_event("refused", function=pdu[0], exception=int(code))
        return Reply(modbus_pdu.exception_reply(pdu[0], code), self._delay_s())

    def _not_served(self, pdu: bytes) -> ExcCodes | None:
        if pdu[:1] == bytes((modbus_pdu.WRITE_ONE,)) and not self._map.fc6:
            return ExcCodes.ILLEGAL_FUNCTION
        reads = pdu[:1] and pdu[0] in {modbus_pdu.READ_HOLDING, modbus_pdu.READ_INPUT}
        if reads and len(pdu) == 5:
            count = int.from_bytes(pdu[3:5], "big")
            if count > self._map.read_count_max:
                return ExcCodes.ILLEGAL_VALUE
        return None

    def block(self, model_id: int) -> ModelBlock:
        """Return the first block of a model's number."""
        return next(block for block in self.models if block.model.id == model_id)
