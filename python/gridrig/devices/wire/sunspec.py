"""SunSpec: models as tables of points, and the coding of each point into Modbus registers.

A map is `SunS`, then models back to back, then the end model. Every model opens with its ID and
its length L, the registers after those two. Registers are big-endian, high word first. A value is
its raw number times ten to the scale factor, which is a point of the same model and may change at
run time. Each type has one raw value that means "not implemented"; here it is None.

References
----------
.. [1] SunSpec Alliance, "SunSpec Device Information Model Specification," 2021.
"""

import math
import struct
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

MARKER = (0x5375, 0x6E53)  # "SunS"
BASES = (40000, 0, 50000)  # where a map may begin, in the order a client looks
END_ID = 0xFFFF
READ_COUNT_MAX = 125  # registers in one FC3 reply
WRITE_COUNT_MAX = 123  # registers in one FC16 request
HEADER = 2  # ID and L

SCALE_MAX = 10  # scale factors go from -10 to 10

Raw = int | float | str
WordKind = Literal["unsigned", "signed", "text", "zero", "float"]

# kind of the type, and its raw value for "not implemented" (by bits, from the size)
_FLOATS: Mapping[int, str] = {2: ">f", 4: ">d"}  # by registers
_KINDS: Mapping[str, WordKind] = {
    **dict.fromkeys(("int16", "int32", "int64", "sunssf"), "signed"),
    **dict.fromkeys(("uint16", "uint32", "uint64", "enum16", "enum32", "count"), "unsigned"),
    **dict.fromkeys(("bitfield16", "bitfield32", "bitfield64", "eui48"), "unsigned"),
    **dict.fromkeys(("acc16", "acc32", "acc64", "pad", "ipaddr", "ipv6addr"), "zero"),
    **dict.fromkeys(("float32", "float64"), "float"),
    "string": "text",
}


@dataclass(frozen=True)
class Point:
    """One value in a model.

    Parameters
    ----------
    name, type : str
        As the model definition has them.
    offset : int
        First register, counted from the model's ID register.
    size : int
        Registers taken.
    scale : str or None
        Name of the point that holds the scale factor.
    writable : bool
        Whether the definition lets a client write it.
    sync : str or None
        Name of the group whose points must be written together with it.
    """

    name: str
    type: str
    offset: int
    size: int
    scale: str | None
    writable: bool
    sync: str | None = None

    @cached_property
    def kind(self) -> WordKind:
        """How the registers are read: unsigned, signed, text, float, or with zero for absent."""
        return _KINDS[self.type]

    @cached_property
    def absent(self) -> int:
        """Raw word, over all registers, that means "not implemented"."""
        bits = 16 * self.size
        if self.kind == "signed":
            return 1 << (bits - 1)
        if self.kind == "float":  # the quiet NaN
            return 0x7FC00000 if self.size == 2 else 0x7FF8000000000000
        return (1 << bits) - 1 if self.kind == "unsigned" else 0

    @cached_property
    def bounds(self) -> tuple[int, int]:
        """Smallest and largest raw number that means a value."""
        bits = 16 * self.size
        if self.kind == "signed":
            return -(1 << (bits - 1)) + 1, (1 << (bits - 1)) - 1
        return 0, (1 << bits) - (2 if self.kind == "unsigned" else 1)

    def encode(self, raw: Raw | None) -> list[int]:
        """Return the registers of a raw value; None is "not implemented".

        Raises
        ------
        ValueError
            If the number lies outside the type, or the text is too long.
        """
        if raw is None:
            word = self.absent
        elif isinstance(raw, str):
            data = raw.encode()
            if len(data) > 2 * self.size:
                raise ValueError(f"{self.name}: {raw!r} is longer than {2 * self.size} bytes")
            word = int.from_bytes(data.ljust(2 * self.size, b"\0"), "big")
        elif self.kind == "float":
            word = int.from_bytes(struct.pack(_FLOATS[self.size], raw), "big")
        elif not isinstance(raw, int):
            raise ValueError(f"{self.name}: {raw!r} is not a whole number")
        else:
            low, high = self.bounds
            if not low <= raw <= high:
                raise ValueError(f"{self.name}: {raw} is outside {low}..{high}")
            word = raw & ((1 << 16 * self.size) - 1)
        if self.size == 1:  # most points, many times a second
            return [word]
        return [(word >> shift) & 0xFFFF for shift in range(16 * self.size - 16, -1, -16)]

    def decode(self, registers: Sequence[int]) -> Raw | None:
        """Return the raw value of these registers, None if "not implemented"."""
        word = 0
        for register in registers:
            word = word << 16 | register
        kind = self.kind
        if kind == "text":
            data = word.to_bytes(2 * self.size, "big").rstrip(b"\0 ")
            return data.decode(errors="replace") or None
        if kind == "zero":
            return word
        if word == self.absent:
            return None
        if kind == "float":
            number: float = struct.unpack(_FLOATS[self.size], word.to_bytes(2 * self.size, "big"))[
                0
            ]
            return None if math.isnan(number) else number  # every NaN is "not implemented"
        if kind == "signed" and word >> (16 * self.size - 1):
            word -= 1 << 16 * self.size
        return word


@dataclass(frozen=True)
class Model:
    """One information model: its number, its name and its points in register order."""

    id: int
    name: str
    points: Mapping[str, Point]

    @property
    def length(self) -> int:
        """L: the registers after ID and L."""
        last = list(self.points.values())[-1]
        return last.offset + last.size - HEADER

    def at(self, offset: int) -> Point | None:
        """Return the point that has a register, None beyond the model."""
        index = bisect_right(self._offsets, offset) - 1
        point = list(self.points.values())[index]
        return point if point.offset <= offset < point.offset + point.size else None

    @cached_property
    def _offsets(self) -> list[int]:
        return [point.offset for point in self.points.values()]


def to_raw(value: float, scale_factor: int) -> int:
    """Return the nearest raw number of a value."""
    power = int(10 ** abs(scale_factor))
    return round(value / power if scale_factor >= 0 else value * power)


def from_raw(raw: int, scale_factor: int) -> float:
    """Return the value of a raw number, correctly rounded."""
    power = int(10 ** abs(scale_factor))
    return float(raw * power) if scale_factor >= 0 else raw / power


class ModelRegisters:
    """Registers read from one model, beginning at `first`, seen as points.

    Parameters
    ----------
    model : Model
        What the registers mean.
    registers : sequence of int
        As read.
    first : int
        Offset of the first one from the model's ID.
    """

    def __init__(self, model: Model, registers: Sequence[int], first: int = 0) -> None:
        self.model = model
        self.registers = registers
        self.first = first

    def raw(self, name: str) -> Raw | None:
        """Return a point's raw value, None if not implemented or not read."""
        point = self.model.points[name]
        begin = point.offset - self.first
        words = self.registers[begin : begin + point.size] if begin >= 0 else ()
        return point.decode(words) if len(words) == point.size else None

    def number(self, name: str) -> int | None:
        """Return a point's raw number, None if not implemented."""
        raw = self.raw(name)
        return raw if isinstance(raw, int) else None

    def text(self, name: str) -> str:
        """Return a string point, empty if not implemented."""
        raw = self.raw(name)
        return raw if isinstance(raw, str) else ""

    def scale_factor(self, name: str) -> int | None:
        """Return the scale factor in force for a point, 0 if it has none, None if unset.

        A factor outside -10..10 is no scale factor, and counts as unset.
        """
        scale = self.model.points[name].scale
        if scale is None:
            return 0
        factor = self.number(scale)
        return factor if factor is not None and abs(factor) <= SCALE_MAX else None

    def value(self, name: str) -> float | None:
        """Return a point's scaled value, None if it or its scale factor is not implemented."""
        raw, scale = self.raw(name), self.scale_factor(name)
        if isinstance(raw, float):
            return raw
        return from_raw(raw, scale) if isinstance(raw, int) and scale is not None else None


def runs_of(points: Iterable[Point], most: int) -> list[list[Point]]:
    """Return points in register order, parted into runs that lie back to back.

    Parameters
    ----------
    points : iterable of Point
        Of one model.
    most : int
        Registers of one run; a single point may have more.
    """
    runs: list[list[Point]] = []
    for point in sorted(points, key=lambda point: point.offset):
        if runs:
            begin, last = runs[-1][0].offset, runs[-1][-1]
            adjoins = last.offset + last.size == point.offset
            if adjoins and point.offset + point.size - begin <= most:
                runs[-1].append(point)
                continue
        runs.append([point])
    return runs
