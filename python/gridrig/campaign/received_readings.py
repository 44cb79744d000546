"""The signed readings of a run directory, read back as they were received."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gridrig.campaign import records
from gridrig.errors import CampaignError
from gridrig.metering.reading_ledger import AT_ANY_TIME_S


class Received(NamedTuple):
    """A line of the file: its number, and of a `ReadingRow` what a verifier needs."""

    line: int
    meter: str
    record: bytes
    outcome: str
    digest: str
    received_s: int


def received_readings(run: Path) -> Iterator[Received]:
    """Yield the readings of a run, in the order of receipt.

    Raises
    ------
    OSError
        If there is no such file.
    CampaignError
        `campaign.evidence_malformed` at the first line that is no reading.
    """
    path = run / records.READINGS
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            row = json.loads(line)
            meter, text, outcome, digest = (
                row[name] for name in ("meter", "record", "outcome", "digest")
            )
            received_s = row.get("received_s")
            if received_s is None:
                received_s = AT_ANY_TIME_S
            elif type(received_s) is not int:
                raise TypeError
            # As `RunDirectory.append_readings` writes a record.
            record = text.encode("utf-8", "surrogateescape")
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise CampaignError(
                "campaign.evidence_malformed",
                "{file} line {line}: found {found!r}, expected a reading as JSON",
                file=str(path),
                line=number,
                found=line[:80].decode("utf-8", "replace"),
            ) from fault
        yield Received(number, meter, record, outcome, digest, received_s)
