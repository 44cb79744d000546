"""The operator of a feeder in a run, the switches it moves, and what judges it afterwards."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from criteria import assert_fails

from gridrig.campaign.branch_contacts import BranchContacts
from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.lab import open_lab
from gridrig.campaign.loop import Loop
from gridrig.campaign.rig_grid import load_grid
from gridrig.campaign.scenario import describe_scenario, load_scenario
from gridrig.campaign.scenario_fit import check_together
from gridrig.clock import Clock, run_virtual
from gridrig.errors import RigError
from gridrig.promises.rerouting import Rerouted, rerouted
from gridrig.rig.description import describe, load_rig
from gridrig.rig.toml_file import parse_toml

RIG = RIGS / "stressed-feeder.toml"
EVENING = SCENARIOS / "promise-8-rerouting.toml"
LIMIT_PERCENT = 98.0


@pytest.fixture(scope="module")
def evening() -> Loop:
    """An evening on which the operator had to switch."""
    scenario = load_scenario(EVENING)

    async def run(clock: Clock) -> Loop:
        async with open_lab(load_rig(RIG), clock, [], []) as lab:
            return await lab.run_loop(scenario)

    return run_virtual(run, start_utc_s=scenario.start_utc_s)


def tampered(loop: Loop, change: Callable[[dict[str, float]], object]) -> Rerouted:
    """Judge the evening after its trace was changed at each tick from 18:45 on."""
    kept = copy.deepcopy(loop.trace._rows)
    try:
        for row in loop.trace._rows:
            if row["t_s"] >= 6300:
                change(row)
        return rerouted(loop, LIMIT_PERCENT)
    finally:
        loop.trace._rows[:] = kept


def test_the_operator_switched_and_each_false_trace_of_it_is_noticed(evening: Loop) -> None:
    found = rerouted(evening, LIMIT_PERCENT)
    assert found.without_percent > 110
    assert (found.rings, found.unserved_wh, found.needless) == (0, 0.0, 0)
    assert found.engines_differ_pu < 1e-4

    low = tampered(evening, lambda row: row.update({"bus.a4.v_pu": 0.9}))
    assert_fails(low.engines_differ_pu, "test_rerouting.engines_differ_v_pu")
    ring = tampered(evening, lambda row: row.update({"switch.line:to-a4.closed": 1.0}))
    assert ring.rings == 1
    assert_fails(ring.rings, "test_rerouting.rings_max")
    off = tampered(evening, lambda row: row.update({"load.a3.p_w": 0.0}))
    assert off.protected_unserved_wh == off.unserved_wh > 0
    assert off.needless == off.out_of_order == 9
    assert off.off_at_end == 1
    assert_fails(off.protected_unserved_wh, "test_shedding.protected_unserved_wh")
    assert_fails(off.out_of_order, "test_shedding.shed_out_of_order")
    assert_fails(off.off_at_end, "test_shedding.shed_at_end")


def test_an_operator_that_did_nothing_is_noticed(evening: Loop) -> None:
    # There was a way round, so that nothing was shed nor said to be.
    found = rerouted(evening, LIMIT_PERCENT)
    assert_fails(found.said_s, "test_shedding.said_before_s")
    assert_fails(found.unserved_wh, "test_shedding.unserved_wh")
    untold: Any = SimpleNamespace(ordered=lambda: [])
    idle = rerouted(replace(evening, events=untold), LIMIT_PERCENT)
    assert_fails(idle.ahead_s, "test_rerouting.switched_ahead_s")


def test_the_operator_tells_what_it_foresees_and_moves_the_tie_first(evening: Loop) -> None:
    told = [event for event in evening.events.ordered() if event.kind.startswith("operator_")]
    plans = [event for event in told if event.kind == "operator_plan"]
    moved = [(e.device, e.data["closed"]) for e in told if e.kind == "operator_switched"]
    assert moved == [("tie-1", True), ("switch-a4", False)]
    assert "to-a1: line overload" in plans[0].data["foreseen"][0]
    assert evening.physics.feeder.out == {"line:to-a4"}


def test_contacts_move_when_it_is_time_and_not_before() -> None:
    async def main(clock: Clock) -> list[tuple[bool, bool]]:
        contacts = BranchContacts(clock, closed=False)
        seen = [contacts.contacts()]
        contacts.operate([(0.1, True, False), (0.2, True, True)], {})
        for after_s in (0.05, 0.15, 0.25):
            await clock.sleep_until(after_s)
            seen.append(contacts.contacts())
        return seen

    assert run_virtual(main, start_utc_s=0) == [
        (False, False),
        (False, False),
        (True, False),
        (True, True),
    ]


def rig_issues(old: str, new: str) -> str:
    text = RIG.read_text().replace(old, new, 1).encode()
    with pytest.raises(RigError) as caught:
        describe(parse_toml(text, str(RIG)))
    return str(caught.value)


def test_a_branch_belongs_to_a_switch_and_a_feeder(tmp_path: Path) -> None:
    assert "no branch: this is a inverter" in rig_issues(
        'capability = "inverter"', 'capability = "inverter"\nbranch = "line:tie"'
    )
    head, _, tail = RIG.read_text().partition("[feeder]")
    without = head + tail[tail.index("# -----") :]
    with pytest.raises(RigError, match="a \\[feeder\\], whose branch it opens and closes"):
        describe(parse_toml(without.encode(), str(RIG)))
    folder = tmp_path / "ring"
    folder.mkdir()
    for file in (RIGS / "ring").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "rig.toml"
    path.write_text(RIG.read_text().replace('"line:to-a3"', '"line:to-a4"'))
    with pytest.raises(RigError) as caught:
        load_grid(load_rig(path), load_scenario(EVENING).start_utc_s, 900)
    assert '"line:to-a4", which switch-a3 switches' in str(caught.value)


def scenario_issues(change: Callable[[str], str], rig: str = "stressed-feeder") -> str:
    text = change(EVENING.read_text()).encode()
    scenario = describe_scenario(parse_toml(text, str(EVENING)))
    return "\n".join(
        issue.text() for issue in check_together(load_rig(RIGS / f"{rig}.toml"), scenario)
    )


def test_a_scenario_that_switches_what_a_device_switches_is_refused() -> None:
    event = '\n[[event]]\ndo = "switch"\nat_s = 300\ntarget = "line:tie"\nclosed = true\n'
    assert "which stands as tie-1 does" in scenario_issues(lambda text: text + event)
    assert scenario_issues(lambda text: text) == ""
    assert "nothing to switch" in scenario_issues(lambda text: text, "emulated-chargers")


def test_an_operator_looks_ahead_by_whole_periods() -> None:
    text = EVENING.read_text().replace("looks_ahead_s = 7200", "looks_ahead_s = 7000").encode()
    with pytest.raises(RigError, match=r"a multiple of scenario\.period_s = 900"):
        describe_scenario(parse_toml(text, str(EVENING)))
