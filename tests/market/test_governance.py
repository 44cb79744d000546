"""What becomes of a proposed change, and what a policy lets trade."""

import pytest

from gridrig.market.auction import Order
from gridrig.market.governance import Governance, Proposal, Said, decide
from gridrig.market.mechanisms import PayAsClear
from gridrig.market.outcome import check_outcome
from gridrig.market.policy import POLICY_REFUSED, Policy, Segment, clear_under

RULES = Governance(delay_s=100, voters=("a", "b", "c"), quorum=2, veto=("v",), safety=("s",))


def voted(*votes: tuple[str, float], vetoes: tuple[tuple[str, float], ...] = ()) -> Proposal:
    return Proposal(
        "p", 10, 110, tuple(Said(*one) for one in votes), tuple(Said(*one) for one in vetoes)
    )


@pytest.mark.parametrize(
    ("proposal", "code"),
    [
        (voted(("a", 10), ("b", 109)), ""),
        (voted(("a", 10), ("b", 110)), "governance.quorum_short"),  # as it takes effect: too late
        (voted(("a", 9), ("b", 50)), "governance.quorum_short"),  # before anybody knew of it
        (voted(("a", 10), ("a", 20)), "governance.quorum_short"),
        (voted(("a", 10), ("v", 20)), "governance.quorum_short"),
        (voted(("a", 10), ("b", 20), vetoes=(("v", 109),)), "governance.vetoed"),
        (voted(("a", 10), ("b", 20), vetoes=(("v", 110),)), ""),
        (voted(("a", 10), ("b", 20), vetoes=(("c", 50),)), ""),
        (Proposal("p", 11, 110, voted(("a", 20), ("b", 20)).votes), "governance.delay_short"),
    ],
)
def test_a_change_is_decided_by_delay_veto_and_quorum(proposal: Proposal, code: str) -> None:
    assert decide(RULES, proposal).code == code


ORDERS = (
    Order(1, "home", "bid", 5_000, 300_000),
    Order(2, "roof", "offer", 4_000, 100_000),
    Order(3, "grid", "bid", 9_000, 80_000),
    Order(4, "grid", "offer", 9_000, 280_000),
)
ROLES = {"home": "consumer", "roof": "producer", "grid": "grid"}
STEPS = {"lot_milliwh": 1_000, "tick_micro_per_kwh": 1_000}


def test_a_supplier_in_the_middle_sells_and_buys_and_each_side_has_its_price() -> None:
    middle = Policy(
        "m", (Segment(("producer",), ("grid",)), Segment(("grid",), ("consumer",))), "why"
    )
    orders = (*ORDERS[:1], Order(2, "roof", "offer", 4_000, 70_000), *ORDERS[2:])
    outcome = clear_under(middle, orders, ROLES, PayAsClear(**STEPS))
    check_outcome("PayAsClear", orders, outcome, lot_milliwh=1_000)
    assert [(t.order_id, t.energy_milliwh, t.price_micro_per_kwh) for t in outcome.trades] == [
        (2, 4_000, 80_000),
        (3, 4_000, 80_000),
        (1, 5_000, 280_000),
        (4, 5_000, 280_000),
    ]
    assert (outcome.price_micro_per_kwh, outcome.volume_milliwh) == (None, 9_000)


def test_who_has_no_place_in_the_table_is_refused_with_its_reason() -> None:
    export = Policy("e", (Segment(("producer",), ("home-2", "grid")),), "nobody buys")
    outcome = clear_under(export, ORDERS, ROLES, PayAsClear(**STEPS))
    assert [(r.order_id, r.code) for r in outcome.refused] == [
        (1, POLICY_REFUSED),
        (4, POLICY_REFUSED),
    ]
    assert outcome.refused[0].message == "home (consumer) may not buy: nobody buys"
