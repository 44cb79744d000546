"""The days of a year of plants: which there are, what the sun gives, what the battery is told.

All in UTC, in which every day has its twenty-four hours, a leap day too, whatever local clocks do.
"""

import math
from datetime import UTC, datetime, timedelta

from gridrig.quantity import DAY_S

HOUR_S = 3600
LATITUDE_DEG = 50.0
YEAR = 2017
MONTHS = 12
CLOUDS = (1.0, 0.9, 0.7, 1.0, 0.8)
"""What the clouds leave of a clear sky, day by day in turn."""
CHARGING_H = range(10, 13)
DISCHARGING_H = range(18, 21)
CHARGE_W, DISCHARGE_W = 1_500.0, 1_400.0
SOC_EMPTY, SOC_FULL = 0.2, 0.9
"""States of charge at which it gives no more and takes no more."""


def day_start_utc_s(month: int, day: int = 15, year: int = YEAR) -> int:
    """Return when a day begins. [s since 1970]"""
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def fifteenths(year: int = YEAR) -> list[int]:
    """Return when the fifteenth of each month of a year begins. [s since 1970]"""
    return [day_start_utc_s(month, year=year) for month in range(1, MONTHS + 1)]


def days_from(start_s: int, count: int) -> list[int]:
    """Return when each of some days that follow each other begins. [s since 1970]"""
    return [start_s + day * DAY_S for day in range(count)]


def whole_year(year: int = YEAR) -> list[int]:
    """Return when each day of a year begins. [s since 1970]"""
    begin, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    return days_from(int(begin.timestamp()), (end - begin) // timedelta(days=1))


def sun_share(utc_s: int) -> float:
    """Return what the sun gives of a plant's rating: the sine of its elevation, less the clouds.

    References
    ----------
    .. [1] P. I. Cooper, "The absorption of radiation in solar stills," Solar Energy 12(3), 1969.
    """
    when = datetime.fromtimestamp(utc_s, UTC)
    day = when.timetuple().tm_yday
    tilt = math.radians(23.45 * math.sin(math.tau * (284 + day) / 365))
    hour_angle = math.radians(15.0 * (when.hour + when.minute / 60 - 12))
    place = math.radians(LATITUDE_DEG)
    sine = math.sin(place) * math.sin(tilt)
    sine += math.cos(place) * math.cos(tilt) * math.cos(hour_angle)
    return max(0.0, sine) * CLOUDS[(when.month + when.day) % len(CLOUDS)]


def has_order(utc_s: int) -> bool:
    """Tell whether it is an hour in which a battery may be told anything but nothing."""
    hour = utc_s % DAY_S // HOUR_S
    return hour in CHARGING_H or hour in DISCHARGING_H


def order_w(utc_s: int, soc: float) -> float:
    """Return what a battery is told by the hour and its state of charge, + is discharge. [W]"""
    hour = utc_s % DAY_S // HOUR_S
    if hour in CHARGING_H and soc < SOC_FULL:
        return -CHARGE_W
    return DISCHARGE_W if hour in DISCHARGING_H and soc > SOC_EMPTY else 0.0
