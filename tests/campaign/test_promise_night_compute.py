"""What judges campaign 9 finds what no wrong device can show: a compute market that cheats."""

from pathlib import Path
from typing import Any

import pytest
from altered_runs import changed
from criteria import Unpassed, assert_fails_alone, not_passed

from gridrig.campaign import records
from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.formats import csv_rows
from gridrig.campaign.jobs_command import jobs_command
from gridrig.campaign.lab import open_lab
from gridrig.campaign.loop import Loop
from gridrig.campaign.run import run
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.slicing import slice_scenario
from gridrig.clock import Clock, run_virtual
from gridrig.computing.escrow import EscrowEntry
from gridrig.promises import computing
from gridrig.promises.computing import (
    Registers,
    balance_percent,
    energy_unlike_registers_milliwh,
    paid_unlike_agreed_micro,
    retired_short_wh,
    unlike_expected,
)
from gridrig.rig.description import Rig, load_rig
from gridrig.settlement.retiring import retire_for

SCENARIO = load_scenario(SCENARIOS / "promise-9-night-compute.toml")
EXPECTED = {
    "summaries": ("paid", ""),
    "spoiled": ("refunded", "wrong_result"),
    "slow": ("refunded", "late"),
    "great": ("refused", "reserve"),
    "hurry": ("refused", "too_late"),
    "index": ("paid", ""),
}


NODE = "node-1"
TOLD: list[Any] = []  # by the node, as the night was over


@pytest.fixture(scope="module")
def night() -> tuple[Rig, Loop]:
    rig = load_rig(RIGS / "emulated-compute-node.toml")
    loops: list[Loop] = []

    async def main(clock: Clock) -> None:
        async with open_lab(rig, clock, [], []) as lab:
            loops.append(await lab.run_loop(SCENARIO))
            TOLD.append(await lab.driver(NODE).read())

    run_virtual(main, start_utc_s=SCENARIO.start_utc_s)
    return rig, loops[0]


def place_of(loop: Loop, job: str) -> int:
    return next(k for k, ended in enumerate(loop.computing.ended) if ended.job.name == job)


def test_an_honest_night_is_like_everything(night: tuple[Rig, Loop]) -> None:
    rig, loop = night
    registers = Registers.of(rig, loop)
    assert unlike_expected(loop, EXPECTED) == 0
    assert energy_unlike_registers_milliwh(loop, registers) == 0
    assert paid_unlike_agreed_micro(loop) == 0
    assert retired_short_wh(loop) == 0
    assert balance_percent(rig, loop, registers) < 1


@pytest.mark.parametrize(
    ("job", "values"),
    [
        ("spoiled", {"ending": "paid", "why": ""}),
        ("slow", {"why": "wrong_result"}),
        ("great", {"ending": "refunded"}),
        ("summaries", {"result": "00" * 32}),
    ],
)
def test_another_ending_or_result_is_seen(
    night: tuple[Rig, Loop], job: str, values: dict[str, Any]
) -> None:
    loop = night[1]
    with changed(loop.computing.ended, place_of(loop, job), **values):
        assert unlike_expected(loop, EXPECTED) == 1


def test_a_job_that_is_missing_or_stands_twice_is_seen(night: tuple[Rig, Loop]) -> None:
    loop = night[1]
    ended = loop.computing.ended
    ended.append(ended[0])
    assert unlike_expected(loop, EXPECTED) == 1
    ended.pop()
    last = ended.pop()
    assert unlike_expected(loop, EXPECTED) == 1
    ended.append(last)


def test_a_milliwatt_hour_too_much_is_seen(night: tuple[Rig, Loop]) -> None:
    rig, loop = night
    at = place_of(loop, "index")
    energy = loop.computing.ended[at].energy_milliwh
    with changed(loop.computing.ended, at, energy_milliwh=energy + 1):
        assert energy_unlike_registers_milliwh(loop, Registers.of(rig, loop)) == 1


def test_money_that_goes_elsewhere_or_stays_is_seen(night: tuple[Rig, Loop]) -> None:
    loop = night[1]
    entries = loop.computing.escrow.entries
    paid = next(k for k, entry in enumerate(entries) if entry.kind == "paid")
    back = next(k for k, entry in enumerate(entries) if entry.kind == "refunded")
    with changed(entries, paid, amount_micro=entries[paid].amount_micro + 1):
        assert paid_unlike_agreed_micro(loop) == 2  # an escrow below zero, a node above its due
    with changed(entries, back, credit="node/node-1"):
        assert paid_unlike_agreed_micro(loop) == entries[back].amount_micro
    with changed(entries, back, amount_micro=entries[back].amount_micro - 1):
        assert paid_unlike_agreed_micro(loop) == 1


def judged(loop: Loop, procedure: str = "test_night_compute") -> Unpassed:
    return not_passed(procedure, loop, told=TOLD[-1])


def test_each_criterion_of_the_night_fails_alone(
    night: tuple[Rig, Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = night[1]
    assert judged(loop) == {}
    with monkeypatch.context() as patch:
        patch.setattr(loop.computing.watches[NODE], "soc_min", 0.099)
        assert_fails_alone(judged(loop), "test_night_compute.soc_min")
    at = place_of(loop, "spoiled")  # refunded: no payment and no certificate follows its energy
    energy = loop.computing.ended[at].energy_milliwh + 1
    with changed(loop.computing.ended, at, energy_milliwh=energy):
        found = judged(loop)
    assert_fails_alone(found, "test_night_compute.job_energy_unlike_registers_milliwh")
    entries = loop.computing.escrow.entries
    back = next(k for k, entry in enumerate(entries) if entry.kind == "refunded")
    with changed(entries, back, amount_micro=entries[back].amount_micro - 1):
        found = judged(loop)
    assert_fails_alone(found, "test_night_compute.payment_unlike_agreed_micro")
    with changed(loop.rounds.received, -1, digest="00" * 32):
        assert_fails_alone(judged(loop), "test_night_compute.payments_unbacked")


def test_a_register_that_retires_a_watt_hour_less_is_seen(
    night: tuple[Rig, Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(store: Any, energy_milliwh: int, **more: Any) -> Any:
        return retire_for(store, energy_milliwh - 1000, **more)

    monkeypatch.setattr(computing, "retire_for", short)
    assert_fails_alone(judged(night[1]), "test_night_compute.certificates_unlike_jobs_wh")


def test_a_pack_below_its_reserve_or_that_had_to_act_is_seen_by_day(
    night: tuple[Rig, Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge of the day looks at the night, in which it finds other jobs."""
    loop = night[1]
    watch = loop.computing.watches[NODE]
    before = judged(loop, "test_round_the_clock")
    with monkeypatch.context() as patch:
        patch.setattr(watch, "soc_min", 0.089)
        found = judged(loop, "test_round_the_clock")
    assert_fails_alone(found, "test_round_the_clock.soc_min", before)
    monkeypatch.setattr(watch, "protections", {"cell_under_voltage"})
    found = judged(loop, "test_round_the_clock")
    assert_fails_alone(found, "test_round_the_clock.pack_protections", before)


def test_a_run_shows_its_jobs_and_ends_what_it_could_not_settle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half an hour of it: the jobs that were taken are not done yet, and their money goes back."""
    rig = load_rig(RIGS / "emulated-compute-node.toml")
    part = slice_scenario(SCENARIO, from_s=7200, for_s=1800, tick_s=None)
    path = run(rig, part, tmp_path / "run", seed=1, render=lambda _: None).path
    rows = {row.job: row for row in csv_rows(records.JobRow, path / records.JOBS)}
    endings = {name: (row.ending, row.why) for name, row in rows.items()}
    assert endings["summaries"] == ("refunded", "not_delivered")
    assert endings["great"] == ("refused", "reserve")
    entries = csv_rows(EscrowEntry, path / records.ESCROW)
    assert sum(e.amount_micro for e in entries if e.kind == "held") == sum(
        e.amount_micro for e in entries if e.kind == "refunded"
    )
    assert jobs_command(path, register=None, holder=None, as_json=False) == 0
    shown = capsys.readouterr().out
    assert "refunded (not_delivered)" in shown
    assert "escrow/summaries  0 millionths" in shown
