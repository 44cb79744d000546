"""Plots of the physics: voltages, frequency through each islanding, power, storage."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gridrig.campaign.records import Opening
from gridrig.report import plots
from gridrig.report.plots import (
    AlongTime,
    Plot,
    canvas,
    drawn,
    heading,
    legend,
    limit_line,
    line,
    time_axis,
)
from gridrig.report.source import Floats, RunSource
from gridrig.report.wording import MINUS, count, fixed, moment, number

ZOOM_BEFORE_S, ZOOM_AFTER_S = 0.25, 2.5
NAMED_MAX = 10  # more lines than this cannot be told apart by colour
STORAGE_COLORS = (plots.STORE, plots.SERIES[5], *plots.SERIES)
# What stands at the street and is neither inverter nor storage, by the heading it is drawn under.
TAKERS = {"Chargers": "ev_charger", "Heat pumps": "heat_pump", "Computing nodes": "compute_node"}
DEAD_V_PU = 0.2  # a bus below this is without supply; it is said, not drawn


def voltages(source: RunSource) -> Plot | None:
    """Draw all bus voltages with the limits of the criteria, the extreme buses named."""
    buses = source.named("bus.", ".v_pu")
    if not buses:
        return None
    time_s = source.time_s
    alive = {name: np.where(v_pu >= DEAD_V_PU, v_pu, np.nan) for name, v_pu in buses.items()}
    alive = {name: v_pu for name, v_pu in alive.items() if np.isfinite(v_pu).any()}
    if not alive:
        return None
    highest = max(alive, key=lambda name: float(np.nanmax(alive[name])))
    lowest = min(alive, key=lambda name: float(np.nanmin(alive[name])))
    limits = _limits(source, "bus_v_")
    with canvas(3.3) as (figure, grid):
        axes = grid[0, 0]
        for name, v_pu in alive.items():
            if name not in (highest, lowest):
                line(axes, time_s, v_pu, among=len(alive), color=plots.FAINT, linewidth=0.6)
        same = lowest == highest
        label = f"highest and lowest: {highest}" if same else f"highest: {highest}"
        line(axes, time_s, alive[highest], color=plots.SERIES[1], label=label)
        if not same:
            line(axes, time_s, alive[lowest], color=plots.GRID, label=f"lowest: {lowest}")
        for value, text, above in limits:
            limit_line(axes, value, text, above=above)
        _leave_room(axes, [value for value, _, _ in limits])
        heading(axes, "Bus voltages", "pu")
        legend(axes)
        time_axis([axes], source)
        top, low = float(np.nanmax(alive[highest])), float(np.nanmin(alive[lowest]))
        caption = (
            f"{count(len(buses), 'bus', 'buses')}: highest {number(top, digits=4)} pu at {highest} "
            f"({_when(source, alive[highest], highest=True)}), lowest {number(low, digits=4)} pu "
            f"at {lowest} ({_when(source, alive[lowest], highest=False)})."
        )
        dead = sum(not bool((v_pu >= DEAD_V_PU).all()) for v_pu in buses.values())
        if dead:
            caption += f" {count(dead, 'bus', 'buses')} without supply for a time, not drawn then."
        return drawn(figure, "voltages", "Bus voltages", caption, _day(source))


def islanding(source: RunSource, index: int, opening: Opening) -> Plot | None:
    """Draw frequency and voltage of the island model around one opening, and to its end."""
    island = source.island
    if not island:
        return None
    chosen = (island["opening"] == index) & np.isfinite(island["f_hz"] + island["v_pu"])
    if not chosen.any():
        return None
    since_s = island["t_s"][chosen] - opening.t_s
    near = (since_s >= -ZOOM_BEFORE_S) & (since_s <= ZOOM_AFTER_S)
    in_minutes = float(since_s[-1]) > 300
    later = since_s / 60 if in_minutes else since_s
    with canvas(4.6, 2, 2, sharey="row", sharex="col", width_ratios=(3, 2)) as (figure, grid):
        for row, (column, unit, title) in enumerate(
            (("f_hz", "Hz", "Frequency"), ("v_pu", "pu", "Voltage"))
        ):
            values = island[column][chosen]
            color = plots.SERIES[1] if row == 0 else plots.GRID
            for axes, x, part in ((grid[row, 0], since_s, near), (grid[row, 1], later, later >= 0)):
                line(axes, x[part], values[part], color=color, drawstyle="default")
                axes.axvline(0, color=plots.MUTED, linewidth=0.8)
            shown = _settings(source, column, values)
            for value, text, above, trips in shown:
                hue = plots.LIMIT if trips else plots.RIDE
                # Names of the two kinds stand at opposite edges and sides: values may be close.
                style: dict[str, Any] = {"color": hue, "left": not trips}
                limit_line(grid[row, 0], value, text, above=above == trips, **style)
                grid[row, 1].axhline(value, color=hue, linewidth=0.9, linestyle=(0, (5, 3)))
            _leave_room(grid[row, 0], [value for value, *_ in shown])
            heading(grid[row, 0], f"{title} around the opening", unit)
            heading(grid[row, 1], f"{title} to the end of the island", unit)
        grid[0, 0].set_xlim(-ZOOM_BEFORE_S, max(0.1, min(ZOOM_AFTER_S, float(since_s[-1]))))
        grid[1, 0].set_xlabel("time since opening [s]", loc="right", fontsize=7.6)
        unit = "min" if in_minutes else "s"
        grid[1, 1].set_xlabel(f"time since opening [{unit}]", loc="right", fontsize=7.6)
        caption = _extremes(since_s, island["f_hz"][chosen], grid[0, 0])
        return drawn(figure, f"opening-{index + 1}", f"Opening {index + 1}", caption, AlongTime())


def power(source: RunSource) -> Plot | None:
    """Draw the power of each device, of the load and over the feeder's head."""
    time_s = source.time_s
    devices = source.named("device.", ".p_w")
    kinds = {device.name: device.capability for device in source.run.devices}
    storage = {name: p_w for name, p_w in devices.items() if kinds.get(name) == "storage"}
    taking = {
        title: drawn_there
        for title, kind in TAKERS.items()
        if (drawn_there := {n: p_w for n, p_w in devices.items() if kinds.get(n) == kind})
    }
    elsewhere = {"storage", "meter", *TAKERS.values()}
    others = {n: p_w for n, p_w in devices.items() if kinds.get(n) not in elsewhere}
    loads = source.named("load.", ".p_w")
    head = source.column("feeder.head_p_w")
    loading = source.column("feeder.trafo_loading_percent")
    rows = [bool(others), bool(storage), *(True for _ in taking)]
    rows += [bool(loads) or head is not None, loading is not None]
    if not any(rows):
        return None
    with canvas(0.5 + 1.75 * sum(rows), sum(rows), sharex=True) as (figure, grid):
        free = iter(grid[:, 0])
        if others:
            axes = next(free)
            available = source.named("device.", ".available_w")
            _several(axes, time_s, {name: p_w / 1e3 for name, p_w in others.items()})
            if len(others) <= NAMED_MAX:
                dots: dict[str, Any] = {"linestyle": (0, (1, 2)), "linewidth": 1.0}
                for rank, name in enumerate(others):
                    color = plots.SERIES[rank % len(plots.SERIES)]
                    if name in available:
                        x = available[name] / 1e3
                        line(axes, time_s, x, among=len(others), color=color, **dots)
            else:
                available = {}
            heading(axes, "Inverters" + (", dotted: available" if available else ""), "kW")
            legend(axes)
        if storage:
            axes = next(free)
            _several(axes, time_s, {n: p_w / 1e3 for n, p_w in storage.items()}, STORAGE_COLORS)
            axes.axhline(0, color=plots.MUTED, linewidth=0.7)
            heading(axes, "Storage, + discharges", "kW")
            legend(axes)
        for title, lines in taking.items():
            axes = next(free)
            _several(axes, time_s, {n: p_w / 1e3 for n, p_w in lines.items()})
            axes.axhline(0, color=plots.MUTED, linewidth=0.7)
            heading(axes, f"{title}, {MINUS} takes", "kW")
            legend(axes)
        if loads or head is not None:
            axes = next(free)
            if loads:
                total = np.nansum(np.vstack(list(loads.values())), axis=0)
                line(axes, time_s, -np.abs(total) / 1e3, color=plots.LOAD, label="all loads")
            if head is not None:
                line(axes, time_s, head / 1e3, color=plots.GRID, label="feeder head")
            axes.axhline(0, color=plots.MUTED, linewidth=0.7)
            heading(axes, f"Load, and main grid: + into the feeder, {MINUS} out of it", "kW")
            legend(axes)
        if loading is not None:
            axes = next(free)
            line(axes, time_s, loading, color=plots.INK)
            limit_line(axes, 100.0, "rating", above=True)
            axes.set_ylim(0, max(112.0, float(np.nanmax(loading)) * 1.12))
            heading(axes, "Transformer loading", "%")
        time_axis(list(grid[:, 0]), source)
        return drawn(
            figure,
            "power",
            "Power",
            _power_caption(source, others, taking, loads, head, loading),
            _day(source),
        )


def storage(source: RunSource) -> Plot | None:
    """Draw each pack's state of charge, and its current within what its BMS allows."""
    time_s = source.time_s
    packs = source.named("pack.", ".soc")
    if not packs:
        return None
    currents = [name for name in packs if source.column(f"pack.{name}.i_a") is not None]
    currents = currents[:NAMED_MAX]
    with canvas(2.2 + 1.6 * len(currents), 1 + len(currents), sharex=True) as (figure, grid):
        _several(grid[0, 0], time_s, {n: soc * 100 for n, soc in packs.items()}, STORAGE_COLORS)
        heading(grid[0, 0], "State of charge", "%")
        legend(grid[0, 0])
        for rank, name in enumerate(currents):
            axes = grid[rank + 1, 0]
            i_a = source.trace[f"pack.{name}.i_a"]
            color = STORAGE_COLORS[rank % len(STORAGE_COLORS)]
            for side, sign in (("discharge", 1.0), ("charge", -1.0)):
                bound = source.column(f"pack.{name}.{side}_limit_a")
                if bound is not None:
                    style: dict[str, Any] = {"linestyle": (0, (5, 3)), "linewidth": 0.9}
                    line(axes, time_s, sign * np.abs(bound), color=plots.LIMIT, **style)
            line(axes, time_s, i_a, color=color)
            axes.axhline(0, color=plots.MUTED, linewidth=0.7)
            axes.margins(y=0.12)
            heading(axes, f"{name}: current, + discharges; dashed: limits its BMS sends", "A")
        time_axis(list(grid[:, 0]), source)
        parts = [
            f"{name} from {fixed(soc[0] * 100, 1)} % to {fixed(soc[-1] * 100, 1)} %"
            for name, soc in ((name, soc[np.isfinite(soc)]) for name, soc in packs.items())
        ]
        return drawn(
            figure, "storage", "Storage", "State of charge: " + "; ".join(parts) + ".", _day(source)
        )


def _several(
    axes: Any,
    time_s: Floats,
    lines: Mapping[str, Floats],
    colors: Sequence[str] = plots.SERIES,
) -> None:
    """Draw each line with its name, or all alike in one pale colour if they are too many."""
    for rank, (name, values) in enumerate(lines.items()):
        if len(lines) <= NAMED_MAX:
            style: dict[str, Any] = {"color": colors[rank % len(colors)], "label": name}
        else:
            style = {"color": plots.FAINT, "linewidth": 0.6}
            style["label"] = f"each of {len(lines)}" if rank == 0 else None
        line(axes, time_s, values, among=len(lines), **style)


def _limits(source: RunSource, prefix: str) -> list[tuple[float, str, bool]]:
    """Return limits of the criteria so named: value, text, and whether it is an upper one."""
    found: dict[tuple[float, bool], str] = {}
    for verdict in source.verdicts.verdicts:
        criterion = verdict.criterion
        if criterion.name.startswith(prefix):
            for value, above in ((criterion.min, False), (criterion.max, True)):
                if value is not None:
                    found.setdefault((float(value), above), f"{criterion.name} {number(value)}")
    return [(value, text, above) for (value, above), text in sorted(found.items())]


def _settings(
    source: RunSource, quantity: str, values: Floats
) -> list[tuple[float, str, bool, bool]]:
    """Return the lines the data passed, and of each kind the nearest it did not.

    Each is value, text, whether it is an upper one, and whether it is a trip setting.
    """
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    middle = float(source.run.nominal.get("f_hz", 50)) if quantity == "f_hz" else 1.0
    chosen = []
    for kind in ("trip", "ride-through"):
        lines = [
            line for line in source.run.limits if (line.quantity, line.kind) == (quantity, kind)
        ]
        above = sorted((line for line in lines if line.value > middle), key=lambda one: one.value)
        below = sorted((line for line in lines if line.value <= middle), key=lambda one: -one.value)
        above = above[: 1 + sum(line.value <= high for line in above)]
        below = below[: 1 + sum(line.value >= low for line in below)]
        chosen += [(line.value, line.text, line in above, kind == "trip") for line in above + below]
    return chosen


def _leave_room(axes: Any, limits: list[float]) -> None:
    """Widen the y axis so that limits and their names are not at its very edge."""
    low, high = axes.get_ylim()
    low, high = min([low, *limits]), max([high, *limits])
    room = (high - low) * 0.11
    axes.set_ylim(low - room, high + room)


def _day(source: RunSource) -> AlongTime:
    return AlongTime(source.run.start_utc_s)


def _extremes(since_s: Floats, f_hz: Floats, axes: Any) -> str:
    after = since_s >= 0
    if not after.any() or not np.isfinite(f_hz[after]).any():
        return "No frequency after the opening."
    said = []
    for name, at in (("lowest", np.nanargmin(f_hz[after])), ("highest", np.nanargmax(f_hz[after]))):
        t_s, value = float(since_s[after][at]), float(f_hz[after][at])
        if t_s < 0.002:  # it never went further that way
            continue
        said.append(f"{name} {fixed(value, 3)} Hz after {fixed(t_s, 3)} s")
        if t_s <= ZOOM_AFTER_S:
            axes.plot([t_s], [value], "o", markersize=3.4, color=plots.INK, zorder=5)
            axes.annotate(
                f"{fixed(value, 3)} Hz at {fixed(t_s, 3)} s", (t_s, value), fontsize=7.4,
                xytext=(5, -4 if name == "lowest" else 4), textcoords="offset points",
                gid=f"{plots.AT}{t_s}",
                va="top" if name == "lowest" else "bottom",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
            )  # fmt: skip
    said.append(f"{fixed(float(f_hz[-1]), 3)} Hz at the end")
    return "Frequency: " + ", ".join(said) + "."


def _power_caption(
    source: RunSource,
    others: dict[str, Floats],
    taking: dict[str, dict[str, Floats]],
    loads: dict[str, Floats],
    head: Floats | None,
    loading: Floats | None,
) -> str:
    said = []
    if others:
        peak = float(np.nanmax(np.nansum(np.vstack(list(others.values())), axis=0)))
        said.append(f"inverters together at most {fixed(peak / 1e3, 1)} kW")
    for title, lines in taking.items():
        peak = float(np.nanmax(-np.nansum(np.vstack(list(lines.values())), axis=0)))
        said.append(f"{title.lower()} together at most {fixed(max(peak, 0.0) / 1e3, 1)} kW taken")
    if loads:
        peak = float(np.nanmax(np.abs(np.nansum(np.vstack(list(loads.values())), axis=0))))
        said.append(f"loads at most {fixed(peak / 1e3, 1)} kW")
    if head is not None:
        low, high = float(np.nanmin(head)) / 1e3, float(np.nanmax(head)) / 1e3
        said.append(f"feeder head from {fixed(low, 1)} to {fixed(high, 1)} kW")
    if loading is not None:
        most = fixed(float(np.nanmax(loading)), 0)
        said.append(f"transformer at most {most} % at {_when(source, loading, highest=True)}")
    text = "; ".join(said) + "."
    return text[:1].upper() + text[1:]


def _when(source: RunSource, values: Floats, *, highest: bool) -> str:
    at = int(np.nanargmax(values) if highest else np.nanargmin(values))
    return moment(source.run.start_utc_s + float(source.time_s[at]))
