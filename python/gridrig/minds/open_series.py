"""Series that come with the packages gridrig needs: simbench's year 2016, in quarters of an hour.

Two stand-ins, because no package brings the real thing, and their names say so: a weather service
whose day-ahead word on the sun is another town's, smoothed over three hours and off by a seeded
error that lasts; and a price that follows what wind and sun leave of a region's load to be made.
"""

from dataclasses import dataclass

import numpy as np

from gridrig.grid.simbench_grid import (
    FIRST_ROW_UTC_S,
    ROW_S,
    ROWS,
    profile_folder,
    read_profile_rows,
)
from gridrig.minds.inputs import Kind
from gridrig.minds.series import FloatArray, Series

CODE = "1-LV-rural1--2-no_sw"
ZONE = "Europe/Berlin"
HOME, SHOP, OTHER_TOWN = "H0-A", "G1-B", "PV2"
STREET = ("H0-A", "H0-B", "H0-C", "H0-G", "H0-L", "G1-B", "G3-A")
REGION_LOAD, REGION_WIND = "hv_mixed1", "WP7"
SMOOTHED_STEPS, LASTING_STEPS = 12, 24
WEATHER_ERROR = 0.15
PRICE_BASE, PRICE_SLOPE, PRICE_NOISE = 120_000.0, 260_000.0, 8_000.0


@dataclass(frozen=True)
class OpenSeries:
    """A series, what kind it is of, and what a weather service said of it."""

    series: Series
    kind: Kind
    weather: FloatArray | None = None


def load_profiles(*names: str) -> list[FloatArray]:
    """Return load profiles of the year, each with 1 as its greatest value. [1]"""
    columns = [f"{name}_pload" for name in names]
    table = read_profile_rows(profile_folder(CODE) / "LoadProfile.csv", columns, 0, ROWS)
    return list(table.T.astype(float))


def generation_profiles(*names: str) -> list[FloatArray]:
    """Return generation profiles of the year over their ratings. [1]"""
    table = read_profile_rows(profile_folder(CODE) / "RESProfile.csv", list(names), 0, ROWS)
    return list(table.T.astype(float))


def weather_stand_in(seed: int) -> FloatArray:
    """Return what a weather service said of each step a day before, shape (n, 1). [1]"""
    (sun,) = generation_profiles(OTHER_TOWN)
    noise = np.random.default_rng(seed).normal(size=len(sun))
    lasting = np.convolve(noise, np.ones(LASTING_STEPS) / np.sqrt(LASTING_STEPS), "same")
    smooth = np.convolve(sun, np.ones(SMOOTHED_STEPS) / SMOOTHED_STEPS, "same")
    return np.maximum(smooth * (1.0 + WEATHER_ERROR * lasting), 0.0)[:, None]


def open_series(seed: int = 1) -> list[OpenSeries]:
    """Return the series of `gridrig forecast`."""
    home, shop, region = load_profiles(HOME, SHOP, REGION_LOAD)
    street = np.sum(load_profiles(*STREET), axis=0)
    sun, wind = generation_profiles("PV1", REGION_WIND)
    left = region - 0.5 * wind - 0.5 * sun
    noise = np.random.default_rng(seed + 1).normal(size=len(left))
    price = PRICE_BASE + PRICE_SLOPE * left + PRICE_NOISE * noise
    return [
        OpenSeries(_series("load of a home", home), "load"),
        OpenSeries(_series("load of a shop", shop), "load"),
        OpenSeries(_series("load of a street", street), "load"),
        OpenSeries(_series("PV, no weather service", sun), "sun"),
        OpenSeries(_series("PV, stand-in of one", sun), "sun", weather_stand_in(seed)),
        OpenSeries(_series("price, stand-in", price), "price"),
    ]


def _series(name: str, values: FloatArray) -> Series:
    return Series(name, FIRST_ROW_UTC_S, ROW_S, values)
