"""What judges campaign 9 finds what no wrong device can show: a compute market that cheats."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

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
from gridrig.promises.computing import (
    Registers,
    balance_percent,
    energy_unlike_registers_milliwh,
    paid_unlike_agreed_micro,
    retired_short_wh,
    unlike_expected,
)
from gridrig.rig.description import Rig, load_rig

SCENARIO = load_scenario(SCENARIOS / "promise-9-night-compute.toml")
EXPECTED = {
    "summaries": ("paid", ""),
    "spoiled": ("refunded", "wrong_result"),
    "slow": ("refunded", "late"),
    "great": ("refused", "reserve"),
    "hurry": ("refused", "too_late"),
    "index": ("paid", ""),
}


@pytest.fixture(scope="module")
def night() -> tuple[Rig, Loop]:
    rig = load_rig(RIGS / "emulated-compute-node.toml")
    loops: list[Loop] = []

    async def main(clock: Clock) -> None:
        async with open_lab(rig, clock, [], []) as lab:
            loops.append(await lab.run_loop(SCENARIO))

    run_virtual(main, start_utc_s=SCENARIO.start_utc_s)
    return rig, loops[0]


@contextmanager
def tampered(rows: list[Any], place: int, **values: object) -> Iterator[None]:
    held = rows[place]
    rows[place] = replace(held, **values)
    try:
        yield
    finally:
        rows[place] = held


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
    with tampered(loop.computing.ended, place_of(loop, job), **values):
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
    with tampered(loop.computing.ended, at, energy_milliwh=energy + 1):
        assert energy_unlike_registers_milliwh(loop, Registers.of(rig, loop)) == 1


def test_money_that_goes_elsewhere_or_stays_is_seen(night: tuple[Rig, Loop]) -> None:
    loop = night[1]
    entries = loop.computing.escrow.entries
    paid = next(k for k, entry in enumerate(entries) if entry.kind == "paid")
    back = next(k for k, entry in enumerate(entries) if entry.kind == "refunded")
    with tampered(entries, paid, amount_micro=entries[paid].amount_micro + 1):
        assert paid_unlike_agreed_micro(loop) == 2  # an escrow below zero, a node above its due
    with tampered(entries, back, credit="node/node-1"):
        assert paid_unlike_agreed_micro(loop) == entries[back].amount_micro
    with tampered(entries, back, amount_micro=entries[back].amount_micro - 1):
        assert paid_unlike_agreed_micro(loop) == 1


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
