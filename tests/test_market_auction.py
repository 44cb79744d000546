"""The auction over files, against a plain Python clearing that shares no code with the core."""

import csv
import io
import random
from collections import defaultdict
from pathlib import Path

import pytest

from gridrig.campaign.clearing_command import clear_command
from gridrig.errors import MarketError, RigError
from gridrig.market.auction import AuctionRules, Order, clear_pay_as_clear
from gridrig.market.mechanisms import PayAsClear
from gridrig.market.orders_file import read_orders, write_trades

RULES = AuctionRules(lot_milliwh=1_000, tick_micro_per_kwh=1_000)
HEADER = "order_id,participant,side,energy_milliwh,price_micro_per_kwh\n"


def write(tmp_path: Path, rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(header + rows, encoding="utf-8")
    return path


def plain_fills(orders: list[Order], lot: int) -> dict[int, int]:
    """Serve one lot at a time: best bid against best offer, until they no longer meet."""
    left = {order.order_id: order.energy_milliwh for order in orders}
    fills: dict[int, int] = defaultdict(int)
    while True:
        rest = [order for order in orders if left[order.order_id] > 0]
        bids = [order for order in rest if order.side == "bid"]
        offers = [order for order in rest if order.side == "offer"]
        if not bids or not offers:
            return dict(fills)
        bid = min(bids, key=lambda order: (-order.price_micro_per_kwh, order.order_id))
        offer = min(offers, key=lambda order: (order.price_micro_per_kwh, order.order_id))
        if bid.price_micro_per_kwh < offer.price_micro_per_kwh:
            return dict(fills)
        for order in (bid, offer):
            left[order.order_id] -= lot
            fills[order.order_id] += lot


@pytest.mark.parametrize("seed", range(20))
def test_clearing_fills_what_a_plain_search_fills(seed: int) -> None:
    draw = random.Random(seed)
    orders = [
        Order(
            number,
            f"p{number}",
            draw.choice(["bid", "offer"]),
            1_000 * draw.randint(1, 9),
            1_000 * draw.randint(-5, 12),
        )
        for number in range(30)
    ]
    clearing = clear_pay_as_clear(orders, RULES)
    fills = {trade.order_id: trade.energy_milliwh for trade in clearing.trades}
    assert fills == plain_fills(orders, 1_000)
    bought = sum(t.energy_milliwh for t in clearing.trades if t.side == "bid")
    sold = sum(t.energy_milliwh for t in clearing.trades if t.side == "offer")
    assert bought == sold == clearing.volume_milliwh
    limits = {order.order_id: order for order in orders}
    welfare = sum(
        trade.energy_milliwh
        * limits[trade.order_id].price_micro_per_kwh
        * (1 if trade.side == "bid" else -1)
        for trade in clearing.trades
    )
    assert welfare == clearing.welfare_pico
    for order_id, energy_milliwh in clearing.residuals:
        assert fills.get(order_id, 0) + energy_milliwh == limits[order_id].energy_milliwh


def test_a_file_clears_to_a_file_of_trades(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "1,house-1,bid,5000,300000\n2,house-2,offer,2000,100000\n3,house-3,offer,4000,200000\n",
    )
    out = io.StringIO()
    write_trades(PayAsClear().clear(read_orders(path)).trades, out)
    assert out.getvalue() == (
        "trade_id,order_id,participant,side,energy_milliwh,price_micro_per_kwh\n"
        "1,1,house-1,bid,5000,200000\n"
        "2,2,house-2,offer,2000,200000\n"
        "3,3,house-3,offer,3000,200000\n"
    )


def test_columns_may_stand_in_any_order_and_names_may_hold_commas(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '100,bid,"smith, j.",7,1000\n',
        "price_micro_per_kwh,side,participant,order_id,energy_milliwh\n",
    )
    assert read_orders(path) == [Order(7, "smith, j.", "bid", 1000, 100)]


def test_every_bad_row_is_told_at_once_with_file_and_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "1,a,bid,1000,1000\n"
        "2,b,buy,1000,1000\n"
        "\n"
        "3,,offer,1.5,1e3\n"
        "-4,d,offer,1000\n"
        "5,e,offer,1000,99999999999999999999\n"
        "-6,f,offer,1000,1000\n",
    )
    with pytest.raises(MarketError) as refused:
        read_orders(path)
    assert refused.value.code == "market.orders_file"
    found = [(issue.file, issue.key, issue.found) for issue in refused.value.issues]
    assert found == [
        (f"{path}:3", "side", "'buy'"),
        (f"{path}:5", "energy_milliwh", "'1.5'"),
        (f"{path}:5", "price_micro_per_kwh", "'1e3'"),
        (f"{path}:5", "participant", "''"),
        (f"{path}:6", "row", "4 fields"),
        (f"{path}:7", "price_micro_per_kwh", "'99999999999999999999'"),
        (f"{path}:8", "order_id", "'-6'"),
    ]
    assert f"{path}:3: side: found 'buy', expected bid or offer" in str(refused.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "columns"),
        (b"order_id,side\n", "columns"),
        (HEADER.encode() + b'1,"a,bid,1,1\n', "CSV"),
        (HEADER.encode() + b"1,\xff,bid,1,1\n", "CSV"),
    ],
)
def test_a_file_that_is_no_orders_file_is_refused(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    with pytest.raises(MarketError, match=expected):
        read_orders(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(MarketError, match=r"nowhere\.csv"):
        read_orders(tmp_path / "nowhere.csv")


def test_faults_stop_being_told_at_a_bound(tmp_path: Path) -> None:
    path = write(tmp_path, "x,a,bid,1000,1000\n" * 1_000)
    with pytest.raises(MarketError) as refused:
        read_orders(path)
    assert len(refused.value.issues) == 100
    assert "no further" in str(refused.value)


def test_the_command_prints_trades_and_names_refused_orders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "1,a,bid,1000,2000\n2,b,offer,1000,1000\n3,c,offer,1,1000\n")
    assert clear_command(path) == 0
    printed = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(printed.out)))
    assert [row["order_id"] for row in rows] == ["1", "2"]
    assert "order 3 refused: market.lot: energy 1 mWh" in printed.err


def test_an_unknown_mechanism_is_refused_with_the_installed_ones(tmp_path: Path) -> None:
    with pytest.raises(RigError, match='one of "pay-as-bid", "pay-as-clear", "zonal"') as refused:
        clear_command(tmp_path / "orders.csv", mechanism="pay-as-you-like")
    assert refused.value.code == "market.mechanism"


def test_an_auction_without_a_lot_or_a_side_is_an_error() -> None:
    with pytest.raises(MarketError) as refused:
        AuctionRules(lot_milliwh=0, tick_micro_per_kwh=1)
    assert refused.value.code == "market.rules_lot"
    with pytest.raises(MarketError, match='ties "chance" is not time or pro-rata'):
        AuctionRules(lot_milliwh=1, tick_micro_per_kwh=1, ties="chance")
    with pytest.raises(MarketError, match='side "buy"'):
        Order(1, "a", "buy", 1, 1)
    with pytest.raises(OverflowError):
        Order(1, "a", "bid", 2**63, 1)
