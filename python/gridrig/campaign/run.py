"""One run from rig and scenario to a signed run directory and its verdicts."""

import asyncio
import os
import platform
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gridrig.campaign import records
from gridrig.campaign.assembly import Grid, load_grid, make_bench, make_loop, make_street
from gridrig.campaign.catalogue import Observed, measure
from gridrig.campaign.evidence import RunDirectory
from gridrig.campaign.flow import Physics, coast
from gridrig.campaign.loop import Loop
from gridrig.campaign.measurements import Measurement, Outcome, RunVerdicts, judge_all
from gridrig.campaign.scenario import Scenario
from gridrig.campaign.story import describe_run, opening_records
from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.errors import GridrigError
from gridrig.events import Event, EventLog
from gridrig.rig.bench import Bench
from gridrig.rig.description import Rig
from gridrig.rig.safe_end import SafeReport
from gridrig.settlement.journal import Journal

VERSIONED = ("gridrig", "pandapower", "simbench", "opendssdirect.py", "pymodbus", "pyserial")


@dataclass
class Progress:
    """Where a run tells how far it is; the methods do nothing unless a caller gives better ones."""

    stage: Callable[[str], object] = lambda _: None
    tick: Callable[[float], object] = lambda _: None
    event: Callable[[Event], object] = lambda _: None


@dataclass
class Ended:
    """How the part of a run that is on the clock came to its end."""

    outcome: Outcome = Outcome.PASS
    cause: str = ""
    trace_back: str = ""
    loop: Loop | None = None
    safe: SafeReport | None = None
    identities: dict[str, dict[str, str]] = field(default_factory=dict)
    endpoints: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class RunResult:
    """What a caller needs of a finished run."""

    path: Path
    verdicts: RunVerdicts


def run(
    rig: Rig,
    scenario: Scenario,
    out: Path,
    *,
    seed: int,
    render: Callable[[Path], object],
    progress: Progress | None = None,
) -> RunResult:
    """Run a scenario on a rig and leave a signed run directory behind.

    `render` makes the report from the directory, before the whole is signed.

    However the run ends, the devices are driven to their safe states first and the directory is
    written last, so what is known is never lost.

    Raises
    ------
    GridrigError
        If the run could not begin: the directory is taken, or the network cannot be loaded.
    """
    progress = progress or Progress()
    order = [device.name for device in rig.devices]
    with RunDirectory(out, device_order=order) as directory:
        directory.add_rig(rig.text)
        directory.add_scenario(scenario.text)
        progress.stage("loading the network and its profiles")
        grid = load_grid(rig, scenario.start_utc_s, scenario.duration_s)
        journal = Journal(out / records.JOURNAL)
        ended = Ended()
        events: list[EventLog] = []

        async def on_the_clock(clock: Clock) -> None:
            log = EventLog(clock, order)
            log.listeners.append(progress.event)
            events.append(log)
            await _operate(rig, scenario, grid, clock, log, journal, seed, progress, ended)

        go = run_virtual if rig.clock == "virtual" else run_wall
        try:
            go(on_the_clock, start_utc_s=scenario.start_utc_s)
        except (GridrigError, OSError) as error:
            _blame(ended, error)
        progress.stage("writing the evidence")
        verdicts = _write(directory, rig, scenario, journal, seed, ended, events, render)
        return RunResult(out, verdicts)


async def _operate(
    rig: Rig,
    scenario: Scenario,
    grid: Grid,
    clock: Clock,
    events: EventLog,
    journal: Journal,
    seed: int,
    progress: Progress,
    ended: Ended,
) -> None:
    street = make_street(rig, grid, seed)
    street.follow_profiles(clock.start_utc_s)
    physics = Physics(street, grid.feeder)
    bench = make_bench(rig, street, clock, events)
    task = asyncio.current_task()
    assert task is not None
    _stop_on_signals(task, ended)
    try:
        progress.stage("opening the bench")
        await bench.open()
        ended.identities = {name: dict(vars(i)) for name, i in bench.identities.items()}
        ended.endpoints = bench.endpoints()
        clock.restart()
        events.begin()
        await _set_meter_clocks(rig, bench, clock.start_utc_s)
        loop = make_loop(
            rig, scenario, grid, physics, bench, clock, events, journal, seed, progress.tick
        )
        ended.loop = loop
        progress.stage(f"running {scenario.title}")
        await loop.run()
    except asyncio.CancelledError:
        if ended.outcome is Outcome.PASS:
            ended.outcome, ended.cause = Outcome.ABORTED, "the run was cancelled"
    except Exception as error:  # whatever a driver or engine raises ends the run as ERROR
        _blame(ended, error)
    finally:
        progress.stage("driving the bench to its safe state")
        coasting = asyncio.create_task(coast(street.world, clock))
        ended.safe = await bench.make_safe()
        coasting.cancel()
        await bench.close()


async def _set_meter_clocks(rig: Rig, bench: Bench, utc_s: int) -> None:
    await asyncio.gather(*(bench.devices[d.name].sync_clock(utc_s) for d in rig.of("meter")))


def _stop_on_signals(task: asyncio.Task[None], ended: Ended) -> None:
    def stop(name: str) -> None:
        # A second signal must not stop the way to the safe state.
        if ended.outcome is Outcome.PASS:
            ended.outcome, ended.cause = Outcome.ABORTED, f"stopped by {name}"
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number.name)


def _blame(ended: Ended, error: BaseException) -> None:
    if ended.outcome is Outcome.PASS:
        ended.outcome = Outcome.ERROR
        ended.cause = str(error) if isinstance(error, GridrigError) else repr(error)
        ended.trace_back = "".join(traceback.format_exception(error))


def _write(
    directory: RunDirectory,
    rig: Rig,
    scenario: Scenario,
    journal: Journal,
    seed: int,
    ended: Ended,
    events: list[EventLog],
    render: Callable[[Path], object],
) -> RunVerdicts:
    measurements: list[Measurement] = []
    if events:
        directory.append_events(event.row() for event in events[0].ordered())
    loop = ended.loop
    if loop is not None:
        measurements = _write_loop(directory, rig, loop, journal)
    balances = journal.balances()
    directory.add_balances(
        records.BalanceRow(account, amount) for account, amount in balances.items()
    )
    journal.close()
    opening = opening_records(loop, rig) if loop is not None else ()
    directory.add_run(describe_run(rig, scenario, seed, _versions(), ended.identities, opening))
    verdicts = RunVerdicts(
        title=scenario.title,
        verdicts=judge_all(scenario.criteria, measurements, ended=ended.outcome, cause=ended.cause),
        ended=ended.outcome,
        cause=ended.cause,
        devices_end=ended.safe.devices
        if ended.safe
        else dict.fromkeys((d.name for d in rig.devices), "never opened"),
        left_unsafe=tuple(ended.safe.left_unsafe) if ended.safe else (),
        findings=tuple(loop.trace.findings()) if loop is not None else (),
    )
    directory.add_verdicts(verdicts)
    directory.add_host(_host(ended))
    directory.close()
    render(directory.path)
    directory.finish()
    return verdicts


def _write_loop(
    directory: RunDirectory, rig: Rig, loop: Loop, journal: Journal
) -> list[Measurement]:
    columns = loop.trace.columns()
    if columns:
        directory.add_trace(columns)
    directory.add_island(loop.islands.columns)
    directory.append_readings(loop.rounds.received)
    refused = {r.order_id: r.code for c in loop.trading.cleared for r in c.rejections}
    directory.add_orders(
        records.OrderRow(
            c.period.index,
            o.order_id,
            o.participant,
            o.side,
            o.energy_milliwh,
            o.price_micro_per_kwh,
            refused.get(o.order_id, ""),
        )
        for c in loop.trading.cleared
        for o in c.orders
    )
    directory.add_trades(
        records.TradeRow(
            c.period.index,
            t.trade_id,
            t.order_id,
            t.participant,
            t.side,
            t.energy_milliwh,
            t.price_micro_per_kwh,
        )
        for c in loop.trading.cleared
        for t in c.trades
    )
    directory.add_clearing(
        records.ClearingRow(
            c.period.index,
            loop.clock.start_utc_s + c.period.start_s,
            c.price_micro_per_kwh,
            c.volume_milliwh,
            c.islanded,
        )
        for c in loop.trading.cleared
    )
    directory.add_entries(
        records.EntryRow(
            e.entry_id,
            e.period,
            e.kind,
            e.debit,
            e.credit,
            e.amount_micro,
            e.energy_milliwh,
            e.price_micro_per_kwh,
            e.trade_id,
            e.meter,
            e.opening_digest,
            e.closing_digest,
        )
        for e in loop.account.entries()
    )
    directory.add_energy(loop.account.energy)
    return measure(
        Observed(
            columns,
            loop.islands,
            loop.rounds,
            loop.account,
            loop.events,
            loop.lateness_s,
            len(loop.periods),
            journal.sum_of_all_micro(),
        )
    )


def _versions() -> dict[str, str]:
    return {name: version(name) for name in VERSIONED} | {"python": platform.python_version()}


def _host(ended: Ended) -> dict[str, Any]:
    return {
        "host": platform.node(),
        "platform": platform.platform(),
        "python": sys.version,
        "pid": os.getpid(),
        "endpoints": ended.endpoints,
        "trace_back": ended.trace_back,
    }
