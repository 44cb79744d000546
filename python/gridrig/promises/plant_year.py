"""A year of certified plants in twelve days: sun and storage are driven, every hour is signed.

One day of each month, the fifteenth. What the meters signed is kept as it was received and as it
was verified; beside it stands what the inverters said of themselves, which is the only other
witness of that energy.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gridrig._core import MeterPeriod, VerifiedReading, Verifier
from gridrig.campaign.lab import Lab
from gridrig.errors import DriverError, MeteringError
from gridrig.metering.keys import enrol_all
from gridrig.quantity import DAY_S

HOUR_S = 3600
STEP_S = 900
LATITUDE_DEG = 50.0
YEAR = 2017
MONTHS = 12
CLOUDS = (1.0, 0.9, 0.7, 1.0, 0.8)
"""What the clouds leave of a clear sky, day by day in turn."""
CHARGING_H = range(10, 13)
DISCHARGING_H = range(18, 21)
CHARGE_W, DISCHARGE_W = 1_500.0, 1_400.0


def day_start_utc_s(month: int) -> int:
    """Return when the day of a month begins, 1 to 12. [s since 1970]"""
    return int(datetime(YEAR, month, 15, tzinfo=UTC).timestamp())


def sun_share(utc_s: int) -> float:
    """Return what the sun gives of a plant's rating: the sine of its elevation, less the clouds.

    References
    ----------
    .. [1] P. I. Cooper, "The absorption of radiation in solar stills," Solar Energy 12(3), 1969.
    """
    when = datetime.fromtimestamp(utc_s, UTC)
    day = when.timetuple().tm_yday
    tilt = math.radians(23.45 * math.sin(math.tau * (284 + day) / 365))
    hour_angle = math.radians(15.0 * (when.hour + when.minute / 60 - 12))
    place = math.radians(LATITUDE_DEG)
    sine = math.sin(place) * math.sin(tilt)
    sine += math.cos(place) * math.cos(tilt) * math.cos(hour_angle)
    return max(0.0, sine) * CLOUDS[when.month % len(CLOUDS)]


@dataclass
class PlantYear:
    """What was signed, and what the inverters said meanwhile.

    Parameters
    ----------
    readings : mapping of meter to list of VerifiedReading
        At the edges of hours, in order.
    records : mapping of meter to list of bytes
        The same as received.
    plant_of : mapping of meter to device
        What each meter measures.
    rated_w : mapping of device to float
        Nameplate of each plant. [W]
    unread : int
        Readings that a meter did not give or that were refused.
    given_wh, taken_wh : mapping of device to float
        Energy by the inverters' own telemetry. [Wh]
    """

    readings: dict[str, list[VerifiedReading]] = field(default_factory=dict)
    records: dict[str, list[bytes]] = field(default_factory=dict)
    plant_of: dict[str, str] = field(default_factory=dict)
    rated_w: dict[str, float] = field(default_factory=dict)
    unread: int = 0
    given_wh: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    taken_wh: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    between: dict[str, VerifiedReading] = field(default_factory=dict)
    """At half past noon in June: within an hour that has its own two readings."""

    def hours(self, meter: str) -> list[MeterPeriod]:
        """Return the hours of a meter between two of its readings, those of one day only."""
        return [
            MeterPeriod(meter, one, other)
            for one, other in zip(self.readings[meter], self.readings[meter][1:], strict=False)
            if other.time_s - one.time_s == HOUR_S
        ]


async def run_year(lab: Lab) -> PlantYear:
    """Let twelve days pass and have every meter sign every hour of them."""
    year, verifier = PlantYear(), Verifier()
    enrol_all(verifier, lab.rig.keys)
    year.plant_of = {meter.name: str(meter.measures) for meter in lab.rig.signing()}
    meters = list(year.plant_of)
    year.readings = {name: [] for name in meters}
    year.records = {name: [] for name in meters}
    for device in lab.rig.of("inverter"):
        year.rated_w[device.name] = (await lab.driver(device.name).read()).w_max
    for month in range(1, MONTHS + 1):
        start_s = day_start_utc_s(month)
        # Between the days nobody is awake: nothing flows, and the clock alone goes on.
        await lab.clock.sleep_until(float(start_s - lab.clock.start_utc_s))
        for name in meters:
            await lab.bench.devices[name].sync_clock(start_s)
        await _sign(lab, year, verifier, start_s)
        for hour in range(DAY_S // HOUR_S):
            from_s = start_s + hour * HOUR_S
            half_s = from_s + HOUR_S // 2
            await _pass(lab, year, from_s, half_s)
            if (month, hour) == (6, 12):
                for name in meters:
                    if (found := await _reading(lab, name, verifier, half_s)) is not None:
                        year.between[name] = found[0]
            await _pass(lab, year, half_s, from_s + HOUR_S)
            await _sign(lab, year, verifier, from_s + HOUR_S)
    return year


async def _pass(lab: Lab, year: PlantYear, from_s: int, to_s: int) -> None:
    for begin_s in range(from_s, to_s, STEP_S):
        share = sun_share(begin_s + STEP_S // 2)
        for device in lab.rig.of("inverter"):
            lab.give(device.name, share * year.rated_w[device.name])
        for device in lab.rig.of("storage"):
            await lab.driver(device.name).set_power_w(_order_w(begin_s))
        left_s = begin_s + STEP_S - lab.clock.start_utc_s - lab.clock.now_s()
        # Half a step to settle, a look at what the inverters say, and the other half.
        await lab.pass_time(left_s / 2, step_s=left_s / 2)
        for device in lab.rig.of("inverter", "storage"):
            said = await lab.driver(device.name).read()
            side = year.given_wh if said.p_w >= 0 else year.taken_wh
            side[device.name] += abs(said.p_w) * STEP_S / HOUR_S
        left_s = begin_s + STEP_S - lab.clock.start_utc_s - lab.clock.now_s()
        await lab.pass_time(left_s, step_s=left_s)


def _order_w(utc_s: int) -> float:
    hour = utc_s % DAY_S // HOUR_S
    if hour in CHARGING_H:
        return -CHARGE_W
    return DISCHARGE_W if hour in DISCHARGING_H else 0.0


async def _sign(lab: Lab, year: PlantYear, verifier: Verifier, utc_s: int) -> None:
    for name in year.readings:
        found = await _reading(lab, name, verifier, utc_s)
        if found is None:
            year.unread += 1
            continue
        year.readings[name].append(found[0])
        year.records[name].append(found[1])


async def _reading(
    lab: Lab, meter: str, verifier: Verifier, utc_s: int
) -> tuple[VerifiedReading, bytes] | None:
    """Return what a meter signed for a moment, verified and as received; None if it is no use."""
    try:
        record = await lab.bench.devices[meter].sign(utc_s)
        return verifier.verify(record, at_s=utc_s, meter=meter), record
    except (DriverError, MeteringError):
        return None
