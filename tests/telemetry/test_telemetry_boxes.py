"""Boxes and collectors where no procedure leads: silent meters, small energy, old slots."""

import random
from dataclasses import dataclass

import pytest

from gridrig.clock import Clock, run_virtual
from gridrig.devices.capabilities import MeterReading
from gridrig.errors import DriverError, MeteringError
from gridrig.metering.keccak_signing import GLOW_GENESIS_S, KeccakSigner, glow_report
from gridrig.telemetry.enrolled_boxes import arkreen_key, glow_key
from gridrig.telemetry.glow_box import GlowBox
from gridrig.telemetry.glow_collector import GlowCollector
from gridrig.telemetry.lossy_relay import LossyRelay
from gridrig.telemetry.miner_box import SAMPLES, MinerBox
from gridrig.telemetry.miner_collector import MinerCollector
from gridrig.telemetry.slot_table import SLOTS, WINDOW, SlotTable
from gridrig.telemetry.sync_reply import SyncReply, decode_sync

START = GLOW_GENESIS_S + 300 * 50_000
SERVER = KeccakSigner.from_seed(1, "server")
BOX = KeccakSigner.from_seed(1, "box")
KEYS = [
    glow_key("m", 7, BOX, power_milliwatt_max=10_000_000),
    arkreen_key("m", BOX, power_milliwatt_max=10_000_000),
]


@dataclass
class Meter:
    """A meter that shows what it is told to; None is silence."""

    export_milliwh: int | None = 0
    p_w: float = 0.0

    async def read(self) -> MeterReading:
        if self.export_milliwh is None:
            raise DriverError("driver.timeout", "m is silent", kind="timeout")
        return MeterReading(self.p_w, 0.0, 400.0, 50.0, 0, self.export_milliwh)


def test_small_energy_and_that_of_a_silent_meter_is_in_the_next_report() -> None:
    async def main(clock: Clock) -> dict[int, int | None]:
        collector = GlowCollector(KEYS, SERVER, clock)
        await collector.start()
        meter = Meter()
        box = GlowBox(meter, 7, BOX, SERVER.public_key_x, clock)
        await box.open(collector.udp_address, collector.tcp_address)
        for register in (3, 5, None, 900, 900):
            await clock.sleep(300)
            meter.export_milliwh = register
            await box.report(collector.now() - 1)
        await clock.sleep(1)
        box.close()
        await collector.stop()
        return {slot - 50_000: s.energy_milliwh for slot, s in collector.tables[7].slots.items()}

    found = run_virtual(main, start_utc_s=START)
    assert found == {0: 0, 1: 5, 2: None, 3: 895, 4: 0}


def test_a_box_that_forgot_what_it_told_is_banned_and_both_reports_are_kept() -> None:
    async def main(clock: Clock) -> None:
        collector = GlowCollector(KEYS, SERVER, clock)
        first, second = (glow_report(BOX, 7, 49_999, energy) for energy in (400, 401))
        outcomes = [collector.receive(packet) for packet in (first, first, second, second)]
        assert outcomes == ["stored", "repeated", "telemetry.equivocation", "repeated"]
        slot = collector.tables[7].slots[49_999]
        assert slot.banned
        assert slot.reports == [first[:16], second[:16]]

    run_virtual(main, start_utc_s=START)


def test_no_slot_and_no_time_breaks_the_table() -> None:
    chance = random.Random(1)
    table, now = SlotTable(833_333, 50_000), 50_000
    for _ in range(20_000):
        now += chance.choice((0, 0, 1, 40, 400))
        slot = now + chance.choice((0, -WINDOW, WINDOW, -WINDOW - 1, WINDOW + 1, 2**31, -now))
        outcome = table.take(slot, chance.randrange(2, 10**6), bytes((chance.randrange(4),)), now)
        assert (outcome == "telemetry.slot_window") == (abs(slot - now) > WINDOW)
        assert len(table.bitmap()) == SLOTS // 8
        assert all(0 <= slot - table.offset < SLOTS for slot in table.slots)


def test_an_answer_to_a_sync_counts_only_with_the_collectors_signature() -> None:
    bits = bytearray(SLOTS // 8)
    bits[1] |= 0x02
    reply = SyncReply(BOX.public_key_x, 48_000, bytes(bits), START)
    sent = reply.encode(SERVER)
    assert len(sent) == 2 + 32 + 4 + 504 + 36 + 64 + 8 + 64
    assert decode_sync(sent, SERVER.public_key_x) == reply
    assert [s for s in range(47_000, 53_000) if reply.heard(s)] == [48_009]
    changed = bytearray(sent)
    changed[100] ^= 1
    for wrong, code in (
        (bytes(changed), "telemetry.sync_signature"),
        (sent[:-1], "telemetry.sync_format"),
        (b"\0", "telemetry.sync_unknown"),
        (b"", "telemetry.sync_format"),
    ):
        with pytest.raises(MeteringError) as refused:
            decode_sync(wrong, SERVER.public_key_x)
        assert refused.value.code == code
    with pytest.raises(MeteringError):
        decode_sync(sent, BOX.public_key_x)


def test_without_a_sync_what_was_lost_stays_lost_and_an_unknown_box_is_told_so() -> None:
    async def main(clock: Clock) -> None:
        collector = GlowCollector(KEYS, SERVER, clock)
        await collector.start()
        relay = LossyRelay(collector.udp_address, 5, loss=0.5)
        meter = Meter()
        box = GlowBox(meter, 7, BOX, SERVER.public_key_x, clock)
        await box.open(await relay.start(), collector.tcp_address)
        for number in range(40):
            meter.export_milliwh = 1_000 * (number + 1)
            await clock.sleep(300)
            await box.report(collector.now() - 1)
        heard = collector.tables[7].slots
        await clock.sleep(1)
        missing = set(box.history) - set(heard)
        assert len(missing) == relay.lost > 5
        relay.loss = 0.0
        assert await box.sync() == len(missing)
        assert set(heard) == set(box.history)
        assert await box.sync() == 0
        stranger = GlowBox(meter, 8, BOX, SERVER.public_key_x, clock)
        await stranger.open(collector.udp_address, collector.tcp_address)
        with pytest.raises(MeteringError, match="does not know"):
            await stranger.sync()
        for closes in (box.close, stranger.close, relay.stop):
            closes()
        await collector.stop()

    run_virtual(main, start_utc_s=START)


def test_a_miner_keeps_what_got_no_answer_and_sends_it_first() -> None:
    async def main(clock: Clock) -> None:
        collector = MinerCollector(KEYS, clock)
        await collector.server.start()
        address = collector.server.address
        await collector.server.stop()
        meter = Meter(0, 6_000.0)
        box = MinerBox(meter, BOX, address, clock)
        for hour in range(3):
            if hour == 2:
                await collector.server.start(port=address[1])
            for _ in range(SAMPLES):
                await clock.sleep(300)
                assert meter.export_milliwh is not None
                meter.export_milliwh += 500_000
                await box.sample()
        assert [answer["result"] for answer in box.answers] == [{"counted": True}] * 3
        assert collector.energy_milliwh["m"] == 2 * 6_000_000
        await collector.server.stop()

    run_virtual(main, start_utc_s=START)
