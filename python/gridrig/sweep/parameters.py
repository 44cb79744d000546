"""Parameters of a sweep: a key of the rig's or the scenario's file, and the values it takes.

A key is a TOML key whose first word names the file; an element of an array is named by its `name`,
else by its number from 0: `rig.device.pv-1.emulate.s_va`, `scenario.event.opening.at_s`.
"""

import copy
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import tomli_w

from gridrig.errors import CampaignError
from gridrig.rig.toml_file import TomlFile
from gridrig.suggestions import near_miss

FILES = ("rig", "scenario")


@dataclass(frozen=True)
class Parameter:
    """One axis of the grid.

    Parameters
    ----------
    key : str
        As the user wrote it.
    values : tuple
        TOML values, in the order given.
    """

    key: str
    values: tuple[Any, ...]

    @property
    def file(self) -> Literal["rig", "scenario"]:
        """Which file it is a key of."""
        return "rig" if self.path[0] == "rig" else "scenario"

    @property
    def path(self) -> tuple[str, ...]:
        """The words of the key, the file's first."""
        return _words(self.key)


def read_parameter(text: str) -> Parameter:
    """Read `KEY=V1,V2`; a value is TOML, or a bare word, which is text.

    >>> read_parameter("rig.device.pv-1.emulate.s_va=9000,11000").values
    (9000, 11000)

    Raises
    ------
    CampaignError
        `sweep.parameter` if it is not of that form, names no file, or gives a value twice.
    """
    key, equals, listed = text.partition("=")
    words = _words(key)
    if not equals or not listed or len(words) < 2 or words[0] not in FILES:
        raise CampaignError(
            "sweep.parameter",
            "found {text!r}, expected KEY=VALUE,VALUE with a key that begins with rig. or "
            "scenario., such as scenario.event.opening.at_s=1200,2400",
            text=text,
        )
    values = _values(listed)
    try:
        distinct = {json.dumps(value) for value in values}
    except TypeError:
        raise CampaignError(
            "sweep.parameter", "{text!r} has a date; write it as text in quotes", text=text
        ) from None
    if len(distinct) < len(values):
        raise CampaignError("sweep.parameter", "{text!r} gives a value twice", text=text)
    return Parameter(key, values)


def with_values(file: TomlFile, which: str, values: Mapping[str, Any]) -> TomlFile:
    """Return a file with the keys of `values` that are its own set; unchanged if there are none.

    The lines that issues name stay those of the file as it was read.

    Raises
    ------
    CampaignError
        `sweep.no_such_key` if a table on the way to a key is not there.
    """
    own = {key: value for key, value in values.items() if _words(key)[0] == which}
    if not own:
        return file
    table = copy.deepcopy(file.table)
    for key, value in own.items():
        *way, last = _words(key)[1:]
        place: Any = table
        for depth, word in enumerate(way):
            place = _step(place, word, key, way[: depth + 1], file)
        if not isinstance(place, dict):
            raise _no_such_key(key, way, file, ())
        place[last] = copy.deepcopy(value)
    return replace(file, table=table, text=tomli_w.dumps(table).encode())


def _step(place: Any, word: str, key: str, way: Sequence[str], file: TomlFile) -> Any:
    if isinstance(place, dict) and word in place:
        return place[word]
    if isinstance(place, list):
        for element in place:
            if isinstance(element, dict) and element.get("name") == word:
                return element
        if word.isdecimal() and int(word) < len(place):
            return place[int(word)]
        raise _no_such_key(key, way, file, [str(e.get("name", "")) for e in place])
    raise _no_such_key(key, way, file, place if isinstance(place, dict) else ())


def _no_such_key(
    key: str, way: Sequence[str], file: TomlFile, known: Sequence[str] | Mapping[str, Any]
) -> CampaignError:
    near = near_miss(way[-1], list(known)) if way else None
    return CampaignError(
        "sweep.no_such_key",
        "{key}: {path} has no table {way}{hint}",
        key=key,
        path=file.path,
        way=".".join(way),
        hint=f" (did you mean {near!r}?)" if near else "",
    )


def _words(key: str) -> tuple[str, ...]:
    """Return the words of a dotted TOML key; none if it is not one."""
    try:
        table: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    words = []
    while isinstance(table, dict):
        if len(table) != 1:  # more than one line was smuggled in
            return ()
        word, table = next(iter(table.items()))
        words.append(word)
    return tuple(words)


def _values(listed: str) -> tuple[Any, ...]:
    try:
        return tuple(tomllib.loads(f"values = [{listed}]")["values"])
    except tomllib.TOMLDecodeError:
        return tuple(_value(word.strip()) for word in listed.split(","))


def _value(word: str) -> Any:
    try:
        return tomllib.loads(f"value = {word}")["value"]
    except tomllib.TOMLDecodeError:
        return word
