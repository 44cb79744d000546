"""The rules that each period of a run was settled by, against the scenario beside its journal."""

import json
from collections.abc import Iterator
from pathlib import Path

from gridrig.campaign import records
from gridrig.campaign.rule_book import RuleBook
from gridrig.campaign.scenario import MarketRules, Scenario, load_scenario
from gridrig.campaign.settlement_terms import make_terms
from gridrig.quantity import DeliveryPeriod
from gridrig.settlement.journal_reader import JournalReader
from gridrig.settlement.posted import RULES


def begun_utc_s(run: Path, scenario: Scenario) -> int:
    """Return when a run began, of its scenario or of a slice of it. [s since 1970]"""
    return scenario.start_utc_s + _from_s(run)


def book_of(run: Path, scenario: Scenario, market: MarketRules) -> RuleBook:
    """Return which rules governed which period of a run, by its scenario."""
    return RuleBook(market, scenario.rules.since(_from_s(run)), begun_utc_s(run, scenario))


def _from_s(run: Path) -> int:
    record = json.loads((run / records.RUN).read_text(encoding="utf-8"))
    return int(record.get("slice", {}).get("from_s", 0))


def rule_faults(run: Path, journal: JournalReader) -> Iterator[str]:
    """Yield each period that was settled by other rules than those that governed it.

    Which governed it follows from the scenario: its prices, those of the hour, and the changes that
    had their votes in time.

    Raises
    ------
    GridrigError
        As `load_scenario` and `SettlementRules`.
    """
    scenario = load_scenario(run / records.SCENARIO)
    if scenario.market is None:
        return
    book = book_of(run, scenario, scenario.market)
    for period, revision, *_, posted in journal.settlements():
        if revision > 0:
            continue  # a correction goes by the rules of its period
        found = json.loads(posted)
        start_s = period * scenario.period_s
        market = book.of(DeliveryPeriod(period, start_s, scenario.period_s)).market
        rules = make_terms(market).rules
        for name in RULES:
            if found.get(name) != (due := getattr(rules, name)):
                said = f"{name} {found.get(name)!r} is posted, by the scenario it is {due!r}"
                yield f"period {period}: {said}"
                break
