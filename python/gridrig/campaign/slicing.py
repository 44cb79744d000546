"""A slice of a scenario: the same market, stimuli and limits, for part of its time."""

from dataclasses import replace

from gridrig.campaign.catalogue import PER_PERIOD
from gridrig.campaign.scenario import Scenario, Window
from gridrig.errors import CampaignError


def slice_scenario(
    scenario: Scenario, *, from_s: int, for_s: int | None, tick_s: int | None
) -> Scenario:
    """Return the part of a scenario that begins at `from_s`.

    Stimuli outside it fall away, and with them the criteria judged at an event outside it, and
    those that need a whole delivery period where there is none: what could not happen is not
    judged.

    Parameters
    ----------
    from_s : int
        First second of the slice, a whole number of delivery periods if it is not 0. [s]
    for_s : int or None
        Length; None for the rest. [s]
    tick_s : int or None
        One tick length throughout; None keeps the windows. [s]
    """
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
    events = tuple(
        replace(e, at_s=e.at_s - from_s)
        for e in scenario.events
        if from_s <= e.at_s < from_s + length_s
    )
    faults = tuple(
        replace(f, at_s=f.at_s - from_s)
        for f in scenario.faults
        if from_s <= f.at_s < from_s + length_s
    )
    gone = {e.name for e in scenario.events if e.name} - {e.name for e in events}
    return replace(
        scenario,
        start_utc_s=scenario.start_utc_s + from_s,
        duration_s=length_s,
        windows=_windows(scenario, from_s, length_s, tick_s),
        events=events,
        faults=faults,
        criteria=tuple(
            criterion
            for criterion in scenario.criteria
            if criterion.event not in gone
            and not (criterion.name in PER_PERIOD and length_s < scenario.period_s)
        ),
    )


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
