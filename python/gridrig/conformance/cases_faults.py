"""One case for each fault of the catalogue that a device's face can show.

Under a fault every answer is right or a `DriverError` of a kind; afterwards the driver finds back.
The world moves before each call, so that an answer that is late, old or somebody else's shows. A
fault that deceives tells a well-formed falsehood, which no driver can know by its wire: it has no
case, but for a write that is acknowledged and not carried out, which reading back shows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gridrig.conformance.case import EVERY, Case, NotApplicable, Run, at_most
from gridrig.conformance.cases_process import LOST, TIMEOUT_S
from gridrig.conformance.readings import move, wrong
from gridrig.conformance.stand import Stand
from gridrig.devices.emulators.fault import FaultValue
from gridrig.devices.emulators.fault_spec import FaultSpec

CALLS = 5
LASTS_S = 1.5
PAUSE_S = 0.1  # longer than the idle time after which a wire is closed
RECOVERY_TRIES_MAX = 6
RECOVERY_PAUSE_S = 0.5
KINDS = frozenset({"timeout", "framing", "refused", "busy", "unavailable", "readback", "other"})
ENDS_THE_WIRE = frozenset({"unplug"})
# A write that is acknowledged and has no effect: it must come out when the value is read back.
UNDONE = frozenset({"write_ignored", "fet_refused", "output_stuck"})
# Faults that change what the device truly is: what a driver tells of it then is right as told.
OF_THE_DEVICE = frozenset(
    {
        *("reversed_ct", "unit_slip", "clock_drift", "altered_reading", "forged_reading"),
        *("replayed_reading", "adoption_failed", "adoption_stuck"),
        *("room_sensor_broken", "outdoor_sensor_broken"),  # reading.heat-pump.sensors
    }
)
NEAR: Mapping[str, FaultValue] = {
    "gap_s": 0.02,
    "at_byte": 3,
    "within_s": 0.001,
    "n_bytes": 7,
    "piece_bytes": 2,
    "keep_bytes": 4,
    "down_s": 1.0,
    "idle_s": 0.05,
    "clients": 0,
    "baudrate": 4800,
    "unit": 9,
    "becomes": 4,
    "off_by": 1,
    "protocol": 1,
    "code": 4,
    "registers": 8,
    "register": 40_072,
    "loses": "nothing",
    "boot_s": 1.0,
    "protection": "cell_over_voltage",
}
# Where the values near the driver's own would never be met: the whole map is the hole.
OWN: Mapping[str, Mapping[str, FaultValue]] = {"read_hole": {"register": 0, "registers": 65_536}}
REOPENED = frozenset({"max_clients"})  # met only by who comes anew
OF_TIME = frozenset({"delay_s", "jitter_s"})  # longer than the driver waits
RESPONSE = (
    at_most("values_wrong", "1", 0),
    at_most("kinds_unknown", "1", 0),
    at_most("recovery_tries", "1", RECOVERY_TRIES_MAX),
)
LIMITS: Mapping[str, tuple[str, str]] = {
    "gone": (
        "no value is told any more, and the error is a time-out or 'unavailable'",
        "the fault comes after two calls; four more calls, the world moving on",
    ),
    "undone": (
        "the write fails by reading back",
        "the fault hits one write, of a value the device does not have",
    ),
    "met": (
        "every answer is right or fails by name, and afterwards the driver finds back",
        f"the fault hits two replies of a reading and two of a write, or breaks the wire once, "
        f"or lasts {LASTS_S:g} s; {CALLS} calls, reading and writing by turns, the world moving "
        f"on; then up to {RECOVERY_TRIES_MAX} readings, {RECOVERY_PAUSE_S:g} s apart, until one "
        "is right",
    ),
}


def kind_of(spec: FaultSpec) -> str | None:
    """Return how a fault is met: "gone", "undone" or "met".

    None if no driver can know of it, or if it takes what the catalogue has no value for.
    """
    if spec.name in UNDONE:
        return "undone"
    if spec.deceives or spec.name in OF_THE_DEVICE or set(spec) - NEAR.keys() - OF_TIME:
        return None
    return "gone" if spec.name in ENDS_THE_WIRE else "met"


def fault_cases(faults: Mapping[str, FaultSpec]) -> list[Case]:
    """Return the cases of the faults that a face can show."""
    return [of_fault(spec) for spec in faults.values() if kind_of(spec) is not None]


def left_out(faults: Iterable[FaultSpec]) -> list[tuple[str, str]]:
    """Return the faults that have no case, and what each does."""
    return [(spec.name, spec.meaning) for spec in faults if kind_of(spec) is None]


def of_fault(spec: FaultSpec) -> Case:
    """Return the case of one fault."""
    kind = kind_of(spec)
    assert kind is not None
    promise, stimulus = LIMITS[kind]
    limits = {
        "gone": (at_most("values_told", "1", 0), at_most("kinds_wrong", "1", 0)),
        "undone": (at_most("writes_believed", "1", 0),),
        "met": RESPONSE,
    }[kind]
    runs: dict[str, Run] = {"gone": Gone(spec), "undone": Undone(spec), "met": Met(spec)}
    return Case(
        f"fault.{spec.name}",
        2,
        EVERY,
        f"Under the fault {spec.name}: {promise}",
        f"Seen in the field ({spec.family}): {spec.meaning or spec.name}.",
        stimulus,
        "Other parameters of the fault, and two faults at once.",
        limits,
        runs[kind],
        may_fail=True,
    )


@dataclass(frozen=True)
class Met:
    """Lets a fault fire among calls, and sees the driver find back."""

    spec: FaultSpec

    async def __call__(self, stand: Stand) -> None:
        """Try the driver."""
        stand.measure("values_wrong", 0)
        stand.measure("kinds_unknown", 0)
        await exercise(stand, 0)
        opened = self.spec.name not in REOPENED
        if not opened:
            await stand.value("close")
        for step in range(1, CALLS + 1):
            # A fault of single replies hits a reading and a write; a lost wire is lost for both.
            if step == 1 or (step == 2 and not lasts(self.spec) and not breaks(self.spec)):
                arm(stand, self.spec)
            opened = opened or (await stand.attempt("open")).failure is None
            if opened:
                await exercise(stand, step)
            if breaks(self.spec):
                await stand.clock.sleep(PAUSE_S)
        require_fired(stand, self.spec)
        await stand.clock.sleep(LASTS_S)
        if not opened:
            await stand.attempt("open")
        stand.measure("recovery_tries", await recovered(stand))


@dataclass(frozen=True)
class Gone:
    """Takes the device away for good."""

    spec: FaultSpec

    async def __call__(self, stand: Stand) -> None:
        """Try the driver."""
        stand.measure("values_told", 0)
        stand.measure("kinds_wrong", 0)
        for step in range(2):
            move(stand, step)
            await stand.value("read")
        arm(stand, self.spec)
        for step in range(2, 6):
            move(stand, step)
            answer = await stand.attempt("read")
            stand.count("values_told", answer.failure is None, str(answer.value))
            kind = "no failure" if answer.failure is None else answer.failure.kind
            stand.count("kinds_wrong", kind not in LOST, f"kind {kind!r}")


@dataclass(frozen=True)
class Undone:
    """Lets a write be acknowledged and not carried out."""

    spec: FaultSpec

    async def __call__(self, stand: Stand) -> None:
        """Try the driver."""
        await stand.value(*writes(stand, 1))
        write = writes(stand, 7)
        before = len(stand.commands)
        stand.arm(self.spec.name, count=1)
        answer = await stand.attempt(*write)
        require_fired(stand, self.spec)
        kind = None if answer.failure is None else answer.failure.kind
        believed = kind != "readback"
        text = f"{write} came to {kind or answer.value}, {len(stand.commands) - before} commands"
        stand.count("writes_believed", believed, text)


def arm(stand: Stand, spec: FaultSpec) -> None:
    """Arm a fault with the catalogue's parameters, for two replies or for a while."""
    timeout_s = float(stand.about.get("timeout_s", TIMEOUT_S))
    own = {**NEAR, "delay_s": 1.3 * timeout_s, "jitter_s": 1.5 * timeout_s}
    own |= OWN.get(spec.name, {})
    said = {one.name: own[one.name] for one in spec.parameters if one.name in own}
    single = {"count": 1 if breaks(spec) else 2}
    stand.arm(spec.name, **said, **({"for_s": LASTS_S} if lasts(spec) else single))


def breaks(spec: FaultSpec) -> bool:
    """Whether a fault breaks the wire itself, so that once is enough."""
    return spec.family == "connection"


def lasts(spec: FaultSpec) -> bool:
    """Whether a fault is one that lasts, by its example; else it hits single replies."""
    return "for_s" in spec.example


def require_fired(stand: Stand, spec: FaultSpec) -> None:
    """Let the case go by if the fault met none of the driver's requests: it would show nothing."""
    if not any(k == "fault_fired" and d["fault"] == spec.name for k, d in stand.events):
        raise NotApplicable("the driver asks for nothing that this fault concerns")


async def exercise(stand: Stand, step: int) -> None:
    """Move the world, call the driver, and judge what it came to."""
    move(stand, step)
    write = () if step == 0 or step % 2 else writes(stand, step)
    answer = await stand.attempt(*write) if write else await stand.attempt("read")
    failure = answer.failure
    if failure is not None and failure.code == "driver.unsupported" and write:
        answer = await stand.attempt("read")
        failure, write = answer.failure, ()
    if failure is not None:
        unknown = failure.named and failure.kind not in KINDS
        stand.count("kinds_unknown", unknown, f"{failure}")
        return
    text = undone(stand, *write) if write else wrong(stand, answer.value)
    stand.count("values_wrong", bool(text), text)


def writes(stand: Stand, step: int) -> tuple[Any, ...]:
    """Return the write of a step: a method and its arguments, other values at each step."""
    match stand.subject.capability:
        case "inverter":
            return "set_limit_w", round(stand.subject.rating_w * (0.5 + 0.03 * step))
        case "storage" | "heat_pump":
            return "set_power_w", float(round(-0.02 * step * stand.subject.rating_w))
        case "bms":
            assert stand.pack is not None
            stand.pack.place(i_a=0.0)
            return "set_fets", step % 4 in (1, 2), step % 4 not in (1, 2)
        case _:
            return "sync_clock", stand.clock.utc_s() + 60 * step


def undone(stand: Stand, method: object, *args: object) -> str:
    """Return how the world differs from a write that is said to be done; empty if it does not."""
    match method, args:
        case "set_limit_w", (float() | int() as asked_w,):
            found_w = stand.terminal.now.limit_w
            near = found_w is not None and abs(found_w - asked_w) <= 0.005 * stand.subject.rating_w
            return "" if near else f"limit {found_w} W, {asked_w} W was acknowledged"
        case "set_power_w", (float() | int() as asked_w,):
            found_w = stand.taken_w()
            near = abs(found_w - asked_w) <= 0.005 * stand.subject.rating_w
            return "" if near else f"power {found_w} W, {asked_w} W was acknowledged"
        case "set_fets", _:
            assert stand.pack is not None
            found = (stand.pack.now.charge_fet, stand.pack.now.discharge_fet)
            return "" if found == args else f"switches {found}, {args} was acknowledged"
        case _:
            set_to = [data["utc_s"] for kind, data in stand.events if kind == "clock_set"]
            return "" if set_to[-1:] == list(args) else f"clock {set_to[-1:]}, {args} was told"


async def recovered(stand: Stand) -> int:
    """Return how many readings it took until one was right; 99 if none was."""
    for tries in range(1, RECOVERY_TRIES_MAX + 1):
        move(stand, 10 + tries)
        answer = await stand.attempt("read")
        if answer.failure is None:
            text = wrong(stand, answer.value)
            stand.count("values_wrong", bool(text), text)
            if not text:
                return tries
        await stand.clock.sleep(RECOVERY_PAUSE_S)
    return 99
