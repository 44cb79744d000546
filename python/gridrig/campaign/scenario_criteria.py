"""The criteria of a scenario file: what each may say, and that each can be judged and can fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gridrig.campaign.scenario_events import EventDraft
from gridrig.rig.issues import Issues, near_miss, one_of, shown
from gridrig.rig.schema import Draft, Name, NotNegative


@dataclass(frozen=True, kw_only=True)
class CriterionTable:
    """A `[[criterion]]` as it is written."""

    name: Name
    unit: Name
    min: float | None = None
    max: float | None = None
    source: Name
    uncertainty: NotNegative = 0.0
    event: Name | None = None


def check_criteria(
    criteria: Sequence[Draft[CriterionTable]],
    events: Sequence[EventDraft],
    known: Mapping[str, str] | None,
    issues: Issues,
) -> None:
    """Note criteria without a limit, twice the same, at no event, or on no known measurement."""
    first: dict[str, Draft[CriterionTable]] = {}
    names = [event.name for event in events if event.name is not None]
    for criterion in criteria:
        name, at = criterion.text("name"), criterion.at
        low, high = criterion.get("min"), criterion.get("max")
        written = {"min", "max"} & criterion.values.keys()
        if len(written) == 2 and low is None and high is None:
            issues.add(at, "neither min nor max", "a limit, or the criterion could not fail")
        if low is not None and high is not None and low > high:
            issues.add(at.key("min"), shown(low), f"at most max = {shown(high)}")
        event = criterion.text("event")
        if event is not None and event not in names:
            issues.add(at.key("event"), shown(event), one_of(names), near_miss(event, names))
        if name is None:
            continue
        held = first.setdefault(name, criterion)
        if held is not criterion:
            line = held.at.line()
            found = f"{shown(name)}, which line {line} judges already"
            issues.add(at.key("name"), found, "one criterion for a measurement")
        if known is not None:
            _check_known(criterion, name, known, issues)


def _check_known(
    criterion: Draft[CriterionTable], name: str, known: Mapping[str, str], issues: Issues
) -> None:
    unit = criterion.text("unit")
    if name not in known:
        at = criterion.at.key("name")
        issues.add(at, shown(name), "a measurement of the catalogue", near_miss(name, known))
    elif unit is not None and unit != known[name]:
        at = criterion.at.key("unit")
        issues.add(at, shown(unit), f"{shown(known[name])}, the unit of {name}")
