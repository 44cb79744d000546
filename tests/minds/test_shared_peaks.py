"""The plan of a street's shared peak: closed forms of a day, and what a day has reached."""

import numpy as np
import pytest

from gridrig.minds.horizon import means, steps_s
from gridrig.minds.shared_peak import Batteries, PeakTariff, plan_peak

PERIOD_S, DAY = 900, 96
TARIFF = PeakTariff(energy_micro=100_000, feed_in_micro=60_000, peak_micro=1_000_000)
EVENING_W = np.repeat([2_000.0, 8_000.0, 2_000.0], [64, 16, 16])  # 4 h of 8 kW


def planned(*, stored_wh=0.0, size_wh=10_000.0, reached_w=0.0, begun=0, days=2):
    needed_w = np.tile(EVENING_W, days + 1)[begun : begun + days * DAY]
    return plan_peak(
        needed_w,
        Batteries(stored_wh, size_wh, 5_000.0, 0.95),
        TARIFF,
        period_s=PERIOD_S,
        begun_s=begun * PERIOD_S,
        reached_w=reached_w,
    )


def test_a_battery_lowers_the_evening_by_what_it_holds():
    found = planned(stored_wh=10_000.0)
    # 10 kWh over the 4 hours of the evening, less the losses of giving; the same every day.
    assert found.peak_w == pytest.approx(8_000 - 10_000 * 0.95 / 4)


def test_a_peak_that_was_reached_is_not_fought_again():
    begun = 64  # the evening begins, the battery is empty, and 9 kW have been
    found = planned(begun=begun, reached_w=9_000.0)
    assert found.peak_w == pytest.approx(9_000.0)
    # What is stored saves nothing today, and may be charged at the price of energy.
    assert found.worth_micro_per_kwh[0] * 0.95 >= TARIFF.energy_micro * (1 - 1e-9)


def test_beyond_the_peak_a_period_costs_the_whole_charge():
    assert TARIFF.beyond_micro(PERIOD_S) == 100_000 + 4 * 1_000_000


def test_a_horizon_is_periods_and_then_hours():
    lengths = steps_s(2 * DAY, PERIOD_S)
    assert lengths.sum() == 2 * 86_400
    assert lengths[:9].tolist() == [900.0] * 8 + [3600.0]
    assert means(np.arange(16.0), steps_s(16, PERIOD_S), PERIOD_S)[8:].tolist() == [9.5, 13.5]
