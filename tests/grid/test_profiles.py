"""Profiles: the right row at the right time, in the right direction, and never a guess."""

from pathlib import Path

import numpy as np
import pytest
from feeder_injections import utc

from gridrig.errors import GridError
from gridrig.grid import Network, Profiles, load_network, load_profiles
from gridrig.grid.simbench_grid import profile_folder, read_profile_rows

CODE = "1-LV-rural1--2-no_sw"


def labelled(table: str, label: str, column: str) -> float:
    """Find a value by the label in the file, reading it as text: the other way round."""
    with (profile_folder(CODE) / f"{table}.csv").open() as rows:
        names = next(rows).strip().split(";")
        row = next(row for row in rows if row.startswith(label))
    return float(row.strip().split(";")[names.index(column)])


@pytest.mark.parametrize(
    ("time", "label"),
    [
        ((2016, 1, 15, 11, 0), "15.01.2016 12:00"),
        ((2016, 3, 27, 1, 0), "27.03.2016 03:00"),
        ((2016, 6, 21, 11, 0), "21.06.2016 13:00"),
        ((2016, 12, 31, 22, 30), "31.12.2016 23:30"),
    ],
)
def test_row_is_the_one_labelled_with_the_german_local_time(
    network: Network, time: tuple[int, ...], label: str
) -> None:
    at = utc(*time)
    profiles = load_profiles(network, at, at)
    assert profiles.load("LV1.101 Bus 1", at) == (
        pytest.approx(-13_700 * labelled("LoadProfile", label, "L2-A_pload")),
        pytest.approx(-5_400 * labelled("LoadProfile", label, "L2-A_qload")),
    )
    assert profiles.sgen_fraction("LV1.101 SGen 6", at) == pytest.approx(
        labelled("RESProfile", label, "PV8")
    )


def test_load_is_negative_and_summed_by_bus(network: Network, june: Profiles) -> None:
    at = utc(2016, 6, 21, 11)
    p_w = june.loads(at).p_w
    assert len(june.buses) == 13
    assert p_w.sum() < -10e3
    expected = -sum(
        load.draw_w * labelled("LoadProfile", "21.06.2016 13:00", f"{load.profile}_pload")
        for load in network.loads_by_bus()["LV1.101 Bus 8"]
    )
    assert len(network.loads_by_bus()["LV1.101 Bus 8"]) == 4
    assert june.load("LV1.101 Bus 8", at)[0] == pytest.approx(expected)


def test_sun_shines_by_day_only_and_never_beyond_the_rating(june: Profiles) -> None:
    day = np.array([june.sgen_fractions(utc(2016, 6, 21) + 900 * k) for k in range(96)])
    assert day[:8].max() == 0.0
    assert 0.5 < day.max() <= 1.0


def test_hold_keeps_a_row_and_linear_goes_to_the_next(network: Network) -> None:
    start = utc(2016, 6, 21, 6)
    held = load_profiles(network, start, start + 1800)
    straight = load_profiles(network, start, start + 1800, between="linear")
    name = "LV1.101 SGen 1"
    first, second = (held.sgen_fraction(name, start + t) for t in (0, 900))
    assert second - first > 0.01
    assert held.sgen_fraction(name, start + 899.9) == first
    assert straight.sgen_fraction(name, start + 300) == pytest.approx(first + (second - first) / 3)
    assert straight.sgen_fraction(name, start + 900) == second


@pytest.mark.parametrize("late_s", [-1, 1])
def test_time_outside_the_window_is_refused(network: Network, late_s: int) -> None:
    start = utc(2016, 6, 21, 6)
    profiles = load_profiles(network, start, start + 900)
    with pytest.raises(GridError, match="2016-06-21T06:00:00Z to 2016-06-21T06:15:00Z") as caught:
        profiles.loads(start - 1 if late_s < 0 else start + 901)
    assert caught.value.code == "grid.profile_time"


def test_another_year_is_refused(network: Network) -> None:
    with pytest.raises(GridError) as caught:
        load_profiles(network, utc(2017, 6, 21), utc(2017, 6, 22))
    assert caught.value.code == "grid.profile_time"


def test_data_moved_by_one_row_is_refused(tmp_path: Path) -> None:
    moved = tmp_path / "RESProfile.csv"
    rows = ["time;PV1", "01.01.2016 00:15;0.1", "01.01.2016 00:30;0.2"]
    moved.write_text("\n".join(rows) + "\n")
    with pytest.raises(GridError, match=r"labelled 01\.01\.2016 00:15") as caught:
        read_profile_rows(moved, ["PV1"], 0, 2)
    assert caught.value.code == "grid.profile_clock"


def test_unknown_profile_is_named(network: Network) -> None:
    with pytest.raises(GridError, match="PV99") as caught:
        read_profile_rows(profile_folder(CODE) / "RESProfile.csv", ["PV99"], 0, 1)
    assert caught.value.code == "grid.profile_missing"


def test_network_without_profiles_says_so() -> None:
    with pytest.raises(GridError, match="cigre_lv has no profiles of its own") as caught:
        load_profiles(load_network("cigre_lv"), utc(2016, 6, 21), utc(2016, 6, 22))
    assert caught.value.code == "grid.profile_absent"
