"""A rig whose roofs follow a weather file: read, run by the street, and refused all at once."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_street import rig_file

from gridrig.campaign.assembly import make_street
from gridrig.campaign.rig_grid import load_grid
from gridrig.errors import RigError
from gridrig.rig.description import load_rig

NOON_S = 1_467_198_000  # 2016-06-29T11:00:00Z
ROOF = {"name": "roof", "tilt_deg": 35, "azimuth_deg": 180}
WEATHER = {"file": "june.csv", "latitude_deg": 48.1, "longitude_deg": 11.6, "array": [ROOF]}


def by_weather(table: dict[str, Any]) -> None:
    table["feeder"]["weather"] = WEATHER
    for device in table["device"]:
        if device["name"] == "pv-3":
            device["emulate"]["profile"] = "roof"


def test_device_gives_what_the_weather_gives_its_roof(tmp_path: Path) -> None:
    times = pd.date_range("2016-06-28T00:00:00Z", periods=60, freq="1h")
    hour = np.arange(60) % 24
    frame = pd.DataFrame({"time": times.strftime("%Y-%m-%dT%H:%M:%SZ"), "air_c": 20.0})
    frame["ghi_w_per_m2"] = np.where((hour > 4) & (hour < 19), 700.0, 0.0)
    frame.to_csv(tmp_path / "june.csv", index=False)
    rig = load_rig(rig_file(tmp_path, by_weather))
    grid = load_grid(rig, NOON_S, 3600)
    street = make_street(rig, grid, seed=1)
    street.follow_profiles(NOON_S)
    share = grid.profiles.sgen_fraction("roof", NOON_S)
    assert 0.4 < share < 0.7
    assert street.available_w["pv-3"] == pytest.approx(share * street.rating_va("pv-3"))
    assert "LV1.101 SGen 4" in grid.profiles.sgens  # the other roofs keep simbench's


def test_key_misspelt_in_an_array_is_named_with_the_near_miss(tmp_path: Path) -> None:
    def wrong(table: dict[str, Any]) -> None:
        table["feeder"]["weather"] = {**WEATHER, "array": [{**ROOF, "azimut_deg": 10}]}

    with pytest.raises(RigError) as caught:
        load_rig(rig_file(tmp_path, wrong))
    told = {(issue.key, issue.near_miss) for issue in caught.value.issues}
    assert ("feeder.weather.array 'roof'.azimut_deg", "azimuth_deg") in told


def test_places_and_names_that_cannot_be_are_told_at_once(tmp_path: Path) -> None:
    def wrong(table: dict[str, Any]) -> None:
        steep = {**ROOF, "name": "wall", "tilt_deg": 200}
        table["feeder"]["weather"] = {**WEATHER, "latitude_deg": 480, "array": [ROOF, ROOF, steep]}

    with pytest.raises(RigError) as caught:
        load_rig(rig_file(tmp_path, wrong))
    assert [(issue.key, issue.found) for issue in caught.value.issues] == [
        ("feeder.weather.latitude_deg", "480"),
        ("feeder.weather.array 'roof'.name", '"roof", which another array has'),
        ("feeder.weather.array 'wall'.tilt_deg", "200"),
    ]
