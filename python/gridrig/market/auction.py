"""Auctions over files: orders CSV in, trades CSV out, and the facade over the Rust market.

The orders file has the columns of `ORDER_COLUMNS` in any order, numbers as plain integers:

    order_id,participant,side,energy_milliwh,price_micro_per_kwh
    1,house-1,bid,500000,300000
"""

import csv
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from gridrig._core import Clearing, Order, Rejection, Trade, clear_pay_as_clear
from gridrig.errors import Issue, MarketError

__all__ = [
    "LOT_MILLIWH",
    "MECHANISMS",
    "ORDER_COLUMNS",
    "TICK_MICRO_PER_KWH",
    "TRADE_COLUMNS",
    "Clearing",
    "Order",
    "Rejection",
    "Trade",
    "clear_command",
    "clear_file",
    "clear_pay_as_clear",
    "read_orders",
    "write_trades",
]

ORDER_COLUMNS = ("order_id", "participant", "side", "energy_milliwh", "price_micro_per_kwh")
TRADE_COLUMNS = ("trade_id", *ORDER_COLUMNS)
LOT_MILLIWH = 1_000
TICK_MICRO_PER_KWH = 1_000
ROWS_MAX = 1_000_000
ISSUES_MAX = 100
"""Faults told one by one; a file with more is cut short there and says so."""

MECHANISMS: dict[str, Callable[..., Clearing]] = {"pay-as-clear": clear_pay_as_clear}

_INTEGER = re.compile(r"-?[0-9]{1,18}")


def read_orders(path: Path | str) -> list[Order]:
    """Read a file of orders.

    Parameters
    ----------
    path : Path or str
        CSV with a header, see the module's text.

    Returns
    -------
    list of Order
        In file order. What the market would refuse is read as it is.

    Raises
    ------
    MarketError
        `market.orders_file`, with every fault as `.issues`: file:line, found, expected.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read_orders(str(path), csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise _refusal(str(path), [Issue(str(path), "(file)", str(fault), "a CSV file")]) from fault


def _read_orders(path: str, rows: Iterator[list[str]]) -> list[Order]:
    header = next(rows, [])
    if sorted(header) != sorted(ORDER_COLUMNS):
        expected = "the columns " + ",".join(ORDER_COLUMNS)
        raise _refusal(path, [Issue(f"{path}:1", "header", repr(",".join(header)), expected)])
    orders: list[Order] = []
    issues: list[Issue] = []
    for row in rows:
        where = f"{path}:{rows.line_num}"  # type: ignore[attr-defined]
        if not row:
            continue
        if len(row) != len(header):
            issues.append(Issue(where, "row", f"{len(row)} fields", f"{len(header)} fields"))
        else:
            order = _read_order(where, dict(zip(header, row, strict=True)), issues)
            if order is not None:
                orders.append(order)
        if len(orders) > ROWS_MAX:
            issues.append(Issue(where, "row", "one more", f"at most {ROWS_MAX} orders"))
        if len(issues) >= ISSUES_MAX or len(orders) > ROWS_MAX:
            break
    if issues:
        raise _refusal(path, issues)
    return orders


def _read_order(where: str, row: dict[str, str], issues: list[Issue]) -> Order | None:
    before = len(issues)
    numbers: dict[str, int] = {}
    for name in ("order_id", "energy_milliwh", "price_micro_per_kwh"):
        text = row[name].strip()
        if _INTEGER.fullmatch(text) and (name != "order_id" or not text.startswith("-")):
            numbers[name] = int(text)
        else:
            kind = "a number from 0" if name == "order_id" else "a whole number"
            issues.append(Issue(where, name, repr(row[name]), f"{kind} of at most 18 digits"))
    participant, side = row["participant"].strip(), row["side"].strip()
    if not participant:
        issues.append(Issue(where, "participant", repr(row["participant"]), "a name"))
    if side not in {"bid", "offer"}:
        issues.append(Issue(where, "side", repr(row["side"]), "bid or offer"))
    if len(issues) > before:
        return None
    return Order(
        numbers["order_id"],
        participant,
        side,
        numbers["energy_milliwh"],
        numbers["price_micro_per_kwh"],
    )


def _refusal(path: str, issues: Sequence[Issue]) -> MarketError:
    more = "" if len(issues) < ISSUES_MAX else f"\n  and no further: {ISSUES_MAX} faults are enough"
    return MarketError(
        "market.orders_file",
        "{path} cannot be read\n{lines}",
        path=path,
        lines="\n".join(f"  {issue.text()}" for issue in issues) + more,
        issues=tuple(issues),
    )


def write_trades(clearing: Clearing, file: TextIO) -> None:
    """Write the trades of a clearing as CSV with the columns `TRADE_COLUMNS`."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(TRADE_COLUMNS)
    for trade in clearing.trades:
        writer.writerow([getattr(trade, column) for column in TRADE_COLUMNS])


def clear_file(
    path: Path | str,
    *,
    mechanism: str = "pay-as-clear",
    lot_milliwh: int = LOT_MILLIWH,
    tick_micro_per_kwh: int = TICK_MICRO_PER_KWH,
) -> Clearing:
    """Clear a file of orders.

    Parameters
    ----------
    path : Path or str
        The orders, see `read_orders`.
    mechanism : str
        One of `MECHANISMS`.
    lot_milliwh, tick_micro_per_kwh : int
        Smallest steps of energy and price. [mWh], [millionths/kWh]

    Raises
    ------
    MarketError
        `market.orders_file`, `market.mechanism_unknown`, or what the auction itself raises.
    """
    if mechanism not in MECHANISMS:
        raise MarketError(
            "market.mechanism_unknown",
            "mechanism {mechanism!r} is none of {known}",
            mechanism=mechanism,
            known=", ".join(MECHANISMS),
        )
    orders = read_orders(path)
    return MECHANISMS[mechanism](
        orders, lot_milliwh=lot_milliwh, tick_micro_per_kwh=tick_micro_per_kwh
    )


def clear_command(
    path: Path | str,
    *,
    mechanism: str = "pay-as-clear",
    lot_milliwh: int = LOT_MILLIWH,
    tick_micro_per_kwh: int = TICK_MICRO_PER_KWH,
) -> int:
    """Clear a file of orders: trades to standard output, refused orders to standard error.

    Returns
    -------
    int
        0: a market that refuses an order is a market that works.
    """
    clearing = clear_file(
        path, mechanism=mechanism, lot_milliwh=lot_milliwh, tick_micro_per_kwh=tick_micro_per_kwh
    )
    write_trades(clearing, sys.stdout)
    for rejection in clearing.rejections:
        line = f"order {rejection.order_id} refused: {rejection.code}: {rejection.message}"
        print(line, file=sys.stderr)
    return 0
