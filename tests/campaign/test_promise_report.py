"""The page of `gridrig promises --report`, made of verdicts by hand and read in a browser."""

from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from browser import Page, browser

from gridrig.campaign.builtin import PROCEDURES, RIGS
from gridrig.campaign.measurements import Measurement, judge_all
from gridrig.campaign.outcomes import Outcome
from gridrig.campaign.procedure_summary import Executed
from gridrig.campaign.procedures import Execution, Procedure
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.cli import main
from gridrig.promises.choice import chosen_rows
from gridrig.promises.report_page import write_promises
from gridrig.promises.results import judged, shown_by
from gridrig.promises.rows import Campaign, Row
from gridrig.rig.description import load_rig

GOOD = {
    "facts_in_tree": 9900,
    "root_unlike_by_hand": 0,
    "receipts_not_shown": 0,
    "changed_receipts_shown": 0,
    "false_facts_not_absent": 0,
    "facts_shown_absent": 0,
}
OPEN_ROW = Row("N99", "that nobody measures", missing="all")
NOBODY = Campaign(7, "nothing <b>yet</b>", rows=(OPEN_ROW,))


def executed(values: dict[str, int]) -> Executed:
    spec = spec_from_file_location("test_facts", PROCEDURES / "promises" / "test_facts.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    tested: Procedure = module.test_facts.procedure
    unit = {criterion.name: criterion.unit for criterion in tested.criteria}
    recorded = [Measurement(name, unit[name], value) for name, value in values.items()]
    verdicts = RunVerdicts(
        title="test_facts",
        verdicts=judge_all(tested.criteria, recorded, ended=Outcome.PASS, cause=""),
        ended=Outcome.PASS,
        cause="",
        devices_end={},
        left_unsafe=(),
        invalid=(),
        findings=(),
    )
    rig = load_rig(RIGS / "emulated-compute-node.toml")
    return Executed(tested, rig, None, Execution(verdicts))


def page_of(folder: Path, values: dict[str, int]) -> Path:
    ran = [executed(values)]
    rows = [*chosen_rows(["N10"]), *((NOBODY, row) for row in NOBODY.rows)]
    return write_promises(folder, [judged(*row, shown_by(ran)) for row in rows], ran)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("promises")
    index = page_of(folder / "pages", GOOD)
    with browser(folder) as tab:
        tab.open(index.as_uri())
        tab.wait_for("document.readyState === 'complete' && !!document.querySelector('#rows')")
        yield tab


def text(page: Page, selector: str) -> str:
    found: str = page.value(f"document.querySelector({selector!r}).textContent")
    return found


def test_what_is_not_measured_keeps_the_page_from_passing(page: Page) -> None:
    assert text(page, "h1") == "1 of 2 promises proven"
    assert text(page, "header .verdict strong") == "– NOT ALL PROVEN"
    assert text(page, "#row-N10") == "N10 ✓ PASS"
    assert text(page, "#row-N99") == "N99 – NOT PROVEN"
    assert "Missing: all." in text(page, "#campaign-7")
    assert text(page, "#h-campaign-7") == "7 nothing <b>yet</b>"  # and no markup


def test_each_criterion_stands_with_value_limit_and_reason(page: Page) -> None:
    cells = "[...document.querySelectorAll('#campaign-9 tbody tr')].map(r => r.innerText)"
    first, *others = page.value(cells)
    assert first.split("\t")[:4] == [
        "facts_in_tree",
        "9900",
        "exactly 9900",
        "10,000 less 1 % that is false",
    ]
    assert len(others) == len(GOOD) - 1


def test_keyboard_reaches_rows_and_procedures_and_headings_tell_the_way(page: Page) -> None:
    page.tab_to("a.skip")
    page.tab_to("a[href='#row-N10']")
    page.tab_to("a[href^='procedures/']")
    page.press("Enter")
    page.wait_for("document.title.includes('test_facts')")
    page.value("history.back()")
    page.wait_for("!!document.querySelector('#rows')")
    headings = [name for role, name in page.accessible() if role == "heading"]
    assert headings[:3] == ["1 of 2 promises proven", "How to read this", "All rows"]
    assert {"N10 ✓ PASS", "N99 – NOT PROVEN"} <= set(headings)


def test_page_asks_nobody_for_anything(page: Page) -> None:
    assert page.value("performance.getEntriesByType('resource').length") == 0
    assert page.value("document.querySelectorAll('script').length") == 0


def test_a_row_that_fails_fails_the_page(tmp_path: Path) -> None:
    shown = page_of(tmp_path, GOOD | {"facts_in_tree": 9901}).read_text()
    assert '<div class="verdict FAIL"><strong>✗ FAIL</strong>' in shown
    assert "0 of 2 promises proven" in shown


def test_a_list_has_no_report(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["promises", "--list", "--report", "pages"])
    assert "not allowed with argument --list" in capsys.readouterr().err
