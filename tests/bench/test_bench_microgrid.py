"""The microgrid benchmark, two days of one street: bounds, balance, and what its figures mean."""

import numpy as np
import pytest

from gridrig.bench.microgrid_market import DAY_STEPS, Street
from gridrig.bench.microgrid_optimum import greedy_w, mean_daily_peak_w, net_w, optimum_w
from gridrig.bench.microgrid_street import Home, draw_street

FIRST, DAYS = 45 * DAY_STEPS, 2
STEPS = slice(FIRST, FIRST + DAYS * DAY_STEPS)


@pytest.fixture(scope="module")
def homes():
    return draw_street(1)


def test_a_street_trades_shaves_its_peaks_and_delivers_what_was_cleared(homes):
    week = Street(homes, FIRST, DAYS * DAY_STEPS, seed=1).run()
    bare, optimum = net_w(homes, STEPS), optimum_w(homes, STEPS, parts=DAYS)
    peaks = [mean_daily_peak_w(w, DAYS) for w in (bare, week.import_w, optimum)]
    assert peaks[0] > peaks[1] > peaks[2]
    assert (peaks[0] - peaks[1]) / (peaks[0] - peaks[2]) > 0.6
    missed = np.abs(week.delivered_wh - week.cleared_wh).sum()
    assert missed / np.abs(week.cleared_wh).sum() < 0.05
    # What was delivered differs from what homes use by what passed through batteries, no more.
    stored = sum(home.battery_wh for home in homes)
    assert (
        abs(week.delivered_wh.sum() - bare.sum() / 4) < 0.5 * stored + 0.2 * week.delivered_wh.sum()
    )


def test_five_consumers_and_ten_prosumers_the_same_for_a_seed(homes):
    assert [bool(home.battery_wh) for home in homes] == [False] * 5 + [True] * 10
    again, other = draw_street(1), draw_street(2)
    assert all((a.load_w == b.load_w).all() for a, b in zip(homes, again, strict=True))
    assert any(a.battery_wh != b.battery_wh for a, b in zip(homes, other, strict=True))


def test_the_optimum_of_a_block_is_its_closed_form():
    # 4 h of 8 kW, then 4 h of nothing; 10 kWh half full: what is in it lowers the block evenly.
    load = np.repeat([8_000.0, 0.0], 16)
    home = Home("home", load, np.zeros(32), battery_wh=10_000.0, battery_w=5_000.0)
    found = optimum_w([home], slice(0, 32), parts=1)
    assert found.max() == pytest.approx(8_000 - 5_000 * 0.95 / 4)


def test_greedy_keeps_its_own_surplus_and_never_buys_to_store():
    sun, load = np.repeat([4_000.0, 0.0], 4), np.repeat([1_000.0, 2_000.0], 4)
    home = Home("home", load, sun, battery_wh=6_000.0, battery_w=3_000.0)
    found = greedy_w([home], slice(0, 8))
    # 3 kWh of room take 3 / 0.95 of surplus, which is all of it for an hour.
    assert found[:4] == pytest.approx([0.0] * 4)
    assert found[4:] == pytest.approx([0.0] * 4)
    assert greedy_w([Home("none", load, sun)], slice(0, 8)) == pytest.approx(load - sun)
