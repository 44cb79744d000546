"""Proofs of single records of a journal, and what checks them with the root alone."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from gridrig._core import InclusionProof, VerifiedLeaf
from gridrig.errors import SettlementError
from gridrig.settlement.journal_reader import EntryRow, JournalReader, MeteredRow, PostRow
from gridrig.settlement.leaves import Record, leaf_of, records_of, tree_of

FORMAT = "gridrig proof 1"
PROOF_BYTES_MAX = 100_000
_ROWS: dict[str, type[EntryRow | MeteredRow]] = {"entry": EntryRow, "metered": MeteredRow}


@dataclass(frozen=True)
class Proof:
    """A record, its place among those of its post, and the siblings up to the root."""

    record: Record
    inclusion: InclusionProof

    def verify(self, root: bytes) -> VerifiedLeaf:
        """Prove the record with the root alone.

        Raises
        ------
        SettlementError
            `settlement.merkle_*` if the root does not contain the record at this place.
        """
        return self.inclusion.verify(leaf_of(self.record), root)

    def to_json(self) -> dict[str, Any]:
        """Return the content of a proof file."""
        values = self.record._asdict()
        return {
            "format": FORMAT,
            "record": next(word for word, row in _ROWS.items() if isinstance(self.record, row)),
            "fields": {k: v.hex() if isinstance(v, bytes) else v for k, v in values.items()},
            "index": self.inclusion.index,
            "leaf_count": self.inclusion.leaf_count,
            "path": [sibling.hex() for sibling in self.inclusion.path],
        }

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a proof file.

        Raises
        ------
        SettlementError
            `settlement.proof_malformed`, with the place and what was expected there;
            `settlement.merkle_*` for siblings that are no hashes.
        """
        with path.open("rb") as file:
            content = file.read(PROOF_BYTES_MAX + 1)
        if len(content) > PROOF_BYTES_MAX:
            raise _malformed(path, "file", f"over {PROOF_BYTES_MAX} bytes", "a proof")
        try:
            held = json.loads(content)
        except ValueError as fault:
            raise _malformed(path, "file", str(fault), "JSON") from fault
        if not isinstance(held, dict) or held.get("format") != FORMAT:
            found = held.get("format") if isinstance(held, dict) else held
            raise _malformed(path, "format", found, FORMAT)
        row = _ROWS.get(str(held.get("record")))
        if row is None:
            raise _malformed(path, "record", held.get("record"), " or ".join(_ROWS))
        return cls(
            _record(path, row, held.get("fields")),
            InclusionProof(
                index=_number(path, "index", held.get("index")),
                leaf_count=_number(path, "leaf_count", held.get("leaf_count")),
                path=[_hex(path, "path", one) for one in _listed(path, "path", held.get("path"))],
            ),
        )


def prove(
    journal: JournalReader,
    period: int,
    *,
    revision: int = 0,
    line: int | None = None,
    meter: str | None = None,
) -> tuple[Proof, PostRow]:
    """Prove an entry, or what a meter counted, and return the post whose root contains it.

    Parameters
    ----------
    period, revision : int
        Which settlement the record is of.
    line : int, optional
        Number of the entry in it, from 1.
    meter : str, optional
        Name of the meter, instead of a line. Its record holds the digests of the readings behind.

    Raises
    ------
    SettlementError
        `settlement.record_unknown` if the journal has no such record; `settlement.root_broken` if
        the rows of the journal no longer come to the root that was posted.
    """
    booked_in = journal.booked_in(period, revision)
    post = next((one for one in journal.posts() if one.period == booked_in), None)
    records = [] if post is None else list(records_of(journal, post.period))

    def is_wanted(record: Record) -> bool:
        if (record.period, record.revision) != (period, revision):
            return False
        return record.line == line if isinstance(record, EntryRow) else record.meter == meter

    index = next((place for place, record in enumerate(records) if is_wanted(record)), None)
    if post is None or index is None:
        raise SettlementError(
            "settlement.record_unknown",
            "{path} has no {what} in revision {revision} of period {period}",
            path=str(journal.path),
            what=f"line {line}" if meter is None else f"meter {meter!r}",
            revision=revision,
            period=period,
        )
    tree = tree_of(journal, post.period)
    if (tree.leaf_count, tree.root()) != (post.leaf_count, post.root):
        raise SettlementError(
            "settlement.root_broken",
            "{path}: the records of period {period} do not come to its root {root}",
            path=str(journal.path),
            period=post.period,
            root=post.root.hex(),
        )
    return Proof(records[index], tree.proof(index)), post


def _record(path: Path, row: type[EntryRow | MeteredRow], fields: Any) -> Record:
    names = row._fields
    if not isinstance(fields, dict) or sorted(fields) != sorted(names):
        found = sorted(fields) if isinstance(fields, dict) else fields
        raise _malformed(path, "fields", found, ", ".join(names))
    values = dict(fields)
    for name, kind in row.__annotations__.items():
        if kind is bytes:
            values[name] = _hex(path, f"fields.{name}", values[name])
        elif isinstance(values[name], bool) or not isinstance(values[name], kind):
            word = getattr(kind, "__name__", str(kind))
            raise _malformed(path, f"fields.{name}", values[name], word)
    return row(**values)


def _number(path: Path, place: str, found: Any) -> int:
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < 2**64:
        raise _malformed(path, place, found, "a whole number of 64 bits")
    return found


def _listed(path: Path, place: str, found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise _malformed(path, place, found, "a list")
    return found


def _hex(path: Path, place: str, found: Any) -> bytes:
    try:
        return bytes.fromhex(found)
    except (TypeError, ValueError) as fault:
        raise _malformed(path, place, found, "hex digits") from fault


def _malformed(path: Path, place: str, found: Any, expected: str) -> SettlementError:
    return SettlementError(
        "settlement.proof_malformed",
        "{path}: {place}: found {found!r}, expected {expected}",
        path=str(path),
        place=place,
        found=found,
        expected=expected,
    )
