"""Plots of intentional islands: each recording on the ITIC curve, and its frequency on the band."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gridrig.campaign.island_shown import IslandShown
from gridrig.campaign.itic import HIGH, LOW
from gridrig.report.plots import LIMIT, SERIES, Plot, canvas, drawn, heading, legend, line

BAND = "#2b8060"
HEIGHT_IN = 3.6
V_REACH_PU = (0.0, 1.45)
PHASES = "abc"


def island_plots(shown: Sequence[IslandShown]) -> Iterator[Plot]:
    """Yield a plot of each recording, in order."""
    for number, one in enumerate(shown, 1):
        yield _plot(f"island-{number}", one)


def _plot(name: str, shown: IslandShown) -> Plot:
    ratios = {"height_ratios": (2, 1)}
    with canvas(HEIGHT_IN, rows=2, sharex=True, gridspec_kw=ratios) as (figure, axes):
        voltage, frequency = axes[0, 0], axes[1, 0]
        span_s = (float(shown.t_s[0]), float(shown.t_s[-1]))
        _curve(voltage, span_s)
        for phase in range(shown.v_pu.shape[1]):
            label, color = f"phase {PHASES[phase]}", SERIES[phase]
            line(voltage, shown.t_s, shown.v_pu[:, phase], among=4, color=color, label=label)
        voltage.set_xscale("log")
        voltage.xaxis.set_major_formatter(lambda t_s, _: f"{t_s:g}")
        voltage.set_ylim(*V_REACH_PU)
        voltage.set_xlim(*span_s)
        heading(voltage, f"Voltage: {shown.name}", "pu")
        legend(voltage)
        low_hz, high_hz = shown.f_band_hz
        frequency.axhspan(low_hz, high_hz, color=BAND, alpha=0.15, linewidth=0, label="band")
        alive = np.where(shown.f_hz > 0, shown.f_hz, np.nan)
        line(frequency, shown.t_s, alive, among=4, color=SERIES[0])
        heading(frequency, "Frequency", "Hz")
        frequency.set_xlabel("time since [s]", loc="right", fontsize=7.6)
        return drawn(figure, name, shown.name, _caption(shown))


def _curve(axis: Any, span_s: tuple[float, float]) -> None:
    """Shade what the ITIC curve does not allow, as time since the beginning."""
    for levels, edge_pu in ((LOW, V_REACH_PU[0]), (HIGH, V_REACH_PU[1])):
        beyond_pu = [edge_pu, *(level_pu for level_pu, _ in levels)]
        for (level_pu, allowed_s), before_pu in zip(levels, beyond_pu, strict=False):
            begin_s = max(allowed_s, span_s[0])
            if begin_s < span_s[1]:
                axis.fill_between(
                    (begin_s, span_s[1]),
                    before_pu,
                    level_pu,
                    color=LIMIT,
                    alpha=0.12,
                    linewidth=0,
                    label="beyond the ITIC curve" if before_pu == V_REACH_PU[0] else None,
                )


def _caption(shown: IslandShown) -> str:
    alive = shown.f_hz[shown.f_hz > 0]
    lowest, highest = float(shown.v_pu.min()), float(shown.v_pu.max())
    frequency = f"{alive.min():.3f} to {alive.max():.3f} Hz" if len(alive) else "no frequency"
    return (
        f"{shown.name}: voltage {lowest:.3f} to {highest:.3f} pu, on the ITIC curve {shown.note}; "
        f"{frequency}, band {shown.f_band_hz[0]:.2f} to {shown.f_band_hz[1]:.2f} Hz. Each point is "
        "half a cycle; the shade is drawn as if an event began with the plot."
    )
