"""A TOML file: its bytes, its values, and the line of every key.

The standard library's parser gives values without places. The scanner here runs only on a text
that the parser has accepted, so it follows TOML's shape and checks nothing.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from gridrig.rig.issues import At, Issues, Path

BYTES_MAX = 4_000_000
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ERROR_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True)
class TomlFile:
    """One file as read.

    Parameters
    ----------
    path : str
        File as the user named it.
    text : bytes
        Its bytes, for evidence.
    table : dict
        Its values.
    top : At
        The place of the whole file.
    """

    path: str
    text: bytes
    table: dict[str, Any]
    top: At


def read_toml(path: str | FilePath) -> TomlFile:
    """Read one TOML file.

    Raises
    ------
    RigError
        `rig.unreadable` if the file cannot be read, is too long or is not TOML; the issue
        states the line.
    """
    name = str(path)
    issues = Issues(name)
    try:
        raw = FilePath(path).read_bytes()
    except OSError as error:
        issues.add(At(name, text="file"), error.strerror or str(error), "a readable TOML file")
        issues.raise_if_any("rig.unreadable", name)
        raise AssertionError("unreachable") from error
    return parse_toml(raw, name)


def parse_toml(raw: bytes, name: str) -> TomlFile:
    """Parse the bytes of one TOML file; `name` is what issues call it.

    Raises
    ------
    RigError
        `rig.unreadable`, as `read_toml`.
    """
    issues = Issues(name)
    if len(raw) > BYTES_MAX:
        issues.add(At(name, text="file"), f"{len(raw)} bytes", f"at most {BYTES_MAX} bytes")
    table: dict[str, Any] = {}
    text = ""
    try:
        text = raw.decode()
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        at = At(name, ("file",), "file", {("file",): line})
        issues.add(at, f"byte 0x{raw[error.start]:02x} that is not UTF-8", "UTF-8 text")
    except RecursionError:
        issues.add(At(name, text="file"), "tables nested too deeply", "TOML")
    except ValueError as error:
        found, lines = str(error), dict[Path, int]()
        place = _ERROR_PLACE.search(found)
        if place:
            found = found[: place.start()]
            line = int(place[1]) if place[1] else text.count("\n") + 1
            lines = {("file",): line}
        issues.add(At(name, ("file",), "file", lines), _lower_first(found), "TOML")
    issues.raise_if_any("rig.unreadable", name)
    return TomlFile(name, raw, table, At(name, (), "", key_lines(text)))


def key_lines(text: str) -> dict[Path, int]:
    """Return the line of every key and array element of a valid TOML text."""
    # tomllib reads CR LF as LF; so must the scanner.
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.scan()
    return scanner.lines


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


class _Scanner:
    """Walks a valid TOML text once, noting where keys stand."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        self._line = 1
        self._line_at = 0

    def scan(self) -> None:
        table: Path = ()
        while self._skip_blank():
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _note(self, path: Path, at: int) -> None:
        self._line += self.text.count("\n", self._line_at, at)
        self._line_at = at
        self.lines.setdefault(path, self._line)

    def _skip_blank(self) -> bool:
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text[self.at] in " \t\n":
                self.at += 1
            else:
                return True
        return False

    def _header(self) -> Path:
        start = self.at
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        keys = self._dotted_key()
        self.at += 2 if array else 1
        path = self._resolved(keys if not array else keys[:-1], start)
        if array:
            path = (*path, keys[-1])
            index = self._counts.get(path, 0)
            self._counts[path] = index + 1
            self._note(path, start)
            path = (*path, index)
            self._note(path, start)
        return path

    def _resolved(self, keys: list[str], at: int) -> Path:
        """Return the path of a header: a key that names an array of tables means its last one."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
            self._note(path, at)
        return path

    def _dotted_key(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip_blank()
            char = self.text[self.at]
            if char in "\"'":
                start = self.at
                self._string()
                keys.append(tomllib.loads(f"k = {self.text[start : self.at]}")["k"])
            else:
                bare = _BARE_KEY.match(self.text, self.at)
                assert bare is not None, "the parser accepted this key"
                keys.append(bare[0])
                self.at = bare.end()
            self._skip_blank()
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _pair(self, table: Path) -> None:
        start = self.at
        path = table
        for key in self._dotted_key():
            path = (*path, key)
            self._note(path, start)
        self.at += 1  # the equals sign
        self._skip_blank()
        self._value(path)

    def _value(self, path: Path) -> None:
        char = self.text[self.at]
        if char in "\"'":
            self._string()
        elif char == "{":
            self._members("}", path)
        elif char == "[":
            self._members("]", path)
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
                self.at += 1

    def _members(self, close: str, path: Path) -> None:
        self.at += 1
        index = 0
        while True:
            self._skip_blank()
            char = self.text[self.at]
            if char == close:
                self.at += 1
                return
            if char == ",":
                self.at += 1
            elif close == "}":
                self._pair(path)
            else:
                self._note((*path, index), self.at)
                self._value((*path, index))
                index += 1

    def _string(self) -> None:
        quote = self.text[self.at]
        mark = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(mark)
        while not self.text.startswith(mark, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += len(mark)
        # A multi-line string may end with up to two quotes of its own before its mark.
        while len(mark) == 3 and self.text.startswith(quote, self.at):
            self.at += 1
