"""Payouts by calendar months, by a file, and what the checks of promise M20 and M25 find."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from autumn_street import write_autumn
from criteria import assert_fails

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.shares_file import Shares, read_shares
from gridrig.campaign.stress_command import read_assumptions
from gridrig.cli import main
from gridrig.errors import RigError, SettlementError
from gridrig.promises.holders import (
    furthest_from_share_micro,
    paid_unlike_revenue_micro,
    payouts_unlike_fractions,
    stress_off_series_of_allowed,
)
from gridrig.settlement.journal_reader import JournalReader
from gridrig.settlement.payouts import Payout, Transfer, months, payouts
from gridrig.settlement.reward_stress import stress

BERLIN = ZoneInfo("Europe/Berlin")
ASSUMPTIONS = RIGS / "economics" / "reward-assumptions.toml"
HOUR_MS = 3_600_000


def at_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


YEAR = at_ms("2015-12-31T23:00:00Z"), at_ms("2016-12-31T23:00:00Z")
REVENUES = [7_000_001, -3, 12, 900_000_007, -50_000, 40_000, 10_003, 1, 0, 999_999, 31, 5_000_011]
HOLDERS = tuple((name, n) for name, n in zip("abcdefg", (3, 7, 11, 13, 19, 23, 37), strict=True))
MOVES = (
    Transfer(at_ms("2016-03-27T04:00:00Z"), "g", "a", 10),  # hours after a clock change
    Transfer(at_ms("2016-07-31T22:00:00Z"), "b", "new", 7),  # everything, as August begins
)


def test_a_year_has_twelve_months_with_their_lengths_and_clock_changes() -> None:
    spans = months(*YEAR, BERLIN)
    assert [(last - first) // HOUR_MS for first, last in spans] == [
        *(31 * 24, 29 * 24, 31 * 24 - 1, 30 * 24, 31 * 24, 30 * 24),
        *(31 * 24, 31 * 24, 30 * 24, 31 * 24 + 1, 30 * 24, 31 * 24),
    ]
    assert (spans[0][0], spans[-1][1]) == YEAR
    middle = months(at_ms("2016-06-20T00:00:00Z"), at_ms("2016-06-21T00:00:00Z"), BERLIN)
    assert len(middle) == 1


def shares(**changed: object) -> Shares:
    made = Shares("roof", 1_000, BERLIN, None, HOLDERS, MOVES)
    return replace(made, **changed)  # type: ignore[arg-type]


def paid(of: Shares) -> list[Payout]:
    return payouts(of.founders, of.transfers, months(*YEAR, BERLIN), REVENUES, of.cost_micro)


def test_seven_holders_are_paid_a_year_exactly_and_a_loss_is_carried() -> None:
    of = shares()
    made = paid(of)
    assert payouts_unlike_fractions(of, made) == 0
    assert furthest_from_share_micro(of, made) < 1
    assert paid_unlike_revenue_micro(of, made) == 0
    assert [one.carried_micro for one in made] == [
        *(0, 1_003, 1_991, 0, 51_000, 12_000),
        *(2_997, 3_996, 4_996, 0, 969, 0),
    ]
    assert min(amount for one in made for _, amount in one.paid) >= 0
    assert made[7].paid_micro == 0


def test_what_is_paid_otherwise_is_found() -> None:
    of = shares()
    made = paid(of)
    first = dict(made[0].paid)
    shifted = first | {"a": first["a"] + 1, "b": first["b"] - 1}
    wrong = [replace(made[0], paid=tuple(shifted.items())), *made[1:]]
    assert payouts_unlike_fractions(of, wrong) == 1
    assert paid_unlike_revenue_micro(of, wrong) == 0  # the sum is right, the parts are not
    lost = [replace(made[0], paid=made[0].paid[1:]), *made[1:]]
    assert paid_unlike_revenue_micro(of, lost) == first["a"]
    unmoved = paid(shares(transfers=()))
    assert_fails(payouts_unlike_fractions(of, unmoved), "test_holders.payouts_unlike_fractions")
    assert_fails(furthest_from_share_micro(of, unmoved), "test_holders.furthest_from_share_micro")


def test_a_shares_file_says_everything_that_is_wrong(tmp_path: Path) -> None:
    text = (RIGS / "economics" / "village-roof.toml").read_text()
    path = tmp_path / "shares.toml"
    text = text.replace("shares = 3\n", "shares = 0\n").replace("Europe/Berlin", "Europe/Berlino")
    path.write_text(text.replace('at = "2016-06-20T10:40:00Z"', 'at = "noon"'))
    with pytest.raises(RigError) as caught:
        read_shares(path)
    assert [one.key for one in caught.value.issues] == [
        "asset.zone",
        "holder 'ann'.shares",
        "transfer[0].at",
    ]


def test_nobody_gives_shares_away_that_it_has_not() -> None:
    with pytest.raises(SettlementError, match=r"settlement\.share_"):
        paid(shares(transfers=(Transfer(YEAR[0], "a", "b", 4),)))


def test_stress_adds_up_and_says_what_it_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assumptions = read_assumptions(ASSUMPTIONS)
    assert len(assumptions) == 5
    found = [stress(one) for one in assumptions]
    assert [one.empty_week for one in found] == [None, 72, None, 60, 31]
    for one, assumed in zip(found, assumptions, strict=True):
        assert stress_off_series_of_allowed(one, assumed) <= 1
        for wrong in (
            replace(one, fees_micro=one.fees_micro + one.assumed.pool_micro),
            replace(one, pool_micro=one.pool_micro + 1),
            stress(replace(assumed, growth_permille_per_week=-50)),
        ):
            off = stress_off_series_of_allowed(wrong, assumed)
            assert_fails(off, "test_holders.stress_off_series_of_allowed")
    assert main(["stress", str(ASSUMPTIONS)]) == 0
    assert "not a price forecast" in capsys.readouterr().out
    assert main(["stress", str(ASSUMPTIONS), "--json"]) == 0
    assert "not a price forecast" in json.loads(capsys.readouterr().out)["note"]


def test_the_command_pays_what_the_journal_says_with_its_corrections(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    autumn = write_autumn(tmp_path / "journal.sqlite")
    file = tmp_path / "shares.toml"
    file.write_text(
        '[asset]\nparticipant = "alice"\ncost_micro_per_span = 7\nspan_s = 86400\n'
        '[[holder]]\nname = "ann"\nshares = 3\n[[holder]]\nname = "ben"\nshares = 7\n'
    )
    with JournalReader(autumn) as journal:
        balance = journal.balances()["alice"]
    assert main(["payouts", str(autumn), "--shares", str(file), "--json"]) == 0
    spans = json.loads(capsys.readouterr().out)["spans"]
    assert len(spans) == 2
    assert sum(one["revenue_micro"] for one in spans) == balance
    # Alice takes more than she gives: nobody is paid, and nobody pays.
    assert [sum(one["paid"].values()) for one in spans] == [0, 0]
    assert spans[-1]["carried_micro"] == 14 - balance > 0
    assert main(["payouts", str(autumn), "--shares", str(file)]) == 0
    told = (
        f"alice earned -{-balance // 10**6}.{-balance % 10**6:06d}, its holders are paid 0.000000"
    )
    assert told in capsys.readouterr().out
    file.write_text(file.read_text().replace("alice", "nobody"))
    assert main(["payouts", str(autumn), "--shares", str(file)]) == 2
    assert "expected one of alice, bob" in capsys.readouterr().err
