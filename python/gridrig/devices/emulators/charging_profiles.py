"""OCPP's charging profiles: which are installed, and what they allow at a moment.

Rules (OCPP 1.6 part 1, 3.13; OCPP 2.0.1 part 2, K; OCPP 2.1 part 2, Q)
    Of one purpose the profile with the highest stack level that says something counts. What counts
    is the lowest of the station's maximum and the transaction's limit, which is the transaction
    profile or, without one, the default profile. A profile with the identifier, or with purpose and
    stack level, of another replaces it. A transaction profile ends with its transaction.
    Of OCPP 2.1 the operation mode "CentralSetpoint" is known: what the transaction's profile sets
    is followed within the limits, and is negative while the vehicle shall discharge.
Limits
    `PROFILES_MAX` profiles of `PERIODS_MAX` periods each.
Known gaps
    Recurring profiles are refused.

References
----------
.. [1] Open Charge Alliance, "Open Charge Point Protocol 1.6," edition 2, 2017, part 1.
.. [2] Open Charge Alliance, "OCPP 2.0.1," 2020, part 2, block K.
.. [3] Open Charge Alliance, "OCPP 2.1," 2025, part 2, blocks K and Q.
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
class Period:
    """What a profile says from a moment on.

    Parameters
    ----------
    start_s : float
        The moment, since the profile's beginning. [s]
    limit_w : float
        The most that may be taken; infinite for no limit. [W]
    setpoint_w : float or None
        What shall be taken, negative while discharging; None if it only limits. [W]
    """

    start_s: float
    limit_w: float
    setpoint_w: float | None = None


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
    periods : tuple of Period
        In the order of time.
    """

    identifier: int
    stack_level: int
    purpose: Purpose
    begin_utc_s: float | None
    duration_s: float
    periods: tuple[Period, ...]

    def at(self, utc_s: float, transaction_utc_s: float) -> Period | None:
        """Return what it says of a time, None if it says nothing then."""
        begin_s = transaction_utc_s if self.begin_utc_s is None else self.begin_utc_s
        since_s = utc_s - begin_s
        if not 0 <= since_s < self.duration_s:
            return None
        said = [period for period in self.periods if period.start_s <= since_s]
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
    periods = tuple(_period(row, factor) for row in rows)
    starts = [period.start_s for period in periods]
    if starts != sorted(set(starts)) or starts[0] != 0:
        raise ProfileRefused("periods must begin at 0 and rise")
    if any(period.setpoint_w is not None for period in periods) and purpose != "transaction":
        raise ProfileRefused("a set-point is a transaction's: a TxProfile")
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


def _period(row: Mapping[str, Any], factor: float) -> Period:
    setpoint, limit = row.get("setpoint"), row.get("limit")
    if (setpoint is None) == (row.get("operation_mode", "ChargingOnly") == "CentralSetpoint"):
        raise ProfileRefused(f"mode {row.get('operation_mode')} with set-point {setpoint}")
    if limit is None and setpoint is None:
        raise ProfileRefused("neither limit nor set-point")
    if limit is not None and not 0 <= limit < math.inf:
        raise ProfileRefused("a limit is not negative: discharge is a set-point of OCPP 2.1")
    return Period(
        float(row["start_period"]),
        math.inf if limit is None else factor * float(limit),
        None if setpoint is None else factor * float(setpoint),
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

        transaction = self._of("transaction", utc_s, transaction_utc_s)
        station = self._of("station", utc_s, transaction_utc_s)
        default = self._of("default", utc_s, transaction_utc_s)
        limits = (station, transaction if transaction is not None else default)
        return min((period.limit_w for period in limits if period is not None), default=math.inf)

    def setpoint_w(self, utc_s: float, transaction_utc_s: float) -> float | None:
        """Return what the transaction's profile sets at a time, negative to discharge. [W]"""
        transaction = self._of("transaction", utc_s, transaction_utc_s)
        return None if transaction is None else transaction.setpoint_w

    def _of(self, purpose: Purpose, utc_s: float, transaction_utc_s: float) -> Period | None:
        ranked = sorted(self._installed, key=lambda p: -p.stack_level)
        said = (p.at(utc_s, transaction_utc_s) for p in ranked if p.purpose == purpose)
        return next((period for period in said if period is not None), None)
