"""Cars in an island: surplus alone charges one, and none gives without its owner's word."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import tomli_w
from paper_street import new_log
from small_street import rig_file, run_here, scenario_file
from test_run_charger import add_charger

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.car_stays import CarThere, make_stays
from gridrig.campaign.charging import Charging
from gridrig.campaign.island_cars import STEP_W, IslandCars
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.sensing import Telemetry
from gridrig.devices.capabilities import BmsReading, InverterReading
from gridrig.devices.charger_capability import EvChargerReading
from gridrig.rig.description import load_rig

OPENED_S, PERIOD_S = 10, 60
CAR = {"capacity_wh": 20_000, "plugged": False, "discharge_w_max": 6000, "p_w_max": 11_000}
Trace = dict[str, list[float]]


def lived(
    folder: Path,
    change: Callable[[dict[str, dict[str, Any]]], object],
    *,
    gives: bool = False,
    home: bool = False,
    stay: dict[str, Any] | None = None,
    ends_s: int = PERIOD_S,
) -> tuple[Trace, list[dict[str, Any]]]:
    """Run a minute that is alone from its tenth second on; `change` edits devices by name."""

    def edit(table: dict[str, Any]) -> None:
        add_charger(table, "2.1", **CAR)
        devices = {device["name"]: device for device in table["device"]}
        limits = {"p_w_max": 11_000} | ({"gives_in_island": True} if gives else {})
        devices["charger"]["limits"] = limits
        change(devices)
        if home:
            table["participant"][-1]["agent"] = {"kind": "home", "home": "home"}

    events = [{"name": "opening", "at_s": OPENED_S, "do": "open", "target": "pcc"}]
    path = scenario_file(folder, duration_s=ends_s, events=events)
    table = tomllib.loads(path.read_text())
    whole = {"charger": "charger", "arrives_s": 2, "departs_s": ends_s - 1, "energy_wh": 3_000}
    whole |= {"soc": 0.5, "gives_w": 5_000, "capacity_wh": 20_000, "reserve_soc": 0.4}
    stays = [whole | (stay or {})]
    table["charging"] = {"slot_s": 60, "stays": stays, "coordinated": not home}
    path.write_text(tomli_w.dumps(table))
    run_here(folder, rig_file(folder, edit), path)
    told = [json.loads(line) for line in (folder / "run/events.jsonl").read_text().splitlines()]
    seen = pq.read_table(folder / "run/trace.parquet").to_pydict()
    return seen, [one for one in told if one["kind"] == "island_car_decided"]


def sunny(devices: dict[str, dict[str, Any]]) -> None:
    """Give the roofs more than the street takes, and the former a battery that is full."""
    for name in ("pv-3", "pv-4"):
        devices[name]["emulate"]["s_va"] = 40_000
        devices[name]["limits"] = {"p_w_max": 40_000, "s_va_max": 40_000}
    devices["battery-a"]["emulate"]["soc"] = 1.0


def empty(devices: dict[str, dict[str, Any]]) -> None:
    devices["battery-a"]["emulate"]["soc"] = 0.15


def of(seen: Trace, column: str, *rows: int) -> list[float]:
    return seen[f"device.{column}.p_w"][slice(*rows) if rows else slice(None)]


def taken_w(seen: Trace, *rows: int) -> float:
    return max(-p_w for p_w in of(seen, "charger", *rows))


@pytest.fixture(scope="module")
def surplus(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return lived(tmp_path_factory.mktemp("surplus"), sunny, ends_s=2 * PERIOD_S)


def test_a_car_takes_what_pv_would_have_thrown_away_and_nothing_of_the_battery(
    surplus: Any, tmp_path: Path
) -> None:
    seen, told = surplus
    without, _ = lived(tmp_path, sunny, stay={"energy_wh": 0, "gives_w": 0.0})
    assert [one["does"] for one in told[:2]] == ["waits", "takes"]
    assert taken_w(seen, 40, 58) > 4_000
    assert taken_w(without, OPENED_S + 2, 58) < 1
    roofs = [sum(of(one, f"pv-{k}", 40, 58)[-1] for k in (3, 4)) for one in (seen, without)]
    assert roofs[0] - roofs[1] == pytest.approx(taken_w(seen, 40, 58), rel=0.05)
    # Row by row a try may cost the battery a little; it gives it back, or nothing is left of it.
    gave_wh = sum(of(seen, "storage-a", OPENED_S + 3, 58)) / 3600
    assert gave_wh < 1.0


def test_a_car_yields_as_soon_as_the_battery_gives(surplus: Any) -> None:
    seen, told = surplus
    # From the second period on the other storage charges by its trade: nothing is left over.
    last = next(one for one in told if one["t_s"] > 60)
    assert (last["does"], 60 < last["t_s"] < 75) == ("waits", True)
    assert taken_w(seen, 80, 115) < 1


def test_a_car_leaves_surplus_to_a_battery_that_can_take_it(tmp_path: Path) -> None:
    def half_full(devices: dict[str, dict[str, Any]]) -> None:
        sunny(devices)
        devices["battery-a"]["emulate"]["soc"] = 0.5

    seen, told = lived(tmp_path, half_full)
    assert [one["does"] for one in told] == ["waits"]
    assert taken_w(seen, OPENED_S + 2, 58) < 1


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Any:
    stay = {"soc": 0.402, "energy_wh": 0}  # 40 Wh above its driver's reserve
    return lived(tmp_path_factory.mktemp("given"), empty, gives=True, stay=stay)


def test_a_car_that_may_gives_to_an_empty_battery_down_to_its_drivers_reserve(given: Any) -> None:
    seen, told = given
    assert [one["does"] for one in told] == ["waits", "gives", "waits"]
    alone, helped = of(seen, "storage-a", OPENED_S + 1, OPENED_S + 2)[0], of(seen, "storage-a")[20]
    assert of(seen, "charger")[20] == pytest.approx(5_000, rel=0.01)
    assert alone - helped == pytest.approx(5_000, rel=0.06)
    soc = seen["vehicle.charger.soc"]
    assert 0.4 - 1e-4 < min(soc[OPENED_S:58]) < 0.4005
    assert max(of(seen, "charger", 45, 58)) < 1


@pytest.mark.parametrize(
    ("gives", "stay", "soc"),
    [
        (False, {}, 0.15),
        (True, {"gives_w": 0.0}, 0.15),
        (True, {"soc": 0.35, "energy_wh": 1_000}, 0.15),
        (True, {}, 0.5),
    ],
    ids=["not the owner's word", "not the driver's", "below the reserve", "a battery with enough"],
)
def test_a_car_gives_nothing_without(
    tmp_path: Path, gives: bool, stay: dict[str, Any], soc: float
) -> None:
    def with_soc(devices: dict[str, dict[str, Any]]) -> None:
        devices["battery-a"]["emulate"]["soc"] = soc

    seen, told = lived(tmp_path, with_soc, gives=gives, stay={"energy_wh": 0, **stay})
    assert [one["does"] for one in told] == ["waits"]
    assert max(of(seen, "charger", OPENED_S + 2, 58)) < 1


def test_a_homes_car_does_the_same(tmp_path: Path) -> None:
    seen, told = lived(tmp_path, sunny, home=True)
    assert [one["does"] for one in told[:2]] == ["waits", "takes"]
    assert taken_w(seen, 40, 58) > 4_000


def test_between_long_ticks_no_more_is_given_than_is_above_the_reserve() -> None:
    rig = load_rig(RIGS / "emulated-home.toml")
    scenario = load_scenario(SCENARIOS / "promise-3-home-day.toml")
    assert scenario.charging is not None
    stay = scenario.charging.stays[0]
    capacity_wh, dt_s = float(stay.capacity_wh or 0), 600.0
    cars = make_stays(rig.of("ev_charger"), [stay])
    cars.present[stay.charger] = CarThere(stay, 0)
    charging = Charging(rig, {stay.charger: None}, new_log())  # nothing is sent here
    island = IslandCars(
        cars,
        charging,
        new_log(),
        [],
        "former",
        "pack",
        5_000.0,
        0.1,
        frozenset([stay.charger]),
        0.0,
    )
    stored_wh, told_w = (stay.reserve_soc + 0.01) * capacity_wh, 0.0
    given_wh = 0.0
    for tick in range(6):
        soc = stored_wh / capacity_wh
        telemetry = Telemetry(
            {"former": InverterReading(3_000.0, 0.0, 400.0, 50.0, True, "running", None, 5_000.0)},
            {"pack": BmsReading(0.1, 51.2, 60.0, (3200,), 20.0, 50.0, 50.0, True, True, ())},
            chargers={stay.charger: EvChargerReading(True, True, "Charging", told_w, 0, soc, None)},
        )
        acts_s = stay.arrives_s + (tick + 1) * dt_s
        island.step(acts_s, dt_s, telemetry, islanded=True)
        stored_wh -= told_w * dt_s / 3600  # what was told before acts during this tick
        given_wh += told_w * dt_s / 3600
        told_w = charging._powers_w.wanted[stay.charger]
    assert stored_wh >= stay.reserve_soc * capacity_wh - 1e-6
    assert given_wh > 0.9 * 0.01 * capacity_wh


def test_what_a_car_gives_takes_the_place_of_the_formers_power_at_once() -> None:
    rig = load_rig(RIGS / "emulated-home.toml")
    scenario = load_scenario(SCENARIOS / "promise-3-home-day.toml")
    assert scenario.charging is not None
    stay = replace(scenario.charging.stays[0], gives_w=5_000.0)
    cars = make_stays(rig.of("ev_charger"), [stay])
    cars.present[stay.charger] = CarThere(stay, 0)
    charging = Charging(rig, {stay.charger: None}, new_log())
    permitted = frozenset([stay.charger])
    island = IslandCars(
        cars, charging, new_log(), [], "former", "pack", 5_000.0, 0.1, permitted, 1_400.0
    )
    told = []
    # The former gives 892 W; then load comes, while the car does not yet do what it was told; then
    # it does, and gives so much more; then load goes off, and the battery takes 700 W.
    for tick, (former_w, car_w) in enumerate(
        [(892.0, 0.0), (1_500.0, 0.0), (1_500.0, 892.0), (-700.0, 2_392.0)]
    ):
        former = InverterReading(former_w, 0.0, 400.0, 50.0, True, "running", None, 5_000.0)
        pack = BmsReading(0.1, 51.2, 60.0, (3200,), 20.0, 50.0, 50.0, True, True, ())
        car = EvChargerReading(True, True, "Charging", car_w, 0, 0.9, None)
        telemetry = Telemetry({"former": former}, {"pack": pack}, chargers={stay.charger: car})
        island.step(stay.arrives_s + 5.0 * (tick + 1), 5.0, telemetry, islanded=True)
        told.append(charging._powers_w.wanted[stay.charger])
    assert told[0] > STEP_W
    assert told == [892.0, 892.0, 2_392.0, 1_692.0]


def test_a_car_that_a_person_holds_takes_no_share_of_the_surplus() -> None:
    rig = load_rig(RIGS / "emulated-car-park.toml")
    scenario = load_scenario(SCENARIOS / "promise-3-evening-peak.toml")
    assert scenario.charging is not None
    held, other = sorted(scenario.charging.stays, key=lambda stay: stay.departs_s)[:2]
    chargers = (held.charger, other.charger)
    cars = make_stays(rig.of("ev_charger"), [held, other])
    cars.present |= {stay.charger: CarThere(stay, 0) for stay in (held, other)}
    events = new_log()
    charging = Charging(rig, dict.fromkeys(d.name for d in rig.of("ev_charger")), events)
    charging.override(held.charger, 0.0)
    island = IslandCars(
        cars, charging, events, ["pv"], "former", "pack", 5_000.0, 0.1, frozenset(), 1_400.0
    )
    full = BmsReading(1.0, 51.2, 0.0, (3400,), 20.0, 0.0, 50.0, True, True, ())
    idle = InverterReading(0.0, 0.0, 400.0, 50.0, True, "running", None, 5_000.0)
    takes_w = 0.0
    for tick in range(4):
        readings = {held.charger: 0.0, other.charger: -takes_w}
        telemetry = Telemetry(
            {"former": idle, "pv": replace(idle, state="throttled")},
            {"pack": full},
            chargers={
                name: EvChargerReading(True, True, "Charging", p_w, 0, None, None)
                for name, p_w in readings.items()
            },
        )
        island.step(held.arrives_s + 5.0 * (tick + 1), 5.0, telemetry, islanded=True)
        takes_w = charging._limits_w.wanted[other.charger] or 0.0
    assert takes_w == 1_400.0 + 3 * STEP_W
    decided = [(one.device, one.data["does"]) for one in events.ordered()]
    assert decided == [(other.charger, "takes")], chargers
