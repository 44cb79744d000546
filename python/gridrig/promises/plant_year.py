"""Days of certified plants: sun and storage are driven, every hour is signed.

A year is one day of each month, the fifteenth. What the meters signed is kept as it was received
and as it was verified; beside it stands what the inverters said of themselves, which is the only
other witness of that energy.
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
    year, verifier = await _begun(lab)
    for month in range(1, MONTHS + 1):
        between_s = day_start_utc_s(month) + DAY_S // 2 + HOUR_S // 2 if month == 6 else None
        span = _Span(day_start_utc_s(month), DAY_S // HOUR_S, STEP_S, between_s)
        await _run_span(lab, year, verifier, span)
    return year


async def run_days(lab: Lab, start_s: int, days: int, *, step_s: int = HOUR_S) -> PlantYear:
    """Let days pass without a gap and have every meter sign every hour of them.

    Parameters
    ----------
    start_s : int
        Midnight before the first. [s since 1970]
    step_s : int
        How long sun and orders are held; an hour is a whole number of them. [s]
    """
    year, verifier = await _begun(lab)
    await _run_span(lab, year, verifier, _Span(start_s, days * DAY_S // HOUR_S, step_s))
    return year


@dataclass(frozen=True)
class _Span:
    """Hours without a gap; in the middle of one, all meters may be read besides. [s]"""

    start_s: int
    hours: int
    step_s: int
    between_s: int | None = None


async def _begun(lab: Lab) -> tuple[PlantYear, Verifier]:
    year, verifier = PlantYear(), Verifier()
    enrol_all(verifier, lab.rig.keys)
    year.plant_of = {meter.name: str(meter.measures) for meter in lab.rig.signing()}
    year.readings = {name: [] for name in year.plant_of}
    year.records = {name: [] for name in year.plant_of}
    for device in lab.rig.of("inverter"):
        year.rated_w[device.name] = (await lab.driver(device.name).read()).w_max
    return year, verifier


async def _run_span(lab: Lab, year: PlantYear, verifier: Verifier, span: _Span) -> None:
    # Between the days nobody is awake: nothing flows, and the clock alone goes on.
    await lab.clock.sleep_until(float(span.start_s - lab.clock.start_utc_s))
    for name in year.readings:
        await lab.bench.devices[name].sync_clock(span.start_s)
    await _sign(lab, year, verifier, span.start_s)
    for from_s in range(span.start_s, span.start_s + span.hours * HOUR_S, HOUR_S):
        for step_s in range(from_s, from_s + HOUR_S, span.step_s):
            if step_s == span.between_s:
                for name in year.readings:
                    if (found := await _reading(lab, name, verifier, step_s)) is not None:
                        year.between[name] = found[0]
            await _pass(lab, year, step_s, span.step_s)
        await _sign(lab, year, verifier, from_s + HOUR_S)


async def _pass(lab: Lab, year: PlantYear, begin_s: int, step_s: int) -> None:
    share = sun_share(begin_s + step_s // 2)
    for device in lab.rig.of("inverter"):
        lab.give(device.name, share * year.rated_w[device.name])
    for device in lab.rig.of("storage"):
        await lab.driver(device.name).set_power_w(_order_w(begin_s))
    left_s = begin_s + step_s - lab.clock.start_utc_s - lab.clock.now_s()
    # Half a step to settle, a look at what the inverters say, and the other half.
    await lab.pass_time(left_s / 2, step_s=left_s / 2)
    for device in lab.rig.of("inverter", "storage"):
        said = await lab.driver(device.name).read()
        side = year.given_wh if said.p_w >= 0 else year.taken_wh
        side[device.name] += abs(said.p_w) * step_s / HOUR_S
    left_s = begin_s + step_s - lab.clock.start_utc_s - lab.clock.now_s()
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
