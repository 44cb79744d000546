"""What a run says of its zones, made again: marks of trades, prices of zones, flows of links.

The zones are those of rig and scenario. Where the market clears in them, every period is cleared
again from its orders; then trades, zones and links have to come out as they are written, and the
flows go into the settlement of their period, which has to come out as it was posted.

Not made again: which orders a reserve refused, where the scenario asks for reserves, and whether a
period was an island's; both are taken as written.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridrig._core import Order, Trade
from gridrig.campaign import records
from gridrig.campaign.formats import csv_rows
from gridrig.campaign.market_rows import link_rows, mark_cells, zone_rows
from gridrig.campaign.relief import zones_of_run
from gridrig.campaign.reserves import RESERVE_SHORT
from gridrig.campaign.run_rules import begun_utc_s, book_of
from gridrig.campaign.scenario import MarketRules, load_scenario
from gridrig.campaign.settlement_terms import make_terms
from gridrig.campaign.trading import HALTED, charged
from gridrig.errors import CampaignError, GridrigError
from gridrig.market.counterparties import marks
from gridrig.market.mechanisms import ZonalMechanism
from gridrig.market.outcome import Outcome, Refused
from gridrig.market.zonal_clearing import clear_in_zones
from gridrig.market.zones import Network
from gridrig.quantity import DeliveryPeriod

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Flow = tuple[str, int, int]
"""Name, energy and fee of a link. [mWh, millionths/kWh]"""


@dataclass(frozen=True)
class ClearedAgain:
    """The periods of a run that its market cleared in zones, cleared again.

    Parameters
    ----------
    network : Network or None
        Zones of the run; None without any.
    lot_milliwh : int
        [mWh]
    outcomes : mapping of int to Outcome, or None
        By period, with trades by their numbers in the run; None unless the market is zonal.
    clearing : sequence of ClearingRow
        What `clearing.csv` should hold of these periods.
    orders : sequence of OrderRow
        What `orders.csv` should hold, with what was refused.
    as_posted : bool
        Whether the flows of links are what was posted: where the feeder has the last word.
    fault : str
        Why nothing could be cleared again, else empty.
    """

    network: Network | None
    lot_milliwh: int = 1
    outcomes: Mapping[int, Outcome] | None = None
    clearing: Sequence[records.ClearingRow] = ()
    orders: Sequence[records.OrderRow] = ()
    as_posted: bool = False
    fault: str = ""

    def flows(self) -> dict[int, list[Flow]] | None:
        """Return what links charged for in each period; None to take it as posted."""
        if self.as_posted or self.fault:
            return None
        found = self.outcomes or {}
        return {period: list(charged(one.links)) for period, one in found.items()}


def cleared_again(run: Path) -> ClearedAgain:
    """Clear the periods of a run again, if its market clears in zones.

    Raises
    ------
    GridrigError
        If rig or scenario cannot be read.
    """
    network = zones_of_run(run)
    scenario = load_scenario(run / records.SCENARIO)
    market = scenario.market
    if network is None or market is None or market.network is None:
        return ClearedAgain(network, as_posted=market is not None and market.feeder_check)
    book = book_of(run, scenario, market)
    try:
        orders = csv_rows(records.OrderRow, run / records.ORDERS)
        by_period = defaultdict(list)
        for order in orders:
            by_period[order.period].append(order)
        outcomes: dict[int, Outcome] = {}
        clearing: list[records.ClearingRow] = []
        refused: dict[int, str] = {}
        made = 0
        for row in csv_rows(records.ClearingRow, run / records.CLEARING):
            start_s = row.period * scenario.period_s
            stop = book.stop_of(DeliveryPeriod(row.period, start_s, scenario.period_s))
            placed = by_period[row.period]
            if stop is not None:
                outcome = Outcome((), tuple(Refused(one.order_id, HALTED, "") for one in placed))
            else:
                outcome = _cleared(market, network, placed, island=row.island)
            refused |= {one.order_id: one.code for one in outcome.refused}
            outcomes[row.period] = replace(
                outcome, trades=tuple(_numbered(made, trade) for trade in outcome.trades)
            )
            made += len(outcome.trades)
            clearing.append(
                records.ClearingRow(
                    row.period,
                    begun_utc_s(run, scenario) + start_s,
                    outcome.price_micro_per_kwh,
                    outcome.volume_milliwh,
                    row.island,
                )
            )
    except (GridrigError, OSError, OverflowError) as error:
        return ClearedAgain(network, fault=f"cannot be cleared again: {error}")
    due = [
        one if _is_short(market, one) else replace(one, refused=refused.get(one.order_id, ""))
        for one in orders
    ]
    return ClearedAgain(network, market.lot_milliwh, outcomes, clearing, due)


def _is_short(market: MarketRules, order: records.OrderRow) -> bool:
    """Tell whether an order was refused for want of a reserve, where there are any."""
    return order.refused == RESERVE_SHORT and make_terms(market).deposit_micro is not None


def _cleared(
    market: MarketRules, network: Network, rows: Sequence[records.OrderRow], *, island: bool
) -> Outcome:
    zone_of = network.zone_of()
    orders = [
        Order(r.order_id, r.participant, r.side, r.energy_milliwh, r.price_micro_per_kwh)
        for r in rows
        if not _is_short(market, r)
    ]
    mechanism = market.auction(island=island)
    assert isinstance(mechanism, ZonalMechanism), "the scenario was checked"
    places = [zone_of.get(order.participant) for order in orders]
    return clear_in_zones(mechanism, orders, places, network)


def _numbered(before: int, trade: Trade) -> Trade:
    return Trade(
        before + trade.trade_id,
        trade.order_id,
        trade.participant,
        trade.side,
        trade.energy_milliwh,
        trade.price_micro_per_kwh,
    )


def zone_faults(
    run: Path, again: ClearedAgain, rows: Sequence[Mapping[str, str]], settled: Iterable[int]
) -> Iterator[str]:
    """Yield what of trades, clearings, zones and links is not what comes out again.

    Parameters
    ----------
    run : Path
    again : ClearedAgain
    rows : sequence of mapping
        The trades of the run as they are written, by column.
    settled : iterable of int
        The periods that the journal posted: each of them was cleared.
    """
    if again.fault:
        yield again.fault
    if again.outcomes is None and not again.fault and (run / records.ZONES).is_file():
        yield f"{records.ZONES} is there, and the scenario's market has no zones"
    if again.outcomes is not None:
        for period in settled:
            if period not in again.outcomes:
                yield f"{records.CLEARING}: nothing of period {period}, which is settled"
        yield from _trade_faults(again.outcomes, rows)
        network = again.network
        assert network is not None, "a market that clears in zones has some"
        found = again.outcomes.items()
        zones = [row for period, one in found for row in zone_rows(period, one.zones)]
        links = [
            row
            for period, one in found
            for row in link_rows(period, one.links, network, again.lot_milliwh)
        ]
        yield from _row_faults(run, records.ORDERS, records.OrderRow, again.orders)
        yield from _row_faults(run, records.CLEARING, records.ClearingRow, again.clearing)
        yield from _row_faults(run, records.ZONES, records.ZoneRow, zones)
        yield from _row_faults(run, records.LINKS, records.LinkRow, links)
    yield from _mark_faults(again, rows)


def _trade_faults(
    outcomes: Mapping[int, Outcome], rows: Sequence[Mapping[str, str]]
) -> Iterator[str]:
    """Yield the first trade that the orders of its period do not give."""
    names = ("trade_id", "order_id", "participant", "side", "energy_milliwh", "price_micro_per_kwh")
    due = [
        [str(period), *(str(getattr(trade, name)) for name in names)]
        for period, outcome in outcomes.items()
        for trade in outcome.trades
    ]
    written = [[row.get(name) for name in ("period", *names)] for row in rows]
    for line, (found, expected) in enumerate(zip_longest(written, due), 2):
        if found != expected:
            yield (
                f"{records.TRADES} line {line}: {_shown(found)} is written, {_shown(expected)} "
                "comes out of the orders"
            )
            return


def _shown(cells: Sequence[str | None] | None) -> str:
    return "nothing" if cells is None else ",".join(cell or "" for cell in cells)


def _row_faults(
    run: Path, name: str, row_type: "type[DataclassInstance]", due: Sequence[Any]
) -> Iterator[str]:
    """Yield the first row of a table that is not the one that comes out of the orders."""
    try:
        written: list[Any] = csv_rows(row_type, run / name)
    except (CampaignError, OSError) as error:
        yield f"{name}: {error}"
        return
    for line, (found, expected) in enumerate(zip_longest(written, due), 2):
        if found != expected:
            yield f"{name} line {line}: {found} is written, {expected} comes out of the orders"
            return


def _mark_faults(again: ClearedAgain, rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Yield each trade whose zone, or what of it is financial only, is another."""
    periods: dict[str, list[tuple[int, Mapping[str, str], Trade]]] = defaultdict(list)
    for line, row in enumerate(rows, 2):
        if "zone" not in row:
            return  # written before there were such columns
        try:
            trade = Trade(
                int(row["trade_id"]), 0, row["participant"], row["side"],
                int(row["energy_milliwh"]), 0,
            )  # fmt: skip
        except (ValueError, TypeError, KeyError, OverflowError):
            continue  # no trade, which is told elsewhere
        periods[row["period"]].append((line, row, trade))
    zone_of = {} if again.network is None else again.network.zone_of()
    for held in periods.values():
        trades = [trade for _, _, trade in held]
        due = {}
        if again.network is not None:
            places = [zone_of.get(trade.participant) for trade in trades]
            due = marks(trades, places, again.network)
        for line, row, trade in held:
            zone, financial = mark_cells(due.get(trade.trade_id))
            expected = [zone, "" if financial is None else str(financial)]
            found = [row["zone"], row.get("financial_only_milliwh")]
            if found != expected:
                yield (
                    f"{records.TRADES} line {line}: zone and financial-only energy "
                    f"{_shown(found)!r} are written, {_shown(expected)!r} come out of the zones"
                )
