"""The registers of an emulated SunSpec device, generated from its declared points.

A block is one model: every point begins as "not implemented", what the device implements is set.
Before a read the block refreshes itself from the device; after a write that touched only writable
points the block commits it to the device, which may refuse it, and then nothing has changed.
Points of a sync group are written together or refused with exception 3.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence

from pymodbus.constants import ExcCodes

from gridrig.devices.wire.sunspec import (
    END_ID,
    MARKER,
    Model,
    Point,
    Raw,
    from_raw,
    to_raw,
)

Commit = Callable[[frozenset[str]], ExcCodes | None]


class ModelBlock:
    """One model of a device's map.

    Parameters
    ----------
    model : Model
        The points.
    scale : mapping of str to int
        Scale factor points that are implemented, by name.
    values : mapping of str to float or str
        Points with a value from the start; numbers are scaled.
    writable : collection of str
        Points a client may write on this device.
    refresh : callable or None
        Called before a read, to set what changed.
    commit : callable or None
        Called after a write with the names of the points it touched; returns the exception that
        refuses it, None when it has taken effect.
    """

    def __init__(
        self,
        model: Model,
        *,
        scale: Mapping[str, int] | None = None,
        values: Mapping[str, float | str] | None = None,
        writable: Collection[str] = (),
        refresh: Callable[["ModelBlock"], None] | None = None,
        commit: Commit | None = None,
    ) -> None:
        self.model = model
        self.refresh = refresh
        self.commit = commit
        self.registers: list[int] = []
        for point in model.points.values():
            self.registers += point.encode(None)
        self._points = list(model.points.values())
        self._offsets = [point.offset for point in self._points]
        self._writable = frozenset(writable)
        groups = {point.sync for point in self._points if point.sync is not None}
        self._synced = [frozenset(p.name for p in self._points if p.sync == g) for g in groups]
        self._scale: dict[str, int] = {}
        self.set_raw("ID", model.id)
        self.set_raw("L", model.length)
        for name, factor in (scale or {}).items():
            self.set_scale(name, factor)
        for name, value in (values or {}).items():
            if isinstance(value, str):
                self.set_raw(name, value)
            else:
                self.set_value(name, value)

    def set_raw(self, name: str, raw: Raw | None) -> None:
        """Set a point's raw value; None is "not implemented"."""
        point = self.model.points[name]
        self.registers[point.offset : point.offset + point.size] = point.encode(raw)

    def set_scale(self, name: str, factor: int) -> None:
        """Set a scale factor point; values set from now on use it."""
        self._scale[name] = factor
        self.set_raw(name, factor)

    def rescale(self, name: str, factor: int) -> None:
        """Change a scale factor in use: what it scales keeps its value, as near as it can."""
        scaled = [point.name for point in self._points if point.scale == name]
        values = {point: self.value(point) for point in scaled}
        self.set_scale(name, factor)
        for point, value in values.items():
            if value is not None:
                self.set_value(point, value)

    def set_value(self, name: str, value: float) -> None:
        """Set a point by its scaled value; beyond the range of its type it stays at the end."""
        point = self.model.points[name]
        if point.kind == "float":
            self.set_raw(name, float(value))
            return
        low, high = point.bounds
        raw = to_raw(value, self._factor(point))
        self.set_raw(name, min(max(raw, low), high))

    def raw(self, name: str) -> Raw | None:
        """Return a point's raw value."""
        point = self.model.points[name]
        return point.decode(self.registers[point.offset : point.offset + point.size])

    def value(self, name: str) -> float | None:
        """Return a point's scaled value, None if not implemented."""
        raw = self.raw(name)
        return (
            from_raw(raw, self._factor(self.model.points[name])) if isinstance(raw, int) else None
        )

    def touched(self, first: int, count: int) -> list[Point]:
        """Return the points that registers first..first+count-1 belong to."""
        begin = bisect_right(self._offsets, first) - 1
        end = bisect_right(self._offsets, first + count - 1)
        return self._points[begin:end]

    def write(self, first: int, values: Sequence[int]) -> ExcCodes | None:
        """Write registers from offset `first`; all take effect or none."""
        names = frozenset(point.name for point in self.touched(first, len(values)))
        if not names <= self._writable:
            return ExcCodes.ILLEGAL_ADDRESS
        if any(names & group and not group <= names for group in self._synced):
            return ExcCodes.ILLEGAL_VALUE
        before = self.registers[first : first + len(values)]
        self.registers[first : first + len(values)] = values
        refused = None if self.commit is None else self.commit(names)
        if refused is not None:
            self.registers[first : first + len(values)] = before
        return refused

    def _factor(self, point: Point) -> int:
        return 0 if point.scale is None else self._scale[point.scale]


class SunSpecImage:
    """Blocks back to back from a base, between the marker and the end model.

    Parameters
    ----------
    blocks : sequence of ModelBlock
        In map order; the common model comes first.
    base : int
        Register of the marker.
    end_model : bool
        Whether the end model closes the map; some devices have none.
    """

    def __init__(self, blocks: Sequence[ModelBlock], base: int, *, end_model: bool = True) -> None:
        self.base = base
        self._tail = (END_ID, 0) if end_model else ()
        self._blocks = list(blocks)
        self._starts: list[int] = []
        at = base + len(MARKER)
        for block in self._blocks:
            self._starts.append(at)
            at += len(block.registers)
        self._end = at + len(self._tail)

    def read(self, address: int, count: int) -> Sequence[int] | ExcCodes:
        """Return registers, refreshed; outside the map there is exception 2."""
        if address < self.base or address + count > self._end:
            return ExcCodes.ILLEGAL_ADDRESS
        first = bisect_right(self._starts, address) - 1
        if first >= 0:
            block, offset = self._blocks[first], address - self._starts[first]
            if offset + count <= len(block.registers):  # the usual read lies inside one model
                if block.refresh is not None:
                    block.refresh(block)
                return block.registers[offset : offset + count]
        whole = [*MARKER]
        for start, block in zip(self._starts, self._blocks, strict=True):
            if (
                block.refresh is not None
                and start < address + count
                and address < start + len(block.registers)
            ):
                block.refresh(block)
            whole += block.registers
        whole += self._tail
        return whole[address - self.base : address - self.base + count]

    def touched(self, address: int, count: int) -> list[tuple[int, str]]:
        """Return model and point of everything that registers belong to."""
        found: list[tuple[int, str]] = []
        for start, block in zip(self._starts, self._blocks, strict=True):
            first, end = max(address - start, 0), min(address + count - start, len(block.registers))
            if first < end:
                points = block.touched(first, end - first)
                found += [(block.model.id, point.name) for point in points]
        return found

    def write(self, address: int, values: Sequence[int]) -> ExcCodes | None:
        """Write registers inside one model; anything else is exception 2."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return ExcCodes.ILLEGAL_ADDRESS
        block, offset = self._blocks[index], address - self._starts[index]
        if offset + len(values) > len(block.registers):
            return ExcCodes.ILLEGAL_ADDRESS
        return block.write(offset, values)
