"""The grid of a sweep: how keys and seeds are read, and what is refused before anything runs."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from alone import rig_file

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.emulation import outside_rig
from gridrig.campaign.recipe import Recipe
from gridrig.cli import main
from gridrig.errors import CampaignError
from gridrig.rig.description import load_rig
from gridrig.rig.toml_file import read_toml
from gridrig.sweep.parameters import read_parameter, with_values
from gridrig.sweep.place import Place
from gridrig.sweep.plan import Plan, read_seeds


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    rig, scenario = RIGS / "emulated-street.toml", SCENARIOS / "sunny-then-storm.toml"
    return Recipe(read_toml(rig), read_toml(scenario))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("rig.device.pv-1.emulate.s_va=9000,1.1e4", (9000, 1.1e4)),
        ("rig.feeder.engine=pandapower,opendss", ("pandapower", "opendss")),
        ('scenario.event."surplus-opening".at_s=2760', (2760,)),
        ("rig.device.pv-1.emulate.relays.OV1=[1.2, 13.0],[1.1, 2.0]", ([1.2, 13.0], [1.1, 2.0])),
        ("rig.rig.capture=true,false", (True, False)),
    ],
)
def test_a_parameter_is_read_with_the_types_of_toml(text: str, values: tuple[Any, ...]) -> None:
    assert read_parameter(text).values == values


@pytest.mark.parametrize(
    "text",
    [
        "rig.a",
        "rig.a=",
        "rig=1",
        "bench.a=1",
        "rig..a=1",
        "rig.a=1,1",
        "rig.a=2016-01-01,2017-01-01",
        "rig.a\nb=1",
    ],
)
def test_what_is_no_parameter_is_refused_and_shown(text: str) -> None:
    with pytest.raises(CampaignError, match=r"sweep\.parameter") as refused:
        read_parameter(text)
    assert repr(text)[1:6] in str(refused.value)


@pytest.mark.parametrize(
    ("text", "seeds"), [("7", (7,)), ("1..3", (1, 2, 3)), ("1..2,9", (1, 2, 9)), ("5..5", (5,))]
)
def test_seeds_are_ranges_and_lists(text: str, seeds: tuple[int, ...]) -> None:
    assert read_seeds(text) == seeds


@pytest.mark.parametrize(
    "text", ["", "a", "3..1", "1..", "..3", "1,1", "1..2,2", "-1", "1..9999999"]
)
def test_what_are_no_seeds_is_refused(text: str) -> None:
    with pytest.raises(CampaignError, match=r"sweep\.seeds"):
        read_seeds(text)


def test_points_are_every_combination_in_a_stated_order(recipe: Recipe) -> None:
    parameters = tuple(map(read_parameter, ["rig.x.a=1,2", "scenario.y.b=3,4,5"]))
    points = list(Plan(recipe, parameters, (8, 9)).points())
    assert [point.number for point in points] == list(range(1, 13))
    found = [(*point.values.values(), point.seed) for point in points]
    assert found == [(a, b, seed) for a in (1, 2) for b in (3, 4, 5) for seed in (8, 9)]


def test_a_value_changes_its_key_and_nothing_else(recipe: Recipe) -> None:
    key = "rig.device.pv-1.emulate.s_va"
    changed = with_values(recipe.rig, "rig", {key: 9000, "scenario.scenario.seed": 2})
    expected = tomllib.loads(recipe.rig.text.decode())
    next(d for d in expected["device"] if d["name"] == "pv-1")["emulate"]["s_va"] = 9000
    assert tomllib.loads(changed.text.decode()) == changed.table == expected
    assert recipe.rig.table != expected  # the one it came from is as it was
    assert with_values(recipe.scenario, "scenario", {key: 9000}) is recipe.scenario


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("rig.device.pv-11.emulate.s_va", "did you mean"),
        ("scenario.evnt.x.at_s", "did you mean 'event'"),
        ("rig.device.pv-1.name.s_va", "no table"),
    ],
)
def test_a_key_whose_table_is_not_there_is_named(recipe: Recipe, key: str, told: str) -> None:
    plan = Plan(recipe, (read_parameter(f"{key}=1"),), (1,))
    with pytest.raises(CampaignError) as refused:
        plan.check()
    assert key in str(refused.value)
    assert told in str(refused.value)


def test_a_point_that_cannot_run_is_refused_before_any_runs_and_its_line_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sweep"
    words = ["sweep", "sunny-then-storm", "--rig", "emulated-street", "--out", str(out)]
    key = "scenario.event.surplus-opening.at_s"
    assert main([*words, "--set", f"{key}=2760,2760.5"]) == 2
    said = capsys.readouterr().err
    assert f"with {key}=2760.5" in said
    scenario = (SCENARIOS / "sunny-then-storm.toml").read_text().splitlines()
    line = scenario.index('name = "surplus-opening"') + 2
    assert f"sunny-then-storm.toml:{line}: " in said
    assert not out.exists()


def test_a_bench_of_real_devices_takes_one_point_at_a_time_and_nobody_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    served = []
    for unit, device in enumerate(load_rig(rig_file(tmp_path)).devices, start=1):
        link: dict[str, Any] = {"kind": device.link.kind, "unit": unit}
        link |= {"host": "192.0.2.17", "port": 502}
        if device.link.kind in ("serial", "modbus-rtu"):
            link = {"kind": device.link.kind, "port": f"/dev/ttyS{unit}", "baudrate": 9600}
            link |= {"unit": unit} if device.link.kind == "modbus-rtu" else {}
        served.append({"device": device.name, **link})
    rig = tmp_path / "bench.toml"
    rig.write_text(outside_rig(load_rig(tmp_path / "small-street.toml"), served))
    words = ["sweep", "summer-day", "--rig", str(rig), "--out", str(tmp_path / "sweep")]
    assert main([*words, "--jobs", "1"]) == 2
    assert "rig.needs_somebody" in capsys.readouterr().err
    rig.write_text(rig.read_text().replace("[[device]]\n", '[[device]]\nhost_dead = "relay"\n'))
    for where in (["--jobs", "2"], ["--scheduler", "tcp://192.0.2.5:8786"]):
        assert main([*words, *where]) == 2
        assert "sweep.one_bench" in capsys.readouterr().err


def test_a_folder_with_another_sweep_or_something_else_is_left_alone(
    tmp_path: Path, recipe: Recipe
) -> None:
    place = Place(tmp_path / "sweep")
    plan = Plan(recipe, (), (1, 2))
    place.begin(plan)
    place.begin(plan)
    with pytest.raises(CampaignError, match="the seeds differ"):
        place.begin(Plan(recipe, (), (1, 3)))
    with pytest.raises(CampaignError, match=r"sweep\.path_taken"):
        Place(tmp_path).begin(plan)
    assert place.plan() == plan


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["summer-day"], "--rig RIG"),
        (["--resume", "nowhere"], "is no sweep"),
        (["summer-day", "--rig", "one-inverter", "--redo", "1"], "--redo goes with --resume"),
        (["--resume", "x", "--seeds", "1"], "goes on with the plan"),
        (["summer-day", "--rig", "x", "--jobs", "1", "--scheduler", "tcp://x:1"], "--scheduler"),
    ],
)
def test_words_that_do_not_go_together_are_refused(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", *words]) == 2
    assert told in capsys.readouterr().err
