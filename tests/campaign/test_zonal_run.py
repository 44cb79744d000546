"""A run whose market clears in two zones: prices, fees, rent and money, from its own files."""

import csv
import json
import shutil
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from two_prices import RIG, SCENARIO, wired

from gridrig.campaign.formats import csv_rows
from gridrig.campaign.records import TradeRow
from gridrig.campaign.relief import zones_of_run
from gridrig.campaign.run_audit import run_faults
from gridrig.campaign.trading import Trading
from gridrig.cli import main
from gridrig.errors import CampaignError
from gridrig.market.auction import Order
from gridrig.promises.zonal_optimum import ZonalOptimum

LOT = 1_000
Rows = list[dict[str, str]]


def rows_of(path: Path) -> Rows:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("zonal") / "run"
    assert main(["run", str(SCENARIO), "--rig", str(RIG), "--out", str(path)]) == 0
    return path


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def by_period(rows: Rows) -> dict[int, Rows]:
    found: defaultdict[int, Rows] = defaultdict(list)
    for row in rows:
        found[int(row["period"])].append(row)
    return found


def signed(trade: dict[str, str]) -> int:
    """Return what a trade bought, less than nothing if it sold. [mWh]"""
    return int(trade["energy_milliwh"]) * (1 if trade["side"] == "bid" else -1)


def test_every_period_is_an_optimum_and_its_prices_support_it(finished: Path) -> None:
    network = zones_of_run(finished)
    assert network is not None
    zone_of = network.zone_of()
    names = ("orders", "trades", "zones", "links")
    orders, trades, zones, links = (by_period(rows_of(finished / f"{n}.csv")) for n in names)
    unique = 0
    for period, placed in orders.items():
        book = [
            Order(int(o["order_id"]), o["participant"], o["side"], int(o["energy_milliwh"]),
                  int(o["price_micro_per_kwh"]))
            for o in placed
        ]  # fmt: skip
        limit_of = {order.order_id: order.price_micro_per_kwh for order in book}
        welfare = sum(signed(t) * limit_of[int(t["order_id"])] for t in trades[period])
        welfare -= sum(
            abs(int(one["net_milliwh"])) * int(one["fee_micro_per_kwh"]) for one in links[period]
        )
        optimum = ZonalOptimum(book, [zone_of[o.participant] for o in book], network, LOT)
        assert welfare == optimum.welfare_pico()
        for zone in zones[period]:
            price = int(zone["price_micro_per_kwh"])
            least, largest = optimum.price_bounds(zone["zone"])
            assert least is not None
            assert largest is not None
            assert least <= price <= largest
            unique += least == largest
    assert unique > 40


def test_full_links_part_the_zones_and_everybody_trades_at_its_own_price(finished: Path) -> None:
    zones = {
        (row["period"], row["zone"]): row["price_micro_per_kwh"]
        for row in rows_of(finished / "zones.csv")
    }
    trades = rows_of(finished / "trades.csv")
    for trade in trades:
        if trade["participant"] != "grid":
            assert trade["price_micro_per_kwh"] == zones[trade["period"], trade["zone"]]
    full = [row["period"] for row in rows_of(finished / "links.csv") if row["full"] == "1"]
    assert full == [str(period) for period in range(5, 16)]
    for period in full:
        assert (zones[period, "hill"], zones[period, "valley"]) == ("80000", "320000")
    # In period 4 the contract is not full: the valley is dearer by its fee and no more.
    assert (zones["4", "hill"], zones["4", "valley"]) == ("310000", "320000")
    events = map(json.loads, (finished / "events.jsonl").read_text().splitlines())
    cleared = {e["period"]: e for e in events if e["kind"] == "cleared"}
    assert cleared[5]["zone_prices"] == {"hill": 80_000, "valley": 320_000}
    assert cleared[5]["price_micro_per_kwh"] is None
    assert cleared[5]["link_fees"] == {"hill-valley": 10_000, "grid-hill": 0, "grid-valley": 20_000}


def test_fees_and_rent_are_in_accounts_of_their_own_and_money_closes(finished: Path) -> None:
    balances = {
        row["account"]: int(row["amount_micro"]) for row in rows_of(finished / "balances.csv")
    }
    assert sum(balances.values()) == balances["clearing"] == 0
    fees = Counter[str]()
    for row in rows_of(finished / "links.csv"):
        fees[f"link:{row['link']}"] += int(row["fee_micro"])
        charged = abs(int(row["net_milliwh"])) * int(row["fee_micro_per_kwh"])
        assert int(row["fee_micro"]) * 10**6 == charged
    assert fees == {name: balances[name] for name in fees}
    assert min(fees.values()) > 0
    trades = rows_of(finished / "trades.csv")
    worth = sum(signed(t) * int(t["price_micro_per_kwh"]) for t in trades)
    rent, left = divmod(worth, 10**6)
    assert left == 0
    assert balances["congestion-rent"] == rent - fees.total()
    # 2 kWh in each of eleven hours, at a difference of 0.32 - 0.08 less the fee of 0.01.
    assert balances["congestion-rent"] == 11 * 2 * 230_000


def test_financial_only_is_marked_at_either_end(finished: Path) -> None:
    trades, links = rows_of(finished / "trades.csv"), rows_of(finished / "links.csv")
    assert {row["financial_only_milliwh"] for row in trades if row["participant"] == "grid"} == {
        "0"
    }
    marked: Counter[tuple[str, str]] = Counter()
    for row in trades:
        marked[row["period"], row["side"]] += int(row["financial_only_milliwh"])
    for row in links:
        if row["link"] == "hill-valley":
            assert int(row["net_milliwh"]) == marked[row["period"], "offer"]
            assert int(row["net_milliwh"]) == marked[row["period"], "bid"]


def test_an_agent_sees_the_prices_of_its_own_zone(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, tuple[int | None, ...]] = {}
    real = Trading.clear

    def clear(self: Trading, period: Any, islanded: bool, view_of: Any) -> Any:
        seen.update({name: view_of(name).prices_micro for name in self.agents})
        return real(self, period, islanded, view_of)

    monkeypatch.setattr(Trading, "clear", clear)
    again = tmp_path / "again"
    assert main(["run", str(SCENARIO), "--rig", str(RIG), "--out", str(again)]) == 0
    zones = rows_of(again / "zones.csv")
    for zone, names in {"hill": ("roof-1", "house-1"), "valley": ("shop", "house-2")}.items():
        prices = [int(row["price_micro_per_kwh"]) for row in zones if row["zone"] == zone]
        for name in names:
            assert list(seen[name]) == prices[:-1]  # of its last period nobody knows yet
    assert seen["grid"][5] is None  # it has no zone, and that period no one price
    for name in ("trades.csv", "zones.csv", "links.csv", "entries.csv", "events.jsonl"):
        assert (again / name).read_bytes() == (finished / name).read_bytes()


def column(name: str, line: int, key: str, value: str) -> Callable[[Path], None]:
    """Return what writes another value into a table of a run."""

    def change(run: Path) -> None:
        rows = rows_of(run / name)
        assert rows[line][key] != value
        rows[line][key] = value
        with (run / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    return change


def text(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        found = (run / name).read_text()
        assert old in found
        (run / name).write_text(found.replace(old, new, 1))

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (column("trades.csv", 0, "zone", "valley"), "trades.csv line 2: zone and financial-only"),
        (column("trades.csv", 30, "financial_only_milliwh", "7"), "trades.csv line 32: zone and"),
        (column("zones.csv", 10, "price_micro_per_kwh", "81000"), "zones.csv line 12: ZoneRow("),
        (column("zones.csv", 11, "bought_milliwh", "1000"), "zones.csv line 13: ZoneRow("),
        (column("links.csv", 15, "fee_micro", "0"), "links.csv line 17: LinkRow("),
        (column("links.csv", 15, "net_milliwh", "1000"), "links.csv line 17: LinkRow("),
        (column("links.csv", 15, "full", "0"), "links.csv line 17: LinkRow("),
        (column("trades.csv", 3, "price_micro_per_kwh", "1000"), "comes out of the orders"),
        (column("orders.csv", 0, "energy_milliwh", "1000"), "comes out of the orders"),
        (column("orders.csv", 40, "side", "both"), "cannot be cleared again"),
        (column("orders.csv", 40, "energy_milliwh", "9" * 30), "cannot be cleared again"),
        (text("scenario.toml", "= 2000000", "= 2100000"), "comes out of readings, trades"),
        (text("scenario.toml", "fee_micro_per_kwh = 10000", "fee_micro_per_kwh = 9000"),
         "amount_micro 8400 is posted, 7560 comes out"),
        (column("clearing.csv", 5, "price_micro_per_kwh", "80000"), "clearing.csv line 7:"),
        (column("clearing.csv", 5, "volume_milliwh", "0"), "clearing.csv line 7: ClearingRow("),
        (column("clearing.csv", 5, "start_utc_s", "0"), "clearing.csv line 7: ClearingRow("),
        (column("orders.csv", 0, "refused", "market.reserve_short"), "orders.csv line 2: "),
        (column("orders.csv", 0, "refused", "market.halted"), "orders.csv line 2: OrderRow("),
        (lambda run: (run / "links.csv").unlink(), "links.csv"),
        (lambda run: (run / "orders.csv").unlink(), "cannot be cleared again"),
    ],
)  # fmt: skip
def test_the_audit_finds_what_the_orders_do_not_give(
    run: Path, change: Callable[[Path], None], told: str
) -> None:
    assert list(run_faults(run)) == []
    change(run)
    faults = list(run_faults(run))
    assert any(told in fault for fault in faults), faults


@pytest.mark.parametrize("kept", [0, 23])
def test_a_period_that_is_settled_and_was_never_cleared_is_told(run: Path, kept: int) -> None:
    lines = (run / "clearing.csv").read_text().splitlines(keepends=True)
    (run / "clearing.csv").write_text("".join(lines[: 1 + kept]))
    faults = list(run_faults(run))
    for period in range(kept, 24):
        assert f"clearing.csv: nothing of period {period}, which is settled" in faults
    assert any(fault.startswith("zones.csv line") for fault in faults)


def test_a_scenario_that_loses_its_zones_does_not_hide_what_links_charged(run: Path) -> None:
    scenario = tomllib.loads((run / "scenario.toml").read_text())
    del scenario["market"]["network"]
    scenario["market"]["mechanism"] = "pay-as-clear"
    (run / "scenario.toml").write_text(tomli_w.dumps(scenario))
    rows = [line.split(",")[:7] for line in (run / "trades.csv").read_text().splitlines()]
    (run / "trades.csv").write_text("\n".join(map(",".join, rows)) + "\n")
    faults = list(run_faults(run))
    assert "zones.csv is there, and the scenario's market has no zones" in faults
    (run / "zones.csv").unlink()
    assert any("comes out of readings, trades" in fault for fault in run_faults(run))


def test_a_run_from_before_the_columns_is_read_and_audited(run: Path, tmp_path: Path) -> None:
    lines = (run / "trades.csv").read_text().splitlines()
    before = [",".join(line.split(",")[:7]) for line in lines]
    (run / "trades.csv").write_text("\n".join(before) + "\n")
    (first, *_) = csv_rows(TradeRow, run / "trades.csv")
    assert (first.zone, first.financial_only_milliwh) == ("", None)
    assert list(run_faults(run)) == []
    for header in (",".join(before[0].split(",")[:6]), before[0] + ",place", ""):
        (run / "trades.csv").write_text(header + "\n")
        with pytest.raises(CampaignError, match=r"trades.csv, line 1: not period,trade_id"):
            csv_rows(TradeRow, run / "trades.csv")


TARIFF = """[utility]
import_micro_per_kwh = 300000
export_micro_per_kwh = 80000
network_micro_per_kwh = 20000
[market]
network_micro_per_kwh = 0
"""


def test_bills_tell_zone_financial_only_energy_fees_and_rent(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tariff = tmp_path / "tariff.toml"
    tariff.write_text(TARIFF)
    assert main(["bills", str(finished), "--tariff", str(tariff), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    bills = {bill["participant"]: bill for bill in told["bills"]}
    zone_of = {name: bill["zone"] for name, bill in bills.items()}
    assert zone_of == dict.fromkeys(("roof-1", "roof-2", "house-1"), "hill") | dict.fromkeys(
        ("house-2", "shop"), "valley"
    )
    assert main(["relief", str(finished), "--json"]) == 0
    hill, valley = json.loads(capsys.readouterr().out)["zones"]
    assert hill["financial_only_milliwh"] == -valley["financial_only_milliwh"] > 0
    for zone, sold in (("hill", 1), ("valley", -1)):
        energies = [b["financial_only_milliwh"] for b in bills.values() if b["zone"] == zone]
        assert (
            sold * sum(energies) == {"hill": hill, "valley": valley}[zone]["financial_only_milliwh"]
        )
    balances = {row["account"]: row["amount_micro"] for row in rows_of(finished / "balances.csv")}
    assert {name: str(amount) for name, amount in told["network_micro"].items()} == {
        name: amount for name, amount in balances.items() if name[:4] in ("link", "cong")
    }
    assert main(["bills", str(finished), "--tariff", str(tariff)]) == 0
    shown = capsys.readouterr().out
    assert "rent of full links: 5.0600, to congestion-rent" in shown
    assert "fees of hill-valley: 0.2284, to link:hill-valley" in shown


def test_a_statement_tells_its_own_zone_and_what_comes_into_it_pays(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tariff = tmp_path / "tariff.toml"
    tariff.write_text(TARIFF)
    assert main(["bills", str(finished), "--tariff", str(tariff), "--json"]) == 0
    bills = {one["participant"]: one for one in json.loads(capsys.readouterr().out)["bills"]}
    words = ["statement", str(finished), "--of", "shop", "--tariff", str(tariff), "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["bill"] == bills["shop"]
    assert told["market_zone"] == "valley"
    assert told["link_fees_micro_per_kwh"] == {"hill-valley": 10_000, "grid-valley": 20_000}
    assert {price for p in told["periods"] for price in p["prices_micro_per_kwh"]} == {320_000}
    page = tmp_path / "page.html"
    assert main(["statement", str(finished), "--of", "roof-1", "--out", str(page)]) == 0
    shown = page.read_text()
    assert "<dt>Zone</dt><dd>hill<small>hill-valley: 0.010000" in shown
    assert "grid-hill: 0.020000" in shown
    assert "What links between zones charge is in none of the fees" in shown


def test_the_report_shows_prices_by_zone_and_what_links_charged(finished: Path) -> None:
    shown = (finished / "report.html").read_text()
    for text in ("hill 0.080000, valley 0.320000", "in 11 of 24 periods", "0.228400", "5.060000"):
        assert text in shown


def test_a_main_grid_in_a_station_is_reached_over_wires_that_carry_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario, run = tmp_path / "wired.toml", tmp_path / "run"
    scenario.write_text(wired())
    assert main(["run", str(scenario), "--rig", str(RIG), "--out", str(run)]) == 0
    assert list(run_faults(run)) == []
    capsys.readouterr()
    assert main(["relief", str(run), "--json"]) == 0
    zones = {one["zone"]: one for one in json.loads(capsys.readouterr().out)["zones"]}
    assert zones["hill"]["carried_milliwh"] > 0
    assert all(one["financial_only_milliwh"] == 0 for one in zones.values())
    full = [row for row in rows_of(run / "links.csv") if row["full"] == "1"]
    assert {row["link"] for row in full} == {"station-valley"}
    prices = {
        (row["period"], row["zone"]): int(row["price_micro_per_kwh"])
        for row in rows_of(run / "zones.csv")
        if row["price_micro_per_kwh"]
    }
    for row in full:  # dearer than the main grid and its fee: the wire brings no more
        assert prices[row["period"], "valley"] > prices[row["period"], "station"] + 20_000
    sides = {
        (t["period"], t["side"]) for t in rows_of(run / "trades.csv") if t["zone"] == "station"
    }
    assert len(sides) == len({period for period, _ in sides}), "it never buys and sells at once"
    balances = {row["account"]: int(row["amount_micro"]) for row in rows_of(run / "balances.csv")}
    assert sum(balances.values()) == 0
    assert balances["congestion-rent"] > 0
