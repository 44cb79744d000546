"""`gridrig disclose`: a participant's secret and leaves, commitments, a root, one leaf opened.

Leaves are a CSV file with the columns `leaf_id` and `payload`; published commitments are a file of
64 hex digits a line, in rising order. Neither holds a secret or a salt.
"""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from gridrig._core import Opening, commitment_salt
from gridrig.errors import SettlementError
from gridrig.settlement.journal_commands import journal_at, root_of
from gridrig.settlement.journal_reader import JournalReader
from gridrig.settlement.privacy import LeafOpening, committed_tree, new_secret, read_secret
from gridrig.settlement.privacy_leaves import leaves_of

COLUMNS = ["leaf_id", "payload"]
LEAVES_MAX = 1_000_000


def secret_command(path: Path) -> int:
    """Make a new secret."""
    new_secret(path)
    print(f"{path}: keep it, and to yourself; what it hides nobody opens without it")
    return 0


def leaves_command(path: Path, account: str, period: int) -> int:
    """Print what an account has in a period of a journal, as leaves."""
    rows = csv.writer(sys.stdout, lineterminator="\n")
    with JournalReader(journal_at(path)) as journal, journal.snapshot():
        leaves = list(leaves_of(journal, account, period))
    rows.writerows([COLUMNS, *leaves])
    return 0


def commit_command(leaves: Path, secret: Path) -> int:
    """Print the commitments of one's leaves, in rising order."""
    key = read_secret(secret)
    made = (
        Opening(leaf_id, commitment_salt(key, leaf_id), payload).commitment
        for leaf_id, payload in _leaves(leaves).items()
    )
    for commitment in sorted(made):
        print(commitment.hex())
    return 0


def root_command(commitments: Sequence[Path]) -> int:
    """Print the root over everybody's commitments."""
    tree, _ = committed_tree(_commitments(commitments))
    print(tree.root().hex())
    print(f"{tree.leaf_count} leaves", file=sys.stderr)
    return 0


def open_command(leaf_id: str, *, leaves: Path, secret: Path, commitments: Sequence[Path]) -> int:
    """Print the opening of one leaf, for an auditor."""
    held = _leaves(leaves)
    if leaf_id not in held:
        raise SettlementError(
            "settlement.leaf_unknown",
            "{path} has no leaf {leaf_id!r}",
            path=str(leaves),
            leaf_id=leaf_id,
        )
    published = list(_commitments(commitments))
    opening = LeafOpening.of(read_secret(secret), leaf_id, held[leaf_id], published)
    print(opening.to_json(), end="")
    return 0


def check_command(opening: Path, root: str, *, as_json: bool) -> int:
    """Print the leaf that a root is proven to hold; 1 if it does not hold it."""
    expected = root_of(root)
    read = LeafOpening.from_json(_text(opening))
    try:
        payload = read.check(expected)
    except SettlementError as refusal:
        print(f"false: {refusal}", file=sys.stderr)
        return 1
    shown = payload.decode("utf-8", errors="backslashreplace")
    if as_json:
        print(json.dumps({"leaf_id": read.leaf_id, "payload": shown, "root": expected.hex()}))
    else:
        print(f"proven: {read.leaf_id} is {shown}")
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise _malformed(path, 0, str(fault), "a readable text file") from fault


def _leaves(path: Path) -> dict[str, bytes]:
    rows = csv.reader(_text(path).splitlines())
    if (found := next(rows, None)) != COLUMNS:
        raise _malformed(path, 1, repr(found), f"the columns {','.join(COLUMNS)}")
    leaves: dict[str, bytes] = {}
    for line, row in enumerate(rows, start=2):
        if len(row) != len(COLUMNS) or row[0] in leaves or len(leaves) >= LEAVES_MAX:
            expected = f"a leaf id of its own and a payload, of at most {LEAVES_MAX} leaves"
            raise _malformed(path, line, repr(row), expected)
        leaves[row[0]] = row[1].encode()
    return leaves


def _commitments(paths: Iterable[Path]) -> list[bytes]:
    commitments = []
    for path in paths:
        for line, text in enumerate(_text(path).split(), start=1):
            try:
                commitment = bytes.fromhex(text)
            except ValueError:
                commitment = b""
            if len(commitment) != 32:
                raise _malformed(path, line, repr(text[:80]), "64 hex digits")
            commitments.append(commitment)
    return commitments


def _malformed(path: Path, line: int, found: str, expected: str) -> SettlementError:
    return SettlementError(
        "settlement.disclosure_file",
        "{path}, line {line}: found {found}, expected {expected}",
        path=str(path),
        line=line,
        found=found,
        expected=expected,
    )
