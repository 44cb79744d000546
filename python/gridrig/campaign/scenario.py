"""A scenario file as one frozen value: when, how finely, what happens, and what must hold.

Every window edge, period edge, gate closure, event and fault lies on a tick; a file in which one
does not is refused, so that the loop never has to round a time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from gridrig.campaign.charging_rules import ChargingRules, check_charging
from gridrig.campaign.market_zones import check_zones
from gridrig.campaign.measurements import Criterion
from gridrig.campaign.price_windows import PriceWindow
from gridrig.campaign.rule_book import RuleTables
from gridrig.campaign.scenario_criteria import CriterionTable, check_criteria
from gridrig.campaign.scenario_events import (
    Fault,
    ScenarioEvent,
    check_events,
    read_event,
    read_fault,
)
from gridrig.campaign.scenario_jobs import JobTable, check_jobs
from gridrig.campaign.scenario_prices import check_rising, check_windows
from gridrig.campaign.scenario_rules import check_changes, read_rules
from gridrig.campaign.scenario_times import Offered, Times, check_times
from gridrig.campaign.scenario_windows import (
    Tick,
    Window,
    count_ticks,
    ticks_of,
)
from gridrig.campaign.settlement_terms import SettlementTable, check_terms
from gridrig.campaign.timing import TimingBudget
from gridrig.computing.job import Job
from gridrig.errors import CampaignError
from gridrig.grid.findings import Limits
from gridrig.market.mechanisms import Mechanism, Mechanisms, ZonalMechanism
from gridrig.rig.issues import At, Issues, shown
from gridrig.rig.mechanism_fit import make_mechanism
from gridrig.rig.network_tables import NetworkTables
from gridrig.rig.participants import Price
from gridrig.rig.schema import (
    Draft,
    Name,
    above,
    at_least,
    between,
    read_draft,
    read_drafts,
)
from gridrig.rig.toml_file import TomlFile, read_toml
from gridrig.rig.utc import read_utc

__all__ = [
    "Fault",
    "MarketRules",
    "Scenario",
    "ScenarioEvent",
    "Tick",
    "Window",
    "describe_scenario",
    "load_scenario",
    "units",
]

Whole = Annotated[int, above(0)]
AWAY_S_MAX = 604_800


@dataclass(frozen=True)
class MarketRules:
    """How energy is traded and what lies outside the trades.

    Parameters
    ----------
    mechanism : str
        Name of the auction, one of those installed.
    gate_closure_s : int
        How long before a delivery period its orders are collected. [s]
    lot_milliwh, tick_micro_per_kwh : int
        Smallest step of an order's energy and price. [mWh, millionths/kWh]
    feed_in_micro_per_kwh, retail_micro_per_kwh : int
        Posted tariff: what the main grid pays and asks. [millionths/kWh]
    long_price_micro_per_kwh, short_price_micro_per_kwh : int
        Imbalance: what is paid for a surplus, and asked for a shortfall. [millionths/kWh]
    parameters : dict
        Of the mechanism, besides lot and tick.
    island_parameters : dict
        What differs in a period that is cleared in an island, such as its price rule.
    feeder_check : bool
        Whether the feeder engine has the last word on what is cleared (`feeder_rounds.py`).
    feeder_limits : Limits
        What it is held to.
    balanced_by : tuple of str
        Storages that keep the feeder head at what was cleared (`balancing.py`).
    settlement : SettlementTable
        What is agreed of the settlement beyond these prices (`settlement_terms.py`).
    policy : str or None
        Who may trade with whom: the name of a `[[policy]]`; None for everybody with everybody.
    tariff : tuple of PriceWindow
        Prices that are posted by the hour of the local day; empty if they are the same all day.
    zone : str
        Where that local day is.
    network : NetworkTables or None
        The places that have a price each, and the links between them (`market_zones.py`); None for
        one price everywhere.
    """

    mechanism: Name
    gate_closure_s: Annotated[int, at_least(0)]
    feed_in_micro_per_kwh: Price
    retail_micro_per_kwh: Price
    long_price_micro_per_kwh: Price
    short_price_micro_per_kwh: Price
    lot_milliwh: Whole = 1_000
    tick_micro_per_kwh: Whole = 1_000
    parameters: dict[str, Any] = field(default_factory=dict)
    island_parameters: dict[str, Any] = field(default_factory=dict)
    feeder_check: bool = False
    feeder_limits: Limits = field(default_factory=Limits)
    balanced_by: tuple[Name, ...] = ()
    settlement: SettlementTable = field(default_factory=SettlementTable)
    policy: Name | None = None
    tariff: tuple[PriceWindow, ...] = ()
    zone: Name = "UTC"
    network: NetworkTables | None = None

    def auction(self, *, island: bool = False) -> Mechanism:
        """Return what clears, connected or in an island; the rules were checked."""
        steps = {"lot_milliwh": self.lot_milliwh, "tick_micro_per_kwh": self.tick_micro_per_kwh}
        chosen = Mechanisms.installed().mechanism(self.mechanism)
        return chosen(**self.parameters | (self.island_parameters if island else {}) | steps)


@dataclass(frozen=True)
class OperatorRules:
    """How the feeder's operator works, if a scenario has one (`grid_operator.py`).

    Parameters
    ----------
    looks_ahead_s : int
        How far; whole delivery periods. [s]
    acts_before_s : int
        How long before the trouble it switches; what is later may still be forecast better. [s]
    limits : Limits
        What it keeps.
    """

    looks_ahead_s: Whole
    acts_before_s: Whole = 3600
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Scenario:
    """A scenario file in which every time and reference holds.

    Parameters
    ----------
    path, text
        File as the user named it, and its bytes.
    title : str
        One line for reports.
    start_utc_s : int
        [s since 1970-01-01 UTC]
    duration_s, period_s : int
        Length of the run and of a delivery period. [s]
    seed : int
        Of all randomness.
    windows, events, faults, criteria : tuple
        In time order; criteria in file order.
    market : MarketRules or None
        None if nothing is traded.
    timing : TimingBudget
        What a run on the wall clock must keep.
    rules : RuleTables
        How the rules of the market may change, and who may trade with whom.
    operator : OperatorRules or None
        None if nobody switches but the scenario.
    jobs : tuple of Job
        Computing jobs, by the time at which they are offered.
    charging : ChargingRules or None
        Whose cars come, and how they are charged; None if events and cars say it.
    away_s_max : float
        How long an inverter, storage or pack that was lost may be away before that ends the run; 0
        for not at all (`lost_devices.py`). [s]
    slice : mapping
        What was asked of the slice, if this is one: `from_s`, `for_s`, `tick_s`. [s]
    """

    path: str
    text: bytes
    title: str
    start_utc_s: int
    duration_s: int
    period_s: int
    seed: int
    windows: tuple[Window, ...]
    market: MarketRules | None
    events: tuple[ScenarioEvent, ...]
    faults: tuple[Fault, ...]
    criteria: tuple[Criterion, ...]
    timing: TimingBudget = field(default_factory=TimingBudget)
    operator: OperatorRules | None = None
    jobs: tuple[Job, ...] = ()
    charging: ChargingRules | None = None
    away_s_max: float = 0.0
    slice: Mapping[str, int] = field(default_factory=dict)
    rules: RuleTables = field(default_factory=RuleTables)

    def ticks(self) -> Iterator[Tick]:
        """Return every tick of the run; times are exact multiples, never sums of floats."""
        return ticks_of(self.windows, self.duration_s)

    @property
    def tick_s_max(self) -> float:
        """Return the longest control period. [s]"""
        return max(window.tick_s for window in self.windows)

    def ticks_total(self) -> int:
        """Return how many ticks the run has."""
        return count_ticks(self.windows, self.duration_s)


@dataclass(frozen=True, kw_only=True)
class _Header:
    title: Name
    start: str
    duration_s: Whole
    period_s: Whole
    seed: Annotated[int, between(0, 2**63 - 1)]
    away_s_max: Annotated[float, between(0, AWAY_S_MAX)] = 0.0


@dataclass(frozen=True, kw_only=True)
class _Top:
    scenario: dict[str, Any] | None = None
    window: tuple[dict[str, Any], ...] | None = None
    market: dict[str, Any] | None = None
    charging: dict[str, Any] | None = None
    timing: TimingBudget = field(default_factory=TimingBudget)
    operator: OperatorRules | None = None
    event: tuple[dict[str, Any], ...] = ()
    fault: tuple[dict[str, Any], ...] = ()
    job: tuple[dict[str, Any], ...] = ()
    criterion: tuple[dict[str, Any], ...] | None = None
    governance: dict[str, Any] | None = None
    policy: tuple[dict[str, Any], ...] = ()
    rule_change: tuple[dict[str, Any], ...] = ()
    emergency_stop: tuple[dict[str, Any], ...] = ()


def load_scenario(path: str | Path, known: Mapping[str, str] | None = None) -> Scenario:
    """Read and check a scenario file.

    Parameters
    ----------
    path : str or Path
        The file.
    known : mapping of str to str or None
        Measurements a run can give, name to unit; None leaves the criteria's names unchecked.

    Returns
    -------
    Scenario

    Raises
    ------
    RigError
        `rig.unreadable` or `scenario.invalid`, with every issue found.
    """
    return describe_scenario(read_toml(path), known)


def describe_scenario(file: TomlFile, known: Mapping[str, str] | None = None) -> Scenario:
    """Check a scenario file that has been read; as `load_scenario`."""
    issues = Issues(file.path)
    top = read_draft(_Top, file.table, file.top, issues)
    header = read_draft(_Header, top.get("scenario") or {}, file.top.key("scenario"), issues)
    start_s = read_utc(header.text("start"), header.at.key("start"), issues)
    windows = read_drafts(Window, "window", top, issues)
    market = None
    if "market" in file.table and top.get("market") is not None:
        market = read_draft(MarketRules, top.get("market"), file.top.key("market"), issues)
        check_rising(market.get, market.at.key, issues)
        _check_mechanism(market, issues)
        check_terms(market, issues)
        check_windows(market, header, start_s, issues)
    rules = read_rules(top, market, issues)
    if market is not None:
        check_changes(market, rules, header.get("period_s"), issues)
    charging = None
    if top.get("charging") is not None:
        charging = read_draft(ChargingRules, top.get("charging"), file.top.key("charging"), issues)
        check_charging(charging, header.get("duration_s"), issues)
    events = [read_event(t, at, issues) for t, at in _elements("event", "name", top)]
    faults = [read_fault(t, at, issues) for t, at in _elements("fault", "name", top)]
    jobs = read_drafts(JobTable, "job", top, issues)
    criteria = read_drafts(CriterionTable, "criterion", top, issues)
    for key in ("window", "criterion"):
        if not file.table.get(key):
            why = "to judge the run by" if key == "criterion" else "at 0 s"
            issues.add(file.top.key(key), f"no {key}", f"at least one [[{key}]] {why}")

    check_events(events, issues)
    check_criteria(criteria, events, known, issues)
    _check_operator(top.get("operator"), header, top.at.key("operator"), issues)
    check_jobs(jobs, file.top.key("job"), market=market is not None, issues=issues)
    times = Times(
        header, start_s, windows, market, rules, charging,
        [*events, *faults, *(Offered(job) for job in jobs)],
    )  # fmt: skip
    check_times(times, issues)
    issues.raise_if_any("scenario.invalid", f"{file.path} is no valid scenario")
    assert start_s is not None, "a missing start is an issue"
    return Scenario(
        path=file.path,
        text=file.text,
        title=header.values["title"],
        start_utc_s=start_s,
        duration_s=header.values["duration_s"],
        period_s=header.values["period_s"],
        seed=header.values["seed"],
        away_s_max=header.values["away_s_max"],
        windows=tuple(draft.build() for draft in windows),
        market=market.build() if market is not None else None,
        events=tuple(sorted((e.event() for e in events), key=lambda e: e.at_s)),
        faults=tuple(sorted((f.fault() for f in faults), key=lambda f: f.at_s)),
        criteria=tuple(Criterion(**draft.values) for draft in criteria),
        timing=top.values["timing"],
        rules=rules.build(),
        operator=top.values["operator"],
        jobs=tuple(sorted((j.build().job() for j in jobs), key=lambda j: j.at_s)),
        charging=charging.build() if charging is not None else None,
    )


def _elements(key: str, label: str, top: Draft[_Top]) -> Iterator[tuple[Mapping[str, Any], At]]:
    at = top.at.key(key)
    for index, table in enumerate(top.get(key) or ()):
        yield table, at.item(index, table.get(label))


def _check_mechanism(market: Draft[MarketRules], issues: Issues) -> None:
    needed = ("mechanism", "lot_milliwh", "tick_micro_per_kwh", "parameters", "island_parameters")
    if not set(needed) <= market.values.keys():
        return
    name, lot, tick, parameters, island = (market.get(key) for key in needed)
    steps = {"lot_milliwh": lot, "tick_micro_per_kwh": tick}
    made = make_mechanism(name, parameters | steps, market.at, issues)
    if made is None:
        return
    make_mechanism(name, parameters | island | steps, market.at, issues, "island_parameters")
    check_zones(market, made, issues)
    if market.get("feeder_check") and not isinstance(made, ZonalMechanism):
        found = f"a check of {shown(name)}, which clears no zones"
        issues.add(market.at.key("feeder_check"), found, "a mechanism with clear_zones, or false")


def _check_operator(
    operator: OperatorRules | None, header: Draft[_Header], at: At, issues: Issues
) -> None:
    period_s = header.get("period_s")
    if operator is not None and period_s is not None and operator.looks_ahead_s % period_s:
        expected = f"a multiple of scenario.period_s = {period_s}"
        issues.add(at.key("looks_ahead_s"), shown(operator.looks_ahead_s), expected)


def units(catalogue: Mapping[str, Any]) -> dict[str, str]:
    """Return name to unit of a measurement catalogue, as `load_scenario` takes it.

    Raises
    ------
    CampaignError
        If the catalogue is empty: a check against nothing would refuse everything.
    """
    if not catalogue:
        raise CampaignError("campaign.catalogue_empty", "there is no measurement to judge")
    return {name: entry.unit for name, entry in catalogue.items()}
