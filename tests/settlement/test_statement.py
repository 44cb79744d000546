"""Statements: figures that are ledger and meters to the unit, days of clock changes, carbon."""

import json
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from autumn_street import MIDNIGHT_S, PERIODS_OF_THE_LONG_DAY, write_autumn
from street import PARTICIPANTS

from gridrig.cli import main
from gridrig.errors import SettlementError
from gridrig.settlement.balance_sheet import sheets_of
from gridrig.settlement.emissions import EmissionRates
from gridrig.settlement.journal_reader import JournalReader
from gridrig.settlement.statement import statement_of

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def autumn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_autumn(tmp_path_factory.mktemp("autumn") / "journal.sqlite")


@pytest.mark.parametrize("name", PARTICIPANTS)
def test_every_sum_is_that_of_ledger_and_meters(autumn: Path, name: str) -> None:
    with JournalReader(autumn) as journal:
        told, sheet = statement_of(journal, name), sheets_of(journal)[name]
        entries = [e for e in journal.entries() if name in (e.debit, e.credit)]
    assert told.sum("imported_milliwh") == sheet.imported_milliwh
    assert told.sum("exported_milliwh") == sheet.exported_milliwh
    assert told.sum("bought_milliwh") == sheet.bought_milliwh
    assert told.sum("sold_milliwh") == sheet.sold_milliwh
    assert told.balance_micro + told.sum("credit_micro") == sheet.balance_micro
    earned = sum(
        e.amount_micro if e.credit == name else -e.amount_micro
        for e in entries
        if e.kind in ("delivered", "surplus")
    )
    assert told.sum("earned_micro") == earned > 0


def test_a_correction_is_in_the_figures_and_marked(autumn: Path) -> None:
    with JournalReader(autumn) as journal:
        alice, carol = (statement_of(journal, name) for name in ("alice", "carol"))
    assert alice.slots[1].sold_milliwh == 500_000
    assert alice.slots[1].prices_micro_per_kwh == (100_000,)
    assert [slot.period for slot in alice.slots if slot.corrected_in == (2,)] == [1]
    assert {slot.corrected_in for slot in carol.slots} == {()}


def test_a_day_of_25_hours_has_all_its_periods(autumn: Path) -> None:
    with JournalReader(autumn) as journal:
        told = statement_of(journal, "alice")
    before, day, after = told.days(BERLIN)
    assert [len(one.slots) for one in (before, day, after)] == [1, PERIODS_OF_THE_LONG_DAY, 5]
    assert (before.length_s, day.length_s, after.length_s) == (86_400, 90_000, 86_400)
    assert sum(one.sum("exported_milliwh") for one in told.days(BERLIN)) == told.sum(
        "exported_milliwh"
    )


def rates(folder: Path, *rows: str) -> EmissionRates:
    path = folder / "rates.csv"
    path.write_text("\n".join(("from,to,g_per_mwh", *rows)) + "\n")
    return EmissionRates.read(path)


def test_carbon_is_rounded_once_and_withheld_if_a_rate_is_missing(
    autumn: Path, tmp_path: Path
) -> None:
    with JournalReader(autumn) as journal:
        slots = statement_of(journal, "bob").slots[:9]
    known = rates(
        tmp_path,
        "2016-10-29T21:45:00+00:00,2016-10-29T22:00:00+00:00,400001",
        "2016-10-30T00:00:00+02:00,2016-10-30T02:00:00+01:00,350000",
    )
    exact = sum(
        Fraction(slot.imported_milliwh * (400_001 if slot.from_s < MIDNIGHT_S else 350_000), 10**9)
        for slot in slots
    )
    assert known.emission(slots, "imported_milliwh").grams == int(exact + Fraction(1, 2)) > 0
    short = rates(tmp_path, "2016-10-29T21:45:00+00:00,2016-10-29T22:50:00+00:00,400001")
    found = short.emission(slots, "imported_milliwh")
    taking = [slot for slot in slots if slot.imported_milliwh]
    assert (found.grams, found.missing) == (None, sum(s.to_s > MIDNIGHT_S + 3_000 for s in taking))


def test_every_fault_of_the_rates_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettlementError) as refused:
        rates(
            tmp_path,
            "2016-06-29T12:00:00,2016-06-29T13:00:00Z,1",
            "2016-06-29T12:00:00Z,2016-06-29T12:00:00Z,1",
            "2016-06-29T12:00:00Z,2016-06-29T13:00:00Z,-1",
            "2016-06-29T12:00:00Z,2016-06-29T13:00:00Z,1",
            "2016-06-29T12:45:00Z,2016-06-29T14:00:00Z,1",
        )
    told = str(refused.value)
    for line in (2, 3, 4, 6):
        assert f"line {line}: " in told
    assert "line 5" not in told


def test_the_command_refuses_what_it_does_not_know(
    autumn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, told in (
        (["--of", "eve"], "'eve' has no meter"),
        (["--of", "bob", "--zone", "Mars"], "found 'Mars'"),
        (["--of", "bob", "--carbon", str(tmp_path / "none.csv")], "No such file"),
        (["--of", "bob", "--out", str(tmp_path / "no" / "where.html")], "output_unwritable"),
    ):
        assert main(["statement", str(autumn), *arguments]) == 2, arguments
        assert told in capsys.readouterr().err, arguments
    assert main(["statement", str(autumn), "--of", "bob", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["periods"]) == PERIODS_OF_THE_LONG_DAY + 6


def test_without_a_tariff_the_hours_are_those_of_the_runs_market(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def zone(*more: str) -> str:
        assert main(["statement", str(tmp_path), "--of", "bob", "--json", *more]) == 0
        return str(json.loads(capsys.readouterr().out)["zone"])

    write_autumn(tmp_path / "journal.sqlite")
    assert zone() == "UTC"
    scenario = tmp_path / "scenario.toml"
    scenario.write_text('[market]\nmechanism = "pay-as-clear"\n')
    assert zone() == "UTC"
    scenario.write_text('[market]\nzone = "Europe/Berlin"\n')
    assert zone() == "Europe/Berlin"
    tariff = tmp_path / "tariff.toml"
    network = "network_micro_per_kwh = 0"
    utility = f"[utility]\nimport_micro_per_kwh = 3\nexport_micro_per_kwh = 2\n{network}\n"
    tariff.write_text(f'{utility}zone = "Europe/Lisbon"\n[market]\n{network}\n')
    assert zone("--tariff", str(tariff)) == "Europe/Lisbon"
    assert zone("--zone", "Asia/Tokyo", "--tariff", str(tariff)) == "Asia/Tokyo"
