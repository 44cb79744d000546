"""From a rig and a scenario to a loop that can run: every part made, joined and opened."""

from collections.abc import Callable, Mapping
from typing import Any

from gridrig._core import Verifier
from gridrig.campaign.account import Account
from gridrig.campaign.aggregating import Aggregating
from gridrig.campaign.balancing import Balancing
from gridrig.campaign.bench_circuit import connection_of, make_circuit
from gridrig.campaign.branch_contacts import BranchContacts
from gridrig.campaign.charging import Charging
from gridrig.campaign.computing import Computing
from gridrig.campaign.control import Control
from gridrig.campaign.coordination import make_coordination
from gridrig.campaign.curtailment import Curtailment
from gridrig.campaign.feeder_rounds import FeederRounds
from gridrig.campaign.feeder_watch import FeederWatch
from gridrig.campaign.fleet_reports import FleetReports
from gridrig.campaign.flow import Physics
from gridrig.campaign.grid_operator import GridOperator
from gridrig.campaign.heating import Heating
from gridrig.campaign.home_cars import make_home_cars
from gridrig.campaign.home_rooms import make_home_rooms
from gridrig.campaign.homes import make_homes
from gridrig.campaign.island_cars import make_island_cars
from gridrig.campaign.island_watch import IslandWatch
from gridrig.campaign.ledger_outage import LedgerOutage
from gridrig.campaign.loop import Loop
from gridrig.campaign.lost_devices import LostDevices
from gridrig.campaign.market_zones import network_in
from gridrig.campaign.metering_rounds import MeteringRounds
from gridrig.campaign.order_wire import OrderWire
from gridrig.campaign.outlook import Outlook
from gridrig.campaign.reserves import Reserves
from gridrig.campaign.rig_grid import Grid, feeder_apart
from gridrig.campaign.rights import Right, rights_of
from gridrig.campaign.rule_book import RuleBook
from gridrig.campaign.scenario import MarketRules, Scenario
from gridrig.campaign.sensing import Sensing
from gridrig.campaign.settlement_terms import make_terms
from gridrig.campaign.soc_limits import SocLimits
from gridrig.campaign.stimuli import Stimuli
from gridrig.campaign.street import Street
from gridrig.campaign.trace import Trace
from gridrig.campaign.trading import Trading
from gridrig.campaign.untraded import UntradedForecast, bus_of
from gridrig.campaign.views import Seat, Views
from gridrig.clock import Clock, stream
from gridrig.events import EventLog
from gridrig.grid.points import single_phases
from gridrig.market.agents import Agent, Side, View, make_agent
from gridrig.market.zones import Network
from gridrig.metering import enrol_all
from gridrig.quantity import delivery_periods
from gridrig.rig.bench import Bench
from gridrig.rig.description import Rig
from gridrig.rig.device import HEAD, Device, InverterLimits
from gridrig.rig.instruments import OF_A_CIRCUIT
from gridrig.rig.key_files import openadr_credentials
from gridrig.rig.participant_zones import network_of
from gridrig.rig.participants import HomeAgent, role_of
from gridrig.settlement.journal import Journal

NO_MARKET = MarketRules("pay-as-clear", 0, 0, 0, 0, 0)
BENCH_BASE_VA = 10_000.0  # of a bench without a network


def make_street(rig: Rig, grid: Grid | None, seed: int) -> Street:
    """Build the plant: every load bus of the network and every modelled device of the rig."""
    if grid is None:
        return Street(rig, None, s_base_va=BENCH_BASE_VA, seed=seed)
    phases = single_phases(grid.network.points)
    street = Street(rig, grid.profiles, s_base_va=grid.link_va, seed=seed, phases=phases)
    street.open_as_loaded = frozenset(grid.network.out_of_service)
    return street


def make_bench(
    rig: Rig,
    street: Street,
    clock: Clock,
    events: EventLog,
    *,
    dry_run: bool = False,
    control_period_s: float | None = None,
) -> Bench:
    """Make the bench, each emulated device a face on its terminal; the period is the bench's."""
    street.circuit = circuit = make_circuit(rig, street, clock)
    terminals: dict[str, Any] = {}
    for device in rig.devices:
        if device.emulated and device.branch is not None:
            contacts = BranchContacts(clock, device.branch not in street.open_as_loaded)
            terminals[device.name] = street.contacts[device.branch] = contacts
        elif device.emulated and device.capability in OF_A_CIRCUIT and circuit is not None:
            terminals[device.name] = connection_of(rig, circuit, street, device)
        elif device.emulated:
            terminals[device.name] = street.terminal_of(device)
    return Bench(
        rig,
        clock,
        events.record,
        terminals,
        dry_run=dry_run,
        control_period_s=control_period_s,
    )


def make_loop(
    rig: Rig,
    scenario: Scenario,
    grid: Grid,
    physics: Physics,
    bench: Bench,
    clock: Clock,
    events: EventLog,
    journal: Journal,
    seed: int,
    on_tick: Callable[[float], object],
) -> Loop:
    """Join the parts of an opened bench into a loop."""
    street = physics.street
    islands = IslandWatch(events, street.shed_stages())
    sensed = {
        d.name: bench.devices[d.name]
        for d in rig.of("inverter", "storage", "bms", "ev_charger", "heat_pump", "compute_node")
    }
    sensed |= {d.name: bench.devices[d.name] for d in _real_switches(rig)}
    meters = {d.name: bench.devices[d.name] for d in rig.of("meter")}
    market = scenario.market or NO_MARKET
    head = rig.meter_of(HEAD)
    balancing = Balancing(market.balanced_by)
    read_always = [*street.outside.values()]
    if head is not None and (market.balanced_by or scenario.charging is not None):
        read_always.append(head.name)
    analysers = {name: meters[name] for name in dict.fromkeys(read_always)}
    verifier = Verifier()
    enrol_all(verifier, rig.keys, file=rig.path)
    control = Control(rig, bench.devices, events)
    charging = Charging(rig, bench.devices, events)
    heating = Heating(rig, bench.devices, events)
    aggregating = Aggregating(street, control, events)
    if rig.aggregator is not None and rig.aggregator.openadr is not None:
        orders = rig.aggregator.openadr
        credentials = openadr_credentials(orders, rig.path)
        aggregating.reports = FleetReports(orders.report_s, street.fleets)
        aggregating.wire = OrderWire(
            orders, clock, events, aggregating.take, credentials, aggregating.reports
        )
    coordination = None
    if scenario.charging is not None:
        apart = feeder_apart(rig, grid)
        coordination = make_coordination(rig, scenario, street, apart, charging, events)
    seats = _seats(rig)
    traded = seats and scenario.market is not None
    periods = delivery_periods(scenario.duration_s, scenario.period_s) if traded else []
    book = RuleBook(market, scenario.rules, clock.start_utc_s)
    governed = {one.index: book.of(one).market for one in periods}
    changed = {index: rules for index, rules in governed.items() if rules != market}
    sync = rig.island.sync if rig.island else None
    limits: dict[str, float] = {}
    if sync is not None:
        limits = {
            "df_hz": sync.df_hz_at(rig.nominal.f_hz),
            "dv_pu": sync.dv_pu,
            "dtheta_deg": sync.dtheta_deg,
        }
    account = Account(
        meter_of={seat.name: seat.meter.name for seat in seats.values()},
        head=next((s.name for s in seats.values() if s.meter.measures == HEAD), ""),
        terms=make_terms(market, changed),
        start_utc_s=clock.start_utc_s,
        journal=journal,
        verifier=verifier,
        events=events,
    )
    trading = Trading(
        {seat.name: _agent(rig, seat.name, seed) for seat in seats.values()},
        market.lot_milliwh,
        book,
        {
            seat.name: role_of(
                str(seat.meter.measures), seat.device.capability if seat.device else None
            )
            for seat in seats.values()
        },
        market.auction(),
        market.auction(island=True),
        _rights(seats),
        make_homes(rig, seats, street, start_utc_s=clock.start_utc_s, period_s=scenario.period_s)
        if traded
        else (),
        _feeder_rounds(rig, grid, market, street, seats, clock.start_utc_s),
        None
        if account.terms.deposit_micro is None
        else Reserves(
            list(dict.fromkeys([account.terms.rules, *account.terms.changed.values()])),
            account.held_micro,
            account.is_settled,
        ),
        _network(rig, market),
        zonal=market.network is not None,
    )
    home_cars = make_home_cars(rig, scenario, charging) if traded else None
    planned = home_cars or coordination
    start_utc_s, period_s = clock.start_utc_s, scenario.period_s
    home_rooms = None
    if traded:
        home_rooms = make_home_rooms(
            rig, heating, street, start_utc_s=start_utc_s, period_s=period_s
        )
    views = Views(
        seats,
        street,
        control,
        start_utc_s=clock.start_utc_s,
        link_va=grid.link_va,
        cars=home_cars,
        rooms=home_rooms,
    )
    operator = _operator(rig, scenario, grid, bench, views, street, clock.start_utc_s, events)
    return Loop(
        clock=clock,
        scenario=scenario,
        periods=periods,
        stimuli=Stimuli(
            scenario,
            physics,
            bench.emulators,
            islands,
            events,
            limits,
            charging=charging,
            heating=heating,
            aggregating=aggregating,
            control=control,
            trading=trading,
            ledger=LedgerOutage(journal.path),
        ),
        sensing=Sensing(
            sensed,
            analysers,
            events,
            LostDevices(bench.devices, bench.take_back, events, scenario.away_s_max),
        ),
        physics=physics,
        control=control,
        balancing=balancing,
        charging=charging,
        heating=heating,
        aggregating=aggregating,
        computing=Computing(
            rig, bench.devices, street, events, scenario.jobs, float(scenario.period_s)
        ),
        curtailment=Curtailment(
            {d.name: _power_limit(d) for d in rig.of("inverter")},
            bench.devices,
            events,
            rig.nominal.f_hz,
        ),
        trading=trading,
        views=views,
        rounds=MeteringRounds(
            {d.name: meters[d.name] for d in rig.signing()},
            verifier,
            events,
            on_fork=account.withdraw,
        ),
        account=account,
        islands=islands,
        trace=Trace(street, grid.feeder),
        feeder=FeederWatch(market.feeder_limits, events),
        soc_limits=SocLimits(rig, events),
        events=events,
        outside_switches={d.name: str(d.branch) for d in _real_switches(rig)},
        operator=operator,
        coordination=coordination,
        home_cars=home_cars,
        island_cars=make_island_cars(
            rig,
            planned.cars if planned is not None else None,
            charging,
            events,
            least_w=scenario.charging.least_w if scenario.charging is not None else 0.0,
        ),
        home_rooms=home_rooms,
        head=head.name if head is not None else "",
        outside={analyser: street.bus_of(name) for name, analyser in street.outside.items()},
        on_tick=on_tick,
    )


def _power_limit(device: Device) -> float:
    assert isinstance(device.limits, InverterLimits)
    return device.limits.p_w_max


def _seats(rig: Rig) -> dict[str, Seat]:
    seats = {}
    for participant in rig.participants:
        meter = rig.device(participant.meter)
        device = None
        if meter.measures not in ("head", "load"):
            device = rig.device(str(meter.measures))
        pack = rig.device(device.bms) if device is not None and device.bms else None
        reserve_soc = getattr(participant.agent, "reserve_soc", 0.0)
        seats[participant.name] = Seat(
            participant.name, participant.agent.kind, meter, device, pack, reserve_soc
        )
    return seats


def _network(rig: Rig, market: MarketRules) -> Network | None:
    members = [(p.name, p.zone, p.agent.kind) for p in rig.participants]
    return network_of(members) if market.network is None else network_in(market.network, members)


def _feeder_rounds(
    rig: Rig,
    grid: Grid,
    market: MarketRules,
    street: Street,
    seats: Mapping[str, Seat],
    start_utc_s: int,
) -> FeederRounds | None:
    """Make what has the last word, with a feeder of its own, if the scenario wants it."""
    if not market.feeder_check:
        return None
    feeder = feeder_apart(rig, grid)
    return FeederRounds(
        feeder,
        market.feeder_limits,
        {seat.name: bus_of(seat) for seat in seats.values()},
        UntradedForecast(feeder.buses, street, seats, start_utc_s),
    )


def _real_switches(rig: Rig) -> list[Device]:
    return [d for d in rig.of("switch") if d.branch is not None and not d.emulated]


def _operator(
    rig: Rig,
    scenario: Scenario,
    grid: Grid,
    bench: Bench,
    views: Views,
    street: Street,
    start_utc_s: int,
    events: EventLog,
) -> GridOperator | None:
    if scenario.operator is None or rig.feeder is None:
        return None
    return GridOperator(
        scenario.operator,
        scenario.period_s,
        feeder_apart(rig, grid),
        {d.branch: bench.devices[d.name] for d in rig.of("switch") if d.branch is not None},
        Outlook(street, start_utc_s, scenario.period_s),
        views,
        street,
        events,
    )


def _rights(seats: Mapping[str, Seat]) -> Callable[[str, View], Mapping[Side, Right]]:
    def rights(name: str, view: View) -> Mapping[Side, Right]:
        seat = seats[name]
        return rights_of(str(seat.meter.measures), seat.device, view)

    return rights


def _agent(rig: Rig, name: str, seed: int) -> Agent | None:
    agent = next(p.agent for p in rig.participants if p.name == name)
    if isinstance(agent, HomeAgent):
        return None
    return make_agent(
        agent.kind,
        stream(seed, f"agent {name}"),
        bid_micro=getattr(agent, "bid_micro_per_kwh", None),
        offer_micro=getattr(agent, "offer_micro_per_kwh", None),
        spread_micro=getattr(agent, "spread_micro_per_kwh", None),
    )
