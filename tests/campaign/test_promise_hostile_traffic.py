"""What judges row M28 finds a lost device, an attack that attacks nothing, and refusals untold."""

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from criteria import Unpassed, assert_fails, assert_fails_alone, assert_passes, not_passed_in

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.lab import Lab, open_lab
from gridrig.campaign.outcomes import Outcome
from gridrig.clock import Clock, run_virtual
from gridrig.devices.links import ModbusTlsLink
from gridrig.errors import CampaignError
from gridrig.promises import hostile_traffic as procedure
from gridrig.promises.attacks import Attacked, Tried
from gridrig.promises.hostile_traffic import Found, hostile_traffic
from gridrig.rig.description import load_rig

NAME = "test_hostile_traffic"
START, ATTACK_S = 1_466_424_000, 60.0
NOTHING_TRIED = {"set_points_tried": Outcome.FAIL, "flood_times": Outcome.FAIL}
"""What does not pass of a right device that nobody attacks."""
Attack = Callable[[Lab, Attacked], Awaitable[None]]
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


@pytest.fixture(name="judged")
def judged_by_the_procedure(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what lets the procedure's own body judge a minute in which something else happens.

    It returns what does not pass, and what was recorded.
    """

    def judge(attack: Attack) -> tuple[Unpassed, dict[str, float | None]]:
        async def act(lab: Lab) -> tuple[Unpassed, dict[str, float | None]]:
            async def attacking(attacked: Attacked, *_: object) -> Tried:
                begin_s = lab.clock.now_s()
                await attack(lab, attacked)
                await lab.clock.sleep_until(begin_s + ATTACK_S)
                return Tried()

            monkeypatch.setattr(procedure, "plain_replays", _no_replays)
            monkeypatch.setattr(procedure, "attack", attacking)
            found = await not_passed_in(NAME, lab)
            return found, {one.name: one.value for one in lab.recorded}

        return on_bench(act)

    return judge


def test_an_attack_that_attacks_nothing_proves_nothing(judged: Any) -> None:
    async def nothing(_: Lab, __: Attacked) -> None:
        pass

    found, values = judged(nothing)
    assert found == NOTHING_TRIED
    assert_fails(values["set_points_tried"], "test_hostile_traffic.set_points_tried")
    assert_fails(values["flood_times"], "test_hostile_traffic.flood_times")


def test_a_write_that_got_through_is_seen_at_the_meter(judged: Any) -> None:
    async def sets_the_limit(_: Lab, attacked: Attacked) -> None:
        await attacked.session.ask(attacked.writes()["limit by function 16"])

    found, _ = judged(sets_the_limit)
    assert_fails_alone(found, "test_hostile_traffic.power_outside_w", beside=NOTHING_TRIED)


def test_a_device_that_is_gone_for_a_while_is_a_gap(judged: Any) -> None:
    async def gone(lab: Lab, _: Attacked) -> None:
        lab.bench.emulators["pv-1"].arm("outage", down_s=15.0)

    found, values = judged(gone)
    assert found.keys() - NOTHING_TRIED == {"control_gap_s", "reader_gap_s"}
    assert_fails(values["control_gap_s"], "test_hostile_traffic.control_gap_s")


def test_a_device_that_is_gone_again_and_again_lets_nobody_read_enough(judged: Any) -> None:
    async def comes_and_goes(lab: Lab, _: Attacked) -> None:
        for _ in range(7):
            lab.bench.emulators["pv-1"].arm("outage", down_s=5.0)
            await lab.clock.sleep(8.0)

    found, _ = judged(comes_and_goes)
    assert_fails_alone(found, "test_hostile_traffic.readings_by_reader", beside=NOTHING_TRIED)


@pytest.mark.parametrize(("kept", "carried_out"), [(True, 20), (False, 0)])
def test_replays_work_on_plain_modbus_and_count_only_if_they_do(
    monkeypatch: pytest.MonkeyPatch, kept: bool, carried_out: int
) -> None:
    record = Attacked.record

    async def recorded(self: Attacked) -> list[bytes]:
        heard = await record(self)
        return heard if kept else [b"\0" * len(one) for one in heard]

    monkeypatch.setattr(Attacked, "record", recorded)
    found = run_virtual(procedure.plain_replays, start_utc_s=START)
    assert found == carried_out
    if kept:
        assert_passes(found, "test_hostile_traffic.replays_on_plain")
    else:
        assert_fails(found, "test_hostile_traffic.replays_on_plain")


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
