"""What each agent sees before it orders, and what its trades ask of its device afterwards."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from gridrig._core import VerifiedReading
from gridrig.campaign.control import Control
from gridrig.campaign.home_cars import HomeCars
from gridrig.campaign.home_rooms import HomeRooms
from gridrig.campaign.sensing import Telemetry
from gridrig.campaign.street import Street
from gridrig.campaign.trading import Trading
from gridrig.market.agents import BatteryView, View
from gridrig.quantity import DAY_S, DeliveryPeriod
from gridrig.rig.description import Device
from gridrig.rig.device import HEAD

SAMPLE_S = 60  # forecasts are means of what was, sampled once a minute
SOC_TOP = 0.95  # a storage operator buys only up to here


@dataclass(frozen=True)
class Seat:
    """A participant's place in the street."""

    name: str
    kind: str
    meter: Device
    device: Device | None  # what its meter measures, if that is a device
    pack: Device | None
    reserve_soc: float = 0.0  # what its owner keeps in the battery [1]


class Views:
    """Forecasts and battery views.

    Parameters
    ----------
    seats : mapping of participant to Seat
        In rig order.
    start_utc_s : int
        Scenario start. [s since 1970]
    link_va : float
        Rating of the transformer to the main grid. [VA]
    cars : HomeCars or None
        The cars of homes, if there are any.
    rooms : HomeRooms or None
        The heat pumps of homes, likewise.
    """

    def __init__(
        self,
        seats: Mapping[str, Seat],
        street: Street,
        control: Control,
        *,
        start_utc_s: int,
        link_va: float,
        cars: HomeCars | None = None,
        rooms: HomeRooms | None = None,
    ) -> None:
        self.seats = seats
        self._street = street
        self._control = control
        self._start_utc_s = start_utc_s
        self._link_va = link_va
        self._cars = cars
        self._rooms = rooms
        self._net_milliwh: dict[str, list[int | None]] = {}  # by meter, at each period's end

    def heard(self, readings: Mapping[str, VerifiedReading]) -> None:
        """Take what the meters signed at the beginning of the run, or at the end of a period."""
        for seat in self.seats.values():
            reading = readings.get(seat.meter.name)
            net = None
            if reading is not None and reading.import_milliwh is not None:
                net = (reading.export_milliwh or 0) - reading.import_milliwh
            self._net_milliwh.setdefault(seat.meter.name, []).append(net)

    def counted_wh(self, seat: Seat) -> tuple[float, ...]:
        """Return what a meter counted in each period so far, NaN where it did not say. [Wh]"""
        ends = self._net_milliwh.get(seat.meter.name, [])
        return tuple(
            math.nan if before is None or after is None else (after - before) / 1000
            for before, after in pairwise(ends)
        )

    def of(
        self,
        period: DeliveryPeriod,
        telemetry: Telemetry,
        trading: Trading,
        *,
        now_s: float,
        islanded: bool,
    ) -> Callable[[str], View]:
        """Return what a participant may look at when it orders for a period."""

        # What is sold until the period begins is gone by then, what is bought has come.
        hours = max(0.0, period.start_s - now_s) / 3600
        selling_w = self.schedules(now_s, trading)
        ahead_wh = {
            seat.name: selling_w.get(seat.device.name, 0.0) * hours
            for seat in self.seats.values()
            if seat.device is not None
        }

        tariff, tariff_ahead = trading.tariff_of(period), trading.tariff_ahead(period)

        def view(name: str) -> View:
            seat = self.seats[name]
            return View(
                period,
                tariff,
                forecast_import_wh=self._yesterday_use_wh(seat, period),
                forecast_export_wh=self._sun_wh(seat, period, telemetry),
                battery=self._store(seat, period, telemetry, now_s, ahead_wh.get(name, 0.0)),
                islanded=islanded,
                link_wh=self._link_va * period.hours,
                counted_wh=self.counted_wh(seat),
                prices_micro=trading.prices_seen(name),
                missing=self._missing(seat.device, telemetry),
                tariff_ahead=tariff_ahead,
                room=None
                if self._rooms is None or name not in self._rooms.pump_of
                else self._rooms.view(name, period, telemetry, now_s),
            )

        return view

    def _missing(self, device: Device | None, telemetry: Telemetry) -> str:
        for of_homes in (self._cars, self._rooms):
            if of_homes is not None and device is not None and of_homes.has(device):
                return of_homes.missing(device.name, telemetry)
        return ""

    def schedules(self, t_s: float, trading: Trading) -> dict[str, float]:
        """Return the power that the trades of the present period ask of each storage. [W]"""
        now = trading.cleared_at(t_s)
        if now is None:
            return {}
        return {
            seat.device.name: trading.scheduled_w(seat.name, now.period)
            for seat in self.seats.values()
            if seat.device is not None and seat.device.capability == "storage"
        }

    def plan_w(self, t_s: float, trading: Trading) -> float:
        """Return the mean power that the main grid sold less bought for the present period. [W]"""
        for cleared in trading.cleared:
            if cleared.period.start_s <= t_s < cleared.period.end_s:
                grids = (seat.name for seat in self.seats.values() if seat.meter.measures == HEAD)
                return sum(trading.scheduled_w(name, cleared.period) for name in grids)
        return 0.0

    def _instants(self, period: DeliveryPeriod) -> range:
        begin = self._start_utc_s + period.start_s - DAY_S
        return range(begin, begin + period.duration_s, SAMPLE_S)

    def _yesterday_use_wh(self, seat: Seat, period: DeliveryPeriod) -> float:
        # Of a charger nobody knows yesterday; its agent orders nothing and pays for what it took.
        if seat.kind != "consumer" or seat.device is not None or seat.meter.bus is None:
            return 0.0
        bus = seat.meter.bus
        used = [-self._street.profiles.load(bus, t)[0] for t in self._instants(period)]
        return sum(used) / len(used) * period.hours

    def _sun_wh(self, seat: Seat, period: DeliveryPeriod, telemetry: Telemetry) -> float:
        if seat.kind != "producer" or seat.device is None:
            return 0.0
        if seat.device.name not in self._street.sun:
            # Of a real inverter nobody knows yesterday: it is taken to go on as it is.
            reading = telemetry.inverters.get(seat.device.name)
            return max(0.0, reading.p_w) * period.hours if reading is not None else 0.0
        given = [self._street.sun_w(seat.device.name, t) for t in self._instants(period)]
        return sum(given) / len(given) * period.hours

    def _store(
        self,
        seat: Seat,
        period: DeliveryPeriod,
        telemetry: Telemetry,
        now_s: float,
        ahead_wh: float,
    ) -> BatteryView | None:
        if self._cars is not None and seat.device is not None and self._cars.has(seat.device):
            return self._cars.view(seat.device.name, period, telemetry, now_s)
        return self._battery(seat, telemetry, ahead_wh)

    def _battery(
        self,
        seat: Seat,
        telemetry: Telemetry,
        ahead_wh: float,
    ) -> BatteryView | None:
        if seat.device is None or seat.pack is None:
            return None
        reading = telemetry.batteries.get(seat.pack.name)
        if reading is None or seat.device.name in self._control.overrides_w:
            return None
        bounds = self._control.bounds[seat.device.name]
        capacity_wh = self._street.capacity_ah(seat.pack.name) * reading.v_v
        soc_min = max(float(getattr(seat.pack.limits, "soc_min", 0.1)), seat.reserve_soc)
        return BatteryView(
            stored_wh=max(0.0, (reading.soc - soc_min) * capacity_wh - ahead_wh),
            room_wh=max(0.0, (SOC_TOP - reading.soc) * capacity_wh + ahead_wh),
            charge_w=bounds.charge_w,
            discharge_w=bounds.discharge_w,
        )
