"""Cases of what a driver tells of a heat pump and its room, and of the power that it is told."""

import math
from typing import Any

from gridrig.conformance.case import Case, NotApplicable, at_least, at_most, case
from gridrig.conformance.cases_inverter import refused
from gridrig.conformance.readings import HEAT_PUMP_LIMITS, judge_reading, move
from gridrig.conformance.stand import Stand
from gridrig.conformance.stated_world import StatedRoom

HEAT_PUMP = ("heat_pump",)
STEPS = 16
SHARES = (1.0, 0.5, 0.25, 0.01, 0.0)
LATE_S = 3.0
KEPT_TIMES = 3
LOOK_S = 0.1
SENSORS = (("room_sensor_broken", "room_c"), ("outdoor_sensor_broken", "outdoor_c"))


def room_of(stand: Stand) -> StatedRoom:
    """Return the pump and the room of the case."""
    assert stand.room is not None
    return stand.room


def lapse_s(stand: Stand) -> float:
    """Return after which the device lets a power lapse; it may not say. [s]"""
    assert stand.subject.device.emulation is not None
    found = getattr(stand.subject.device.emulation.face, "lapse_s", None)
    if found is None:
        raise NotApplicable("the device does not say after which a power lapses")
    return float(found)


@case(
    "reading.heat-pump",
    1,
    HEAT_PUMP,
    title="Every quantity of a heat pump's reading is the world's, in its unit and with its sign",
    why="A pump that heats draws: its power is negative. Temperatures go below zero, and a comfort "
    "that is judged by a tenth of a kelvin needs the tenth.",
    stimulus=f"{STEPS} states: 11 to 41 % of its power, rooms from 15.1 to 24.1, outdoors from "
    "-14.7 to 18.3, set-points from 18 to 21 deg C; one reading each.",
    not_covered="That the real device says what the emulated one says.",
    limits=HEAT_PUMP_LIMITS,
)
async def reading_heat_pump(stand: Stand) -> None:
    for step in range(STEPS):
        move(stand, step)
        judge_reading(stand, await stand.value("read"))


@case(
    "reading.heat-pump.sensors",
    1,
    HEAT_PUMP,
    title="A temperature without a sensor is told as none, never as a number",
    why="Makers say -300.0 or 0x8000 for a sensor that is missing; told as degrees it makes a "
    "plan heat for all it can.",
    stimulus="Both sensors well; the room's broken; well; the outdoor one broken; well.",
    not_covered="A sensor that tells a wrong number, which no driver can know.",
    limits=(at_most("numbers_invented", "1", 0), at_most("numbers_lost", "1", 0)),
)
async def reading_sensors(stand: Stand) -> None:
    known = [(fault, field) for fault, field in SENSORS if fault in stand.subject.faults]
    if not known:
        raise NotApplicable("the device cannot show a sensor that is broken")
    stand.measure("numbers_invented", 0)
    move(stand, 3)
    for fault, broken in known:
        reading = await stand.value("read")
        for _, field in SENSORS:
            stand.count("numbers_lost", getattr(reading, field) is None, f"{field} is None")
        stand.arm(fault, count=1)
        told = getattr(await stand.value("read"), broken)
        stand.count("numbers_invented", told is not None, f"{broken} = {told!r} by {fault}")
    reading = await stand.value("read")
    for _, field in SENSORS:
        stand.count("numbers_lost", getattr(reading, field) is None, f"{field} is None")


@case(
    "heat.tracking",
    1,
    HEAT_PUMP,
    title="A power takes effect as asked, reads back, and is given back when it is None",
    why="Negative is heating. None is no power of 0 W: it is the pump's own thermostat.",
    stimulus="Powers of 100, 50, 25, 1 and 0 % of what the pump takes, and None after each.",
    not_covered="How fast the real device follows; what it takes below its least power.",
    limits=(
        at_most("power_error_of_rating", "1", 0.002),
        at_most("reading_error_of_rating", "1", 0.002),
        at_most("states_wrong", "1", 0),
        at_most("not_given_back", "1", 0),
    ),
)
async def heat_tracking(stand: Stand) -> None:
    room, rating_w = room_of(stand), stand.subject.rating_w
    stand.measure("states_wrong", 0)
    for share in SHARES:
        asked_w = 0.0 - round(share * rating_w, 1)
        await stand.value("set_power_w", asked_w)
        found_w = math.inf if room.told_w is None else 0.0 - room.told_w
        stand.worst("power_error_of_rating", abs(found_w - asked_w) / rating_w)
        reading = await stand.value("read")
        told_w = math.inf if reading.told_w is None else reading.told_w
        error_w = max(abs(told_w - asked_w), abs(reading.p_w - asked_w))
        stand.worst("reading_error_of_rating", error_w / rating_w)
        stand.count("states_wrong", reading.state != "told", f"told {told_w} W: {reading.state}")
        await stand.value("set_power_w", None)
        reading = await stand.value("read")
        own = room.told_w is None and reading.told_w is None and reading.state == "own"
        stand.count("not_given_back", not own, f"{room.told_w} W in the device; {reading}")


@case(
    "heat.refused",
    1,
    HEAT_PUMP,
    title="A power the pump cannot take is refused before anything is sent",
    why="Rule 1 of every driver: check before you send. A heat pump gives nothing to the grid.",
    stimulus="1 W and the rating into the grid, 102 % of the rating, NaN and both infinities.",
    not_covered="Limits of the bench, which are checked before the driver is asked.",
    limits=(at_most("accepted", "1", 0), at_most("commands_seen", "1", 0)),
    may_fail=True,
)
async def heat_refused(stand: Stand) -> None:
    rating_w = stand.subject.rating_w
    for asked_w in (1.0, rating_w, -1.02 * rating_w, math.nan, math.inf, -math.inf):
        await refused(stand, "set_power_w", asked_w)
    stand.measure("commands_seen", len(stand.commands), str(stand.commands[:3]))


@case(
    "heat.room-wins",
    1,
    HEAT_PUMP,
    title="A pump that keeps its room against what it is told is not said to follow",
    why="Who plans with a power that is not taken plans wrong, and who counts on comfort must see "
    "that the device defends it.",
    stimulus="Told 100 W, it heats with 60 % for a cold room; told its rating, it stops for a warm "
    "one; between, it follows.",
    not_covered="Whether the real device does defend its room.",
    limits=(at_most("states_wrong", "1", 0), at_most("powers_wrong", "1", 0)),
)
async def room_wins(stand: Stand) -> None:
    room, rating_w = room_of(stand), stand.subject.rating_w
    stand.measure("powers_wrong", 0)
    for told_w, mode, taken_w in (
        (100.0, "cold", 0.6 * rating_w),
        (100.0, "told", 100.0),
        (rating_w, "warm", 0.0),
        (rating_w, "told", rating_w),
    ):
        await stand.value("set_power_w", 0.0 - told_w)
        room.place(mode=mode, p_w=taken_w)
        reading = await stand.value("read")
        stand.count("states_wrong", reading.state != mode, f"{mode}: told {reading.state}")
        right = reading.told_w == 0.0 - told_w and abs(reading.p_w + taken_w) <= 1.0
        stand.count("powers_wrong", not right, f"{mode}: {reading}")


@case(
    "heat.kept",
    1,
    HEAT_PUMP,
    title="A power stays told as long as the bench reads, however soon the device forgets it",
    why="Pumps that take a power ask for it again within minutes; a bench tells it once.",
    stimulus=f"A power of half the rating; readings, four in each time after which the device lets "
    f"it lapse, for {KEPT_TIMES} such times.",
    not_covered="A lapse of minutes, waited for in full.",
    limits=(at_most("times_lost", "1", 0), at_least("readings", "1", 4 * KEPT_TIMES)),
)
async def heat_kept(stand: Stand) -> None:
    room, lasts_s = room_of(stand), lapse_s(stand)
    asked_w = 0.0 - round(stand.subject.rating_w / 2)
    await stand.value("set_power_w", asked_w)
    for turn in range(4 * KEPT_TIMES):
        await stand.clock.sleep(lasts_s / 4)
        reading = await stand.value("read")
        kept = reading.told_w == asked_w and room.told_w == 0.0 - asked_w
        stand.count("times_lost", not kept, f"{room.told_w} W in the device; {reading}")
        stand.measure("readings", turn + 1)


@case(
    "heat.lapses",
    1,
    HEAT_PUMP,
    title="A bench that falls silent does not keep a power, and the next reading says that it went",
    why="A driver that tells a power again for ever is a bench that heats or freezes a house with "
    "nobody at it.",
    stimulus="A power of half the rating; then no call at all for twice the device's time and "
    f"{LATE_S:g} s; then two readings.",
    not_covered="A lapse of minutes, waited for in full.",
    limits=(
        at_most("given_back_late_s", "s", LATE_S),
        at_most("lapse_untold", "1", 0),
        at_most("readings_wrong", "1", 0),
    ),
    may_fail=True,
)
async def heat_lapses(stand: Stand) -> None:
    room, lasts_s = room_of(stand), lapse_s(stand)
    await stand.value("set_power_w", 0.0 - round(stand.subject.rating_w / 2))
    silent_s = stand.clock.now_s()
    stand.measure("given_back_late_s", await _given_back_late_s(stand, silent_s, 2 * lasts_s))
    await stand.clock.sleep(max(0.0, silent_s + 2 * lasts_s + LATE_S - stand.clock.now_s()))
    answer = await stand.attempt("read")
    # By name or by its state: a driver may do either.
    told = answer.failure is not None or answer.value.told_w is None
    stand.measure("lapse_untold", float(not told), str(answer.value))
    reading = await stand.attempt("read")
    own = reading.failure is None and reading.value.state == "own" and room.told_w is None
    stand.measure("readings_wrong", float(not own), str(reading.failure or reading.value))


@case(
    "heat.comms-loss",
    1,
    HEAT_PUMP,
    title="When the host dies the pump goes back to its own thermostat in the device's own time",
    why='A rig may then say host_dead = "reversion-timer" and run unattended: 0 W held by nobody '
    "is a cold house.",
    stimulus="A power of 0 W; a reading; the driver's process is killed.",
    not_covered="A host that lives and sends nothing: heat.lapses.",
    limits=(at_most("given_back_late_s", "s", LATE_S),),
)
async def heat_comms_loss(stand: Stand) -> None:
    lasts_s = lapse_s(stand)
    await stand.value("set_power_w", 0.0)
    await stand.value("read")
    await stand.end_driver()
    dead_s = stand.clock.now_s()
    stand.measure("given_back_late_s", await _given_back_late_s(stand, dead_s, lasts_s))


@case(
    "heat.safe",
    1,
    HEAT_PUMP,
    title="The declared safe state is reached, an unknown one refused, and restore keeps it",
    why="A pump is safe when it keeps its own room; what restores a power 'as found' undoes that.",
    stimulus="From half the rating: a safe state with an unknown key; the rig's; restore. Told "
    "again, and restored without a safe state.",
    not_covered="The order in which the steps reach the device.",
    limits=(
        at_most("unknown_accepted", "1", 0),
        at_most("commands_for_unknown", "1", 0),
        at_most("left_told", "1", 0),
    ),
)
async def heat_safe(stand: Stand) -> None:
    room, half_w = room_of(stand), 0.0 - round(stand.subject.rating_w / 2)
    await stand.value("set_power_w", half_w)
    before = len(stand.commands)
    answer = await stand.attempt("make_safe", {"power": "own", "no_such_setting": 1})
    stand.measure("unknown_accepted", float(answer.failure is None))
    stand.measure("commands_for_unknown", len(stand.commands) - before)
    stand.measure("left_told", 0)
    settings: dict[str, Any] = stand.subject.device.safe_settings()
    for method, args in (("make_safe", (settings,)), ("restore", ())):
        await stand.value(method, *args)
        stand.count("left_told", room.told_w is not None, f"{room.told_w} W after {method}")
    await stand.value("set_power_w", half_w)
    await stand.value("restore")
    stand.count("left_told", room.told_w is not None, f"{room.told_w} W after restore alone")


async def _given_back_late_s(stand: Stand, since_s: float, within_s: float) -> float:
    """Return by how much the pump is its own later than that; `LATE_S` and more if it is not."""
    ends_s = since_s + within_s + LATE_S + 1.0
    while room_of(stand).told_w is not None and stand.clock.now_s() < ends_s:
        await stand.clock.sleep(LOOK_S)
    return round(max(0.0, stand.clock.now_s() - since_s - within_s), 2)


CASES: tuple[Case, ...] = (
    reading_heat_pump,
    reading_sensors,
    heat_tracking,
    heat_refused,
    room_wins,
    heat_kept,
    heat_lapses,
    heat_comms_loss,
    heat_safe,
)
