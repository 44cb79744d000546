"""A register of certificates whose process is killed, or whose machine loses its power."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from power_loss import build_recorder, read_record, states
from step_register import Steps

from gridrig.errors import SettlementError
from gridrig.settlement.certificates import CertificateStore

STEP_REGISTER = [sys.executable, str(Path(__file__).parent / "step_register.py")]


def told(store: CertificateStore) -> tuple[int, str]:
    """Return how many events a register has, and what it says."""
    return store._core.events, repr((store.claims(), store.lots(), store.supply()))


def held(register: Path) -> tuple[int, str]:
    """Open a register, which decides all its events again."""
    with CertificateStore(register) as store:
        return told(store)


def undisturbed(steps: int) -> Iterator[tuple[int, str]]:
    """Yield what a register says after each step that nobody disturbs, and before the first."""
    with CertificateStore(":memory:") as store:
        taken = Steps(store)
        yield told(store)
        for step in range(steps):
            taken.take(step)
            yield told(store)


def test_a_register_killed_anywhere_has_every_step_that_was_answered(tmp_path: Path) -> None:
    ack, draw = tmp_path / "ack", random.Random(1)
    ack.write_bytes(b"")
    for _ in range(4):
        enough = ack.stat().st_size + draw.randrange(60)
        writer = subprocess.Popen([*STEP_REGISTER, str(tmp_path), "1000000"])
        while ack.stat().st_size <= enough:
            with suppress(subprocess.TimeoutExpired):
                pytest.fail(f"ended with {writer.wait(0.001)}")
        writer.kill()
        assert writer.wait() == -9
        acknowledged = len(ack.read_bytes().splitlines())
        events, said = held(tmp_path / "register")
        assert acknowledged <= events
        *_, expected = undisturbed(events)
        assert (events, said) == expected
        # A step that was committed and not answered is there: it is not taken again.
        ack.write_bytes(b"\n" * events)


def recorded(tmp_path: Path, *pragmas: str, only: str = "") -> tuple[list[str], int]:
    """Cut recorded steps off everywhere; return which states lost what was answered."""
    folder, log, steps = tmp_path / "recorded", tmp_path / "log", 8
    folder.mkdir()
    watched = {
        "LD_PRELOAD": str(build_recorder(tmp_path)),
        "RECORDED_LOG": str(log),
        "RECORDED_FOLDER": str(folder),
    }
    command = [*STEP_REGISTER, str(folder), str(steps), *pragmas]
    subprocess.run(command, check=True, env=os.environ | watched)
    whole = list(undisturbed(steps))
    place, lost, count = tmp_path / "state", [], 0
    place.mkdir()
    for name, acknowledged, files in states(read_record(log), seed=1, first_after=3):
        if only not in name:
            continue
        for old in place.iterdir():
            old.unlink()
        for path, content in files.items():
            (place / path.name).write_bytes(content)
        count += 1
        try:
            found = held(place / "register")
        except SettlementError as error:
            lost.append(f"{name}: {error}")
            continue
        if found[0] < acknowledged or found != whole[found[0]]:
            lost.append(f"{name}: {found[0]} events, {acknowledged} answered")
    return lost, count


def test_power_lost_at_any_write_of_a_step_loses_nothing_answered(tmp_path: Path) -> None:
    lost, count = recorded(tmp_path)
    assert count >= 50, "nothing was recorded"
    assert lost == []


def test_the_recorder_finds_a_register_that_does_not_sync(tmp_path: Path) -> None:
    lost, _ = recorded(tmp_path, "synchronous = OFF", only="all that was not synced")
    assert lost != []
