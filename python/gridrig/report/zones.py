"""The zones of a run's market: what each paid and traded, what its links carried and charged."""

from gridrig.campaign.records import LinkRow, ZoneRow
from gridrig.report.elements import Markup, table
from gridrig.report.source import RunSource
from gridrig.report.wording import CURRENCY, count, fixed, kwh, money, number

LINK, RENT = "link:", "congestion-rent"


def zones_and_links(source: RunSource) -> Markup:
    """Return both tables; nothing of a market without zones."""
    if not source.zones:
        return Markup("")
    return Markup(_zones(source) + _links(source))


def _zones(source: RunSource) -> str:
    names = dict.fromkeys(row.zone for row in source.zones)
    rows = [_zone(name, [row for row in source.zones if row.zone == name]) for name in names]
    heads = ("Zone", "Bought [kWh]", "Sold [kWh]", f"Lowest price [{CURRENCY}/kWh]",
             f"Highest price [{CURRENCY}/kWh]")  # fmt: skip
    caption = "A zone is a place with a price of its own; prices differ by fees and by full links."
    return table(heads, rows, caption=caption, numeric=range(1, 5))


def _links(source: RunSource) -> str:
    names = dict.fromkeys(row.link for row in source.links)
    rows = [_link(name, [row for row in source.links if row.link == name]) for name in names]
    heads = ("Link", "There [kWh]", "Back [kWh]", f"Fees [{CURRENCY}/kWh]", f"Charged [{CURRENCY}]",
             "Full")  # fmt: skip
    paid = {row.account: row.amount_micro for row in source.balances}
    caption = (
        f"What links charge is in their accounts, {LINK}NAME; what full ones left over, "
        f"{money(paid.get(RENT, 0))} {CURRENCY}, is in {RENT}, which is held for the owners of the "
        "network."
    )
    return table(heads, rows, caption=caption, numeric=range(1, 5))


def _zone(name: str, rows: list[ZoneRow]) -> tuple[str, ...]:
    prices = sorted(row.price_micro_per_kwh for row in rows if row.price_micro_per_kwh is not None)
    ends = (fixed(prices[at] / 1e6, 6) if prices else "\u2013" for at in (0, -1))
    energies = (sum(row.bought_milliwh for row in rows), sum(row.sold_milliwh for row in rows))
    return (name, *map(kwh, energies), *ends)


def _link(name: str, rows: list[LinkRow]) -> tuple[str, ...]:
    there = sum(max(0, row.net_milliwh) for row in rows)
    back = sum(max(0, -row.net_milliwh) for row in rows)
    fees = sorted({row.fee_micro_per_kwh for row in rows if row.net_milliwh})
    full = sum(row.full for row in rows)
    return (
        name,
        kwh(there),
        kwh(back),
        ", ".join(number(fee / 1e6) for fee in fees),
        money(sum(row.fee_micro for row in rows)),
        f"in {number(full)} of {count(len(rows), 'period')}",
    )
