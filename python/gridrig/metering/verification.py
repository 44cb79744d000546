"""Verdicts over files of signed readings, one record a line."""

import json
import sys
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Literal, TypedDict, cast

from gridrig._core import Refusal, VerifiedReading, enclosed_in_xml
from gridrig.errors import MeteringError
from gridrig.metering.keys import EnrolledKey
from gridrig.metering.reading_ledger import ReadingLedger
from gridrig.metering.trust_file import load_keys

LINE_BYTES_MAX = 131_072
"""Twice the longest record of any format; more of a line is never held. [bytes]"""

XML_BYTES_MAX = 4 << 20
"""Longest XML file; one byte more is read, for the parser to refuse it. [bytes]"""

BATCH_LINES = 1_024
"""Lines verified, and written to the ledger, together."""

_HEAD_BYTES = 4_096
"""How much of a file tells what it is. [bytes]"""

Received = tuple[int, bytes | str]
"""A number and a record, or why there is none."""


class Verdict(TypedDict):
    """What is known of one record; a value that is not known is None."""

    line: int
    verdict: Literal["ok", "repeated", "false", "undecided"]
    code: str | None
    message: str | None
    meter: str | None
    serial: str | None
    format: str | None
    algorithm: str | None
    profiles: list[str] | None
    context: str | None
    counter: int | None
    missing: int | None
    time_s: int | None
    start_ms: int | None
    clock_status: str | None
    import_milliwh: int | None
    export_milliwh: int | None
    interval_import_milliwh: int | None
    interval_export_milliwh: int | None
    status: str | None
    contract: str | None
    findings: list[str] | None
    digest: str | None


_READ = (
    "meter",
    "serial",
    "format",
    "algorithm",
    "profiles",
    "context",
    "counter",
    "missing",
    "time_s",
    "start_ms",
    "clock_status",
    "import_milliwh",
    "export_milliwh",
    "interval_import_milliwh",
    "interval_export_milliwh",
    "status",
    "contract",
    "findings",
)


def verdict_of(line: int, outcome: VerifiedReading | Refusal) -> Verdict:
    """Return the verdict over one record as plain data.

    Parameters
    ----------
    line : int
        Where the record stands in its file, from 1.
    outcome : VerifiedReading or Refusal
        What the verifier answered.

    Returns
    -------
    Verdict
        Ready for JSON.
    """
    facts: dict[str, object] = dict.fromkeys(Verdict.__annotations__)
    facts["line"] = line
    if isinstance(outcome, Refusal):
        facts |= {
            "verdict": outcome.outcome,
            "code": outcome.code,
            "message": outcome.message,
            "meter": outcome.meter,
        }
    else:
        facts |= {name: getattr(outcome, name) for name in _READ}
        facts |= {"verdict": "ok", "digest": outcome.digest.hex()}
    return cast(Verdict, facts)


def verify_file(
    path: Path | str,
    keys: Iterable[EnrolledKey],
    *,
    at_s: int | None = None,
    format: str | None = None,
    ledger: Path | str | None = None,
) -> Iterator[Verdict]:
    """Verify a file of records, one a line, as one history.

    A line of hex digits is a binary record; a proof of equivocation is its two records. An XML file
    of transparency software is read whole: its values are numbered as lines are, from 1.

    Parameters
    ----------
    path : Path or str
        File of records; empty lines are passed over.
    keys : iterable of EnrolledKey
        Who is believed, see `gridrig.metering.trust_file.load_keys`.
    at_s : int, optional
        When the records were received; a reading later than that is false. Unknown if left out.
        [UTC s]
    format : str, optional
        The wire format of every record; detected for each if left out.
    ledger : Path or str, optional
        File of the replay ledger; the history is that of this file of records only if left out.

    Yields
    ------
    Verdict
        One per record, in file order; those of a ledger once they are written.

    Raises
    ------
    RigError
        If a key cannot be enrolled; then nothing is verified.
    MeteringError
        `metering.readings_file` if the file cannot be read, `metering.format` if it begins like an
        XML file and is none, `metering.ledger_*` if the ledger cannot be used.
    """
    with ReadingLedger(keys, ledger) as readings:
        try:
            with Path(path).open("rb") as file:
                for batch in _batches(_received(file)):
                    records = [record for _, record in batch if isinstance(record, bytes)]
                    verdicts = readings.verify(records, at_s=at_s, format=format)
                    places = iter(range(len(records)))
                    for number, record in batch:
                        if isinstance(record, bytes):
                            yield verdict_of(number, verdicts.outcome(next(places)))
                        else:
                            yield _unread(number, record)
        except OSError as fault:
            raise MeteringError(
                "metering.readings_file", "{path}: {fault}", path=str(path), fault=str(fault)
            ) from fault


def _received(file: BufferedReader) -> Iterator[Received]:
    """Number what a file holds: the values of an XML file, or its lines."""
    head = file.peek(_HEAD_BYTES)[:_HEAD_BYTES]
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") and b"<values" in head:
        values = enclosed_in_xml(file.read(XML_BYTES_MAX + 1))
        for number, (record, _, fault) in enumerate(values, 1):
            yield number, fault or "" if record is None else record
    else:
        yield from _records(_lines(file))


def _unread(line: int, fault: str) -> Verdict:
    facts: dict[str, object] = dict.fromkeys(Verdict.__annotations__)
    facts |= {"line": line, "verdict": "undecided", "code": "metering.format", "message": fault}
    return cast(Verdict, facts)


def _batches(lines: Iterator[Received]) -> Iterator[list[Received]]:
    held: list[Received] = []
    for line in lines:
        held.append(line)
        if len(held) == BATCH_LINES:
            yield held
            held = []
    if held:
        yield held


def _records(lines: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    for number, line in lines:
        proof = _proof(line)
        for record in (line,) if proof is None else proof:
            yield number, _record(record)


def _proof(line: bytes) -> tuple[bytes, bytes] | None:
    """Part a proof of equivocation into its records; None for any other line."""
    if not line.startswith(b"{") or b'"second"' not in line:
        return None
    try:
        facts = json.loads(line)
        return facts["first"].encode(), facts["second"].encode()
    except (ValueError, KeyError, AttributeError, TypeError):
        return None


def _record(line: bytes) -> bytes:
    """Decode a line of hex digits; any other line is the record itself."""
    try:
        return bytes.fromhex(line.decode("ascii"))
    except (UnicodeDecodeError, ValueError):
        return line


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Number the lines and drop their ends and the empty ones.

    Of a line longer than a record may be, enough is kept for the verifier to refuse it.
    """
    number, held = 1, b""
    while piece := file.readline(LINE_BYTES_MAX):
        if len(held) <= LINE_BYTES_MAX:
            held += piece
        if piece.endswith(b"\n"):
            if held.strip():
                yield number, held.strip()
            number, held = number + 1, b""
    if held.strip():
        yield number, held.strip()


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """Return the exit code of `gridrig readings`.

    Returns
    -------
    int
        1 if any record is false, else 3 if any is undecided, else 0; 2 if there was none.
    """
    seen = {verdict["verdict"] for verdict in verdicts}
    if "false" in seen:
        return 1
    if "undecided" in seen:
        return 3
    return 0 if seen else 2


def readings_command(
    path: Path | str,
    keys: Path | str,
    *,
    ledger: Path | str | None = None,
    format: str | None = None,
) -> int:
    """Verify a file of records and print one JSON verdict a line.

    Parameters
    ----------
    path, keys : Path or str
        File of records, trust file.
    ledger : Path or str, optional
        File of the replay ledger.
    format : str, optional
        The wire format of every record.

    Returns
    -------
    int
        See `exit_code`.

    Raises
    ------
    RigError
        If the keys file is wrong.
    MeteringError
        If the file of records cannot be read, or the ledger cannot be used.
    """
    seen: dict[str, Verdict] = {}
    for verdict in verify_file(path, load_keys(keys), ledger=ledger, format=format):
        print(json.dumps(verdict, ensure_ascii=False))
        seen.setdefault(verdict["verdict"], verdict)
    if not seen:
        print(f"{path} holds no record", file=sys.stderr)
    return exit_code(seen.values())


def proofs_command(keys: Path | str, ledger: Path | str | None) -> int:
    """Print the proofs of equivocation in a ledger, one JSON object a line.

    A file of these lines goes back into `readings_command`, which needs no ledger to check them:
    of each proof the first record is true and the second contradicts it.

    Returns
    -------
    int
        1 if there is one, else 0.

    Raises
    ------
    MeteringError
        `metering.ledger_missing` if there is no such file.
    """
    if ledger is None or not Path(ledger).is_file():
        raise MeteringError(
            "metering.ledger_missing", "{path} is no file", path=str(ledger or "--ledger")
        )
    with ReadingLedger(load_keys(keys), ledger) as readings:
        proofs = list(readings.forks())
    for proof in proofs:
        facts = proof._asdict() | {
            name: getattr(proof, name).hex() for name in ("public_key", "first", "second")
        }
        print(json.dumps(facts, ensure_ascii=False))
    return 1 if proofs else 0
