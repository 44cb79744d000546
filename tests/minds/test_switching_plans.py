"""Switching plans on the 33-bus feeder of Baran and Wu, against trying everything by pandapower."""

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pandapower
import pandapower.networks
import pytest

from gridrig.cli import main
from gridrig.errors import MindError
from gridrig.grid import Feeder, Limits, load_network, make_feeder
from gridrig.minds.outages import outages_of
from gridrig.minds.switching import Moment, Step, plan_switching

LIMITS = Limits(v_min_pu=0.88)
STRESSED = 5  # the line that is forecast 10 % over its rating
FORECAST = 1.1


def net_of(folder: Path, *, tie_a: float = 300.0) -> tuple[Any, Path]:
    """Give the feeder ratings: what it carries today and a fifth more; it has none of its own."""
    net = pandapower.networks.case33bw()
    net.line["name"] = [f"l{index}" for index in net.line.index]
    pandapower.runpp(net)
    net.line["max_i_ka"] = np.maximum(1.25 * net.res_line.i_ka.fillna(0.0), 0.08)
    net.line.loc[32:, "max_i_ka"] = tie_a / 1000
    net.line.loc[STRESSED, "max_i_ka"] = float(net.res_line.i_ka[STRESSED])
    pandapower.to_json(net, str(folder / "ring.json"))
    return net, folder / "ring.json"


def feeder_of(path: Path, engine: str = "pandapower") -> Feeder:
    return make_feeder(engine, load_network(str(path)), "source")


def forecast(feeder: Feeder, *scales: float) -> list[Moment]:
    loads = feeder.network.loads
    return [
        Moment(
            {load.bus: -load.draw_w * scale for load in loads},
            {load.bus: -load.draw_var * scale for load in loads},
        )
        for scale in scales
    ]


def best_single_exchange(net: Any, scale: float) -> float:
    """Try every pair of a tie and a line by brute force; return the lowest loading."""
    net = copy.deepcopy(net)
    net.load[["p_mw", "q_mvar"]] *= scale
    best = np.inf
    closed = [line for line in net.line.index if line < 32]
    for tie, opened in itertools.product(range(32, 37), closed):
        now = [*(line for line in closed if line != opened), tie]
        graph = networkx.Graph((net.line.from_bus[line], net.line.to_bus[line]) for line in now)
        if len(graph) < len(net.bus) or not networkx.is_tree(graph):
            continue
        net.line["in_service"] = net.line.index.isin(now)
        try:
            pandapower.runpp(net)
        except pandapower.LoadflowNotConverged:
            continue
        loading = float(net.res_line.loading_percent.max())
        if loading <= 100.0 and net.res_bus.vm_pu.min() >= LIMITS.v_min_pu:
            best = min(best, loading)
    return best


def test_the_plan_is_the_best_exchange_there_is(tmp_path: Path) -> None:
    net, path = net_of(tmp_path)
    feeder = feeder_of(path)
    ahead = forecast(feeder, 0.9, FORECAST)
    plan = plan_switching(feeder, ahead, limits=LIMITS)
    assert [(one.kind, one.element) for one in plan.before.findings] == [("line_overload", "l5")]
    assert plan.before.loading_percent == pytest.approx(110, abs=1)
    assert plan.feasible
    assert [step.closed for step in plan.steps] == [True, False]
    assert plan.shed == ()
    assert plan.after.loading_percent == pytest.approx(best_single_exchange(net, FORECAST))
    assert feeder.out == feeder.network.out_of_service, "the feeder is left as it was"

    other = feeder_of(path, "opendss")
    for step in plan.steps:
        feeder.switch(step.branch, closed=step.closed)
        other.switch(step.branch, closed=step.closed)
    ours, theirs = (one.solve(*ahead[1]) for one in (feeder, other))
    assert not ours.dead
    assert np.abs(ours.v_pu - theirs.v_pu).max() < 5e-4
    assert theirs.line_loading_percent.max() <= 100.0


def test_nothing_is_switched_if_nothing_is_wrong(tmp_path: Path) -> None:
    feeder = feeder_of(net_of(tmp_path)[1])
    plan = plan_switching(feeder, forecast(feeder, 0.9), limits=LIMITS)
    assert (plan.steps, plan.feasible, plan.solved) == ((), True, 1)


def test_without_a_way_round_loads_are_shed_by_stage_and_no_more_than_need_be(
    tmp_path: Path,
) -> None:
    feeder = feeder_of(net_of(tmp_path)[1])
    ahead = forecast(feeder, FORECAST)
    none: frozenset[str] = frozenset()
    hopeless = plan_switching(feeder, ahead, limits=LIMITS, usable=none)
    assert not hopeless.feasible
    assert (hopeless.steps, hopeless.shed) == ((), ())
    # Bus 2 is not behind the line: shedding it first would not help, so it is given back.
    stages = {"2": 1, "17": 1, "16": 2, "31": 3, "30": 4}
    plan = plan_switching(feeder, ahead, limits=LIMITS, usable=none, stages=stages)
    assert plan.feasible
    assert plan.shed
    assert "2" not in plan.shed
    assert max(stages[one] for one in plan.shed) < 4, "the last stages stay on"
    for one in plan.shed:
        fewer = tuple(other for other in plan.shed if other != one)
        held = plan_switching(
            feeder, ahead, limits=LIMITS, usable=none, stages=dict.fromkeys(fewer, 1)
        )
        assert not held.feasible


def test_a_ring_is_refused(tmp_path: Path) -> None:
    feeder = feeder_of(net_of(tmp_path)[1])
    feeder.switch("line:l33", closed=True)
    with pytest.raises(MindError, match="has 1 rings"):
        plan_switching(feeder, forecast(feeder, 1.0))
    with pytest.raises(MindError, match="nothing_ahead"):
        plan_switching(feeder, [])


def test_who_is_dark_after_a_lost_line_is_reached_by_a_tie(tmp_path: Path) -> None:
    feeder = feeder_of(net_of(tmp_path)[1])
    (moment,) = forecast(feeder, 0.7)
    lost = ("line:l0", "line:l16", "line:l24")
    found = {one.name: one for one in outages_of(feeder, moment, limits=LIMITS, branches=lost)}
    assert tuple(found) == lost
    # The last line of the longest way feeds one bus, 90 kW at its rating.
    assert found["line:l16"].unsupplied_w == pytest.approx(0.7 * 90e3)
    assert found["line:l16"].plan.steps[0].closed
    # What feeds everything has no way round.
    assert found["line:l0"].unsupplied_w == pytest.approx(0.7 * 3.715e6)
    assert not found["line:l0"].plan.feasible
    (stuck,) = outages_of(feeder, moment, limits=LIMITS, branches=["line:l16"], usable=frozenset())
    assert stuck.plan.steps == (), "what may not be switched is not"
    for one in found.values():
        assert Step(one.name, closed=True) not in one.plan.steps
        if one.plan.feasible:
            for step in one.plan.steps:
                feeder.switch(step.branch, closed=step.closed)
            feeder.switch(one.name, closed=False)
            assert not feeder.solve(*moment).dead
            feeder.as_loaded()


def test_a_lost_device_tells_what_moves(tmp_path: Path) -> None:
    feeder = feeder_of(net_of(tmp_path)[1])
    (moment,) = forecast(feeder, 0.7)
    devices = {"pv-1": ("17", 200e3, 0.0), "pv-2": ("1", 200e3, 0.0)}
    far, near = outages_of(feeder, moment, limits=LIMITS, devices=devices, branches=())
    with_all = feeder.solve(
        moment.p_w | {"17": moment.p_w["17"] + 200e3, "1": moment.p_w["1"] + 200e3}, moment.q_var
    )
    without = feeder.solve(moment.p_w | {"1": moment.p_w["1"] + 200e3}, moment.q_var)
    assert far.v_change_pu == pytest.approx(float(np.abs(with_all.v_pu - without.v_pu).max()))
    assert (far.name, far.at, far.unsupplied_w) == ("pv-1", "17", 0.0)
    assert near.v_change_pu < far.v_change_pu / 10
    assert far.head_change_w == pytest.approx(without.head_p_w - with_all.head_p_w)


def test_the_command_says_what_to_do_and_exits_by_what_it_comes_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, path = net_of(tmp_path)
    asked = ["switching", str(path), "--scale", str(FORECAST), "--v-min", "0.88"]
    assert main(asked) == 0
    out = capsys.readouterr().out
    assert "l5: line overload, 110" in out
    assert "1. close line:l3" in out
    assert "2. open line:l" in out
    shed = [word for bus in range(6, 18) for word in ("--shed", f"{bus}={18 - bus}")]
    fixed = [word for line in range(37) for word in ("--fixed", f"line:l{line}")]
    assert main([*asked, *fixed]) == 3
    assert "no plan keeps the limits" in capsys.readouterr().out
    assert main([*asked, *fixed, *shed, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["feasible"] is True
    assert main([*asked, "--shed", "17"]) == 2
    assert "switching.stage" in capsys.readouterr().err
    assert main([*asked, "--fixed", "line:l99"]) == 2
    assert "no 'line:l99' to switch" in capsys.readouterr().err
