"""What judges certificates on chains finds a wrong contract, state, audit or table: tampered with.

The nodes are real, and so is what is wrong on them: a delay too short, a role too many, a balance
that came from nowhere.
"""

from collections.abc import Awaitable, Callable
from functools import cache
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest
from anvil import GENESIS_S
from criteria import assert_fails, assert_passes, module_of
from keccak_oracle import keccak, word

from gridrig._core import MeterPeriod, Verifier
from gridrig.clock import Clock, run_virtual
from gridrig.metering import EnrolledKey, OcmfSigner, enrol_all
from gridrig.promises import registries_on_chain as registries
from gridrig.promises.bench_chains import BenchChain, local_chains
from gridrig.promises.chain_reader import ChainReader
from gridrig.promises.lives_on_chain import (
    HOURS_NEEDED,
    ISSUER,
    OWNER,
    REGISTRY,
    STRANGER,
    build_registry,
    lives_on_chain,
)
from gridrig.promises.weeks_on_chain import ADMIN, TOKEN, Farm, PaidWeeks, pay_weeks
from gridrig.quantity import DAY_S
from gridrig.settlement.certificates import certificate_key
from gridrig.settlement.chain import calls, certificates
from gridrig.settlement.profiles_weekly import WEEK_S

HOUR_S = 3600
ASSET, OTHER = b"\x5a" * 32, b"\xa5" * 32
WEEK_BEGIN_S = GENESIS_S // WEEK_S * WEEK_S + WEEK_S
CERTIFIED_H = 9
STEPS_MILLIWH = (0, 333_777, 1_234_567, 999_999, 2_000_000, 70_007, 1_500_001, 1_000_000, 3_333_333)

pytestmark = pytest.mark.usefixtures("installed")


@cache
def signed(farm: str, days: int = 8) -> Farm:
    """Return days of a meter's hours, signed by its own key: nine hours a day give energy."""
    signer, verifier = OcmfSigner.from_seed(3, farm, farm), Verifier()
    enrol_all(verifier, [EnrolledKey(farm, farm, "ecdsa-p256", signer.public_key_der, 0)])
    exported, records = 0, []
    for hour in range(24 * days + 1):
        at_s = WEEK_BEGIN_S + hour * HOUR_S
        records.append(signer.sign(hour + 1, at_s, 0, exported))
        exported += (*STEPS_MILLIWH, *[0] * 15)[hour % 24] + hour % 3
    times = range(WEEK_BEGIN_S, WEEK_BEGIN_S + len(records) * HOUR_S, HOUR_S)
    readings = [verifier.verify(one, at_s=at_s) for one, at_s in zip(records, times, strict=True)]
    hours = [MeterPeriod(farm, one, other) for one, other in pairwise(readings)]
    return farm, hours, records


def farms() -> list[Farm]:
    return [signed(name) for name in ("a", "b", "c")]


def on_chains(act: Callable[..., Awaitable[Any]], count: int = 1) -> Any:
    """Start nodes, let something be done on them, and return what came of it."""

    async def main(clock: Clock) -> Any:
        with local_chains(clock, *range(31_337, 31_337 + count)) as chains:
            return await act(clock, *chains)

    return run_virtual(main, start_utc_s=GENESIS_S)


def weeks(of: list[Farm], delay_s: int = WEEK_S) -> PaidWeeks:
    found: PaidWeeks = on_chains(lambda clock, chain: pay_weeks(chain, clock, of, delay_s=delay_s))
    return found


def test_a_contract_that_pays_on_day_13_is_found() -> None:
    paid = weeks(farms(), delay_s=WEEK_S - DAY_S // 2)
    assert_fails(paid.early_micro, "test_certificates_on_chain.paid_before_day_14_micro")
    assert_fails(len(paid.refused_otherwise), "test_certificates_on_chain.refused_otherwise")
    assert "ClaimRepeated, not ClaimTooEarly" not in paid.refused_otherwise[0]
    # What was paid early is not paid on its day.
    assert_fails(paid.unpaid_micro, "test_certificates_on_chain.bucket_unlike_paid_micro")


def test_parts_of_other_energy_than_the_records_tell_of_are_found() -> None:
    (a, hours, _), (b, others, records), last = farms()
    assert [hour.export_milliwh for hour in hours] == [hour.export_milliwh for hour in others]
    half = [one for at, one in enumerate(records) if at <= 24 * 4]  # no hour of the second half
    paid = weeks([(a, hours, half), (b, others, records), last])
    assert_fails(paid.unlike_energy, "test_certificates_on_chain.paid_unlike_energy")
    assert (paid.early_micro, paid.again_micro, paid.unpaid_micro) == (0, 0, 0)


def test_money_that_comes_with_a_second_claim_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt, deploy = BenchChain.attempt, BenchChain.deploy
    tokens = []

    async def deployed(self: BenchChain, name: str, contract: str, *given: Any) -> bytes:
        where = await deploy(self, name, contract, *given)
        tokens.extend([where] if contract == TOKEN else [])
        return where

    async def generous(self: BenchChain, name: str, contract: str, call: Any) -> str:
        found = await attempt(self, name, contract, call)
        if found == "ClaimRepeated":
            gift = (self.account("farm-0"), 1)
            await self.finish(ADMIN, calls.call(call.subject, tokens[0], TOKEN, "mint", *gift))
        return found

    monkeypatch.setattr(BenchChain, "deploy", deployed)
    monkeypatch.setattr(BenchChain, "attempt", generous)
    paid = weeks(farms())
    assert paid.again_micro == 3 + 2  # accounts of two buckets
    assert_fails(paid.again_micro, "test_certificates_on_chain.paid_again_micro")
    assert (paid.early_micro, paid.unlike_energy, paid.unpaid_micro) == (0, 0, 0)
    assert paid.refused_otherwise == []


def test_a_day_of_one_farm_is_no_weeks_of_farms() -> None:
    paid = weeks([signed("a", 1)])
    assert_fails(paid.buckets, "test_certificates_on_chain.buckets_paid")
    assert_fails(paid.tried, "test_certificates_on_chain.false_claims_tried")


def test_a_stranger_who_has_a_role_is_found_and_few_hours_are_few_steps() -> None:
    sunny = [hour for hour in signed("a")[1] if hour.export_milliwh >= 1000]

    async def act(_: Clock, chain: BenchChain) -> tuple[Any, Any]:
        registry = await build_registry(chain)
        few = await lives_on_chain(chain, registry, OTHER, sunny[:3])
        role = chain.node.call(registry, calls.call("", registry, REGISTRY, "ISSUER").data)
        grant = calls.call("gift", registry, REGISTRY, "grantRole", role, chain.account(STRANGER))
        await chain.finish(ISSUER, grant)
        return few, await lives_on_chain(chain, registry, ASSET, sunny[:HOURS_NEEDED])

    few, lives = on_chains(act)
    assert few.unlike == []
    assert_fails(few.tried, "test_certificates_on_chain.steps_tried")
    assert_passes(lives.tried, "test_certificates_on_chain.steps_tried")
    # Free energy it may issue now; what others issued it may not freeze, by another error.
    assert len(lives.unlike) == 2 * 5 + 1
    assert lives.unlike[:2] == [
        "free: issue by stranger: done",
        "free: issue by issuer: QuantumTaken",
    ]
    assert_fails(len(lives.unlike), "test_certificates_on_chain.steps_unlike_table")


def held(account: bytes, number: int) -> bytes:
    """Return where ERC-1155 of OpenZeppelin keeps a balance: behind the roles, in slot 1."""
    return keccak(account.rjust(32, b"\0") + keccak(word(number) + word(1)))


def test_energy_without_a_meter_and_units_from_nowhere_are_found() -> None:
    _, hours, records = signed("a")

    async def act(_: Clock, chain: BenchChain) -> None:
        registry = await build_registry(chain)
        reader = ChainReader(chain.url)
        assert_fails(
            registries.changed(reader.supply(registry)),
            "test_certificates_on_chain.blocks_with_supply",
        )
        moved = await registries.move_to_chain(chain, registry, ASSET, hours[:CERTIFIED_H])
        await registries.use(chain, registry, moved)

        def unlike() -> int:
            there = reader.certificates(registry)
            return registries.units_unlike_meters_wh(there, ASSET, records, CERTIFIED_H)

        rows = reader.supply(registry)
        assert unlike() == registries.supply_unlike_issued_wh(rows) == 0
        assert registries.audit_unlike_reader(chain, registry, rows) == 0
        night = certificates.Certificate(
            **{**vars(moved[0]), "first_quantum": hours[0].from_ms // 300_000 - 12, "energy_wh": 5}
        )
        await chain.attempt(ISSUER, REGISTRY, certificates.issue(night))
        assert unlike() == 5
        assert_fails(unlike(), "test_certificates_on_chain.units_unlike_meters_wh")

        number = int.from_bytes(certificate_key(ASSET, night.first_quantum, "export"), "big")
        at = held(chain.account(OWNER), number)
        where = ("0x" + registry.hex(), "0x" + at.hex())
        assert int(chain.node.ask("eth_getStorageAt", *where, "latest"), 16) == 5
        chain.mine(1)
        chain.node.ask("anvil_setStorageAt", *where, "0x" + word(7).hex())
        chain.mine(1)
        rows = reader.supply(registry)
        beyond = registries.supply_unlike_issued_wh(rows)
        assert beyond == 2
        assert_fails(beyond, "test_certificates_on_chain.supply_unlike_issued_wh")
        # The audit looks at blocks with events, and this had none.
        silent = registries.audit_unlike_reader(chain, registry, rows)
        assert_fails(silent, "test_certificates_on_chain.audit_unlike_reader")

    on_chains(act)


def test_an_audit_that_compares_beginnings_only_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = signed("a")[1]

    def beginnings(ones: Any) -> list[Any]:
        every = list(ones)
        return [
            (one, other)
            for at, other in enumerate(every)
            for one in every[:at]
            if (one.asset, one.direction, one.first_quantum)
            == (other.asset, other.direction, other.first_quantum)
        ]

    async def act(_: Clock, *chains: BenchChain) -> tuple[int, int]:
        places = [await build_registry(chain) for chain in chains]
        moved = await registries.move_to_chain(chains[0], places[0], ASSET, hours[:CERTIFIED_H])
        await registries.certify_elsewhere(chains[1], places[1], moved, OTHER)
        whole = registries.double_counts_unlike_planted(chains, places, moved)
        monkeypatch.setattr(registries, "double_counts", beginnings)
        return whole, registries.double_counts_unlike_planted(chains, places, moved)

    whole, some = on_chains(act, count=2)
    assert whole == 0
    assert some == len(registries.DOUBLES) - 2
    assert_fails(some, "test_certificates_on_chain.double_counts_unlike_planted")


def test_the_days_of_the_procedure_begin_with_a_week() -> None:
    module: ModuleType = module_of("test_certificates_on_chain")
    assert module.START_S % WEEK_S == 0
    assert len(module.DAYS) * DAY_S > WEEK_S
