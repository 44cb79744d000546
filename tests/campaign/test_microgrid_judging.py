"""The judgements of intentional islands against closed forms: the ITIC curve, synchronism."""

import numpy as np
import pytest

from gridrig.campaign.island_shown import IslandShown
from gridrig.campaign.itic import itic, longest_s
from gridrig.campaign.synchronism import POINTS_A_CYCLE, difference
from gridrig.report.plots_islands import island_plots

STEP_S = 0.01


def dip(level_pu: float, windows: int, phase: int = 0) -> np.ndarray:
    v_pu = np.ones((2000, 3))
    v_pu[100 : 100 + windows, phase] = level_pu
    return v_pu


@pytest.mark.parametrize(
    ("level_pu", "windows", "of_allowed"),
    [
        (0.0, 2, 1.0),
        (0.69, 3, 1.5),
        (0.71, 25, 0.5),
        (0.79, 51, 1.02),
        (0.89, 1200, 1.2),
        (0.91, 1200, 0.0),
        (1.09, 1200, 0.0),
        (1.11, 40, 0.8),
        (1.25, 1, 10 / 3),
    ],
)
def test_each_level_of_the_curve_has_its_time(level_pu, windows, of_allowed) -> None:
    assert itic(dip(level_pu, windows, phase=2), STEP_S, 1e-6).of_allowed == pytest.approx(
        of_allowed
    )


def test_a_dip_within_the_instruments_uncertainty_of_a_level_is_not_decided() -> None:
    # 0.4 s at 0.7005 pu: 0.8 of what 0.8 pu allows, but 20 times what 0.7 pu does.
    sharp, blunt = (itic(dip(0.7005, 40), STEP_S, u_v_pu) for u_v_pu in (1e-4, 1e-3))
    assert sharp.of_allowed + sharp.uncertainty < 1.0
    assert blunt.of_allowed <= 1.0 < blunt.of_allowed + blunt.uncertainty


def test_two_dips_on_two_phases_are_not_one_long_one() -> None:
    beyond = np.zeros((10, 2), dtype=bool)
    beyond[1:4, 0] = beyond[4:8, 1] = True
    assert longest_s(beyond, 1.0) == 4.0


@pytest.mark.parametrize("f_n", [50.0, 60.0])
@pytest.mark.parametrize(("df_hz", "angle_deg"), [(0.3, 20.0), (-0.25, -170.0), (0.0, 90.0)])
def test_the_difference_of_two_waves_is_that_they_were_made_of(f_n, df_hz, angle_deg) -> None:
    t_s = np.arange(-1500, 0) / (POINTS_A_CYCLE * f_n)
    island = 250 * np.sqrt(2) * np.cos(2 * np.pi * (f_n + df_hz) * t_s + np.radians(angle_deg + 33))
    grid = 230 * np.sqrt(2) * np.cos(2 * np.pi * (f_n - 0.1) * t_s + np.radians(33))
    found_hz, found_v, found_deg = difference(island, grid, f_n)
    assert found_hz == pytest.approx(df_hz + 0.1, abs=0.005)
    assert found_v == pytest.approx(20.0, abs=0.05)
    assert (found_deg - angle_deg + 180) % 360 - 180 == pytest.approx(0.0, abs=0.05)


def test_a_recording_is_drawn_on_the_curve_and_its_caption_says_what_it_came_to() -> None:
    t_s = STEP_S * np.arange(1, 2001)
    result = itic(dip(0.75, 30), STEP_S, 1e-4)
    shown = IslandShown(
        "opened", t_s, dip(0.75, 30), np.full(2000, 49.5), (49.0, 51.0), result.note
    )
    (plot,) = island_plots([shown])
    assert (
        "voltage 0.750 to 1.000 pu, on the ITIC curve 0.3 s below 0.8 pu, of 0.5 s" in plot.caption
    )
    assert "49.500 to 49.500 Hz, band 49.00 to 51.00 Hz" in plot.caption
    assert all(word in plot.svg for word in ("beyond the ITIC curve", "phase c", ">0.1<"))
