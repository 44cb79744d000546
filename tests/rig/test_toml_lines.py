"""The line of every key: the scanner must follow TOML wherever the parser goes."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gridrig.rig.toml_file import key_lines

ROOT = Path(__file__).parents[2]

TRICKY = '''\
# a = 1
top = "a # no comment, no [header]"
"quoted key" = 1
dotted.key = 2
text = """
[not.a.header]
not_a_key = 3
quotes inside: "" and one at the end""""
raw = \'\'\'
C:\\path\\'\'\'
escaped = "a \\" quote"
after = 4
numbers = [
  1, # one
  2,
]
inline = { a = 1, b = [ { c = 2 }, { c = "}" } ] }

[table."x.y"]
key = 2016-01-01T00:00:00Z
[[array]]
name = "first"
[array.inner]
deep = 1
[[array]]
name = "second"
[[array.nested]]
n = 1
[[array.nested]]
n = 2
'''


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, (*path, index))


def test_tricky_text_gives_the_lines_a_reader_sees() -> None:
    lines = key_lines(TRICKY)

    assert lines[("top",)] == 2
    assert lines[("quoted key",)] == 3
    assert lines[("dotted", "key")] == 4
    assert lines[("text",)] == 5
    assert lines[("raw",)] == 9
    assert lines[("escaped",)] == 11
    assert lines[("after",)] == 12
    assert lines[("numbers", 1)] == 15
    assert lines[("inline", "b", 1, "c")] == 17
    assert lines[("table", "x.y", "key")] == 20
    assert lines[("array", 0, "inner", "deep")] == 24
    assert lines[("array", 1, "name")] == 26
    assert lines[("array", 1, "nested", 1, "n")] == 30


def test_carriage_returns_do_not_move_lines() -> None:
    assert key_lines(TRICKY.replace("\n", "\r\n")) == key_lines(TRICKY)


def texts() -> list[tuple[str, str]]:
    files = [*(ROOT / "rigs").rglob("*.toml"), ROOT / "pyproject.toml"]
    return [("tricky", TRICKY), *((path.name, path.read_text()) for path in sorted(files))]


@pytest.mark.parametrize(("name", "text"), texts(), ids=lambda value: value.split("\n")[0][:30])
def test_every_key_of_a_real_file_has_the_line_it_stands_in(name: str, text: str) -> None:
    lines, rows = key_lines(text), text.splitlines()
    found = list(paths(tomllib.loads(text)))

    assert found
    for path in found:
        line = lines[path]
        if isinstance(path[-1], str):
            assert path[-1] in rows[line - 1], path
