"""Comfort as a measurement of a run: the room of each hour's band, to the last instant."""

import math
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.comfort import comfort_findings, room_stays, worst_excess
from gridrig.campaign.outcomes import Outcome
from gridrig.campaign.run import run
from gridrig.campaign.scenario import load_scenario, units
from gridrig.campaign.slicing import slice_scenario
from gridrig.rig.description import load_rig

TICK_S = 600.0
Columns = dict[str, list[float]]


def lived(*rooms_c: float, told: bool = False, name: str = "pump") -> Columns:
    """Return the trace of a room whose band is 19 to 23 in its first two ticks, then 20 to 23."""
    n = len(rooms_c)
    return {
        "t_s": [TICK_S * k for k in range(n)],
        "dt_s": [TICK_S] * n,
        f"room.{name}.telemetry_c" if told else f"room.{name}.c": list(rooms_c),
        f"room.{name}.low_c": [19.0 if k < 2 else 20.0 for k in range(n)],
        f"room.{name}.high_c": [23.0] * n,
    }


def excess(columns: Columns, **end_c: float) -> tuple[float | None, float, str]:
    return worst_excess(room_stays(columns, end_c, TICK_S * len(columns.get("t_s", []))))


@pytest.mark.parametrize(
    ("rooms_c", "expected_k"),
    [
        ((19.5, 19.5, 20.5, 20.5), -0.5),
        ((18.75, 19.5, 20.5, 20.5), 0.25),
        ((19.5, 19.5, 19.5, 20.5), 0.5),  # enough an hour before
        ((19.5, 23.125, 20.5, 20.5), 0.125),
    ],
)
def test_a_room_is_measured_against_the_band_of_its_tick(
    rooms_c: tuple[float, ...], expected_k: float
) -> None:
    assert excess(lived(*rooms_c))[:2] == (expected_k, 0.0)


def test_the_last_instant_counts_in_the_band_that_ends_there() -> None:
    columns = lived(20.5, 20.5, 20.5, 20.25)
    assert excess(columns)[0] == -0.25
    assert excess(columns, pump=19.75) == (0.25, 0.0, "pump: room at 19.75 deg C, limit 20, "
                                           "at 2400 s")  # fmt: skip


def test_the_worst_of_all_rooms_counts() -> None:
    both = lived(20.5, 20.5, 19.0, name="a") | lived(20.5, 20.5, 19.5, name="b")
    assert excess(both)[0] == 1.0
    assert excess(lived(20.5, 20.5, 20.5, name="a") | both)[0] == 1.0


def test_what_a_real_pump_tells_is_known_to_half_of_its_tenth() -> None:
    told = lived(20.5, 20.5, 20.0, told=True)
    assert excess(told) == (0.0, 0.05, "pump, as it tells: room at 20.00 deg C, limit 20, "
                            "at 1200 s")  # fmt: skip
    # Where the plant has the room, what is told of it counts nothing.
    warm = lived(20.5, 20.5, 20.5) | {"room.pump.telemetry_c": [15.0] * 3}
    assert excess(warm)[:2] == (-0.5, 0.0)


def test_a_room_that_was_not_seen_all_the_time_was_not_measured() -> None:
    blind = lived(20.5, math.nan, 20.5, told=True)
    assert excess(blind) == (None, 0.0, "pump: told no room temperature at 1 of 3 ticks")
    assert excess(lived(18.0, math.nan, 20.5, told=True))[0] == 1.0  # it was outside, whatever else
    never = lived(20.5, 20.5, 20.5, told=True)
    del never["room.pump.telemetry_c"]
    assert excess(never)[0] is None
    assert excess({}) == (None, 0.0, "")
    assert excess({"t_s": [0.0], "dt_s": [1.0], "room.pump.c": [12.0]})[0] is None  # nobody's band


def test_a_finding_says_by_how_much_and_how_long() -> None:
    def findings(columns: Columns) -> list[str]:
        return comfort_findings(room_stays(columns, {}, 0.0))

    assert findings(lived(19.5, 19.5, 20.5)) == []
    assert findings(lived(18.75, 18.5, 20.5, 23.25)) == [
        "pump: room at 18.50 deg C, limit 19, at 600 s: 0.50 K below its household's band at "
        "worst; outside for 1800 s in all"
    ]
    assert "0.25 K above" in findings(lived(19.5, 19.5, 23.25))[0]
    blind = findings(lived(20.5, math.nan, 20.5, told=True))
    assert blind == ["pump: told no room temperature at 1 of 3 ticks"]


@pytest.fixture
def morning(tmp_path: Path) -> Callable[..., tuple[Outcome, dict[str, float | None], Path]]:
    """Run half an hour from seven in the morning on, in a home whose pump is another one."""

    def go(**emulate: float) -> tuple[Outcome, dict[str, float | None], Path]:
        text = (RIGS / "emulated-heated-home.toml").read_text()
        network = "networks/heated-home.dss"
        was = {"cop": "cop = 2.8", "room_c": "room_c = 20.5"}
        for key, value in emulate.items():
            assert was[key] in text
            text = text.replace(was[key], f"{key} = {value}")
        (tmp_path / "rig.toml").write_text(text.replace(network, str(RIGS / network)))
        rig = load_rig(tmp_path / "rig.toml")
        day = load_scenario(SCENARIOS / "promise-4-warm-home.toml", units(CATALOGUE))
        begins = slice_scenario(day, from_s=32_400, for_s=1_800, tick_s=None)
        out = tmp_path / "run"
        result = run(rig, begins, out, seed=1, render=lambda _: None)
        values = {v.criterion.name: v.value for v in result.verdicts.verdicts}
        assert [text.partition(":")[0] for text in result.verdicts.findings] == (
            ["pump-1"] if result.outcome is Outcome.FAIL else []
        )
        return result.outcome, values, out

    return go


def test_a_run_whose_true_room_leaves_its_band_fails(
    morning: Callable[..., tuple[Outcome, dict[str, float | None], Path]],
) -> None:
    outcome, values, out = morning(cop=0.5, room_c=20.02)
    assert outcome is Outcome.FAIL
    excess_k = values["comfort_excess_k"]
    rooms_c = pq.read_table(out / "trace.parquet").column("room.pump-1.c").to_pylist()
    # It cools all the time, so it is coldest at the end, after the last row of the trace.
    assert excess_k is not None
    assert 20 - rooms_c[-1] < excess_k < 20 - rooms_c[-1] + (rooms_c[-3] - rooms_c[-1])
    assert rooms_c == sorted(rooms_c, reverse=True)


def test_a_run_whose_room_stays_in_its_band_passes(
    morning: Callable[..., tuple[Outcome, dict[str, float | None], Path]],
) -> None:
    outcome, values, _ = morning()
    assert outcome is Outcome.PASS
    assert values["comfort_excess_k"] == pytest.approx(-0.5, abs=0.2)
