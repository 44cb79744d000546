"""The unintentional-islanding test: its sweep, its loads, its cases, and its times by an oracle."""

import math
from pathlib import Path
from typing import Any

import pytest

from gridrig.campaign.anti_islanding_bench import open_anti_islanding_bench
from gridrig.campaign.anti_islanding_cases import cases, droop, opened_trips
from gridrig.campaign.anti_islanding_island import Balance
from gridrig.campaign.anti_islanding_sweep import Sweep
from gridrig.campaign.anti_islanding_trial import ALIVE, CLEARED, Trial
from gridrig.campaign.builtin import PROCEDURES, RIGS
from gridrig.campaign.measurements import Outcome
from gridrig.campaign.procedures import Execution, Lab, Mutant, execute, procedure
from gridrig.cli import main
from gridrig.devices.grid_support import CurveSettings, PowerFactorSettings
from gridrig.plant import World
from gridrig.rig.description import Rig, load_rig

BENCH = RIGS / "islanding-bench.toml"
UNINTENTIONAL = PROCEDURES / "islanding" / "test_unintentional_islanding.py"
PARALLEL = PROCEDURES / "islanding" / "test_parallel_inverters.py"


def swept(time_s: Any, *, repetitions: int = 3, rises: Any = lambda p: p < 100) -> list[int]:
    sweep, order = Sweep(repetitions), []
    for percent in sweep.points():
        sweep.take(percent, time_s(percent), rose=rises(percent))
        order.append(percent)
    return order


def test_sweep_goes_from_balance_to_both_ends_and_tries_the_longest_again() -> None:
    order = swept(lambda p: 20 - abs(p - 99))
    assert order[:11] == [100, 99, 98, 97, 96, 95, 101, 102, 103, 104, 105]
    assert order[11:] == [98, 99, 100, 98, 99, 100]


def test_sweep_goes_on_at_an_end_where_times_still_rise() -> None:
    order = swept(lambda p: 20 - abs(p - 93))
    assert order[:9] == [100, 99, 98, 97, 96, 95, 94, 93, 92]
    assert order[-3:] == [92, 93, 94]


def test_what_lies_between_the_longest_is_tried_again_too() -> None:
    longest = {97: 1.5, 100: 1.4, 103: 1.3}
    assert swept(lambda p: longest.get(p, 1.0))[-14:] == [*range(97, 104)] * 2


def test_sweep_ends_early_once_enough_islands_drifted_each_way_if_nothing_is_repeated() -> None:
    order = swept(lambda p: 20 - abs(p - 99), repetitions=1)
    assert order == [100, 99, 98, 97, 96, 95, 101, 102]
    never = swept(lambda p: 20 - abs(p - 99), repetitions=1, rises=lambda _: False)
    assert never == [100, 99, 98, 97, 96, 95, 101, 102, 103, 104, 105]


def test_longest_time_that_the_widest_sweep_does_not_enclose_is_told() -> None:
    sweep = Sweep(3)
    for percent in sweep.points():
        sweep.take(percent, 1.0 + percent / 1000, rose=False)
    assert max(sweep.cleared_s) == 115
    assert sweep.rises_at == 115
    assert not sweep.enough


@pytest.mark.parametrize(
    ("load", "beside", "detuned_var"),
    [
        (Balance(1000.0, 1000.0, 1000.0), Balance(1000.0, 1000.0, 970.0), -30.0),
        (Balance(900.0, 460.0, 900.0), Balance(900.0, 460.0, 873.0), -27.0),
        (Balance(900.0, 900.0, 460.0), Balance(900.0, 873.0, 460.0), 27.0),
    ],
    ids=["both alike", "inverter absorbs", "inverter injects"],
)
def test_larger_branch_moves_and_s3_carries_the_difference(
    load: Balance, beside: Balance, detuned_var: float
) -> None:
    assert load.beside(97) == beside
    assert load.detuned_var(97) == pytest.approx(detuned_var)


def reactive_pu(setting: PowerFactorSettings | CurveSettings | float, p_pu: float) -> float:
    """Return the reactive power at nominal voltage, by its definition. [pu]"""
    if isinstance(setting, PowerFactorSettings):
        q_pu = p_pu * math.sqrt(1 / setting.factor**2 - 1)
        return q_pu if setting.injects else -q_pu
    return setting if isinstance(setting, float) else 0.0


# Of the transcription that the cases come from: the table's own reactive powers, as its balanced
# loads have them. Cases 5 to 8 are at a corner of their curves.
TABLE = {
    "A": (0.0, 0.0, -0.25, 0.44, None, None, None, None, -0.25, 0.44),
    "B": (0.0, 0.0, -0.44, 0.44, None, None, None, None, -0.44, 0.44),
}


@pytest.mark.parametrize("normal", ["A", "B"])
def test_cases_give_the_reactive_power_of_the_table_and_stay_within_the_rating(normal: str) -> None:
    tried = cases(normal)
    assert len(tried) == 10
    for case, expected in zip(tried, TABLE[normal], strict=True):
        found = reactive_pu(case.reactive, case.p_pu)
        assert math.hypot(case.p_pu, found) <= 1.005
        if expected is not None:
            assert found == pytest.approx(expected, abs=0.015), case.name
            assert case.p_pu - abs(found) >= 0.0  # the smaller branch of its load


def test_no_trip_that_is_opened_ends_an_island_within_its_time() -> None:
    for abnormal in ("I", "II", "III"):
        trips = opened_trips(abnormal, 50.0)
        assert trips["high_frequency_trip"].must_trip[0] == (pytest.approx(55.0), 1000.0)
        assert trips["low_voltage_trip"].must_trip[0][0] == 0.0
    assert droop("most", "III", 60.0).response_s == 0.2
    assert droop("least", "II", 50.0).db_of_hz == pytest.approx(1.0 * 50 / 60)


def on_bench(rig: Rig, body: Any) -> Execution:
    """Execute a body as a procedure of two of the islanding criteria."""
    declared = procedure(
        claim="",
        clause="",
        hazards="",
        rig="islanding-bench",
        needs=("inverter",),
        criteria=(ALIVE, CLEARED),
        mutants=(Mutant("a", "pv-1", {}, ALIVE.name), Mutant("b", "pv-1", {}, CLEARED.name)),
    )(body)
    return execute(declared.procedure, rig)  # type: ignore[attr-defined]


async def trial_of_case_1(lab: Lab) -> None:
    trial = Trial(await open_anti_islanding_bench(lab))
    tried = cases("B")[:1]
    await trial.prove_bench(tried[0])
    await trial.try_cases(tried)
    trial.record()


def test_detection_that_cannot_be_switched_off_makes_it_inconclusive(tmp_path: Path) -> None:
    text = BENCH.read_text(encoding="utf-8")
    parameters = next(line for line in text.splitlines() if line.startswith("parameters"))
    path = tmp_path / "bench.toml"
    path.write_text(text.replace(parameters, ""), encoding="utf-8")
    verdicts = on_bench(load_rig(path), trial_of_case_1).verdicts
    alive, cleared = verdicts.verdicts
    assert (alive.outcome, alive.value) == (Outcome.INCONCLUSIVE, None)
    assert "cannot be switched off" in alive.note
    assert cleared.outcome is Outcome.PASS
    assert verdicts.outcome is Outcome.INCONCLUSIVE


PERCENTS = (100, 99, 98, 95, 101, 105)


def run_on_s(load: Balance) -> list[float]:
    """Return the clearing times of copies of the plant, in steps of 1 ms, without any bench. [s]

    A tripped inverter leaves the load to itself: its voltage decays with 2 R C, in closed form.
    """
    world = World(f_nominal_hz=60.0, s_base_va=10_000.0, seed=1)
    pv = world.add_pv(
        "pv-1",
        {
            **{"s_va": 10_000.0, "category": "II", "volt_watt": True},
            "relays": {
                **{"OV1": [1.2, 13.0], "OV2": [1.2, 0.16], "UV1": [0.0, 21.0], "UV2": [0.0, 2.0]},
                **{key: [66.0, 1000.0] for key in ("OF1", "OF2")},
                **{key: [50.0, 1000.0] for key in ("UF1", "UF2")},
            },
        },
    )
    world.set_available(pv, 12_500.0)
    world.set_limit_w(pv, 10_000.0)
    world.impose([1.0], 60.0)
    world.advance(60.0)
    loads = [load.beside(percent) for percent in PERCENTS]
    rlc = [(one.r_w, one.l_var / one.r_w, one.c_var / one.l_var) for one in loads]
    tripped_s = world.run_on_times(rlc, 3.0, h_s=0.001)
    decays_s = [2 * one.c_var / one.r_w / (2 * math.pi * 60.0) * math.log(20.0) for one in loads]
    return [float(t_s) + decay_s for t_s, decay_s in zip(tripped_s, decays_s, strict=True)]


def test_clearing_times_over_the_wires_are_those_of_the_plant_alone() -> None:
    measured_s: list[float] = []
    expected_s: list[float] = []

    async def body(lab: Lab) -> None:
        bench, case = await open_anti_islanding_bench(lab), cases("B")[0]
        await bench.apply(case)
        load = await bench.balance()
        expected_s.extend(run_on_s(load))
        for percent in PERCENTS:
            measured_s.append((await bench.island(load, percent)).cleared_s)
            await bench.reclose(case)

    assert on_bench(load_rig(BENCH), body).verdicts.ended is Outcome.PASS
    assert measured_s == pytest.approx(expected_s, abs=0.006)
    assert max(measured_s) - min(measured_s) > 0.05  # times that tell the loads apart


@pytest.mark.soak
@pytest.mark.parametrize("normal", ["A", "B"])
def test_whole_sweeps_of_all_cases_pass_in_both_categories(normal: str, tmp_path: Path) -> None:
    text = BENCH.read_text(encoding="utf-8").replace('normal = "B"', f'normal = "{normal}"')
    text = text.replace('category = "II",', f'category = "II", normal_category = "{normal}",')
    path = tmp_path / "bench.toml"
    path.write_text(text, encoding="utf-8")
    assert main(["test", str(UNINTENTIONAL), "--rig", str(path), "--repetitions", "3"]) == 0


@pytest.mark.soak
def test_whole_sweeps_of_inverters_in_parallel_pass_in_all_cases() -> None:
    assert main(["test", str(PARALLEL), "--repetitions", "3"]) == 0
