"""Verdicts over files of signed readings, one record a line."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, TypedDict

from gridrig._core import Refusal, VerifiedReading, Verifier
from gridrig.errors import MeteringError
from gridrig.metering.keys import EnrolledKey, enrol_all, load_keys

LINE_BYTES_MAX = 32_768
"""Twice the longest record of the verifier; more of a line is never held. [bytes]"""

AT_ANY_TIME_S = 2**63 - 1
"""Receipt time of a record out of a file, of which nobody knows when it was received. [UTC s]"""


class Verdict(TypedDict):
    """What is known of one record; a value that is not known is None."""

    line: int
    verdict: Literal["ok", "false", "undecided"]
    code: str | None
    message: str | None
    meter: str | None
    serial: str | None
    pagination: int | None
    time_s: int | None
    clock_status: str | None
    import_milliwh: int | None
    export_milliwh: int | None
    digest: str | None


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
    if isinstance(outcome, Refusal):
        return Verdict(
            line=line,
            verdict=outcome.outcome,
            code=outcome.code,
            message=outcome.message,
            meter=outcome.meter,
            serial=None,
            pagination=None,
            time_s=None,
            clock_status=None,
            import_milliwh=None,
            export_milliwh=None,
            digest=None,
        )
    return Verdict(
        line=line,
        verdict="ok",
        code=None,
        message=None,
        meter=outcome.meter,
        serial=outcome.serial,
        pagination=outcome.pagination,
        time_s=outcome.time_s,
        clock_status=outcome.clock_status,
        import_milliwh=outcome.import_milliwh,
        export_milliwh=outcome.export_milliwh,
        digest=outcome.digest.hex(),
    )


def verify_file(
    path: Path | str, keys: Iterable[EnrolledKey], *, at_s: int | None = None
) -> Iterator[Verdict]:
    """Verify a file of records, one a line, as one history.

    Parameters
    ----------
    path : Path or str
        File of records; empty lines are passed over.
    keys : iterable of EnrolledKey
        Who is believed, see `gridrig.metering.keys.load_keys`.
    at_s : int, optional
        When the records were received; a reading later than that is false. Unknown if left out.
        [UTC s]

    Yields
    ------
    Verdict
        One per record, in file order.

    Raises
    ------
    RigError
        If a key cannot be enrolled; then nothing is verified.
    MeteringError
        `metering.readings_file` if the file cannot be read.
    """
    verifier = Verifier()
    enrol_all(verifier, keys)
    try:
        with Path(path).open("rb") as file:
            for number, record in _lines(file):
                yield verdict_of(
                    number,
                    verifier.verify_batch([record], at_s=AT_ANY_TIME_S if at_s is None else at_s)[
                        0
                    ],
                )
    except OSError as fault:
        raise MeteringError(
            "metering.readings_file", "{path}: {fault}", path=str(path), fault=str(fault)
        ) from fault


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


def readings_command(path: Path | str, keys: Path | str) -> int:
    """Verify a file of records and print one JSON verdict a line.

    Returns
    -------
    int
        See `exit_code`.

    Raises
    ------
    RigError
        If the keys file is wrong.
    MeteringError
        If the file of records cannot be read.
    """
    verdicts: list[Verdict] = []
    for verdict in verify_file(path, load_keys(keys)):
        print(json.dumps(verdict, ensure_ascii=False))
        verdicts.append(verdict)
    if not verdicts:
        print(f"{path} holds no record", file=sys.stderr)
    return exit_code(verdicts)
