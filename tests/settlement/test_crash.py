"""Whatever ends a process or a machine: nothing lost, nothing doubled, the same root."""

import os
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from ledger_street import LedgerStreet
from power_loss import build_recorder, read_record, states
from street import KEY, Street

from gridrig.errors import SettlementError
from gridrig.settlement import Journal
from gridrig.settlement.audit import audit
from gridrig.settlement.journal_head import Head
from gridrig.settlement.journal_reader import JournalReader

HERE = Path(__file__).parent
POST_PERIODS = [sys.executable, str(HERE / "post_periods.py")]


def undisturbed(folder: Path, periods: int) -> Head:
    """Return the head, which binds everything, of a journal whose writer nobody disturbs."""
    folder.mkdir()
    subprocess.run([*POST_PERIODS, str(folder), str(periods)], check=True)
    return head_of(folder / "journal")


def head_of(journal: Path) -> Head:
    with JournalReader(journal) as opened:
        return opened.head()


def kill_and_go_on(folder: Path, periods: int, kills: int, seed: int, *how: str) -> None:
    """Kill the writer at moments of its own, as often as asked; then let it finish."""
    folder.mkdir()
    draw = random.Random(seed)
    ack = folder / "ack"
    for _ in range(kills):
        before = ack.stat().st_size if ack.exists() else 0
        writer = subprocess.Popen([*POST_PERIODS, str(folder), str(periods), *how])
        while not ack.exists() or ack.stat().st_size == before:  # until it has posted one more
            if waited(writer, 0.002):
                break
        if not waited(writer, draw.random() * 0.02):  # then anywhere in the next ones
            writer.kill()
        assert writer.wait() in (0, -9)
        acknowledged = len(ack.read_bytes().splitlines())
        with JournalReader(folder / "journal") as journal:
            assert len(journal.periods()) >= acknowledged
    subprocess.run([*POST_PERIODS, str(folder), str(periods), *how], check=True)


def waited(process: subprocess.Popen[bytes], limit_s: float) -> bool:
    """Tell whether a process ended by itself within a time."""
    try:
        process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def check_survivor(folder: Path, expected: Head) -> None:
    assert audit(folder / "journal") == []
    assert head_of(folder / "journal") == expected


def test_a_writer_killed_anywhere_goes_on_to_the_same_roots(tmp_path: Path) -> None:
    expected = undisturbed(tmp_path / "undisturbed", 30)
    kill_and_go_on(tmp_path / "killed", 30, kills=4, seed=1)
    check_survivor(tmp_path / "killed", expected)


@pytest.mark.soak
def test_a_writer_killed_while_it_folds_the_log_goes_on_to_the_same_roots(tmp_path: Path) -> None:
    expected = undisturbed(tmp_path / "undisturbed", 8)
    kill_and_go_on(tmp_path / "killed", 8, 2, 3, "FOLD")
    check_survivor(tmp_path / "killed", expected)


@pytest.mark.soak
def test_a_thousand_periods_survive_two_hundred_kills(tmp_path: Path) -> None:
    expected = undisturbed(tmp_path / "undisturbed", 1_000)
    kill_and_go_on(tmp_path / "killed", 1_000, kills=200, seed=2)
    check_survivor(tmp_path / "killed", expected)


def test_readings_accepted_before_a_crash_are_settled_after_it(tmp_path: Path) -> None:
    for name, crash in (("undisturbed", False), ("crashed", True)):
        with Journal(tmp_path / name, key=KEY) as journal:
            for period in range(3):
                if crash:  # between the commit of the ledger and that of the journal
                    with LedgerStreet(tmp_path / f"{name}.ledger") as street:
                        street.settle(journal, period)
                with LedgerStreet(tmp_path / f"{name}.ledger") as street:
                    settled, accepted = street.settle(journal, period)
                    journal.post(settled, accepted=accepted)
    assert head_of(tmp_path / "crashed") == head_of(tmp_path / "undisturbed")
    assert audit(tmp_path / "crashed") == []


def recorded(tmp_path: Path, *pragmas: str, only: str = "") -> tuple[list[str], int]:
    """Cut a recorded run off everywhere; return which states lost what was acknowledged."""
    folder, log = tmp_path / "recorded", tmp_path / "log"
    folder.mkdir()
    watched = {
        "LD_PRELOAD": str(build_recorder(tmp_path)),
        "RECORDED_LOG": str(log),
        "RECORDED_FOLDER": str(folder),
    }
    command = [*POST_PERIODS, str(folder), "3", *pragmas]
    subprocess.run(command, check=True, env=os.environ | watched)
    steps = [step for step in read_record(log) if not step.path.name.startswith("ledger")]
    with JournalReader(folder / "journal") as journal:
        whole = [(post.root, post.link) for post in journal.posts()]
    lost, count = [], 0
    place = tmp_path / "state"
    place.mkdir()
    # The first periods are set-up; every write of the last one, and of the closing, is cut.
    for name, acknowledged, files in states(steps, seed=1, first_after=2):
        if only not in name:
            continue
        for old in place.iterdir():
            old.unlink()
        for path, held in files.items():
            (place / path.name).write_bytes(held)
        count += 1
        try:
            with Journal(place / "journal", key=KEY) as journal:
                posts = [(post.root, post.link) for post in journal.posts()]
            faults = audit(place / "journal")
        except SettlementError as error:
            posts, faults = [], [str(error)]
        if faults or posts != whole[: len(posts)] or len(posts) < acknowledged:
            lost.append(f"{name}: {len(posts)} posts, {acknowledged} acknowledged, {faults}")
    return lost, count


@pytest.mark.parametrize("how", [(), ("FOLD",)], ids=["log kept", "log folded"])
def test_power_lost_at_any_write_of_a_period_loses_nothing_acknowledged(
    tmp_path: Path, how: tuple[str, ...]
) -> None:
    lost, count = recorded(tmp_path, *how)
    assert count >= 50, "nothing was recorded"
    assert lost == []


def test_the_recorder_finds_a_journal_that_does_not_sync(tmp_path: Path) -> None:
    lost, _ = recorded(tmp_path, "OFF", only="all that was not synced")
    assert lost != []


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    street = Street(1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Journal(tmp_path / "j", key=KEY) as journal:
        posts = street.posts(journal, 2)
        journal.post(next(posts)[0])
        settled, accepted = next(posts)
        # The kernel then refuses to let the log grow; Python ignores the signal that goes with it.
        limit = (tmp_path / "j-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            with pytest.raises(SettlementError, match=r"full|I/O") as refused:
                journal.post(settled, accepted=accepted)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert refused.value.code == "settlement.journal_unusable"
        assert journal.periods() == [0]
        journal.post(settled, accepted=accepted)
        assert journal.periods() == [0, 1]
    assert [fault for fault in audit(tmp_path / "j") if "no verified reading" not in fault] == []


def test_a_file_that_may_not_be_written_is_told() -> None:
    script = (
        "import os, sys\nfrom gridrig.settlement import Journal\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "Journal(sys.argv[1])"
    )
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "j"
        Journal(path).close()
        path.chmod(0o444)
        Path(name).chmod(0o755)
        before = path.read_bytes()
        command = [sys.executable, "-c", script, str(path)]
        tried = subprocess.run(command, check=False, capture_output=True, text=True)
        assert "SettlementError: settlement.journal_unusable" in tried.stderr
        assert "readonly" in tried.stderr
        assert (path.read_bytes(), audit(path)) == (before, [])


def test_a_corrupt_page_is_told(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", key=KEY) as journal:
        for settled, accepted in Street(1).posts(journal, 3):
            journal.post(settled, accepted=accepted)
    held = bytearray((tmp_path / "j").read_bytes())
    draw = random.Random(1)
    pages = range(1, len(held) // 8192)
    assert len(pages) > 10
    for page in pages:
        corrupt = bytearray(held)
        corrupt[page * 8192 : (page + 1) * 8192] = draw.randbytes(8192)
        (tmp_path / "c").write_bytes(corrupt)
        assert told(tmp_path / "c") != [], f"page {page}"


def told(path: Path) -> list[str]:
    try:
        return audit(path)
    except SettlementError as error:
        return [error.code]


def test_a_long_log_is_folded_into_the_file_behind_a_post(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path, key=KEY, log_bytes_max=0) as journal:
        made = path.stat().st_size
        posts = Street(1).posts(journal, 2)
        settled, accepted = next(posts)
        journal.post(settled, accepted=accepted)
        journal._fold.wait()
        # The file alone, without its log, has the post.
        (tmp_path / "copy").write_bytes(path.read_bytes())
        assert path.stat().st_size > made
        with JournalReader(tmp_path / "copy") as reader:
            assert reader.periods() == [0]
        settled, accepted = next(posts)
        journal.post(settled, accepted=accepted)
    assert audit(path) == []
