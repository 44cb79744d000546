"""How warm rooms were, beside the band that their household wants."""

from typing import Any

import numpy as np

from gridrig.report import plots
from gridrig.report.plots import AlongTime, Plot, canvas, drawn, heading, legend, line, time_axis
from gridrig.report.plots_grid import NAMED_MAX
from gridrig.report.source import RunSource
from gridrig.report.wording import fixed

DASHED: dict[str, Any] = {"linestyle": (0, (5, 3)), "linewidth": 0.9}


def rooms(source: RunSource) -> Plot | None:
    """Draw each room, what its pump tells of it, and the comfort band where there is one."""
    true_c = source.named("room.", ".c")
    if not true_c:
        return None
    names = list(true_c)[:NAMED_MAX]
    with canvas(0.6 + 1.8 * len(names), len(names), sharex=True) as (figure, grid):
        for row, name in enumerate(names):
            axes = grid[row, 0]
            for end in ("low", "high"):
                bound_c = source.column(f"room.{name}.{end}_c")
                if bound_c is not None:
                    line(axes, source.time_s, bound_c, color=plots.LIMIT, **DASHED)
            told_c = source.column(f"room.{name}.telemetry_c")
            if told_c is not None:
                line(axes, source.time_s, told_c, color=plots.SERIES[5], label="as it tells")
            line(axes, source.time_s, true_c[name], color=plots.STORE, label="as it is")
            heading(axes, f"{name}: room; dashed: the comfort band", "deg C")
            legend(axes)
        time_axis(list(grid[:, 0]), source)
        said = [
            f"{name} from {fixed(float(np.nanmin(true_c[name])), 1)} "
            f"to {fixed(float(np.nanmax(true_c[name])), 1)} deg C"
            for name in names
        ]
        day = AlongTime(source.run.start_utc_s)
        return drawn(figure, "rooms", "Rooms", "Rooms: " + "; ".join(said) + ".", day)
