"""One run from rig and scenario to a signed run directory and its verdicts."""

import asyncio
import contextlib
import os
import platform
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gridrig.campaign import records
from gridrig.campaign.assembly import Grid, load_grid, make_bench, make_loop, make_street
from gridrig.campaign.catalogue import measure
from gridrig.campaign.evidence import RunDirectory
from gridrig.campaign.flow import Coasting, Physics
from gridrig.campaign.loop import Loop
from gridrig.campaign.measurements import Measurement, Outcome, RunVerdicts, judge_all
from gridrig.campaign.outcomes import worst
from gridrig.campaign.scenario import Scenario
from gridrig.campaign.story import describe_run, opening_records
from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.devices.capture.recorder import recorder, recording
from gridrig.errors import GridrigError
from gridrig.events import Event, EventLog
from gridrig.rig.bench import Bench
from gridrig.rig.description import Rig
from gridrig.rig.lease import Lease, take_lease
from gridrig.rig.safe_end import SAFE, SafeReport
from gridrig.rig.watchdog import watched
from gridrig.settlement.journal import Journal

VERSIONED = ("gridrig", "pandapower", "simbench", "dss-python", "pymodbus", "pyserial")
NEVER_OPENED = "never opened"  # nothing was sent to it
CUT_SHORT = "unsafe: the way to the safe state was cut short"


@dataclass
class Progress:
    """Where a run tells how far it is; the methods do nothing unless a caller gives better ones."""

    stage: Callable[[str], object] = lambda _: None
    begin: Callable[[Loop], object] = lambda _: None
    tick: Callable[[float], object] = lambda _: None
    event: Callable[[Event], object] = lambda _: None


@dataclass
class Ended:
    """How the part of a run that is on the clock came to its end; what comes first counts."""

    outcome: Outcome = Outcome.PASS
    cause: str = ""
    trace_back: str = ""
    loop: Loop | None = None
    opened: tuple[str, ...] = ()
    safe: SafeReport | None = None
    identities: dict[str, dict[str, str]] = field(default_factory=dict)
    endpoints: list[dict[str, Any]] = field(default_factory=list)
    _cancel: Callable[[], object] | None = None

    def blame(self, error: BaseException) -> None:
        """End the run as ERROR."""
        if self.outcome is Outcome.PASS:
            self.outcome = Outcome.ERROR
            self.cause = str(error) if isinstance(error, GridrigError) else repr(error)
            self.trace_back = "".join(traceback.format_exception(error))

    def stop(self, cause: str) -> None:
        """End the run as ABORTED, once: a second time must not stop the way to the safe state."""
        if self.outcome is Outcome.PASS and self._cancel is not None:
            self.outcome, self.cause = Outcome.ABORTED, cause
            self._cancel()

    def cancel_by(self, task: asyncio.Task[None] | None) -> None:
        """Name the task that a stop cancels; None once there is nothing left to stop."""
        loop = asyncio.get_running_loop()
        self._cancel = None
        if task is not None:
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)


@dataclass(frozen=True)
class RunResult:
    """What a caller needs of a finished run.

    `flaw` says why there is no report, if there is none; the evidence is whole without it.
    """

    path: Path
    verdicts: RunVerdicts
    flaw: str = ""

    @property
    def outcome(self) -> Outcome:
        """The worst of what happened."""
        return worst([self.verdicts.outcome, *([Outcome.ERROR] if self.flaw else [])])


def run(
    rig: Rig,
    scenario: Scenario,
    out: Path,
    *,
    seed: int,
    render: Callable[[Path], object],
    progress: Progress | None = None,
    grid: Grid | None = None,
    lease: Lease | None = None,
) -> RunResult:
    """Run a scenario on a rig and leave a signed run directory behind.

    However the run ends, the devices are driven to their safe states first and the directory is
    written last, so what is known is never lost. A signal ends a run once; after that neither the
    way to the safe state nor the writing can be hurried.

    Parameters
    ----------
    rig, scenario : Rig, Scenario
        That fit each other.
    out : Path
        The directory to write.
    seed : int
        Of all randomness.
    render : callable
        Makes the report from the directory, before the whole is signed.
    progress : Progress or None
        Told how far the run is.
    grid : Grid or None
        The rig's network, if it has been loaded before.
    lease : Lease or None
        The bench, if the caller has taken it; given back at the end either way.

    Raises
    ------
    GridrigError
        If the run could not begin: somebody else has the bench, the directory is taken, or the
        network cannot be loaded.
    """
    progress = progress or Progress()
    order = [device.name for device in rig.devices]
    with (
        lease or take_lease(rig, f"run {scenario.title}") as held,
        RunDirectory(out, device_order=order) as directory,
    ):
        directory.add_rig(rig.text)
        directory.add_scenario(scenario.text)
        progress.stage("loading the network and its profiles")
        if grid is None:
            grid = load_grid(rig, scenario.start_utc_s, scenario.duration_s)
        grid.feeder.close_pcc()
        journal = Journal(out / records.JOURNAL, key=directory.signing_key())
        ended = Ended()
        events: list[EventLog] = []

        async def on_the_clock(clock: Clock) -> None:
            log = EventLog(clock, order)
            log.listeners += [progress.event, lambda event: directory.note(event.row())]
            events.append(log)
            ended.cancel_by(asyncio.current_task())
            try:
                async with watched(rig, held, out, ended.stop):
                    with _captured(rig, out, clock):
                        await _operate(
                            rig, scenario, grid, clock, log, journal, seed, progress, ended
                        )
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # whatever a part raises ends the run as ERROR
                ended.blame(error)
            finally:
                ended.cancel_by(None)

        go = run_virtual if rig.clock == "virtual" else run_wall
        with _signals(ended):
            try:
                go(on_the_clock, start_utc_s=scenario.start_utc_s)
            except asyncio.CancelledError:
                ended.stop("the run was cancelled")
            except (GridrigError, OSError) as error:
                ended.blame(error)
            progress.stage("writing the evidence")
            verdicts = _write(directory, rig, scenario, journal, seed, ended, events)
            flaw = _render(out, render)
            directory.finish()
        return RunResult(out, verdicts, flaw)


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
    bench = make_bench(rig, street, clock, events, control_period_s=scenario.tick_s_max)
    coasting = Coasting(street.world, clock)
    try:
        progress.stage("opening the bench")
        coasting.start()
        async with bench:  # whatever happens in it, it is left safe
            ended.identities = {name: dict(vars(i)) for name, i in bench.identities.items()}
            ended.endpoints = bench.endpoints()
            await coasting.stop()
            clock.restart()
            events.begin()
            if (tape := recorder()) is not None:
                tape.begin()
            try:
                await _set_meter_clocks(rig, bench, clock.start_utc_s)
                ended.loop = make_loop(
                    rig, scenario, grid, physics, bench, clock, events, journal, seed, progress.tick
                )
                progress.begin(ended.loop)
                progress.stage(f"running {scenario.title}")
                await ended.loop.run()
            finally:
                progress.stage("driving the bench to its safe state")
                coasting.start()
    finally:
        ended.opened = tuple(bench.devices)
        ended.safe = bench.safe_report
        await coasting.stop()


def _captured(rig: Rig, out: Path, clock: Clock) -> AbstractContextManager[object]:
    """Record every wire into the run directory, if the rig wants it."""
    if not rig.capture:
        return contextlib.nullcontext()
    path, start = out / records.CAPTURE, clock.start_utc_s
    return recording(path, clock.now_s, start_utc_s=start, clock=clock.kind)


async def _set_meter_clocks(rig: Rig, bench: Bench, utc_s: int) -> None:
    await asyncio.gather(*(bench.devices[d.name].sync_clock(utc_s) for d in rig.signing()))


@contextlib.contextmanager
def _signals(ended: Ended) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the run, until its evidence is written.

    The handlers are not the loop's, because they outlive it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: object) -> None:
        ended.stop(f"stopped by {signal.Signals(number).name}")

    former = {n: signal.signal(n, stop) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _write(
    directory: RunDirectory,
    rig: Rig,
    scenario: Scenario,
    journal: Journal,
    seed: int,
    ended: Ended,
    events: list[EventLog],
) -> RunVerdicts:
    measurements: list[Measurement] = []
    if events:
        directory.append_events(event.row() for event in events[0].ordered())
    loop = ended.loop
    if loop is not None:
        measurements = _write_loop(directory, rig, loop)
    balances = journal.balances()
    directory.add_balances(
        records.BalanceRow(account, amount) for account, amount in balances.items()
    )
    journal.close()
    opening = opening_records(loop, rig) if loop is not None else ()
    directory.add_run(describe_run(rig, scenario, seed, _versions(), ended.identities, opening))
    ends = _how_left(rig, ended)
    verdicts = RunVerdicts(
        title=scenario.title,
        verdicts=judge_all(scenario.criteria, measurements, ended=ended.outcome, cause=ended.cause),
        ended=ended.outcome,
        cause=ended.cause,
        devices_end=ends,
        left_unsafe=tuple(name for name, end in ends.items() if end not in (SAFE, NEVER_OPENED)),
        findings=tuple(loop.trace.findings()) if loop is not None else (),
    )
    directory.add_verdicts(verdicts)
    directory.add_host(_host(ended))
    directory.close()
    return verdicts


def _render(directory: Path, render: Callable[[Path], object]) -> str:
    """Make the report; return why that failed, for evidence is signed with or without it."""
    try:
        render(directory)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _how_left(rig: Rig, ended: Ended) -> dict[str, str]:
    """Return how each device was left, whether or not the way to the safe state came to its end."""
    left = ended.safe.devices if ended.safe else dict.fromkeys(ended.opened, CUT_SHORT)
    return {device.name: left.get(device.name, NEVER_OPENED) for device in rig.devices}


def _write_loop(directory: RunDirectory, rig: Rig, loop: Loop) -> list[Measurement]:
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
            e.revision,
            e.booked_in,
            e.quality,
        )
        for e in loop.account.entries()
    )
    directory.add_energy(loop.account.energy)
    return measure(loop.observed(columns))


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
