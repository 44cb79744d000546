"""Plots of a walk along a characteristic: the traces with what was accepted, step after step."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gridrig.campaign.acceptance import Band, Judged
from gridrig.campaign.function_walk import SETTLED_FROM, SETTLED_TO
from gridrig.campaign.walked import Walked
from gridrig.report.plots import (
    AT,
    GRID,
    INK,
    LIMIT,
    MUTED,
    AlongTime,
    Plot,
    canvas,
    drawn,
    heading,
    legend,
    line,
)
from gridrig.report.wording import count

BAND = "#2b8060"
NAMES = {"V": "Voltage", "F": "Frequency", "P": "Active power", "Q": "Reactive power"}
HEIGHT_IN, LABELS_MAX = 2.7, 26
ROOM_BELOW, ROOM_ABOVE = 0.30, 0.06  # of what is drawn; the names of the steps stand below it


def walk_plots(walked: Sequence[Walked]) -> Iterator[Plot]:
    """Yield a plot of each part of a walk, in order."""
    parts = itertools.groupby(walked, key=lambda step: (step.part, step.y_axis.letter))
    for number, ((part, _), steps) in enumerate(parts, 1):
        yield _part(f"walk-{number}", part or "steps", list(steps))


def _part(name: str, part: str, steps: Sequence[Walked]) -> Plot:
    first = steps[0]
    with canvas(HEIGHT_IN) as (figure, axes):
        axis = axes[0, 0]
        low, high = _reach(steps)
        begin_s = 0.0
        for number, step in enumerate(steps):
            begin_s = _step(axis, step, begin_s, (low, high), named=not number, few=len(steps))
        axis.set_ylim(low, high)
        axis.set_xlim(0.0, begin_s)
        heading(axis, f"{NAMES[first.y_axis.letter]}: {part}", first.y_axis.unit)
        axis.set_xlabel("time, one step after the other [s]", loc="right", fontsize=7.6)
        legend(axis)
        return drawn(figure, name, part, _caption(part, steps), AlongTime())


def _step(
    axis: Any,
    step: Walked,
    begin_s: float,
    reach: tuple[float, float],
    *,
    named: bool,
    few: int,
) -> float:
    """Draw one step from a moment on; return its end. [s]"""
    after = step.t_s >= 0.0
    t_s, y = begin_s + step.t_s[after], step.y[after]
    tr_s, moved_s = step.response_s, step.moved_s
    end_s = begin_s + moved_s + SETTLED_TO * tr_s
    settled = (begin_s + moved_s + SETTLED_FROM * tr_s, end_s)
    label = "accepted at rest" if named else None
    axis.fill_between(
        settled, *_edges(step.settled.band, reach), color=BAND, alpha=0.22, linewidth=0, label=label
    )
    at_s = begin_s + moved_s + tr_s
    label = "accepted after the response time" if named else None
    axis.plot(
        [at_s, at_s], _edges(step.responded.band, reach), color=BAND, linewidth=2.2, label=label
    )
    line(
        axis,
        t_s,
        y,
        among=few,
        color=GRID,
        drawstyle="default",
        label="measured" if named else None,
    )
    for judged, x_s in ((step.settled, float(np.mean(settled))), (step.responded, at_s)):
        if judged.failed:
            axis.plot([x_s], [judged.y], "x", color=LIMIT, markersize=7, markeredgewidth=1.8)
    axis.axvline(begin_s, color=MUTED, linewidth=0.4, alpha=0.5)
    if few <= LABELS_MAX:
        said = step.name.rpartition(", ")[2]
        axis.annotate(
            said,
            (begin_s, 0),
            xycoords=("data", "axes fraction"),
            xytext=(2, 3),
            textcoords="offset points",
            rotation=90,
            fontsize=5.8,
            color=INK,
            gid=f"{AT}{begin_s}",
        )
    return end_s


def _reach(steps: Sequence[Walked]) -> tuple[float, float]:
    """Return what the axis must hold: every trace and every finite edge."""
    edges = [e for s in steps for j in (s.settled, s.responded) for e in (j.band.low, j.band.high)]
    values = [v for v in edges if np.isfinite(v)]
    values += [float(v) for step in steps for v in (step.y.min(), step.y.max())]
    span = max(values) - min(values) or 1.0
    return min(values) - ROOM_BELOW * span, max(values) + ROOM_ABOVE * span


def _edges(band: Band, reach: tuple[float, float]) -> tuple[float, float]:
    return max(band.low, reach[0]), min(band.high, reach[1])


def _caption(part: str, steps: Sequence[Walked]) -> str:
    judged: list[Judged] = [j for step in steps for j in (step.settled, step.responded)]
    outside = sum(one.failed for one in judged)
    nearest = max(judged, key=lambda one: one.outside)
    unit = steps[0].y_axis.unit
    where = (
        f"the nearest to an edge is {-nearest.outside:.3f} {unit} inside it, at {nearest.name}"
        if nearest.outside <= 0
        else f"the furthest is {nearest.outside:.3f} {unit} outside, at {nearest.name}"
    )
    return (
        f"{part}: {count(len(steps), 'step')}, {outside} of {len(judged)} points outside what is "
        f"accepted; {where}. Shaded: the acceptance band from {SETTLED_FROM:g} to {SETTLED_TO:g} "
        "response times; bars: the band after one."
    )
