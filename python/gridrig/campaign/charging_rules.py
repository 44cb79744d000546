"""What a scenario says of its cars: who comes when, what each needs, and what coordinates them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from gridrig.campaign.scenario_events import ScenarioEvent
from gridrig.grid.findings import Limits
from gridrig.rig.description import Rig
from gridrig.rig.issues import At, Issues, near_miss, one_of, shown
from gridrig.rig.schema import Draft, Name, NotNegative, Positive, Share, above, between

CAPACITY_WH_MAX = 10**7


@dataclass(frozen=True)
class Stay:
    """A car at a charger.

    Parameters
    ----------
    charger : str
    arrives_s, departs_s : float
        Since the run began. [s]
    energy_wh : int
        What it needs by then, at the charger's meter. [Wh]
    soc : float or None
        An emulated car comes with it, 0..1.
    gives_w : float
        The most it may be asked to give back; 0 for nothing. [W]
    reserve_soc, capacity_wh : float, int or None
        Of a car that may give: what its driver keeps whatever happens, at most what it leaves
        with, and what it holds. [1, Wh]
    """

    charger: Name
    arrives_s: NotNegative
    departs_s: Positive
    energy_wh: Annotated[int, between(0, CAPACITY_WH_MAX)]
    soc: Share | None = None
    gives_w: NotNegative = 0.0
    reserve_soc: Share = 0.0
    capacity_wh: Annotated[int, between(1, CAPACITY_WH_MAX)] | None = None


@dataclass(frozen=True)
class Call:
    """The grid calls for power from cars that can give.

    Parameters
    ----------
    from_s, to_s : float
        Since the run began. [s]
    p_w : float
        What all cars together shall give. [W]
    """

    from_s: NotNegative
    to_s: Positive
    p_w: Positive


@dataclass(frozen=True)
class ChargingRules:
    """How cars are charged.

    Parameters
    ----------
    slot_s : int
        From one plan to the next, if nothing happens between. [s]
    stays : tuple of Stay
    calls : tuple of Call
    limits : Limits
        What the feeder is held to.
    margin_percent : float
        Of the limits of lines and transformers, kept for what no forecast knew. [%]
    least_w : float
        The least power that a charger offers. [W]
    coordinated : bool
        Whether the cars are coordinated; else each takes what it can.
    """

    slot_s: Annotated[int, above(0)]
    stays: tuple[Stay, ...]
    calls: tuple[Call, ...] = ()
    limits: Limits = field(default_factory=Limits)
    margin_percent: Annotated[float, between(0, 50)] = 5.0
    least_w: NotNegative = 1_380.0
    coordinated: bool = True


def comings_and_goings(stays: Sequence[Stay]) -> Iterator[ScenarioEvent]:
    """Return what an emulated charger's cars do, as events."""
    for stay in stays:
        said = {} if stay.soc is None else {"soc": stay.soc}
        yield ScenarioEvent(stay.arrives_s, "plug_in", stay.charger, said)
        yield ScenarioEvent(stay.departs_s, "plug_out", stay.charger, {})


def since(rules: ChargingRules, from_s: float) -> ChargingRules:
    """Return the rules of a slice: who is gone is left out, who is there comes at its beginning."""
    stays = (
        replace(
            stay, arrives_s=max(0.0, stay.arrives_s - from_s), departs_s=stay.departs_s - from_s
        )
        for stay in rules.stays
        if stay.departs_s > from_s
    )
    calls = (
        replace(call, from_s=max(0.0, call.from_s - from_s), to_s=call.to_s - from_s)
        for call in rules.calls
        if call.to_s > from_s
    )
    return replace(rules, stays=tuple(stays), calls=tuple(calls))


def check_charging(rules: Draft[ChargingRules], duration_s: int | None, issues: Issues) -> None:
    """Check that stays have a length, do not overlap, and know what giving back takes.

    A reserve above what a car leaves with contradicts what its driver asks for.
    """
    there: dict[str, list[Stay]] = {}
    at = rules.at.key("stays")
    for k, stay in enumerate(rules.get("stays") or ()):
        place = at.item(k, stay.charger)
        if stay.departs_s <= stay.arrives_s:
            expected = f"after arrives_s = {stay.arrives_s:g}"
            issues.add(place.key("departs_s"), shown(stay.departs_s), expected)
        if duration_s is not None and stay.departs_s >= duration_s:
            expected = f"before the end at {duration_s} s"
            issues.add(place.key("departs_s"), shown(stay.departs_s), expected)
        if stay.gives_w and stay.capacity_wh is None:
            issues.add(place.key("capacity_wh"), "nothing", "what a car holds that may give")
        elif stay.gives_w and stay.soc is not None and stay.capacity_wh is not None:
            leaves_soc = min(1.0, stay.soc + stay.energy_wh / stay.capacity_wh)
            if round((stay.reserve_soc - leaves_soc) * stay.capacity_wh) > 0:
                expected = f"at most {leaves_soc:g}, which it leaves with: soc and energy_wh"
                issues.add(place.key("reserve_soc"), shown(stay.reserve_soc), expected)
        for other in there.setdefault(stay.charger, []):
            if stay.arrives_s < other.departs_s and other.arrives_s < stay.departs_s:
                found = f"from {stay.arrives_s:g} to {stay.departs_s:g} s"
                issues.add(place, found, f"nobody else at {stay.charger} then")
        there[stay.charger].append(stay)
    for k, call in enumerate(rules.get("calls") or ()):
        if call.to_s <= call.from_s:
            place = rules.at.key("calls").item(k, None).key("to_s")
            issues.add(place, shown(call.to_s), f"after from_s = {call.from_s:g}")


def check_chargers(rig: Rig, rules: ChargingRules, at: At, issues: Issues) -> None:
    """Check that a scenario's cars fit the chargers of a rig, and that its head is measured."""
    known = [device.name for device in rig.of("ev_charger")]
    for k, stay in enumerate(rules.stays):
        if stay.charger not in known:
            place = at.key("stays").item(k, stay.charger).key("charger")
            near = near_miss(stay.charger, known)
            issues.add(place, shown(stay.charger), one_of(known) or "a charger of the rig", near)
            continue
        emulation = rig.device(stay.charger).emulation
        target_soc = 1.0 if emulation is None else getattr(emulation.face, "target_soc", 1.0)
        if stay.gives_w and stay.reserve_soc > target_soc:
            place = at.key("stays").item(k, stay.charger).key("reserve_soc")
            expected = f"at most {target_soc:g}, at which the car of {rig.path} ends charging"
            issues.add(place, shown(stay.reserve_soc), expected)
    if rules.coordinated and (rig.feeder is None or rig.meter_of("head") is None):
        expected = f"a [feeder] and a meter that measures the head in {rig.path}"
        issues.add(at, "cars that are coordinated", expected)
