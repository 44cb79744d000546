"""Rewards from signed readings: who did something is paid, who games the baseline is not."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from meters import QUARTER_S, Meters

from gridrig._core import MeterPeriod
from gridrig.errors import SettlementError
from gridrig.settlement.rewards import Due, RewardFleet, RewardProgramme, pay_rewards, reward
from gridrig.settlement.shares import ShareRegister, largest_remainder

DAY_S = 86_400
WEDNESDAY = 16_974  # 2016-06-22
EVENT = {
    "notice_ms": 1000 * (WEDNESDAY * DAY_S + 64 * QUARTER_S),
    "from_ms": 1000 * (WEDNESDAY * DAY_S + 68 * QUARTER_S),
    "to_ms": 1000 * (WEDNESDAY * DAY_S + 72 * QUARTER_S),
}
NUMBERS = {
    "period_ms": 900_000,
    "utc_offset_s": 0,
    "baseline_days": 10,
    "look_back_days": 45,
    "unread_days_max": 0,
    "adjustment_periods": 4,
    "adjustment_permille_max": 200,
    "dead_band_permille": 50,
    "event_periods_max": 4,
    "event_days_max": 4,
    "response_price_micro_per_kwh": 280_000,
    "energy_price_micro_per_kwh_min": 300_000,
}
PROGRAMME = RewardProgramme(**NUMBERS)
QUARTERS = range(60, 72)


def load(shed_milliwh: int = 0, *, flat: int = 250_000) -> dict[int, int]:
    """Quarters 60 to 71 of 15 days; in the event so much is shed."""
    drawn = {
        (WEDNESDAY - back) * DAY_S + quarter * QUARTER_S: flat + 1_000 * (back + quarter)
        for back in range(16)
        for quarter in QUARTERS
    }
    for quarter in range(68, 72):
        drawn[WEDNESDAY * DAY_S + quarter * QUARTER_S] -= shed_milliwh
    return drawn


def fleet(**meters: list[str]) -> RewardFleet:
    made = RewardFleet({f"point of {site}": names for site, names in meters.items()})
    for site in meters:
        made.enrol(site, f"point of {site}", commitment_milliwh=10_000_000)
    return made


def counted(periods: list[MeterPeriod], *meters: str) -> int:
    measured = PROGRAMME.response(fleet(home=list(meters)), "home", periods, **EVENT)
    assert measured.shortcoming is None
    return measured.counted_milliwh


def expected(drawn: dict[int, int]) -> int:
    """Return the rule in fractions."""
    days = [day for day in range(WEDNESDAY - 1, WEDNESDAY - 46, -1) if (day + 4) % 7 not in (0, 6)][
        :10
    ]

    def at(day: int, quarter: int) -> Fraction:
        return Fraction(drawn[day * DAY_S + quarter * QUARTER_S])

    def mean(quarter: int) -> Fraction:
        return sum(at(day, quarter) for day in days) / 10

    above = sum(at(WEDNESDAY, q) - mean(q) for q in range(60, 64)) / 4
    total = Fraction(0)
    for quarter in range(68, 72):
        cap = abs(mean(quarter)) / 5
        baseline = mean(quarter) + max(-cap, min(cap, above))
        total += baseline - at(WEDNESDAY, quarter) - abs(baseline) / 20
    return int(max(total, Fraction(0)))


@pytest.mark.parametrize("shed", [0, 10_000, 20_000, 100_000, 249_999])
def test_a_response_is_baseline_less_load_by_the_plain_rule(shed: int) -> None:
    drawn = load(shed)
    found = counted(Meters(["m"]).loads("m", drawn), "m")
    assert found == expected(drawn)
    assert (found > 0) == (shed > 10_000)


def test_a_response_rests_on_the_readings_of_its_event() -> None:
    periods = Meters(["m"]).loads("m", load(100_000))
    measured = PROGRAMME.response(fleet(home=["m"]), "home", periods, **EVENT)
    behind = [p for p in periods if EVENT["from_ms"] <= p.from_ms < EVENT["to_ms"]]
    assert set(measured.digests) == {
        r.digest for p in behind for r in (p.opening, p.closing) if r is not None
    }
    assert measured.baseline_milliwh > measured.net_load_milliwh == 4 * 150_000 + 1_000 * 278


def test_free_riding_does_not_pay() -> None:
    assert counted(Meters(["m"]).loads("m", load(0)), "m") == 0
    # A day that happens to be a little quieter stays within the dead band.
    assert counted(Meters(["m"]).loads("m", load(10_000)), "m") == 0


def test_inflating_the_window_or_the_days_costs_more_than_it_earns() -> None:
    honest, price, cost = load(100_000), 280_000, 300_000
    base = counted(Meters(["m"]).loads("m", honest), "m")
    before_the_notice = [WEDNESDAY * DAY_S + quarter * QUARTER_S for quarter in range(60, 64)]
    days_before = [
        (WEDNESDAY - back) * DAY_S + quarter * QUARTER_S
        for back in (1, 2, 5, 6, 7)
        for quarter in range(68, 72)
    ]
    for quarters, events in ((before_the_notice, 1), (days_before, NUMBERS["event_days_max"])):
        for more in (10_000, 200_000, 5_000_000):
            gamed = honest | {at: honest[at] + more for at in quarters}
            gain = counted(Meters(["m"]).loads("m", gamed), "m") - base
            assert 0 < gain * events * price <= more * len(quarters) * cost


def test_after_the_notice_nothing_moves_the_baseline() -> None:
    honest = load(100_000)
    gamed = honest | {
        at: honest[at] + 5_000_000
        for at in (WEDNESDAY * DAY_S + quarter * QUARTER_S for quarter in range(64, 68))
    }
    found = [counted(Meters(["m"]).loads("m", drawn), "m") for drawn in (honest, gamed)]
    assert found[0] == found[1]


def test_splitting_a_meter_does_not_pay() -> None:
    # The whole load on one meter, or moved in the event from one to the other of the same point.
    meters = Meters(["a", "b"])
    one, other = load(100_000), load(-100_000)
    moved = meters.loads("a", one) + meters.loads("b", other)
    assert counted(moved, "a", "b") == 0
    # Alone the first would have been paid: a point is enrolled with every meter it has.
    assert counted(moved[: len(one)], "a") > 0
    with pytest.raises(SettlementError) as refused:
        PROGRAMME.response(fleet(home=["a"]), "home", moved, **EVENT)
    assert refused.value.code == "settlement.reward_meter_foreign"
    # Half the load on each of two meters is the same response as all of it on one.
    half = {at: energy // 2 for at, energy in load(100_000).items()}
    rest = {at: energy - half[at] for at, energy in load(100_000).items()}
    again = Meters(["a", "b"])
    parted = again.loads("a", half) + again.loads("b", rest)
    assert counted(parted, "a", "b") == expected(load(100_000))


def test_double_enrolment_is_refused_with_both_sites() -> None:
    made = fleet(home=["m"])
    with pytest.raises(SettlementError) as refused:
        made.enrol("another", "point of home", commitment_milliwh=1)
    assert refused.value.code == "settlement.reward_point_enrolled"
    assert '"home"' in refused.value.message
    assert '"another"' in refused.value.message
    with pytest.raises(SettlementError, match="reward_meter_repeated"):
        RewardFleet({"p": ["m"], "q": ["m"]})
    assert made.sites() == [("home", "point of home", ["m"], 10_000_000)]


def test_a_replayed_period_counts_once_and_an_unread_one_not_at_all() -> None:
    periods = Meters(["m"]).loads("m", load(100_000))
    with pytest.raises(SettlementError, match="reward_period_repeated"):
        PROGRAMME.response(fleet(home=["m"]), "home", [*periods, periods[-1]], **EVENT)
    made = fleet(home=["m"])
    measured = PROGRAMME.response(made, "home", periods[:-1], **EVENT)
    assert (measured.shortcoming, measured.counted_milliwh) == ("event-unread", 0)
    few = [p for p in periods if p.from_ms >= 1000 * (WEDNESDAY - 9) * DAY_S]
    measured = PROGRAMME.response(made, "home", few, **EVENT)
    assert (measured.shortcoming, measured.counted_milliwh) == ("baseline-short", 0)
    day = {"from_ms": 1000 * WEDNESDAY * DAY_S, "to_ms": 1000 * (WEDNESDAY + 1) * DAY_S}
    assert PROGRAMME.connectivity(made, "home", periods, **day) == (12, 96)


def test_a_capacity_that_was_not_shown_is_not_believed() -> None:
    periods = Meters(["m"]).loads("m", load(100_000))
    made = fleet(home=["m"])

    def shown(claimed: int) -> int:
        test = PROGRAMME.capacity(made, "home", periods, claimed_milliwh=claimed, **EVENT)
        return test.counted_milliwh

    least = shown(1)
    assert least == 1
    honest = shown(95_000)
    assert honest == 95_000
    assert shown(2 * honest) == 0


def test_numbers_with_which_gaming_would_pay_are_refused() -> None:
    for change, code in (
        ({"event_days_max": 9}, "reward_inflating_days"),
        ({"event_periods_max": 5}, "reward_inflating_notice"),
        ({"response_price_micro_per_kwh": 400_000}, "reward_inflating_notice"),
        ({"energy_price_micro_per_kwh_min": -1}, "reward_programme"),
    ):
        with pytest.raises(SettlementError) as refused:
            RewardProgramme(**(NUMBERS | change))
        assert refused.value.code == f"settlement.{code}"


def test_a_pool_pays_what_is_backed_and_not_more_than_it_has() -> None:
    dues = [
        Due("b", "response", 700, (b"2" * 32,)),
        Due("a", "response", 700, (b"1" * 32,)),
        Due("a", "capacity", 0, ()),
    ]
    paid, left = reward(999, dues)
    assert [(r.due.site, r.due.kind, r.paid_micro) for r in paid] == [
        ("a", "capacity", 0),
        ("a", "response", 500),
        ("b", "response", 499),
    ]
    assert left == 0
    for wrong, code in (
        ([*dues, dues[0]], "reward_due_repeated"),
        ([Due("a", "response", 1, ())], "reward_unbacked"),
        ([Due("a", "response", -1, (b"1",))], "reward_due"),
    ):
        with pytest.raises(SettlementError) as refused:
            reward(10, wrong)
        assert refused.value.code == f"settlement.{code}"


@given(
    total=st.integers(-(2**63), 2**63 - 1),
    weights=st.lists(st.integers(0, 2**50), min_size=1, max_size=20).filter(any),
)
@settings(max_examples=200, deadline=None, database=None, derandomize=True)
def test_money_is_parted_as_fractions_part_it(total: int, weights: list[int]) -> None:
    exact = [Fraction(abs(total) * weight, sum(weights)) for weight in weights]
    parts = [int(part) for part in exact]
    by_rest = sorted(range(len(weights)), key=lambda n: (parts[n] - exact[n], n))
    for n in by_rest[: abs(total) - sum(parts)]:
        parts[n] += 1
    sign = 1 if total >= 0 else -1
    assert largest_remainder(total, weights) == [sign * part for part in parts]


def test_a_short_pool_pays_in_proportion() -> None:
    assert pay_rewards(50, [30, 30, 31]) == ([17, 16, 17], 0)
    assert pay_rewards(100, [30, 30]) == ([30, 30], 40)


def test_shares_weigh_by_the_time_they_were_held() -> None:
    shares = ShareRegister([("ann", 3), ("ben", 4)])
    shares.transfer(250, "ben", "cho", 2)
    assert shares.weights(0, 1_000) == {"ann": 3_000, "ben": 2_500, "cho": 1_500}
    assert shares.held() == {"ann": 3, "ben": 2, "cho": 2}
    payouts, made_good, losses = shares.distribute(1_000, from_ms=0, to_ms=1_000, losses_micro=300)
    assert (dict(payouts), made_good, losses) == ({"ann": 300, "ben": 250, "cho": 150}, 300, 0)
    payouts, made_good, losses = shares.distribute(-5, from_ms=0, to_ms=1_000)
    assert (set(dict(payouts).values()), made_good, losses) == ({0}, 0, 5)
