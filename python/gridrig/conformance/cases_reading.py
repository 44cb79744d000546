"""Cases of what a driver tells: identity, units, scale, sign, word order, freshness."""

import math
from collections.abc import Callable
from functools import partial

from gridrig.conformance.case import EVERY, Case, NotApplicable, at_least, at_most, case
from gridrig.conformance.readings import (
    INVERTER_LIMITS,
    METER_LIMITS,
    PACK_LIMITS,
    judge_reading,
    move,
    wrong,
)
from gridrig.conformance.stand import Stand
from gridrig.devices.emulators.register_image import ModelBlock
from gridrig.devices.emulators.sunspec_face import SunSpecEmulator

STEPS = 16
NOT_THE_DEVICE = "That the real device says what the emulated one says."


@case(
    "identity",
    2,
    EVERY,
    title="The driver says who the device is, and says it again",
    why="A certificate, an enrolment and a safe restart are worth nothing on another device. "
    "A wire that has no serial number leaves it empty; a driver invents none.",
    stimulus="Identify three times, the last after closing and opening again; compare with the "
    "serial number the emulated device was given, where it was given one.",
    not_covered="That the label on the housing says the same.",
    limits=(
        at_most("identities_differing", "1", 0),
        at_most("serial_wrong", "1", 0),
        at_least("names_told", "1", 2),
    ),
)
async def identity(stand: Stand) -> None:
    first = await stand.identify()
    again = await stand.identify()
    await stand.value("close")
    await stand.value("open")
    after = await stand.identify()
    stand.measure("identities_differing", (first != again) + (first != after))
    names = (first.manufacturer, first.model, first.serial, first.firmware)
    stand.measure("names_told", sum(bool(isinstance(n, str) and n.strip()) for n in names))
    emulation = stand.subject.device.emulation
    given = str(getattr(emulation.face, "serial", "") or "") if emulation else ""
    told = bool(first.serial) and bool(given)
    stand.measure("serial_wrong", float(told and first.serial != given), f"given {given!r}")


@case(
    "reading.inverter",
    1,
    ("inverter", "storage"),
    title="Every quantity of a reading is the world's, in its unit and with its sign",
    why="Most integration mistakes are of scale, sign or word order, and all of them are plausible "
    "on one operating point. Power is positive from the device into the grid.",
    stimulus=f"{STEPS} operating points, 11 % to 41 % of the rating, both signs where the device "
    "stores energy, reactive power of both signs, 0.95 to 0.99 of nominal voltage, 49.5 to 49.8 "
    "Hz; one reading each.",
    not_covered=NOT_THE_DEVICE + " Values of a single phase; harmonics.",
    limits=INVERTER_LIMITS,
)
async def reading_inverter(stand: Stand) -> None:
    for step in range(STEPS):
        move(stand, step)
        judge_reading(stand, await stand.value("read"))


@case(
    "reading.pack",
    1,
    ("bms",),
    title="Every quantity of a pack's reading is the world's, in its unit and with its sign",
    why="Current is positive while discharging; cells are in their order; a current limit is never "
    "negative and never beyond the nameplate.",
    stimulus=f"{STEPS} states: 20 to 35 % charge, both signs of current, cells all different from "
    "their neighbours, 8 to 23 deg C; one reading each.",
    not_covered=NOT_THE_DEVICE + " The rule by which a driver derives limits that no wire tells.",
    limits=PACK_LIMITS,
)
async def reading_pack(stand: Stand) -> None:
    for step in range(STEPS):
        move(stand, step)
        judge_reading(stand, await stand.value("read"))


@case(
    "reading.pack.cold",
    1,
    ("bms",),
    title="Temperatures below zero and the ends of the charge are told as they are",
    why="Offsets of 40 and of 273.1 degrees and unsigned registers show only below zero.",
    stimulus="-15, -1 and 0 deg C; a state of charge of 0, 0.5 and 1.",
    not_covered="Several sensors that differ.",
    limits=PACK_LIMITS,
)
async def reading_pack_cold(stand: Stand) -> None:
    assert stand.pack is not None
    for step, (celsius, soc) in enumerate([(-15.0, 0.0), (-1.0, 0.5), (0.0, 1.0)]):
        move(stand, step)
        stand.pack.place(temperature_c=celsius, soc=soc)
        judge_reading(stand, await stand.value("read"))


@case(
    "reading.meter",
    1,
    ("meter",),
    title="Every quantity of a meter's reading is the world's, registers to the last digit",
    why="Registers beyond 32 bits show a wrong word order and a truncated one; import and export "
    "exchanged turn a customer's bill round.",
    stimulus=f"{STEPS} operating points of both signs; registers from 0.3 to 2.9 GWh.",
    not_covered=NOT_THE_DEVICE + " The metrology of the meter; registers that roll over.",
    limits=METER_LIMITS,
)
async def reading_meter(stand: Stand) -> None:
    for step in range(STEPS):
        move(stand, step)
        judge_reading(stand, await stand.value("read"))


@case(
    "reading.zero",
    1,
    ("inverter", "storage", "meter"),
    title="Zero is told as zero, and the ends of the range as they are",
    why="A value that looks like 'not implemented' and is none (0, -1, the largest) is a value.",
    stimulus="0 W, 1 W, the rating and, where the device stores energy or measures, minus the "
    "rating and -1 W.",
    not_covered="Values beyond the rating.",
    limits=(at_most("p_error_of_rating", "1", 0.002),),
)
async def reading_zero(stand: Stand) -> None:
    rating_w = stand.subject.rating_w
    powers = [0.0, 1.0, rating_w]
    if stand.subject.capability != "inverter":
        powers += [-1.0, -rating_w]
    for p_w in powers:
        stand.terminal.place(p_w=p_w)
        judge_reading(stand, await stand.value("read"))


@case(
    "reading.fresh",
    2,
    EVERY,
    title="A reading is of now: nothing is cached, nothing is one call late",
    why="A frozen or delayed telemetry is worse than none: control and settlement trust it.",
    stimulus="The world changes; three readings; ten times, the pauses between them 0 to 0.5 s.",
    not_covered="Settings that a driver says it reads less often (a power limit set by others).",
    limits=(at_most("readings_stale", "1", 0),),
)
async def reading_fresh(stand: Stand) -> None:
    for step in range(10):
        move(stand, step)
        await stand.clock.sleep(stand.draw.choice((0.0, 0.05, 0.5)))
        for _ in range(3):
            text = wrong(stand, await stand.value("read"))
            stand.count("readings_stale", bool(text), text)


@case(
    "reading.touches-nothing",
    2,
    EVERY,
    title="Opening, identifying and reading change nothing on the device",
    why="A driver that writes when it should read spoils the settings it is to restore.",
    stimulus="Open, identify, ten readings, close; then what the device was made to do.",
    not_covered="Renewing a reversion timer, which a driver does that has written a set-point.",
    limits=(at_most("commands_seen", "1", 0),),
)
async def reading_touches_nothing(stand: Stand) -> None:
    move(stand, 3)
    await stand.identify()
    for _ in range(10):
        await stand.value("read")
    await stand.value("close")
    stand.measure("commands_seen", len(stand.commands), str(stand.commands[:3]))


@case(
    "reading.not-implemented",
    1,
    ("inverter", "storage", "meter"),
    title="A quantity the device does not implement is never told as a number",
    why="SunSpec says 0x8000 and 0xFFFF for 'not implemented'; told as -32768 W it trips a street.",
    stimulus="On a face with a SunSpec map: in every model that has it, power reads as 'not "
    "implemented', then frequency; the driver fails by name, or tells None or NaN.",
    not_covered="Reactive power, which a driver may tell as 0; wires that have no such value.",
    limits=(at_most("numbers_invented", "1", 0),),
    may_fail=True,
)
async def reading_not_implemented(stand: Stand) -> None:
    if not isinstance(stand.emulator, SunSpecEmulator):
        raise NotApplicable("the device's wire has no value that means 'not implemented'")
    move(stand, 3)
    blocks = stand.emulator.models
    stand.measure("numbers_invented", 0)
    for point, field in (("W", "p_w"), ("Hz", "f_hz")):
        kept = [(block, block.refresh) for block in blocks if point in block.model.points]
        for block, refresh in kept:
            block.refresh = partial(_without, point, refresh)
        answer = await stand.attempt("read")
        for block, refresh in kept:
            block.refresh = refresh
        said = getattr(answer.value, field, None)
        invented = answer.failure is None and said is not None and not math.isnan(said)
        stand.count("numbers_invented", invented, f"without {point}: {answer.value}")


def _without(point: str, refresh: Callable[[ModelBlock], None] | None, block: ModelBlock) -> None:
    """Refresh a model and take one point out of it."""
    if refresh is not None:
        refresh(block)
    block.set_raw(point, None)


CASES: tuple[Case, ...] = (
    identity,
    reading_inverter,
    reading_pack,
    reading_pack_cold,
    reading_meter,
    reading_zero,
    reading_fresh,
    reading_touches_nothing,
    reading_not_implemented,
)
