"""The plots' common drawing: one style, a time axis, and figures that become clean inline SVG.

The same data gives the same bytes: identifiers come from a fixed salt, no date is written, and
coordinates are rounded to a hundredth of a point. Text stays text, so that it takes the page's
font, can be read aloud, searched and printed. Lines are thinned to their extremes, so that no peak
is lost.
"""

import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from gridrig.report.source import Floats, RunSource
from gridrig.report.wording import escaped, moment

INK, MUTED, FAINT, RULE = "#1b2733", "#566573", "#a9b8c4", "#e3e9ee"
LIMIT, RIDE, ISLAND_SHADE = "#b3261e", "#7a5a00", "#fdf1d3"
GRID, SUN, STORE, LOAD = "#1f6fa8", "#c17d00", "#5b4aa3", "#40505e"
SERIES = ("#1f6fa8", "#c8502d", "#2b8060", "#8a4fa3", "#b58400", "#0e8490", "#a8385d", "#5d6b1f")

WIDTH_IN = 9.6
POINTS_PER_INCH = 72
# Begins the `gid` of a text that stands at a moment: the number behind it is the moment's x.
AT = "at-x:"
POINTS_PER_PLOT = 24_000
_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "gridrig",
    "text.parse_math": False,
    "path.simplify": True,
    "path.simplify_threshold": 0.15,
    "font.family": "DejaVu Sans",
    "font.size": 8.2,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titlesize": 8.6,
    "axes.titleweight": "bold",
    "axes.titlepad": 8.0,
    "axes.ymargin": 0.12,
    "axes.formatter.useoffset": False,
    "axes.unicode_minus": True,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.0,
    "ytick.major.size": 0.0,
    "lines.linewidth": 1.3,
    "lines.solid_joinstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 7.8,
    "legend.handlelength": 1.5,
    "legend.columnspacing": 1.4,
    "legend.borderaxespad": 0.0,
}


@dataclass(frozen=True)
class Plot:
    """A drawn figure: `caption` says in words what it shows, with its numbers."""

    name: str
    title: str
    caption: str
    svg: str


@contextmanager
def canvas(
    height_in: float, rows: int = 1, columns: int = 1, **grid: Any
) -> Iterator[tuple[Any, Any]]:
    """Give a figure in the report's style and its axes, an array of shape (rows, columns)."""
    # The reader's own matplotlibrc has no say; the backend is left alone, as it draws windows.
    defaults = {key: mpl.rcParamsDefault[key] for key in mpl.rcParamsDefault if key != "backend"}
    with mpl.rc_context({**defaults, **_STYLE}):
        layout = ConstrainedLayoutEngine(h_pad=0.06, w_pad=0.04, hspace=0.02)
        figure = Figure(figsize=(WIDTH_IN, height_in), layout=layout)
        yield figure, figure.subplots(rows, columns, squeeze=False, **grid)


@dataclass(frozen=True)
class AlongTime:
    """x counts seconds since a second of UTC, or since an event (None); such a plot zooms."""

    utc_s: int | None = None


def drawn(figure: Any, name: str, title: str, caption: str, along: AlongTime | None = None) -> Plot:
    """Turn a figure into a plot; `name` is unique on the page. Call it inside `canvas`."""
    raw = io.StringIO()
    with _own_pen():
        figure.savefig(
            raw, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    svg = raw.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\b(d|x|y|points)="([^"]*)"', _rounded, svg)
    svg = re.sub(r"translate\([^)]*\)", _rounded_call, svg)
    svg = re.sub(r' id="xtick_\d+"', ' class="xtick"', svg)
    svg = re.sub(rf' id="{AT}([^"]+)"', r' data-at="\1"', svg)
    # Several figures share one page, so each keeps its identifiers to itself.
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    svg = re.sub(
        r' id="([^"]+)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg
    )
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)
    label = escaped(f"{title}. {caption}")
    panes = f" data-panes='{_panes(figure, along.utc_s)}'" if along else ""
    head = f'<svg role="img" aria-label="{label}" viewBox="{_view_box(svg)}"{panes}>'
    svg = re.sub(r"<svg[^>]*>", lambda _: head, svg, count=1)
    svg = re.sub(r"\s*\n\s*", "\n", svg).strip()
    return Plot(name, title, caption, svg)


def _panes(figure: Any, utc_s: int | None) -> str:
    """Return for each column of axes its edges in the drawing, its x limits, and `utc_s`."""
    width = figure.get_figwidth() * POINTS_PER_INCH
    found: dict[float, list[float | int | None]] = {}
    for axes in figure.axes:
        place = axes.get_position()
        left, right = round(place.x0 * width, 2), round(place.x1 * width, 2)
        found.setdefault(left, [left, right, *map(float, axes.get_xlim()), utc_s])
    return json.dumps(list(found.values()), separators=(",", ":"))


@contextmanager
def _own_pen() -> Iterator[None]:
    """Draw with Matplotlib's own pen: `pandapower.plotting` puts a round one into every renderer.

    Without it the report of a run would differ from the one that `gridrig report` rebuilds.
    """
    RendererSVG.new_gc = lambda _: GraphicsContextBase()
    try:
        yield
    finally:
        del RendererSVG.new_gc


def thinned(x: Floats, y: Floats, points: int) -> tuple[Floats, Floats]:
    """Return at most about `points` of a line: the least and the greatest of each stretch of it."""
    if len(x) <= points:
        return x, y
    keep = {0, len(x) - 1}
    for part in np.array_split(np.arange(len(x)), max(1, points // 2)):
        values = y[part]
        finite = np.isfinite(values)
        if finite.any():
            keep.add(int(part[np.where(finite, values, np.inf).argmin()]))
            keep.add(int(part[np.where(finite, values, -np.inf).argmax()]))
        if not finite.all():  # a gap stays a gap
            keep.add(int(part[(~finite).argmax()]))
    chosen = np.array(sorted(keep))
    return x[chosen], y[chosen]


def line(axes: Any, x: Floats, y: Floats, *, among: int = 1, **style: Any) -> None:
    """Draw one of `among` lines of a plot, each value held until the next."""
    style = {"drawstyle": "steps-post", **style}
    axes.plot(*thinned(x, y, max(200, min(4000, POINTS_PER_PLOT // among))), **style)


def limit_line(
    axes: Any, value: float, text: str, *, above: bool, color: str = LIMIT, left: bool = False
) -> None:
    """Draw a limit with its name at an edge, on the side that is not allowed."""
    axes.axhline(value, color=color, linewidth=0.9, linestyle=(0, (5, 3)))
    axes.annotate(
        text,
        (0 if left else 1, value),
        xycoords=("axes fraction", "data"),
        xytext=(4 if left else -2, 3 if above else -3),
        textcoords="offset points",
        ha="left" if left else "right",
        va="bottom" if above else "top",
        fontsize=7.2,
        color=color,
    )


def heading(axes: Any, text: str, unit: str = "") -> None:
    """Name the quantity of an axis above it, where it is read first."""
    axes.set_title(f"{text} [{unit}]" if unit else text)


def legend(axes: Any, columns: int = 6) -> None:
    """Put the legend above the axes at the right, clear of the lines."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            handles,
            labels,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.02),
            ncols=min(columns, len(handles)),
        )


def time_axis(axes: Sequence[Any], source: RunSource) -> None:
    """Make the x axes times of day, from the first tick to the last, with islands shaded."""
    time_s = source.time_s
    run = source.run
    end_s = max(float(run.duration_s), float(time_s[-1]) if len(time_s) else 0.0)
    steps_s = (1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 86400)
    step_s = next((step for step in steps_s if end_s / step <= 12), 86400)
    first_s = -(-run.start_utc_s // step_s) * step_s - run.start_utc_s
    ticks = np.arange(first_s, end_s + 0.5, step_s)
    labels = [moment(run.start_utc_s + tick, seconds=step_s < 60) for tick in ticks]
    for number, axis in enumerate(axes):
        axis.set_xlim(0, end_s)
        axis.set_xticks(ticks, labels)
        for start_s, stop_s in source.island_spans:
            axis.axvspan(start_s, stop_s, color=ISLAND_SHADE, linewidth=0, zorder=0)
            if number == 0:
                axis.annotate(
                    "island",
                    (start_s, 1),
                    xycoords=("data", "axes fraction"),
                    xytext=(4, -3),
                    textcoords="offset points",
                    va="top",
                    fontsize=7.4,
                    color="#8a6100",
                    gid=f"{AT}{start_s}",
                )
        if number < len(axes) - 1:
            axis.tick_params(labelbottom=False)
    axes[-1].set_xlabel("time of day, UTC", loc="right", fontsize=7.6)


def _rounded(found: re.Match[str]) -> str:
    return f'{found[1]}="{_round_all(found[2])}"'


def _rounded_call(found: re.Match[str]) -> str:
    return _round_all(found[0])


def _round_all(text: str) -> str:
    return re.sub(r"-?\d+\.\d+(?:e-?\d+)?", lambda n: f"{round(float(n[0]), 2) + 0.0:g}", text)


def _view_box(svg: str) -> str:
    found = re.search(r'viewBox="([^"]+)"', svg)
    return found[1] if found else "0 0 1 1"
