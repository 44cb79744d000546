"""Certificates in their file: minted from signed readings, claimed once, never lost."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from meters import T0, Meters

from gridrig._core import EnergyClaim, MeterPeriod
from gridrig.errors import SettlementError
from gridrig.settlement.certificates import CertificateStore, Lot, carbon, new_asset

ASSET, OTHER = b"\x5a" * 32, b"\xa5" * 32
QUANTUM_S = 300


def opened(path: Path | str, *, start_milliwh: int = 0, meter: str = "pv") -> CertificateStore:
    store = CertificateStore(path)
    store.name(f"point of {meter}", ASSET)
    store.enrol(meter, meter, asset=ASSET, start_milliwh=start_milliwh)
    return store


def refusal(code: str, act: object, *args: object, **more: object) -> SettlementError:
    with pytest.raises(SettlementError) as refused:
        act(*args, **more)  # type: ignore[operator]
    assert refused.value.code == f"settlement.{code}"
    return refused.value


def open_files(path: Path) -> list[Path]:
    return [fd for fd in Path("/proc/self/fd").iterdir() if path.name in str(fd.resolve())]


@given(
    energies=st.lists(st.integers(0, 3_000), min_size=1, max_size=12),
    start=st.integers(0, 5_000),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=25, deadline=None, database=None, derandomize=True)
def test_any_order_of_intervals_mints_the_whole_rounded_down_once(
    energies: list[int], start: int, order: object
) -> None:
    periods = Meters(["pv"]).exports("pv", energies, start_milliwh=start)
    order.shuffle(periods)  # type: ignore[attr-defined]
    with opened(":memory:", start_milliwh=start) as store:
        minted = [store.mint(period, holder="pv", issuer="us") for period in periods]
        # The oracle carries the remainder from interval to interval, as one would by hand.
        carried, expected = 0, {}
        for n, energy in enumerate(energies):
            wh, carried = divmod(carried + energy, 1_000)
            expected[(T0 + 900 * n) // QUANTUM_S] = wh
        found = {claim.first_quantum: claim.energy_wh for claim in minted if claim}
        assert found == {quantum: wh for quantum, wh in expected.items() if wh}
        assert store.supply().minted_wh == sum(energies) // 1_000


def test_a_certificate_lives_from_mint_to_retirement_and_is_there_when_opened_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "certificates.db"
    (period,) = Meters(["pv"]).exports("pv", [10_999])
    with opened(path) as store:
        claim = store.mint(period, holder="ann", issuer="us")
        assert claim is not None
        number = claim.number
        assert (claim.energy_wh, claim.first_quantum, claim.quanta) == (10, T0 // 300, 3)
        assert claim.backing == (
            "pv",
            "pv",
            period.opening.digest,
            period.closing.digest,
            0,
            10,
            None,
        )
        store.transfer(number, 0, 4, "ann", "ben")
        store.split(number, 4, 1, "ann")
        store.retire(number, 1, 2, "ben", purpose="June", beneficiary="shop")
        lots, supply = store.lots(), store.supply()
    assert lots == [
        Lot(number, 0, 1, "ben", "held", None, None),
        Lot(number, 1, 2, "ben", "retired", "June", "shop"),
        Lot(number, 3, 1, "ben", "held", None, None),
        Lot(number, 4, 1, "ann", "held", None, None),
        Lot(number, 5, 5, "ann", "held", None, None),
    ]
    assert (supply.minted_wh, supply.held_wh, supply.retired_wh) == (10, 8, 2)
    with CertificateStore(path) as store:
        assert (store.lots(), store.supply()) == (lots, supply)
        refusal("certificate_ended", store.transfer, number, 1, 1, "ben", "eve")
        refusal(
            "certificate_ended", store.retire, number, 2, 1, "ben", purpose="p", beneficiary="b"
        )
        refusal("certificate_not_holder", store.transfer, number, 0, 1, "eve", "eve")
        refusal("certificate_lot", store.transfer, number, 0, 2, "ben", "eve")
        refusal("certificate_empty", store.transfer, number, 0, 0, "ben", "eve")
        # Issued again after retirement: the same certificate, and no new watt-hour.
        assert store.mint(period, holder="ann", issuer="us") == claim
        refusal("certificate_double_claim", store.mint, period, holder="eve", issuer="us")
        assert store.supply() == supply


@pytest.mark.parametrize(
    "change",
    [
        {"scheme": "carbon-credit"},
        {"scheme": "share"},
        {"issuer": "another"},
        {"holder": "eve"},
    ],
)
def test_a_watt_hour_is_claimed_once_and_the_refusal_shows_both(change: dict[str, str]) -> None:
    (period,) = Meters(["pv"]).exports("pv", [10_000])
    with opened(":memory:") as store:
        claim = store.mint(period, holder="ann", issuer="us")
        asked = {"holder": "ann", "issuer": "us", "scheme": "certificate"} | change
        refused = refusal("certificate_double_claim", store.mint, period, **asked)
        assert refused.record == claim
        assert str(refused).count("10 Wh of asset 5a5a") == 2, "both are shown"
        for name, value in asked.items():
            assert getattr(refused.refused, name) == value


def test_overlaps_collide_whatever_the_length_of_the_interval() -> None:
    meters = Meters(["pv"])
    quarters = meters.exports("pv", [10_000] * 4)
    hour = MeterPeriod("owner", quarters[0].opening, quarters[3].closing)
    with opened(":memory:") as store:
        store.mint(quarters[2], holder="ann", issuer="us")
        refused = refusal("certificate_double_claim", store.mint, hour, holder="ann", issuer="us")
        assert (refused.record.quanta, refused.refused.quanta) == (3, 12)
    with opened(":memory:") as store:
        store.mint(hour, holder="ann", issuer="us")
        refusal("certificate_double_claim", store.mint, quarters[1], holder="ann", issuer="us")


def test_a_second_pseudonym_or_meter_does_not_certify_twice() -> None:
    meters = Meters(["pv", "twin"])
    (period,), (twin,) = meters.exports("pv", [10_000]), meters.exports("twin", [10_000])
    with opened(":memory:") as store:
        refusal("certificate_point_repeated", store.name, "point of pv", OTHER)
        refusal("certificate_asset_repeated", store.name, "elsewhere", ASSET)
        store.name("elsewhere", OTHER)
        refusal("certificate_source_repeated", store.enrol, "pv", "pv", asset=OTHER)
        refusal("certificate_source_unknown", store.mint, twin, holder="a", issuer="us")
        # A second box on the same connection point is one asset with it.
        store.enrol("twin", "twin", asset=ASSET)
        store.mint(period, holder="ann", issuer="us")
        refused = refusal("certificate_double_claim", store.mint, twin, holder="a", issuer="us")
        meters_named = [claim.backing[0] for claim in (refused.record, refused.refused)]
        assert meters_named == ["pv", "twin"]


def test_what_another_issuer_claims_is_noticed_and_mints_nothing() -> None:
    (period,) = Meters(["pv"]).exports("pv", [10_000])
    theirs = EnergyClaim(
        number=1,
        asset=ASSET,
        direction="export",
        first_quantum=period.from_ms // 300_000 + 2,
        quanta=288,
        energy_wh=7,
        scheme="certificate",
        issuer="eip155:7777:0x" + "88" * 20,
        holder="ben",
    )
    with opened(":memory:") as store:
        noticed = store.notice(theirs)
        assert store.supply().minted_wh == 0
        refused = refusal("certificate_double_claim", store.mint, period, holder="a", issuer="us")
        assert refused.record == noticed
        refusal("certificate_unknown", store.retire, noticed.number, 0, 1, "ben", purpose="p",
                beneficiary="b")  # fmt: skip


@pytest.mark.parametrize("edges", [[T0 + 300], [T0 + 450]])
def test_a_part_between_readings_is_an_estimate_and_not_certified(edges: list[int]) -> None:
    (period,) = Meters(["pv"]).exports("pv", [10_000])
    with opened(":memory:") as store:
        for part in period.split([1000 * edge for edge in edges]):
            refusal("certificate_part", store.mint, part, holder="ann", issuer="us")


@pytest.mark.parametrize(
    ("from_s", "to_s", "code"),
    [
        (0, 4_500, "certificate_interval_long"),
        (30, 900, "certificate_edge_apart"),
        (0, 911, "certificate_edge_apart"),
        (1, 9, "certificate_interval_long"),
        (-10, 910, None),
    ],
)
def test_readings_stand_on_edges_of_quanta_an_hour_apart_at_most(
    from_s: int, to_s: int, code: str | None
) -> None:
    meters = Meters(["pv"])
    readings = [meters.read("pv", T0 + at, 0, 9_000 * n) for n, at in enumerate((from_s, to_s))]
    period = MeterPeriod("ann", *readings)
    with opened(":memory:") as store:
        if code:
            refusal(code, store.mint, period, holder="ann", issuer="us")
        else:
            claim = store.mint(period, holder="ann", issuer="us")
            assert claim is not None
            assert (claim.from_s, claim.to_s) == (T0, T0 + 900)


def test_energy_between_two_readings_of_one_edge_is_certified_once() -> None:
    meters = Meters(["pv"])
    at = {0: 0, 892: 8_000, 900: 10_000, 1_800: 20_000}
    readings = {t: meters.read("pv", T0 + t, 0, register) for t, register in at.items()}
    with opened(":memory:") as store:
        first = store.mint(MeterPeriod("a", readings[0], readings[900]), holder="a", issuer="us")
        # Other quanta, and 2 Wh that the first certificate has already.
        overlap = MeterPeriod("a", readings[892], readings[1_800])
        refused = refusal("certificate_double_claim", store.mint, overlap, holder="a", issuer="us")
        assert refused.record == first
        assert refused.refused.first_quantum == refused.record.first_quantum + 3
        second = MeterPeriod("a", readings[900], readings[1_800])
        assert store.mint(second, holder="a", issuer="us") is not None
        assert store.supply().minted_wh == 20


def test_a_withdrawn_reading_freezes_both_its_certificates() -> None:
    periods = Meters(["pv"]).exports("pv", [5_000] * 3)
    with opened(":memory:") as store:
        numbers = [c.number for p in periods if (c := store.mint(p, holder="a", issuer="us"))]
        store.retire(numbers[1], 0, 2, "a", purpose="tea", beneficiary="a")
        assert store.withdraw(b"\0" * 32) == []
        assert store.withdraw(periods[0].closing.digest) == numbers[:2]
        assert store.withdraw(periods[0].closing.digest) == []
        for number in numbers[:2]:
            refusal("certificate_frozen", store.transfer, number, 3, 1, "a", "b")
        store.transfer(numbers[2], 0, 1, "a", "b")
        assert store.supply() == (15, 5, 2, 0, 8, 2)


def test_storage_gives_back_what_certificates_charged_and_no_more() -> None:
    meters = Meters(["pv", "battery"])
    (sun,) = meters.exports("pv", [10_000])
    discharged = meters.exports("battery", [6_000, 6_000])
    with opened(":memory:") as store:
        store.name("point of battery", OTHER)
        store.enrol("battery", "battery", asset=OTHER, storage_permille=850)
        claim = store.mint(sun, holder="ann", issuer="us")
        assert claim is not None
        refusal("certificate_uncharged", store.mint, discharged[0], holder="b", issuer="us")
        store.charge(claim.number, 0, 10, "ann", OTHER)
        stored = [store.mint(p, holder="b", issuer="us") for p in discharged[:1]]
        assert [(c.energy_wh, c.is_from_storage) for c in stored if c] == [(6, True)]
        # 10 Wh come back as 8.5: 6 are taken, 2 are left to certify.
        second = store.mint(discharged[1], holder="b", issuer="us")
        assert second is not None
        assert second.energy_wh == 2
        supply = store.supply()
        assert supply.held_wh == 8 <= supply.retired_wh == 10


def test_a_step_that_fails_in_the_file_has_not_happened(tmp_path: Path) -> None:
    path = tmp_path / "certificates.db"
    (period,) = Meters(["pv"]).exports("pv", [10_000])
    with opened(path) as store:
        claim = store.mint(period, holder="ann", issuer="us")
        assert claim is not None
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("CREATE TRIGGER no BEFORE INSERT ON certificate_step BEGIN "
                      "SELECT RAISE(ABORT, 'disk full'); END")  # fmt: skip
        refusal("certificate_file_unusable", store.transfer, claim.number, 0, 1, "ann", "ben")
        assert [lot.holder for lot in store.lots()] == ["ann"]
        other.execute("DROP TRIGGER no")
        other.close()
        store.transfer(claim.number, 0, 1, "ann", "ben")


def test_two_processes_see_each_other_s_steps(tmp_path: Path) -> None:
    path = tmp_path / "certificates.db"
    periods = Meters(["pv"]).exports("pv", [10_000, 10_000])
    with opened(path) as one, CertificateStore(path) as other:
        first = one.mint(periods[0], holder="ann", issuer="us")
        second = other.mint(periods[1], holder="ben", issuer="them")
        assert first is not None
        assert second is not None
        assert second.number == first.number + 1
        other.transfer(first.number, 0, 10, "ann", "ben")
        refusal("certificate_not_holder", one.transfer, first.number, 0, 10, "ann", "eve")
        refusal("certificate_double_claim", other.mint, periods[0], holder="x", issuer="them")


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE certificate_step SET holder = 'eve'",
        "UPDATE certificate_step SET number = 9",
        "UPDATE certificate_step SET energy_wh = 99",
        "INSERT INTO certificate_step VALUES (5, 'transfer', 3, 0, 9, 'ann', 'eve', NULL, NULL)",
        "INSERT INTO certificate_claim SELECT 5, asset, direction, first_quantum, quanta, 1, "
        "scheme, 'eve', 'eve', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM certificate_claim",
    ],
)
def test_a_forged_row_is_found_when_the_file_is_opened(tmp_path: Path, forgery: str) -> None:
    path = tmp_path / "certificates.db"
    (period,) = Meters(["pv"]).exports("pv", [9_000])
    with opened(path) as store:
        claim = store.mint(period, holder="ann", issuer="us")
        assert claim is not None
        assert claim.number == 3
        store.retire(3, 0, 9, "ann", purpose="tea", beneficiary="ann")
    db = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append_only"):
        db.execute("UPDATE certificate_step SET holder = 'eve'")
    db.execute("DROP TRIGGER certificate_step_no_update")
    db.execute(forgery)
    db.commit()
    db.close()
    told = refusal("certificate_file_false", CertificateStore, path)
    assert told.__traceback__ is not None  # which holds on to the register that was not to be
    assert open_files(path) == []


def test_a_file_of_another_kind_is_refused_as_it_is(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.db"
    db = sqlite3.connect(foreign)
    db.execute("CREATE TABLE t (x)")
    db.commit()
    db.close()
    before = foreign.read_bytes()
    told = refusal("certificate_file_foreign", CertificateStore, foreign)
    assert told.__traceback__ is not None
    assert open_files(foreign) == []
    assert foreign.read_bytes() == before
    refusal("certificate_file_unusable", CertificateStore, tmp_path)


def test_pseudonyms_are_random_and_of_the_length_of_the_contract() -> None:
    assert len({new_asset() for _ in range(100)}) == 100
    assert {len(new_asset()) for _ in range(3)} == {32}


@given(
    energies=st.lists(st.integers(1_000, 9_000), min_size=1, max_size=8),
    rates=st.lists(st.one_of(st.none(), st.integers(0, 1_000_000)), min_size=8, max_size=8),
)
@settings(max_examples=20, deadline=None, database=None, derandomize=True)
def test_carbon_is_energy_times_rate_and_withheld_where_that_is_missing(
    energies: list[int], rates: list[int | None]
) -> None:
    with opened(":memory:") as store:
        periods = Meters(["pv"]).exports("pv", energies)
        claims = [c for p in periods if (c := store.mint(p, holder="a", issuer="us"))]
    known = {
        claim.first_quantum + q: rate
        for claim, rate in zip(claims, rates, strict=False)
        if rate is not None
        for q in range(3)
    }
    found = carbon(list(reversed(claims)), known)
    assert [credit.claim for credit in found] == claims
    micrograms = 0
    for credit, rate in zip(found, rates, strict=False):
        assert credit.rate_g_per_mwh == rate
        if rate is None:
            assert credit.grams is None
        else:
            before, micrograms = micrograms, micrograms + credit.claim.energy_wh * rate
            assert credit.grams == micrograms // 10**6 - before // 10**6


def test_carbon_is_withheld_where_the_rate_changes_within_an_interval() -> None:
    (period,) = Meters(["pv"]).exports("pv", [10_000])
    with opened(":memory:") as store:
        claim = store.mint(period, holder="a", issuer="us")
    assert claim is not None
    quanta = range(claim.first_quantum, claim.first_quantum + 3)
    (credit,) = carbon([claim], dict(zip(quanta, (400, 400, 500), strict=True)))
    assert credit.grams is None
    (credit,) = carbon([claim], dict.fromkeys(quanta, 400_000))
    assert credit.grams == 4
