"""The page on metering: its example runs, its codes and findings are those of the core."""

import re
import subprocess
import sys
from pathlib import Path

from gridrig.metering.words import ALGORITHMS, CODES, FINDINGS, KEY_FORMS

PAGE = (Path(__file__).parents[1] / "docs" / "metering.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_says(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    said = re.search(r"This prints `(.*?)` and `(.*?)`", PAGE)
    assert said is not None
    assert done.stdout.splitlines() == list(said.groups())


def test_codes_stand_in_the_order_of_the_checks() -> None:
    assert re.findall(r"^\| `(metering\.\w+)` \| \w+ \|", PAGE, re.MULTILINE) == list(CODES)


def test_every_word_of_the_core_is_on_the_page() -> None:
    for name in (*FINDINGS, *ALGORITHMS, *KEY_FORMS):
        assert f"`{name}`" in PAGE, name
