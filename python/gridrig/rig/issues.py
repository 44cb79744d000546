"""Collecting everything wrong in a file at once, each with its place and its near miss."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gridrig.errors import Issue, RigError
from gridrig.suggestions import misspelt, near_miss, one_of, shown

__all__ = [
    "At",
    "Issues",
    "LocatedIssue",
    "Path",
    "misspelt",
    "near_miss",
    "one_of",
    "raise_issues",
    "shown",
]

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class LocatedIssue(Issue):
    """An issue that also knows its line.

    Parameters
    ----------
    line : int or None
        Line of the key, counted from 1; of the nearest table above it if the key is absent.
    """

    line: int | None = None

    def text(self) -> str:
        """Return the issue as one line for people, opening with `file:line`."""
        if self.line is None:
            return super().text()
        plain = super().text()
        return f"{self.file}:{self.line}{plain[len(self.file) :]}"


@dataclass(frozen=True)
class At:
    """One place in a file: its path for the machine, its key for people.

    Parameters
    ----------
    file : str
        File as the user named it.
    path : tuple of str and int
        Keys and indices from the top.
    text : str
        The same for people: `device 'pv-12'.limits.p_w_max`.
    lines : mapping of path to int
        Line of each key in the file.
    """

    file: str
    path: Path = ()
    text: str = ""
    lines: Mapping[Path, int] = field(default_factory=dict, repr=False)

    def key(self, name: str) -> "At":
        """Return the place of a key inside this table."""
        text = f"{self.text}.{name}" if self.text else name
        return At(self.file, (*self.path, name), text, self.lines)

    def item(self, index: int, label: object = None) -> "At":
        """Return the place of one element of this array, by its name where it has one."""
        named = isinstance(label, str) and label != ""
        text = f"{self.text} {label!r}" if named else f"{self.text}[{index}]"
        return At(self.file, (*self.path, index), text, self.lines)

    def line(self) -> int | None:
        """Return the line of this place, or of the nearest place above it."""
        path = self.path
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None


class Issues:
    """The issues of one file, in the order of its lines.

    Parameters
    ----------
    file : str
        File as the user named it, for issues that have no place in it.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[LocatedIssue] = []

    def add(self, at: At, found: str, expected: str, near: str | None = None) -> None:
        """Note one issue; the same issue twice is noted once."""
        issue = LocatedIssue(at.file, at.text, found, expected, near, line=at.line())
        if issue not in self._found:
            self._found.append(issue)

    def sorted(self) -> tuple[LocatedIssue, ...]:
        """Return all issues by line, those without a line last."""
        return tuple(sorted(self._found, key=lambda i: (i.line is None, i.line or 0)))

    def raise_if_any(self, code: str, what: str) -> None:
        """Raise all issues as one `RigError`, if there are any."""
        if self._found:
            raise_issues(code, what, self.sorted())


def raise_issues(code: str, what: str, issues: Iterable[Issue]) -> None:
    """Raise issues as one `RigError`; return if there are none."""
    found = tuple(issues)
    if found:
        many = "issue" if len(found) == 1 else "issues"
        raise RigError(
            code, "{what}: {count} {many}", issues=found, what=what, count=len(found), many=many
        )
