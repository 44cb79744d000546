"""Records of a journal behind one public root, opened by those whose they are."""

import hashlib
import json
import secrets
from pathlib import Path

import pytest
from street import KEY, PARTICIPANTS, Street

from gridrig.cli import main
from gridrig.errors import SettlementError
from gridrig.settlement import Journal
from gridrig.settlement.journal_reader import JournalReader
from gridrig.settlement.leaves import records_of
from gridrig.settlement.privacy import LeafOpening, Opening, commitment_salt, committed_tree
from gridrig.settlement.privacy_leaves import leaves_of, owner_of


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    with Journal(folder / "journal.sqlite", key=KEY) as journal:
        for settled, readings in Street(7).posts(journal, 3):
            journal.post(settled, accepted=readings)
    return folder


def test_every_record_is_one_account_s_and_opens_to_the_root_of_all(run: Path) -> None:
    hidden = {name: secrets.token_bytes(32) for name in (*PARTICIPANTS, "clearing", "operator")}
    with JournalReader(run / "journal.sqlite") as journal:
        records = list(records_of(journal, 1))
        owners = {owner_of(record, set(PARTICIPANTS)) for record in records}
        held = {owner: dict(leaves_of(journal, owner, 1)) for owner in owners}
        with pytest.raises(SettlementError, match="leaf_account"):
            list(leaves_of(journal, "nobody", 1))
    assert set(PARTICIPANTS) <= owners
    assert sum(map(len, held.values())) == len(records)
    commitments = [
        Opening(leaf, commitment_salt(hidden.setdefault(name, secrets.token_bytes(32)), leaf),
                payload.encode()).commitment
        for name, leaves in held.items()
        for leaf, payload in leaves.items()
    ]  # fmt: skip
    root = committed_tree(commitments)[0].root()
    for leaf, payload in held["alice"].items():
        opening = LeafOpening.of(hidden["alice"], leaf, payload.encode(), commitments)
        assert json.loads(opening.check(root)) == json.loads(payload)
    # The public list and the run hold no secret and no salt.
    public = "\n".join(commitment.hex() for commitment in commitments).encode()
    files = [public, *(path.read_bytes() for path in run.rglob("*") if path.is_file())]
    assert len(files) >= 2
    for name, secret in hidden.items():
        salts = [commitment_salt(secret, leaf) for leaf in held.get(name, {})]
        for needle in (secret, *salts):
            assert all(needle not in f and needle.hex().encode() not in f for f in files)
    # A guess at a record is not confirmed by its commitment without the salt.
    first = next(iter(held["alice"].items()))
    assert hashlib.sha256("".join(first).encode()).digest() not in commitments


def test_leaves_of_a_run_go_through_the_commands(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def disclose(*arguments: object, code: int = 0) -> str:
        assert main(["disclose", *map(str, arguments)]) == code
        return capsys.readouterr().out

    secret, leaves, public = (tmp_path / name for name in ("s", "leaves.csv", "public.txt"))
    disclose("secret", secret)
    leaves.write_text(disclose("leaves", run, "--of", "alice", "--period", 2))
    public.write_text(disclose("commit", leaves, "--secret", secret))
    root = disclose("root", public).strip()
    opening = tmp_path / "opening.json"
    known = ("--leaves", leaves, "--secret", secret, public)
    opening.write_text(disclose("open", "metered/2/0/alice", *known))
    assert "proven: metered/2/0/alice is {" in disclose("check", opening, "--root", root)
    disclose("leaves", run, "--of", "nobody", "--period", 2, code=2)
    disclose("leaves", run, "--of", "alice", "--period", 9, code=2)
    disclose("secret", run / "s", code=2)
