"""The host's own time, for what lies outside every run: leases of a bench and its watchdog."""

import time
from datetime import UTC, datetime

sleep = time.sleep
"""Wait. [s]"""

arrival_ns = time.monotonic_ns
"""Return a number that rises on this host from process to process; it orders who came first."""


def utc_now() -> str:
    """Return the host's UTC in whole seconds, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
