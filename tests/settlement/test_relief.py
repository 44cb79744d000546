"""`gridrig relief`: what stayed within a zone, of what was settled and not of what was traded."""

import csv
import json
import sqlite3
from pathlib import Path

import pytest
from autumn_street import write_autumn
from street import KEY, Street, settled_of

from gridrig.cli import main
from gridrig.market.auction import Trade
from gridrig.settlement import Correction, Journal, PostedLines

ZONES = """
main_grid = "grid"

[[zone]]
name = "east"
participants = ["alice"]

[[zone]]
name = "west"
participants = ["bob", "carol"]
"""


@pytest.fixture(scope="module")
def autumn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_autumn(tmp_path_factory.mktemp("autumn") / "journal.sqlite")


def write(folder: Path, text: str = ZONES) -> Path:
    path = folder / "zones.toml"
    path.write_text(text)
    return path


def zones_of(
    journal: Path, network: Path, capsys: pytest.CaptureFixture[str]
) -> dict[str, dict[str, int]]:
    assert main(["relief", str(journal), "--network", str(network), "--json"]) == 0
    return {one["zone"]: one for one in json.loads(capsys.readouterr().out)["zones"]}


def test_sums_are_those_of_the_entries_and_close_with_the_matches(
    autumn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, out = write(tmp_path), tmp_path / "matches.csv"
    told = zones_of(autumn, network, capsys)
    select = "SELECT sum(energy_milliwh) FROM named_entry WHERE kind = ? AND (? IN (debit, credit))"
    with sqlite3.connect(autumn) as db:
        for zone, names in (("east", ["alice"]), ("west", ["bob", "carol"])):
            for kind, figure in (("delivered", "sold_milliwh"), ("taken", "bought_milliwh")):
                sums = [db.execute(select, (kind, name)).fetchone()[0] or 0 for name in names]
                assert told[zone][figure] == sum(sums) > 0
    assert main(["relief", str(autumn), "--network", str(network), "--out", str(out)]) == 0
    assert "financial only" in capsys.readouterr().out
    rows = list(csv.DictReader(out.open()))
    across = {"east": 0, "west": 0}
    for row in rows:
        if row["delivery"] == "financial-only":
            assert row["seller_zone"] != row["buyer_zone"]
            across[row["seller_zone"]] += int(row["energy_milliwh"])
            across[row["buyer_zone"]] -= int(row["energy_milliwh"])
    assert across == {zone: one["financial_only_milliwh"] for zone, one in told.items()}
    late = [row for row in rows if row["period"] == "1"]  # its trades came with a correction
    shown = ("seller", "buyer", "energy_milliwh", "delivery")
    assert [[row[key] for key in shown] for row in late] == [
        ["alice", "bob", "500000", "financial-only"]
    ]


def test_a_correction_takes_back_what_was_not_delivered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def sold(energy: int) -> list[Trade]:
        return [
            Trade(1, 1, "bob", "offer", energy, 100_000),
            Trade(2, 2, "carol", "bid", energy, 100_000),
        ]

    street, path = Street(6), tmp_path / "journal.sqlite"
    with Journal(path, key=KEY) as journal:
        pairs = street.pairs(1)
        first = settled_of(0, pairs, sold(300_000))
        journal.post(first, accepted=journal.unposted(street.verifier.ledger_rows()))
        again = settled_of(0, pairs, sold(200_000), revision=1)
        journal.post(
            settled_of(1, street.pairs(2), []),
            corrections=[Correction(PostedLines.of(first), again, 1)],
        )
    west = zones_of(path, write(tmp_path), capsys)["west"]
    assert west["sold_milliwh"] == west["bought_milliwh"] == west["local_milliwh"] == 200_000


def test_a_trader_without_a_zone_is_named(
    autumn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = write(tmp_path, ZONES.replace(', "carol"', ""))
    assert main(["relief", str(autumn), "--network", str(network)]) == 2
    told = capsys.readouterr().err
    assert (
        f"settlement.participant_without_zone: {network}:6: 'carol' traded in period 2 and is in "
        "no zone" in told
    )


def test_who_is_in_two_zones_is_named(
    autumn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = write(tmp_path, ZONES.replace('"carol"', '"alice"'))
    assert main(["relief", str(autumn), "--network", str(network)]) == 2
    told = capsys.readouterr().err
    assert 'zones.toml:10: zone \'west\'.participants[1]: found "alice", who is in "east"' in told
