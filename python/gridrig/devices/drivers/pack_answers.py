"""How the drivers of battery managers recognise an answer among the events of a line."""

from collections.abc import Callable
from typing import Any, TypeVar

from gridrig.devices.drivers.serial_line import Unfit
from gridrig.devices.wire.pack_frames import Dropped, Malformed

T = TypeVar("T")


def accepting(judge: Callable[[Any], T | Malformed | Unfit]) -> Callable[[object], T | Unfit]:
    """Return what takes an event of a decoder and answers a value, or why it is none.

    Parameters
    ----------
    judge : callable
        Takes a whole frame; what its content cannot mean is no answer either.
    """

    def accept(event: object) -> T | Unfit:
        if isinstance(event, Dropped):
            return Unfit(event.reason)
        value = judge(event)
        return Unfit(value.reason) if isinstance(value, Malformed) else value

    return accept
