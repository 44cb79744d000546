"""Whether a scenario fits a rig: its targets, its faults, and its prices."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gridrig.campaign.aggregating import EVERYTHING
from gridrig.campaign.charging_rules import check_chargers
from gridrig.campaign.fleet_events import OF_FLEETS
from gridrig.campaign.home_cars import check_home_cars
from gridrig.campaign.market_zones import check_zones_fit
from gridrig.campaign.places import places_of
from gridrig.campaign.rule_book import InForce, RuleBook
from gridrig.campaign.scenario import MarketRules, Scenario
from gridrig.campaign.scenario_events import (
    ALL_PV,
    BY_WIRE,
    LEDGER,
    OF_A_MIND,
    OF_FEEDER,
    OF_MOTORS,
    PCC,
    TARGET_CAPABILITIES,
)
from gridrig.campaign.scenario_jobs import check_jobs_fit
from gridrig.campaign.scenario_rules import check_roles
from gridrig.devices.emulators.fault_spec import specs_of
from gridrig.devices.links import OcppLink
from gridrig.errors import Issue, RigError
from gridrig.quantity import DAY_S, delivery_periods
from gridrig.rig.description import Rig
from gridrig.rig.device import HEAD
from gridrig.rig.emulated import driver_link
from gridrig.rig.issues import At, Issues, near_miss, one_of, shown
from gridrig.rig.participants import ROLES, GridAgent, HomeAgent
from gridrig.rig.registry import EMULATORS, Registry
from gridrig.rig.toml_file import parse_toml


def check_together(
    rig: Rig,
    scenario: Scenario,
    registry: Registry | None = None,
    *,
    from_s: float = 0.0,
    to_s: float = math.inf,
) -> tuple[Issue, ...]:
    """Return what keeps a scenario from running on a rig.

    Parameters
    ----------
    rig, scenario
        Each valid by itself.
    registry : Registry or None
        Where emulators and their faults are looked up; None for the installed packages.
    from_s, to_s : float
        Events and faults outside this part of the scenario do not matter. [s]

    Returns
    -------
    tuple of Issue
        Empty if they fit.
    """
    registry = registry or Registry.installed()
    issues, rig_issues = Issues(scenario.path), Issues(rig.path)
    file = parse_toml(scenario.text, scenario.path)
    for at, table in _elements(file.top, file.table, "event"):
        if from_s <= table["at_s"] < to_s:
            _check_event(rig, table, at, issues)
    for at, table in _elements(file.top, file.table, "fault"):
        if from_s <= table["at_s"] < to_s:
            _check_fault(rig, table, at, registry, issues)
    if scenario.operator is not None:
        _check_operator(rig, file.top.key("operator"), issues)
    _check_away(rig, scenario, file.top.key("scenario"), issues)
    _check_meter_edges(rig, scenario, file.top.key("window"), issues)
    check_jobs_fit(rig, file.table.get("job", ()), file.top.key("job"), issues)
    if scenario.charging is not None:
        check_chargers(rig, scenario.charging, file.top.key("charging"), issues)
    check_home_cars(rig, scenario, file.top.key("charging"), issues)
    if scenario.market is not None:
        _check_balancing(rig, scenario.market, file.top.key("market"), issues)
        _check_traders(rig, file.top.key("market"), issues)
        periods = [
            period
            for period in delivery_periods(scenario.duration_s, scenario.period_s)
            if from_s < period.end_s and period.start_s < to_s
        ]
        book = RuleBook(scenario.market, scenario.rules, scenario.start_utc_s)
        _check_prices(rig, book.governing(periods), rig_issues)
        _check_capacities(rig, rig_issues)
        _check_homes(rig, scenario, file.top.key("scenario"), issues)
        known = [*ROLES, *(participant.name for participant in rig.participants)]
        check_roles(file.table.get("policy", ()), file.top.key("policy"), known, issues)
        if (tables := scenario.market.network) is not None:
            check_zones_fit(rig, tables, file.top.key("market").key("network"), issues)
    return (*issues.sorted(), *rig_issues.sorted())


def _check_away(rig: Rig, scenario: Scenario, at: At, issues: Issues) -> None:
    """A storage that is away has to come to rest by itself: nobody takes its power away meanwhile.

    A relay does not: it acts when the host is dead.
    """
    for device in rig.of("storage") if scenario.away_s_max else ():
        if not device.emulated and device.host_dead != "reversion-timer":
            expected = (
                f'0, or host_dead = "reversion-timer" of {device.name} in {rig.path}: '
                "what a storage was told last would go on while it is away"
            )
            issues.add(at.key("away_s_max"), shown(scenario.away_s_max), expected)


def _check_meter_edges(rig: Rig, scenario: Scenario, at: At, issues: Issues) -> None:
    """Check that there is a tick whenever meters are read that a VTN is told of."""
    wire = rig.aggregator.openadr if rig.aggregator else None
    if wire is None:
        return
    begun = {tick.t_s for tick in scenario.ticks()}
    edges = range(0, scenario.duration_s, wire.report_s)
    skipped = next((edge for edge in edges if edge not in begun), None)
    if skipped is not None:
        expected = f"one every report_s = {wire.report_s} s, when {rig.path} reads its fleets"
        issues.add(at, f"no tick at {skipped} s", expected)


def require_fit(
    rig: Rig, scenario: Scenario, *, from_s: float = 0.0, to_s: float = math.inf
) -> None:
    """Refuse a scenario that does not fit a rig, in the part from `from_s` to `to_s`. [s]

    Raises
    ------
    RigError
        `scenario.does_not_fit`, with every issue.
    """
    issues = check_together(rig, scenario, from_s=from_s, to_s=to_s)
    if issues:
        raise RigError(
            "scenario.does_not_fit",
            "{scenario} does not fit {rig}",
            issues=issues,
            scenario=scenario.path,
            rig=rig.path,
        )


def _elements(top: At, table: Mapping[str, Any], key: str) -> list[tuple[At, Mapping[str, Any]]]:
    at = top.key(key)
    return [(at.item(k, t.get("name")), t) for k, t in enumerate(table.get(key, ()))]


def _check_event(rig: Rig, table: Mapping[str, Any], at: At, issues: Issues) -> None:
    do, target = table["do"], table["target"]
    if target == LEDGER:
        return
    if target == PCC or do in OF_FEEDER:
        if rig.feeder is None:
            issues.add(at.key("target"), shown(target), f"a [feeder] with a pcc in {rig.path}")
        elif do == "reclose" and rig.island is None:
            expected = f"[island] in {rig.path}, with a former, and `sync` if not by IEEE 1547"
            issues.add(at.key("do"), f"{shown(do)} of the pcc, with nothing to close by", expected)
        holder = next((d.name for d in rig.of("switch") if d.branch == target), None)
        if do == "switch" and holder is not None:
            found = f"{shown(target)}, which stands as {holder} does"
            issues.add(at.key("target"), found, "a branch without a switch of the rig")
        return
    if do in OF_MOTORS:
        motors = [motor.name for motor in rig.motors]
        if target not in motors:
            expected = f"a motor: {one_of(motors)}" if motors else f"a [[motor]] in {rig.path}"
            issues.add(at.key("target"), shown(target), expected, near_miss(target, motors))
        return
    if do in OF_FLEETS:
        fleets = [fleet.name for fleet in rig.fleets]
        known = [EVERYTHING, *fleets] if do == "dispatch" and fleets else fleets
        if target not in known:
            expected = f"a fleet: {one_of(known)}" if known else f"a [[fleet]] in {rig.path}"
            issues.add(at.key("target"), shown(target), expected, near_miss(target, known))
        wire = rig.aggregator.openadr if rig.aggregator else None
        if do == "dispatch" and wire is not None and not wire.emulate:
            issues.add(at.key("do"), shown(do), f"none: the VTN of {rig.path} orders")
        if do == "dispatch" and wire is not None and table.get("ramp_s"):
            issues.add(at.key("ramp_s"), shown(table["ramp_s"]), "none: LOAD_DISPATCH has steps")
        for fleet in rig.fleets:
            if target == fleet.name and table.get("home", 0) >= fleet.emulate.count:
                issues.add(at.key("home"), shown(table["home"]), f"below {fleet.emulate.count}")
        return
    if do in OF_A_MIND:
        names = [participant.name for participant in rig.participants]
        if target not in names:
            near = near_miss(target, names)
            issues.add(at.key("target"), shown(target), "a participant of the rig", near)
        return
    fitting = [
        device.name
        for device in rig.devices
        if device.capability in TARGET_CAPABILITIES[do] and (device.emulated or do in BY_WIRE)
    ]
    known = [ALL_PV, *fitting] if do == "cloud" else fitting
    if target not in known:
        expected = one_of(known) + ("" if do in BY_WIRE else ", emulated")
        issues.add(at.key("target"), shown(target), expected, near_miss(target, known))
    elif do in BY_WIRE and "p_w" in table:
        device = rig.device(target)
        most_w = getattr(device.limits, "p_w_max", math.inf)
        if abs(table["p_w"]) > most_w:
            bound = f"at most {most_w:g}" if table["p_w"] > 0 else f"at least {-most_w:g}"
            expected = f"{bound}: p_w_max of {target} in {rig.path} is {most_w:g}"
            issues.add(at.key("p_w"), shown(table["p_w"]), expected)
        if device.capability == "heat_pump" and table["p_w"] > 0:
            issues.add(at.key("p_w"), shown(table["p_w"]), "at most 0: a heat pump gives nothing")
        link = driver_link(device.link)
        if isinstance(link, OcppLink) and not link.sets_power:
            none = f"OCPP {link.version} has no set-points"
            if do == "charge_power":
                issues.add(at.key("do"), shown(do), f"charge_limit: {none}")
            if do == "override" and table["p_w"] > 0:
                issues.add(at.key("p_w"), shown(table["p_w"]), f"at most 0: {none}")


def _check_fault(
    rig: Rig, table: Mapping[str, Any], at: At, registry: Registry, issues: Issues
) -> None:
    name = table["name"]
    emulated = {device.name: device for device in rig.devices if device.emulated}
    if table["device"] not in emulated:
        near = near_miss(table["device"], emulated)
        expected = "an emulated device of the rig"
        issues.add(at.key("device"), shown(table["device"]), expected, near)
        return
    emulation = emulated[table["device"]].emulation
    assert emulation is not None, "an emulated device has an emulation"
    cls = registry.load(EMULATORS, emulation.emulator)
    faults = getattr(cls, "FAULTS", {})
    if hasattr(cls, "faults_on"):  # a checksum that can be wrong is on a line, not on a socket
        faults = cls.faults_on(emulated[table["device"]].link.kind)
    if name not in faults:
        near = near_miss(name, faults)
        issues.add(at.key("name"), shown(name), one_of(faults), near)
        return
    said = {key: value for key, value in table.items() if key not in ("device", "at_s", "name")}
    for problem in specs_of(faults)[name].problems(said):
        place = at.key(problem.key)
        found = "an unknown key" if problem.unknown else shown(problem.found)
        if problem.found is None:
            found = "nothing"
        issues.add(place, found, problem.expected, problem.near)


def _check_operator(rig: Rig, at: At, issues: Issues) -> None:
    has_switch = any(device.branch is not None for device in rig.of("switch"))
    if rig.feeder is None or not (has_switch or any(p.shed_stage for p in rig.participants)):
        expected = f"a [feeder] and a switch with a branch, or a shed_stage, in {rig.path}"
        issues.add(at, "an operator with nothing to switch", expected)


def _check_balancing(rig: Rig, market: MarketRules, at: At, issues: Issues) -> None:
    storages = [device.name for device in rig.of("storage")]
    led = dict.fromkeys(rig.aggregator.storages if rig.aggregator else (), "the aggregator")
    led |= {place.storage: f"{place.node}, which computes" for place in places_of(rig)}
    for index, name in enumerate(market.balanced_by):
        place = at.key("balanced_by").item(index)
        if name not in storages:
            issues.add(place, shown(name), one_of(storages), near_miss(name, storages))
        elif name in led:
            # Each is told by one; what balancing corrects would not be followed.
            issues.add(place, f"{shown(name)}, led by {led[name]}", "a storage that nobody leads")
    if market.balanced_by and rig.meter_of(HEAD) is None:
        expected = f"a meter in {rig.path} that measures the head"
        issues.add(at.key("balanced_by"), "no meter to balance by", expected)


def _check_traders(rig: Rig, at: At, issues: Issues) -> None:
    if not any(isinstance(p.agent, GridAgent) for p in rig.participants):
        found = "a market without the main grid"
        issues.add(at, found, f'a participant with agent = {{ kind = "grid" }} in {rig.path}')


def _check_capacities(rig: Rig, issues: Issues) -> None:
    """Whoever trades what a real pack holds has to know how much that can be."""
    top = parse_toml(rig.text, rig.path).top
    places = {device.name: k for k, device in enumerate(rig.devices)}
    for participant in rig.participants:
        measured = rig.device(participant.meter).measures
        pack = rig.device(measured).bms if measured in places else None
        if pack is None:
            continue
        limits = rig.device(pack).limits
        if not rig.device(pack).emulated and getattr(limits, "capacity_ah", None) is None:
            at = top.key("device").item(places[pack], pack).key("limits").key("capacity_ah")
            expected = f"its nominal capacity in Ah, for {participant.name} trades what it holds"
            issues.add(at, "nothing", expected)


def _check_homes(rig: Rig, scenario: Scenario, at: At, issues: Issues) -> None:
    """Homes forecast by delivery periods, which must fill a day."""
    if DAY_S % scenario.period_s and any(isinstance(p.agent, HomeAgent) for p in rig.participants):
        expected = f"a divisor of a day of {DAY_S} s, since homes of {rig.path} forecast by it"
        issues.add(at.key("period_s"), shown(scenario.period_s), expected)


def _check_prices(rig: Rig, governing: Sequence[InForce], issues: Issues) -> None:
    """A trade outside the imbalance prices would pay who breaks it.

    Which changes of the rules govern a period is known from the file. An agent's price is what its
    owner fixed: nothing moves it in a run, so it has to be right under all of them.
    """
    if not governing:
        return
    top = parse_toml(rig.text, rig.path).top
    dearest = max(governing, key=lambda rules: rules.market.long_price_micro_per_kwh)
    cheapest = min(governing, key=lambda rules: rules.market.short_price_micro_per_kwh)
    low, high = dearest.market.long_price_micro_per_kwh, cheapest.market.short_price_micro_per_kwh
    expected = f"from {low} to {high}, the scenario's imbalance prices"
    if changes := dict.fromkeys((*dearest.changes[-1:], *cheapest.changes[-1:])):
        expected += f" with the change {', '.join(map(shown, changes))}"
    for index, participant in enumerate(rig.participants):
        at = top.key("participant").item(index, participant.name).key("agent")
        for key in ("bid_micro_per_kwh", "offer_micro_per_kwh"):
            price = getattr(participant.agent, key, None)
            if price is not None and not low <= price <= high:
                issues.add(at.key(key), shown(price), expected)
