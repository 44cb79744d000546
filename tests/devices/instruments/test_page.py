"""docs/instruments.md lists every command that the emulated instruments have, and no other."""

import re
from pathlib import Path

from instrument_bench import instruments

PAGE = Path(__file__).parents[3] / "docs" / "instruments.md"
SECTIONS = {
    "ac": "AC source",
    "dc": "DC source",
    "rlc": "Load bank",
    "s3": "Contactor",
    "door": "Safety loop",
    "pa": "Power analyser",
}


def listed(section: str) -> set[str]:
    text = PAGE.read_text(encoding="utf-8").split(f"\n### {section}\n")[1]
    rows = re.findall(r"^\| `([^`]+)` \| (\w*) ?\|", re.split(r"\n##+ ", text)[0], re.MULTILINE)
    assert rows, section
    headers: set[str] = set()
    for header, query in rows:
        headers |= {header} if query != "only" else set()
        headers |= {f"{header}?"} if query else set()
    return headers


def test_the_page_lists_the_commands_of_every_instrument(on_bench) -> None:
    async def body(clock):
        async with instruments(clock) as bench:
            return {name: set(e.instrument.headers) for name, e in bench.emulators.items()}

    headers = on_bench(body)
    assert {name: listed(section) for name, section in SECTIONS.items()} == headers
