"""Cases of a computing node: a right one passes, each wrong one fails what finds it."""

from pathlib import Path
from typing import Any

import pytest
from bad_bench import START_UTC_S, bench

from gridrig.campaign.outcomes import Outcome
from gridrig.clock import Clock, run_wall
from gridrig.conformance.case import CaseResult
from gridrig.conformance.catalogue import cases_for, chosen, not_covered
from gridrig.conformance.examination import Examination
from gridrig.conformance.subject import Subject, subject_of
from gridrig.rig.description import override_emulate

NODE = "node-1"
# Of the emulator: what makes it wrong, the case that must find it, and the limit.
MUTANTS: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"manufacturer": "", "product": " ", "firmware": ""}, "identity", "names_told"),
    ({"draw_factor": 1.01}, "node.draw", "p_error_of_rating"),
    ({"draw_factor": 1.01}, "node.draw", "above_limit_of_rating"),
    ({"draw_factor": 0.9}, "node.draw", "energy_error_milliwh"),
    ({"obeys": False}, "node.pause", "drawn_paused_of_rating"),
    ({"obeys": False}, "node.pause", "worked_paused_s"),
    ({"result": "other"}, "node.result", "results_wrong"),
    ({"pace": 20.0}, "node.result", "results_missing"),
    ({"keeps_job": False}, "node.outage", "jobs_lost"),
)


def node(**emulate: Any) -> Subject:
    rig = bench("emulated-compute-node")
    return subject_of(override_emulate(rig, NODE, emulate), NODE, "scpi-compute-node")


def examined(subject: Subject, folder: Path, *only: str) -> list[CaseResult]:
    folder.mkdir()

    async def main(clock: Clock) -> list[CaseResult]:
        with (folder / "log").open("wb") as log:
            exam = Examination(subject, clock, folder, log, lambda _: None)
            return await exam.run(chosen(cases_for(subject), only))

    return run_wall(main, start_utc_s=START_UTC_S)


@pytest.mark.alone
def test_a_right_node_passes_every_case(tmp_path: Path) -> None:
    results = examined(node(), tmp_path / "right")
    assert {one.case.id for one in results} == {case for _, case, _ in MUTANTS}
    assert [(one.case.id, one.notes) for one in results if one.outcome is not Outcome.PASS] == []


@pytest.mark.alone
def test_each_wrong_node_fails_the_case_that_finds_it(tmp_path: Path) -> None:
    lives = []
    kinds = {repr(emulate): (emulate, case) for emulate, case, _ in MUTANTS}
    for k, (name, (emulate, case)) in enumerate(kinds.items()):
        (result,) = examined(node(**emulate), tmp_path / str(k), case)
        expected = {limit for wrong, _, limit in MUTANTS if repr(wrong) == name}
        if result.outcome is not Outcome.FAIL or not expected <= set(result.broken):
            lives.append((name, result.outcome, result.broken, result.notes))
    assert lives == []


def test_a_certificate_says_that_faults_of_its_wire_were_not_tried() -> None:
    subject = node()
    told = not_covered(subject, cases_for(subject))
    assert "the fault late_reply: no case of this capability" in told
    assert "the fault wrong_result: no case of this capability" in told
