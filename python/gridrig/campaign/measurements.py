"""Measurements against criteria: what was measured, what was allowed, and the verdict.

Invariants
----------
* PASS only if the whole interval value ± uncertainty lies within the limits; FAIL only if the whole
  interval lies beyond one of them; anything between is INCONCLUSIVE, never PASS.
* Numbers are compared as the decimals they print as, exactly, so what the report shows is what was
  judged; a limit itself is allowed.
* A value that is missing or NaN is INCONCLUSIVE. An infinite value is a measurement (a device that
  never tripped has an infinite trip time) and lies beyond every limit on its side.
"""

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from gridrig.campaign.outcomes import Outcome, worst
from gridrig.errors import CampaignError

__all__ = [
    "Criterion",
    "Measurement",
    "Outcome",
    "Verdict",
    "judge",
    "judge_all",
    "worst",
]


@dataclass(frozen=True)
class Measurement:
    """A named value as an instrument gave it.

    Parameters
    ----------
    name, unit : str
        What was measured, and in what.
    value : int or float or None
        None or NaN if it could not be measured. [`unit`]
    uncertainty : float
        Half-width of the interval the true value lies in; NaN if unknown. [`unit`]
    note : str
        Where it came from, or why it is missing.
    """

    name: str
    unit: str
    value: int | float | None
    uncertainty: float = 0.0
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _number(self.name, "value", self.value))
        uncertainty = _number(self.name, "uncertainty", self.uncertainty)
        if uncertainty is None or uncertainty < 0:
            raise CampaignError(
                "campaign.uncertainty_negative",
                "{name}: uncertainty {uncertainty} is not zero or more",
                name=self.name,
                uncertainty=uncertainty,
            )
        object.__setattr__(self, "uncertainty", uncertainty)


@dataclass(frozen=True)
class Criterion:
    """The accepted range of one measurement; the limits themselves are accepted.

    Parameters
    ----------
    name, unit : str
        The measurement it judges.
    min, max : int or float or None
        Accepted range; one of the two may be open, not both. [`unit`]
    source : str
        The clause, standard or agreement the limit comes from.
    uncertainty : float
        Least uncertainty to assume, whatever the measurement says of itself. [`unit`]
    event : str or None
        The event of the scenario it is judged at, if any.

    Raises
    ------
    CampaignError
        If there is no limit, a limit is not finite, or the range is empty.
    """

    name: str
    unit: str
    min: int | float | None = None
    max: int | float | None = None
    source: str = ""
    uncertainty: float = 0.0
    event: str | None = None

    def __post_init__(self) -> None:
        for key in ("min", "max"):
            limit = _number(self.name, key, getattr(self, key))
            object.__setattr__(self, key, limit)
            if limit is not None and not math.isfinite(limit):
                raise CampaignError(
                    "campaign.limit_not_finite",
                    "criterion {name}: {key} is {limit}",
                    name=self.name,
                    key=key,
                    limit=limit,
                )
        if self.min is None and self.max is None:
            raise CampaignError(
                "campaign.criterion_without_limit",
                "criterion {name} has neither min nor max, so it could not fail",
                name=self.name,
            )
        if self.min is not None and self.max is not None and self.min > self.max:
            raise CampaignError(
                "campaign.criterion_empty_range",
                "criterion {name}: min {min} is above max {max}",
                name=self.name,
                min=self.min,
                max=self.max,
            )
        if not 0 <= self.uncertainty < math.inf:
            raise CampaignError(
                "campaign.uncertainty_negative",
                "criterion {name}: uncertainty {uncertainty} is not zero or more and finite",
                name=self.name,
                uncertainty=self.uncertainty,
            )


@dataclass(frozen=True)
class Verdict:
    """One criterion with what was measured and what it came to."""

    criterion: Criterion
    value: int | float | None
    uncertainty: float
    outcome: Outcome
    note: str = ""

    @property
    def margin(self) -> float | None:
        """Distance from the value to the nearest limit, negative beyond it; None without value."""
        if self.value is None or math.isnan(self.value):
            return None
        if math.isinf(self.value):
            below = self.value < 0
            beyond = self.criterion.min if below else self.criterion.max
            return math.inf if beyond is None else -math.inf
        value = _exact(self.value)
        distances = []
        if self.criterion.min is not None:
            distances.append(value - _exact(self.criterion.min))
        if self.criterion.max is not None:
            distances.append(_exact(self.criterion.max) - value)
        return float(min(distances))

    def to_json(self) -> dict[str, Any]:
        """Return the entry of `verdicts.json`."""
        criterion = self.criterion
        return {
            "name": criterion.name,
            "unit": criterion.unit,
            "min": criterion.min,
            "max": criterion.max,
            "value": self.value,
            "uncertainty": self.uncertainty,
            "outcome": str(self.outcome),
            "source": criterion.source,
            "event": criterion.event,
            "note": self.note,
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "Verdict":
        """Read one entry of `verdicts.json` back, as it was judged; nothing is judged anew."""
        criterion = Criterion(
            entry["name"],
            entry["unit"],
            entry.get("min"),
            entry.get("max"),
            entry.get("source", ""),
            event=entry.get("event"),
        )
        value = entry.get("value")
        return cls(
            criterion,
            float(value) if isinstance(value, str) else value,  # "inf": JSON has no such number
            float(entry.get("uncertainty", 0.0)),
            Outcome(entry["outcome"]),
            entry.get("note", ""),
        )


def deciding(verdicts: Iterable[Verdict]) -> Verdict | None:
    """Return the verdict that says the most of all: the worst one, of these the narrowest.

    Narrow is a margin that is small beside its limit; that of a limit of 0 counts as it is.
    """
    order = list(Outcome)

    def rank(verdict: Verdict) -> tuple[int, float]:
        margin = verdict.margin
        if margin is None:
            return -order.index(verdict.outcome), math.inf
        limits = [abs(x) for x in (verdict.criterion.min, verdict.criterion.max) if x]
        beside = margin / min(limits) if limits and math.isfinite(margin) else margin
        return -order.index(verdict.outcome), beside

    return min(verdicts, key=rank, default=None)


def judge(criterion: Criterion, measurement: Measurement | None) -> Verdict:
    """Judge one measurement by one criterion.

    A missing measurement is INCONCLUSIVE; one with another name or unit is an ERROR of the
    procedure, for it would compare unlike things.

    >>> limit = Criterion("trip_time_s", "s", max=2.0, source="IEEE 1547-2018 8.1")
    >>> str(judge(limit, Measurement("trip_time_s", "s", 1.99, uncertainty=0.02)).outcome)
    'INCONCLUSIVE'
    """
    if measurement is None:
        return Verdict(criterion, None, 0.0, Outcome.INCONCLUSIVE, "not measured")
    value = measurement.value
    uncertainty = measurement.uncertainty
    if not math.isnan(uncertainty):
        uncertainty = max(uncertainty, criterion.uncertainty)
    for key in ("name", "unit"):
        found, expected = getattr(measurement, key), getattr(criterion, key)
        if found != expected:
            note = f"measurement has {key} {found!r}, criterion {expected!r}"
            return Verdict(criterion, value, uncertainty, Outcome.ERROR, note)
    outcome = _within(criterion, value, uncertainty)
    note = measurement.note
    if not note and value is None:
        note = "not measured"
    elif not note and outcome is Outcome.INCONCLUSIVE:
        note = "not a number" if math.isnan(value or 0.0) else "within the uncertainty of a limit"
    return Verdict(criterion, value, uncertainty, outcome, note)


def judge_all(
    criteria: Sequence[Criterion],
    measurements: Iterable[Measurement],
    *,
    ended: Outcome = Outcome.PASS,
    cause: str = "",
) -> tuple[Verdict, ...]:
    """Judge every criterion, in order, by the measurement of its name.

    Parameters
    ----------
    criteria : sequence of Criterion
        What has to hold.
    measurements : iterable of Measurement
        What was measured; one that no criterion names is not judged.
    ended : Outcome
        ERROR or ABORTED if the procedure did not run to its end: what is then missing has this
        outcome instead of INCONCLUSIVE. What was measured before is judged as usual.
    cause : str
        Why it ended so; becomes the note of what is missing.

    Returns
    -------
    tuple of Verdict
        One a criterion. Two measurements of one name are an ERROR of every criterion on it.
    """
    by_name: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        by_name.setdefault(measurement.name, []).append(measurement)
    verdicts = []
    for criterion in criteria:
        found = by_name.get(criterion.name, [])
        if len(found) > 1:
            note = f"measured {len(found)} times; one value is needed"
            verdicts.append(Verdict(criterion, None, 0.0, Outcome.ERROR, note))
        elif not found and ended in (Outcome.ERROR, Outcome.ABORTED):
            verdicts.append(Verdict(criterion, None, 0.0, ended, cause or "the run did not end"))
        else:
            verdicts.append(judge(criterion, found[0] if found else None))
    return tuple(verdicts)


def _within(criterion: Criterion, value: int | float | None, uncertainty: float) -> Outcome:
    if value is None or math.isnan(value) or math.isnan(uncertainty) or math.isinf(uncertainty):
        return Outcome.INCONCLUSIVE
    if math.isinf(value):
        beyond = criterion.min if value < 0 else criterion.max
        return Outcome.FAIL if beyond is not None else Outcome.PASS
    low, high = _exact(value) - _exact(uncertainty), _exact(value) + _exact(uncertainty)
    minimum = None if criterion.min is None else _exact(criterion.min)
    maximum = None if criterion.max is None else _exact(criterion.max)
    if (minimum is not None and high < minimum) or (maximum is not None and low > maximum):
        return Outcome.FAIL
    if (minimum is not None and low < minimum) or (maximum is not None and high > maximum):
        return Outcome.INCONCLUSIVE
    return Outcome.PASS


def _exact(value: int | float) -> Fraction:
    """Return the decimal number that `value` prints as, exactly."""
    return Fraction(str(value))


def _number(name: str, key: str, value: Any) -> int | float | None:
    """Return a plain int, float or None; numpy scalars are taken for what they hold."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise CampaignError(
            "campaign.not_a_number",
            "{name}: {key} is {found!r}, not a number",
            name=name,
            key=key,
            found=value,
        )
    return int(value) if isinstance(value, numbers.Integral) else float(value)
