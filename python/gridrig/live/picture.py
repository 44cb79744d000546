"""What the live page shows of a run, as JSON: what stands for the whole run, and what is now."""

import math
from collections import deque
from typing import Any

from gridrig.campaign.loop import Loop
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.campaign.trading import Cleared
from gridrig.devices.capabilities import BmsReading
from gridrig.events import Event
from gridrig.grid.findings import Limits
from gridrig.live.diagram import lay_out
from gridrig.rig.description import Rig

EVENTS_KEPT = 200
ACCOUNTS_SHOWN = 12


class Picture:
    """Follows a run and answers what to show; nothing in it changes the run.

    The run tells it on its own thread; `plan` and `now` may be asked on any.

    Parameters
    ----------
    rig : Rig
        The bench of the run.
    title : str
        Of the scenario.
    duration_s : float
        Length of the scenario. [s]
    """

    def __init__(self, rig: Rig, title: str, duration_s: float) -> None:
        self._rig = rig
        self._title = title
        self._duration_s = duration_s
        self._loop: Loop | None = None
        self._stage = "starting"
        self._t_s = 0.0
        self._settled = -1
        self._ledger: dict[str, Any] | None = None
        self._events: deque[dict[str, Any]] = deque(maxlen=EVENTS_KEPT)
        self._events_seen = 0
        self._verdicts: RunVerdicts | None = None

    def stage(self, text: str) -> None:
        """Note what the run is doing."""
        self._stage = text
        self._note_ledger()

    def begin(self, loop: Loop) -> None:
        """Note the loop, once there is one."""
        self._loop = loop

    @property
    def has_loop(self) -> bool:
        """Whether the plan is whole."""
        return self._loop is not None

    def tick(self, t_s: float) -> None:
        """Note that the tick at `t_s` is done. [s]"""
        self._t_s = t_s
        self._note_ledger()

    def event(self, event: Event) -> None:
        """Note what happened."""
        self._events_seen += 1
        row = event.row()
        row["n"] = self._events_seen
        self._events.append({key: _plain(value) for key, value in row.items()})

    def end(self, verdicts: RunVerdicts) -> None:
        """Note how the run ended."""
        self._verdicts = verdicts

    def plan(self) -> dict[str, Any]:
        """Return what stays the same all along: bench, places, limits."""
        loop, rig = self._loop, self._rig
        plan: dict[str, Any] = {
            "title": self._title,
            "rig": rig.name,
            "clock": rig.clock,
            "emulated": any(device.emulated for device in rig.devices),
            "duration_s": self._duration_s,
            "v_min_pu": Limits().v_min_pu,
            "v_max_pu": Limits().v_max_pu,
            "devices": [
                {"name": d.name, "capability": d.capability, "bus": d.bus, "emulated": d.emulated}
                for d in rig.devices
            ],
        }
        if loop is not None:
            feeder = loop.physics.feeder
            diagram = lay_out(feeder.network)
            plan |= {
                "start_utc_s": loop.clock.start_utc_s,
                "engine": feeder.engine_name,
                "network": feeder.network.name,
                "pcc_branch": feeder.pcc_branch,
                "places": diagram.places,
                "branches": diagram.branches,
            }
        return plan

    def now(self, events_after: int = 0) -> dict[str, Any]:
        """Return what is now, with the events after the n-th."""
        now: dict[str, Any] = {
            "stage": self._stage,
            "t_s": self._t_s,
            "events": [row for row in self._events if row["n"] > events_after],
            "events_seen": self._events_seen,
        }
        if self._loop is not None:
            now |= self._of_loop(self._loop)
        if self._verdicts is not None:
            now["ended"] = self._verdicts.to_json()
        return now

    def _of_loop(self, loop: Loop) -> dict[str, Any]:
        row = loop.trace.latest
        if not row:
            return {}

        def value(name: str) -> Any:
            return _plain(row.get(name))

        return {
            "late_s": value("tick.lateness_s"),
            "late_max_s": max(loop.times.jitter_s, default=0.0),
            "islanded": loop.physics.islanded,
            "f_hz": value("grid.f_hz"),
            "head_p_w": value("feeder.head_p_w"),
            "losses_w": value("feeder.losses_w"),
            "trafo_percent": value("feeder.trafo_loading_percent"),
            "out": sorted(loop.physics.feeder.out),
            **self._buses(loop),
            "devices": self._devices(loop),
            "market": self._market(loop),
            "ledger": self._ledger,
            "deadlines": self._deadlines(loop),
        }

    def _buses(self, loop: Loop) -> dict[str, dict[str, float]]:
        """Return voltage and load of each bus; of its phases, the voltage farthest from nominal."""
        row = loop.trace.latest
        v_pu: dict[str, float] = {}
        load_w: dict[str, float] = {}
        for point, bus in loop.physics.feeder.homes():
            v = row.get(f"bus.{point}.v_pu", math.nan)
            if math.isfinite(v) and abs(v - 1) >= abs(v_pu.get(bus, 1.0) - 1):
                v_pu[bus] = v
            if (load := row.get(f"load.{point}.p_w")) is not None:
                load_w[bus] = load_w.get(bus, 0.0) + load
        return {"v_pu": v_pu, "load_w": load_w}

    def _devices(self, loop: Loop) -> dict[str, dict[str, Any]]:
        row, latest = loop.trace.latest, loop.sensing.latest
        shown = {}
        for device in self._rig.devices:
            name = device.name
            entry: dict[str, Any] = {
                part: _plain(row[f"device.{name}.{part}"])
                for part in ("p_w", "q_var", "telemetry_p_w", "limit_w", "setpoint_w")
                if f"device.{name}.{part}" in row
            }
            if (inverter := latest.inverters.get(name)) is not None:
                entry["state"] = inverter.state
            if (battery := latest.batteries.get(name)) is not None:
                entry |= {"soc": battery.soc, "i_a": battery.i_a, "state": _fets(battery)}
            if (missed := loop.sensing.failures.get(name)) is not None:
                entry["missed"] = missed
            if entry:
                shown[name] = entry
        return shown

    def _market(self, loop: Loop) -> list[dict[str, Any]]:
        """Return the latest periods that were cleared, the newest first."""
        return [
            {
                "period": c.period.index,
                "start_s": c.period.start_s,
                "end_s": c.period.end_s,
                "islanded": c.islanded,
                "orders": len(c.orders),
                "trades": len(c.trades),
                "refused": len(c.rejections),
                "price_micro_per_kwh": c.price_micro_per_kwh,
                "volume_milliwh": c.volume_milliwh,
                "settled": loop.account.is_settled(c.period.index),
                **_zoned(c),
            }
            for c in reversed(loop.trading.cleared[-4:])
        ]

    def _note_ledger(self) -> None:
        """Read the ledger when a period has settled: here, because the journal is the run's."""
        if self._loop is None:
            return
        account = self._loop.account
        if (settled := len(account.settled)) != self._settled:
            balances = sorted(account.journal.balances().items(), key=lambda one: -abs(one[1]))
            self._settled = settled
            self._ledger = {
                "periods_settled": settled,
                "sum_micro": account.journal.sum_of_all_micro(),
                "accounts": len(balances),
                "balances": balances[:ACCOUNTS_SHOWN],
            }

    def _deadlines(self, loop: Loop) -> list[dict[str, Any]]:
        """Return what comes next, with its time in the scenario. [s]"""
        t_s = self._t_s
        book = loop.trading.book
        ahead = [("the scenario ends", self._duration_s)]
        for period in loop.periods:
            if (closes_s := book.closes_s(period)) > t_s:
                ahead.append((f"gate of period {period.index} closes", closes_s))
                break
        for period in loop.periods:
            if period.end_s > t_s:
                ahead.append((f"period {period.index} ends: meters sign", period.end_s))
                break
        return [{"what": what, "at_s": at} for what, at in sorted(ahead, key=lambda one: one[1])]


def _zoned(cleared: Cleared) -> dict[str, Any]:
    """Return prices by zone and what links carried; nothing of a market without zones."""
    if not cleared.zones:
        return {}
    return {
        "zones": {one.name: one.price_micro_per_kwh for one in cleared.zones},
        "links": [
            [one.name, one.net_milliwh, one.fee_micro_per_kwh]
            for one in cleared.links
            if one.net_milliwh
        ],
    }


def _fets(battery: BmsReading) -> str:
    """Say which way the pack lets current flow."""
    ways = [
        *(["charge"] if battery.charge_fet else []),
        *(["discharge"] if battery.discharge_fet else []),
    ]
    return f"may {' and '.join(ways)}" if ways else "switched off"


def _plain(value: Any) -> Any:
    """Return a value as JSON can carry it: what is no number is nothing."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int | float | str | bool) or value is None:
        return value
    return str(value)
