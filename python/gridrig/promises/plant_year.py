"""Some days of certified plants, or all of a year: sun and storage are driven, each hour is signed.

What the meters signed is kept as it was received and as it was verified; beside it stands what the
inverters said of themselves, which is the only other witness of that energy. The battery is led by
the state of charge that its manager tells: orders by the clock alone would drift it empty or full.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from gridrig._core import MeterPeriod, VerifiedReading, Verifier
from gridrig.campaign.lab import Lab
from gridrig.errors import DriverError, MeteringError
from gridrig.metering.keys import enrol_all
from gridrig.promises.plant_days import HOUR_S, has_order, order_w, sun_share
from gridrig.quantity import DAY_S

STEP_S = 900
NOON_H = 12


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
    """At half past noon of the middle day: within an hour that has its own two readings."""
    _hours: dict[str, tuple[int, list[MeterPeriod]]] = field(default_factory=dict)

    def hours(self, meter: str) -> list[MeterPeriod]:
        """Return the hours of a meter between two of its readings, in order; no longer span."""
        readings = self.readings[meter]
        count, hours = self._hours.get(meter, (0, []))
        if count != len(readings):
            hours = [
                MeterPeriod(meter, one, other)
                for one, other in pairwise(readings)
                if other.time_s - one.time_s == HOUR_S
            ]
            self._hours[meter] = len(readings), hours
        return hours

    def unmetered(self, days: Sequence[int]) -> int:
        """Return how many hours of days no two readings of a meter lie around, of all meters."""
        wanted = {1000 * (day + hour * HOUR_S) for day in days for hour in range(DAY_S // HOUR_S)}
        return sum(len(wanted - {h.from_ms for h in self.hours(m)}) for m in self.readings)


async def run_year(lab: Lab, days: Sequence[int], *, step_s: int = STEP_S) -> PlantYear:
    """Let days pass and have every meter sign every hour of them.

    Parameters
    ----------
    lab : Lab
        Of plants and storages, each behind a signed meter.
    days : sequence of int
        When each begins, in order. Between days that do not follow each other nobody is awake:
        nothing flows, and the clock alone goes on. [s since 1970]
    step_s : int
        How long sun and orders are held; half an hour is a whole number of them. [s]
    """
    year, verifier = PlantYear(), Verifier()
    enrol_all(verifier, lab.rig.keys)
    year.plant_of = {meter.name: str(meter.measures) for meter in lab.rig.signing()}
    meters = list(year.plant_of)
    year.readings = {name: [] for name in meters}
    year.records = {name: [] for name in meters}
    for device in lab.rig.of("inverter"):
        year.rated_w[device.name] = (await lab.driver(device.name).read()).w_max
    awake_s = -1
    for start_s in days:
        await lab.clock.sleep_until(float(start_s - lab.clock.start_utc_s))
        for name in meters:
            await lab.bench.devices[name].sync_clock(start_s)
        if start_s != awake_s:  # else signed as the end of the day before
            await _sign(lab, year, verifier, start_s)
        for from_s in range(start_s, start_s + DAY_S, HOUR_S):
            half_s = from_s + HOUR_S // 2
            await _pass(lab, year, range(from_s, half_s, step_s))
            if from_s == days[len(days) // 2] + NOON_H * HOUR_S:
                for name in meters:
                    if (found := await _reading(lab, name, verifier, half_s)) is not None:
                        year.between[name] = found[0]
            await _pass(lab, year, range(half_s, from_s + HOUR_S, step_s))
            await _sign(lab, year, verifier, from_s + HOUR_S)
        awake_s = start_s + DAY_S
    return year


async def _pass(lab: Lab, year: PlantYear, steps: range) -> None:
    """Let steps of one length pass, each from when it begins. [s since 1970]"""
    for begin_s in steps:
        share = sun_share(begin_s + steps.step // 2)
        for device in lab.rig.of("inverter"):
            lab.give(device.name, share * year.rated_w[device.name])
        for device in lab.rig.of("storage"):
            p_w = await _order_w(lab, str(device.bms), begin_s)
            await lab.driver(device.name).set_power_w(p_w)
        left_s = begin_s + steps.step - lab.clock.start_utc_s - lab.clock.now_s()
        # Half a step to settle, a look at what the inverters say, and the other half.
        await lab.pass_time(left_s / 2, step_s=left_s / 2)
        for device in lab.rig.of("inverter", "storage"):
            said = await lab.driver(device.name).read()
            side = year.given_wh if said.p_w >= 0 else year.taken_wh
            side[device.name] += abs(said.p_w) * steps.step / HOUR_S
        left_s = begin_s + steps.step - lab.clock.start_utc_s - lab.clock.now_s()
        await lab.pass_time(left_s, step_s=left_s)


async def _order_w(lab: Lab, pack: str, utc_s: int) -> float:
    """Return what a storage is told, by what its pack's manager says over its wire. [W]"""
    if not has_order(utc_s):
        return 0.0
    return order_w(utc_s, (await lab.driver(pack).read()).soc)


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
