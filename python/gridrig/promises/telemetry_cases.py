"""What a collector must say to packets and reports that are right, wrong and in between.

Each case is told over the real socket and the answer looked up; what is expected is written here
from the published rules, not taken from the collector.
"""

import asyncio
import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gridrig.clock import Clock
from gridrig.errors import GridrigError
from gridrig.json_rpc import Request, call
from gridrig.metering.keccak_signing import (
    GLOW_DOMAIN,
    SECP256K1_ORDER,
    KeccakSigner,
    Sample,
    arkreen_report,
    base58,
    glow_report,
)
from gridrig.metering.keys import EnrolledKey
from gridrig.telemetry.enrolled_boxes import arkreen_key, glow_key
from gridrig.telemetry.glow_collector import GlowCollector
from gridrig.telemetry.miner_collector import METHOD, MinerCollector
from gridrig.telemetry.slot_table import Slot

NUMBER = 99
RATED_MILLIWATT = 10_000_000
PROBE = KeccakSigner.from_seed(1, "probe of glow")
MINER = KeccakSigner.from_seed(1, "probe of arkreen")
STRANGER = KeccakSigner.from_seed(1, "stranger")
BITS = 640

STORED, REPEATED = {"stored"}, {"repeated"}
FORMAT, UNKNOWN, FALSE = {"metering.format"}, {"metering.key_unknown"}, {"metering.signature_false"}
WINDOW, NOTHING = {"telemetry.slot_window"}, {"telemetry.value_nothing"}
TWO, BANNED, OVER = (
    {"telemetry.equivocation"},
    {"telemetry.slot_banned"},
    {"telemetry.over_capacity"},
)


def probe_keys() -> list[EnrolledKey]:
    """Return the keys that the cases are signed with, of a place of 10 kW each."""
    return [
        glow_key("probe-glow", NUMBER, PROBE, power_milliwatt_max=RATED_MILLIWATT),
        arkreen_key("probe-arkreen", MINER, power_milliwatt_max=RATED_MILLIWATT),
    ]


@dataclass(frozen=True)
class Told:
    """How many cases were told, and which were answered unlike the rules say."""

    count: int
    unlike: tuple[str, ...]


def _packets(now: int, offset: int) -> Iterator[tuple[str, bytes, set[str]]]:
    """Yield what is told, in order, with the answers that are right."""

    def own(slot: int, value: int) -> bytes:
        return glow_report(PROBE, NUMBER, slot, value)

    good = own(now, 41_667)
    yield "a report", good, STORED
    yield "the same again", good, REPEATED
    s = SECP256K1_ORDER - int.from_bytes(good[48:], "big")
    yield "the same with the other s", good[:48] + s.to_bytes(32, "big"), REPEATED
    yield "another value in its slot", own(now, 41_668), TWO
    yield "the same again, banned", good, REPEATED
    yield "a third value in its slot", own(now, 41_669), BANNED
    yield "135 % less a little", own(now - 1, 1_124_999), STORED
    yield "135 %", own(now - 2, 1_125_000), OVER
    yield "135 % taken", own(now - 3, -1_125_000), OVER
    yield "taken", own(now - 4, -250), STORED
    yield "no power", own(now - 5, 2), STORED
    yield "not read", own(now - 6, 3), STORED
    yield "value 0", own(now - 7, 0), NOTHING
    yield "value 1", own(now - 7, 1), NOTHING
    yield "432 ahead", own(now + 432, 5_000), STORED
    yield "433 ahead", own(now + 433, 5_000), WINDOW
    yield "432 ago", own(now - 432, 5_000), STORED
    yield "433 ago", own(now - 433, 5_000), WINDOW
    yield "behind the last slot kept", own(offset + 4_032, 5_000), WINDOW
    yield "before the first slot kept", own(offset - 1, 5_000), WINDOW
    yield "last slot of all", own(2**32 - 1, 5_000), WINDOW
    fresh = own(now - 8, 41_667)
    yield "an octet less", fresh[:-1], FORMAT
    yield "an octet more", fresh + b"\0", FORMAT
    yield "one octet", b"\0", FORMAT
    yield "beyond any meter", own(now - 8, 10**15 + 1), FORMAT
    yield "unknown number", glow_report(PROBE, NUMBER + 1, now - 8, 41_667), UNKNOWN
    yield "a stranger's key", glow_report(STRANGER, NUMBER, now - 8, 41_667), FALSE
    body = struct.pack("<IIq", NUMBER, now - 8, 41_667)
    yield "no prefix", body + PROBE.sign(body), FALSE
    yield "another prefix", body + PROBE.sign(b"EquipmentAuthorization" + body), FALSE
    swapped = struct.pack(">IIq", NUMBER, now - 8, 41_667)
    yield "most significant octet first", swapped + PROBE.sign(GLOW_DOMAIN + swapped), FORMAT
    yield "signed most significant octet first", body + PROBE.sign(GLOW_DOMAIN + swapped), FALSE
    for bit in range(BITS):
        flipped = bytearray(fresh)
        flipped[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit} flipped", bytes(flipped), UNKNOWN if bit < 32 else FALSE | FORMAT
    yield "none flipped", fresh, STORED


async def tell_packets(collector: GlowCollector, clock: Clock) -> Told:
    """Send every case to the collector by UDP and compare what it made of each."""
    loop = asyncio.get_running_loop()
    socket, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=collector.udp_address
    )
    table = collector.tables[NUMBER]
    unlike, count = [], 0
    try:
        for what, packet, right in _packets(collector.now(), table.offset):
            before = collector.outcomes.copy()
            socket.sendto(packet)
            await clock.sleep(0.01)
            made = set(collector.outcomes - before)
            count += 1
            if len(made) != 1 or not made <= right:
                unlike.append(f"{what}: {' '.join(made) or 'nothing'}")
    finally:
        socket.close()
    now, nothing = collector.now(), Slot(-1)
    banned, no_power, not_read = (table.slots.get(now - ago, nothing) for ago in (0, 5, 6))
    kept = {
        "both reports of a slot": len(banned.reports) == 2,
        "no energy of a banned slot": banned.energy_milliwh is None,
        "no power is 0": no_power.energy_milliwh == 0,
        "not read is not known": not_read.energy_milliwh is None,
    }
    unlike += [what for what, right in kept.items() if not right]
    return Told(count + len(kept), tuple(unlike))


class _Hours:
    """Hours of a miner that gives a steady power."""

    def __init__(self, begin_s: int) -> None:
        self.time_s, self.energy_milliwh = begin_s, 5_000_000

    def next(
        self, *, power_milliwatt: int = 6_000_000, gain: float = 1.0, falls: bool = False
    ) -> list[Sample]:
        """Return an hour's samples; `gain` is energy over the integral of power."""
        samples, energy = [], self.energy_milliwh
        for step in range(12):
            self.time_s += 300
            energy += round(6_000_000 * gain * 300 / 3600)
            fallen = 1_000_000 if falls and step == 11 else 0
            samples.append(Sample(self.time_s, power_milliwatt, energy - fallen))
        self.energy_milliwh = energy
        return samples


def _reports(begin_s: int) -> Iterator[tuple[str, dict[str, object], object]]:
    """Yield what is told, in order: whether it counts, or the number of the error."""
    hours = _Hours(begin_s)
    first = arkreen_report(MINER, hours.next())
    yield "12 good samples", first, True
    yield "12 more", arkreen_report(MINER, hours.next()), True
    yield "the first again", first, 12207
    samples = hours.next()
    fields = arkreen_report(MINER, samples)
    other = {key: fields[key] for key in ("address", "version", "dataList")}
    signature = MINER.sign(json.dumps(other, separators=(",", ":")).encode())
    yield "keys in another order", fields | {"signature": base58(signature + b"\0")}, 12201
    yield "a stranger's key", arkreen_report(STRANGER, samples) | {"address": MINER.address}, 12201
    yield "a stranger", arkreen_report(STRANGER, samples), 12208
    yield "a field too many", fields | {"price": 1}, 12207
    yield "no samples", arkreen_report(MINER, []), 12207
    yield "as signed", fields, True
    yield "energy falls", arkreen_report(MINER, hours.next(falls=True)), 12207
    yield "energy 1 % above power", arkreen_report(MINER, hours.next(gain=1.01)), True
    yield "energy 3 % above power", arkreen_report(MINER, hours.next(gain=1.03)), False
    yield "energy 3 % below power", arkreen_report(MINER, hours.next(gain=0.97)), False
    yield "watts for milliwatts", arkreen_report(MINER, hours.next(power_milliwatt=6_000)), False
    yield "a thousandfold energy", arkreen_report(MINER, hours.next(gain=1000)), False
    yield "right again", arkreen_report(MINER, hours.next()), True


async def tell_reports(collector: MinerCollector, begin_s: int) -> Told:
    """Report every case by JSON-RPC and compare the answers; then what was counted."""
    unlike, count = [], 0
    for what, params, right in _reports(begin_s):
        body = {"jsonrpc": "2.0", "id": count, "method": METHOD, "params": params}
        answer = await call(collector.server.address, json.dumps(body).encode())
        count += 1
        if _said(answer) != right:
            unlike.append(f"{what}: {_said(answer)}")
    # The first only says where the register stands; the hour that fell is in the next one.
    counted = collector.energy_milliwh["probe-arkreen"]
    expected = 12 * (4 * 500_000 + 505_000)
    if counted != expected:
        unlike.append(f"counted {counted} mWh and not {expected}")
    unlike += await _no_requests(collector.server.address)
    return Told(count + 1 + 3, tuple(unlike))


def _said(answer: Request) -> object:
    return answer["error"]["code"] if "error" in answer else answer["result"]["counted"]


async def _no_requests(address: tuple[str, int]) -> Sequence[str]:
    """Return which bodies that are no requests were answered as if they were."""
    answered = []
    for body in (b"", b"[" * 100_000, b'{"method": 1}'):
        try:
            await call(address, body)
        except GridrigError:
            continue
        answered.append(f"{body[:20]!r} was answered")
    return answered
