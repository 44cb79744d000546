"""What judges rows N1 and N7 finds collectors that break a rule, which no mutant can be."""

from collections.abc import Callable
from itertools import islice

import pytest
from criteria import assert_fails

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.lab import open_lab
from gridrig.clock import Clock, run_virtual
from gridrig.metering.keccak_signing import GLOW_GENESIS_S, KeccakSigner
from gridrig.promises import telemetry_cases, telemetry_hours
from gridrig.promises.telemetry_cases import NUMBER, Told, probe_keys, tell_packets, tell_reports
from gridrig.promises.telemetry_hours import run_hours
from gridrig.rig.description import load_rig
from gridrig.telemetry.glow_box import GlowBox
from gridrig.telemetry.glow_collector import GlowCollector
from gridrig.telemetry.miner_collector import MinerCollector
from gridrig.telemetry.slot_table import OVER_CAPACITY, STORED, Slot, SlotTable

PACKET_CASES, REPORT_CASES = 676, 20
START = GLOW_GENESIS_S + 300 * 50_000
SERVER = KeccakSigner.from_seed(1, "server")


class ForgetsTheFirst(SlotTable):
    def take(self, slot: int, value: int, report: bytes, now: int) -> str:
        self.slots.pop(slot, None)
        return super().take(slot, value, report, now)


class BelievesAnyTime(SlotTable):
    def take(self, slot: int, value: int, report: bytes, now: int) -> str:
        return super().take(slot, value, report, slot)


class CountsWhatIsBanned(SlotTable):
    def take(self, slot: int, value: int, report: bytes, now: int) -> str:
        outcome = super().take(slot, value, report, now)
        if outcome == OVER_CAPACITY:
            self.slots[slot] = Slot(value, [report])
            return STORED
        return outcome


class TakesAnySignature(GlowCollector):
    def receive(self, packet: bytes) -> str:
        self.outcomes[STORED] += 1
        return self.tables[NUMBER].take(self.now(), 5, packet, self.now())


class SetsNothingAside(MinerCollector):
    DOUBTS = frozenset()


class LooksAtCapacityAlone(MinerCollector):
    DOUBTS = frozenset({"export_over_capacity"})


def told_packets(
    table: Callable[[int, int], SlotTable], kind: type[GlowCollector] = GlowCollector
) -> Told:
    async def main(clock: Clock) -> Told:
        collector = kind(probe_keys(), SERVER, clock)
        collector.tables[NUMBER] = table(833_333, collector.now())
        await collector.start()
        try:
            return await tell_packets(collector, clock)
        finally:
            await collector.stop()

    return run_virtual(main, start_utc_s=START)


def told_reports(kind: type[MinerCollector]) -> Told:
    async def main(clock: Clock) -> Told:
        collector = kind(probe_keys(), clock)
        await collector.server.start()
        try:
            return await tell_reports(collector, clock.utc_s() - 86_400)
        finally:
            await collector.server.stop()

    return run_virtual(main, start_utc_s=START)


def test_collectors_by_the_rules_are_not_accused() -> None:
    assert told_packets(SlotTable) == Told(PACKET_CASES, ())
    assert told_reports(MinerCollector) == Told(REPORT_CASES, ())


@pytest.mark.parametrize("wrong", [ForgetsTheFirst, BelievesAnyTime, CountsWhatIsBanned])
def test_each_broken_rule_of_slots_is_found(wrong: Callable[[int, int], SlotTable]) -> None:
    unlike = told_packets(wrong).unlike
    assert_fails(len(unlike), "test_telemetry.packets_unlike_rules")


def test_a_collector_that_takes_any_signature_is_found() -> None:
    assert len(told_packets(SlotTable, TakesAnySignature).unlike) > 600


@pytest.mark.parametrize("wrong", [SetsNothingAside, LooksAtCapacityAlone])
def test_a_collector_that_sets_too_little_aside_is_found(wrong: type[MinerCollector]) -> None:
    unlike = told_reports(wrong).unlike
    assert_fails(len(unlike), "test_telemetry.reports_unlike_rules")


def test_cases_that_are_not_told_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    packets, reports = telemetry_cases._packets, telemetry_cases._reports
    monkeypatch.setattr(telemetry_cases, "_packets", lambda *at: islice(packets(*at), 13))
    monkeypatch.setattr(telemetry_cases, "_reports", lambda at: islice(reports(at), 3))
    assert_fails(told_packets(SlotTable).count, "test_telemetry.packet_cases_told")
    assert_fails(told_reports(MinerCollector).count, "test_telemetry.report_cases_told")


class NeverResends(GlowBox):
    async def sync(self) -> int:
        return 0


class TellsTwice(GlowBox):
    async def report(self, slot: int) -> None:
        await super().report(slot)
        self.history[slot] += 5
        self._send(slot)


@pytest.mark.parametrize(
    ("kind", "failing"), [(NeverResends, "slots_missing"), (TellsTwice, "slots_banned")]
)
def test_a_box_that_does_not_resend_or_tells_twice_is_found(
    kind: type[GlowBox], failing: str
) -> None:
    async def main(clock: Clock) -> dict[str, float | None]:
        async with open_lab(load_rig(RIGS / "driver-bench.toml"), clock, [], []) as lab:
            found = await run_hours(lab, (), None, box_kind=kind)
            return {name: value for name, _, value in found.judged()}

    judged = run_virtual(main, start_utc_s=START)
    assert judged[failing]
    if failing == "slots_missing":
        assert_fails(judged[failing], "test_telemetry.slots_missing")
    unlike = judged["slots_unlike_register_milliwh"]
    assert_fails(unlike, "test_telemetry.slots_unlike_register_milliwh")


def test_a_network_that_lost_nothing_and_an_hour_that_counts_more_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telemetry_hours, "LOSS", 0.0)

    async def main(clock: Clock) -> telemetry_hours.Telemetry:
        async with open_lab(load_rig(RIGS / "driver-bench.toml"), clock, [], []) as lab:
            return await run_hours(lab, (), None)

    found = run_virtual(main, start_utc_s=START)
    assert_fails(found.lost_share, "test_telemetry.reports_lost_share")
    found.miners.energy_milliwh[found.boxes[0].meter] += 1
    judged = {name: value for name, _, value in found.judged()}
    unlike = judged["samples_unlike_register_milliwh"]
    assert_fails(unlike, "test_telemetry.samples_unlike_register_milliwh")
