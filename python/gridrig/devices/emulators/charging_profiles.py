"""OCPP's charging profiles: which are installed, and what they allow at a moment.

Rules (OCPP 1.6 part 1, 3.13; OCPP 2.0.1 part 2, K)
    Of one purpose the profile with the highest stack level that says something counts. What counts
    is the lowest of the station's maximum and the transaction's limit, which is the transaction
    profile or, without one, the default profile. A profile with the identifier, or with purpose and
    stack level, of another replaces it. A transaction profile ends with its transaction.
Limits
    `PROFILES_MAX` profiles of `PERIODS_MAX` periods each.
Known gaps
    Recurring profiles are refused.

References
----------
.. [1] Open Charge Alliance, "Open Charge Point Protocol 1.6," edition 2, 2017, part 1.
.. [2] Open Charge Alliance, "OCPP 2.0.1," 2020, part 2, block K.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

PROFILES_MAX = 20
PERIODS_MAX = 48
Purpose = Literal["station", "default", "transaction"]
PURPOSES: Mapping[str, Purpose] = {
    "ChargePointMaxProfile": "station",
    "ChargingStationMaxProfile": "station",
    "TxDefaultProfile": "default",
    "TxProfile": "transaction",
}


class ProfileRefused(Exception):
    """A profile that the charger does not take, and why."""


@dataclass(frozen=True)
class Profile:
    """One charging profile.

    Parameters
    ----------
    identifier, stack_level : int
        As in the message.
    purpose : str
        What it limits.
    begin_utc_s : float or None
        When its first period begins; None for the beginning of the transaction.
        [s since 1970-01-01 UTC]
    duration_s : float
        How long it says something. [s]
    periods : tuple of (float, float)
        From when on [s since its beginning], at most what [W].
    """

    identifier: int
    stack_level: int
    purpose: Purpose
    begin_utc_s: float | None
    duration_s: float
    periods: tuple[tuple[float, float], ...]

    def limit_w(self, utc_s: float, transaction_utc_s: float) -> float | None:
        """Return what it allows at a time, None if it says nothing then. [W]"""
        begin_s = transaction_utc_s if self.begin_utc_s is None else self.begin_utc_s
        since_s = utc_s - begin_s
        if not 0 <= since_s < self.duration_s:
            return None
        said = [limit for start_s, limit in self.periods if start_s <= since_s]
        return said[-1] if said else None


def read_profile(said: Mapping[str, Any], w_per_a: float) -> Profile:
    """Return a profile of either version's message, keys in snake case.

    Parameters
    ----------
    said : mapping
        The message's charging profile.
    w_per_a : float
        Power that one ampere is at this charger: voltage times phases. [W/A]

    Raises
    ------
    ProfileRefused
        If it is not understood.
    """
    purpose = PURPOSES.get(said["charging_profile_purpose"])
    if purpose is None:
        raise ProfileRefused(f"purpose {said['charging_profile_purpose']}")
    if said["charging_profile_kind"] not in ("Absolute", "Relative"):
        raise ProfileRefused(f"kind {said['charging_profile_kind']}")
    schedule = said["charging_schedule"]
    if isinstance(schedule, Sequence):
        if len(schedule) != 1:
            raise ProfileRefused(f"{len(schedule)} schedules, one is taken")
        schedule = schedule[0]
    rows = schedule["charging_schedule_period"]
    if not 1 <= len(rows) <= PERIODS_MAX:
        raise ProfileRefused(f"{len(rows)} periods, 1 to {PERIODS_MAX} are taken")
    factor = 1.0 if schedule["charging_rate_unit"] == "W" else w_per_a
    periods = tuple((float(row["start_period"]), factor * float(row["limit"])) for row in rows)
    starts = [start_s for start_s, _ in periods]
    if starts != sorted(set(starts)) or starts[0] != 0:
        raise ProfileRefused("periods must begin at 0 and rise")
    if any(not 0 <= limit < math.inf for _, limit in periods):
        raise ProfileRefused("a limit is not negative: this version knows no discharge")
    start = schedule.get("start_schedule")
    absolute = said["charging_profile_kind"] == "Absolute" and start is not None
    return Profile(
        int(said.get("charging_profile_id", said.get("id", 0))),
        int(said["stack_level"]),
        purpose,
        datetime.fromisoformat(start).timestamp() if absolute else None,
        float(schedule.get("duration") or math.inf),
        periods,
    )


class Profiles:
    """The profiles of one charger."""

    def __init__(self) -> None:
        self._installed: list[Profile] = []

    def install(self, profile: Profile) -> None:
        """Take a profile.

        Raises
        ------
        ProfileRefused
            If there are too many.
        """
        key = (profile.purpose, profile.stack_level)
        kept = [
            p
            for p in self._installed
            if p.identifier != profile.identifier and (p.purpose, p.stack_level) != key
        ]
        if len(kept) >= PROFILES_MAX:
            raise ProfileRefused(f"{PROFILES_MAX} profiles are installed")
        self._installed = [*kept, profile]

    def clear(
        self,
        identifier: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
    ) -> int:
        """Remove what fits all that is said; return how many."""
        wanted = None if purpose is None else PURPOSES.get(purpose)

        def fits(p: Profile) -> bool:
            if identifier is not None:
                return p.identifier == identifier
            right_purpose = purpose is None or p.purpose == wanted
            return right_purpose and stack_level in (None, p.stack_level)

        kept = [p for p in self._installed if not fits(p)]
        removed = len(self._installed) - len(kept)
        self._installed = kept
        return removed

    def end_transaction(self) -> None:
        """Forget the profiles of the transaction that ended."""
        self._installed = [p for p in self._installed if p.purpose != "transaction"]

    def limit_w(self, utc_s: float, transaction_utc_s: float) -> float:
        """Return what all of them allow at a time; without a limit it is infinite. [W]"""

        def of(purpose: Purpose) -> float | None:
            ranked = sorted(self._installed, key=lambda p: -p.stack_level)
            said = (p.limit_w(utc_s, transaction_utc_s) for p in ranked if p.purpose == purpose)
            return next((limit for limit in said if limit is not None), None)

        transaction = of("transaction")
        limits = (of("station"), transaction if transaction is not None else of("default"))
        return min((limit for limit in limits if limit is not None), default=math.inf)
