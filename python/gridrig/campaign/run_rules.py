"""The rules that each period of a run was settled by, against the scenario beside its journal."""

import json
from collections.abc import Iterator
from pathlib import Path

from gridrig.campaign import records
from gridrig.campaign.rule_book import RuleBook
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.settlement_terms import make_terms
from gridrig.quantity import DeliveryPeriod
from gridrig.settlement.journal_reader import JournalReader
from gridrig.settlement.posted import RULES


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
    record = json.loads((run / records.RUN).read_text(encoding="utf-8"))
    from_s = int(record.get("slice", {}).get("from_s", 0))
    begun_utc_s = scenario.start_utc_s + from_s
    book = RuleBook(scenario.market, scenario.rules.since(from_s), begun_utc_s)
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
