"""A volt-var curve too steep for the tick ends in an error; the limit is that of theory.

With a response of first order the reactive power of a device follows `q' = a q + (1 - a) f(v)` from
tick to tick, `a = 10 ** (-dt / response)`, and the voltage `v = v0 + x q`. On a slope `-s` of the
curve the swing grows if `s x > (1 + a) / (1 - a)`.
"""

from pathlib import Path
from typing import Any

import pytest
from small_street import rig_file, run_here, scenario_file

from gridrig.campaign.assembly import make_street
from gridrig.campaign.flow import Physics
from gridrig.campaign.outcomes import Outcome
from gridrig.campaign.rig_grid import load_grid
from gridrig.errors import GridError
from gridrig.rig.description import load_rig

START_S = 1_467_206_100  # 2016-06-29T13:15:00Z
S_VA, BUS = 80_000, "LV1.101 Bus 13"
DEADBAND_PU, RESPONSE_S = 1e-4, 1.0


def with_curve(width_pu: float) -> Any:
    """Give pv-3 a curve that reaches its end `width_pu` from the deadband; make it ten times."""

    def change(table: dict[str, Any]) -> None:
        device = next(d for d in table["device"] if d["name"] == "pv-3")
        device["limits"] = {"p_w_max": S_VA, "s_va_max": S_VA}
        end_pu = DEADBAND_PU + width_pu
        device["emulate"] |= {
            "s_va": S_VA,
            "reactive_mode": "volt_var",
            "volt_var_v_pu": [1 - end_pu, 1 - DEADBAND_PU, 1 + DEADBAND_PU, 1 + end_pu],
            "volt_var_q_pu": [0.44, 0.0, 0.0, -0.44],
            "volt_var_response_s": RESPONSE_S,
            "enter_service_delay_s": 1.0,
            "enter_service_ramp_s": 1.0,
        }

    return change


def physics_of(folder: Path, width_pu: float) -> Physics:
    rig = load_rig(rig_file(folder, with_curve(width_pu)))
    grid = load_grid(rig, START_S, 60)
    street = make_street(rig, grid, seed=1)
    street.follow_profiles(START_S)
    return Physics(street, grid.feeder)


def run_ticks(physics: Physics, count: int, before: Any = lambda tick: None) -> None:
    for tick in range(count):
        before(tick)
        physics.step(float(tick), 1.0)
        physics.finish(1.0)


def width_at_the_limit(physics: Physics) -> float:
    """Return the width of the curve at which a swing neither grows nor dies out. [pu]"""
    feeder = physics.feeder
    more = feeder.solve({}, {BUS: 1e3}).v_at(BUS) - feeder.solve({}, {BUS: -1e3}).v_at(BUS)
    a = 10 ** (-1.0 / RESPONSE_S)
    return 0.44 * S_VA * (more / 2e3) * (1 - a) / (1 + a)


def test_curve_steeper_than_theory_allows_ends_in_a_named_error(tmp_path: Path) -> None:
    limit_pu = width_at_the_limit(physics_of(tmp_path, 0.02))
    run_ticks(physics_of(tmp_path, limit_pu * 1.1), 100)
    with pytest.raises(GridError, match=f"at bus '{BUS}' .* pv-3 by") as caught:
        run_ticks(physics_of(tmp_path, limit_pu / 1.1), 100)
    assert caught.value.code == "grid.loop_unstable"
    assert caught.value.facts["swing_pu"] > 2e-4


def test_load_and_sun_that_change_at_each_tick_are_no_swing(tmp_path: Path) -> None:
    physics = physics_of(tmp_path, 0.02)
    street = physics.street

    def toggle(tick: int) -> None:
        street.world.set_load(street.loads["LV1.101 Bus 3"], 40e3 * (tick % 2), 0.0)
        street.available_w["pv-3"] = S_VA * (0.2 + 0.6 * (tick % 2))
        street.world.set_available(street.devices["pv-3"], street.available_w["pv-3"])

    run_ticks(physics, 40, toggle)
    assert physics.last is not None
    p_w = street.world.held()[0][street.devices["pv-3"]]
    assert p_w > 0.7 * S_VA  # it was on, and followed


def test_run_with_such_a_curve_ends_as_error_with_the_cause(tmp_path: Path) -> None:
    rig = rig_file(tmp_path, with_curve(0.005))
    result = run_here(tmp_path, rig, scenario_file(tmp_path, duration_s=60, events=[]))
    assert result.verdicts.outcome is Outcome.ERROR
    assert result.verdicts.cause.startswith(
        f"grid.loop_unstable: the voltage at bus '{BUS}' swings"
    )
