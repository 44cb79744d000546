"""What a signed record says, read from its text and by nothing that verified or settled it."""

import itertools
import json
from datetime import UTC, datetime
from decimal import Decimal

IMPORT, EXPORT = "1-b:1.8.0", "1-b:2.8.0"
TIME_CHARACTERS = len("2016-06-20T12:15:00")


def registers(record: bytes) -> tuple[int, int, int]:
    """Return time, import and export register of an OCMF record. [s since 1970, mWh, mWh]

    The values are decimal fractions of Wh in UTC; anything else is a bug of the bench.
    """
    payload = json.loads(record.split(b"|")[1], parse_float=Decimal, parse_int=Decimal)
    shown = {entry["RI"]: int(entry["RV"] * 1000) for entry in payload["RD"]}
    moment = datetime.fromisoformat(payload["RD"][0]["TM"][:TIME_CHARACTERS]).replace(tzinfo=UTC)
    return int(moment.timestamp()), shown[IMPORT], shown[EXPORT]


def whole_wh(records: list[bytes], longest_s: int) -> int:
    """Return the whole watt-hours that the export register counted in its intervals. [Wh]

    Each interval is what the register is rounded down to at its ends; those longer than `longest_s`
    are left out.
    """
    rows = [registers(record) for record in records]
    start = rows[0][2] if rows else 0
    total = 0
    for (from_s, _, opening), (to_s, _, closing) in itertools.pairwise(rows):
        if to_s - from_s <= longest_s:
            total += (closing - start) // 1000 - (opening - start) // 1000
    return total
