"""The days of a certificate year, and a battery that is led by its state of charge."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from criteria import assert_fails
from test_promise_certificates import signed_year

from gridrig.promises.plant_days import (
    CHARGE_W,
    DISCHARGE_W,
    HOUR_S,
    SOC_EMPTY,
    SOC_FULL,
    day_start_utc_s,
    fifteenths,
    has_order,
    order_w,
    sun_share,
    whole_year,
)
from gridrig.quantity import DAY_S


@pytest.mark.parametrize(("year", "days"), [(2016, 366), (2017, 365), (2100, 365), (2000, 366)])
def test_a_whole_year_has_every_day_once_a_leap_day_too(year: int, days: int) -> None:
    starts = whole_year(year)
    assert len(starts) == days
    assert {other - one for one, other in pairwise(starts)} == {DAY_S}
    dates = [datetime.fromtimestamp(start, UTC) for start in starts]
    assert (dates[0].month, dates[0].day) == (1, 1)
    assert (dates[-1].month, dates[-1].day) == (12, 31)
    assert ((2, 29) in {(date.month, date.day) for date in dates}) == (days == 366)


def test_the_hours_of_a_year_are_those_of_local_clocks_that_change() -> None:
    # On such a clock one day has 23 hours and one has 25; the hours themselves are the same.
    berlin = ZoneInfo("Europe/Berlin")
    hours = [start + hour * HOUR_S for start in whole_year() for hour in range(24)]
    local = [datetime.fromtimestamp(at_s, berlin).date() for at_s in hours]
    counts = {local.count(day) for day in set(local[24:-24])}
    assert counts == {23, 24, 25}
    assert len(hours) == len(set(hours)) == 8760


def test_the_fifteenths_are_days_of_the_year() -> None:
    assert set(fifteenths()) <= set(whole_year())
    assert fifteenths()[5] == day_start_utc_s(6)


def test_a_battery_takes_at_noon_and_gives_in_the_evening_as_its_charge_allows() -> None:
    noon, evening, night = (day_start_utc_s(6) + hour * HOUR_S for hour in (11, 19, 2))
    assert order_w(noon, 0.5) == -CHARGE_W
    assert order_w(noon, SOC_FULL) == 0.0
    assert order_w(evening, 0.5) == DISCHARGE_W
    assert order_w(evening, SOC_EMPTY) == 0.0
    assert [has_order(at_s) for at_s in (noon, evening, night)] == [True, True, False]
    assert order_w(night, 0.5) == 0.0


def test_the_sun_is_higher_in_june_and_gives_nothing_at_night() -> None:
    june, december = day_start_utc_s(6), day_start_utc_s(12)
    assert sun_share(june + 12 * HOUR_S) > 3 * sun_share(december + 12 * HOUR_S) > 0
    assert sun_share(june) == sun_share(december + 20 * HOUR_S) == 0.0


def test_an_hour_without_two_readings_is_an_unmetered_one() -> None:
    days = fifteenths()[:1]
    year = signed_year()
    metered = 8 * len(year.readings)
    assert year.unmetered(days) == 24 * len(year.readings) - metered
    year.readings["main"].pop(3)
    assert year.unmetered(days) == 24 * len(year.readings) - metered + 2
    assert_fails(year.unmetered(days), "test_certificate_year.hours_unmetered")
