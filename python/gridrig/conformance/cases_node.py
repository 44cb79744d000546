"""Cases of a computing node: what it draws, whether it stops, what it computes, and its wire.

A node's own account of its power is not paid by, and its pause is what keeps a battery above its
reserve: what it says is held against what flows through its plug, which it does not tell.
"""

from gridrig.computing.work import Work, result_hash
from gridrig.conformance.case import NODE, Case, NotApplicable, at_least, at_most, case
from gridrig.conformance.cases_faults import RECOVERY_PAUSE_S, RECOVERY_TRIES_MAX
from gridrig.conformance.cases_process import LOST
from gridrig.conformance.stand import Stand
from gridrig.conformance.stated_world import StatedPlug

WORKS = (Work(7, 8, 5), Work(8, 8, 5))
LONG_S, SHORT_S = 60.0, 1.0  # of jobs: longer than a case, and the shortest there is
READS, PAUSE_S = 10, 0.1
RESULT_S_MAX = 6.0  # after which a job of a second counts as never done
DOWN_S = 1.0
SHARE = 0.002  # of the rating, as of every power of the catalogue


def _plug(stand: Stand) -> StatedPlug:
    assert stand.plug is not None
    return stand.plug


@case(
    "node.draw",
    1,
    NODE,
    title="What a node tells of its power and energy is what it draws, and is within its limit",
    why="A battery is promised by the power that a rig declares of its node. Power is positive "
    "into the grid, so that a node that draws reads negative.",
    stimulus=f"Idle, a job under way, idle again: {READS} readings each, {PAUSE_S:g} s apart, held "
    "against the power and energy of the plug before and after each.",
    not_covered="Nodes whose power follows their work.",
    limits=(
        at_most("p_error_of_rating", "1", SHARE),
        at_most("energy_error_milliwh", "mWh", 1),
        at_most("above_limit_of_rating", "1", SHARE),
        at_least("drawn_w", "W", 1),
    ),
)
async def node_draw(stand: Stand) -> None:
    rating_w = stand.subject.rating_w
    for busy in (False, True, False):
        await (stand.value("begin_job", WORKS[0], LONG_S) if busy else stand.value("end_job"))
        for _ in range(READS):
            least_milliwh = _plug(stand).drawn_milliwh()
            reading = await stand.value("read")
            most_milliwh, drawn_w = _plug(stand).drawn_milliwh(), _plug(stand).p_w
            told_milliwh = reading.import_milliwh
            beyond = max(least_milliwh - told_milliwh, told_milliwh - most_milliwh, 0.0)
            error = round(abs(reading.p_w + drawn_w) / rating_w, 9)
            stand.worst("p_error_of_rating", error, f"drawn {drawn_w:g} W: {reading}")
            stand.worst("energy_error_milliwh", beyond, f"{least_milliwh:g} mWh drawn: {reading}")
            stand.worst("above_limit_of_rating", max(0.0, drawn_w / rating_w - 1))
            stand.worst("drawn_w", drawn_w)
            await stand.clock.sleep(PAUSE_S)


@case(
    "node.pause",
    1,
    NODE,
    title="A pause stops work and power at once, and the safe state ends the job",
    why="At the reserve of its battery a job is paused: who says so and goes on empties it.",
    stimulus=f"A job is paused, {READS} readings, goes on, is ended; another is begun and an "
    "unknown safe state asked for, then the rig's.",
    not_covered="How much of its work a node that is paused keeps when its power fails.",
    limits=(
        at_most("drawn_paused_of_rating", "1", SHARE),
        at_most("worked_paused_s", "s", 0.01),
        at_most("states_wrong", "1", 0),
        at_most("unknown_accepted", "1", 0),
        at_most("settings_unsafe", "1", 0),
    ),
)
async def node_pause(stand: Stand) -> None:
    rating_w, idle_w = stand.subject.rating_w, _plug(stand).p_w

    async def expect(state: str, *, draws: bool) -> float:
        reading, drawn_w = await stand.value("read"), _plug(stand).p_w
        seems = drawn_w > idle_w
        text = f"expected {state}: {reading}, drawn {drawn_w:g} W"
        stand.count("states_wrong", reading.state != state or (draws and not seems), text)
        return float(reading.worked_s)

    await stand.value("begin_job", WORKS[0], LONG_S)
    await expect("running", draws=True)
    await stand.value("set_running", False)
    worked_s = await expect("paused", draws=False)
    for _ in range(READS):
        await stand.clock.sleep(PAUSE_S)
        more_s = round(await expect("paused", draws=False) - worked_s, 6)
        stand.worst("worked_paused_s", more_s)
        drawn = round(abs(_plug(stand).p_w - idle_w) / rating_w, 9)
        stand.worst("drawn_paused_of_rating", drawn, f"paused, it draws {_plug(stand).p_w:g} W")
    await stand.value("set_running", True)
    await expect("running", draws=True)
    await stand.value("end_job")
    await expect("idle", draws=False)
    await stand.value("begin_job", WORKS[1], LONG_S)
    answer = await stand.attempt("make_safe", {"running": False, "no_such_setting": True})
    stand.measure("unknown_accepted", float(answer.failure is None))
    await expect("running", draws=True)
    await stand.value("make_safe", stand.subject.device.safe_settings())
    state = (await stand.value("read")).state
    unsafe = state != "idle" or _plug(stand).p_w > idle_w
    stand.count("settings_unsafe", unsafe, f"{state}, drawn {_plug(stand).p_w:g} W")


@case(
    "node.result",
    1,
    NODE,
    title="A node tells the result of the job it was given, once it is done",
    why="A buyer pays for the result and holds its hash against the work done again.",
    stimulus=f"Two jobs of {SHORT_S:g} s with other seeds; read until done, at most "
    f"{RESULT_S_MAX:g} s each; the work is done again in integers.",
    not_covered="Works that cannot be done again in a second or two.",
    limits=(
        at_most("results_wrong", "1", 0),
        at_most("results_early", "1", 0),
        at_most("results_missing", "1", 0),
    ),
)
async def node_result(stand: Stand) -> None:
    stand.measure("results_early", 0)
    for work in WORKS:
        until_s = stand.clock.now_s() + RESULT_S_MAX
        await stand.value("begin_job", work, SHORT_S)
        reading = await stand.value("read")
        while reading.state != "done" and stand.clock.now_s() < until_s:
            stand.count("results_early", reading.result is not None, str(reading))
            await stand.clock.sleep(PAUSE_S)
            reading = await stand.value("read")
        done, right = reading.state == "done", result_hash(work, "integers")
        stand.count("results_missing", not done, f"{work}: {reading}")
        stand.count("results_wrong", done and reading.result != right, f"{work}: {reading}")


@case(
    "node.outage",
    1,
    NODE,
    title="A wire that is lost is told by name, and the job goes on meanwhile",
    why="A job is metered and paid from its begin to its end; a cable that was pulled for a second "
    "is no reason to lose it, and a stale reading would pay for work that nobody does.",
    stimulus=f"With a job under way the wire is lost for {DOWN_S:g} s, readings all the while; up "
    f"to {RECOVERY_TRIES_MAX} more, {RECOVERY_PAUSE_S:g} s apart, until one is answered; then the "
    "node is taken off its wire for good: four more.",
    not_covered="A node that is switched off and on.",
    limits=(
        at_most("kinds_wrong", "1", 0),
        at_most("recovery_tries", "1", RECOVERY_TRIES_MAX),
        at_most("jobs_lost", "1", 0),
        at_most("values_told", "1", 0),
    ),
    may_fail=True,
)
async def node_outage(stand: Stand) -> None:
    if "outage" not in stand.subject.faults:
        raise NotApplicable("its wire does not come back under its name")
    await stand.value("begin_job", WORKS[0], LONG_S)
    worked_s = (await stand.value("read")).worked_s
    stand.arm("outage", down_s=DOWN_S)
    back_s = stand.clock.now_s() + DOWN_S
    while stand.clock.now_s() < back_s - RECOVERY_PAUSE_S / 2:
        await _unheard(stand)
        await stand.clock.sleep(PAUSE_S)
    for tries in range(1, RECOVERY_TRIES_MAX + 1):
        await stand.clock.sleep(RECOVERY_PAUSE_S)
        answer = await stand.attempt("read")
        if answer.failure is None:
            stand.measure("recovery_tries", tries)
            on = answer.value.state == "running" and answer.value.worked_s >= worked_s + DOWN_S
            stand.measure("jobs_lost", float(not on), str(answer.value))
            break
    await stand.stop_device()
    for _ in range(4):
        await _unheard(stand)


async def _unheard(stand: Stand) -> None:
    """Read while nobody can answer."""
    answer = await stand.attempt("read")
    stand.count("values_told", answer.failure is None, str(answer.value))
    kind = "no failure" if answer.failure is None else answer.failure.kind
    stand.count("kinds_wrong", kind not in LOST, f"kind {kind!r}")


CASES: tuple[Case, ...] = (node_draw, node_pause, node_result, node_outage)
