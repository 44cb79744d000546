"""Everybody's bill beside a utility's, and both computed again from registers and entries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from gridrig.campaign.loop import Loop
from gridrig.quantity import SECONDS_PER_HOUR
from gridrig.settlement.bills import Bill, Tariff, bills, losers
from gridrig.settlement.bills_journal import billed

HALF = Fraction(1, 2)
UTILITY = Tariff(
    import_micro_per_kwh=tuple(240_000 + 5_000 * hour for hour in range(24)),
    export_micro_per_kwh=110_000,
    network_micro_per_kwh=90_000,
    standing_micro=10_000,
    zone=ZoneInfo("UTC"),
    market_network_micro_per_kwh=90_000,
)
"""A utility whose price changes with the hour, and that pays roofs more than a market does at noon;
the network's charge is the same in both bills."""


@dataclass(frozen=True)
class BillsChecked:
    """Bills beside sums of registers and entries.

    Parameters
    ----------
    missing : int
        Participants without a bill, the main grid aside.
    unlike_micro : int
        Largest difference of either bill of anybody. [millionths]
    losers_uncounted : int
        Who pays more in the market and is not counted, or the other way round.
    losers : tuple of str
        Who pays more in the market.
    """

    missing: int
    unlike_micro: int
    losers_uncounted: int
    losers: tuple[str, ...]


def utility_bills(loop: Loop, journal: Path) -> list[Bill]:
    """Return everybody's bill from a run's journal, as `gridrig bills` makes them."""
    people = {p.name for p in loop.physics.street.rig.participants} - {loop.account.head}
    metered, balances = billed(journal)
    return bills(
        [row for row in metered if row.participant in people],
        {name: micro for name, micro in balances.items() if name in people},
        UTILITY,
    )


def bills_checked(
    loop: Loop,
    made: Sequence[Bill],
    counted: Sequence[Bill] | None = None,
    tariff: Tariff = UTILITY,
) -> BillsChecked:
    """Compute every bill again from the meters' own registers and the entries of the books."""
    balances: defaultdict[str, int] = defaultdict(int)
    for entry in loop.account.entries():
        balances[entry.credit] += entry.amount_micro
        balances[entry.debit] -= entry.amount_micro
    taken: defaultdict[str, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    given: defaultdict[str, int] = defaultdict(int)
    for settled in loop.account.settled:
        price = tariff.import_micro_per_kwh[settled.from_ms // 1000 // SECONDS_PER_HOUR % 24]
        for meter in settled.meters:
            first, last = meter.opening, meter.closing
            if first is None or last is None:
                continue
            taken[meter.participant][price] += (last.import_milliwh or 0) - (
                first.import_milliwh or 0
            )
            given[meter.participant] += (last.export_milliwh or 0) - (first.export_milliwh or 0)
    everybody = set(taken) - {loop.account.head}
    by_name = {bill.participant: bill for bill in made}
    unlike, losing = 0, set()
    for name in everybody & set(by_name):
        network = _micro({tariff.network_micro_per_kwh: sum(taken[name].values())})
        market = tariff.standing_micro + network - balances[name]
        utility = (
            tariff.standing_micro
            + network
            + _micro(taken[name])
            - _micro({tariff.export_micro_per_kwh: given[name]})
        )
        bill = by_name[name]
        unlike = max(unlike, abs(bill.market_micro - market), abs(bill.utility_micro - utility))
        if market > utility:
            losing.add(name)
    told = {bill.participant for bill in (losers(made) if counted is None else counted)}
    return BillsChecked(
        len(everybody - set(by_name)), unlike, len(losing ^ told), tuple(sorted(losing))
    )


def _micro(energies: Mapping[int, int]) -> int:
    """Return price times energy, each price rounded once, half up. [millionths]"""
    return sum(int(Fraction(price * energy, 10**6) + HALF) for price, energy in energies.items())
