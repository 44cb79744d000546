"""A participant's page in a browser, by keyboard: figures to the unit, nothing of anybody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from autumn_street import PERIODS, write_autumn
from browser import Page, browser

from gridrig.cli import main
from gridrig.report.wording import money
from gridrig.settlement.journal_reader import JournalReader
from gridrig.settlement.statement import statement_of

TARIFF = """[utility]
import_micro_per_kwh = 300000
export_micro_per_kwh = 80000
network_micro_per_kwh = 70000
zone = "Europe/Berlin"
[market]
network_micro_per_kwh = 70000
"""
TEXT = "document.querySelector({!r}).textContent"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Page]]:
    folder = tmp_path_factory.mktemp("statement")
    journal = write_autumn(folder / "journal.sqlite")
    (folder / "tariff.toml").write_text(TARIFF)
    out = folder / "alice.html"
    arguments = ["--of", "alice", "--tariff", str(folder / "tariff.toml"), "--out", str(out)]
    assert main(["statement", str(journal), *arguments]) == 0
    with browser(folder) as page:
        page.open(out.as_uri())
        page.wait_for("document.readyState === 'complete' && !!document.querySelector('#made')")
        yield journal, page


def test_the_figures_are_the_ledgers(shown: tuple[Path, Page]) -> None:
    path, page = shown
    with JournalReader(path) as journal:
        told, balance = statement_of(journal, "alice"), journal.balances()["alice"]
    sums = page.value(
        "[...document.querySelectorAll('#energy tbody tr:last-child td')].map(c => c.textContent)"
    )
    figures = ("imported_milliwh", "exported_milliwh", "bought_milliwh", "sold_milliwh")
    amounts = ("earned_micro", "paid_micro", "imbalance_micro", "fees_micro")
    assert sums == [*(money(told.sum(of)) for of in (*figures, *amounts)), money(balance)]
    assert money(abs(balance)) in page.value(TEXT.format("header .verdict"))


def test_the_bill_leads_from_what_was_settled_to_what_is_paid_in_all(
    shown: tuple[Path, Page],
) -> None:
    path, page = shown
    with JournalReader(path) as journal:
        told = statement_of(journal, "alice")
    names, amounts = (
        page.value(f"[...document.querySelectorAll('#bill tbody {cell}')].map(c => c.textContent)")
        for cell in ("th", "td")
    )
    charges_micro = (told.sum("imported_milliwh") * 70_000 + 500_000) // 1_000_000
    settled_micro = -told.balance_micro
    assert page.value(TEXT.format("header .verdict span")).endswith(", as settled")
    assert names[:3] == ["as settled", "network and standing charges beside it",
                         "in the market, both"]  # fmt: skip
    assert amounts[:3] == list(
        map(money, (settled_micro, charges_micro, settled_micro + charges_micro))
    )


def test_it_is_read_by_keyboard_and_by_a_screen_reader(shown: tuple[Path, Page]) -> None:
    _, page = shown
    page.tab_to("a.skip")
    assert page.value("document.activeElement.getAttribute('href')") == "#energy"
    rows = "[...document.querySelectorAll('#periods tr')].filter(r => r.checkVisibility()).length"
    assert page.value(rows) == 0
    for _ in range(3):
        page.tab_to("summary")
        page.press("Enter")
    assert page.value(rows) == PERIODS + 3  # and a head for each day
    said = page.accessible()
    assert ("heading", "Every period") in said
    assert any(role == "columnheader" and name == "taken kWh" for role, name in said)


def test_the_hour_that_comes_twice_is_told_apart(shown: tuple[Path, Page]) -> None:
    _, page = shown
    begins = page.value(
        "[...document.querySelectorAll('#periods details')][1].querySelectorAll('tbody tr').length"
    )
    assert begins == 100
    hours = page.value(
        "[...document.querySelectorAll('#periods tbody th')].map(c => c.textContent)"
        ".filter(t => t.startsWith('02:15'))"
    )
    assert hours == ["02:15 CEST", "02:15 CET"]
    assert "2016-10-30, a day of 25 h" in page.value(TEXT.format("#energy"))


def test_what_was_corrected_is_marked_and_nobody_else_is_named(
    shown: tuple[Path, Page],
) -> None:
    _, page = shown
    assert "corrected in the post of period 2" in page.value(TEXT.format("#late"))
    body = page.value("document.body.outerHTML")
    assert "alice" in body
    assert "bob" not in body
    assert "carol" not in body
