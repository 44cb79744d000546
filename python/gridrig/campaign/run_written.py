"""What a run writes at its end: every table of its directory, its verdicts, and who took part."""

import os
import platform
import sys
from importlib.metadata import version
from typing import Any

from gridrig.campaign import records
from gridrig.campaign.catalogue import measure
from gridrig.campaign.comfort import comfort_findings, room_stays
from gridrig.campaign.evidence import RunDirectory
from gridrig.campaign.island_findings import island_findings
from gridrig.campaign.loop import Loop
from gridrig.campaign.lost_devices import away_findings
from gridrig.campaign.market_rows import link_rows, trade_rows, zone_rows
from gridrig.campaign.measurements import Measurement, judge_all
from gridrig.campaign.run_ended import Ended
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.campaign.scenario import Scenario
from gridrig.campaign.story import describe_run, opening_records
from gridrig.clock.wall_time import utc_now
from gridrig.events import EventLog
from gridrig.rig.calibration import not_traceable, overdue
from gridrig.rig.description import Rig
from gridrig.rig.safe_end import is_safe
from gridrig.settlement.journal import Journal

VERSIONED = (
    "gridrig",
    "cryptography",
    "dss-python",
    "lightsim2grid",
    "matplotlib",
    "numpy",
    "ocpp",
    "pandapower",
    "pandas",
    "pyarrow",
    "pymodbus",
    "pyserial",
    "simbench",
    "websockets",
)
NEVER_OPENED = "never opened"  # nothing was sent to it
CUT_SHORT = "unsafe: the way to the safe state was cut short"


def write_run(
    directory: RunDirectory,
    rig: Rig,
    scenario: Scenario,
    journal: Journal,
    seed: int,
    ended: Ended,
    events: list[EventLog],
) -> RunVerdicts:
    """Write all that is known of a run into its directory, judge it, and return the verdicts."""
    measurements: list[Measurement] = []
    if events:
        directory.append_events(event.row() for event in events[0].ordered())
    loop = ended.loop
    broken: list[str] = []
    if loop is not None:
        measurements = _write_loop(directory, loop)
        if loop.clock.kind == "wall":
            directory.add_timing(loop.times.to_json(scenario.timing))
            broken = [
                *loop.times.broken(scenario.timing),
                *overdue(rig.devices, utc_now()),
            ]
    balances = journal.balances()
    directory.add_balances(
        records.BalanceRow(account, amount) for account, amount in balances.items()
    )
    journal.close()
    opening = opening_records(loop, rig) if loop is not None else ()
    directory.add_run(describe_run(rig, scenario, seed, versions(), ended.identities, opening))
    ends = _how_left(rig, ended)
    verdicts = RunVerdicts(
        title=scenario.title,
        verdicts=judge_all(scenario.criteria, measurements, ended=ended.outcome, cause=ended.cause),
        ended=ended.outcome,
        cause=ended.cause,
        devices_end=ends,
        left_unsafe=tuple(
            name for name, end in ends.items() if end != NEVER_OPENED and not is_safe(end)
        ),
        invalid=tuple(broken),
        findings=(
            *(_of_loop(loop) if loop is not None else ()),
            *(away_findings(events[0].ordered()) if events else ()),
            *not_traceable(rig.devices),
        ),
    )
    directory.add_verdicts(verdicts)
    directory.add_host(_host(ended))
    directory.close()
    return verdicts


def _of_loop(loop: Loop) -> list[str]:
    """Return what a reader must know of the feeder, its batteries, islands and rooms."""
    ends_s = float(loop.scenario.duration_s)
    return [
        *loop.feeder.findings(),
        *loop.soc_limits.findings(),
        *island_findings(loop.islands.records),
        *comfort_findings(room_stays(loop.trace.columns(), loop.room_end_c, ends_s)),
    ]


def _how_left(rig: Rig, ended: Ended) -> dict[str, str]:
    """Return how each device was left, whether or not the way to the safe state came to its end."""
    left = ended.safe.devices if ended.safe else dict.fromkeys(ended.opened, CUT_SHORT)
    return {device.name: left.get(device.name, NEVER_OPENED) for device in rig.devices}


def _write_loop(directory: RunDirectory, loop: Loop) -> list[Measurement]:
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
            c.why.get(o.order_id, ""),
        )
        for c in loop.trading.cleared
        for o in c.orders
    )
    directory.add_trades(row for c in loop.trading.cleared for row in trade_rows(c))
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
    if loop.trading.zonal and loop.trading.network is not None:
        directory.add_zones(
            (row for c in loop.trading.cleared for row in zone_rows(c.period.index, c.zones)),
            (
                row
                for c in loop.trading.cleared
                for row in link_rows(
                    c.period.index, c.links, loop.trading.network, loop.trading.lot_milliwh
                )
            ),
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
    if loop.scenario.jobs:
        directory.add_jobs(
            (
                records.JobRow(
                    e.job.name,
                    e.job.node,
                    e.job.buyer,
                    str(e.job.work),
                    e.ending,
                    e.why,
                    e.begun_s,
                    e.done_s,
                    e.energy_milliwh,
                    e.result,
                    e.deposit_micro,
                    e.paid_micro,
                    e.refunded_micro,
                )
                for e in loop.computing.ended
            ),
            loop.computing.escrow.entries,
        )
    return measure(loop.observed(columns))


def versions() -> dict[str, str]:
    """Return the versions of what takes part in every run, by package."""
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
