"""Lines and transformers in and out, taps moved, at the buses and in what counts."""

import numpy as np
import pytest
from feeder_injections import nameplate, street_load

from gridrig.errors import GridError
from gridrig.grid import (
    ENGINES,
    Feeder,
    Limits,
    Network,
    Solution,
    findings,
    load_network,
    make_feeder,
)

OUT = "line:LV1.101 Line 9"


def test_line_out_is_never_answered_with_what_was_before(feeder: Feeder) -> None:
    # pandapower with `recycle` would keep the admittances of the last full run without a word.
    p_w, q_var = street_load(14)
    before = feeder.solve(p_w, q_var)
    feeder.switch(OUT, closed=False)
    after = feeder.solve(p_w, q_var)
    assert after.dead == ("LV1.101 Bus 5", "LV1.101 Bus 6")
    assert after.p_w.sum() == -36e3
    assert np.isfinite(after.v_pu).all()
    assert after.head_p_w == pytest.approx(36e3 + after.losses_w, abs=0.1)
    assert [x.element for x in findings(after, Limits())] == list(after.dead)
    feeder.switch(OUT, closed=True)
    assert feeder.solve(p_w, q_var).v_pu == pytest.approx(before.v_pu, abs=1e-9)


def test_tap_moves_the_voltage_by_its_step(feeder: Feeder, network: Network) -> None:
    # As above: `recycle` with `trafo` false would ignore a tap that moved.
    trafo = network.transformers[0]
    nothing = np.zeros(14)
    before = feeder.solve(nothing, nothing)
    feeder.set_tap(trafo.name, trafo.tap_steps - 2)
    raised = feeder.solve(nothing, nothing)
    ratio = trafo.ratio_at(trafo.tap_steps) / trafo.ratio_at(trafo.tap_steps - 2)
    assert raised.v_pu / before.v_pu == pytest.approx(np.full(14, ratio), rel=2e-4)
    feeder.set_tap(trafo.name, trafo.tap_steps)
    assert feeder.solve(nothing, nothing).v_pu == pytest.approx(before.v_pu, abs=1e-8)


def test_solution_read_after_the_feeder_moved_on_says_what_was_true_then(
    feeder: Feeder, network: Network
) -> None:
    # Flows are worked out when asked for: from what was found, not from what an engine has by then.
    p_w, q_var = street_load(14)
    feeder.solve(p_w, q_var)
    early = _read(feeder.solve(p_w, q_var))
    feeder.solve(2 * p_w, q_var)
    kept = feeder.solve(p_w, q_var)
    feeder.solve(0.5 * p_w, q_var)
    feeder.set_tap(network.transformers[0].name, network.transformers[0].tap_steps - 2)
    feeder.solve(2 * p_w, q_var)
    feeder.switch(OUT, closed=False)
    assert _read(feeder.solve(p_w, q_var)) != pytest.approx(early, rel=1e-2)
    assert _read(kept) == pytest.approx(early, rel=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        kept.line_loading_percent[0] = 0.0


def _read(solution: Solution) -> list[float]:
    loadings = *solution.line_loading_percent, *solution.trafo_loading_percent
    return [solution.losses_w, solution.head_p_w, *map(float, loadings)]


def test_switch_that_is_open_as_loaded_can_close_a_ring() -> None:
    network = load_network("pandapower:case33bw")
    tie = next(iter(network.out_of_service))
    for name in ENGINES:
        feeder = make_feeder(name, network, "source")
        open_ring = feeder.solve(*nameplate(network))
        feeder.switch(tie, closed=True)
        ring = feeder.solve(*nameplate(network))
        assert ring.losses_w < open_ring.losses_w - 1e3


def test_every_branch_out_is_solved_or_refused_by_name() -> None:
    network = load_network("pandapower:case33bw")
    for engine in ENGINES:
        feeder = make_feeder(engine, network, "source")
        for line in network.lines:
            feeder.switch(f"line:{line.name}", closed=False)
        nothing = np.zeros(len(feeder.buses))
        if engine == "opendss":  # nothing but a source is no circuit that it can solve
            with pytest.raises(GridError) as caught:
                feeder.solve(nothing, nothing)
            assert caught.value.code in ("grid.not_converged", "grid.voltage_range")
        else:
            solution = feeder.solve(nothing, nothing)
            assert len(solution.dead) == 32
            assert (solution.losses_w, solution.line_loading_percent.max()) == (0.0, 0.0)


def test_former_of_a_twin_feeder_follows_the_switches_of_the_first(
    feeder: Feeder, network: Network
) -> None:
    twin = make_feeder(feeder.engine_name, network, "trafo:0")
    feeder.switch(OUT, closed=False)
    feeder.open_pcc("LV1.101 Bus 12", former_v_pu=0.98)
    twin.same_state_as(feeder)
    p_w, q_var = street_load(14)
    assert twin.solve(p_w, q_var).v_pu == pytest.approx(feeder.solve(p_w, q_var).v_pu, abs=1e-12)
    feeder.switch(OUT, closed=True)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_source_that_feeds_nothing_holds_its_voltage(engine: str) -> None:
    feeder = make_feeder(engine, load_network("pandapower:case33bw"), "source")
    feeder.source_v_pu = 1.03
    feeder.switch("line:line 0", closed=False)
    solution = feeder.solve({"1": -1e3}, {})
    assert solution.dead == feeder.buses[1:]
    assert solution.v_pu[0] == pytest.approx(1.03, abs=1e-12)
    assert (solution.head_p_w, solution.losses_w) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        (lambda f: f.switch("line:LV1.101 Line9", closed=False), "grid.branch_unknown",
         r"did you mean 'line:LV1\.101 Line 9'"),
        (lambda f: f.switch("trafo:MV1.101-LV1.101-Trafo 1", closed=False), "grid.branch_unknown",
         "is the PCC"),
        (lambda f: f.set_tap("MV1.101-LV1.101-Trafo 1", 40), "grid.tap_fixed", "would have 2"),
        (lambda f: f.set_tap("none", 1), "grid.branch_unknown", "no 'none' to switch"),
    ],
)  # fmt: skip
def test_switching_what_is_not_there_is_refused_by_name(
    feeder: Feeder, call: object, code: str, words: str
) -> None:
    with pytest.raises(GridError, match=words) as caught:
        call(feeder)
    assert caught.value.code == code
