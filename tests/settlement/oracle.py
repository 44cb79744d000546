"""The rules of a settlement in plain Python, written from docs/settlement.md and nothing else.

Slow and obvious: fractions, dictionaries, one loop per sentence. A line is what one account settles
with the house for one reason; its amount is positive if the sentence of its kind holds as it is
written, and negative if it holds the other way round.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

CLEARING, LOSSES, GRID_FEES = "clearing", "losses", "grid-fees"
OPERATOR, RENT, CASH = "operator", "congestion-rent", "cash"

# Which account of the house is on the other side, and whether it pays a positive amount.
HOUSE = {
    "delivered": (CLEARING, True),
    "shortfall": (CLEARING, False),
    "surplus": (CLEARING, True),
    "taken": (CLEARING, False),
    "untaken": (CLEARING, False),
    "excess": (CLEARING, False),
    "grid_fee": (GRID_FEES, False),
    "operator_fee": (OPERATOR, False),
    "losses": (CLEARING, False),
    "link_fee": (CLEARING, True),
    "rent": (CLEARING, True),
    "residual": (CLEARING, True),
    "deposit": (CASH, True),
}


class Key(NamedTuple):
    """Which line of a period."""

    kind: str
    account: str
    trade_id: int | None
    meter: str | None


class Line(NamedTuple):
    """What a line comes to."""

    micro: int
    milliwh: int


@dataclass(frozen=True)
class Meter:
    """What a meter counted. [mWh]"""

    participant: str
    name: str
    imported: int
    exported: int


@dataclass(frozen=True)
class Deal:
    """A trade."""

    trade_id: int
    participant: str
    side: str
    milliwh: int
    price: int


@dataclass(frozen=True)
class Agreed:
    """Rules; prices in millionths per kWh."""

    long: int
    short: int
    grid_fee: int = 0
    operator_fee: int = 0
    losses: str = "house"


@dataclass
class Period:
    """Inputs of a period."""

    meters: list[Meter]
    deals: list[Deal]
    agreed: Agreed
    head: str | None = None
    links: list[tuple[str, int, int]] = field(default_factory=list)
    deposits: list[tuple[str, int]] = field(default_factory=list)


def rounded(exact: Fraction) -> int:
    """Half up by magnitude."""
    whole = int(abs(exact) + Fraction(1, 2))
    return whole if exact >= 0 else -whole


def amount(milliwh: int, price: int) -> int:
    """Energy times price. [millionths]"""
    return rounded(Fraction(milliwh * price, 1_000_000))


def settle(period: Period) -> dict[Key, Line]:
    """Every line of a period."""
    lines: dict[Key, Line] = {}
    agreed = period.agreed
    traded_at = [deal.price for deal in period.deals]
    long, short = min([agreed.long, *traded_at]), max([agreed.short, *traded_at])

    def book(
        kind: str, account: str, milliwh: int, price: int, trade: int | None, meter: str | None
    ) -> None:
        if milliwh:
            key = Key(kind, account, trade, meter)
            assert key not in lines, key
            lines[key] = Line(amount(milliwh, price), milliwh)

    met: dict[str, int] = defaultdict(int)
    for who in sorted({meter.participant for meter in period.meters}):
        own = sorted((m for m in period.meters if m.participant == who), key=lambda m: m.name)
        for side, kinds in (
            ("offer", ("delivered", "shortfall", "surplus", long)),
            ("bid", ("taken", "untaken", "excess", short)),
        ):
            done, missing, beyond, beyond_price = kinds
            left = {m.name: m.exported if side == "offer" else m.imported for m in own}
            last = own[0].name
            for deal in sorted(period.deals, key=lambda deal: deal.trade_id):
                if (deal.participant, deal.side) != (who, side):
                    continue
                wanted = deal.milliwh
                for name, rest in list(left.items()):
                    part = min(wanted, rest)
                    if part:
                        book(done, who, part, deal.price, deal.trade_id, name)
                        met[name] += part
                        left[name] -= part
                        wanted -= part
                        last = name
                penalty = short - deal.price if side == "offer" else deal.price - long
                # What is missing is laid on the meter that was reached: the last one, if any is.
                reached = own[-1].name if wanted else last
                book(missing, who, wanted, penalty, deal.trade_id, reached)
            for name, rest in left.items():
                book(beyond, who, rest, beyond_price, None, name)

    for m in period.meters:
        if m.name != period.head and agreed.grid_fee:
            book("grid_fee", m.participant, m.imported, agreed.grid_fee, None, m.name)
        if agreed.operator_fee:
            book("operator_fee", m.participant, met[m.name], agreed.operator_fee, None, m.name)

    lost = sum(m.exported - m.imported for m in period.meters)
    payers = [m for m in period.meters if m.name != period.head and m.imported]
    if agreed.losses == "importers" and payers:
        for m, share in zip(payers, largest_remainder(lost, payers), strict=True):
            book("losses", m.participant, share, short, None, m.name)
    else:
        book("losses", LOSSES, lost, short, None, period.head)

    for link, milliwh, fee in period.links:
        book("link_fee", f"link:{link}", milliwh, fee, None, None)
    sides = {"bid": 1, "offer": -1}
    rent = sum(sides[deal.side] * amount(deal.milliwh, deal.price) for deal in period.deals)
    rent -= sum(amount(milliwh, fee) for _, milliwh, fee in period.links)
    if rent:
        lines[Key("rent", RENT, None, None)] = Line(rent, 0)
    left_over = sum(
        -line.micro if HOUSE[key.kind][1] else line.micro
        for key, line in lines.items()
        if HOUSE[key.kind][0] == CLEARING
    )
    if left_over:
        lines[Key("residual", OPERATOR, None, None)] = Line(left_over, 0)
    for who, micro in period.deposits:
        if micro:
            lines[Key("deposit", who, None, None)] = Line(micro, 0)
    return lines


def largest_remainder(lost: int, payers: list[Meter]) -> list[int]:
    """Shares of the losses by import; of equal remainders the first by participant and meter."""
    total = sum(m.imported for m in payers)
    exact = [Fraction(abs(lost) * m.imported, total) for m in payers]
    shares = [int(share) for share in exact]
    ranked = sorted(
        range(len(payers)),
        key=lambda n: (shares[n] - exact[n], payers[n].participant, payers[n].name),
    )
    for n in ranked[: abs(lost) - sum(shares)]:
        shares[n] += 1
    return [share if lost >= 0 else -share for share in shares]


def balances(lines: dict[Key, Line]) -> dict[str, int]:
    """What each account is paid less what it pays, without those that come to nothing."""
    sums: dict[str, int] = defaultdict(int)
    for key, line in lines.items():
        house, pays = HOUSE[key.kind]
        paid = line.micro if pays else -line.micro
        sums[key.account] += paid
        sums[house] -= paid
    return {name: total for name, total in sums.items() if total}
