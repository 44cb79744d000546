"""What an emulated charger does with its plug, whatever version of OCPP tells it.

Invariants
    A transaction begins only with a vehicle and ends when it leaves. What is offered is the least
    of charger, profiles and, below `p_w_min`, nothing (IEC 61851-1 knows no less than 6 A). What is
    told is told in order, with the time at which it was true.
Limits
    `QUEUE_MAX` messages wait while nobody listens; meter values are lost first, the oldest before
    the others.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gridrig.devices.emulators.charging_profiles import ProfileRefused, Profiles, read_profile
from gridrig.devices.emulators.fault import FaultBoard, OnEvent
from gridrig.devices.emulators.modbus_face import require
from gridrig.devices.emulators.ocpp_sessions import Telling
from gridrig.devices.emulators.vehicle_terminal import VehicleTerminal

QUEUE_MAX = 1000
AUTOSTART_TAG = "autostart"
# The vehicle's battery in the plant: cells in series, the mean of their open-circuit curve, and
# the voltage at which the largest current still carries the largest power. [1, V, V]
CELLS, CELL_V, CELL_V_LOW = 120, 3.265, 3.0
C_RATE_MAX = 1.5  # above it the cells' voltage ends a charge before they are full


@dataclass(frozen=True, kw_only=True)
class EvChargerParameters:
    """What the `emulate` table may say of an emulated charger.

    Parameters
    ----------
    seed : int
        Of what is random.
    capacity_wh, soc, target_soc : float
        Of the vehicle's battery; it ends charging at the target. [Wh, 0..1, 0..1]
    vehicle_w_max : float
        The most that the vehicle takes. [W]
    discharge_w_max : float
        The most that the vehicle gives; 0 for one that only charges. [W]
    reserve_soc : float
        What its driver wants to keep: below it gives nothing, 0..1; of a vehicle that gives at
        most its target.
    plugged : bool
        Whether it is plugged in at the beginning.
    autostart : bool
        Whether a transaction begins with every vehicle that comes, as of a charger for all.
    p_w_max, p_w_min : float
        The most and the least that it offers. [W]
    v_v, phases : float, int
        What an ampere of a profile is worth. [V, 1]
    meter_s : float
        From one meter value to the next in a transaction. [s]
    honours_profiles : bool
        Whether it keeps to the charging profiles that it takes.
    tells_share : float
        What it tells of its power and energy, of what they are.
    follows_after_s : float
        From when it is told something to when it does it. [s]
    control_s : float
        From one look at vehicle, profiles and time to the next. [s]
    manufacturer, product, serial, firmware : str
        What it says it is.
    """

    seed: int = 0
    capacity_wh: float = 60_000.0
    soc: float = 0.3
    target_soc: float = 0.8
    vehicle_w_max: float = 11_000.0
    discharge_w_max: float = 0.0
    reserve_soc: float = 0.2
    plugged: bool = True
    autostart: bool = False
    p_w_max: float = 11_000.0
    p_w_min: float = 1_380.0
    v_v: float = 230.0
    phases: int = 3
    meter_s: float = 10.0
    honours_profiles: bool = True
    tells_share: float = 1.0
    follows_after_s: float = 0.0
    control_s: float = 1.0
    manufacturer: str = "gridrig"
    product: str = "emulated charger"
    serial: str = ""
    firmware: str = "1.0"

    def __post_init__(self) -> None:
        """Refuse what no charger can be."""
        capacity = 500 <= self.capacity_wh <= 1e7
        require("capacity_wh", self.capacity_wh, capacity, "500 to 1e7")
        require("soc", self.soc, 0 <= self.soc <= 1, "0 to 1")
        require("target_soc", self.target_soc, 0 <= self.target_soc <= 1, "0 to 1")
        bearable = 0 < self.vehicle_w_max <= C_RATE_MAX * self.capacity_wh
        expected = f"> 0, at most {C_RATE_MAX:g} times capacity_wh an hour"
        require("vehicle_w_max", self.vehicle_w_max, bearable, expected)
        given = 0 <= self.discharge_w_max <= C_RATE_MAX * self.capacity_wh
        expected = f"0 to {C_RATE_MAX:g} times capacity_wh an hour"
        require("discharge_w_max", self.discharge_w_max, given, expected)
        # A vehicle that only charges keeps all it has, whatever its reserve says.
        most, said = (self.target_soc, "target_soc") if self.discharge_w_max else (1.0, "1")
        kept = 0 <= self.reserve_soc <= most
        expected = f"0 to {said}" + (f" = {most:g}" if self.discharge_w_max else "")
        require("reserve_soc", self.reserve_soc, kept, expected)
        require("p_w_max", self.p_w_max, 0 < self.p_w_max <= 1e6, "> 0, at most 1e6")
        least = 0 <= self.p_w_min < self.p_w_max
        require("p_w_min", self.p_w_min, least, "0 to below p_w_max")
        require("v_v", self.v_v, 0 < self.v_v <= 1000, "> 0, at most 1000")
        require("phases", self.phases, self.phases in (1, 3), "1 or 3")
        require("meter_s", self.meter_s, 1 <= self.meter_s <= 3600, "1 to 3600")
        require("tells_share", self.tells_share, 0 <= self.tells_share <= 2, "0 to 2")
        late = 0 <= self.follows_after_s <= 86_400
        require("follows_after_s", self.follows_after_s, late, "0 to 86400")
        require("control_s", self.control_s, 0.1 <= self.control_s <= 60, "0.1 to 60")

    def terminal_settings(self) -> dict[str, Any]:
        """Return what the plant builds the vehicle of: a rectifier and the battery behind it.

        If it only charges, its battery gives no current and nothing in it looks for islands. A
        droop would take more than is offered while the frequency is high.
        """
        looks = {} if self.discharge_w_max else {"detector": "none"}
        return {
            "s_va": max(self.vehicle_w_max, self.discharge_w_max),
            **looks,
            "droop": False,
            "pack": {
                "cells": CELLS,
                "capacity_ah": self.capacity_wh / (CELLS * CELL_V),
                "soc": self.soc,
                "charge_a_max": self.vehicle_w_max / (CELLS * CELL_V_LOW),
                "discharge_a_max": self.discharge_w_max / (CELLS * CELL_V_LOW),
            },
        }


class ChargePoint:
    """A charger with one plug; see `ocpp_sessions.Charger` for what it can be asked.

    Parameters
    ----------
    parameters : EvChargerParameters
        The `emulate` table.
    terminal : VehicleTerminal
        The vehicle.
    faults, on_event
        Faults that were armed; gets `transaction`, `profile`, `profile_refused`, `message_lost`.
    """

    def __init__(
        self,
        parameters: EvChargerParameters,
        terminal: VehicleTerminal,
        faults: FaultBoard,
        on_event: OnEvent,
    ) -> None:
        self._p, self._terminal = parameters, terminal
        self._faults, self._on_event = faults, on_event
        self._profiles = Profiles()
        self._running = self._was_plugged = False
        self._number = self._sequence = 0
        self._began_utc_s = 0.0
        self._meter_due_s = 0.0
        self._status = ""
        self._offer_w = self._offer_due_s = 0.0
        self._zero_utc_s = 0.0  # UTC at loop time 0, as the management system told it
        self.name_of_transaction = ""  # as the management system knows it
        self.queue: deque[Telling] = deque()
        self.news = asyncio.Event()

    def set_clock(self, time: str) -> None:
        """Take the management system's time. [ISO 8601]"""
        utc_s = datetime.fromisoformat(time).timestamp()
        self._zero_utc_s = utc_s - asyncio.get_running_loop().time()

    def told_time(self) -> str:
        """Return the charger's time. [ISO 8601 with Z]"""
        told = datetime.fromtimestamp(self._utc_s(), UTC)
        return told.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def begin(self, tag: str) -> bool:
        """Begin a transaction; it needs a vehicle."""
        if self._running or not self._terminal.state().plugged:
            return False
        self._running = True
        self._number, self._sequence = self._number + 1, 0
        self._began_utc_s = self._utc_s()
        self._meter_due_s = asyncio.get_running_loop().time() + self._p.meter_s
        self._on_event("transaction", begins=True, tag=tag)
        self._offer()
        self._tell("begin")
        return True

    def end(self, transaction: str) -> bool:
        """End the transaction of this name."""
        if not self._running or transaction != self.name_of_transaction:
            return False
        self._end()
        return True

    def install(self, profile: Mapping[str, Any]) -> bool:
        """Take a charging profile."""
        if self._faults.fire("refuse") is not None:
            return False
        if self._faults.fire("ignore_profile") is not None:
            return True
        try:
            self._profiles.install(read_profile(profile, self._p.v_v * self._p.phases))
        except (ProfileRefused, KeyError, ValueError) as error:
            self._on_event("profile_refused", cause=str(error))
            return False
        self._on_event("profile", allowed_w=self.allowed_w())
        self._offer()
        return True

    def clear(self, identifier: int | None, purpose: str | None, stack_level: int | None) -> bool:
        """Remove charging profiles."""
        removed = self._profiles.clear(identifier, purpose, stack_level)
        self._offer()
        return removed > 0

    def tell_again(self, what: str) -> bool:
        """Tell a message anew, soon."""
        if what == "MeterValues":
            self._tell("meter", triggered=True)
        elif what == "StatusNotification":
            self._tell("status")
        else:
            return False
        return True

    def allowed_w(self) -> float:
        """Return what the profiles and the charger allow now. [W]"""
        limit_w = self._profiles.limit_w(self._utc_s(), self._began_utc_s)
        return min(self._p.p_w_max, limit_w)

    def setpoint_w(self) -> float | None:
        """Return what shall be taken now, negative to discharge; None if nothing is set. [W]"""
        if not self._running:
            return None
        return self._profiles.setpoint_w(self._utc_s(), self._began_utc_s)

    def look(self) -> None:
        """Follow vehicle, profiles and time: to be called every `control_s`."""
        plugged = self._terminal.state().plugged
        if self._running and not plugged:
            self._end()
        if self._p.autostart and plugged and not self._was_plugged:
            self.begin(AUTOSTART_TAG)
        self._was_plugged = plugged
        self._offer()
        now_s = asyncio.get_running_loop().time()
        if self._running and now_s >= self._meter_due_s:
            self._meter_due_s += self._p.meter_s
            self._tell("meter")

    def _end(self) -> None:
        self._running = False
        self._profiles.end_transaction()
        self._on_event("transaction", begins=False)
        self._tell("end")
        self._offer()

    def _offer(self) -> None:
        allowed_w = self.allowed_w() if self._p.honours_profiles else self._p.p_w_max
        allowed_w = allowed_w if self._running else 0.0
        setpoint_w = self.setpoint_w()
        if setpoint_w is not None:
            allowed_w = min(allowed_w, setpoint_w)
        nothing = 0 <= allowed_w < self._p.p_w_min
        offer_w, now_s = 0.0 if nothing else allowed_w, asyncio.get_running_loop().time()
        if offer_w != self._offer_w:
            self._offer_w, self._offer_due_s = offer_w, now_s + self._p.follows_after_s
        if now_s >= self._offer_due_s:
            self._terminal.offer(offer_w)
        self._look_at_status(allowed_w)

    def _look_at_status(self, allowed_w: float) -> None:
        state = self._terminal.state()
        if not state.plugged:
            status = "Available"
        elif not self._running:
            status = "Preparing"
        elif 0 <= allowed_w < self._p.p_w_min:
            status = "SuspendedEVSE"
        else:
            status = "Charging" if state.asks_w else "SuspendedEV"
        if status != self._status:
            self._status = status
            self._tell("status")

    def _tell(self, kind: str, *, triggered: bool = False) -> None:
        state, share = self._terminal.state(), self._p.tells_share
        telling = Telling(
            kind,
            self.told_time(),
            self._status,
            state.p_w * share,
            state.soc,
            int(state.import_milliwh * share) // 1000,
            int(state.export_milliwh * share) // 1000,
            self._number,
            self._sequence,
            triggered,
        )
        if kind != "status":
            self._sequence += 1
        if len(self.queue) >= QUEUE_MAX:
            self._lose_one()
        self.queue.append(telling)
        self.news.set()

    def _lose_one(self) -> None:
        lost = next((t for t in self.queue if t.kind == "meter"), self.queue[0])
        self.queue.remove(lost)
        self._on_event("message_lost", what=lost.kind, time=lost.time)

    def _utc_s(self) -> float:
        return self._zero_utc_s + asyncio.get_running_loop().time()
