"""A table of a file becomes a frozen dataclass, or issues: the dataclass is the schema.

Field types say what is accepted: `int`, `float` (an integer will do), `str`, `bool`, `Literal`,
tuples, nested dataclasses, unions of dataclasses told apart by a `Literal` field (the tag), raw
tables (`dict`). `Annotated[float, Above(0)]` adds a bound. A `bool` is not a number, NaN and
infinity are refused, a field without a default must be there, an unknown key is an issue.
"""

import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from gridrig.rig.issues import At, Issues, misspelt, near_miss, one_of, shown

T = TypeVar("T")


class _Broken:
    """What a value becomes that has an issue."""


BROKEN = _Broken()


@dataclass(frozen=True)
class Bound:
    """A condition on a value and its words: "an integer " + `text`."""

    text: str
    holds: Callable[[Any], bool]


def above(low: float) -> Bound:
    """Bound a number from below, the bound itself refused."""
    return Bound(f"above {low}", lambda value: value > low)


def at_least(low: float) -> Bound:
    """Bound a number from below, the bound itself accepted."""
    return Bound(f"of at least {low}", lambda value: value >= low)


def between(low: float, high: float) -> Bound:
    """Bound a number on both sides, both bounds accepted."""
    return Bound(f"from {low} to {high}", lambda value: low <= value <= high)


NOT_EMPTY = Bound("that is not empty", lambda value: len(value) > 0)
Positive = Annotated[float, above(0)]
NotNegative = Annotated[float, at_least(0)]
Share = Annotated[float, between(0, 1)]
Name = Annotated[str, NOT_EMPTY]


@dataclass
class Draft(Generic[T]):
    """A record on its way: what was good so far, so that later checks need not wait for the rest.

    Parameters
    ----------
    of : type
        The dataclass it will be.
    at : At
        Its place.
    values : dict
        The fields that were good, defaults included.
    """

    of: type[T]
    at: At
    values: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """Return a good field, None if it has an issue."""
        return self.values.get(name)

    def text(self, name: str) -> str | None:
        """Return a good text field, None if it has an issue or is absent."""
        value = self.values.get(name)
        return value if isinstance(value, str) else None

    def build(self, **more: Any) -> T:
        """Return the finished record; call it only when there is no issue."""
        return self.of(**{**self.values, **more})


def read_draft(cls: type[T], table: object, at: At, issues: Issues) -> Draft[T]:
    """Read a table into the fields of a dataclass, noting every issue in it."""
    draft = Draft(cls, at)
    if not isinstance(table, Mapping):
        issues.add(at, shown(table), "a table")
        return draft
    hints = typing.get_type_hints(cls, include_extras=True)
    schema = {f.name: f for f in fields(cls) if f.init}  # type: ignore[arg-type]
    for key in table:
        if key not in schema:
            near = near_miss(key, schema)
            issues.add(at.key(key), "an unknown key", one_of(schema), near)
    for name, entry in schema.items():
        if name in table:
            value = read_value(hints[name], table[name], at.key(name), issues)
            if value is not BROKEN:
                draft.values[name] = value
        elif entry.default is not MISSING:
            draft.values[name] = entry.default
        elif entry.default_factory is not MISSING:
            draft.values[name] = entry.default_factory()
        elif name not in misspelt(table, schema):
            issues.add(at.key(name), "nothing", described(hints[name]))
    return draft


def read_drafts(
    cls: type[T], key: str, top: Draft[Any], issues: Issues, *, label: str = "name"
) -> list[Draft[T]]:
    """Read every table of an array of tables; `label` is the field by which issues name one."""
    at = top.at.key(key)
    return [
        read_draft(cls, table, at.item(index, label_of(table, label)), issues)
        for index, table in enumerate(top.get(key) or ())
    ]


def read_record(cls: type[T], table: object, at: At, issues: Issues) -> T | None:
    """Read a table into a dataclass; None if it has an issue, which is noted."""
    draft = read_draft(cls, table, at, issues)
    names = {f.name for f in fields(cls) if f.init}  # type: ignore[arg-type]
    return draft.build() if names <= draft.values.keys() else None


def read_value(hint: Any, found: object, at: At, issues: Issues) -> Any:
    """Read one value as its type says; `BROKEN` if it has an issue, which is noted."""
    bounds: tuple[Bound, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        bounds = tuple(extra for extra in extras if isinstance(extra, Bound))
    expected = described(hint, bounds)
    choices = _without_none(hint)
    if len(choices) > 1 and all(is_dataclass(choice) for choice in choices):
        return _read_tagged(choices, found, at, issues)
    for choice in choices:
        value = _read_plain(choice, found, at, issues)
        if value is not _NO_MATCH:
            break
    else:
        word = found if isinstance(found, str) else None
        near = near_miss(word, _words(choices)) if word is not None else None
        issues.add(at, shown(found), expected, near)
        return BROKEN
    if value is not BROKEN and not all(bound.holds(value) for bound in bounds):
        issues.add(at, shown(found), expected)
        return BROKEN
    return value


_NO_MATCH = _Broken()


def _read_plain(hint: Any, found: object, at: At, issues: Issues) -> Any:
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *extras = get_args(hint)
        value = _read_plain(inner, found, at, issues)
        bounds = [extra for extra in extras if isinstance(extra, Bound)]
        read = value is not BROKEN and value is not _NO_MATCH
        return value if not read or all(bound.holds(value) for bound in bounds) else _NO_MATCH
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(found, Mapping):
            return _NO_MATCH
        record = read_record(hint, found, at, issues)
        return BROKEN if record is None else record
    if origin is Literal:
        same = [c for c in get_args(hint) if c == found and type(c) is type(found)]
        return same[0] if same else _NO_MATCH
    if origin is tuple:
        return _read_array(hint, found, at, issues)
    if origin in (dict, Mapping) or hint in (dict, Mapping):
        return dict(found) if isinstance(found, Mapping) else _NO_MATCH
    if hint in (object, Any):
        return found
    if hint is bool:
        return found if isinstance(found, bool) else _NO_MATCH
    if isinstance(found, bool):
        return _NO_MATCH
    if hint is int:
        return found if isinstance(found, int) else _NO_MATCH
    if hint is float:
        return _finite(found) if isinstance(found, int | float) else _NO_MATCH
    if hint is str:
        return found if isinstance(found, str) else _NO_MATCH
    raise TypeError(f"{at.text}: the schema has a type nobody can write in a file: {hint!r}")


def _finite(found: float) -> Any:
    try:
        value = float(found)
    except OverflowError:
        return _NO_MATCH
    return value if math.isfinite(value) else _NO_MATCH


def _read_array(hint: Any, found: object, at: At, issues: Issues) -> Any:
    if not isinstance(found, list):
        return _NO_MATCH
    inner = get_args(hint)
    if len(inner) == 2 and inner[1] is Ellipsis:
        inner = (inner[0],) * len(found)
    if len(inner) != len(found):
        return _NO_MATCH
    values = [
        read_value(kind, value, at.item(index, label_of(value)), issues)
        for index, (kind, value) in enumerate(zip(inner, found, strict=True))
    ]
    return BROKEN if BROKEN in values else tuple(values)


def label_of(value: object, label: str = "name") -> object:
    """Return the name by which people know one element of an array, None if it has none."""
    return value.get(label) if isinstance(value, Mapping) else None


def tag_of(choices: tuple[Any, ...]) -> str:
    """Return the field whose single `Literal` tells the dataclasses of a union apart."""
    hints = [typing.get_type_hints(choice, include_extras=True) for choice in choices]
    for name in hints[0]:
        if all(get_origin(hint.get(name)) is Literal for hint in hints):
            return name
    raise TypeError(f"no field tells {choices!r} apart")


def _read_tagged(choices: tuple[Any, ...], found: object, at: At, issues: Issues) -> Any:
    tag = tag_of(choices)
    by_word = {
        word: choice
        for choice in choices
        for word in get_args(typing.get_type_hints(choice, include_extras=True)[tag])
    }
    if not isinstance(found, Mapping):
        issues.add(at, shown(found), f"a table with {tag} = {one_of(by_word)}")
        return BROKEN
    word = found.get(tag)
    if not isinstance(word, str) or word not in by_word:
        near = near_miss(word, by_word) if isinstance(word, str) else None
        text = "nothing" if word is None else shown(word)
        issues.add(at.key(tag), text, one_of(by_word), near)
        return BROKEN
    record = read_record(by_word[word], found, at, issues)
    return BROKEN if record is None else record


def _without_none(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(arg for arg in get_args(hint) if arg is not type(None))
    return (hint,)


def _words(choices: tuple[Any, ...]) -> list[str]:
    literals = [get_args(choice) for choice in choices if get_origin(choice) is Literal]
    return [word for words in literals for word in words if isinstance(word, str)]


_PLAIN = {bool: "true or false", int: "an integer", float: "a finite number", str: "a text"}


def described(hint: Any, bounds: tuple[Bound, ...] = ()) -> str:
    """Return in words what a type accepts."""
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        bounds = (*bounds, *(extra for extra in extras if isinstance(extra, Bound)))
    choices = _without_none(hint)
    if len(choices) > 1 and all(is_dataclass(choice) for choice in choices):
        return "a table"
    text = " or ".join(_described_plain(choice) for choice in choices)
    return " ".join([text, " and ".join(bound.text for bound in bounds)]).strip()


def _described_plain(hint: Any) -> str:
    origin = get_origin(hint)
    if origin is Annotated:
        return described(hint)
    if origin is Literal:
        words = get_args(hint)
        return one_of(words) if len(words) > 1 else shown(words[0])
    if origin is tuple:
        inner = get_args(hint)
        count = "" if inner[-1] is Ellipsis else f"{len(inner)} of "
        return f"an array of {count}{described(inner[0])}"
    return _PLAIN.get(hint, "a table" if hint not in (object, Any) else "a value")
