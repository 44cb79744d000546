"""What judges a year of certificates finds a wrong register, table, vault, sum: tampered with."""

import contextlib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from altered_runs import thawed
from criteria import assert_fails

from gridrig._core import EnergyClaim, MeterPeriod, Verifier
from gridrig.errors import SettlementError
from gridrig.metering import EnrolledKey, OcmfSigner, enrol_all
from gridrig.promises import (
    batches,
    carbon_sums,
    certified_year,
    lifecycles,
    second_claims,
    weekly_sums,
)
from gridrig.promises import vault_sums as sums
from gridrig.promises.certified_year import CertifiedYear, certify
from gridrig.promises.plant_days import HOUR_S, day_start_utc_s
from gridrig.promises.plant_year import PlantYear
from gridrig.settlement.certificates import CertificateStore
from gridrig.settlement.chain import certificates as chain
from gridrig.settlement.plant_shares import PlantShares
from gridrig.settlement.privacy import LeafOpening
from gridrig.settlement.profiles_lifecycle import Lifecycle
from gridrig.settlement.profiles_weekly import WEEK_S, WeeklyBuckets
from gridrig.settlement.vault import Vault

MONTHS = (1, 2, 3, 4, 6, 12)
SUN_MILLIWH = (0, 700_333, 1_500_001, 2_999_999, 2_500_500, 1_234_567, 0, 0)
METERS = {"main": "pv-1", "shared": "pv-2", "store": "storage"}


def signed_year() -> PlantYear:
    """Make a small year of three meters, eight hours a day, signed by their own keys."""
    year, verifier = PlantYear(), Verifier()
    signers = {name: OcmfSigner.from_seed(5, name, name) for name in METERS}
    keys = [
        EnrolledKey(n, n, "ecdsa-p256", signer.public_key_der, 0) for n, signer in signers.items()
    ]
    enrol_all(verifier, keys)
    year.plant_of, year.rated_w = dict(METERS), {"pv-1": 10_000.0, "pv-2": 3_000.0}
    registers = {name: [0, 0] for name in METERS}
    counter = 0
    for month in MONTHS:
        for hour in range(len(SUN_MILLIWH) + 1):
            at_s = day_start_utc_s(month) + (8 + hour) * HOUR_S
            for name, register in registers.items():
                if hour:
                    energy = SUN_MILLIWH[hour - 1]
                    if name != "store":
                        register[1] += energy
                    else:  # it charges first and gives at the end
                        register[0 if hour < 5 else 1] += 400_400
                counter += 1
                record = signers[name].sign(counter, at_s, *register)
                year.readings.setdefault(name, []).append(verifier.verify(record, at_s=at_s))
                year.records.setdefault(name, []).append(record)
            if (month, hour) == (6, 3):
                for name, register in registers.items():
                    counter += 1
                    record = signers[name].sign(counter, at_s + 1800, *register)
                    year.between[name] = verifier.verify(record, at_s=at_s + 1800)
    for name, register in registers.items():
        year.given_wh[METERS[name]] = register[1] / 1000
        year.taken_wh[METERS[name]] = register[0] / 1000
    return year


YEAR = signed_year()
SUNNY = [hour for hour in YEAR.hours("main") if hour.export_milliwh]


@pytest.fixture
def certified(tmp_path: Path) -> CertifiedYear:
    return certify(YEAR, tmp_path / "certificates.db")


def test_an_untouched_year_adds_up_in_everything(certified: CertifiedYear, tmp_path: Path) -> None:
    tried = second_claims.second_claims(YEAR, certified)
    assert (tried.taken, tried.without_records) == (0, 0)
    assert tried.tried > 100
    assert certified.unlike_meters_wh(YEAR) == 0
    assert certified.unlike_supply_wh() == 0
    assert certified.shares_unlike_plant(YEAR) == 0
    assert certified.refused_share == "settlement.plant_full"
    assert certified.storage_wh() > 0
    assert certified.storage_beyond_charge_wh() == 0
    assert certified_year.second_mint_wh(YEAR, certified) == 0
    assert certified_year.unlike_telemetry_permille(YEAR) == 0
    assert batches.batches_unlike(SUNNY[:6], tmp_path / "batch.db") == 0
    assert sums.vault_unlike_sums(sites()) == 0


def sites() -> list[tuple[str, list[MeterPeriod], list[bytes]]]:
    return [(m, YEAR.hours(m), YEAR.records[m]) for m in ("main", "shared")]


def test_a_certificate_too_many_or_a_part_too_large_is_counted(certified: CertifiedYear) -> None:
    assert certified.without_sun_wh() == 0
    night = certified.claims["main"][0]
    dark = night.first_quantum - night.first_quantum % 288
    certified.claims["main"].append(
        EnergyClaim(
            number=night.number,
            asset=night.asset,
            direction="export",
            first_quantum=dark,
            quanta=12,
            energy_wh=7,
            scheme="certificate",
            issuer="us",
            holder="ann",
        )
    )
    assert certified.without_sun_wh() == 7
    assert_fails(certified.without_sun_wh(), "test_certificate_year.certified_without_sun_wh")
    certified.claims["main"].pop()
    lost = certified.claims["main"].pop()
    assert certified.unlike_meters_wh(YEAR) == lost.energy_wh
    unlike = certified.unlike_meters_wh(YEAR)
    assert_fails(unlike, "test_certificate_year.certificates_unlike_meters_wh")
    assert_fails(certified.unlike_supply_wh(), "test_certificate_year.supply_unlike_lots_wh")
    certified.claims["main"].append(lost)
    number, parts = certified.parted[0]
    for wrong in ([parts[0] + 1, *parts[1:]], [parts[0] + 2, parts[1] - 2, *parts[2:]]):
        certified.parted[0] = (number, wrong)
        assert certified.shares_unlike_plant(YEAR) == 1
    certified.parted[0] = (number, parts)
    small = replace(YEAR, rated_w={"pv-1": 10_000.0, "pv-2": 2_900.0})
    assert_fails(certified.shares_unlike_plant(small), "test_certificate_year.shares_unlike_plant")
    certified.charged_wh //= 2
    beyond = certified.storage_beyond_charge_wh()
    assert_fails(beyond, "test_certificate_year.storage_beyond_charge_wh")
    certified.claims["store"].clear()
    assert_fails(certified.storage_wh(), "test_certificate_year.storage_certified_wh")


def test_a_register_without_its_index_lets_second_claims_through(
    certified: CertifiedYear, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not the register is judged here but its judge: what forgets every claim has to be noticed.
    monkeypatch.setattr(CertificateStore, "mint", lambda *_args, **_more: None)
    monkeypatch.setattr(chain, "claim", lambda *_args: None)
    taken = second_claims.second_claims(YEAR, certified).taken
    assert taken > 100
    assert_fails(taken, "test_certificate_year.claimed_twice")


def test_refusals_that_show_no_records_and_a_register_of_few_claims_are_found(
    certified: CertifiedYear, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = second_claims._refusal

    def bare(*args: Any) -> SettlementError | None:
        refusal = genuine(*args)
        return None if refusal is None else SettlementError(refusal.code, "no more is told")

    monkeypatch.setattr(second_claims, "_refusal", bare)
    tried = second_claims.second_claims(YEAR, certified)
    assert tried.taken == 0
    assert_fails(tried.without_records, "test_certificate_year.refusals_without_records")
    for claims in certified.claims.values():
        del claims[1:]
    few = second_claims.second_claims(YEAR, certified)
    assert_fails(few.tried, "test_certificate_year.second_claims_tried")


def test_a_register_that_mints_an_hour_again_is_found(
    certified: CertifiedYear, monkeypatch: pytest.MonkeyPatch
) -> None:
    minted = []
    mint, supply = CertificateStore.mint, CertificateStore.supply

    def again(self: CertificateStore, period: Any, **given: Any) -> Any:
        minted.append(period.export_milliwh // 1000)
        return mint(self, period, **given)

    def more(self: CertificateStore) -> Any:
        found = supply(self)
        return thawed(found, minted_wh=found.minted_wh + sum(minted))

    monkeypatch.setattr(CertificateStore, "mint", again)
    monkeypatch.setattr(CertificateStore, "supply", more)
    added = certified_year.second_mint_wh(YEAR, certified)
    assert_fails(added, "test_certificate_year.minted_again_wh")


def test_a_plant_that_gives_a_share_too_many_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give = PlantShares.give

    def gives(self: PlantShares, holder: str) -> int:
        return 0 if holder == "one-too-many" else give(self, holder)

    monkeypatch.setattr(PlantShares, "give", gives)
    full = certify(YEAR, tmp_path / "certificates.db").refused_share == "settlement.plant_full"
    assert_fails(0 if full else 1, "test_certificate_year.shares_beyond_capacity")


def test_a_table_of_life_that_allows_more_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = [hour for hour in YEAR.hours("main") + YEAR.hours("main") if hour.export_milliwh]
    assert lifecycles.transitions_unlike_rule(many_hours()) == 0
    assert lifecycles.offsets_unlike_wh(hours) == 0
    for key, to in ((("liquidised", "retire"), "retired"), (("pending", "cancel"), "cancelled")):
        rule = lifecycles.ALLOWED | {key: to}
        with monkeypatch.context() as patch:
            patch.setattr(lifecycles, "ALLOWED", rule)
            unlike = lifecycles.transitions_unlike_rule(many_hours())
            assert unlike == 1
            assert_fails(unlike, "test_certificate_year.transitions_unlike_rule")


def many_hours() -> list[MeterPeriod]:
    signer, verifier = OcmfSigner.from_seed(6, "long", "long"), Verifier()
    enrol_all(verifier, [EnrolledKey("long", "long", "ecdsa-p256", signer.public_key_der, 0)])
    start_s = day_start_utc_s(7)
    readings = [
        verifier.verify(
            signer.sign(n + 1, start_s + n * HOUR_S, 0, n * 5_000_000), at_s=start_s + n * HOUR_S
        )
        for n in range(lifecycles.HOURS_NEEDED + 1)
    ]
    return [MeterPeriod("long", one, other) for one, other in pairwise(readings)]


def test_a_badge_shown_twice_is_a_watt_hour_astray(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = Lifecycle.badge

    def forgetful(self: Lifecycle, owner: str, offsets: tuple[int, ...]) -> Any:
        for number in offsets:
            self._offsets[number - 1].in_badge = False
        return genuine(self, owner, offsets)

    monkeypatch.setattr(Lifecycle, "badge", forgetful)
    unlike = lifecycles.offsets_unlike_wh(SUNNY)
    assert unlike == 3
    assert_fails(unlike, "test_certificate_year.offsets_unlike_wh")


def test_grams_with_a_guessed_rate_are_found(
    certified: CertifiedYear, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = certified.claims["main"]
    rates = carbon_sums.stated_rates(claims)
    assert carbon_sums.grams_unlike_sums(claims, rates) == 0
    assert carbon_sums.withheld(claims, rates) > 0
    genuine = carbon_sums.carbon

    def guessing(claims: Any, rates: Any) -> Any:
        return [c if c.grams is not None else c._replace(grams=1) for c in genuine(claims, rates)]

    monkeypatch.setattr(carbon_sums, "carbon", guessing)
    unlike = carbon_sums.grams_unlike_sums(claims, rates)
    assert_fails(unlike, "test_certificate_year.grams_unlike_sums")
    guessed = carbon_sums.withheld(claims, rates)
    assert_fails(guessed, "test_certificate_year.hours_without_rate_withheld")


def test_a_private_sum_says_what_is_certified(certified: CertifiedYear) -> None:
    assert batches.private_sum_unlike_wh(certified.claims["main"]) == 0


def test_an_opening_that_says_more_than_was_committed_to_is_found(
    certified: CertifiedYear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LeafOpening, "check", lambda self, _: self.payload)
    unlike = batches.private_sum_unlike_wh(certified.claims["main"])
    assert_fails(unlike, "test_certificate_year.private_sum_unlike_wh")


@pytest.mark.parametrize("wrong", ["twice", "estimates", "fee", "default"])
def test_a_vault_that_pays_wrongly_is_found(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = Vault.earn

    def twice(self: Vault, period: MeterPeriod) -> int:
        for site in self._sites.values():
            site.earned = [span for span in site.earned if span[0] != period.from_ms]
        return genuine(self, period)

    def estimates(self: Vault, period: MeterPeriod) -> int:
        if period.quality == "measured":
            return genuine(self, period)
        self.cash_micro += 1
        return 1

    def fee(self: Vault, period: MeterPeriod) -> int:
        added = genuine(self, period)
        self.cash_micro += added > 0
        return added

    def default(self: Vault, site: str, *, recovered_micro: int) -> int:
        self._sites[site].book_micro -= 1000
        return 0

    if wrong == "default":
        monkeypatch.setattr(Vault, "default", default)
    else:
        monkeypatch.setattr(Vault, "earn", locals()[wrong])
    assert_fails(sums.vault_unlike_sums(sites()), "test_certificate_year.vault_unlike_sums_micro")


@pytest.mark.parametrize("wrong", ["early", "twice", "parts"])
def test_a_bucket_that_pays_wrongly_is_found(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    farms = [(m, YEAR.hours(m), YEAR.records[m]) for m in METERS]
    assert weekly_sums.weekly_unlike_rule(farms) == 0
    genuine = WeeklyBuckets.claim, WeeklyBuckets.report

    def early(self: WeeklyBuckets, bucket: int) -> int:
        return self.rule.reports_end_s(bucket) + WEEK_S - 1

    def twice(self: WeeklyBuckets, proof: Any, *, at_s: int) -> int:
        self._buckets[proof.bucket].claimed.clear()
        return genuine[0](self, proof, at_s=at_s)

    def parts(self: WeeklyBuckets, farm: str, account: bytes, **more: Any) -> int:
        return genuine[1](self, farm, b"\x09" * 20 if farm == "main" else account, **more)

    names = {"early": "final_s", "twice": "claim", "parts": "report"}
    monkeypatch.setattr(WeeklyBuckets, names[wrong], locals()[wrong])
    unlike = weekly_sums.weekly_unlike_rule(farms)
    assert_fails(unlike, "test_certificate_year.weekly_claims_unlike_rule")


@pytest.mark.parametrize("wrong", ["piecemeal", "silent"])
def test_a_batch_that_is_not_whole_is_found(
    wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = batches.mint_batch

    def piecemeal(path: Path, periods: Any, **given: Any) -> list[Any]:
        return [claim for period in periods for claim in genuine(path, [period], **given)]

    def silent(path: Path, periods: Any, **given: Any) -> list[Any]:
        with contextlib.suppress(SettlementError):
            return genuine(path, periods, **given)
        return []

    monkeypatch.setattr(batches, "mint_batch", locals()[wrong])
    unlike = batches.batches_unlike(SUNNY[:6], tmp_path / "batch.db")
    assert_fails(unlike, "test_certificate_year.batches_unlike")


def test_a_plant_has_room_for_its_shares_and_parts_an_hour_once(tmp_path: Path) -> None:
    path = tmp_path / "certificates.db"
    hour = SUNNY[0]
    with CertificateStore(path) as store:
        store.name("point", b"\x5a" * 32)
        opening = hour.readings[0]
        start = opening.export_milliwh or 0
        store.enrol("main", "main", asset=b"\x5a" * 32, start_milliwh=start)
    shares = PlantShares("plant", capacity_w=350, share_w=100)
    assert [shares.give(name) for name in ("ann", "ben", "ann")] == [1, 2, 3]
    with pytest.raises(Exception, match="has room for 3"):
        shares.give("cid")
    parts = shares.part(path, hour, issuer="us")
    assert sum(parts) == hour.export_milliwh // 1000
    assert parts == [200, 200, 200, 100]
    with pytest.raises(Exception, match="plant_parted"):
        shares.part(path, hour, issuer="us")
    with CertificateStore(path) as store:
        held = {(lot.holder, lot.energy_wh) for lot in store.lots()}
    assert held == {("ann", 200), ("ben", 200), ("plant", 100)}
