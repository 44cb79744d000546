"""`gridrig check` and `gridrig enrol`: is the bench what its rig file says, before a run."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from gridrig.campaign.assembly import make_bench, make_street
from gridrig.campaign.builtin import RIGS, SCENARIOS, find
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.checked import Checked, refused
from gridrig.campaign.energising import Ask, Energising, Finding
from gridrig.campaign.flow import Coasting
from gridrig.campaign.measurements import Outcome
from gridrig.campaign.renewal_fit import require_renewal
from gridrig.campaign.rig_grid import load_grid
from gridrig.campaign.scenario import Scenario, load_scenario
from gridrig.campaign.scenario_fit import require_fit
from gridrig.campaign.stated_time import wire_times
from gridrig.campaign.stopping import Stop
from gridrig.campaign.street import Street
from gridrig.campaign.switching_fit import require_switchable
from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.devices.capture.frame_count import FrameCount, counting_frames
from gridrig.errors import CampaignError, DriverError, RigError
from gridrig.events import Event, EventLog
from gridrig.quantity import DAY_S
from gridrig.rig.bench import Bench
from gridrig.rig.description import Rig, load_rig
from gridrig.rig.enrolment import key_table
from gridrig.rig.key_files import check_openadr_files
from gridrig.rig.lease import Lease, take_lease
from gridrig.rig.safe_end import SafeReport
from gridrig.rig.safe_order import FINAL_STEP
from gridrig.rig.watchdog import needs_watchdog, safe_within_s, watched

CHECK_UTC_S = int(datetime(2016, 6, 20, 12, tzinfo=UTC).timestamp())
NOT_OPENED = ("rig.cannot_open", "rig.not_as_found")
KEYS_VALID_FROM = "2016-01-01T00:00:00Z"


def check_command(
    rig_name: str,
    scenario_name: str | None,
    *,
    dry_run: bool,
    energise: bool = False,
    ask: Ask | None = None,
    as_json: bool = False,
) -> int:
    """Validate, connect, identify and read every device, and leave the bench safe.

    With `energise` the wiring is proved as well, after each prompt was answered with yes. With
    `as_json` one JSON document is printed, also about files that are wrong; what people are told
    goes to standard error.
    """
    prove = ask or _ask if energise else None
    console = Console(stderr=as_json)
    try:
        checked = Checked(load_rig(find(rig_name, RIGS)), dry_run=dry_run)
        code = _check_rig(checked, scenario_name, prove, console)
        document = checked.to_json(code)
    except RigError as error:
        if not as_json:
            raise
        print(f"gridrig check: {error}", file=sys.stderr)
        document = refused(error)
    if as_json:
        print(json.dumps(document, indent=1, ensure_ascii=False))
    return int(document["exit_code"])


def _check_rig(
    checked: Checked, scenario_name: str | None, prove: Ask | None, console: Console
) -> int:
    rig = checked.rig
    check_openadr_files(rig.aggregator, rig.path)
    scenario = None
    if scenario_name is not None:
        units = {name: known.unit for name, known in CATALOGUE.items()}
        scenario = load_scenario(find(scenario_name, SCENARIOS), units)
        require_fit(rig, scenario)
        require_renewal(rig, scenario)
    go = run_virtual if rig.clock == "virtual" else run_wall
    start = CHECK_UTC_S if scenario is None else scenario.start_utc_s
    with take_lease(rig, "gridrig check") as lease:
        return go(
            lambda clock: _check(checked, lease, scenario, clock, console, prove),
            start_utc_s=start,
        )


async def _ask(what: str) -> bool:
    """Ask whoever is at the bench; no answer is no."""
    print(f"next: {what}. go on? [y/N] ", end="", file=sys.stderr, flush=True)
    try:
        answer = await asyncio.to_thread(input)
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


async def _check(
    checked: Checked,
    lease: Lease,
    scenario: Scenario | None,
    clock: Clock,
    console: Console,
    prove: Ask | None,
) -> int:
    rig, dry_run = checked.rig, checked.dry_run
    events = EventLog(clock, [device.name for device in rig.devices])
    if dry_run:
        events.listeners.append(lambda event: _note_write(event, checked, console))
    street = street_of(rig, clock, scenario)
    bench = make_bench(rig, street, clock, events, dry_run=dry_run)
    with counting_frames() as frames:
        before, outcome = await _use(bench, lease, street, clock, console, prove, frames, checked)
    if dry_run:
        console.print("dry run: nothing was written")
        return outcome.exit_code
    checked.safe = bench.safe_report or checked.safe
    code = show_end(rig, checked.safe, outcome, console)
    after = {name: sent - before.get(name, 0) for name, sent in frames.by_wire.items()}
    checked.wires = wire_times(rig, after)
    for time in checked.wires:
        console.print(str(time), style="" if time.fits else "bold red", soft_wrap=True)
    return code


async def _use(
    bench: Bench,
    lease: Lease,
    street: Street,
    clock: Clock,
    console: Console,
    prove: Ask | None,
    frames: FrameCount,
    checked: Checked,
) -> tuple[dict[str, int], Outcome]:
    """Read every device of a bench; return what was sent before it was left, and the outcome."""
    stop = Stop()
    before: dict[str, int] = {}

    async def use() -> Outcome:
        async with left_safe(bench, lease, street, clock, stop):
            checked.identities, checked.restored = bench.identities, bench.left_over
            for name in bench.left_over:
                console.print(f"{name}: settings that a run did not live to restore are restored")
            read = await asyncio.gather(*(_read_once(bench, name) for name in bench.devices))
            checked.readings = dict(zip(bench.devices, read, strict=True))
            failed = any("error" in reading for reading in read)
            outcome = Outcome.ERROR if failed else Outcome.PASS
            _show(bench, checked, console)
            if prove is not None and outcome is Outcome.PASS:
                energising = Energising(
                    bench.rig, bench, clock, prove, partial(_show_finding, console)
                )
                checked.wiring = energising.findings
                outcome = await _prove(energising, console)
            before.update(frames.by_wire)
        return outcome

    return before, await outcome_of(use, stop, console, checked)


async def outcome_of(
    use: Callable[[], Awaitable[Outcome]],
    stop: Stop,
    console: Console,
    checked: Checked | None = None,
) -> Outcome:
    """Return what using a bench came to; that it did not open, or was stopped, is told."""
    try:
        return await use()
    except RigError as error:
        if error.code not in NOT_OPENED:
            raise
        cause, outcome = str(error), Outcome.ERROR
    except asyncio.CancelledError:
        cause, outcome = stop.cause or "cancelled", Outcome.ABORTED
    console.print(cause, style="bold red", markup=False, soft_wrap=True)
    if checked is not None:
        checked.cause = cause
    return outcome


def _show_finding(console: Console, finding: Finding) -> None:
    mark = "✓" if finding.ok else "✗ WIRING"
    text = f"{mark} {finding.step}: {finding.found}"
    console.print(text, markup=False, highlight=False, soft_wrap=True)


async def _prove(energising: Energising, console: Console) -> Outcome:
    """Prove the wiring; each step's finding is shown before the next prompt."""
    try:
        return Outcome.PASS if await energising.run() else Outcome.FAIL
    except CampaignError as error:
        console.print(str(error), style="bold red", markup=False, soft_wrap=True)
        return Outcome.ABORTED
    except (DriverError, TimeoutError) as error:
        console.print(str(error) or "a step did not end in time", style="bold red", markup=False)
        return Outcome.ERROR


@asynccontextmanager
async def left_safe(
    bench: Bench, lease: Lease, street: Street, clock: Clock, stop: Stop
) -> AsyncIterator[None]:
    """Open a bench whose devices follow what they are told, and leave it safe."""
    bench.on_abort = stop.because
    coasting = Coasting(street.world, clock, street.circuit)
    async with watched(bench.rig, lease, None, stop.because):
        coasting.start()
        try:
            async with bench:
                yield
        finally:
            await coasting.stop()


def street_of(rig: Rig, clock: Clock, scenario: Scenario | None) -> Street:
    """Return the plant of a bench that no run steps."""
    grid = None
    if rig.feeder is not None:
        grid = load_grid(rig, clock.start_utc_s, scenario.duration_s if scenario else DAY_S)
    street = make_street(rig, grid, seed=0)
    if grid is not None and scenario is not None:
        require_switchable(grid.feeder, scenario)
    if grid is not None:
        street.follow_profiles(clock.start_utc_s)
    return street


async def _read_once(bench: Bench, name: str) -> dict[str, Any]:
    """Return what a device reads, or its `error`."""
    try:
        return asdict(await bench.devices[name].read())
    except DriverError as error:
        return {"error": str(error)}


def _read_text(reading: Mapping[str, Any]) -> str:
    if "error" in reading:
        return str(reading["error"])
    told = ((key, _told(value)) for key, value in reading.items() if not key.startswith("u_"))
    return ", ".join(f"{key} {text}" for key, text in told if text)


def _told(value: object) -> str:
    """Return a value of a reading for the table, nothing for what does not belong there."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple) and value and all(isinstance(x, float) for x in value):
        return "/".join(f"{x:.4g}" for x in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int | str) else ""


def _show(bench: Bench, checked: Checked, console: Console) -> None:
    table = Table("device", "kind", "who it says it is", "reads")
    for device in bench.rig.devices:
        who = bench.identities[device.name]
        kind = "emulated" if device.emulated else "hardware"
        says = f"{who.manufacturer} {who.model} {who.serial} {who.firmware}"
        table.add_row(
            device.name,
            f"{device.capability}, {kind}",
            says,
            _read_text(checked.readings[device.name]),
        )
    console.print(table)


def _note_write(event: Event, checked: Checked, console: Console) -> None:
    if event.kind == "would_write":
        checked.writes.append({"device": event.device, **event.data})
        console.print(f"would write {event.device}: {event.data['what']} = {event.data['value']}")


def show_end(rig: Rig, safe: SafeReport, outcome: Outcome, console: Console) -> int:
    """Print how a bench was left and return the exit code."""
    for name in safe.left_unsafe:
        console.print(f"{name} left {safe.devices[name]}", style="bold red")
    if safe.left_unsafe:
        return Outcome.UNSAFE.exit_code
    console.print(f"{len(safe.devices)} devices in their safe state")
    if needs_watchdog(rig):
        bound = f"{safe_within_s(rig):g} s"
        console.print(f"if a run of this bench dies, its watchdog makes it safe within {bound}")
        _show_host_dead(rig, console)
    return outcome.exit_code


def _show_host_dead(rig: Rig, console: Console) -> None:
    for device in rig.devices:
        if not device.emulated and device.capability in FINAL_STEP:
            rest = device.host_dead
            what = "nothing: not to be left alone" if rest == "none" else f"its {rest}"
            console.print(f"if the host dies, {device.name} is brought to rest by {what}")


def enrol_command(rig_name: str) -> int:
    """Read every meter's public key over its wire and print the tables that enrol them."""
    rig = load_rig(find(rig_name, RIGS))
    go = run_virtual if rig.clock == "virtual" else run_wall
    with take_lease(rig, "gridrig enrol") as lease:
        return go(lambda clock: _enrol(rig, lease, clock), start_utc_s=CHECK_UTC_S)


async def _enrol(rig: Rig, lease: Lease, clock: Clock) -> int:
    events = EventLog(clock, [device.name for device in rig.devices])
    street = street_of(rig, clock, None)
    bench = make_bench(rig, street, clock, events)
    stop = Stop()
    try:
        async with left_safe(bench, lease, street, clock, stop):
            keys = {d.name: await bench.devices[d.name].read_public_key() for d in rig.signing()}
    except asyncio.CancelledError:
        print(stop.cause or "cancelled", file=sys.stderr)
        return Outcome.ABORTED.exit_code
    for name, key in keys.items():
        print(key_table(name, bench.identities[name].serial, key, KEYS_VALID_FROM))
    return 0
