"""Bills against fractions, and on the command line against the journal of a run."""

from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridrig.campaign.tariff_file import read_tariff
from gridrig.errors import RigError, SettlementError
from gridrig.settlement.bills import Metered, Tariff, bills, losers

TARIFF = Tariff(
    import_micro_per_kwh=(*(200_000,) * 12, *(300_001,) * 12),
    export_micro_per_kwh=80_000,
    network_micro_per_kwh=70_003,
    standing_micro=500_000,
    zone=ZoneInfo("Africa/Lagos"),  # an hour before UTC, all the year
    market_network_micro_per_kwh=70_003,
)


def rounded(exact: Fraction) -> int:
    whole = int(abs(exact) + Fraction(1, 2))
    return whole if exact >= 0 else -whole


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.integers(0, 200),
            st.integers(0, 3_000_000),
            st.integers(0, 3_000_000),
        ),
        min_size=1,
        max_size=40,
    ),
    balance=st.integers(-(10**9), 10**9),
)
@settings(max_examples=80, deadline=None, database=None, derandomize=True)
def test_a_bill_is_the_plain_sum_of_its_lines(
    rows: list[tuple[str, int, int, int]], balance: int
) -> None:
    metered = [Metered(name, 900 * n, 900, taken, given) for name, n, taken, given in rows]
    balances = {rows[0][0]: balance}
    for bill in bills(metered, balances, TARIFF):
        mine = [row for row in rows if row[0] == bill.participant]
        early = sum(t for _, n, t, _ in mine if (900 * n + 3_600) % 86_400 < 43_200)
        late = sum(t for _, _, t, _ in mine) - early
        given_away = sum(g for *_, g in mine)
        kwh = Fraction(1, 10**6)
        network = rounded((early + late) * 70_003 * kwh)
        utility = (
            500_000
            + network
            + rounded(early * 200_000 * kwh)
            + rounded(late * 300_001 * kwh)
            - rounded(given_away * 80_000 * kwh)
        )
        market = 500_000 + network - balances.get(bill.participant, 0)
        assert (bill.utility_micro, bill.market_micro) == (utility, market)
        assert bill.saved_micro == utility - market
        assert (bill.imported_milliwh, bill.exported_milliwh) == (early + late, given_away)


def test_those_who_lose_are_counted_and_nobody_is_left_out() -> None:
    metered = [Metered(name, 0, 900, 1_000_000, 0) for name in ("ann", "ben", "cho")]
    made = bills(metered, {"ann": -300_000, "ben": -199_999, "cho": -200_000}, TARIFF)
    assert [(b.participant, b.saved_micro) for b in made] == [
        ("ann", -100_000),
        ("ben", 1),
        ("cho", 0),
    ]
    assert [b.participant for b in losers(made)] == ["ann"]
    with pytest.raises(SettlementError, match="bill_unmetered"):
        bills(metered, {"eve": 1}, TARIFF)


TARIFF_TEXT = """[utility]
import_micro_per_kwh = 300000
export_micro_per_kwh = 80000
network_micro_per_kwh = 70000
standing_micro_per_day = 96000
[market]
network_micro_per_kwh = 70000
"""


def test_a_tariff_file_is_read_and_its_issues_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tariff.toml"
    path.write_text(TARIFF_TEXT)
    read = read_tariff(path, duration_s=900)
    assert (read.import_price(0), read.standing_micro) == (300_000, 1_000)
    path.write_text(TARIFF_TEXT.replace("= 300000", "= [1, 2]").replace("= 80000", "= 0.5"))
    with pytest.raises(RigError) as refused:
        read_tariff(path, duration_s=900)
    assert refused.value.code == "settlement.tariff_file"
    assert {issue.key for issue in refused.value.issues} == {
        "utility.export_micro_per_kwh",
        "utility.import_micro_per_kwh",
    }
    for name in ("Mars", "Europe"):  # the second is a folder of zones
        path.write_text(TARIFF_TEXT.replace("[market]", f'zone = "{name}"\n[market]'))
        with pytest.raises(RigError, match=r"utility.zone"):
            read_tariff(path, duration_s=900)


def test_hours_of_a_tariff_follow_the_clock_of_its_zone(tmp_path: Path) -> None:
    path = tmp_path / "tariff.toml"
    prices = str([1_000 * hour for hour in range(24)])
    text = TARIFF_TEXT.replace("= 300000", f"= {prices}")
    path.write_text(text.replace("[market]", 'zone = "Europe/Berlin"\n[market]'))
    read = read_tariff(path, duration_s=900)
    # 30 October 2016: 00:30 and 01:30 UTC are both 02:30, in summer time and out of it.
    utc_s = 1_477_787_400
    found = [read.import_price(utc_s + 3_600 * n) for n in (-1, 0, 1, 2)]
    assert found == [1_000, 2_000, 2_000, 3_000]
