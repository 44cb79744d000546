"""The commands an instrument knows, found by their headers: long and short forms, suffixes, paths.

    tree = CommandTree({"[SOURce#:]VOLTage[:LEVel]": set_voltage}, {...})

A pattern's words are in mixed case: capitals are the short form; `#` is a numeric suffix, 1 if left
out, also with its whole word; what stands in brackets may be left out. A header of a compound
message begins where the last one stood: after `SOUR:VOLT 230`, `FREQ 50` means `SOUR:FREQ`; a
leading colon means the root, and common commands (`*OPC`) leave the path alone.

References
----------
.. [1] SCPI Consortium, "Standard Commands for Programmable Instruments," version 1999.0, volume 1,
   section 6.
.. [2] IEEE, "IEEE Std 488.2-1992," annex A.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gridrig.devices.wire.scpi_messages import Unit
from gridrig.devices.wire.scpi_values import ScpiFault, short_form

SUFFIX_MAX = 99
Handler = Callable[..., Any]
_WORD = re.compile(r"([A-Za-z_]+|\*[A-Za-z]+)(\d*)")


@dataclass(frozen=True)
class _Act:
    """A handler at the end of one way of its pattern."""

    handler: Handler
    written: tuple[bool, ...]  # for each suffixed word of the pattern: is it on this way

    def suffixes(self, found: Sequence[int]) -> tuple[int, ...]:
        given = iter(found)
        return tuple(next(given) if written else 1 for written in self.written)


class _Node:
    """One word of the tree with all that can follow it."""

    def __init__(self) -> None:
        self.words: dict[str, tuple[_Node, bool]] = {}  # by long and short form; has a suffix
        self.command: _Act | None = None
        self.query: _Act | None = None


class CommandTree:
    """Commands and queries of one instrument.

    Parameters
    ----------
    commands, queries : mapping of str to callable
        By pattern. A handler takes the numeric suffixes as integers, in order, then the parameters
        as texts; a query returns text or bytes.
    """

    def __init__(self, commands: Mapping[str, Handler], queries: Mapping[str, Handler]) -> None:
        self._root = _Node()
        for pattern, handler in commands.items():
            for end, written in self._grow(pattern):
                end.command = _once(end.command, _Act(handler, written), pattern)
        for pattern, handler in queries.items():
            for end, written in self._grow(pattern):
                end.query = _once(end.query, _Act(handler, written), pattern)

    def find(
        self, unit: Unit, path: Sequence[str]
    ) -> tuple[Handler, tuple[int, ...], tuple[str, ...]]:
        """Return a unit's handler, its numeric suffixes, and the path for the next unit.

        Raises
        ------
        ScpiFault
            -113 for a header nobody knows, -114 for a suffix out of range.
        """
        if unit.header.startswith("*"):
            words, next_path = [unit.header], tuple(path)
        else:
            written = unit.header.lstrip(":").split(":")
            words = written if unit.header.startswith(":") else [*path, *written]
            next_path = tuple(words[:-1])
        found = self._walk(self._root, words, ())
        if found is not None:
            node, suffixes = found
            act = node.query if unit.query else node.command
            if act is not None:
                if any(not 1 <= suffix <= SUFFIX_MAX for suffix in suffixes):
                    raise ScpiFault(-114, unit.header)
                return act.handler, act.suffixes(suffixes), next_path
        raise ScpiFault(-113, unit.header + ("?" if unit.query else ""))

    def _grow(self, pattern: str) -> list[tuple[_Node, tuple[bool, ...]]]:
        """Return the ends of a pattern's ways; words in brackets may be stepped over."""
        ways: list[tuple[_Node, tuple[bool, ...]]] = [(self._root, ())]
        for part, optional in _parts(pattern):
            word, suffixed = part.removesuffix("#"), part.endswith("#")
            grown = []
            for node, written in ways:
                below = node.words.get(word.upper()) or (_Node(), suffixed)
                node.words[word.upper()] = node.words[short_form(word)] = below
                grown.append((below[0], (*written, True) if suffixed else written))
            left_out = [
                (node, (*written, False) if suffixed else written) for node, written in ways
            ]
            ways = [*grown, *left_out] if optional else grown
        return ways

    def _walk(
        self, node: _Node, words: Sequence[str], suffixes: tuple[int, ...]
    ) -> tuple[_Node, tuple[int, ...]] | None:
        for word in words:
            found = _WORD.fullmatch(word)
            if found is None or found[1].upper() not in node.words:
                return None
            node, suffixed = node.words[found[1].upper()]
            if found[2] and not suffixed:
                return None
            if suffixed:
                suffixes = (*suffixes, int(found[2][:4] or "1"))
        return node, suffixes


def _parts(pattern: str) -> list[tuple[str, bool]]:
    """Return a pattern's words in order, and whether each may be left out."""
    found = re.findall(r"\[:?([A-Za-z_*#]+):?\]|:?([A-Za-z_*#]+)", pattern)
    return [(optional or needed, bool(optional)) for optional, needed in found]


def _once(held: _Act | None, act: _Act, pattern: str) -> _Act:
    if held is not None:
        raise ValueError(f"two commands share the header {pattern}")
    return act
