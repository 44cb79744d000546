"""Cases of signed meters: the record is delivered as received, whatever it says.

A driver does not judge records. It must not repair, re-encode, trim, repeat or swallow them, or the
verifier would judge something that no meter signed. The verifier's own verdicts are measured with
them, so that a vector that shows nothing is seen.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from gridrig.conformance.case import Case, CaseOver, NotApplicable, at_least, at_most, case
from gridrig.conformance.readings import move
from gridrig.conformance.stand import Stand
from gridrig.devices.wire.signed_meter import RECORD_MAX_BYTES
from gridrig.errors import MeteringError
from gridrig.metering import OcmfSigner, Verifier

METER = ("meter",)
SIGN_S = 20.0
COUNTER_MAX = 0xFFFFFFFF


@dataclass
class ScriptedSigner:
    """Signs with a key of its own, or hands out the records it was given, and keeps what it did.

    Parameters
    ----------
    signer : OcmfSigner
        Signs, unless `script` says otherwise.
    """

    signer: OcmfSigner
    script: Callable[[int, bytes], bytes] = lambda _, record: record
    records: list[bytes] = field(default_factory=list)
    signs_registers: bool = False  # the meter's records are not those of `sign`

    @property
    def public_key_der(self) -> bytes:
        """The key its records are verified with."""
        return self.signer.public_key_der

    def sign(self, pagination: int, time_s: int, import_milliwh: int, export_milliwh: int) -> bytes:
        """Return the record that the script makes of the genuine one."""
        genuine = self.signer.sign(pagination, time_s, import_milliwh, export_milliwh)
        record = self.script(len(self.records), genuine)
        self.records.append(record)
        return record

    def sign_bytes(self, data: bytes) -> bytes:
        """Sign bytes of another format, by no script."""
        self.signs_registers = True
        return self.signer.sign_bytes(data)


async def signing(stand: Stand) -> ScriptedSigner:
    """Serve a meter that signs by a script, and set its clock.

    Raises
    ------
    NotApplicable
        If the driver or the meter does not sign.
    """
    made: list[ScriptedSigner] = []

    def make(seed: int, meter: str, serial: str) -> ScriptedSigner:
        made.append(ScriptedSigner(OcmfSigner.from_seed(seed, meter, serial)))
        return made[-1]

    stand.make_signer = make
    await stand.start_device()
    if not made:
        raise NotApplicable("the meter does not sign")
    await stand.start_driver()
    await stand.value("open")
    await stand.value("sync_clock", stand.clock.utc_s())
    return made[0]


async def signed(stand: Stand) -> bytes:
    """Make the meter sign and return what the driver returns."""
    record = await stand.value("sign", stand.clock.utc_s(), deadline_s=SIGN_S)
    if not isinstance(record, bytes):
        stand.count("records_changed", True, f"sign returned {record!r}, expected bytes")
        raise CaseOver
    return record


def verdict(verifier: Verifier, record: bytes, at_s: int) -> str:
    """Return the verifier's word on a record: "ok", or the code of its refusal."""
    try:
        verifier.verify(record, at_s=at_s)
    except MeteringError as refusal:
        return refusal.code
    return "ok"


def trusting(stand: Stand, key: bytes, **more: Any) -> Verifier:
    """Return a verifier that has the meter's key."""
    verifier = Verifier()
    serial = stand.emulator.serial
    verifier.enrol("dut", serial=serial, public_key=key, **{"valid_from_s": 0, **more})
    return verifier


async def delivered(stand: Stand, signer: ScriptedSigner, what: str) -> bytes:
    """Make the meter sign; count a record that is not, byte for byte, what it made just now."""
    before = len(signer.records)
    received = await signed(stand)
    made = signer.records[before:]
    if signer.signs_registers:
        raise NotApplicable("this meter's records are made of registers that are signed themselves")
    text = f"{what}: {len(received)} bytes received, made were {[len(one) for one in made]}"
    stand.count("records_changed", made != [received], text)
    return received


@case(
    "clock",
    1,
    METER,
    title="The meter's clock is set as asked, and a time it cannot hold is refused",
    why="A record of the wrong time is settled in the wrong delivery period.",
    stimulus="The bench's time; an hour later; then -1, 0 and 2^32 s.",
    not_covered="The drift of the clock, which is the meter's.",
    limits=(at_most("clock_error_s", "s", 2), at_most("accepted", "1", 0)),
    may_fail=True,
)
async def clock(stand: Stand) -> None:
    for later_s in (0, 3600):
        asked_s = stand.clock.utc_s() + later_s
        await stand.value("sync_clock", asked_s)
        set_to = [data["utc_s"] for kind, data in stand.events if kind == "clock_set"]
        stand.worst("clock_error_s", abs(set_to[-1] - asked_s) if set_to else 1e9)
    for asked_s in (-1, 0, 1 << 32):
        answer = await stand.attempt("sync_clock", asked_s)
        kind = None if answer.failure is None else answer.failure.kind
        stand.count("accepted", kind != "limit", f"a clock of {asked_s} s came to {kind}")


@case(
    "sign.fresh",
    1,
    METER,
    title="Each record is of now: signed, verified, its registers the world's",
    why="A record that is one call late pays for the energy of another period.",
    stimulus="The world changes, the meter signs; four times, a second apart; all are verified.",
    not_covered="The time a real meter takes to sign; a register its records do not have.",
    limits=(
        at_most("records_refused", "1", 0),
        at_most("register_error_milliwh", "mWh", 0),
        at_most("time_error_s", "s", 5),
        at_most("counters_missed", "1", 0),
    ),
    opens=False,
)
async def sign_fresh(stand: Stand) -> None:
    signer = await signing(stand)
    verifier = trusting(stand, signer.public_key_der)
    counters: list[int] = []
    for step in range(4):
        move(stand, step)
        await stand.clock.sleep(1.0)  # a record's time must be later than the last one's
        at_s = stand.clock.utc_s()
        record = await signed(stand)
        try:
            reading = verifier.verify(record, at_s=at_s)
        except MeteringError as refusal:
            stand.count("records_refused", True, str(refusal))
            continue
        stand.count("records_refused", False)
        now = stand.terminal.now
        pairs = (
            (reading.import_milliwh, now.import_milliwh),
            (reading.export_milliwh, now.export_milliwh),
        )
        errors = [abs(said - truth) for said, truth in pairs if said is not None]
        stand.worst("register_error_milliwh", max(errors, default=math.inf))
        stand.worst("time_error_s", abs(reading.time_s - at_s))
        counters.append(reading.counter)
    missed = sum(b != a + 1 for a, b in pairwise(counters))
    stand.measure("counters_missed", missed, str(counters))


@case(
    "sign.exact-bytes",
    1,
    METER,
    title="A record is returned byte for byte as the meter made it",
    why="A signature is over the bytes received, never over a model of them written again.",
    stimulus="Records with blanks, tabs and line ends, keys in another order, escapes, UTF-8, "
    "bytes that are no text, zero bytes at the end, an odd length, one byte, the longest there is.",
    not_covered="Meters whose records are made of registers that are signed themselves.",
    limits=(at_most("records_changed", "1", 0), at_least("records_tried", "1", 10)),
    opens=False,
)
async def sign_exact_bytes(stand: Stand) -> None:
    signer = await signing(stand)
    vectors: list[Callable[[bytes], bytes]] = [
        lambda genuine: genuine,
        lambda genuine: genuine.replace(b",", b" ,\t\r\n "),
        lambda genuine: genuine.replace(b'"GI"', b'"\\u0047I"'),
        lambda genuine: genuine + "Zähler № 7 ∑".encode(),
        lambda _: bytes(range(256)),
        lambda genuine: genuine + b"\0\0\0",
        lambda _: b"\0" * 33,
        lambda _: b"\xff",
        lambda genuine: genuine + b"\r\n",
        lambda genuine: (genuine * 5)[:RECORD_MAX_BYTES],
    ]
    signer.script = lambda number, genuine: vectors[number % len(vectors)](genuine)
    for number in range(len(vectors)):
        await delivered(stand, signer, f"vector {number + 1}")
    stand.measure("records_tried", len(vectors))


@case(
    "sign.key-change",
    1,
    METER,
    title="After a change of keys the record of the new key is delivered unchanged",
    why="A driver that keeps the key, or the last record, hides the change from the verifier.",
    stimulus="A record with the enrolled key; the meter changes its key; another record. The "
    "verifier must take the first, refuse the second, and take it once the new key is enrolled.",
    not_covered="How a new key is trusted.",
    limits=(at_most("records_changed", "1", 0), at_most("verdicts_wrong", "1", 0)),
    opens=False,
)
async def sign_key_change(stand: Stand) -> None:
    signer = await signing(stand)
    old = trusting(stand, signer.public_key_der)
    expect(stand, old, await delivered(stand, signer, "before"), "ok")
    signer.signer = OcmfSigner.from_seed(7_777, "new key", stand.emulator.serial)
    second = await delivered(stand, signer, "after")
    expect(stand, old, second, "metering.signature_false")
    expect(stand, trusting(stand, signer.public_key_der), second, "ok")


@case(
    "sign.replay",
    1,
    METER,
    title="A record that comes again is delivered as it came, or refused by name; never mended",
    why="The verifier's ledger finds a replay, if it is told of it.",
    stimulus="A record; the meter gives the same bytes again for the next.",
    not_covered="Replays on the wire, which are faults of the wire.",
    limits=(at_most("records_changed", "1", 0), at_most("verdicts_wrong", "1", 0)),
    opens=False,
)
async def sign_replay(stand: Stand) -> None:
    signer = await signing(stand)
    signer.script = lambda number, genuine: signer.records[0] if number else genuine
    verifier = trusting(stand, signer.public_key_der)
    expect(stand, verifier, await delivered(stand, signer, "the first"), "ok")
    answer = await stand.attempt("sign", stand.clock.utc_s(), deadline_s=SIGN_S)
    if answer.failure is None:
        changed = answer.value != signer.records[-1] or len(signer.records) != 2
        stand.count("records_changed", changed, f"the second: {answer.value!r}"[:200])
        expect(stand, verifier, answer.value, "metering.replayed")


@case(
    "sign.equivocation",
    1,
    METER,
    title="Two records of one number that differ are both delivered as they came",
    why="A meter that signs two truths is caught only by who sees both.",
    stimulus="Two records with the same pagination and other registers.",
    not_covered="Two verifiers that are each shown one of them.",
    limits=(at_most("records_changed", "1", 0), at_most("verdicts_wrong", "1", 0)),
    opens=False,
)
async def sign_equivocation(stand: Stand) -> None:
    signer = await signing(stand)

    def twice(number: int, _: bytes) -> bytes:
        moment_s = stand.clock.utc_s()
        return signer.signer.sign(41, moment_s, 1_000_000 + number, 2_000_000)

    signer.script = twice
    verifier = trusting(stand, signer.public_key_der)
    for wanted in ("ok", "metering.equivocation"):
        expect(stand, verifier, await delivered(stand, signer, wanted), wanted)


@case(
    "sign.counter-rollover",
    1,
    METER,
    title="A counter at its end, and one that begins again, are delivered as they came",
    why="32 bits of pagination end; a driver that compares them as larger waits for ever.",
    stimulus="Records numbered 2^32 - 1, then 0, then 1. The verifier must refuse what goes back.",
    not_covered="Whether a market accepts a meter that begins again.",
    limits=(at_most("records_changed", "1", 0), at_most("verdicts_wrong", "1", 0)),
    opens=False,
)
async def sign_counter_rollover(stand: Stand) -> None:
    signer = await signing(stand)
    numbers = (COUNTER_MAX, 0, 1)

    def numbered(number: int, _: bytes) -> bytes:
        at_s = stand.clock.utc_s()
        return signer.signer.sign(numbers[number % 3], at_s, 1_000_000 + number, 2_000_000)

    signer.script = numbered
    verifier = trusting(stand, signer.public_key_der)
    for wanted in ("ok", "metering.counter_back", "metering.counter_back"):
        expect(stand, verifier, await delivered(stand, signer, wanted), wanted)


@case(
    "sign.clock-unset",
    1,
    METER,
    title="A refusal to sign is told as one",
    why="After a power cut a meter has no time; a record it does not make must not be waited for "
    "as if the wire were slow, nor be replaced by the last one.",
    stimulus="The meter's clock was never set; it is asked to sign.",
    not_covered="Meters that sign without a time.",
    limits=(at_most("records_invented", "1", 0),),
    may_fail=True,
    opens=False,
)
async def sign_clock_unset(stand: Stand) -> None:
    await stand.start_device()
    if not hasattr(stand.emulator, "public_key_der"):
        raise NotApplicable("the meter does not sign")
    await stand.start_driver()
    await stand.value("open")
    answer = await stand.attempt("sign", None, deadline_s=SIGN_S)
    refused = any(kind == "sign_refused" for kind, _ in stand.events)
    if answer.failure is None and not refused:
        raise NotApplicable("this meter signs without a time")
    stand.measure("records_invented", float(answer.failure is None), str(answer.value)[:80])


def expect(stand: Stand, verifier: Verifier, record: bytes, wanted: str) -> None:
    """Count a verdict of the verifier that is not the one the vector is made for."""
    found = verdict(verifier, record, stand.clock.utc_s())
    stand.count("verdicts_wrong", found != wanted, f"expected {wanted}, found {found}")


CASES: tuple[Case, ...] = (
    clock,
    sign_fresh,
    sign_exact_bytes,
    sign_key_change,
    sign_replay,
    sign_equivocation,
    sign_counter_rollover,
    sign_clock_unset,
)
