"""A SunSpec device as a driver sees it: models found by walking the map, blocks read, settings
written.

Nothing about the map is assumed: the base is looked for at 40000, 0 and 50000, each model gives
its length. Every setting is saved as found before its first write, written with one FC16, and read
back; `restore` writes what was saved, latest first, and reads it back too, except for what was
forgotten because the safe state has the last word on it.

Limits: 64 models, and the addresses of Modbus.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gridrig.devices.capabilities import Identity
from gridrig.devices.drivers.modbus_line import ModbusLine, Patience, join_line
from gridrig.devices.links import ModbusLink
from gridrig.devices.wire.sunspec import (
    BASES,
    END_ID,
    HEADER,
    MARKER,
    READ_COUNT_MAX,
    Model,
    ModelRegisters,
    joined,
    standard_models,
)
from gridrig.errors import DriverError

MODELS_MAX = 64
ADDRESS_MAX = 0xFFFF


@dataclass(frozen=True)
class Placed:
    """A model found in a device: where its ID register is, and its length."""

    address: int
    length: int


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
    vendor_models : mapping of int to Model
        Models beyond the standard ones.
    """

    def __init__(
        self,
        name: str,
        link: ModbusLink,
        patience: Patience,
        *,
        read_count_max: int = READ_COUNT_MAX,
        vendor_models: Mapping[int, Model] | None = None,
    ) -> None:
        self.name = name
        self.link = link
        self.patience = patience
        self._read_count_max = read_count_max
        self._known = {**standard_models(), **(vendor_models or {})}
        self._line: ModbusLine | None = None
        self._found: dict[int, Placed] = {}
        self._saved: dict[int, int] = {}  # address: register as found, in order of writing

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
            base = await self._find_base()
            self._line.probe_at(self.link.unit, (base,))
            await self._walk(base + len(MARKER))
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

    async def read(self, model_id: int, first: int = 0, count: int | None = None) -> ModelRegisters:
        """Read registers of a model, by default all that its definition and the device have.

        A read that begins with the ID is checked to be that model still: a device that came back
        with another map is an error, not a value.

        Raises
        ------
        DriverError
            `sunspec.map_changed`, `driver.unsupported`, or what the wire said.
        """
        placed, model = self._placed(model_id), self._known[model_id]
        most = min(placed.length, model.length) + HEADER - first
        count = most if count is None else min(count, most)
        registers: list[int] = []
        while len(registers) < count:
            address = placed.address + first + len(registers)
            size = min(count - len(registers), self._read_count_max)
            registers += await self._wire().read(self.link.unit, address, size, self.patience)
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
        """Write points that lie back to back, saved before the first time, read back after.

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
        model, placed = self._known[model_id], self._placed(model_id)
        first, _ = joined([model.points[name] for name in raw])
        registers: list[int] = []
        for name, value in sorted(raw.items(), key=lambda item: model.points[item[0]].offset):
            try:
                registers += model.points[name].encode(value)
            except ValueError as error:
                raise DriverError(
                    "driver.limit",
                    "{device}: {cause}",
                    kind="limit",
                    device=self.name,
                    cause=str(error),
                ) from error
        address = placed.address + first
        await self._save(address, len(registers))
        await self._write_and_compare(address, registers, ", ".join(raw))

    async def write_unsaved(
        self, model_id: int, raw: Mapping[str, int], patience: Patience
    ) -> None:
        """Write points that are commands, not settings: nothing to save and nothing to compare."""
        model, placed = self._known[model_id], self._placed(model_id)
        first, _ = joined([model.points[name] for name in raw])
        registers: list[int] = []
        for name, value in sorted(raw.items(), key=lambda item: model.points[item[0]].offset):
            registers += model.points[name].encode(value)
        await self._wire().write(self.link.unit, placed.address + first, registers, patience)

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
                point = self._known[model_id].points[name]
                self._drop_saved(self._found[model_id].address + point.offset, point.size)

    async def _save(self, address: int, count: int) -> None:
        if all(register in self._saved for register in range(address, address + count)):
            return
        found = await self._wire().read(self.link.unit, address, count, self.patience)
        for register, value in enumerate(found, address):
            self._saved.setdefault(register, value)

    def _drop_saved(self, address: int, count: int) -> None:
        for register in range(address, address + count):
            self._saved.pop(register, None)

    def _saved_blocks(self) -> list[tuple[int, list[int]]]:
        """Return what was saved as blocks of registers saved one after the other."""
        blocks: list[tuple[int, list[int]]] = []
        for register, value in self._saved.items():
            if blocks and register == blocks[-1][0] + len(blocks[-1][1]):
                blocks[-1][1].append(value)
            else:
                blocks.append((register, [value]))
        return blocks

    async def _write_and_compare(self, address: int, registers: list[int], what: str) -> None:
        wire, unit = self._wire(), self.link.unit
        await wire.write(unit, address, registers, self.patience)
        found = await wire.read(unit, address, len(registers), self.patience)
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

    async def _find_base(self) -> int:
        seen: dict[int, object] = {}
        for base in BASES:
            try:
                marker = await self._wire().read(self.link.unit, base, len(MARKER), self.patience)
            except DriverError as error:
                if error.kind != "refused":
                    raise
                seen[base] = error.message
                continue
            if tuple(marker) == MARKER:
                return base
            seen[base] = marker
        raise DriverError(
            "sunspec.no_map", "{device}: no SunS marker: {seen}", device=self.name, seen=seen
        )

    async def _walk(self, address: int) -> None:
        self._found.clear()
        for _ in range(MODELS_MAX):
            if address + HEADER > ADDRESS_MAX + 1:
                break
            try:
                model_id, length = await self._wire().read(
                    self.link.unit, address, HEADER, self.patience
                )
            except DriverError as error:
                if error.kind == "refused" and self._found:
                    return  # some devices have no end model
                raise
            if model_id == END_ID:
                return
            self._found.setdefault(model_id, Placed(address, length))
            address += HEADER + length
        raise DriverError(
            "sunspec.map_too_long",
            "{device}: no end model within {most} models and the address space",
            device=self.name,
            most=MODELS_MAX,
        )

    def _placed(self, model_id: int) -> Placed:
        if model_id not in self._found:
            raise DriverError(
                "driver.unsupported",
                "{device} has no SunSpec model {model}, only {found}",
                device=self.name,
                model=model_id,
                found=sorted(self._found),
            )
        return self._found[model_id]

    def _wire(self) -> ModbusLine:
        if self._line is None:
            raise DriverError(
                "driver.closed", "{device} is not open", kind="unavailable", device=self.name
            )
        return self._line
