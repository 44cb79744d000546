"""A SunSpec device as a driver sees it: models found by walking the map, blocks read, settings
written.

Nothing about the map is assumed: `sunspec_walk` finds the models, and one that repeats is laid out
by the counts that the device states. Every setting is saved as found before its first write,
written with FC16, and read back; `restore` writes what was saved, latest first, and reads it back
too, except for what was forgotten because the safe state has the last word on it.

A scale factor may change at any moment. What one request brings is of one moment; where a read
needs several, no point is cut in two, and every value lies between two readings of its scale
factor that agree, or the read is done again, `READS_MAX` times.

Known gap: a scale factor that changes and changes back within one read of several requests is not
seen.
"""

from collections.abc import Iterable, Mapping, Sequence

from gridrig.devices.as_found import AsFound
from gridrig.devices.capabilities import Identity
from gridrig.devices.drivers.modbus_line import ModbusLine, Patience, join_line
from gridrig.devices.drivers.sunspec_walk import Placed, find_base, walk
from gridrig.devices.links import ModbusLink
from gridrig.devices.wire.sunspec import (
    HEADER,
    READ_COUNT_MAX,
    WRITE_COUNT_MAX,
    Model,
    ModelRegisters,
    Point,
    runs_of,
)
from gridrig.devices.wire.sunspec_definitions import (
    BY_LENGTH,
    ModelDefinition,
    standard_definitions,
)
from gridrig.errors import DriverError

READS_MAX = 3


class SunSpecDevice:
    """One unit with a SunSpec map.

    Parameters
    ----------
    name : str
        Device name, for errors.
    link : ModbusTcpLink or ModbusRtuLink
        Where it is.
    patience : Patience
        Time-out and retries of every request.
    read_count_max : int
        Most registers the device gives in one reply.
    vendor_models : iterable of ModelDefinition
        Models beyond the standard ones.
    """

    def __init__(
        self,
        name: str,
        link: ModbusLink,
        patience: Patience,
        *,
        read_count_max: int = READ_COUNT_MAX,
        vendor_models: Iterable[ModelDefinition] = (),
    ) -> None:
        self.name = name
        self.link = link
        self.patience = patience
        self._read_count_max = read_count_max
        self._known = {**standard_definitions(), **{m.id: m for m in vendor_models}}
        self._line: ModbusLine | None = None
        self._found: dict[int, list[Placed]] = {}
        self._shapes: dict[int, Model] = {}  # by the address of the ID
        self.found = AsFound()  # registers by address, curves by function

    async def open(self) -> None:
        """Connect and walk the map; opening twice is allowed.

        Raises
        ------
        DriverError
            `sunspec.no_map`, `sunspec.map_too_long`, or what the wire said.
        """
        if self._line is not None:
            return
        self._line = join_line(self.link, self.name)
        try:
            self._shapes.clear()
            base = await find_base(self.name, self._read)
            self._line.probe_at(self.link.unit, (base,))
            self._found = await walk(self.name, self._read, base)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Leave the wire; closing twice is allowed."""
        line, self._line = self._line, None
        if line is not None:
            await line.leave()

    def has(self, model_id: int) -> bool:
        """Return whether the device has a model."""
        return model_id in self._found

    def require(self, model_id: int) -> None:
        """Refuse a device that lacks a model.

        Raises
        ------
        DriverError
            `driver.unsupported`.
        """
        self._placed(model_id)

    async def identity(self) -> Identity:
        """Return the common model's names."""
        common = await self.read(1)
        return Identity(common.text("Mn"), common.text("Md"), common.text("SN"), common.text("Vr"))

    async def model(self, model_id: int, instance: int = 0) -> Model:
        """Return what the registers of a model mean on this device.

        Raises
        ------
        DriverError
            `sunspec.shape`, if a repeating model's length is not what its counts make it; or
            `driver.unsupported`, or what the wire said.
        """
        placed, definition = self._placed(model_id, instance), self._known[model_id]
        if not definition.counts:
            return definition.model()
        shape = self._shapes.get(placed.address)
        if shape is None:
            head, counts = definition.head, {}
            names = [name for name in definition.counts if name != BY_LENGTH]
            if names:
                count = min(placed.length, head.length) + HEADER
                parts = self._parts(head, 0, count)
                found = ModelRegisters(head, await self._pieces(placed.address, parts))
                counts = {name: found.number(name) or 0 for name in names}
            try:
                shape = definition.fitting(placed.length, counts)
            except ValueError as error:
                raise DriverError(
                    "sunspec.shape",
                    "{device}: {cause}",
                    device=self.name,
                    model=model_id,
                    cause=str(error),
                ) from error
            self._shapes[placed.address] = shape
        return shape

    async def read(
        self, model_id: int, first: int = 0, count: int | None = None, *, instance: int = 0
    ) -> ModelRegisters:
        """Read registers of a model, by default all that its definition and the device have.

        A read that begins with the ID is checked to be that model still: a device that came back
        with another map is an error, not a value.

        Parameters
        ----------
        model_id : int
            The model.
        first : int
            Offset of the first register from the model's ID.
        count : int or None
            How many, None for all.
        instance : int
            Which of several models of one number, in map order.

        Raises
        ------
        DriverError
            `sunspec.map_changed`, `sunspec.scale_changed` (scale factors did not hold still),
            `driver.unsupported`, or what the wire said.
        """
        placed, model = self._placed(model_id, instance), await self.model(model_id, instance)
        most = min(placed.length, model.length) + HEADER - first
        count = most if count is None else min(count, most)
        parts = self._parts(model, first, count)
        if len(parts) == 1:
            registers = await self._pieces(placed.address, parts)
        else:
            registers = await self._still(placed.address, model, parts)
        if first == 0 and registers[:HEADER] != [model_id, placed.length][:count]:
            raise DriverError(
                "sunspec.map_changed",
                "{device}: model {model} was at {address}, now {found} is there",
                device=self.name,
                model=model_id,
                address=placed.address,
                found=registers[:HEADER],
            )
        return ModelRegisters(model, registers, first)

    async def write(self, model_id: int, raw: Mapping[str, int]) -> None:
        """Write points, saved before the first time, read back after.

        Points that lie back to back go out in one request, in the order of their registers.

        Parameters
        ----------
        model_id : int
            The model.
        raw : mapping of str to int
            Raw values by point.

        Raises
        ------
        DriverError
            Kind "limit" if a value does not fit its point, before anything is sent; kind
            "readback" if the device holds something else afterwards.
        """
        model, placed = await self.model(model_id), self._placed(model_id)
        requests = []
        for run in runs_of([model.points[name] for name in raw], WRITE_COUNT_MAX):
            registers = self._encoded(run, raw)
            names = ", ".join(point.name for point in run)
            requests.append((placed.address + run[0].offset, registers, names))
        for address, registers, names in requests:
            await self._save(address, len(registers))
            await self._write_and_compare(address, registers, names)

    async def write_unsaved(
        self, model_id: int, raw: Mapping[str, int], patience: Patience, *, instance: int = 0
    ) -> None:
        """Write points that are commands, not settings: nothing to save and nothing to compare."""
        model, placed = await self.model(model_id, instance), self._placed(model_id, instance)
        for run in runs_of([model.points[name] for name in raw], WRITE_COUNT_MAX):
            address = placed.address + run[0].offset
            await self._wire().write(self.link.unit, address, self._encoded(run, raw), patience)

    async def write_register(self, address: int, value: int) -> None:
        """Write one register that no model describes, as a setting: saved, and read back."""
        await self._save(address, 1)
        await self._write_and_compare(address, [value], f"register {address}")

    async def read_register(self, address: int) -> int:
        """Return one register that no model describes."""
        return (await self._read(address, 1))[0]

    async def restore(self) -> None:
        """Write every setting back as found, latest first, each read back.

        Every setting is tried even when one fails; the first failure is raised at the end.
        """
        failures: list[DriverError] = []
        for address, registers in reversed(self._saved_blocks()):
            try:
                await self._write_and_compare(address, registers, f"register {address}")
            except DriverError as error:
                failures.append(error)
                continue
            self._drop_saved(address, len(registers))
        if failures:
            raise failures[0]

    def forget(self, model_id: int, names: Iterable[str]) -> None:
        """Let `restore` leave these points as they are."""
        if self.has(model_id):
            for name in names:
                point = self._known[model_id].head.points[name]
                self._drop_saved(self._placed(model_id).address + point.offset, point.size)

    def _parts(self, model: Model, first: int, count: int) -> list[tuple[int, int]]:
        """Return (offset, count) of the requests of a read, none of which cuts a point."""
        most, end, parts = self._read_count_max, first + count, []
        at = first
        while at < end:
            size = min(end - at, most)
            if at + size < end:
                point = model.at(at + size)
                if point is not None and at < point.offset < at + size and point.size <= most:
                    size = point.offset - at
            parts.append((at, size))
            at += size
        return parts

    async def _pieces(self, address: int, parts: Sequence[tuple[int, int]]) -> list[int]:
        registers: list[int] = []
        for offset, size in parts:
            registers += await self._read(address + offset, size)
        return registers

    async def _still(
        self, address: int, model: Model, parts: Sequence[tuple[int, int]]
    ) -> list[int]:
        """Read several parts with the scale factors the same before, between and after."""
        first, end = parts[0][0], parts[-1][0] + parts[-1][1]
        inside = [
            p for p in model.points.values() if first <= p.offset and p.offset + p.size <= end
        ]
        used = {point.scale for point in inside if point.scale is not None}
        factors = [point for point in model.points.values() if point.name in used]
        spans = [
            (run[0].offset, run[-1].offset + 1 - run[0].offset)
            for run in runs_of(factors, self._read_count_max)
        ]
        before = await self._pieces(address, spans)
        for _ in range(READS_MAX):
            registers = await self._pieces(address, parts)
            after = await self._pieces(address, spans)
            between = [
                registers[point.offset - first] if first <= point.offset < end else None
                for point in factors
            ]
            if before == after and all(
                found in {None, known} for found, known in zip(between, after, strict=True)
            ):
                return registers
            before = after
        raise DriverError(
            "sunspec.scale_changed",
            "{device}: scale factors of model {model} changed during each of {reads} reads",
            device=self.name,
            model=model.id,
            reads=READS_MAX,
        )

    def _encoded(self, run: Sequence[Point], raw: Mapping[str, int]) -> list[int]:
        registers: list[int] = []
        for point in run:
            try:
                registers += point.encode(raw[point.name])
            except ValueError as error:
                raise DriverError(
                    "driver.limit",
                    "{device}: {cause}",
                    kind="limit",
                    device=self.name,
                    cause=str(error),
                ) from error
        return registers

    async def _save(self, address: int, count: int) -> None:
        if all(str(register) in self.found for register in range(address, address + count)):
            return
        found = await self._read(address, count)
        await self.found.note({str(address + k): value for k, value in enumerate(found)})

    def _drop_saved(self, address: int, count: int) -> None:
        self.found.drop(str(register) for register in range(address, address + count))

    def _saved_blocks(self) -> list[tuple[int, list[int]]]:
        """Return what was saved as blocks of registers saved one after the other."""
        blocks: list[tuple[int, list[int]]] = []
        for name, value in self.found.items():
            if not name.isdecimal():
                continue  # a curve, which is not restored by its registers
            register = int(name)
            if blocks and register == blocks[-1][0] + len(blocks[-1][1]):
                blocks[-1][1].append(value)
            else:
                blocks.append((register, [value]))
        return blocks

    async def _write_and_compare(self, address: int, registers: list[int], what: str) -> None:
        await self._wire().write(self.link.unit, address, registers, self.patience)
        found = await self._read(address, len(registers))
        if found != registers:
            raise DriverError(
                "driver.readback",
                "{device}: wrote {expected} to {what}, it holds {found}",
                kind="readback",
                device=self.name,
                what=what,
                expected=registers,
                found=found,
            )

    def _placed(self, model_id: int, instance: int = 0) -> Placed:
        if instance >= len(self._found.get(model_id, ())):
            raise DriverError(
                "driver.unsupported",
                "{device} has no SunSpec model {model}, only {found}",
                device=self.name,
                model=model_id,
                found=sorted(self._found),
            )
        return self._found[model_id][instance]

    async def _read(self, address: int, count: int) -> list[int]:
        return await self._wire().read(self.link.unit, address, count, self.patience)

    def _wire(self) -> ModbusLine:
        if self._line is None:
            raise DriverError(
                "driver.closed", "{device} is not open", kind="unavailable", device=self.name
            )
        return self._line
