"""Drivers and emulators by entry-point name; only what a rig names is loaded.

Invariants: nothing is imported when the registry is made; one name offered by two packages is an
error naming both, never a choice; a package that fails to load is an error with its cause.
"""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Literal

from gridrig.errors import RigError
from gridrig.rig.issues import near_miss, one_of

Group = Literal["gridrig.drivers", "gridrig.emulators"]
DRIVERS: Group = "gridrig.drivers"
EMULATORS: Group = "gridrig.emulators"
_WHAT = {DRIVERS: "driver", EMULATORS: "emulator"}


class Registry:
    """What the installed packages offer.

    Parameters
    ----------
    points : iterable of EntryPoint
        Entry points of the groups `gridrig.drivers` and `gridrig.emulators`.
    """

    def __init__(self, points: Iterable[EntryPoint]) -> None:
        self._points: dict[tuple[str, str], list[EntryPoint]] = {}
        self._loaded: dict[tuple[str, str], type] = {}
        for point in points:
            held = self._points.setdefault((point.group, point.name), [])
            # One package found twice on sys.path is still one package.
            if all(_offer(point) != _offer(other) for other in held):
                held.append(point)

    @classmethod
    def installed(cls) -> "Registry":
        """Return the registry of the running Python's packages."""
        return cls([*entry_points(group=DRIVERS), *entry_points(group=EMULATORS)])

    def names(self, group: Group) -> tuple[str, ...]:
        """Return the names a group offers, sorted."""
        return tuple(sorted(name for held, name in self._points if held == group))

    def load(self, group: Group, name: str) -> type:
        """Return the class registered under a name.

        Raises
        ------
        RigError
            `rig.plugin_unknown`, `rig.plugin_twice` or `rig.plugin_broken`; facts `found`,
            `expected` and `near` say it for an issue.
        """
        if (group, name) in self._loaded:
            return self._loaded[group, name]
        points = self._points.get((group, name), [])
        what = _WHAT[group]
        if not points:
            known = self.names(group)
            raise RigError(
                "rig.plugin_unknown",
                "{found}: expected {expected}",
                found=f"{what} {name!r}, which nobody registered",
                expected=one_of(known),
                near=near_miss(name, known),
            )
        if len(points) > 1:
            raise RigError(
                "rig.plugin_twice",
                "{found}: expected {expected}",
                found=f"{what} {name!r} from {' and '.join(_offer(point) for point in points)}",
                expected="one package that offers it",
                near=None,
            )
        loaded = self._import(points[0], what)
        self._loaded[group, name] = loaded
        return loaded

    def _import(self, point: EntryPoint, what: str) -> type:
        # Whatever a stranger's package raises while it is imported is the cause to show.
        try:
            loaded = point.load()
        except Exception as error:
            raise RigError(
                "rig.plugin_broken",
                "{found}: expected {expected}",
                found=f"{what} {point.name!r} from {_offer(point)}, which fails to load: "
                f"{type(error).__name__}: {error}",
                expected="a package that imports; reinstall it with its dependencies",
                near=None,
            ) from error
        if not isinstance(loaded, type):
            raise RigError(
                "rig.plugin_broken",
                "{found}: expected {expected}",
                found=f"{what} {point.name!r} from {_offer(point)}, which is not a class",
                expected="an entry point that names a class",
                near=None,
            )
        return loaded


def _offer(point: EntryPoint) -> str:
    package = point.dist.name if point.dist is not None else "an unknown package"
    return f"{package} ({point.value})"
