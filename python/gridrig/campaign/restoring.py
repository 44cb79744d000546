"""`gridrig restore`: put back what a run changed and did not live to restore."""

import json
from datetime import UTC, datetime

from rich.console import Console

from gridrig.campaign.assembly import make_bench
from gridrig.campaign.builtin import RIGS, find
from gridrig.campaign.checked import Checked
from gridrig.campaign.checking import left_safe, outcome_of, show_end, street_of
from gridrig.campaign.outcomes import Outcome
from gridrig.campaign.stopping import Stop
from gridrig.clock import Clock, run_wall
from gridrig.events import EventLog
from gridrig.rig.description import Rig, load_rig
from gridrig.rig.keeping import forget, not_restored
from gridrig.rig.lease import Lease, take_lease

START_UTC_S = int(datetime(2016, 6, 20, 12, tzinfo=UTC).timestamp())


def restore_command(
    rig_name: str, *, give_up: str | None, wait_s: float, as_json: bool = False
) -> int:
    """Restore the devices of a rig as they were found, read back, and leave the bench safe.

    Parameters
    ----------
    rig_name : str
        Rig file, or a built-in's name.
    give_up : str or None
        Device whose settings are given up instead: somebody has set it by hand.
    wait_s : float
        How long to wait in line for the bench. [s]
    as_json : bool
        Print one JSON document; what people are told goes to standard error.

    Raises
    ------
    RigError
        `rig.bench_taken`, `rig.found_unreadable`.
    """
    rig, console = load_rig(find(rig_name, RIGS)), Console(stderr=as_json)
    checked = Checked(rig)
    with take_lease(rig, "gridrig restore", wait_s=wait_s) as lease:
        if give_up is not None:
            code = _give_up(rig, give_up, console)
        elif not not_restored(rig):
            console.print("nothing to restore: every run put back what it changed")
            code = Outcome.PASS.exit_code
        else:
            code = run_wall(
                lambda clock: _restore(checked, lease, clock, console), start_utc_s=START_UTC_S
            )
        if as_json:
            told = {
                "rig": rig.name,
                "exit_code": code,
                "cause": checked.cause,
                "restored": list(checked.restored),
                "not_restored": not_restored(rig),
                "devices_end": dict(checked.safe.devices),
            }
            print(json.dumps(told, indent=1, ensure_ascii=False))
        return code


def _give_up(rig: Rig, name: str, console: Console) -> int:
    device = rig.device(name)
    there = not device.emulated and forget(device)
    what = "given up, nobody restores them any more" if there else "none are kept"
    console.print(f"{name}: settings as found: {what}", markup=False)
    return Outcome.PASS.exit_code


async def _restore(checked: Checked, lease: Lease, clock: Clock, console: Console) -> int:
    rig = checked.rig
    events = EventLog(clock, [device.name for device in rig.devices])
    street = street_of(rig, clock, None)
    bench = make_bench(rig, street, clock, events)
    stop = Stop()

    async def use() -> Outcome:
        async with left_safe(bench, lease, street, clock, stop):
            checked.restored = bench.left_over
            for name in bench.left_over:
                console.print(f"{name}: restored as found and read back", markup=False)
        return Outcome.PASS

    outcome = await outcome_of(use, stop, console, checked)
    checked.safe = bench.safe_report or checked.safe
    return show_end(rig, checked.safe, outcome, console)
