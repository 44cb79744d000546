"""Books, market and register of a run are altered after it: the judges find each change."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from altered_runs import changed, region_hours, thawed, with_books, with_entry, with_settled
from criteria import assert_fails, assert_fails_alone, assert_passes, not_passed

from gridrig.campaign.catalogue import measure
from gridrig.campaign.island_watch import IslandRecord
from gridrig.campaign.loop import Loop
from gridrig.campaign.timing import TickTimes
from gridrig.errors import SettlementError
from gridrig.promises import deliveries
from gridrig.promises.deliveries import liars_paid_milliwh, traded_beyond_milliwh
from gridrig.promises.good_twin import energy_unlike_milliwh, entries_unlike, troubles
from gridrig.promises.late_ledger import differs, settled_late
from gridrig.settlement.certificates_store import CertificateStore

NAME = "test_sunny_afternoon"


@pytest.fixture(name="hours")
def hours_of_a_region() -> Loop:
    return region_hours()


def measured(loop: Loop, name: str) -> float | None:
    return next(m.value for m in measure(loop.observed(loop.trace.columns())) if m.name == name)


def test_the_run_passes_as_it_was(hours: Loop) -> None:
    assert not_passed(NAME, hours) == {}


def test_a_clearing_that_moves_nothing_is_found(hours: Loop) -> None:
    with changed(hours.trading.cleared, 1, trades=()):
        found = not_passed(NAME, hours)
    assert_fails_alone(found, "test_sunny_afternoon.clearings_unlike_rule")


def test_an_account_that_is_lost_and_a_period_that_is_not_settled_are_found(
    hours: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = hours.account.journal
    names = [name for name, amount in journal.balances().items() if amount]
    whole = journal.balances
    with monkeypatch.context() as patch:
        patch.setattr(journal, "balances", lambda: whole() | {names[0]: 0})
        assert_fails_alone(not_passed(NAME, hours), "test_sunny_afternoon.ledger_sum_micro")
        assert_fails(measured(hours, "ledger_sum_micro"), "ledger_sum_micro")
    more = replace(hours, periods=[*hours.periods, hours.periods[-1]])
    assert_fails_alone(not_passed(NAME, more), "test_sunny_afternoon.periods_not_settled")
    assert_fails(measured(more, "periods_not_settled"), "periods_not_settled")


def test_energy_that_is_paid_and_was_not_delivered_is_found(hours: Loop) -> None:
    settled: Any = hours.account.settled[1]
    entries = list(settled.entries)
    at = next(k for k, entry in enumerate(entries) if entry.kind == "delivered")
    entries[at] = thawed(entries[at], energy_milliwh=entries[at].energy_milliwh + 1)
    wrong = with_settled(hours, 1, entries=entries)
    found = not_passed(NAME, wrong)
    assert_fails_alone(found, "test_sunny_afternoon.payment_unlike_delivery_milliwh")
    assert_fails(
        deliveries.payment_unlike_delivery_milliwh(wrong),
        "test_holders.payment_unlike_delivery_milliwh",
        "test_rule_change.payment_unlike_delivery_milliwh",
        "test_two_regions.payment_unlike_delivery_milliwh",
    )


def test_a_payment_by_a_reading_that_was_not_verified_is_found(hours: Loop) -> None:
    backing = {entry.closing_digest for entry in hours.account.entries()}
    rows = hours.rounds.received
    at = next(
        k for k, row in enumerate(rows) if row.digest and bytes.fromhex(row.digest) in backing
    )
    assert_passes(liars_paid_milliwh(hours), "test_liars.liars_paid_milliwh")
    with changed(rows, at, digest="00" * 32):
        assert_fails_alone(not_passed(NAME, hours), "test_sunny_afternoon.payments_unbacked")
        assert_fails(measured(hours, "payments_unbacked"), "payments_unbacked")
        assert_fails(liars_paid_milliwh(hours), "test_liars.liars_paid_milliwh")


def test_a_register_that_mints_too_much_is_found(
    hours: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Generous(CertificateStore):
        def supply(self) -> Any:
            supply = super().supply()
            return thawed(supply, minted_wh=supply.minted_wh + 1, held_wh=supply.held_wh + 1)

    monkeypatch.setattr(deliveries, "CertificateStore", Generous)
    found = not_passed(NAME, hours)
    assert_fails_alone(found, "test_sunny_afternoon.certificates_unlike_meters_wh")
    unlike = deliveries.certified(hours, {"meter-roof-1"}).unlike_wh
    assert_fails(unlike, "test_voltage_support.certificates_unlike_meters_wh")


def test_a_register_that_takes_a_second_claim_is_found(
    hours: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forgetful(CertificateStore):
        def mint(self, period: Any, *, issuer: str, **more: Any) -> Any:
            try:
                return super().mint(period, issuer=issuer, **more)
            except SettlementError:
                if more.get("scheme") != "share":
                    raise
                return 1

    monkeypatch.setattr(deliveries, "CertificateStore", Forgetful)
    assert_fails_alone(not_passed(NAME, hours), "test_sunny_afternoon.claimed_twice")


def test_a_page_with_another_balance_than_the_books_is_found(hours: Loop) -> None:
    wrong = with_entry(hours, lambda e: e.meter is not None, amount_micro=10**9, quality="measured")
    assert_fails_alone(not_passed(NAME, wrong), "test_sunny_afternoon.pages_unlike_books")


def test_a_run_that_differs_from_its_twin_by_a_unit_or_was_never_bad_is_found(
    hours: Loop,
) -> None:
    settled: Any = hours.account.settled[0]
    meters = list(settled.meters)
    meters[0] = thawed(meters[0], import_milliwh=meters[0].import_milliwh + 1)
    other = with_settled(hours, 0, meters=meters)
    unlike = energy_unlike_milliwh(hours, other)
    assert_fails(unlike, "test_bad_network.energy_unlike_twin_milliwh")
    assert_fails(troubles(hours), "test_bad_network.wire_troubles")
    assert_fails(settled_late(hours), "test_storm.periods_settled_late")
    heard = [event.kind for event in hours.events.ordered()].count("order_heard")
    assert_fails(heard, "test_fleet_credits.orders_heard")
    lost = with_books(hours, entries=lambda: hours.account.entries()[1:])
    assert_fails(entries_unlike(hours, lost), "test_bad_network.entries_unlike_twin")


def test_a_mind_that_trades_more_than_its_right_or_asks_for_nothing_more_is_found(
    hours: Loop,
) -> None:
    trade = next(t for t in hours.trading.cleared[1].trades if t.side == "offer")
    beyond = traded_beyond_milliwh(hours, trade.participant, trade.energy_milliwh - 1)
    assert_fails(beyond, "test_guarded_minds.traded_beyond_rights_milliwh")
    assert_fails(measured(hours, "orders_clamped"), "orders_clamped")


def test_a_feeder_out_of_its_limits_or_under_no_stress_is_found(
    hours: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    extremes = hours.feeder.extremes
    assert 0.95 < extremes["v_min"].value < extremes["v_max"].value < 1.05
    calm = measured(hours, "trafo_loading_max_percent")
    assert_fails(calm, "test_evening_uncoordinated.trafo_loading_max_percent")
    for key, value in (("v_min", 0.949), ("v_max", 1.051), ("trafo", 100.1), ("dead", 1.0)):
        worse = replace(extremes[key], value=value)
        monkeypatch.setitem(hours.feeder._extremes, key, worse)
    assert_fails(measured(hours, "bus_v_min_pu"), "bus_v_min_pu")
    assert_fails(measured(hours, "bus_v_max_pu"), "bus_v_max_pu")
    assert_fails(measured(hours, "buses_dead_max"), "buses_dead_max")
    assert_fails(
        measured(hours, "trafo_loading_max_percent"),
        "test_evening_peak.trafo_loading_max_percent",
        "test_rerouting.trafo_loading_max_percent",
        "test_shedding.trafo_loading_max_percent",
    )


def judged_with(hours: Loop, name: str, **changes: Any) -> float | None:
    """Return a measurement of the catalogue of a run of which other things were observed."""
    observed = replace(hours.observed(hours.trace.columns()), **changes)
    return next(m.value for m in measure(observed) if m.name == name)


def test_an_island_without_need_that_sheds_wrongly_and_never_closes_is_found(hours: Loop) -> None:
    record = IslandRecord(0.0, 0.0, 0, 0, reclose_asked_s=9.0)
    record.shed_out_of_order, record.head_energy_milliwh = 1, 1
    islands: Any = SimpleNamespace(records=[record])
    shedding = judged_with(hours, "islands_with_shedding", islands=islands)
    assert_fails(shedding, "islands_with_shedding")
    order = judged_with(hours, "shed_out_of_order", islands=islands)
    assert_fails(order, "test_storm.shed_out_of_order")
    closed = judged_with(hours, "islands_not_reclosed", islands=islands)
    assert_fails(closed, "islands_not_reclosed")
    energy = judged_with(hours, "grid_energy_while_islanded_milliwh", islands=islands)
    assert_fails(energy, "grid_energy_while_islanded_milliwh")


def test_a_step_that_was_late_and_a_pack_over_its_limits_are_found(hours: Loop) -> None:
    times = TickTimes(missed=[3.0])
    assert_fails(judged_with(hours, "deadlines_missed", times=times), "deadlines_missed")
    limits = {f"pack.p.{side}_limit_a": [10.0] * 3 for side in ("charge", "discharge")}
    columns = {"dt_s": [5.0] * 3, "pack.p.i_a": [0.0, -13.0, -13.0], **limits}
    slow = judged_with(hours, "bms_limit_response_s", columns=columns)
    assert_fails(slow, "test_cloud_ramp.bms_limit_response_s")


def test_a_lie_that_nobody_refused_is_found(hours: Loop) -> None:
    told = SimpleNamespace(
        kind="fault_fired", device="meter-shop", data={"fault": "forged_reading"}
    )
    events: Any = SimpleNamespace(ordered=lambda: [told])
    believed = judged_with(hours, "false_readings_accepted", events=events)
    assert_fails(believed, "false_readings_accepted")


def test_a_ledger_that_came_back_with_another_period_is_found(hours: Loop) -> None:
    rig = hours.physics.street.rig
    assert not differs(rig, hours)
    first = [row for row in hours.rounds.received if row.period < 3]
    rounds: Any = SimpleNamespace(received=first)
    assert_fails(
        float(differs(rig, replace(hours, rounds=rounds))), "test_storm.late_ledger_differs"
    )
