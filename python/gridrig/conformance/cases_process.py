"""Cases of how a driver behaves as a program: its wire, its loop, its memory, its end."""

import asyncio
import statistics

from gridrig.conformance.case import EVERY, Case, at_least, at_most, case
from gridrig.conformance.readings import move, wrong
from gridrig.conformance.stand import Stand

WARM_READS = 30
READS = 150
READS_S_MAX = 12.0
REOPENINGS = 8
TIMEOUT_S = 1.0  # assumed of a driver that has no `timeout_s`
LOST = frozenset({"timeout", "unavailable"})


@case(
    "process.reopen",
    2,
    EVERY,
    title="Closing lets go of everything, twice is allowed, and opening again works",
    why="A driver that leaks a descriptor each time ends a week's campaign in its third night.",
    stimulus=f"{REOPENINGS} times: close, close, open, one reading. Descriptors and threads are "
    "counted by the kernel, after the first time and after the last.",
    not_covered="Leaks of the device.",
    limits=(
        at_most("readings_wrong", "1", 0),
        at_most("descriptors_leaked", "1", 0),
        at_most("threads_leaked", "1", 0),
    ),
)
async def process_reopen(stand: Stand) -> None:
    begun = stand.footprint()
    for turn in range(REOPENINGS):
        await stand.value("close")
        await stand.value("close")
        await stand.value("open")
        move(stand, turn)
        text = wrong(stand, await stand.value("read"))
        stand.count("readings_wrong", bool(text), text)
        if turn == 0:
            begun = stand.footprint()
    ended = stand.footprint()
    stand.measure("descriptors_leaked", max(0, ended.descriptors - begun.descriptors))
    stand.measure("threads_leaked", max(0, ended.threads - begun.threads))


@case(
    "process.closed",
    2,
    EVERY,
    title="A closed driver answers nothing",
    why="A value after closing is remembered, or read over a wire somebody else has now.",
    stimulus="Close, then read.",
    not_covered="Other methods.",
    limits=(at_most("values_told", "1", 0),),
    may_fail=True,
)
async def process_closed(stand: Stand) -> None:
    await stand.value("close")
    answer = await stand.attempt("read")
    stand.measure("values_told", float(answer.failure is None), str(answer.value))


@case(
    "process.absent",
    2,
    EVERY,
    title="A device that is not there is told by name, in time",
    why="The most usual mistake on a bench is a cable; its message must be the first one read.",
    stimulus="The device is taken off its wire; open.",
    not_covered="Hosts that swallow packets instead of refusing them.",
    limits=(at_most("opened", "1", 0), at_most("kinds_wrong", "1", 0)),
    may_fail=True,
    opens=False,
)
async def process_absent(stand: Stand) -> None:
    await stand.start_device()
    await stand.start_driver()
    await stand.stop_device()
    answer = await stand.attempt("open")
    stand.measure("opened", float(answer.failure is None))
    kind = None if answer.failure is None else answer.failure.kind
    stand.measure("kinds_wrong", float(kind not in LOST), f"kind {kind!r}")


@case(
    "process.lost",
    2,
    EVERY,
    title="When the device goes, no value is told any more and the error has its name",
    why="A stale value after a cable was pulled is the worst answer there is.",
    stimulus="Three readings; the device is taken off its wire; four more, the world moving on.",
    not_covered="A wire that stays up behind a gateway (see the fault half_open).",
    limits=(at_most("values_told", "1", 0), at_most("kinds_wrong", "1", 0)),
    may_fail=True,
)
async def process_lost(stand: Stand) -> None:
    for step in range(3):
        move(stand, step)
        await stand.value("read")
    await stand.stop_device()
    for step in range(3, 7):
        move(stand, step)
        answer = await stand.attempt("read")
        stand.count("values_told", answer.failure is None, str(answer.value))
        kind = "no failure" if answer.failure is None else answer.failure.kind
        stand.count("kinds_wrong", kind not in LOST, f"kind {kind!r}")


@case(
    "process.concurrent",
    2,
    EVERY,
    title="Calls made at once are all answered, and all rightly",
    why="Control, telemetry and a watchdog share one driver; questions on one wire get mixed up.",
    stimulus="Four readings and two identifications at once; four times, the world moving on.",
    not_covered="Two processes with the same device.",
    limits=(at_most("readings_wrong", "1", 0),),
)
async def process_concurrent(stand: Stand) -> None:
    for step in range(4):
        move(stand, step)
        calls = [*(stand.value("read") for _ in range(4)), stand.value("identify")]
        for reading in (await asyncio.gather(*calls, stand.value("identify")))[:4]:
            text = wrong(stand, reading)
            stand.count("readings_wrong", bool(text), text)


@case(
    "process.cancelled",
    2,
    EVERY,
    title="A call that is cancelled under way leaves the wire in order",
    why="Stop works by cancelling; the next question must not get the last one's answer.",
    stimulus="A reading cancelled 1, 5, 20 and 60 ms after it began, the world moves on, a "
    "reading; twice each.",
    not_covered="Cancelling a write: what the device took is then read back by the caller.",
    limits=(at_most("readings_wrong", "1", 0),),
)
async def process_cancelled(stand: Stand) -> None:
    for step, after_s in enumerate((0.001, 0.005, 0.02, 0.06) * 2):
        move(stand, 2 * step)
        cancelled = await stand.driver.call_and_cancel("read", after_s=after_s)
        if cancelled.failure is not None and cancelled.failure.type != "CancelledError":
            stand.saw("read", (), cancelled)
        move(stand, 2 * step + 1)
        text = wrong(stand, await stand.value("read"))
        stand.count("readings_wrong", bool(text), text)


@case(
    "process.loop-free",
    2,
    EVERY,
    title="While a driver waits for its device everything else goes on",
    why="Rule 6: wait on the loop. A blocking read stops every other device, and the safety.",
    stimulus="The device answers late (0.8 of the driver's time-out, or none); meanwhile the loop "
    "of the driver's process is asked to turn every 20 ms.",
    not_covered="Computations of less than a quarter of a second.",
    limits=(at_most("loop_blocked_s", "s", 0.25), at_least("turns", "1", 5)),
    may_fail=True,
    alone=True,
)
async def process_loop_free(stand: Stand) -> None:
    move(stand, 1)
    timeout_s = float(stand.about.get("timeout_s", TIMEOUT_S))
    if "late_reply" in stand.subject.faults:
        stand.arm("late_reply", delay_s=max(0.3, 0.8 * timeout_s))
    reading = asyncio.ensure_future(stand.attempt("read"))
    turns = 0
    stand.measure("loop_blocked_s", 0.0)
    while not reading.done():
        stand.worst("loop_blocked_s", round(await stand.driver.ping_s(), 4))
        turns += 1
        await stand.clock.sleep(0.02)
    await reading
    stand.measure("turns", turns)


@case(
    "process.memory",
    2,
    EVERY,
    title="Reading costs neither memory nor descriptors, and a bearable time",
    why="A campaign reads ten million times.",
    stimulus=f"{WARM_READS} readings, then up to {READS} more in at most {READS_S_MAX:g} s; "
    "resident memory, descriptors and threads by the kernel before and after.",
    not_covered="Leaks of less than a few hundred bytes a reading.",
    limits=(
        at_most("memory_growth_bytes_per_reading", "bytes", 4096),
        at_most("descriptors_leaked", "1", 0),
        at_most("threads_leaked", "1", 0),
        at_most("reading_s_median", "s", 1.0),
        at_least("readings", "1", 30),
    ),
    alone=True,
)
async def process_memory(stand: Stand) -> None:
    for _ in range(WARM_READS):
        await stand.value("read")
    begun, begun_s = stand.footprint(), stand.clock.now_s()
    took_s: list[float] = []
    while len(took_s) < READS and stand.clock.now_s() < begun_s + READS_S_MAX:
        move(stand, len(took_s) % 40)
        at_s = stand.clock.now_s()
        await stand.value("read")
        took_s.append(stand.clock.now_s() - at_s)
    ended = stand.footprint()
    growth = (ended.memory_bytes - begun.memory_bytes) / len(took_s)
    stand.measure("memory_growth_bytes_per_reading", round(growth, 1))
    stand.measure("descriptors_leaked", max(0, ended.descriptors - begun.descriptors))
    stand.measure("threads_leaked", max(0, ended.threads - begun.threads))
    stand.measure("reading_s_median", round(statistics.median(took_s), 4))
    stand.measure("readings", len(took_s))


CASES: tuple[Case, ...] = (
    process_reopen,
    process_closed,
    process_absent,
    process_lost,
    process_concurrent,
    process_cancelled,
    process_loop_free,
    process_memory,
)
