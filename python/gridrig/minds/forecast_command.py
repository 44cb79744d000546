"""What `gridrig forecast` does: train, roll the origin, print the skill over persistence."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from gridrig.minds.inputs import Kind
from gridrig.minds.open_series import ZONE, OpenSeries, open_series
from gridrig.minds.series import FloatArray, read_series
from gridrig.minds.skill import Skill, days_of, rolling_skill

LOG_WIDTH = 140  # columns, when there is no terminal to ask
MEASURES = ("mae", "rmse", "pinball")
OPEN_FIRST_DAY = 170
LEGEND = (
    "skill: 1 - error / error of persistence (the next step: as now; the day ahead: as yesterday);",
    "mae judges the median, rmse the mean, pinball the quantiles 10, 50 and 90 %",
)


def forecast_command(
    path: Path | None,
    *,
    column: str | None,
    weather: list[str],
    kind: Kind,
    zone: str | None,
    days: int,
    as_json: bool,
) -> int:
    """Print the skill of the forecasts of a file's column, or of the open series.

    Raises
    ------
    MindError
        `forecast.unreadable`, `forecast.step`, `forecast.history_short`, `forecast.horizon`.
    """
    found: list[Skill] = []
    if path is None:
        chosen, first_day = open_series(), OPEN_FIRST_DAY
    else:
        chosen = [_of_file(path, str(column), weather, kind)]
        first_day = days_of(chosen[0].series) - days
    for one in chosen:
        found += rolling_skill(
            one.series, kind=one.kind, zone=zone or ZONE, first_day=first_day, days=days,
            weather=one.weather,
        )  # fmt: skip
    if as_json:
        print(json.dumps([_plain(skill) for skill in found], indent=1))
    else:
        _print(found, days)
    return 0


def _of_file(path: Path, column: str, weather: list[str], kind: Kind) -> OpenSeries:
    series, *said = read_series(path, [column, *weather])
    told: FloatArray | None = None
    if said:
        told = np.column_stack([one.values for one in said])
    return OpenSeries(series, kind, told)


def _plain(skill: Skill) -> dict[str, object]:
    return asdict(skill) | {
        "skill": {measure: skill.over_persistence(measure) for measure in MEASURES}
    }


def _print(found: list[Skill], days: int) -> None:
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=console.file, width=LOG_WIDTH)
    title = f"forecasts beside persistence, {days} days, trained before them and anew every week"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("series", overflow="fold")
    table.add_column("horizon", no_wrap=True)
    table.add_column("origins", justify="right")
    for measure in MEASURES:
        table.add_column(measure, justify="right", no_wrap=True)
        table.add_column("persistence", justify="right", no_wrap=True)
        table.add_column("skill", justify="right", no_wrap=True)
    for skill in found:
        cells = []
        for measure in MEASURES:
            ours, base = getattr(skill.ours, measure), getattr(skill.persistence, measure)
            cells += [
                f"{ours:.4g}",
                f"{base:.4g}",
                f"{100 * skill.over_persistence(measure):+.1f} %",
            ]
        table.add_row(skill.series, skill.horizon, str(skill.origins), *cells)
    console.print(table)
    flags = dict.fromkeys(f"{skill.series}: {flag}" for skill in found for flag in skill.flags)
    for line in [*LEGEND, *flags]:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
