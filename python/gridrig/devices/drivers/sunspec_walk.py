"""Where a device's SunSpec models are: the marker is looked for, then lengths lead from each to the
next.

Limits: 64 models, and the addresses of Modbus. A device without an end model refuses the read
behind its last one, which is taken for the end.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gridrig.devices.wire.sunspec import BASES, END_ID, HEADER, MARKER
from gridrig.errors import DriverError

MODELS_MAX = 64
ADDRESS_MAX = 0xFFFF
Read = Callable[[int, int], Awaitable[list[int]]]  # (address, count)


@dataclass(frozen=True)
class Placed:
    """A model found in a device: where its ID register is, and its length."""

    address: int
    length: int


async def find_base(device: str, read: Read) -> int:
    """Return the address of the marker "SunS": 40000, 0 or 50000.

    Raises
    ------
    DriverError
        `sunspec.no_map`, or what the wire said.
    """
    seen: dict[int, object] = {}
    for base in BASES:
        try:
            marker = await read(base, len(MARKER))
        except DriverError as error:
            if error.kind != "refused":
                raise
            seen[base] = error.message
            continue
        if tuple(marker) == MARKER:
            return base
        seen[base] = marker
    raise DriverError(
        "sunspec.no_map", "{device}: no SunS marker: {seen}", device=device, seen=seen
    )


async def walk(device: str, read: Read, base: int) -> dict[int, list[Placed]]:
    """Return the models behind a marker by number, several of one number in map order.

    Raises
    ------
    DriverError
        `sunspec.map_too_long`, or what the wire said.
    """
    found: dict[int, list[Placed]] = {}
    address = base + len(MARKER)
    for _ in range(MODELS_MAX):
        if address + HEADER > ADDRESS_MAX + 1:
            break
        try:
            model_id, length = await read(address, HEADER)
        except DriverError as error:
            if error.kind == "refused" and found:
                return found  # some devices have no end model
            raise
        if model_id == END_ID:
            return found
        found.setdefault(model_id, []).append(Placed(address, length))
        address += HEADER + length
    raise DriverError(
        "sunspec.map_too_long",
        "{device}: no end model within {most} models and the address space",
        device=device,
        most=MODELS_MAX,
    )
