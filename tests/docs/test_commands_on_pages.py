"""A command that a page shows can be typed as it stands: its words are ones that gridrig takes."""

import re
import shlex
from pathlib import Path

import pytest

from gridrig.cli import _parser

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
SHOWN = re.compile(r"^(?:    |\$ )(?:\.venv/bin/)?gridrig ((?:.*\\\n)*.*)", re.MULTILINE)
# What the shell takes away, and an option that a page says may be there.
NOT_WORDS = re.compile(r"\s*(?:> \S+|&$|\[--[^\]]*\])")


def commands() -> list[tuple[str, str]]:
    """Return every command of the pages, by its page; not those whose words are pytest's."""
    return [
        (str(page.relative_to(ROOT)), words)
        for page in sorted(PAGES)
        for shown in SHOWN.finditer(page.read_text())
        if not (words := shown[1].replace("\\\n", " ")).startswith(("test ", "run: "))
    ]


def test_every_command_of_a_page_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    found = commands()
    assert len(found) > 100
    wrong = []
    for page, text in found:
        words = shlex.split(NOT_WORDS.sub("", text.partition(" #")[0]), comments=True)
        try:
            _parser().parse_args(words)
        except SystemExit as error:
            if error.code:
                said = capsys.readouterr().err.strip().splitlines()[-1]
                wrong.append(f"{page}: gridrig {text}: {said}")
    assert wrong == []
