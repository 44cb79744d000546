"""The rooms of homes in a run: what their minds know of them, and pumps that follow the trades.

A home's warmth is traded for as its battery is; its heat pump is told, by the same driver as any,
what was traded for the delivery period. What is told at a tick acts from the next one on. A period
that was decided without the room's temperature, or while trading was stopped, is the pump's own
thermostat's; so is the rest of one in which it is not told any more, and all the time that the
connection to the main grid is open.

What the weather will be is taken from the day before, moved by how much warmer or colder it is now.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from gridrig.campaign.heating import Heating
from gridrig.campaign.sensing import Telemetry
from gridrig.campaign.street import Street
from gridrig.campaign.told_powers import ToldPowers
from gridrig.campaign.trading import HALTED, Trading
from gridrig.devices.heat_pump_capability import HeatPumpReading
from gridrig.market.agents import RoomView
from gridrig.quantity import DAY_S, DeliveryPeriod
from gridrig.rig.description import Device, Rig
from gridrig.rig.instruments import HeatPumpLimits
from gridrig.rig.participants import HomeAgent

SAMPLE_S = 300  # how often the weather of the day before is looked at


@dataclass(frozen=True)
class Pump:
    """A heat pump of a home.

    Parameters
    ----------
    name : str
    most_w, least_w : float
        The most and the least it may be told to take, by the rig. [W]
    agent : HomeAgent
        Whose band is in the trace.
    """

    name: str
    most_w: float
    least_w: float
    agent: HomeAgent


@dataclass
class HomeRooms:
    """Looks after the heat pumps of a rig's homes.

    Parameters
    ----------
    pump_of : mapping of participant to Pump
    heating : Heating
        Where pumps are told.
    street : Street
        Which knows the weather of emulated pumps before the run.
    start_utc_s, period_s : int
        When the run began; the length of a delivery period. [s since 1970, s]
    """

    pump_of: Mapping[str, Pump]
    heating: Heating
    street: Street
    start_utc_s: int
    period_s: int
    _read_c: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    _told: ToldPowers = field(default_factory=ToldPowers)
    _own: set[tuple[str, int]] = field(default_factory=set)  # pump and period left to itself

    def has(self, device: Device) -> bool:
        """Return whether a device is a heat pump of a home."""
        return any(pump.name == device.name for pump in self.pump_of.values())

    def missing(self, pump: str, telemetry: Telemetry) -> str:
        """Return why a pump cannot be traded for, nothing if it can."""
        if self.heating.overrides_w.get(pump) is not None:
            return "under manual control"
        return "" if pump in telemetry.pumps else "not read"

    def look(self, t_s: float, telemetry: Telemetry) -> None:
        """Note what the pumps tell of the outdoors."""
        for name, reading in telemetry.pumps.items():
            if reading.outdoor_c is not None:
                index = int(t_s // self.period_s)
                self._read_c.setdefault(name, {}).setdefault(index, []).append(reading.outdoor_c)

    def row(self, t_s: float) -> dict[str, float]:
        """Return the comfort band of each room at a moment, as columns of the trace. [deg C]"""
        found: dict[str, float] = {}
        for pump in self.pump_of.values():
            hour = datetime.fromtimestamp(self.start_utc_s + t_s, ZoneInfo(pump.agent.zone)).hour
            low_c, high_c = pump.agent.band_c(hour)
            found |= {f"room.{pump.name}.low_c": low_c, f"room.{pump.name}.high_c": high_c}
        return found

    def view(
        self, participant: str, period: DeliveryPeriod, telemetry: Telemetry, now_s: float
    ) -> RoomView | None:
        """Return a room as it is known when a period is traded; None if its pump is not."""
        pump = self.pump_of[participant]
        reading = telemetry.pumps.get(pump.name)
        if reading is None or self.missing(pump.name, telemetry):
            self._own.add((pump.name, period.index))
            return None
        told_w = self._told.power_w.get(pump.name)
        takes_w = max(0.0, -(reading.p_w if told_w is None else told_w))
        outdoor_c, flags = self._outdoors(pump.name, period, reading, now_s)
        left = ""
        if pump.name in self.heating.overrides_w:
            left = "left to its own thermostat by hand"
        elif reading.room_c is None:
            left = "room temperature not known: left to its own thermostat"
        elif not outdoor_c:
            left = "outdoor temperature not known: left to its own thermostat"
        if left:
            self._own.add((pump.name, period.index))
        return RoomView(
            reading.room_c,
            period.start_s - now_s,
            takes_w,
            min(pump.most_w, reading.p_w_max),
            outdoor_c,
            reading.set_point_c,
            flags,
            left,
        )

    def step(
        self,
        acts_s: float,
        dt_s: float,
        telemetry: Telemetry,
        trading: Trading,
        *,
        islanded: bool,
    ) -> None:
        """Tell every pump what was traded for it from a moment on.

        Parameters
        ----------
        acts_s : float
            When what is told now acts, since the run began. [s]
        dt_s : float
            How long what was told before has acted until then. [s]
        """
        self._told.pass_time(dt_s)
        cleared = trading.cleared_at(acts_s)
        period = None if cleared is None else cleared.period
        # Who could buy nothing did not decide to be cold.
        is_stopped = cleared is not None and any(r.code == HALTED for r in cleared.rejections)
        if period is not None and period.start_s == acts_s:
            self._told.begin_period()
        for participant, pump in self.pump_of.items():
            reading = telemetry.pumps.get(pump.name)
            is_blind = reading is not None and reading.room_c is None
            p_w: float | None = None
            if period is not None and not (
                islanded or is_stopped or is_blind or (pump.name, period.index) in self._own
            ):
                p_w = self._traded_w(participant, pump, period, trading)
            self._told.power_w[pump.name] = p_w
            self.heating.drive(pump.name, p_w)

    def _traded_w(
        self, participant: str, pump: Pump, period: DeliveryPeriod, trading: Trading
    ) -> float:
        """Return the power that a pump's trades ask for, negative while it takes. [W]"""
        traded_w = trading.scheduled_w(participant, period)
        traded_wh = traded_w * period.hours
        p_w = self._told.in_bursts(pump.name, traded_w, least_w=pump.least_w, traded_wh=traded_wh)
        return min(max(p_w, -pump.most_w), 0.0)

    def _outdoors(
        self, pump: str, period: DeliveryPeriod, reading: HeatPumpReading, now_s: float
    ) -> tuple[tuple[float, ...], tuple[str, ...]]:
        """Return what is expected outside in each period of a day, and what was done without."""
        now_index = int(now_s // self.period_s)
        days = DAY_S // self.period_s
        indices = np.arange(now_index, period.index + days)
        before_c = np.array([self._day_before(pump, int(index)) for index in indices])
        is_known = np.isfinite(before_c)
        if not is_known.any():
            return (), ()
        flags = []
        if not is_known.all():
            before_c = np.interp(indices, indices[is_known], before_c[is_known])
            flags.append("outdoor temperature of the day before not known whole: as around it")
        moved_k = 0.0
        if reading.outdoor_c is None:
            flags.append("outdoor temperature not read: as the day before")
        else:
            moved_k = reading.outdoor_c - float(before_c[0])
        return tuple((before_c[-days:] + moved_k).tolist()), tuple(flags)

    def _day_before(self, pump: str, index: int) -> float:
        """Return the mean temperature outside a day before a period; NaN if nobody knows. [deg C]

        As it was read, or before the run, of an emulated pump, as it was.
        """
        index -= DAY_S // self.period_s
        read_c = self._read_c.get(pump, {}).get(index, [])
        if index >= 0 or pump not in self.street.pumps:
            return sum(read_c) / len(read_c) if read_c else math.nan
        begin = self.start_utc_s + index * self.period_s
        instants = range(begin, begin + self.period_s, SAMPLE_S)
        was_c = [self.street.pumps[pump].outdoor_at(t) for t in instants]
        return sum(was_c) / len(was_c)


def make_home_rooms(
    rig: Rig, heating: Heating, street: Street, *, start_utc_s: int, period_s: int
) -> HomeRooms | None:
    """Return what looks after the heat pumps of a rig's homes; None if there are none."""
    pump_of = {}
    for participant in rig.participants:
        agent, measured = participant.agent, rig.device(participant.meter).measures
        if isinstance(agent, HomeAgent) and agent.building is not None:
            limits = rig.device(str(measured)).limits
            assert isinstance(limits, HeatPumpLimits)
            pump_of[participant.name] = Pump(
                str(measured), limits.p_w_max, agent.building.least_w, agent
            )
    return HomeRooms(pump_of, heating, street, start_utc_s, period_s) if pump_of else None
