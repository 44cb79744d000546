"""Moments as a scenario file writes them."""

import re
from datetime import datetime

from gridrig.rig.issues import At, Issues, shown

_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def read_utc(text: str | None, at: At, issues: Issues) -> int | None:
    """Return a UTC time of a file in seconds; None if it is absent or has an issue. [s]"""
    if text is None:
        return None
    try:
        if not _UTC.fullmatch(text):
            raise ValueError
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        issues.add(at, shown(text), 'a UTC time such as "2016-01-01T00:00:00Z"')
        return None
