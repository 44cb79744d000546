"""What judges row M28 finds a lost device, an attack that attacks nothing, and refusals untold."""

from collections import Counter
from pathlib import Path

import pytest

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.lab import Lab, open_lab
from gridrig.clock import Clock, run_virtual
from gridrig.devices.links import ModbusTlsLink
from gridrig.errors import CampaignError
from gridrig.promises import hostile_traffic as procedure
from gridrig.promises.attacks import Attacked, Tried
from gridrig.promises.hostile_traffic import Found, hostile_traffic
from gridrig.rig.description import load_rig

START = 1_466_424_000
KINDS = ("tls_refused", "unauthorised")


def on_bench(act, rig: str = "secured-inverter.toml"):
    async def main(clock: Clock):
        async with open_lab(load_rig(RIGS / rig), clock, [], []) as lab:
            return await act(lab)

    return run_virtual(main, start_utc_s=START)


async def _no_replays(clock: Clock) -> int:
    return 20


def test_each_refusal_is_told_by_the_device_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    # What plain Modbus does is tried below; here it would only take time.
    monkeypatch.setattr(procedure, "plain_replays", _no_replays)

    async def act(lab: Lab) -> tuple[Found, Counter[str]]:
        found = await hostile_traffic(lab, "pv-1")
        told = [event for event in lab.events.ordered() if event.kind in KINDS]
        return found, Counter(
            str(event.data.get("cause", event.data.get("role"))) for event in told
        )

    found, told = on_bench(act)
    by_whom = Counter[str]()
    for (who, _), count in found.tried.refused.items():
        by_whom[who] += count
    assert told["peer did not return a certificate"] == (
        by_whom["no certificate"] + by_whom["flood without certificate"]
    )
    assert told["the client's certificate: certificate has expired"] == by_whom["expired"]
    foreign = told["the client's certificate: unable to get local issuer certificate"]
    assert foreign == by_whom["foreign authority"]
    assert told["none"] == by_whom["no role"]
    half_open = told["no end of the handshake within 5 s"]
    assert half_open + told["pushed out by newer handshakes"] == by_whom["half open"] == 100
    assert told["ReadOnlySunSpec"] >= by_whom["reader"]


def test_a_device_that_is_gone_for_a_while_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    async def attack(attacked: Attacked, recordings: list[bytes], keys: Path) -> Tried:
        emulator.arm("outage", down_s=15.0)
        await attacked.clock.sleep(30.0)
        return Tried()

    monkeypatch.setattr(procedure, "plain_replays", _no_replays)
    monkeypatch.setattr(procedure, "attack", attack)

    async def act(lab: Lab) -> Found:
        nonlocal emulator
        emulator = lab.bench.emulators["pv-1"]
        return await hostile_traffic(lab, "pv-1")

    emulator = None
    found = on_bench(act)
    assert found.control_gap_s > 10
    assert found.reader_gap_s > 10


@pytest.mark.parametrize(("kept", "carried_out"), [(True, 20), (False, 0)])
def test_replays_work_on_plain_modbus_and_count_only_if_they_do(
    monkeypatch: pytest.MonkeyPatch, kept: bool, carried_out: int
) -> None:
    record = Attacked.record

    async def recorded(self: Attacked) -> list[bytes]:
        heard = await record(self)
        return heard if kept else [b"\0" * len(one) for one in heard]

    monkeypatch.setattr(Attacked, "record", recorded)
    assert run_virtual(procedure.plain_replays, start_utc_s=START) == carried_out


def test_a_plain_wire_and_missing_keys_are_named_before_anything_is_attacked() -> None:
    async def act(lab: Lab) -> str:
        link = lab.bench.link_of("pv-1")
        if isinstance(link, ModbusTlsLink):
            (Path(link.certfile).parent / "expired.crt").unlink()
        with pytest.raises(CampaignError) as caught:
            await hostile_traffic(lab, "pv-1")
        return caught.value.code

    assert on_bench(act, "one-inverter.toml") == "campaign.no_secured_wire"
    assert on_bench(act) == "campaign.keys_missing"
