"""What a sweep came to: every point with its criteria, and each criterion over all points.

Values and outcomes do not depend on who ran which point when: on the virtual clock a sweep on one
core, on many, resumed after a crash or spread over a cluster comes to the same `results.csv` and
`junit.xml`, byte for byte. `results.json` and the overview also tell of attempts and notes.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridrig.campaign import records
from gridrig.campaign.measurements import Verdict, deciding
from gridrig.campaign.outcomes import Outcome, worst
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.sweep.place import RUN, Note, Place, ended
from gridrig.sweep.plan import Plan, Point


@dataclass(frozen=True)
class PointResult:
    """One point: its last attempt counts, and every one is told of.

    Parameters
    ----------
    outcome : Outcome or None
        None if it has not been run.
    cause : str
        Why, if it is not its criteria that say so.
    verdicts : tuple of Verdict
        Of the last attempt; empty if it wrote none.
    run : Path or None
        Its run directory, relative to the sweep's folder.
    attempts : tuple of Outcome
        The outcome of each attempt, the first one first.
    cut_short : int
        Attempts that never came to their end.
    notes : tuple of Note
        What operators wrote.
    """

    point: Point
    outcome: Outcome | None
    cause: str = ""
    verdicts: tuple[Verdict, ...] = ()
    run: Path | None = None
    attempts: tuple[Outcome, ...] = ()
    cut_short: int = 0
    notes: tuple[Note, ...] = ()
    emulated: bool = False
    title: str = ""

    @property
    def nearest(self) -> Verdict | None:
        """The criterion that says the most of the point."""
        return deciding(self.verdicts)


@dataclass(frozen=True)
class Spread:
    """One criterion over all points.

    Parameters
    ----------
    verdicts : tuple of (int, Verdict)
        Number of the point, and what it came to there.
    """

    name: str
    verdicts: tuple[tuple[int, Verdict], ...]

    def count(self, outcome: Outcome) -> int:
        """Return at how many points it came to this."""
        return sum(verdict.outcome is outcome for _, verdict in self.verdicts)

    @property
    def values(self) -> list[float]:
        """Every value that is a number, rising."""
        found = [v.value for _, v in self.verdicts if v.value is not None]
        return sorted(float(value) for value in found if not math.isnan(value))

    @property
    def narrowest(self) -> tuple[int, Verdict] | None:
        """Where the distance to a limit is smallest, or the excess largest."""
        known = [(n, v) for n, v in self.verdicts if v.margin is not None]
        return min(known, key=lambda item: (item[1].margin, item[0]), default=None)


@dataclass(frozen=True)
class Results:
    """The whole sweep."""

    plan: Plan
    points: tuple[PointResult, ...]

    @property
    def left(self) -> int:
        """How many points have not been run."""
        return sum(point.outcome is None for point in self.points)

    @property
    def outcome(self) -> Outcome:
        """The worst of all points; ABORTED or worse while one has not been run."""
        missing = [Outcome.ABORTED] if self.left else []
        return worst([*(p.outcome for p in self.points if p.outcome is not None), *missing])

    @property
    def title(self) -> str:
        """What ran, for people."""
        return next((point.title for point in self.points if point.title), "a sweep")

    @property
    def emulated(self) -> bool:
        """Whether any device of any point was emulated."""
        return any(point.emulated for point in self.points)

    def spreads(self) -> list[Spread]:
        """Return every criterion over all points, in the order they first appear."""
        found: dict[str, list[tuple[int, Verdict]]] = {}
        for point in self.points:
            for verdict in point.verdicts:
                found.setdefault(verdict.criterion.name, []).append((point.point.number, verdict))
        return [Spread(name, tuple(verdicts)) for name, verdicts in found.items()]


def collect(place: Place) -> Results:
    """Read what is in a sweep's folder."""
    plan, notes = place.plan(), place.notes()
    return Results(
        plan, tuple(_collect(place, point, notes) for point in plan.points())
    )  # fmt: skip


def _collect(place: Place, point: Point, notes: Sequence[Note]) -> PointResult:
    attempts = place.attempts(point.number)
    own = tuple(note for note in notes if note.point == point.number)
    short = place.cut_short(point.number)
    if not attempts:
        return PointResult(point, None, cut_short=short, notes=own)
    last, how = attempts[-1], ended(attempts[-1])
    run = last / RUN
    verdicts: tuple[Verdict, ...] = ()
    if (run / records.VERDICTS).is_file():
        verdicts = RunVerdicts.from_json(_json(run / records.VERDICTS)).verdicts
    title, emulated = "", False
    if (run / records.RUN).is_file():
        record = records.RunRecord.from_json(_json(run / records.RUN))
        title, emulated = record.title, bool(record.emulated)
    return PointResult(
        point,
        Outcome(how["outcome"]),
        how["cause"],
        verdicts,
        run.relative_to(place.path) if run.is_dir() else None,
        tuple(Outcome(ended(attempt)["outcome"]) for attempt in attempts),
        short,
        own,
        emulated,
        title,
    )


def _json(path: Path) -> Any:
    return json.loads(path.read_bytes())
