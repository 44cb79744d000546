"""The checks behind the rows find what is wrong: tampered clearings, and a run of liars."""

import json
import subprocess
from pathlib import Path

import pytest
from gridrig_process import GRIDRIG, call

from gridrig.campaign.trading import Cleared
from gridrig.errors import GridrigError
from gridrig.market.auction import AuctionRules, Order, Trade, clear_pay_as_clear
from gridrig.promises import command
from gridrig.promises.campaigns import CAMPAIGNS
from gridrig.promises.clearing import is_unlike_rule
from gridrig.promises.rows import Campaign, Row
from gridrig.quantity import DeliveryPeriod

RULES = AuctionRules(lot_milliwh=1_000, tick_micro_per_kwh=1_000)
ORDERS = (
    Order(1, "a", "bid", 3_000, 300_000),
    Order(2, "b", "bid", 2_000, 200_000),
    Order(3, "c", "offer", 4_000, 100_000),
    Order(4, "d", "offer", 4_000, 250_000),
)


def cleared(trades: tuple[Trade, ...]) -> Cleared:
    return Cleared(DeliveryPeriod(0, 0, 900), False, ORDERS, trades, (), None, 0)


def test_what_the_core_clears_is_like_the_rule_and_every_change_of_it_is_not() -> None:
    found = tuple(clear_pay_as_clear(list(ORDERS), RULES).trades)
    assert found
    assert not is_unlike_rule(cleared(found))

    def changed(place: int, **values: object) -> Cleared:
        one = found[place]
        keys = ("trade_id", "order_id", "participant", "side", "energy_milliwh",
                "price_micro_per_kwh")  # fmt: skip
        again = {key: getattr(one, key) for key in keys} | values
        return cleared((*found[:place], Trade(**again), *found[place + 1 :]))

    energy, price = found[0].energy_milliwh, found[0].price_micro_per_kwh
    assert is_unlike_rule(changed(0, energy_milliwh=energy + 1_000))
    assert is_unlike_rule(changed(0, price_micro_per_kwh=price + 1_000))
    assert is_unlike_rule(changed(0, participant="d"))
    assert is_unlike_rule(cleared(()))  # a price would have moved energy


def test_promises_prints_what_a_row_came_to_and_its_exit_code_says_so(tmp_path: Path) -> None:
    done = call("promises", "N6", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["row"], row["verdict"]) == ("N6", "PASS")
    assert [one["limit"] for one in row["measured"]] == ["at most 1", "at most 0"]


def test_a_row_that_nothing_proves_is_no_pass(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = Row("N99", "that nobody measures", missing="all")
    monkeypatch.setattr(command, "chosen_rows", lambda _: [(CAMPAIGNS[0], nobody)])
    assert command.promises_command([], only_list=False, mutants=False, as_json=False) == 3
    shown = capsys.readouterr().out
    assert "NOT PROVEN" in shown
    assert "0 of 1 rows proven" in shown


@pytest.mark.soak
@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda one: one.title)
def test_every_campaign_passes_and_finds_its_wrong_devices(
    campaign: Campaign, tmp_path: Path
) -> None:
    """Of the rows that procedures alone carry: a figure of this machine may be any."""
    carried = [row.name for row in campaign.rows if row.proofs and not row.figures]
    assert carried
    words = [str(GRIDRIG), "promises", *carried, "--mutants", "--json"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    verdicts = {row["row"]: row["verdict"] for row in json.loads(done.stdout)}
    assert verdicts == dict.fromkeys(carried, "PASS"), done.stderr
    assert done.returncode == 0, done.stderr


def test_a_folder_for_pages_that_cannot_be_is_told_before_anything_runs(tmp_path: Path) -> None:
    taken = tmp_path / "pages"
    taken.write_text("")
    with pytest.raises(GridrigError, match=r"pages: File exists, expected a folder"):
        command.promises_command(
            ["N5"], only_list=False, mutants=False, as_json=False, report=taken
        )


def test_a_rig_that_cannot_be_written_is_told_without_a_traceback(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere" / "outside.toml"
    told = call("emulate", "secured-inverter", "--write-rig", nowhere, cwd=tmp_path)
    assert told.returncode == 2
    assert "Traceback" not in told.stderr
    assert f"rig.unwritable: {nowhere}: No such file or directory" in told.stderr
