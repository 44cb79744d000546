"""A disturbance that did not come as it was asked for is an error, not a pass."""

import numpy as np
import pytest

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.grid_bench import open_grid_bench
from gridrig.campaign.procedures import Criterion, Lab, Mutant, execute, procedure
from gridrig.campaign.stimulus_check import check_stimulus
from gridrig.devices.bench_capabilities import SequenceStep
from gridrig.errors import CampaignError
from gridrig.rig.description import load_rig

V_N, STEP_S = 230.0, 0.01
NONE = (0.0, 0.0, 0.0)
STEPS = [
    SequenceStep((V_N, V_N, V_N), NONE, 50.0, 0.5),
    SequenceStep((V_N, 0.5 * V_N, V_N), NONE, 50.0, 0.3),
    SequenceStep((V_N, V_N, V_N), NONE, 52.0, 0.5, ramp=True),
    SequenceStep((V_N, V_N, V_N), NONE, 52.0, 0.02),
    SequenceStep((V_N, V_N, V_N), NONE, 52.0, 0.5),
]


def played() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return times, voltages and frequency as a good analyser sees a good source."""
    t_s = STEP_S * np.arange(-10, 182)
    v_pu = np.ones((len(t_s), 3))
    v_pu[(t_s > 0.495) & (t_s < 0.795), 1] = 0.5
    f_hz = np.interp(t_s, [0.8, 1.3], [50.0, 52.0])
    return t_s, v_pu, f_hz


def test_what_came_as_asked_for_passes() -> None:
    t_s, v_pu, f_hz = played()
    check_stimulus(STEPS, t_s, STEP_S, v_pu, f_hz, V_N)


@pytest.mark.parametrize(
    ("phase", "found", "message"),
    [
        (1, 0.52, "step 2: voltage of 1, 0.52, 1 pu was measured, expected 1, 0.5, 1 pu"),
        (0, 0.5, "step 2: voltage of 0.5, 0.5, 1 pu was measured"),
    ],
    ids=["too little of a sag", "one phase too many"],
)
def test_another_voltage_is_named_with_its_step(phase: int, found: float, message: str) -> None:
    t_s, v_pu, f_hz = played()
    v_pu[(t_s > 0.495) & (t_s < 0.795), phase] = found
    with pytest.raises(CampaignError, match=message):
        check_stimulus(STEPS, t_s, STEP_S, v_pu, f_hz, V_N)


def test_another_frequency_is_named_with_its_step() -> None:
    t_s, v_pu, f_hz = played()
    with pytest.raises(CampaignError, match=r"step 5: frequency of 51\.8 Hz was measured"):
        check_stimulus(STEPS, t_s, STEP_S, v_pu, np.minimum(f_hz, 51.8), V_N)


def test_a_source_with_two_phases_swapped_ends_a_procedure() -> None:
    async def body(lab: Lab) -> None:
        bench = await open_grid_bench(lab)
        await bench.connect()
        await bench.record([bench.step(0.3, (0.5, 1.0, 1.0)), bench.step(0.3)])

    tried = procedure(
        claim="",
        clause="",
        hazards="",
        rig="emulated-bench",
        needs=("inverter",),
        criteria=(Criterion("tried", "1", min=1),),
        mutants=(
            Mutant("is wired wrongly", "ac_source", {"wired": [2, 1, 3]}, "tried"),
            Mutant("is another", "inverter", {}, "tried"),
        ),
    )(body).procedure  # type: ignore[attr-defined]
    verdicts = execute(tried, load_rig(RIGS / "emulated-bench.toml"), tried.mutants[0]).verdicts
    assert verdicts.ended == "ERROR"
    assert verdicts.cause.startswith("campaign.stimulus_off: step 1: voltage of")
    assert verdicts.cause.endswith("expected 0.5, 1, 1 pu")
