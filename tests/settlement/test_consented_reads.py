"""A run is read under a consent from the command line, until it is taken back."""

import json
from pathlib import Path

import pytest
from street import KEY, Street

from gridrig.cli import main
from gridrig.settlement import Journal

FOREVER = "2999-01-01T00:00:00Z"


def test_a_run_is_read_by_whom_its_participant_lets_until_it_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, book = tmp_path / "run", tmp_path / "consents.db"
    run.mkdir()
    with Journal(run / "journal.sqlite", key=KEY) as journal:
        for settled, readings in Street(7).posts(journal, 3):
            journal.post(settled, accepted=readings)

    def consent(step: str, *words: object, code: int = 0) -> tuple[str, str]:
        assert main(["consent", step, *map(str, words)]) == code
        return capsys.readouterr()

    read = ("read", book, run, "--of", "alice", "--period", 2, "--by")
    _, said = consent(*read, "vpp", code=2)
    assert "settlement.consent_refused" in said
    given = ("give", book, "--of", "alice", "--to", "vpp", "--purpose", "dispatch", "--until")
    _, said = consent(*given, "2999-01-01", code=2)
    assert "settlement.consent_time" in said
    said, _ = consent(*given, FOREVER)
    assert said.startswith("consent 1: alice lets vpp read")
    leaves, _ = consent(*read, "vpp")
    assert "metered/2/0/alice" in leaves
    consent(*read, "eve", code=2)
    consent("revoke", book, 1, "--of", "alice")
    leaves, said = consent(*read, "vpp", code=2)
    assert not leaves
    assert "settlement.consent_refused" in said
    rows, _ = consent("asked", book, "--of", "alice")
    asked = [json.loads(row) for row in rows.splitlines()]
    assert [(one["reader"], one["consent"]) for one in asked] == [
        *(("vpp", None), ("vpp", 1)),
        *(("eve", None), ("vpp", None)),
    ]
