"""What the drivers of signing meters share: setting a clock, waiting for what was signed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from gridrig.devices.drivers.sunspec_map import SunSpecDevice
from gridrig.errors import DriverError

EPOCH = "Epoch"
T = TypeVar("T")


async def set_clock(
    device: SunSpecDevice, model: int, values: Mapping[str, int], tolerance_s: int
) -> None:
    """Set a meter's clock, `Epoch` of a model, and read it back. [s]

    Raises
    ------
    DriverError
        `driver.limit` for a time that its register does not hold, before anything is sent; kind
        "readback" if it shows another one.
    """
    utc_s = values[EPOCH]
    if not 0 < utc_s < 0xFFFFFFFF:
        raise DriverError(
            "driver.limit",
            "{device}: time {found} does not fit the meter's clock",
            kind="limit",
            device=device.name,
            found=utc_s,
        )
    await device.write_unsaved(model, values, device.patience)
    point = (await device.model(model)).points[EPOCH]
    found = (await device.read(model, point.offset, point.size)).number(EPOCH)
    if found is None or abs(found - utc_s) > tolerance_s:
        raise DriverError(
            "driver.readback",
            "{device}: clock set to {expected}, it shows {found}",
            kind="readback",
            device=device.name,
            expected=utc_s,
            found=found,
        )


async def signed(
    device: SunSpecDevice,
    look: Callable[[], Awaitable[T | None]],
    *,
    limit_s: float,
    poll_s: float,
    lost: DriverError | None,
) -> T:
    """Look until something is signed, and return what was seen then.

    Parameters
    ----------
    look : callable
        Returns what it sees once that is signed, None until then.
    limit_s, poll_s : float
        Until it must be, and between two looks. [s]
    lost : DriverError or None
        Why the acknowledgement of the request is missing, if it is.

    Raises
    ------
    DriverError
        `meter.sign_timeout` kind "timeout".
    """
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + limit_s
    while (found := await look()) is None:
        if loop.time() >= deadline_s:
            raise DriverError(
                "meter.sign_timeout",
                "{device}: no record within {limit_s} s",
                kind="timeout",
                device=device.name,
                limit_s=limit_s,
            ) from lost
        await asyncio.sleep(poll_s)
    return found


async def asked_once(asking: Awaitable[None]) -> DriverError | None:
    """Ask a meter to sign; return why its acknowledgement is missing, None if it came.

    The request is never repeated: whether it was taken shows in what the meter counts.
    """
    try:
        await asking
    except DriverError as error:
        if error.kind not in {"timeout", "framing"}:
            raise
        return error
    return None
