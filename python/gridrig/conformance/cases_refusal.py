"""The case of a device that takes no writes: what a driver says of settings that are read-only."""

from gridrig.conformance.case import Case, NotApplicable, at_most, case
from gridrig.conformance.cases_faults import require_fired, writes
from gridrig.conformance.readings import move, wrong
from gridrig.conformance.stand import Stand

ILLEGAL_ADDRESS = 2  # what Modbus answers to a write of a register that cannot be written
WRITE_FUNCTIONS = (6, 16, 22)
STAYS_S = 3_600.0  # longer than any case lasts


@case(
    "write.read-only",
    2,
    ("inverter", "storage", "meter", "heat_pump"),
    title="What the device does not let be written fails as 'refused', and reading goes on",
    why="A setting that firmware, a role or an installer's lock keeps read-only must not pass for "
    "set, and is no reason to call the device lost (MODBUS V1.1b3, 7: exception 02).",
    stimulus="Every write of a register is answered by exception 2, every read as ever; three "
    "times a set-point (of a meter: its clock) and a reading, the world moving on.",
    not_covered="A device where some registers of one setting can be written and others cannot; "
    "protocols that are not Modbus.",
    limits=(
        at_most("writes_believed", "1", 0),
        at_most("kinds_wrong", "1", 0),
        at_most("commands_seen", "1", 0),
        at_most("values_wrong", "1", 0),
    ),
    may_fail=True,
)
async def read_only(stand: Stand) -> None:
    spec = stand.subject.faults.get("exception")
    if spec is None or not stand.subject.device.link.kind.startswith("modbus"):
        raise NotApplicable("its wire has no registers")
    for function in WRITE_FUNCTIONS:
        stand.arm("exception", code=ILLEGAL_ADDRESS, function=function, for_s=STAYS_S)
    seen = len(stand.commands)
    for step in range(1, 4):
        move(stand, step)
        answer = await stand.attempt(*writes(stand, step))
        kind = "no failure" if answer.failure is None else answer.failure.kind
        stand.count("writes_believed", answer.failure is None, f"came to {answer.value}")
        stand.count("kinds_wrong", kind not in ("refused", "no failure"), f"kind {kind!r}")
        reading = await stand.attempt("read")
        text = str(reading.failure or wrong(stand, reading.value))
        stand.count("values_wrong", bool(text), text)
    require_fired(stand, spec)
    stand.measure("commands_seen", len(stand.commands) - seen)


CASES: tuple[Case, ...] = (read_only,)
