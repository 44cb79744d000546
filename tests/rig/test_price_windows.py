"""Prices by the hour of the local day, in a scenario file: what is refused, and which hold when."""

import re
from collections import Counter
from pathlib import Path

import pytest
from edited_scenario import described, issues

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.rule_book import RuleBook
from gridrig.campaign.scenario import Scenario
from gridrig.campaign.slicing import slice_scenario
from gridrig.quantity import DeliveryPeriod, delivery_periods

CHEAP = (SCENARIOS / "promise-3-cheap-hours.toml").read_text()
NIGHT, DAY = 150_000, 350_000
CHANGES = """
[governance]
delay_s = 3600
voters = ["house"]
quorum = 1

[[rule_change]]
name = "feed-in"
announced_s = 0
effective_s = 36000
votes = [{ by = "house", at_s = 1 }]
set = { feed_in_micro_per_kwh = 70000 }
"""


def book_of(scenario: Scenario) -> RuleBook:
    assert scenario.market is not None
    return RuleBook(scenario.market, scenario.rules, scenario.start_utc_s)


def retail(scenario: Scenario) -> list[int]:
    """Return what the main grid asks in each period."""
    book = book_of(scenario)
    return [
        book.of(one).market.retail_micro_per_kwh
        for one in delivery_periods(scenario.duration_s, scenario.period_s)
    ]


def test_each_period_has_the_prices_of_its_hour() -> None:
    # From 22:00 by the clock on the wall: eight hours of night, sixteen of day.
    assert retail(described(CHEAP)) == [NIGHT] * 32 + [DAY] * 64
    book = book_of(described(CHEAP))
    shorts = {book.of(DeliveryPeriod(k, k * 900, 900)).market.short_price_micro_per_kwh
              for k in range(32)}  # fmt: skip
    assert shorts == {250_000}
    # What no window states is that of the market.
    assert {state.market.feed_in_micro_per_kwh for state in book.states} == {60_000}


@pytest.mark.parametrize(
    ("day", "night_hours", "hours"), [("2016-03-26", 7, 23), ("2016-10-29", 9, 25)]
)
def test_the_night_of_a_clock_change_is_an_hour_shorter_or_longer(
    day: str, night_hours: int, hours: int
) -> None:
    # From noon to noon of Europe/Berlin, in which the clock is changed at 01:00 UTC.
    noon_utc = "11" if day == "2016-03-26" else "10"
    changed = described(
        CHEAP,
        ("2016-06-29T20:00:00Z", f"{day}T{noon_utc}:00:00Z"),
        ("duration_s = 86400", f"duration_s = {hours * 3600}"),
    )
    counted = Counter(retail(changed))
    assert counted == {NIGHT: 4 * night_hours, DAY: 4 * (hours - night_hours)}


def test_a_slice_keeps_the_hours_of_the_whole() -> None:
    part = slice_scenario(described(CHEAP), from_s=18_000, for_s=36_000, tick_s=300)
    assert retail(part) == [NIGHT] * 12 + [DAY] * 28


def test_what_is_wrong_with_windows_is_told_at_its_place_all_at_once() -> None:
    found = issues(
        CHEAP,
        ('zone = "Europe/Berlin"', 'zone = "Europe/Berlun"'),
        ("from_hour = 6\nto_hour = 22", "from_hour = 8\nto_hour = 23"),
        ("retail_micro_per_kwh = 150000\n", "retail_micro_per_kwh = 50500\n"),
    )
    rising = "at least feed_in_micro_per_kwh = 60000"
    assert found == [
        ("market.zone", '"Europe/Berlun"', "a name such as 'Europe/Berlin', or 'UTC'"),
        (
            "market.tariff",
            "no window for the hours that begin at 6, 7",
            "windows that fill the local day",
        ),
        (
            "market.tariff[1].from_hour",
            "22 to 6, and hour 22 is in two windows",
            "hours that tariff[0] has not",
        ),
        (
            "market.tariff[1].retail_micro_per_kwh",
            "50500",
            "a multiple of tick_micro_per_kwh = 1000",
        ),
        ("market.tariff[1].retail_micro_per_kwh", "50500", rising),
    ]
    empty = ("to_hour = 22\nretail_micro_per_kwh = 350000\n", "to_hour = 6\n")
    assert [one[:2] for one in issues(CHEAP, empty)] == [
        (
            "market.tariff",
            f"no window for the hours that begin at {', '.join(str(h) for h in range(6, 22))}",
        ),
        ("market.tariff[0]", "no price"),
        ("market.tariff[0].to_hour", "6"),
    ]


def test_a_window_has_to_fit_the_terms_of_settlement() -> None:
    island = ('zone = "Europe', "settlement = { island_long_price_micro_per_kwh = 300000 }\nzone")
    ((key, _, expected),) = issues(CHEAP, (island[0], f'{island[1]} = "Europe'))
    # An island has the short price of the window, and by night its long price would be above it.
    assert (key, expected) == ("market.tariff[1]", "prices that fit [market.settlement]")


def test_a_period_that_lies_in_two_windows_is_refused() -> None:
    (found,) = issues(CHEAP, ('"Europe/Berlin"', '"Asia/Kolkata"'), ("900", "3600"))
    assert found == (
        "scenario.period_s",
        "3600, and period 4 lies in two windows of the tariff",
        "periods that lie in one each",
    )
    assert described(CHEAP, ('"Europe/Berlin"', '"Asia/Kolkata"')).market is not None
    # Seven by the clock on the wall lies in the middle of a period of 800 s.
    seven = (("from_hour = 6", "from_hour = 7"), ("to_hour = 6", "to_hour = 7"))
    told = [one[1] for one in issues(CHEAP, ("900", "800"), *seven)]
    assert "800, and period 40 lies in two windows of the tariff" in told


def test_a_change_of_the_rules_holds_under_every_window() -> None:
    changed = book_of(described(CHEAP + CHANGES))
    feed_in = [
        changed.of(DeliveryPeriod(k, k * 900, 900)).market.feed_in_micro_per_kwh for k in (39, 41)
    ]
    assert feed_in == [60_000, 70_000]
    late = changed.of(DeliveryPeriod(41, 41 * 900, 900))
    assert (late.changes, late.market.retail_micro_per_kwh) == (("feed-in",), DAY)
    high = ("feed_in_micro_per_kwh = 70000", "feed_in_micro_per_kwh = 160000")
    (broken,) = issues(CHEAP + CHANGES, high)
    assert broken == (
        "rule_change 'feed-in'.set.retail_micro_per_kwh",
        "150000",
        "at least feed_in_micro_per_kwh = 160000",
    )
    idle = ("feed_in_micro_per_kwh = 70000", "retail_micro_per_kwh = 300000")
    (no_effect,) = issues(CHEAP + CHANGES, idle)
    assert no_effect[0] == "rule_change 'feed-in'.set.retail_micro_per_kwh"
    assert no_effect[1] == "a price that every window of [[market.tariff]] states itself"


def test_what_is_foreseen_has_the_hours_ahead_and_no_change_that_is_not_in_force() -> None:
    book = book_of(described(CHEAP + CHANGES))
    now, later = DeliveryPeriod(20, 18_000, 900), DeliveryPeriod(60, 54_000, 900)
    foreseen = book.foreseen(later, now).market
    assert (foreseen.retail_micro_per_kwh, foreseen.feed_in_micro_per_kwh) == (DAY, 60_000)
    assert book.of(later).market.feed_in_micro_per_kwh == 70_000


def test_the_pages_example_is_a_tariff() -> None:
    page = (Path(__file__).parents[2] / "docs" / "market.md").read_text()
    (example,) = re.findall(r"^```toml tariff\n\[market\]\n(.*?)^```$", page, re.M | re.S)
    whole = CHEAP[: CHEAP.index("zone = ")] + example + CHEAP[CHEAP.index("[[event]]") :]
    assert retail(described(whole)) == retail(described(CHEAP))
