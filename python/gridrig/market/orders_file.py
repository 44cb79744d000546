"""Files of orders and of trades.

An orders file is CSV with the columns of `ORDER_COLUMNS` in any order, numbers as plain integers,
and a column `zone` if the market has zones:

    order_id,participant,side,energy_milliwh,price_micro_per_kwh
    1,house-1,bid,500000,300000
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import TextIO

from gridrig._core import Order, Trade
from gridrig.errors import Issue, MarketError
from gridrig.market.counterparties import Mark

ORDER_COLUMNS = ("order_id", "participant", "side", "energy_milliwh", "price_micro_per_kwh")
TRADE_COLUMNS = ("trade_id", *ORDER_COLUMNS)
ZONE = "zone"
MARK_COLUMNS = (ZONE, "financial_only_milliwh")
ROWS_MAX = 1_000_000
ISSUES_MAX = 100
"""Faults told one by one; a file with more is cut short there and says so."""

_INTEGER = re.compile(r"-?[0-9]{1,18}")


def read_orders(path: Path | str) -> list[Order]:
    """Read a file of orders of a market without zones; as `read_zoned_orders`."""
    return _read(path, zoned=False)[0]


def read_zoned_orders(path: Path | str) -> tuple[list[Order], list[str]]:
    """Read a file of orders.

    Parameters
    ----------
    path : Path or str
        CSV with a header, see the module's text.

    Returns
    -------
    orders : list of Order
        In file order. What the market would refuse is read as it is.
    zones : list of str
        The zone that each names.

    Raises
    ------
    MarketError
        `market.orders_file`, with every fault as `.issues`: file:line, found, expected.
    """
    return _read(path, zoned=True)


def _read(path: Path | str, *, zoned: bool) -> tuple[list[Order], list[str]]:
    path = Path(path)
    columns = (*ORDER_COLUMNS, ZONE) if zoned else ORDER_COLUMNS
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read_rows(str(path), csv.reader(file, strict=True), columns)
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise _refusal(str(path), [Issue(str(path), "(file)", str(fault), "a CSV file")]) from fault


def _read_rows(
    path: str, rows: Iterator[list[str]], columns: Sequence[str]
) -> tuple[list[Order], list[str]]:
    header = next(rows, [])
    if sorted(header) != sorted(columns):
        expected = "the columns " + ",".join(columns)
        if sorted(header) == sorted((*columns, ZONE)):
            expected += f", or a network of zones beside a column {ZONE}"
        raise _refusal(path, [Issue(f"{path}:1", "header", repr(",".join(header)), expected)])
    orders: list[Order] = []
    zones: list[str] = []
    issues: list[Issue] = []
    for row in rows:
        where = f"{path}:{rows.line_num}"  # type: ignore[attr-defined]
        if not row:
            continue
        if len(row) != len(header):
            issues.append(Issue(where, "row", f"{len(row)} fields", f"{len(header)} fields"))
        else:
            fields = dict(zip(header, row, strict=True))
            order = _read_order(where, fields, issues)
            if order is not None:
                orders.append(order)
                zones.append(fields.get(ZONE, "").strip())
        if len(orders) > ROWS_MAX:
            issues.append(Issue(where, "row", "one more", f"at most {ROWS_MAX} orders"))
        if len(issues) >= ISSUES_MAX or len(orders) > ROWS_MAX:
            break
    if issues:
        raise _refusal(path, issues)
    return orders, zones


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


def write_trades(
    trades: Sequence[Trade],
    file: TextIO,
    marks: Mapping[int, Mark] | None = None,
) -> None:
    """Write trades as CSV with the columns `TRADE_COLUMNS`.

    `marks` gives by number of a trade its zone, none for the main grid, and how much of it is
    financial only, as two columns more. [mWh]
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(TRADE_COLUMNS if marks is None else (*TRADE_COLUMNS, *MARK_COLUMNS))
    for trade in trades:
        row = [getattr(trade, column) for column in TRADE_COLUMNS]
        writer.writerow(row if marks is None else [*row, *astuple(marks[trade.trade_id])])
