"""How the referee and the process of a driver talk: one JSON object a line, both ways.

A request is `{"id": n, "do": WORD, ...}`, its answer `{"id": n, "value": ...}` or
`{"id": n, "error": {...}}`. Bytes go as `{"$bytes": hex}`, readings and identities as
`{"$record": class, ...fields}`; what is neither goes as `{"$foreign": type}`, so that a driver that
returns what it should not is seen, not believed.

Limit: 1 MiB a line.
"""

import dataclasses
import json
from typing import Any

from gridrig.devices.capabilities import BmsReading, Identity, InverterReading, MeterReading
from gridrig.devices.heat_pump_capability import HeatPumpReading

LINE_BYTES_MAX = 1 << 20
RECORDS: dict[str, Any] = {
    cls.__name__: cls
    for cls in (Identity, InverterReading, BmsReading, MeterReading, HeatPumpReading)
}


def packed(value: object) -> Any:
    """Return a value as JSON can hold it."""
    if value is None or isinstance(value, bool):
        return value
    # An enumeration's member or a numpy number is the number or text it stands for.
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, bytes):
        return {"$bytes": value.hex()}
    if isinstance(value, list | tuple):
        return [packed(item) for item in value]
    if isinstance(value, dict):
        return {str(key): packed(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and RECORDS.get(type(value).__name__) is type(value):
        fields = {f.name: packed(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"$record": type(value).__name__, **fields}
    return {"$foreign": f"{type(value).__module__}.{type(value).__qualname__}"}


def unpacked(value: Any) -> Any:
    """Return what `packed` was given; arrays become tuples, what is foreign stays a table."""
    if isinstance(value, list):
        return tuple(unpacked(item) for item in value)
    if not isinstance(value, dict):
        return value
    if "$bytes" in value:
        return bytes.fromhex(value["$bytes"])
    if "$record" in value:
        fields = {key: unpacked(item) for key, item in value.items() if key != "$record"}
        return RECORDS[value["$record"]](**fields)
    return {key: unpacked(item) for key, item in value.items()}


def line_of(message: dict[str, Any]) -> bytes:
    """Return one line."""
    return json.dumps(message).encode() + b"\n"
