"""Drivers and emulators by entry-point name; only what a rig names is loaded."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint
from typing import Literal

from gridrig.errors import RigError
from gridrig.plugins import Plugins, installed

Group = Literal["gridrig.drivers", "gridrig.emulators"]
DRIVERS: Group = "gridrig.drivers"
EMULATORS: Group = "gridrig.emulators"


class Registry(Plugins):
    """What the installed packages offer; refusals are `RigError`s, `rig.plugin_...`.

    Parameters
    ----------
    points : iterable of EntryPoint
        Entry points of the groups `gridrig.drivers` and `gridrig.emulators`.
    """

    def __init__(self, points: Iterable[EntryPoint]) -> None:
        super().__init__(
            points,
            what={DRIVERS: "driver", EMULATORS: "emulator"},
            error=RigError,
            code="rig.plugin",
        )

    @classmethod
    def installed(cls) -> "Registry":
        """Return the registry of the running Python's packages."""
        return cls(installed(DRIVERS, EMULATORS))
