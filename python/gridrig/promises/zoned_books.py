"""The books of the street of 410, summed again from what the meters signed and the wires show.

Energies are read from the text of the signed records, zones from the wires of the feeder, payments
from the formulas of the rule; nothing here verified, cleared or settled any of it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gridrig.campaign.relief import settled_matches, settled_trades
from gridrig.market.counterparties import Match
from gridrig.promises.double_auction import is_unlike_auction
from gridrig.promises.register_text import registers
from gridrig.promises.zoned_day import MECHANISM, RULES, Slot, ZonedDay
from gridrig.promises.zoned_feeder import Border
from gridrig.promises.zoned_street import MAIN_GRID, SLOT_S, ZONES

HOURS = SLOT_S / 3600
MICRO = 1_000_000


@dataclass(frozen=True)
class SignedSlot:
    """What each home took and gave in a slot, by its signed registers. [mWh]"""

    taken: dict[str, int]
    given: dict[str, int]


def signed_slots(day: ZonedDay) -> list[SignedSlot]:
    """Return what the text of the records says of each slot, the meter at the head aside."""
    slots = [SignedSlot({}, {}) for _ in day.slots]
    for home, records in day.records.items():
        if home == MAIN_GRID:
            continue
        shown = [registers(record) for record in records]
        for slot, ((_, *opening), (_, *closing)) in zip(slots, pairwise(shown), strict=True):
            slot.taken[home] = closing[0] - opening[0]
            slot.given[home] = closing[1] - opening[1]
    return slots


def settled(day: ZonedDay) -> dict[int, list[Match]]:
    """Return who delivered to whom by the journal of a day, as `gridrig relief` tells it."""
    return settled_matches(settled_trades(day.journal), day.network)


def auctions_unlike_rule(day: ZonedDay) -> int:
    """Count the slots whose trades are not those of a double auction over their orders."""
    tick = MECHANISM.tick_micro_per_kwh
    return sum(is_unlike_auction(slot.orders, slot.trades, tick) for slot in day.slots)


def rounded(energy_milliwh: int, price_micro_per_kwh: int) -> int:
    """Return the amount of a line, half up by magnitude. [millionths]"""
    product = energy_milliwh * price_micro_per_kwh
    amount = (2 * abs(product) + MICRO) // (2 * MICRO)
    return amount if product >= 0 else -amount


def payments_unlike_signed_micro(day: ZonedDay, signed: Sequence[SignedSlot]) -> int:
    """Return by how much the balance of any home is not that of what it signed. [millionths]"""
    expected: Counter[str] = Counter()
    for slot, shown in zip(day.slots, signed, strict=True):
        prices = [trade.price_micro_per_kwh for trade in slot.trades]
        long = min([RULES.long_price_micro_per_kwh, *prices])
        short = max([RULES.short_price_micro_per_kwh, *prices])
        traded = {trade.participant: trade for trade in slot.trades}
        for home in shown.taken:
            trade = traded.get(home)
            sold = bought = price = 0
            if trade is not None:
                price = trade.price_micro_per_kwh
                sold, bought = (
                    trade.energy_milliwh if trade.side == side else 0 for side in ("offer", "bid")
                )
            delivered, taken = min(sold, shown.given[home]), min(bought, shown.taken[home])
            expected[home] += (
                rounded(delivered, price)
                - rounded(sold - delivered, short - price)
                + rounded(shown.given[home] - delivered, long)
                - rounded(taken, price)
                - rounded(bought - taken, price - long)
                - rounded(shown.taken[home] - taken, short)
            )
    balances = day.journal.balances()
    return max(abs(balances.get(home, 0) - amount) for home, amount in expected.items())


@dataclass(frozen=True)
class LocalChecked:
    """The matches of a day beside signed energy and wires, each at its worst.

    Parameters
    ----------
    unlike_wires_milliwh : int
        Energy of matches that are called local and whose sides no wire of one network joins, or the
        other way round. [mWh]
    unlike_signed_milliwh : int
        Of a network and a slot, local energy against the lesser of what was sold and given, and
        what was bought and taken. [mWh]
    unlike_sums_milliwh : int
        All matches of a slot against the lesser of all that was delivered and all that was taken.
    beyond_feeder_wh : float
        Local energy beyond what was used in a network and did not come over its border. [Wh]
    local_milliwh, financial_only_milliwh, undelivered_milliwh : int
        Of the day; the last is what was sold and not given. [mWh]
    """

    unlike_wires_milliwh: int
    unlike_signed_milliwh: int
    unlike_sums_milliwh: int
    beyond_feeder_wh: float
    local_milliwh: int
    financial_only_milliwh: int
    undelivered_milliwh: int


def local_checked(
    day: ZonedDay, signed: Sequence[SignedSlot], matches: Mapping[int, Sequence[Match]]
) -> LocalChecked:
    """Compare who is said to have delivered to whom with signed energy and the wires."""
    zone_of = {home.name: day.feeder.zone_of(home.name) for home in day.street.homes}
    unlike_signed, unlike_sums, beyond = [0], [0], []
    total: Counter[str] = Counter()
    sold = delivered = unlike_wires = 0
    for slot, shown in zip(day.slots, signed, strict=True):
        met, matched = _met(slot, shown, zone_of), matches.get(slot.number, ())
        local, used = Counter[str](), Counter[str]()
        for match in matched:
            total[match.delivery] += match.energy_milliwh
            joined = zone_of[match.seller] == zone_of[match.buyer]
            if match.delivery != ("local" if joined else "financial-only"):
                unlike_wires += match.energy_milliwh
            if match.delivery == "local":
                local[zone_of[match.buyer]] += match.energy_milliwh
        for home, energy in shown.taken.items():
            used[zone_of[home]] += energy
        for zone in ZONES:
            lesser = min(met[zone, "offer"], met[zone, "bid"])
            unlike_signed.append(abs(local[zone] - lesser))
            inflow_wh = HOURS * max(0.0, _net_w(slot.borders[zone]))
            beyond.append((local[zone] - used[zone]) / 1_000 + inflow_wh)
        given, taken = (sum(met[zone, side] for zone in ZONES) for side in ("offer", "bid"))
        unlike_sums.append(abs(sum(m.energy_milliwh for m in matched) - min(given, taken)))
        delivered += given
        sold += sum(trade.energy_milliwh for trade in slot.trades if trade.side == "offer")
    return LocalChecked(
        unlike_wires,
        max(unlike_signed),
        max(unlike_sums),
        max(beyond),
        total["local"],
        total["financial-only"],
        sold - delivered,
    )


def _met(slot: Slot, shown: SignedSlot, zone_of: Mapping[str, str]) -> Counter[tuple[str, str]]:
    """Return by network and side what was traded and is in the signed registers. [mWh]"""
    met: Counter[tuple[str, str]] = Counter()
    for trade in slot.trades:
        counted = shown.given if trade.side == "offer" else shown.taken
        energy = min(trade.energy_milliwh, counted[trade.participant])
        met[zone_of[trade.participant], trade.side] += energy
    return met


def metered_unlike_feeder_wh(day: ZonedDay, signed: Sequence[SignedSlot]) -> float:
    """Return how far signed registers are from what crosses a border less losses, at worst. [Wh]"""
    worst = 0.0
    for slot, shown in zip(day.slots, signed, strict=True):
        net: defaultdict[str, int] = defaultdict(int)
        for home in shown.taken:
            net[day.feeder.zone_of(home)] += shown.taken[home] - shown.given[home]
        for zone in ZONES:
            worst = max(worst, abs(net[zone] / 1_000 - HOURS * _net_w(slot.borders[zone])))
    return worst


def border_moved_wh(
    day: ZonedDay, matches: Mapping[int, Sequence[Match]], delivery: str, slots: Sequence[Slot]
) -> float:
    """Take matches of one kind away at both ends, solve again, and return how far a border moves.

    Losses aside, which change with any power. Local energy comes over no border, so its taking
    away moves none; for `financial-only`, what is returned is the largest move. [Wh]
    """
    worst = 0.0
    for slot in slots:
        less = Counter[str]()
        for match in matches.get(slot.number, ()):
            if match.delivery == delivery:
                less[match.seller] -= match.energy_milliwh
                less[match.buyer] += match.energy_milliwh
        powers_w = {
            home: power_w + less[home] / 1_000 / HOURS for home, power_w in slot.powers_w.items()
        }
        without = day.feeder.borders(powers_w)
        moved = (HOURS * (_net_w(without[z]) - _net_w(slot.borders[z])) for z in ZONES)
        worst = max(worst, *(abs(wh) for wh in moved))
    return worst


def _net_w(border: Border) -> float:
    """Return what comes over a border beyond what is lost inside. [W]"""
    return border.import_w - border.losses_w
