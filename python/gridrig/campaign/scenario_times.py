"""That every time of a scenario lies on a tick, and every period within the run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gridrig.campaign.charging_rules import ChargingRules
from gridrig.campaign.scenario_jobs import JobTable
from gridrig.campaign.scenario_rules import RuleDrafts
from gridrig.campaign.scenario_windows import Span, Window, check_on_tick, read_grid, window_at
from gridrig.rig.issues import At, Issues, shown
from gridrig.rig.schema import Draft


@dataclass(frozen=True)
class Offered:
    """A job's offer, as something that has to happen on a tick."""

    draft: Draft[JobTable]

    @property
    def at_s(self) -> float | None:
        """When. [s]"""
        at_s: float | None = self.draft.get("at_s")
        return at_s

    @property
    def at(self) -> At:
        """Where in the file."""
        return self.draft.at


@dataclass(frozen=True)
class Times:
    """What of a scenario says when.

    Parameters
    ----------
    header : Draft
        `start`, `duration_s` and `period_s`.
    start_s : int or None
        The start, read. [s since 1970-01-01 UTC]
    windows : sequence of Draft
        Of the control period.
    market : Draft or None
        With `gate_closure_s`; None if nothing is traded.
    rules : RuleDrafts
        Changes of the gate closure.
    charging : Draft or None
        Stays of cars.
    stimuli : sequence
        All that happens at one time: `at_s` and the place `at`.
    """

    header: Draft[Any]
    start_s: int | None
    windows: Sequence[Draft[Window]]
    market: Draft[Any] | None
    rules: RuleDrafts
    charging: Draft[ChargingRules] | None
    stimuli: Sequence[Any]


def check_times(times: Times, issues: Issues) -> None:
    """Check that no time has to be rounded; what misses a tick is an issue at its place."""
    header = times.header
    duration_s, period_s = header.get("duration_s"), header.get("period_s")
    if duration_s is None or period_s is None:
        return
    if duration_s % period_s:
        expected = f"a multiple of period_s = {period_s}"
        issues.add(header.at.key("duration_s"), shown(duration_s), expected)
    if times.start_s is not None and times.start_s % period_s:
        expected = f"a time that begins a delivery period of {period_s} s"
        issues.add(header.at.key("start"), shown(header.get("start")), expected)
    gate_s = times.market.get("gate_closure_s") if times.market is not None else None
    if times.market is not None and gate_s is not None and gate_s > period_s:
        expected = f"at most period_s = {period_s}"
        issues.add(times.market.at.key("gate_closure_s"), shown(gate_s), expected)
        gate_s = None
    grid = read_grid(times.windows, duration_s, issues)
    _check_stimuli(times, duration_s, grid, issues)
    if grid is not None and times.market is not None:
        gates_s = times.rules.gates_s() | ({gate_s} if gate_s is not None else set())
        _check_periods(duration_s, period_s, gates_s, grid, issues)


def _check_stimuli(
    times: Times, duration_s: int, grid: Sequence[Span] | None, issues: Issues
) -> None:
    for stimulus in times.stimuli:
        at_s, at = stimulus.at_s, stimulus.at.key("at_s")
        if at_s is None:
            continue
        if at_s >= duration_s:
            issues.add(at, shown(at_s), f"before the end at {duration_s} s")
        elif grid is not None:
            check_on_tick(at_s, at, shown(at_s), grid, issues)
    if grid is None or times.charging is None:
        return
    for k, stay in enumerate(times.charging.get("stays") or ()):
        place = times.charging.at.key("stays").item(k, stay.charger)
        for key in ("arrives_s", "departs_s"):
            at_s = getattr(stay, key)
            if at_s < duration_s:
                check_on_tick(at_s, place.key(key), shown(at_s), grid, issues)


def _check_periods(
    duration_s: int, period_s: int, gates_s: set[int], grid: Sequence[Span], issues: Issues
) -> None:
    for edge_s in range(period_s, duration_s, period_s):
        window = window_at(edge_s, grid)
        check_on_tick(edge_s, window.at, f"a period edge at {edge_s} s", grid, issues)
        for closure_s in sorted(edge_s - one for one in gates_s if one <= period_s):
            window = window_at(closure_s, grid)
            check_on_tick(closure_s, window.at, f"a gate closure at {closure_s} s", grid, issues)
