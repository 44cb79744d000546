"""Walks on a real bench over its wires: what they judge, what they refuse, and what is drawn."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

import numpy as np
import pytest

from gridrig.campaign.acceptance import Band, Characteristic
from gridrig.campaign.builtin import RIGS
from gridrig.campaign.function_bench import at_power
from gridrig.campaign.function_walk import NAMES, Step, Walk, walk_criteria
from gridrig.campaign.measurements import Outcome
from gridrig.campaign.procedure_summary import Executed
from gridrig.campaign.procedures import Lab, Mutant, execute, procedure
from gridrig.devices.bench_capabilities import CapturePlan
from gridrig.devices.grid_support import CurveSettings
from gridrig.report.campaign_page import write_campaign
from gridrig.report.procedure_page import procedure_page, write_procedure_pages
from gridrig.rig.description import Rig, load_rig

POINTS = ((0.92, 0.44), (0.98, 0.0), (1.02, 0.0), (1.08, -0.44))
SLOW = Mutant("slow", "inverter", {"response_scale": 4.0}, NAMES["responded"])
COARSE = Mutant("coarse", "analyser", {"accuracy_percent": 2.0}, NAMES["settled"])
DOUBTFUL = Mutant("doubtful", "analyser", {"accuracy_percent": 0.2}, NAMES["settled"])
ODD = Mutant("odd", "inverter", {"keeps": ["volt_var_vref"]}, NAMES["settled"])


@pytest.fixture(scope="module")
def rig() -> Rig:
    return load_rig(RIGS / "emulated-bench.toml")


def declared(body: Callable[[Lab], Awaitable[None]]):
    made = procedure(
        claim="a claim",
        clause="a clause",
        hazards="none",
        rig="emulated-bench",
        needs=("inverter",),
        criteria=walk_criteria("5.14"),
        mutants=(SLOW, COARSE),
    )(body)
    return made.procedure


async def two_steps(lab: Lab) -> None:
    """Walk down to a low voltage and back."""
    bench = await at_power(lab)
    settings = CurveSettings(POINTS, "va_max", 1.0, "reactive", 1.0, False)
    await lab.driver(bench.name).write_function("volt_var", settings, on=True)
    walk = Walk(bench, "V", "Q", 1.0)
    curve = Characteristic(POINTS)
    await walk.go([Step(f"short, {v:g} pu", curve, v_pu=v) for v in (0.93, 1.0)])
    walk.record()


def test_a_walk_passes_on_a_right_inverter_and_its_page_draws_every_step(rig, tmp_path):
    tested = declared(two_steps)
    execution = execute(tested, rig)
    assert execution.verdicts.outcome is Outcome.PASS
    steps = execution.walked
    assert [step.name for step in steps] == ["short, 0.93 pu", "short, 1 pu"]
    first = steps[0]
    # The trace is the curve's response: nothing before the step, 90 % of it after 1 s.
    settled = 0.44 * 5 / 6
    before, at_tr = first.y[first.t_s < 0], np.interp(1.0, first.t_s, first.y)
    assert before == pytest.approx(0.0, abs=0.04)
    assert at_tr == pytest.approx(0.9 * settled, abs=0.02)
    assert first.settled.y == pytest.approx(settled, abs=0.01)
    executed = Executed(tested, rig, None, execution)
    (path,) = write_procedure_pages(tmp_path, [executed, replace(executed, mutant=SLOW)])
    page = path.read_text()
    assert page.encode() == procedure_page(executed)
    assert page.count("<figure") == 1
    assert "0 of 4 points outside" in page
    assert "EMULATED" in page
    assert all(name in page for name in NAMES.values())
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", page))
    assert addresses <= {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}


def test_a_campaigns_page_links_its_procedures_and_is_as_bad_as_the_worst(rig, tmp_path):
    tested = declared(two_steps)
    right, slow = execute(tested, rig), execute(tested, rig, SLOW)
    passed, missed = Executed(tested, rig, None, right), Executed(tested, rig, None, slow)
    alive = Executed(tested, rig, COARSE, right)

    page = write_campaign(tmp_path, [passed, replace(missed, mutant=SLOW), alive]).read_text()
    assert "<title>EMULATED · PASS · 1 procedure</title>" in page
    assert "1 of 2 killed" in page
    assert page.count("LIVES") == 1
    (linked,) = set(re.findall(r'href="([^"#]+)"', page))
    assert (tmp_path / linked).is_file()

    page = write_campaign(tmp_path / "bad", [missed]).read_text()
    assert "<title>EMULATED · FAIL · 1 procedure</title>" in page
    assert re.search(rf"FAIL.*{NAMES['responded']}", page)
    assert "killed" not in page


def test_a_walk_ends_where_it_failed_and_the_page_says_how_far(rig):
    tested = declared(two_steps)
    execution = execute(tested, rig, SLOW)
    by_name = {v.criterion.name: v for v in execution.verdicts.verdicts}
    assert by_name[NAMES["responded"]].outcome is Outcome.FAIL
    assert len(execution.walked) == 1
    page = procedure_page(Executed(tested, rig, None, execution)).decode()
    assert re.search(r"1 of 2 points outside what is accepted; the furthest is 0\.0\d\d pu", page)


def test_an_analyser_worse_than_a_quarter_of_what_is_required_is_refused(rig):
    verdicts = execute(declared(two_steps), rig, COARSE).verdicts
    assert verdicts.ended is Outcome.ERROR
    assert verdicts.cause.startswith("campaign.instrument_too_coarse: pa-1 knows a voltage to")


def test_a_point_nearer_to_the_edge_than_the_analyser_sees_is_inconclusive(rig):
    async def near_the_edge(lab: Lab) -> None:
        bench = await at_power(lab)
        walk = Walk(bench, "F", "P", 1.0, x_required=0.0)
        given_pu = await bench.power_pu()
        edge_pu = given_pu + 0.075 - 0.5 * bench.uncertainty_pu()[2]
        await walk.take(Step("edge, 1 pu", Characteristic(((0.0, edge_pu), (1.0, edge_pu)))))
        walk.record()

    verdicts = execute(declared(near_the_edge), rig, DOUBTFUL).verdicts.verdicts
    assert verdicts[0].outcome is Outcome.INCONCLUSIVE
    assert verdicts[0].note.startswith("at edge, 1 pu: ")


def test_a_setting_to_be_kept_that_nobody_knows_is_refused_by_name(rig):
    verdicts = execute(declared(two_steps), rig, ODD).verdicts
    assert verdicts.ended is Outcome.ERROR
    assert "keeps names 'volt_var_vref'" in verdicts.cause
    assert "volt_var_vref_s" in verdicts.cause  # or another one near


def test_a_command_is_dated_when_it_is_given_and_a_dip_meanwhile_triggers_nothing(rig):
    found = {}

    async def dips(lab: Lab) -> None:
        bench = await at_power(lab)

        async def less() -> None:
            await bench.feed(0.5)

        analyser = lab.driver(lab.name_of("analyser"))
        trace, known_s = await bench.record_act(less, 2.0, rate_hz=50, tracks="P")
        found["known_s"], power_pu = known_s, trace.p_pu.sum(axis=1)
        found["before"] = power_pu[trace.t_s < -0.02].mean()
        found["after"] = power_pu[trace.t_s > 1.0].mean()
        await analyser.arm(CapturePlan("rms", 50.0, 60, 0.1, source="command"))
        await bench.impose(0.3)
        await bench.hold(3.0, step_s=0.5)
        found["waiting"] = await analyser.capture_state()
        await analyser.trigger()
        await bench.hold(3.0, step_s=0.5)
        found["then"] = await analyser.capture_state()

    execute(declared(dips), rig)
    assert found["known_s"] < 0.1
    assert found["before"] == pytest.approx(1.0, abs=0.02)
    assert found["after"] == pytest.approx(0.5, abs=0.02)
    assert (found["waiting"], found["then"]) == ("waiting", "done")


def test_a_band_is_open_where_only_one_edge_counts():
    assert Band(-np.inf, 0.3).outside(0.2) == pytest.approx(-0.1)
    assert Band(0.3, np.inf).outside(0.2) == pytest.approx(0.1)
