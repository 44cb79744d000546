"""The day of the street of 410 with a few of its homes on real wires."""

from collections.abc import Mapping

from gridrig.campaign.lab import IN_MEMORY, SEED, Lab
from gridrig.errors import DriverError
from gridrig.promises.plant_days import sun_share
from gridrig.promises.zoned_day import ZonedDay
from gridrig.promises.zoned_street import SLOT_S, SLOTS, Home, ZonedStreet
from gridrig.settlement import Journal

TAKEN_W = 300.0
"""What the battery on a wire charges with all day, as the home that buys. [W]"""
SETTLING_S = 2.0
"""A device follows the sun with the first half of it, and says so after the second. [s]"""
SELLING = ("east-roof-1", "north-roof-1", "west-roof-1")
BUYING = ("west-house-1", "north-house-1", "east-house-1")
"""Homes for which the plants of a rig stand, and its storages, as many as it has."""


async def run_day(lab: Lab) -> ZonedDay:
    """Run the slots of a day; it ends with the first in which a reading is missing."""
    storages = zip(BUYING, lab.rig.of("storage"), strict=False)
    wired = {home: (storage.name, 0.0, TAKEN_W) for home, storage in storages}
    for roof, plant in zip(SELLING, lab.rig.of("inverter"), strict=False):
        rated_w = float((await lab.driver(plant.name).read()).w_max)
        wired[roof] = (plant.name, rated_w, 0.0)
    street = ZonedStreet.draw(SEED, lab.clock.start_utc_s, wired)
    homes = [home for home in street.homes if home.device]
    keys = {key.meter: key for key in lab.rig.keys}
    meters = {str(meter.measures): meter.name for meter in lab.rig.signing()}
    day = ZonedDay(street, Journal(IN_MEMORY), {h.name: keys[meters[h.device]] for h in homes})
    for home in homes:
        await lab.driver(meters[home.device]).sync_clock(street.start_utc_s)
    await _drive(lab, street, homes, 0)
    day.begin(await _signed(lab, homes, meters, street.start_utc_s))
    while not day.missing and len(day.slots) < SLOTS:
        number = len(day.slots)
        powers_w = await _slot(lab, street, homes, number)
        ends_s = street.begins_utc_s(number + 1)
        day.pass_slot(powers_w, await _signed(lab, homes, meters, ends_s))
    return day


async def _drive(lab: Lab, street: ZonedStreet, homes: list[Home], slot: int) -> None:
    """Be the sun of the plants, and tell the battery to charge."""
    share = sun_share(street.begins_utc_s(slot) + SLOT_S // 2)
    for home in homes:
        if home.roof_w:
            lab.give(home.device, share * home.roof_w)
        else:
            await lab.driver(home.device).set_power_w(-home.load_w)


async def _slot(
    lab: Lab, street: ZonedStreet, homes: list[Home], number: int
) -> Mapping[str, float]:
    """Let a slot pass, and return what the devices say of themselves in it. [W]"""
    await _drive(lab, street, homes, number)
    await lab.pass_time(SETTLING_S, step_s=SETTLING_S / 2)
    powers_w = {home.name: (await lab.driver(home.device).read()).p_w for home in homes}
    left_s = street.begins_utc_s(number + 1) - lab.clock.start_utc_s - lab.clock.now_s()
    await lab.pass_time(left_s, step_s=left_s)
    return powers_w


async def _signed(
    lab: Lab, homes: list[Home], meters: Mapping[str, str], utc_s: int
) -> dict[str, bytes | None]:
    """Return what each meter on a wire signs for a moment; None if it does not."""
    found: dict[str, bytes | None] = {}
    for home in homes:
        try:
            found[home.name] = await lab.driver(meters[home.device]).sign(utc_s)
        except DriverError:
            found[home.name] = None
    return found
