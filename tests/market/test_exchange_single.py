"""Single commands: what is not given stays, and what does not fit changes nothing."""

import subprocess
import sys

import pytest

from gridrig.market.exchange import Exchange

LIMITS = {"participant_orders_max": 3, "participant_energy_milliwh_max": 9_000}


def test_limits_and_policy_that_are_not_given_stay_as_they_are() -> None:
    exchange = Exchange(**LIMITS, self_match="cancel-both", participants=2)
    exchange.set_participant(1, self_match="decrement")
    assert exchange.participant(1) == (0, 0, 3, 9_000, "decrement")
    exchange.set_participant(1, orders_max=0)
    assert exchange.participant(1) == (0, 0, 0, 9_000, "decrement")
    exchange.set_participant(1, energy_milliwh_max=0)
    assert exchange.participant(1) == (0, 0, 0, 0, "decrement")
    assert exchange.participant(0) == (0, 0, 3, 9_000, "cancel-both")
    (refused,) = exchange.set_participant(2, orders_max=1)
    assert refused.detail == "market.participant_unknown"


@pytest.mark.parametrize(
    ("name", "value"),
    [("price_micro_per_kwh", 2**31), ("energy_milliwh", 2**63), ("participant", -1)],
)
def test_an_integer_that_no_column_holds_is_named_and_changes_nothing(
    name: str, value: int
) -> None:
    exchange = Exchange(log=True)
    exchange.open_book(0, price_micro_per_kwh_min=0, price_micro_per_kwh_max=10**9)
    before = exchange.state_hash()
    terms = {"participant": 0, "book": 0, "energy_milliwh": 1_000, "price_micro_per_kwh": 0}
    with pytest.raises(OverflowError) as refused:
        exchange.submit(1, side="bid", **(terms | {name: value}))
    assert refused.value.__notes__ == [f"while processing '{name}'"]
    assert exchange.state_hash() == before


def test_a_capacity_that_memory_does_not_hold_is_an_error_and_no_abort() -> None:
    code = """
import resource
from gridrig.errors import MarketError
from gridrig.market.exchange import Exchange

resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
try:
    Exchange(orders=2**26, price_blocks=2**24)
except MarketError as refused:
    print(refused.code)
Exchange()
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "market.exchange_memory\n"
