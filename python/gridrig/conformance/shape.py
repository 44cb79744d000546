"""Whether what a driver returned has the shape that its capability promises."""

import dataclasses
import types
import typing
from typing import Any

from gridrig.devices.capabilities import BmsReading, Identity, InverterReading, MeterReading
from gridrig.devices.heat_pump_capability import HeatPumpReading

READING: dict[str, type[InverterReading | BmsReading | MeterReading | HeatPumpReading]] = {
    "inverter": InverterReading,
    "storage": InverterReading,
    "bms": BmsReading,
    "meter": MeterReading,
    "heat_pump": HeatPumpReading,
}


def misshapen(method: str, capability: str, value: Any) -> str:
    """Return what is wrong with a value, empty if nothing is; other methods may return anything.

    >>> misshapen("identify", "meter", Identity("Acme", "M1", "7", 2))
    'identify returned firmware = 2, expected str'
    """
    promised: Any = {"read": READING[capability], "identify": Identity}.get(method)
    if promised is None:
        return ""
    if type(value) is not promised:
        return f"{method} returned {value!r}, expected {promised.__name__}"
    hints = typing.get_type_hints(promised)
    for field in dataclasses.fields(value):
        found, hint = getattr(value, field.name), hints[field.name]
        if not fits(found, hint):
            name = getattr(hint, "__name__", str(hint))
            return f"{method} returned {field.name} = {found!r}, expected {name}"
    return ""


def fits(value: object, hint: Any) -> bool:
    """Whether a value is of a type as the readings are annotated with."""
    if isinstance(hint, types.UnionType):
        return any(fits(value, one) for one in typing.get_args(hint))
    if typing.get_origin(hint) is typing.Literal:
        return value in typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        each = typing.get_args(hint)[0]
        return isinstance(value, tuple) and all(fits(item, each) for item in value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is hint
