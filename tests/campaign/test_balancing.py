"""Balancing by storages: the law against a feeder that answers late, its place in a scenario."""

import copy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from criteria import assert_fails

from gridrig.campaign.balancing import Balancing
from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.dispatch import Bounds
from gridrig.campaign.lab import open_lab
from gridrig.campaign.loop import Loop
from gridrig.campaign.scenario import describe_scenario, load_scenario
from gridrig.campaign.scenario_fit import check_together
from gridrig.clock import Clock, run_virtual
from gridrig.devices.capabilities import MeterReading
from gridrig.promises.recovery import recovery
from gridrig.rig.description import load_rig
from gridrig.rig.toml_file import parse_toml

CLOUD = SCENARIOS / "promise-8-cloud.toml"
WIDE = Bounds(100_000.0, 100_000.0)


def head(p_w: float) -> MeterReading:
    return MeterReading(p_w, 0.0, 400.0, 50.0, 0, 0)


@pytest.mark.parametrize(("late", "periods"), [(1, 6), (2, 10)])
def test_a_step_is_made_good_whether_the_reading_is_prompt_or_old(late: int, periods: int) -> None:
    balancing = Balancing(["storage"])
    given = [0.0] * (late + 1)
    for _ in range(60):
        reading = head(50_000.0 - given[-late])
        wanted = balancing.step({"storage": 0.0}, 0.0, reading, {"storage": WIDE})
        given.append(wanted["storage"])
    assert max(given) < 1.3 * 50_000
    assert all(abs(p_w - 50_000) < 2_500 for p_w in given[late + 1 + periods :])


def test_what_a_battery_cannot_give_is_not_saved_up() -> None:
    balancing = Balancing(["storage"])
    narrow = {"storage": Bounds(1_000.0, 1_000.0)}
    for _ in range(50):
        assert balancing.step({}, 0.0, head(50_000.0), narrow)["storage"] <= 1_000.0
    assert balancing.step({}, 0.0, head(-2_000.0), narrow)["storage"] == 0.0


def test_without_a_reading_the_correction_stays_and_nobody_else_is_told_anything() -> None:
    balancing = Balancing(["storage"])
    first = balancing.step({"storage": 0.0}, 0.0, head(10_000.0), {"storage": WIDE})
    assert balancing.step({"storage": 0.0}, 0.0, None, {"storage": WIDE}) == first
    assert Balancing([]).step({"other": 5.0}, 1.0, head(9.0), {}) == {"other": 5.0}


def test_a_storage_that_is_none_is_refused() -> None:
    text = CLOUD.read_text().replace('["storage-1"]', '["battery-1"]').encode()
    scenario = describe_scenario(parse_toml(text, str(CLOUD)))
    (issue,) = check_together(load_rig(RIGS / "stressed-feeder.toml"), scenario)
    assert "balanced_by[0]" in issue.text()
    assert '"storage-1"' in issue.text()


@pytest.mark.parametrize(
    ("rig", "leader"),
    [("emulated-power-plant", "the aggregator"), ("emulated-compute-node", "which computes")],
)
def test_a_storage_that_somebody_leads_does_not_balance(rig: str, leader: str) -> None:
    bench = load_rig(RIGS / f"{rig}.toml")
    (storage, *_) = bench.of("storage")
    text = CLOUD.read_text().replace('["storage-1"]', f'["{storage.name}"]').encode()
    scenario = describe_scenario(parse_toml(text, str(CLOUD)))
    found = [one.text() for one in check_together(bench, scenario)]
    assert [leader in text for text in found if "balanced_by[0]" in text] == [True]


def test_a_head_that_is_off_its_plan_at_the_end_never_recovered() -> None:
    scenario = load_scenario(CLOUD)

    async def run(clock: Clock) -> Loop:
        async with open_lab(load_rig(RIGS / "stressed-feeder.toml"), clock, [], []) as lab:
            return await lab.run_loop(scenario)

    loop = run_virtual(run, start_utc_s=scenario.start_utc_s)
    kept = copy.deepcopy(loop.trace._rows)
    found = recovery(loop, 360.0, 415.0)
    assert found.periods <= 12
    # Beside a time at which nothing happened, and of a market that planned nothing.
    assert_fails(recovery(loop, 415.0, 500.0).lost_w, "test_cloud_ramp.sun_lost_w")
    idle: Any = SimpleNamespace(cleared=[])
    planless = recovery(replace(loop, trading=idle), 360.0, 415.0)
    assert_fails(planless.plan_w, "test_cloud_ramp.plan_w_min")
    for at_s, expected in ((500.0, 18.0), (595.0, float("inf"))):
        for row in loop.trace._rows:
            if row["t_s"] == at_s:
                row["feeder.head_p_w"] += 10_000.0
        assert recovery(loop, 360.0, 415.0).periods == expected
        loop.trace._rows[:] = copy.deepcopy(kept)
