"""The microgrid benchmark: what a market with forecasts shaves off the peaks of a street.

Definitions. Import is the street's net mean power from the grid over a quarter-hour. The mean daily
peak is the mean over days of the day's greatest import (at least 0); the peak of the period is the
greatest of all stated weeks. Peak shaving is 1 - peak with market / peak without, where "without"
is either the same street with its PV and no storage, or with neither. Over seeds, peaks are summed
before they are divided. Deviation is |delivered - cleared| over |cleared|: summed participant by
participant and quarter-hour by quarter-hour; or of the street's net, over what is bought in it.

The peers are the perfect-foresight optimum, a linear programme that joins all batteries and may end
the week empty, once for each kind of peak; and greedy self-consumption, home by home.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gridrig.bench.microgrid_market import DAY_STEPS, Street
from gridrig.bench.microgrid_optimum import greedy_w, mean_daily_peak_w, net_w, optimum_w
from gridrig.bench.microgrid_street import BUSINESSES, HOUSEHOLDS, Home, draw_street
from gridrig.bench.rows import Goal, Measured, Row
from gridrig.bench.weeks import WEEK_DAYS
from gridrig.bench.workers import in_workers
from gridrig.minds.series import FloatArray

SAMPLE = "street-sample"
CONSUMERS = {"street": BUSINESSES, SAMPLE: BUSINESSES, "homes": HOUSEHOLDS}
WORKLOADS = tuple(CONSUMERS)
ONLY_WHEN_NAMED = frozenset({SAMPLE, "homes"})
SEEDS, SAMPLE_SEEDS, QUICK_SEEDS = 30, 3, 1
# Mondays of 2016, by day of the year from 0: 15 February, 16 May, 15 August, 14 November.
WEEKS, QUICK_WEEKS = (45, 136, 227, 318), (45,)
OF_OPTIMUM, DEVIATION_PERCENT = 0.8, 5.0
NO_STORAGE, NO_DER = "PV without storage", "neither PV nor storage"
PERCENT = 100.0


@dataclass(frozen=True)
class Peaks:
    """Peaks of one street over all weeks, by who ran it. [W]"""

    daily: dict[str, float]
    period: dict[str, float]


@dataclass(frozen=True)
class Deviation:
    """Of one street over all weeks: by participant, and of its net. [1]"""

    participants: float
    street: float


@dataclass(frozen=True)
class SeedWeek:
    """A week of one street, from the day of the year on which it begins."""

    workload: str
    seed: int
    day: int
    days: int = WEEK_DAYS

    def __str__(self) -> str:
        return f"{self.workload}, seed {self.seed}, the week of day {self.day}"


@dataclass(frozen=True)
class Found:
    """What a week came to.

    Parameters
    ----------
    daily, period : mapping of str to float
        By who ran it, the mean daily peak and the greatest. [W]
    missed_wh, cleared_wh : float
        Summed over participants: not delivered as cleared, and cleared. [Wh]
    net_missed_wh, bought_wh : float
        Of the street's net, and bought in it. [Wh]
    """

    daily: dict[str, float]
    period: dict[str, float]
    missed_wh: float
    cleared_wh: float
    net_missed_wh: float
    bought_wh: float


def measure(
    workloads: Sequence[str],
    quick: bool,
    *,
    weeks: Sequence[int] | None = None,
    seeds: Sequence[int] | None = None,
    workers: int = 1,
) -> Measured:
    """Measure the chosen workloads, in the order asked for.

    Parameters
    ----------
    weeks : sequence of int or None
        Days of the year on which they begin, from 0; None for those of the benchmark.
    seeds : sequence of int or None
        None for those of each workload.
    workers : int
        Processes at a time; they change no figure.

    Raises
    ------
    WorkerFailed
        With the seed and week that could not be run.
    """
    measured = Measured()
    weeks = weeks or (QUICK_WEEKS if quick else WEEKS)
    for workload in workloads:
        count = QUICK_SEEDS if quick else SAMPLE_SEEDS if workload == SAMPLE else SEEDS
        of_workload = seeds or range(1, count + 1)
        tasks = [SeedWeek(workload, seed, day) for seed in of_workload for day in weeks]
        found = in_workers(run_week, tasks, workers)
        by_seed = [found[at : at + len(weeks)] for at in range(0, len(found), len(weeks))]
        size = f"{workload}: {len(of_workload)} seeds, {len(weeks)} weeks of 2016"
        measured.rows += _rows(size, [_of_seed(one) for one in by_seed])
    measured.remarks.append(
        "mean daily peak: mean of each day's greatest quarter-hour import; peak: greatest of all; "
        "shaving: 1 - with market / without; deviation: |delivered - cleared| / |cleared|"
    )
    return measured


def run_week(task: SeedWeek) -> Found:
    """Run a week of a street and of its peers."""
    homes = draw_street(task.seed, CONSUMERS[task.workload])
    steps = slice(task.day * DAY_STEPS, (task.day + task.days) * DAY_STEPS)
    week = Street(homes, steps.start, steps.stop - steps.start, task.seed).run()
    imports = _imports(homes, steps, week.import_w)
    least_peak = optimum_w(homes, steps, parts=1)
    missed = week.delivered_wh - week.cleared_wh
    return Found(
        {who: mean_daily_peak_w(import_w, task.days) for who, import_w in imports.items()},
        {
            who: max(float((least_peak if who == "optimum" else import_w).max()), 0.0)
            for who, import_w in imports.items()
        },
        float(np.abs(missed).sum()),
        float(np.abs(week.cleared_wh).sum()),
        float(np.abs(missed.sum(axis=0)).sum()),
        float(np.maximum(week.cleared_wh, 0.0).sum()),
    )


def _of_seed(weeks: Sequence[Found]) -> tuple[Peaks, Deviation]:
    """Return what the weeks of one street came to together."""
    names = weeks[0].daily
    peaks = Peaks(
        {who: float(np.mean([week.daily[who] for week in weeks])) for who in names},
        {who: max(week.period[who] for week in weeks) for who in names},
    )
    return peaks, Deviation(
        sum(week.missed_wh for week in weeks) / sum(week.cleared_wh for week in weeks),
        sum(week.net_missed_wh for week in weeks) / sum(week.bought_wh for week in weeks),
    )


def _imports(homes: Sequence[Home], steps: slice, market_w: FloatArray) -> dict[str, FloatArray]:
    return {
        NO_DER: np.sum([home.load_w[steps] for home in homes], axis=0),
        NO_STORAGE: net_w(homes, steps),
        "greedy": greedy_w(homes, steps),
        "market": market_w,
        "optimum": optimum_w(homes, steps, parts=(steps.stop - steps.start) // DAY_STEPS),
    }


def _rows(size: str, found: Sequence[tuple[Peaks, Deviation]]) -> Iterator[Row]:
    daily, period = [peaks.daily for peaks, _ in found], [peaks.period for peaks, _ in found]
    for base in (NO_STORAGE, NO_DER):
        for name, peaks in (("mean daily peak", daily), ("peak of the period", period)):
            goal = Goal(ratio=OF_OPTIMUM) if (base, peaks) == (NO_STORAGE, daily) else None
            for peer in ("optimum", "greedy"):
                yield Row(
                    task=f"{name} shaved, against {base}",
                    workload=size,
                    ours=_shaved(peaks, "market", base),
                    unit="%",
                    peer="perfect-foresight optimum" if peer == "optimum" else "greedy, each home",
                    peer_figure=_shaved(peaks, peer, base),
                    goal=goal if peer == "optimum" else None,
                )
    shares = [
        _shaved([one], "market", NO_STORAGE) / _shaved([one], "optimum", NO_STORAGE)
        for one in daily
    ]
    yield Row(
        task="deviation of delivered from cleared energy, participant by participant",
        workload=size,
        ours=PERCENT * float(np.mean([one.participants for _, one in found])),
        unit="%",
        goal=Goal(ours=DEVIATION_PERCENT),
        less_is_better=True,
        note=f"{size}: of the optimum's mean daily peak shaving {min(shares):.3f} to "
        f"{max(shares):.3f} by seed",
    )
    yield Row(
        task="deviation of the street's net from cleared, over energy bought in it",
        workload=size,
        ours=PERCENT * float(np.mean([one.street for _, one in found])),
        unit="%",
        less_is_better=True,
    )


def _shaved(peaks: Sequence[dict[str, float]], who: str, base: str) -> float:
    """Return by how much somebody lowers the peaks of all streets. [%]"""
    return PERCENT * (1.0 - sum(one[who] for one in peaks) / sum(one[base] for one in peaks))
