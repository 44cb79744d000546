"""One run from rig and scenario to a signed run directory and its verdicts."""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from gridrig.campaign import records
from gridrig.campaign.assembly import make_bench, make_loop, make_street
from gridrig.campaign.bundle import write_bundle
from gridrig.campaign.evidence import RunDirectory
from gridrig.campaign.flow import Coasting, Physics
from gridrig.campaign.loop import Loop
from gridrig.campaign.measurements import Outcome
from gridrig.campaign.outcomes import worst
from gridrig.campaign.rig_grid import Grid, load_grid
from gridrig.campaign.run_ended import Ended
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.campaign.run_written import write_run
from gridrig.campaign.scenario import Scenario
from gridrig.campaign.switching_fit import require_switchable
from gridrig.campaign.timing import memory_at_rest
from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.devices.capture.recorder import recorder, recording
from gridrig.errors import GridrigError
from gridrig.events import Event, EventLog
from gridrig.rig.bench import Bench
from gridrig.rig.description import Rig
from gridrig.rig.lease import Lease, take_lease
from gridrig.rig.watchdog import watched
from gridrig.settlement.journal import Journal
from gridrig.stop_signals import handed

LOCK_WAIT_S = 0.05  # a ledger that is not there is not waited for: control goes first


@dataclass
class Progress:
    """Where a run tells how far it is; the methods do nothing unless a caller gives better ones."""

    stage: Callable[[str], object] = lambda _: None
    begin: Callable[[Loop], object] = lambda _: None
    tick: Callable[[float], object] = lambda _: None
    event: Callable[[Event], object] = lambda _: None


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
        directory.add_feeder(rig)
        progress.stage("loading the network and its profiles")
        if grid is None:
            grid = load_grid(rig, scenario.start_utc_s, scenario.duration_s)
        grid.feeder.as_loaded()
        require_switchable(grid.feeder, scenario)
        journal = Journal(
            out / records.JOURNAL, key=directory.signing_key(), lock_wait_s=LOCK_WAIT_S
        )
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
        # The handlers are not the loop's, because the evidence is written after it.
        with handed(lambda name: ended.stop(f"stopped by {name}")):
            try:
                go(on_the_clock, start_utc_s=scenario.start_utc_s)
            except asyncio.CancelledError:
                ended.stop("the run was cancelled")
            except (GridrigError, OSError) as error:
                ended.blame(error)
            progress.stage("writing the evidence")
            verdicts = write_run(directory, rig, scenario, journal, seed, ended, events)
            flaw = _render(out, render)
            if verdicts.outcome is not Outcome.PASS:
                write_bundle(out)
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
    bench.on_abort = ended.stop
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
                with memory_at_rest() if clock.kind == "wall" else contextlib.nullcontext():
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


def _render(directory: Path, render: Callable[[Path], object]) -> str:
    """Make the report; return why that failed, for evidence is signed with or without it."""
    try:
        render(directory)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""
