"""Photovoltaics by the weather, beside the same models worked out here from their publications."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from feeder_injections import utc

from gridrig.errors import GridError
from gridrig.grid import Network, load_network, load_profiles
from gridrig.grid.weather import PvArray, Weather

START = utc(2016, 6, 21)
DAY_S = 86_400
LATITUDE, LONGITUDE = 48.1, 11.6
ROOFS = (PvArray("south", 35, 180, dc_over_ac=1.25), PvArray("east", 20, 90, losses_percent=5))


def day(*, parted: bool) -> pd.DataFrame:
    """Return made-up weather in rows of 15 minutes: the sun rises, a cloud comes at noon."""
    times = pd.date_range("2016-06-21T00:00:00Z", periods=97, freq="15min")
    hour = np.arange(97) / 4.0
    clear = 900.0 * np.clip(np.sin((hour - 4.0) / 15.0 * np.pi), 0.0, None)
    ghi = np.where((hour > 11) & (hour < 12), 0.3 * clear, clear)
    frame = pd.DataFrame({"time": times.strftime("%Y-%m-%dT%H:%M:%SZ"), "ghi_w_per_m2": ghi})
    if parted:
        frame["dhi_w_per_m2"], frame["dni_w_per_m2"] = 0.25 * ghi, 0.9 * ghi
    frame["air_c"], frame["wind_m_per_s"] = 12.0 + hour / 2, 1.0 + hour / 10
    return frame


def sun_at(utc_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return zenith and azimuth [rad] by the low-precision formulas of the Astronomical Almanac."""
    n = utc_s / 86_400 - 10_957.5  # days since 2000-01-01 12:00
    g = np.radians(357.528 + 0.9856003 * n)
    ecliptic = np.radians(280.460 + 0.9856474 * n + 1.915 * np.sin(g) + 0.020 * np.sin(2 * g))
    tilt = np.radians(23.439 - 4e-7 * n)
    ascension = np.arctan2(np.cos(tilt) * np.sin(ecliptic), np.cos(ecliptic))
    declination = np.arcsin(np.sin(tilt) * np.sin(ecliptic))
    sidereal_deg = 15 * (6.697375 + 0.0657098242 * n + utc_s % 86_400 / 3600) + LONGITUDE
    hour = np.radians(sidereal_deg) - ascension
    latitude = np.radians(LATITUDE)
    up = np.sin(declination) * np.sin(latitude)
    up += np.cos(declination) * np.cos(latitude) * np.cos(hour)
    north = np.sin(declination) * np.cos(latitude)
    north -= np.cos(declination) * np.sin(latitude) * np.cos(hour)
    return np.arccos(up), np.arctan2(-np.cos(declination) * np.sin(hour), north)


def expected(frame: pd.DataFrame, roof: PvArray) -> np.ndarray:
    """Return output over rating by Erbs, Hay-Davies, Faiman and PVWatts 5."""
    zenith, azimuth = sun_at(START + 900 * (np.arange(97) + 0.5))
    around = 2 * np.pi * (173 - 1) / 365  # 21 June of a leap year
    extra = 1366.1 * (
        1.00011 + 0.034221 * np.cos(around) + 0.00128 * np.sin(around)
        + 0.000719 * np.cos(2 * around) + 7.7e-5 * np.sin(2 * around)
    )  # fmt: skip
    ghi = frame["ghi_w_per_m2"].to_numpy()
    if "dni_w_per_m2" in frame:
        dni, dhi = frame["dni_w_per_m2"].to_numpy(), frame["dhi_w_per_m2"].to_numpy()
    else:
        kt = np.clip(ghi / (extra * np.maximum(np.cos(zenith), 0.065)), 0, 1)
        middle = 0.9511 - 0.1604 * kt + 4.388 * kt**2 - 16.638 * kt**3 + 12.336 * kt**4
        dhi = ghi * np.where(kt <= 0.22, 1 - 0.09 * kt, np.where(kt > 0.8, 0.165, middle))
        dni = (ghi - dhi) / np.cos(zenith)
        dni = np.where((zenith > np.radians(87)) | (dni < 0), 0.0, dni)
        dhi = np.where((zenith > np.radians(87)) | (dni < 0), ghi, dhi)
    tilt, looks = np.radians(roof.tilt_deg), np.radians(roof.azimuth_deg)
    cos_aoi = np.cos(tilt) * np.cos(zenith)
    cos_aoi += np.sin(tilt) * np.sin(zenith) * np.cos(azimuth - looks)
    cos_aoi = np.maximum(cos_aoi, 0.0)
    share = dni / extra
    ring = share * cos_aoi / np.maximum(np.cos(zenith), np.cos(np.radians(89)))
    falls = dni * cos_aoi + dhi * (ring + (1 - share) * (1 + np.cos(tilt)) / 2)
    falls += ghi * roof.albedo * (1 - np.cos(tilt)) / 2
    cell_c = frame["air_c"].to_numpy() + falls / (25.0 + 6.84 * frame["wind_m_per_s"].to_numpy())
    dc = roof.dc_over_ac * falls / 1000 * (1 + roof.gamma_percent_per_k / 100 * (cell_c - 25))
    dc *= 1 - roof.losses_percent / 100
    of_rating = np.maximum(dc * 0.96, 1e-9)
    efficiency = 0.96 / 0.9637 * (-0.0162 * of_rating - 0.0059 / of_rating + 0.9858)
    return np.clip(efficiency * dc, 0.0, 1.0)


@pytest.fixture(scope="module")
def cigre() -> Network:
    return load_network("cigre_lv")


def weather(frame: pd.DataFrame, folder: Path, *roofs: PvArray) -> Weather:
    frame.to_csv(folder / "june.csv", index=False)
    return Weather("june.csv", LATITUDE, LONGITUDE, roofs or ROOFS, altitude_m=520)


@pytest.mark.parametrize("parted", [True, False])
def test_roofs_give_what_the_published_models_say(
    cigre: Network, tmp_path: Path, parted: bool
) -> None:
    frame = day(parted=parted)
    profiles = load_profiles(
        cigre, START, START + DAY_S - 1, source="rated", folder=tmp_path,
        weather=weather(frame, tmp_path),
    )  # fmt: skip
    assert profiles.sgens[-2:] == ("south", "east")
    for roof in ROOFS:
        found = [profiles.sgen_fraction(roof.name, START + 900 * row) for row in range(96)]
        wanted = expected(frame, roof)[:96]
        assert max(wanted) > 0.6
        assert found == pytest.approx(wanted, abs=3e-3)
        assert found[0] == found[95] == 0.0


def test_inverter_clips_what_its_modules_give_more(cigre: Network, tmp_path: Path) -> None:
    roof = PvArray("big", 35, 180, dc_over_ac=3)
    profiles = load_profiles(
        cigre, START, START + DAY_S - 1, source="rated", folder=tmp_path,
        weather=weather(day(parted=True), tmp_path, roof),
    )  # fmt: skip
    assert profiles.sgen_fraction("big", START + 13 * 3600) == 1.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.rename(columns={"air_c": "air_k"}), "found columns time, ghi_w_per_m2.*air_k"),
        (lambda f: f.drop(columns="dhi_w_per_m2"), "dni_w_per_m2 and dhi_w_per_m2 together"),
        (lambda f: f.assign(air_c=290.0), r"row 1, air_c: found 290.0, expected .* -90 to 70"),
        (lambda f: f.iloc[:20], "has 20 rows of 900 s .* do not cover"),
    ],
)
def test_weather_that_cannot_be_is_refused_with_its_place(
    cigre: Network, tmp_path: Path, change: object, words: str
) -> None:
    told = weather(change(day(parted=True)), tmp_path)
    with pytest.raises(GridError, match=words):
        load_profiles(
            cigre, START, START + DAY_S - 1, source="rated", folder=tmp_path, weather=told
        )


def test_array_named_as_a_generator_of_the_network_is_refused(tmp_path: Path) -> None:
    told = weather(day(parted=True), tmp_path)
    with pytest.raises(GridError, match="array name: found south, expected a name that no other"):
        told.sun(START, START + 900, folder=tmp_path, taken=("south",))
