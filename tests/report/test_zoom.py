"""Plots that zoom along time, in a browser, by mouse and by keyboard."""

import re
from collections.abc import Iterator

import pytest
from browser import Page, browser
from synthetic_run import write_synthetic_run

from gridrig.report import build_report

POWER = "#plot-power svg"
OPENING = "#plot-opening-1 svg"
SHOWN = """[...document.querySelectorAll('{} text')].filter(t => t.getClientRects().length)
    .map(t => t.textContent).filter(t => /^{}$/.test(t))"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("zoom")
    write_synthetic_run(folder / "run").close()
    build_report(folder / "run")
    with browser(folder) as page:
        page.open((folder / "run" / "report.html").as_uri())
        page.wait_for("document.querySelectorAll('svg.zooms').length")
        yield page


def clock(page: Page) -> list[str]:
    found: list[str] = page.value(SHOWN.format(POWER, "[0-9]{2}:[0-9]{2}(:[0-9.]+)?"))
    return found


def lines(page: Page, plot: str) -> list[str]:
    found: list[str] = page.value(
        f"[...document.querySelectorAll('{plot} [clip-path]')].map(p => p.getAttribute('d'))"
    )
    return found


def test_a_stretch_that_is_dragged_over_fills_the_plot_with_its_own_times(report: Page) -> None:
    whole, drawn = clock(report), lines(report, POWER)
    assert whole[0] == "12:00"
    report.drag(POWER, 0.25, 0.30)
    near = clock(report)
    assert len(near) >= 3
    assert "12:00" < near[0] < near[-1] < "13:30"
    assert lines(report, POWER) != drawn
    said = report.value("document.querySelector('#plot-power .hint').textContent")
    first, last = re.match(r"(\S+) to (\S+)\. ", said).groups()  # type: ignore[union-attr]
    assert first <= near[0] <= near[-1] <= last
    # What is drawn outside stays outside: every line is cut at the edges of its axes.
    assert report.value(f"document.querySelectorAll('{POWER} [clip-path]').length") == len(drawn)

    report.value(f"document.querySelector('{POWER}').dispatchEvent(new MouseEvent('dblclick'))")
    assert clock(report) == whole


def test_keys_zoom_move_and_go_back(report: Page) -> None:
    whole = clock(report)
    report.tab_to(POWER)
    for _ in range(4):
        report.press("+")
    near = clock(report)
    report.press("ArrowLeft")
    earlier = clock(report)
    assert whole[0] < earlier[0] < near[0]
    report.press("0")
    assert clock(report) == whole


def test_two_plots_side_by_side_zoom_each_for_itself(report: Page) -> None:
    number = "[−0-9.]+"
    before = report.value(SHOWN.format(OPENING, number))
    report.drag(OPENING, 0.70, 0.80)
    after = report.value(SHOWN.format(OPENING, number))
    first = report.value(f"JSON.parse(document.querySelector('{OPENING}').dataset.panes)[0]")
    kept = [text for text in before if text in after]
    assert after != before
    assert {"0.0", "0.5", "1.0"} <= set(kept), (first, before, after)


def test_paper_shows_the_whole(report: Page) -> None:
    report.drag(POWER, 0.4, 0.5)
    near = clock(report)
    report.value("dispatchEvent(new Event('beforeprint'))")
    assert clock(report)[0] == "12:00"
    report.value("dispatchEvent(new Event('afterprint'))")
    assert clock(report) == near
