"""A journal that cannot be written for a while: the run goes on, and the head is the same."""

import resource
from collections.abc import Container, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from paper_street import Street, live

from gridrig.errors import SettlementError
from gridrig.settlement.audit import audit

# Of each period: the home is silent at the end of the second, which the third puts right.
SILENT = {1}


@contextmanager
def full_disk(journal: Path) -> Iterator[None]:
    """Let the kernel refuse to let the journal's log grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = journal.with_name(journal.name + "-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def lived(path: Path, down: Container[int]) -> Street:
    street = Street(5_000_000, journal=str(path))
    street.account.take(street.read(-1).values())
    for period in range(5):
        with full_disk(path) if period in down else nullcontext():
            live(street, period, is_silent=period in SILENT)
    return street


def test_what_could_not_be_posted_is_posted_later_to_the_same_head(tmp_path: Path) -> None:
    undisturbed, disturbed = lived(tmp_path / "one", ()), lived(tmp_path / "other", {1, 2})
    told = [event for event in disturbed.events.ordered() if "journal" in event.kind]
    assert [event.kind for event in told] == ["journal_down", "journal_down", "journal_recovered"]
    down, again, recovered = told
    assert [(one.data["period"], one.data["waiting"]) for one in (down, again)] == [(1, 1), (2, 2)]
    assert "full" in down.data["cause"] or "I/O" in down.data["cause"]
    assert recovered.data == {"posts": 3}, "two that waited, and the one that found it well"
    for street in (undisturbed, disturbed):
        street.account.finish()
    heads = [street.journal.head() for street in (undisturbed, disturbed)]
    assert heads[0] == heads[1]
    assert heads[0].posts == 5
    assert undisturbed.balances() == disturbed.balances()
    for name, street in (("one", undisturbed), ("other", disturbed)):
        street.journal.close()
        assert audit(tmp_path / name) == []


def test_a_journal_that_is_down_to_the_end_is_an_error(tmp_path: Path) -> None:
    street = lived(tmp_path / "j", {3, 4})
    assert street.journal.periods() == [0, 1, 2]
    with full_disk(tmp_path / "j"), pytest.raises(SettlementError) as refused:
        street.account.finish()
    assert refused.value.code == "settlement.journal_unusable"
    street.account.finish()
    assert street.journal.periods() == [0, 1, 2, 3, 4], "nothing was lost meanwhile"
