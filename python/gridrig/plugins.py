"""Classes of installed packages by entry-point name; only what is asked for is loaded.

Invariants: nothing is imported when the offers are listed; one name offered by two packages is an
error naming both, never a choice; a package that fails to load is an error with its cause.
"""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points

from gridrig.errors import GridrigError
from gridrig.suggestions import near_miss, one_of


class Plugins:
    """What the installed packages offer.

    Parameters
    ----------
    points : iterable of EntryPoint
        Entry points of the groups of `what`.
    what : mapping of str to str
        What a group's entries are called, by group.
    error : type of GridrigError
        Raised with the codes `CODE_unknown`, `CODE_twice`, `CODE_broken`.
    code : str
        Their common part.
    """

    def __init__(
        self,
        points: Iterable[EntryPoint],
        *,
        what: Mapping[str, str],
        error: type[GridrigError],
        code: str,
    ) -> None:
        self._what = what
        self._error = error
        self._code = code
        self._points: dict[tuple[str, str], list[EntryPoint]] = {}
        self._loaded: dict[tuple[str, str], type] = {}
        for point in points:
            held = self._points.setdefault((point.group, point.name), [])
            # One package found twice on sys.path is still one package.
            if all(_offer(point) != _offer(other) for other in held):
                held.append(point)

    def names(self, group: str) -> tuple[str, ...]:
        """Return the names a group offers, sorted."""
        return tuple(sorted(name for held, name in self._points if held == group))

    def load(self, group: str, name: str) -> type:
        """Return the class registered under a name.

        Raises
        ------
        GridrigError
            `..._unknown`, `..._twice` or `..._broken`; facts `found`, `expected` and
            `near` say it for an issue.
        """
        if (group, name) in self._loaded:
            return self._loaded[group, name]
        points = self._points.get((group, name), [])
        what = self._what[group]
        if not points:
            known = self.names(group)
            near = near_miss(name, known)
            found = f"{what} {name!r}, which nobody registered"
            raise self._refusal("unknown", found, one_of(known), near)
        if len(points) > 1:
            found = f"{what} {name!r} from {' and '.join(_offer(point) for point in points)}"
            raise self._refusal("twice", found, "one package that offers it")
        loaded = self._import(points[0], what)
        self._loaded[group, name] = loaded
        return loaded

    def _import(self, point: EntryPoint, what: str) -> type:
        offer = f"{what} {point.name!r} from {_offer(point)}"
        # Whatever a stranger's package raises while it is imported is the cause to show.
        try:
            loaded = point.load()
        except Exception as error:
            found = f"{offer}, which fails to load: {type(error).__name__}: {error}"
            expected = "a package that imports; reinstall it with its dependencies"
            raise self._refusal("broken", found, expected) from error
        if not isinstance(loaded, type):
            found, expected = f"{offer}, which is not a class", "an entry point that names a class"
            raise self._refusal("broken", found, expected)
        return loaded

    def _refusal(
        self, what: str, found: str, expected: str, near: str | None = None
    ) -> GridrigError:
        return self._error(
            f"{self._code}_{what}",
            "{found}: expected {expected}",
            found=found,
            expected=expected,
            near=near,
        )


def installed(*groups: str) -> list[EntryPoint]:
    """Return the entry points of the running Python's packages."""
    return [point for group in groups for point in entry_points(group=group)]


def _offer(point: EntryPoint) -> str:
    package = point.dist.name if point.dist is not None else "an unknown package"
    return f"{package} ({point.value})"
