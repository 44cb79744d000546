"""A slice of a scenario: the same market, stimuli and limits, for part of its time."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gridrig.campaign.catalogue import CATALOGUE, Occasion
from gridrig.campaign.charging_rules import since
from gridrig.campaign.fleet_events import STAYING, order_left
from gridrig.campaign.rule_book import RuleBook
from gridrig.campaign.scenario import Scenario, Window
from gridrig.campaign.scenario_events import OF_FEEDER, OF_MOTORS, Fault, ScenarioEvent
from gridrig.errors import CampaignError
from gridrig.quantity import delivery_periods


def slice_scenario(
    scenario: Scenario, *, from_s: int, for_s: int | None, tick_s: int | None
) -> Scenario:
    """Return the part of a scenario that begins at `from_s`.

    Stimuli outside it fall away, and with them the criteria judged at an event outside it, and
    those on a measurement whose occasion does not come, such as an opening or a whole delivery
    period: what could not happen is not judged. What has switched the feeder or a motor before
    it, or silenced a part of a fleet, has done so when it begins, and fleets have their orders.

    Parameters
    ----------
    from_s : int
        First second of the slice, a whole number of delivery periods if it is not 0. [s]
    for_s : int or None
        Length; None for the rest. [s]
    tick_s : int or None
        One tick length throughout; None keeps the windows. [s]
    """
    asked = {"from_s": from_s, "for_s": for_s, "tick_s": tick_s}
    length_s = scenario.duration_s - from_s if for_s is None else for_s
    if from_s < 0 or length_s <= 0 or from_s + length_s > scenario.duration_s:
        raise CampaignError(
            "campaign.slice",
            "a slice from {from_s} s for {length_s} s does not lie in the scenario's {whole_s} s",
            from_s=from_s,
            length_s=length_s,
            whole_s=scenario.duration_s,
        )
    if from_s % scenario.period_s:
        raise CampaignError(
            "campaign.slice_period",
            "a slice begins at a delivery period: {from_s} s is no multiple of {period_s} s",
            from_s=from_s,
            period_s=scenario.period_s,
        )
    island = [e.do for e in scenario.events if e.do in ("open", "reclose") and e.at_s < from_s]
    if island and island[-1] == "open":
        raise CampaignError(
            "campaign.slice_island",
            "a slice begins connected: at {from_s} s the scenario is in the middle of an island",
            from_s=from_s,
        )
    stays = OF_FEEDER.keys() | OF_MOTORS | STAYING
    switched = tuple(
        replace(e, at_s=0.0, name=None)
        for e in scenario.events
        if e.do in stays and e.at_s < from_s
    )
    events = (
        *switched,
        *_orders_in_force(scenario, from_s),
        *(
            replace(e, at_s=e.at_s - from_s)
            for e in scenario.events
            if from_s <= e.at_s < from_s + length_s
        ),
    )
    faults = tuple(
        replace(f, at_s=f.at_s - from_s)
        for f in scenario.faults
        if from_s <= f.at_s < from_s + length_s
    )
    jobs = tuple(
        replace(j, at_s=j.at_s - from_s, due_s=j.due_s - from_s)
        for j in scenario.jobs
        if from_s <= j.at_s < from_s + length_s
    )
    gone = {e.name for e in scenario.events if e.name} - {e.name for e in events}
    come = _occasions(events, faults, length_s, scenario.period_s)
    slice_ = replace(
        scenario,
        start_utc_s=scenario.start_utc_s + from_s,
        duration_s=length_s,
        windows=_windows(scenario, from_s, length_s, tick_s),
        events=events,
        faults=faults,
        rules=scenario.rules.since(from_s),
        jobs=jobs,
        charging=since(scenario.charging, from_s) if scenario.charging is not None else None,
        criteria=tuple(
            criterion
            for criterion in scenario.criteria
            if criterion.event not in gone
            and (criterion.name not in CATALOGUE or CATALOGUE[criterion.name].needs in come)
        ),
        slice={key: value for key, value in asked.items() if value is not None},
    )
    _check_ticks(slice_)
    return slice_


def _check_ticks(slice_: Scenario) -> None:
    """Refuse ticks that miss what the loop does on a tick, or that end before the slice does."""
    ticks = list(slice_.ticks())
    begins = {tick.t_s for tick in ticks} | {ticks[-1].t_s + ticks[-1].dt_s if ticks else 0.0}
    period_s, closures_s = slice_.period_s, []
    if slice_.market is not None:
        book = RuleBook(slice_.market, slice_.rules, slice_.start_utc_s)
        periods = delivery_periods(slice_.duration_s, period_s)
        closures_s = [book.closes_s(period) for period in periods[1:]]
    edges = range(period_s, slice_.duration_s, period_s)
    needed: dict[float, str] = {
        slice_.duration_s: "its end",
        **dict.fromkeys(closures_s, "a gate closure"),
        **dict.fromkeys(edges, "the end of a delivery period"),
        **{event.at_s: f"event {event.do!r}" for event in slice_.events},
        **{job.at_s: f"job {job.name!r}" for job in slice_.jobs},
        **{fault.at_s: f"fault {fault.name!r}" for fault in slice_.faults},
    }
    for at_s, what in needed.items():
        if at_s not in begins:
            raise CampaignError(
                "campaign.slice_tick",
                "{what} at {at_s:g} s of the slice lies between two ticks: choose another tick "
                "or length",
                what=what,
                at_s=at_s,
            )


def _occasions(
    events: Sequence[ScenarioEvent], faults: Sequence[Fault], length_s: int, period_s: int
) -> set[Occasion]:
    come: set[Occasion] = {"tick"}
    if any(event.do == "open" for event in events):
        come.add("opening")
    if any(event.do == "reclose" for event in events):
        come.add("reclose")
    if any(event.do == "override" for event in events):
        come.add("override")
    last_edge_s = length_s // period_s * period_s
    if last_edge_s:
        come.add("period")
    if _has_connected_period(events, last_edge_s, period_s):
        come.add("connected period")
    # A meter falsifies the next reading it signs, which is at the end of a period.
    if any(f.name.endswith("_reading") and f.at_s < last_edge_s for f in faults):
        come.add("false reading")
    return come


def _has_connected_period(events: Sequence[ScenarioEvent], last_edge_s: int, period_s: int) -> bool:
    """Whether a delivery period sees no island; reclosing is given a period to come about."""
    islands: list[tuple[float, float]] = []
    for event in sorted(events, key=lambda event: event.at_s):
        if event.do == "open":
            islands.append((event.at_s, math.inf))
        elif event.do == "reclose" and islands:
            islands[-1] = (islands[-1][0], event.at_s + period_s)
    return any(
        all(start_s >= to_s or start_s + period_s <= from_s for from_s, to_s in islands)
        for start_s in range(0, last_edge_s, period_s)
    )


def _orders_in_force(scenario: Scenario, from_s: int) -> Iterator[ScenarioEvent]:
    """Yield the orders to fleets that were told before a slice and are not over in it."""
    for event in scenario.events:
        if event.do == "dispatch" and event.at_s < from_s:
            left = order_left(event.at_s, event.parameters, from_s)
            if left is not None:
                yield replace(event, at_s=0.0, name=None, parameters=left)


def _windows(
    scenario: Scenario, from_s: int, length_s: int, tick_s: int | None
) -> tuple[Window, ...]:
    if tick_s is not None:
        return (Window(0, tick_s),)
    before = [w for w in scenario.windows if w.from_s <= from_s]
    inside = [w for w in scenario.windows if from_s < w.from_s < from_s + length_s]
    return (
        replace(before[-1], from_s=0),
        *(replace(w, from_s=w.from_s - from_s) for w in inside),
    )
