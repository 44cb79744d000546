"""Cases of what a driver makes an inverter do: limits, set-points, connection, reversion."""

import asyncio
import math

from gridrig.conformance.case import INVERTERS, Case, NotApplicable, at_most, case
from gridrig.conformance.readings import move, wrong
from gridrig.conformance.stand import Stand

SHARES = (1.0, 0.667, 0.5, 0.333, 0.1, 0.0)
REVERT_S = 3
REVERT_LATE_S = 3.0


@case(
    "limit.tracking",
    1,
    INVERTERS,
    title="A power limit takes effect as asked, never above, and reads back",
    why="IEEE 1547-2018 cl. 4.6.2: power does not exceed the limit. A share rounded up does.",
    stimulus="Limits of 100, 66.7, 50, 33.3, 10 and 0 % of the rating, then none.",
    not_covered="How fast the real device follows.",
    limits=(
        at_most("limit_error_of_rating", "1", 0.005),
        at_most("limit_above_of_rating", "1", 0.00001),
        at_most("readback_error_of_rating", "1", 0.0001),
        at_most("limits_left_on", "1", 0),
    ),
)
async def limit_tracking(stand: Stand) -> None:
    rating_w = stand.subject.rating_w
    for share in SHARES:
        asked_w = round(share * rating_w, 1)
        await stand.value("set_limit_w", asked_w)
        found_w = stand.terminal.now.limit_w
        found_w = math.inf if found_w is None else found_w
        stand.worst("limit_error_of_rating", abs(found_w - asked_w) / rating_w)
        stand.worst("limit_above_of_rating", (found_w - asked_w) / rating_w)
        told_w = (await stand.value("read")).limit_w
        told_w = math.inf if told_w is None else told_w
        stand.worst("readback_error_of_rating", abs(told_w - found_w) / rating_w)
    await stand.value("set_limit_w", None)
    told = (await stand.value("read")).limit_w
    left = (stand.terminal.now.limit_w is not None) + (told is not None)
    stand.measure("limits_left_on", left, f"{stand.terminal.now.limit_w} W, told {told}")


@case(
    "limit.refused",
    1,
    INVERTERS,
    title="A limit the device cannot keep is refused before anything is sent",
    why="Rule 1 of every driver: check before you send. NaN compares false with everything.",
    stimulus="Limits of 102 % of the rating, -1 W, minus the rating, NaN and both infinities.",
    not_covered="Limits of the bench, which are checked before the driver is asked.",
    limits=(at_most("accepted", "1", 0), at_most("commands_seen", "1", 0)),
    may_fail=True,
)
async def limit_refused(stand: Stand) -> None:
    rating_w = stand.subject.rating_w
    for asked_w in (1.02 * rating_w, -1.0, -rating_w, math.nan, math.inf, -math.inf):
        await refused(stand, "set_limit_w", asked_w)
    stand.measure("commands_seen", len(stand.commands), str(stand.commands[:3]))


@case(
    "connect",
    1,
    INVERTERS,
    title="The permit to connect is withdrawn and given back, and reads back",
    why="It is the last step of every safe state.",
    stimulus="Disconnect, connect, disconnect, connect.",
    not_covered="The time a real device takes to enter service (IEEE 1547-2018 cl. 4.10).",
    limits=(at_most("switches_wrong", "1", 0), at_most("readings_wrong", "1", 0)),
)
async def connect(stand: Stand) -> None:
    for on in (False, True, False, True):
        await stand.value("set_connect", on)
        at_device = stand.terminal.now.connected
        stand.count("switches_wrong", at_device is not on, f"asked {on}, device {at_device}")
        told = (await stand.value("read")).connected
        stand.count("readings_wrong", told is not on, f"device {on}, told {told}")


@case(
    "power.tracking",
    1,
    ("storage",),
    title="A set-point takes effect as asked, with its sign, in both directions",
    why="Positive is discharging. A sign lost here charges a full battery.",
    stimulus="Set-points of +-100, +-50, +-25, +-1 % of what the device gives and takes, and 0.",
    not_covered="How fast the real device follows; losses.",
    limits=(
        at_most("power_error_of_rating", "1", 0.005),
        at_most("reading_error_of_rating", "1", 0.005),
    ),
)
async def power_tracking(stand: Stand) -> None:
    rating_w, (low_w, high_w) = stand.subject.rating_w, stand.subject.storage_range_w
    for share in (1.0, 0.5, 0.25, 0.01, 0.0):
        for most_w in (high_w, low_w):
            asked_w = round(share * most_w, 1)
            await stand.value("set_power_w", asked_w)
            found_w = stand.terminal.now.p_w
            stand.worst("power_error_of_rating", abs(found_w - asked_w) / rating_w)
            told_w = (await stand.value("read")).p_w
            stand.worst("reading_error_of_rating", abs(told_w - asked_w) / rating_w)


@case(
    "power.refused",
    1,
    ("storage",),
    title="A set-point the device cannot keep is refused before anything is sent",
    why="Rule 1 of every driver: check before you send.",
    stimulus="102 % of what the device gives and takes, NaN and both infinities.",
    not_covered="Limits of the pack, which are checked before the driver is asked.",
    limits=(at_most("accepted", "1", 0), at_most("commands_seen", "1", 0)),
    may_fail=True,
)
async def power_refused(stand: Stand) -> None:
    low_w, high_w = stand.subject.storage_range_w
    for asked_w in (1.02 * high_w, 1.02 * low_w, math.nan, math.inf, -math.inf):
        await refused(stand, "set_power_w", asked_w)
    stand.measure("commands_seen", len(stand.commands), str(stand.commands[:3]))


@case(
    "restore.as-found",
    1,
    INVERTERS,
    title="Settings are saved before the first write and written back as they were found",
    why="A bench that leaves another limit than it found has changed the customer's plant.",
    stimulus="One process sets a limit of 60 % and ends without restoring. The next finds it, sets "
    "30 %, disconnects, and restores.",
    not_covered="Settings that the capability has no method for.",
    limits=(at_most("limit_error_of_rating", "1", 0.0005), at_most("left_disconnected", "1", 0)),
)
async def restore_as_found(stand: Stand) -> None:
    rating_w = stand.subject.rating_w
    await stand.value("set_limit_w", round(0.6 * rating_w))
    found_w = stand.terminal.now.limit_w
    await stand.value("close")
    await stand.another_process()
    await stand.value("open")
    await stand.value("set_limit_w", round(0.3 * rating_w))
    await stand.value("set_connect", False)
    await stand.value("restore")
    now = stand.terminal.now
    left_w = math.inf if now.limit_w is None or found_w is None else abs(now.limit_w - found_w)
    stand.measure("limit_error_of_rating", left_w / rating_w, f"{now.limit_w} of {found_w} W")
    stand.measure("left_disconnected", float(not now.connected))


@case(
    "safe.state",
    1,
    INVERTERS,
    title="The declared safe state is reached, an unknown one refused, and restore keeps it",
    why="Restoring 'as found' what was made safe would connect the device again "
    "(`Driver.restore` of gridrig.devices.capabilities).",
    stimulus="From half power: a safe state with an unknown key; then the rig's; then restore.",
    not_covered="The order in which the steps reach the device.",
    limits=(
        at_most("unknown_accepted", "1", 0),
        at_most("commands_for_unknown", "1", 0),
        at_most("settings_unsafe", "1", 0),
        at_most("settings_undone", "1", 0),
    ),
)
async def safe_state(stand: Stand) -> None:
    half_w = round(stand.subject.rating_w / 2)
    if stand.subject.capability == "storage":
        await stand.value("set_power_w", half_w)
    await stand.value("set_limit_w", half_w)
    before = len(stand.commands)
    answer = await stand.attempt("make_safe", {"connect": False, "no_such_setting": 1})
    stand.measure("unknown_accepted", float(answer.failure is None))
    stand.measure("commands_for_unknown", len(stand.commands) - before)
    settings = stand.subject.device.safe_settings()
    await stand.value("make_safe", settings)
    _look_safe(stand, "settings_unsafe", settings)
    await stand.value("restore")
    _look_safe(stand, "settings_undone", settings)


def _look_safe(stand: Stand, name: str, settings: dict[str, object]) -> None:
    now = stand.terminal.now
    found = {"connect": now.connected, "limit_w": now.limit_w, "power_w": now.p_w}
    for key, wanted in settings.items():
        unlike = found[key] != wanted
        stand.count(name, unlike, f"{key} is {found[key]}, declared {wanted}")


@case(
    "write.concurrent",
    1,
    INVERTERS,
    title="Writing and reading at once disturb each other in nothing",
    why="Control, telemetry and a watchdog's stop share one driver.",
    stimulus="Six readings and two limits at once, ten times.",
    not_covered="Two processes with the same device.",
    limits=(at_most("readings_wrong", "1", 0), at_most("limits_wrong", "1", 0)),
)
async def write_concurrent(stand: Stand) -> None:
    rating_w = stand.subject.rating_w
    stand.terminal.place(p_w=0.0)
    for turn in range(10):
        limits = [round(rating_w * (0.3 + 0.02 * turn)), round(rating_w * (0.6 + 0.02 * turn))]
        writes = [stand.value("set_limit_w", limit_w) for limit_w in limits]
        reads = [stand.value("read") for _ in range(6)]
        *_, r1, r2, r3, r4, r5, r6 = await asyncio.gather(*writes, *reads)
        for reading in (r1, r2, r3, r4, r5, r6):
            text = wrong(stand, reading)
            stand.count("readings_wrong", bool(text), text)
        found_w = stand.terminal.now.limit_w or math.inf
        near = min(abs(found_w - limit_w) for limit_w in limits) <= 0.005 * rating_w
        stand.count("limits_wrong", not near, f"{found_w} W is none of {limits}")


@case(
    "comms-loss",
    1,
    INVERTERS,
    title="When the host dies the device falls back in the time the driver promises",
    why="A driver that takes `revert_s` promises it; a rig may then say host_dead = "
    '"reversion-timer" and run unattended (IEEE 1547-2018 cl. 10.2, SunSpec model 704 RvrtTms).',
    stimulus=f"revert_s = {REVERT_S}; a set-point (limit) at half the rating; readings renew it "
    f"for {REVERT_S + 2} s; then the driver's process is killed.",
    not_covered="A host that lives and sends nothing; devices without a timer, whose rig must say "
    'host_dead = "relay" or "none".',
    limits=(
        at_most("power_lost_while_alive", "1", 0),
        at_most("revert_late_s", "s", REVERT_LATE_S),
        at_most("power_left_of_rating", "1", 0.0),
    ),
    opens=False,
)
async def comms_loss(stand: Stand) -> None:
    await stand.start_device()
    await stand.start_driver()
    if "revert_s" not in stand.about["parameters"]:
        raise NotApplicable("the driver sets no reversion timer (it takes no revert_s)")
    await stand.another_process(revert_s=REVERT_S)
    await stand.value("open")
    half_w = float(round(stand.subject.rating_w / 2))
    if stand.subject.capability == "storage":
        await stand.value("set_power_w", half_w)
    stand.terminal.place(p_w=half_w)
    await stand.value("set_limit_w", half_w)
    for _ in range(2 * (REVERT_S + 2)):
        await stand.clock.sleep(0.5)
        await stand.value("read")
        kept = _allowed_w(stand) >= 0.99 * half_w
        stand.count("power_lost_while_alive", not kept, f"{_allowed_w(stand)} W while alive")
    await stand.end_driver()
    dead_s = stand.clock.now_s()
    while _allowed_w(stand) > 0 and stand.clock.now_s() < dead_s + REVERT_S + REVERT_LATE_S + 1:
        await stand.clock.sleep(0.1)
    stand.measure("revert_late_s", round(stand.clock.now_s() - dead_s - REVERT_S, 2))
    stand.measure("power_left_of_rating", _allowed_w(stand) / stand.subject.rating_w)


def _allowed_w(stand: Stand) -> float:
    """Return what the device may still give, by its set-point or its limit. [W]"""
    now = stand.terminal.now
    limit_w = stand.subject.rating_w if now.limit_w is None else now.limit_w
    if stand.subject.capability == "storage":
        return min(abs(now.p_w), limit_w)
    return limit_w


@case(
    "reboot",
    1,
    INVERTERS,
    title="After the device restarts the driver finds it again and does not believe old settings",
    why="A device that was off has lost its set-points; a driver that remembers them has not.",
    stimulus="A limit of 50 %; the device is off for 1 s and comes back with nothing set; readings "
    "until one is right, at most 6, half a second apart; a limit of 30 %.",
    not_covered="Devices on a pty, whose name goes with them; a changed map.",
    limits=(
        at_most("readings_wrong", "1", 0),
        at_most("tries_until_right", "1", 6),
        at_most("limit_error_of_rating", "1", 0.005),
    ),
    may_fail=True,
)
async def reboot(stand: Stand) -> None:
    rating_w = stand.subject.rating_w
    await stand.value("set_limit_w", round(rating_w / 2))
    await stand.reboot(off_s=1.0)
    move(stand, 7)
    stand.terminal.place(limit_w=None)
    stand.measure("readings_wrong", 0)
    stand.measure("tries_until_right", 99)
    for tries in range(1, 7):
        answer = await stand.attempt("read")
        if answer.failure is None:
            text = wrong(stand, answer.value)
            stand.count("readings_wrong", bool(text), text)
            stand.measure("tries_until_right", tries)
            break
        await stand.clock.sleep(0.5)
    await stand.attempt("set_limit_w", round(0.3 * rating_w))
    found_w = stand.terminal.now.limit_w
    error = math.inf if found_w is None else abs(found_w - round(0.3 * rating_w)) / rating_w
    stand.measure("limit_error_of_rating", error)


async def refused(stand: Stand, method: str, *args: object) -> None:
    """Ask for what must be refused; count an acceptance, and a refusal of another kind."""
    answer = await stand.attempt(method, *args)
    kind = None if answer.failure is None else answer.failure.kind
    stand.count("accepted", kind != "limit", f"{method}{args} came to {kind or answer.value}")


CASES: tuple[Case, ...] = (
    limit_tracking,
    limit_refused,
    connect,
    power_tracking,
    power_refused,
    restore_as_found,
    safe_state,
    write_concurrent,
    comms_loss,
    reboot,
)
