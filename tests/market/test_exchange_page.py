"""The examples of docs/exchange_from_python.md print what the page says they print."""

import contextlib
import io
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "exchange_from_python.md"
EXAMPLES = re.findall(
    r"```python\n(.*?)```\n\nprints\n\n```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL
)


def test_the_page_has_an_example_of_either_use() -> None:
    assert len(EXAMPLES) == 2
    assert PAGE.read_text("utf-8").count("```python") == len(EXAMPLES)


@pytest.mark.parametrize(("code", "printed"), EXAMPLES)
def test_an_example_prints_what_the_page_says(code: str, printed: str) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, str(PAGE), "exec"), {})
    assert out.getvalue() == printed
