"""Mechanisms of other packages: installed as a stranger's would be, found, checked, refused."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from gridrig.errors import MarketError
from gridrig.market.auction import Order, Trade
from gridrig.market.mechanisms import (
    CLEARING,
    Mechanisms,
    PayAsBid,
    PayAsClear,
    Zonal,
    ZonalMechanism,
)
from gridrig.market.outcome import Outcome, check_outcome

STRANGER = '''"""Serves who came first, whatever it bids, at the price of the offer."""

from collections.abc import Sequence
from dataclasses import dataclass

from gridrig.market.auction import Order, Trade
from gridrig.market.outcome import Outcome


@dataclass(frozen=True)
class FirstCome:
    lot_milliwh: int
    tick_micro_per_kwh: int
    most: int = 10
    honest: bool = True

    def __post_init__(self) -> None:
        if self.most < 0:
            raise ValueError(f"most is {self.most}, which is negative")

    def clear(self, orders: Sequence[Order]) -> Outcome:
        trades: list[Trade] = []
        bids = sorted((o for o in orders if o.side == "bid"), key=lambda o: o.order_id)
        offers = sorted((o for o in orders if o.side == "offer"), key=lambda o: o.order_id)
        for bid, offer in list(zip(bids, offers))[: self.most]:
            if bid.price_micro_per_kwh < offer.price_micro_per_kwh:
                continue
            energy = min(bid.energy_milliwh, offer.energy_milliwh)
            for order in (bid, offer):
                trades.append(
                    Trade(
                        len(trades) + 1,
                        order.order_id,
                        order.participant,
                        order.side,
                        energy if self.honest else energy + self.lot_milliwh,
                        offer.price_micro_per_kwh,
                    )
                )
        volume = sum(trade.energy_milliwh for trade in trades if trade.side == "bid")
        return Outcome(tuple(trades), volume_milliwh=volume)
'''
ORDERS = """order_id,participant,side,energy_milliwh,price_micro_per_kwh
1,a,bid,5000,300000
2,b,offer,2000,100000
"""


def install(folder: Path, package: str, points: str, source: str = STRANGER) -> None:
    """Lay a package out as an installed one lies there."""
    module = package.replace("-", "_")
    (folder / f"{module}.py").write_text(source)
    about = folder / f"{module}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{CLEARING}]\n{points}\n")


def clear(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    orders = folder / "orders.csv"
    orders.write_text(ORDERS)
    return subprocess.run(
        [Path(sys.executable).parent / "gridrig", "clear", orders, *words],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_installed_strangers_mechanism_clears_with_its_parameters(tmp_path: Path) -> None:
    install(tmp_path, "queue-market", "first-come = queue_market:FirstCome")
    done = clear(tmp_path, "--mechanism", "first-come", "--set", "most=1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == ["1,1,a,bid,2000,100000", "2,2,b,offer,2000,100000"]
    refused = clear(tmp_path, "--mechanism", "first-come", "--set", "most=all", "--set", "mots=1")
    assert refused.returncode == 2
    assert 'parameters.most: found "all", expected an integer' in refused.stderr
    assert "parameters.mots: found an unknown key" in refused.stderr
    refused = clear(tmp_path, "--mechanism", "first-come", "--set", "most=-1")
    assert refused.returncode == 2
    assert "parameters: found most is -1, which is negative, expected" in refused.stderr


def test_what_a_stranger_clears_is_checked_before_anybody_relies_on_it(tmp_path: Path) -> None:
    install(tmp_path, "queue-market", "first-come = queue_market:FirstCome")
    done = clear(tmp_path, "--mechanism", "first-come", "--set", "honest=false")
    assert done.returncode == 2
    assert "market.outcome_false" in done.stderr
    assert "trade 2 fills order 2 beyond its energy" in done.stderr


def test_an_unknown_name_lists_the_installed_ones(tmp_path: Path) -> None:
    install(tmp_path, "queue-market", "first-come = queue_market:FirstCome")
    done = clear(tmp_path, "--mechanism", "first-came")
    assert done.returncode == 2
    assert "mechanism 'first-came', which nobody registered" in done.stderr
    assert 'one of "first-come", "pay-as-bid", "pay-as-clear", "zonal"' in done.stderr
    assert "did you mean 'first-come'?" in done.stderr


def test_two_packages_with_one_name_are_both_named(tmp_path: Path) -> None:
    install(tmp_path, "queue-market", "first-come = queue_market:FirstCome")
    install(tmp_path, "other-market", "first-come = other_market:FirstCome")
    done = clear(tmp_path, "--mechanism", "first-come")
    assert done.returncode == 2
    assert "queue-market (queue_market:FirstCome)" in done.stderr
    assert "other-market (other_market:FirstCome)" in done.stderr


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import no_such_solver", "fails to load: ModuleNotFoundError: No module named"),
        ("FirstCome = 3", "which is not a class"),
        ("class FirstCome: ...", "expected a frozen dataclass with fields lot_milliwh and tick"),
        (STRANGER.replace("def clear", "def klear"), "has no method clear"),
    ],
)
def test_a_package_that_fails_to_load_is_an_error_with_its_cause(
    tmp_path: Path, source: str, told: str
) -> None:
    install(tmp_path, "queue-market", "first-come = queue_market:FirstCome", source)
    done = clear(tmp_path, "--mechanism", "first-come")
    assert done.returncode == 2
    assert told in done.stderr


def test_gridrigs_own_mechanisms_are_registered_as_everybody_elses() -> None:
    own = {"pay-as-bid": PayAsBid, "pay-as-clear": PayAsClear, "zonal": Zonal}
    mechanisms = Mechanisms(entry_points(group=CLEARING))
    assert {name: mechanisms.mechanism(name) for name in own} == own
    assert not isinstance(PayAsBid(), ZonalMechanism)
    assert isinstance(PayAsClear(), ZonalMechanism)


def test_only_what_is_named_is_loaded() -> None:
    mechanisms = Mechanisms([EntryPoint("broken", "no_such_module:Market", CLEARING)])
    assert mechanisms.names(CLEARING) == ("broken",)
    with pytest.raises(MarketError) as refused:
        mechanisms.mechanism("broken")
    assert refused.value.code == "market.mechanism_broken"


BOOK = [Order(1, "a", "bid", 5_000, 300_000), Order(2, "b", "offer", 5_000, 100_000)]


@dataclass(frozen=True)
class Wrong:
    """A trade that breaks one rule, and what is said of it."""

    trades: Sequence[Trade]
    told: str
    volume_milliwh: int = 5_000


GOOD = (Trade(1, 1, "a", "bid", 5_000, 200_000), Trade(2, 2, "b", "offer", 5_000, 200_000))
WRONG = {
    "numbers": Wrong(GOOD[::-1], "trade 2 comes as number 1"),
    "an order nobody placed": Wrong([Trade(1, 9, "a", "bid", 5_000, 1)], "fills order 9"),
    "another's order": Wrong([Trade(1, 1, "b", "bid", 5_000, 1)], "is not of order 1"),
    "half a lot": Wrong([Trade(1, 1, "a", "bid", 500, 1)], "no whole number of lots"),
    "too much": Wrong([Trade(1, 1, "a", "bid", 6_000, 1)], "beyond its energy"),
    "a bad price": Wrong([Trade(1, 1, "a", "bid", 5_000, 300_001)], "worse than the limit 300000"),
    "energy from nowhere": Wrong(GOOD[:1], "5000 mWh bought, 0 mWh sold"),
    "a wrong volume": Wrong(GOOD, "volume 4000 mWh", 4_000),
    "money from nowhere": Wrong(
        [Trade(1, 1, "a", "bid", 5_000, 150_000), GOOD[1]], "less is paid than received"
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_outcome_that_breaks_a_rule_is_refused_with_the_rule(what: str) -> None:
    wrong = WRONG[what]
    outcome = Outcome(tuple(wrong.trades), volume_milliwh=wrong.volume_milliwh)
    with pytest.raises(MarketError, match=wrong.told) as refused:
        check_outcome("wrong", BOOK, outcome, lot_milliwh=1_000)
    assert refused.value.code == "market.outcome_false"


def test_what_is_no_outcome_is_refused_as_well() -> None:
    with pytest.raises(MarketError, match="it answers tuple, no Outcome") as refused:
        check_outcome("wrong", BOOK, GOOD, lot_milliwh=1_000)  # type: ignore[arg-type]
    assert refused.value.code == "market.outcome_false"


def test_outcomes_of_gridrigs_own_mechanisms_keep_the_rules() -> None:
    check_outcome("good", BOOK, Outcome(GOOD, volume_milliwh=5_000), lot_milliwh=1_000)
    for mechanism in (PayAsBid(), PayAsClear(), PayAsClear(ties="pro-rata", price="highest")):
        outcome = mechanism.clear(BOOK)
        assert outcome.volume_milliwh == 5_000
        check_outcome("own", BOOK, outcome, lot_milliwh=1_000)
        empty = replace(outcome, trades=())
        with pytest.raises(MarketError, match="0 mWh bought"):
            check_outcome("own", BOOK, empty, lot_milliwh=1_000)
