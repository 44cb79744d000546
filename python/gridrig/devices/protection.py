"""What protects people and the grid from an inverter: looked at before and after every use."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

ANTI_ISLANDING = "anti_islanding"


@runtime_checkable
class Protected(Protocol):
    """An inverter that tells how its protection is set."""

    async def read_protection(self) -> Mapping[str, object]:
        """Return each protection that it has as it is in force, to be compared for equality.

        `ANTI_ISLANDING` is whether unintentional islands are detected; the others are trip
        functions, by the names that `GridSupport.functions` has.
        """
