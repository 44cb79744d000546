"""Plots of the market and the money: prices, volumes, who traded, who was paid, and the losses."""

from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm

from gridrig.report import plots
from gridrig.report.plots import Plot, canvas, drawn, heading, legend
from gridrig.report.source import RunSource
from gridrig.report.wording import CURRENCY, count, fixed, kwh, moment, money, number

BOUGHT, SOLD = "#1f6fa8", "#c17d00"


def prices(source: RunSource) -> Plot | None:
    """Draw clearing price and volume of each delivery period, island periods shaded."""
    rows = source.clearing
    if not rows:
        return None
    with canvas(3.6, 2, sharex=True) as (figure, grid):
        for axes in grid[:, 0]:
            _periods(axes, source)
        lines = _price_lines(source)
        found = sorted(p for line in lines.values() for p in line.values() if p is not None)
        edges = np.arange(len(rows) + 1)
        for color, (name, line) in zip(cycle(plots.SERIES[1:]), lines.items(), strict=False):
            prices_of = [line.get(row.period) for row in rows]
            values = np.array([np.nan if p is None else p / 1e6 for p in prices_of])
            grid[0, 0].stairs(values, edges, color=color, linewidth=1.8, baseline=None, label=name)
        grid[0, 0].set_ylim(bottom=min(0.0, found[0] / 1e6 if found else 0.0))
        grid[0, 0].margins(y=0.18)
        _posted(grid[0, 0], source)
        if source.zones:
            legend(grid[0, 0])
        heading(grid[0, 0], "Clearing price", f"{CURRENCY}/kWh")
        volumes = [row.volume_milliwh / 1e6 for row in rows]
        grid[1, 0].bar(edges[:-1] + 0.5, volumes, width=0.72, color=plots.GRID, linewidth=0)
        heading(grid[1, 0], "Volume traded", "kWh")
        total = sum(row.volume_milliwh for row in rows)
        priced = {k for line in lines.values() for k, p in line.items() if p is not None}
        caption = f"{kwh(total)} kWh traded in {len(priced)} of {count(len(rows), 'period')}"
        if found:
            caption += f", at {number(found[0] / 1e6)} to {number(found[-1] / 1e6)} {CURRENCY}/kWh"
        islands = sum(row.island for row in rows)
        if islands:
            caption += f"; {count(islands, 'period')} in the island (shaded)"
        return drawn(figure, "prices", "Prices and volumes", caption + ".")


def _price_lines(source: RunSource) -> dict[str | None, dict[int, int | None]]:
    """Return prices by period, of each zone where there are zones. [millionths/kWh]"""
    if not source.zones:
        return {None: {row.period: row.price_micro_per_kwh for row in source.clearing}}
    lines: dict[str | None, dict[int, int | None]] = {}
    for zone in source.zones:
        lines.setdefault(zone.zone, {})[zone.period] = zone.price_micro_per_kwh
    return lines


def _posted(axes: Any, source: RunSource) -> None:
    """Draw what the main grid asks and pays by the hour, if it posts prices by the hour."""
    posted = {one["period"]: one for one in source.events if one["kind"] == "tariff_posted"}
    if not posted:
        return
    edges = np.arange(len(source.clearing) + 1)
    for name, style in (("retail", "--"), ("feed-in", ":")):
        key = f"{name.replace('-', '_')}_micro_per_kwh"
        values = [posted.get(row.period, {}).get(key, np.nan) / 1e6 for row in source.clearing]
        axes.stairs(values, edges, color=BOUGHT, linewidth=1.0, linestyle=style, baseline=None,
                    label=name)  # fmt: skip
    legend(axes)


def trades(source: RunSource) -> Plot | None:
    """Draw who bought and sold how much in each delivery period."""
    if not source.trades or not source.clearing:
        return None
    names = [participant.name for participant in source.run.participants]
    names += sorted({trade.participant for trade in source.trades} - set(names))
    traded = {trade.participant for trade in source.trades}
    names = [name for name in names if name in traded]
    places = {row.period: place for place, row in enumerate(source.clearing)}
    table = np.zeros((len(names), len(source.clearing)))
    for trade in source.trades:
        sign = 1 if trade.side == "offer" else -1
        row, column = names.index(trade.participant), places.get(trade.period)
        if column is not None:
            table[row, column] += sign * trade.energy_milliwh / 1e6
    largest = float(np.abs(table).max()) or 1.0
    scale = LinearSegmentedColormap.from_list("traded", [BOUGHT, "#f4f6f8", SOLD])
    with canvas(1.0 + 0.155 * len(names)) as (figure, grid):
        axes = grid[0, 0]
        mesh = axes.pcolormesh(
            np.arange(table.shape[1] + 1), np.arange(len(names) + 1), table, cmap=scale,
            norm=TwoSlopeNorm(0, -largest, largest), edgecolors="white", linewidth=0.8,
        )  # fmt: skip
        mesh.set_rasterized(False)
        _periods(axes, source, shade=False)
        axes.grid(visible=False)
        axes.invert_yaxis()
        axes.set_yticks(np.arange(len(names)) + 0.5, names, fontsize=7.2)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
        bar = figure.colorbar(mesh, ax=axes, fraction=0.02, pad=0.01, aspect=30)
        bar.solids.set(rasterized=False, edgecolor="face")
        bar.outline.set_visible(False)
        heading(axes, "Energy traded: + sold, \u2212 bought", "kWh")
        sold = dict(zip(names, np.clip(table, 0, None).sum(axis=1).tolist(), strict=True))
        seller = max(sold, key=sold.__getitem__)
        caption = (
            f"{count(len(source.trades), 'trade')} of {count(len(names), 'participant')}; "
            f"{seller} sold most, {fixed(sold[seller], 3)} kWh."
        )
        return drawn(figure, "trades", "Trades", caption)


def balances(source: RunSource) -> Plot | None:
    """Draw what each account came to, from the most paid to the most paying."""
    rows = sorted(source.balances, key=lambda row: (-row.amount_micro, row.account))
    if not rows:
        return None
    with canvas(0.7 + 0.165 * len(rows)) as (figure, grid):
        axes = grid[0, 0]
        amounts = [row.amount_micro / 1e6 for row in rows]
        places = np.arange(len(rows))
        colors = [SOLD if amount >= 0 else BOUGHT for amount in amounts]
        axes.barh(places, amounts, height=0.7, color=colors, linewidth=0)
        reach = max((abs(amount) for amount in amounts), default=1.0) or 1.0
        for place, amount in zip(places, amounts, strict=True):
            axes.annotate(
                fixed(amount, 2), (amount, place), xytext=(4 if amount >= 0 else -4, 0),
                textcoords="offset points", va="center", fontsize=7.2,
                ha="left" if amount >= 0 else "right", color=plots.MUTED,
            )  # fmt: skip
        axes.set_xlim(min(0.0, *amounts) - 0.12 * reach, max(0.0, *amounts) + 0.12 * reach)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_yticks(places, [row.account for row in rows], fontsize=7.2)
        axes.grid(visible=False)
        axes.grid(visible=True, axis="x")
        axes.axvline(0, color=plots.MUTED, linewidth=0.8)
        axes.spines["left"].set_visible(False)
        heading(axes, "Money: + received, \u2212 paid", CURRENCY)
        total = sum(row.amount_micro for row in rows)
        caption = (
            f"{rows[0].account} received most, {fixed(amounts[0], 2)} {CURRENCY}; "
            f"{rows[-1].account} paid most, {fixed(-amounts[-1], 2)} {CURRENCY}; the sum over "
            f"{count(len(rows), 'account')} is {money(total)}."
        )
        return drawn(figure, "balances", "Money", caption)


def losses(source: RunSource) -> Plot | None:
    """Draw losses by signed registers against the feeder engine's, and their difference."""
    rows = source.energy
    if not rows:
        return None
    places = np.arange(len(rows)) + 0.5
    measured = np.array([row.losses_milliwh for row in rows]) / 1e6
    engine = np.array([row.engine_losses_milliwh for row in rows]) / 1e6
    difference = np.array([row.losses_milliwh - row.engine_losses_milliwh for row in rows])
    allowed = np.array([row.allowed_difference_milliwh for row in rows], dtype=np.float64)
    with canvas(3.6, 2, sharex=True) as (figure, grid):
        for axes in grid[:, 0]:
            _periods(axes, source)
        axes = grid[0, 0]
        axes.bar(places, measured, width=0.72, color=plots.FAINT, linewidth=0,
                 label="signed registers")  # fmt: skip
        style = {"color": plots.SERIES[1], "linestyle": "none", "markersize": 4.5}
        axes.plot(places, engine, marker="o", label="feeder engine", **style)
        heading(axes, "Losses of each period", "kWh")
        legend(axes)
        axes = grid[1, 0]
        for sign in (1, -1):
            axes.stairs(sign * allowed, np.arange(len(rows) + 1), baseline=None,
                        color=plots.LIMIT, linestyle=(0, (5, 3)), linewidth=0.9)  # fmt: skip
        axes.vlines(places, 0, difference, color=plots.INK, linewidth=1.0)
        axes.plot(places, difference, "o", color=plots.INK, markersize=3.6)
        axes.axhline(0, color=plots.MUTED, linewidth=0.7)
        axes.margins(y=0.15)
        heading(axes, "Registers minus engine, dashed: allowed", "mWh")
        beyond = int((np.abs(difference) > allowed).sum())
        largest = float(np.abs(difference).max())
        caption = (
            f"Losses in all {kwh(sum(row.losses_milliwh for row in rows))} kWh; largest "
            f"difference {fixed(largest, 1)} mWh, beyond what is allowed in "
            f"{count(beyond, 'period')}."
        )
        return drawn(figure, "losses", "Losses", caption)


def _periods(axes: Any, source: RunSource, *, shade: bool = True) -> None:
    """Make the x axis delivery periods, labelled with when they start."""
    rows = source.clearing
    many = len(rows) or len(source.energy)
    every = next((step for step in (1, 2, 4, 8, 16, 32, 96) if many / step <= 16), 96)
    start_s, period_s = source.run.start_utc_s, source.run.period_s
    starts = [row.start_utc_s for row in rows] or [start_s + k * period_s for k in range(many)]
    ticks = list(range(0, many, every))
    axes.set_xlim(0, many)
    axes.set_xticks(ticks, [moment(starts[tick], seconds=False) for tick in ticks])
    axes.set_xlabel("start of the delivery period, UTC", loc="right", fontsize=7.6)
    axes.label_outer()
    for place, row in enumerate(rows):
        if row.island and shade:
            axes.axvspan(place, place + 1, color=plots.ISLAND_SHADE, linewidth=0, zorder=0)
