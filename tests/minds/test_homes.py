"""The mind of a home: volumes by closed form, batteries by worth, what is missing is said."""

from dataclasses import replace

import numpy as np
import pytest

from gridrig.market.agents import BatteryView, Tariff, View
from gridrig.minds.home import Connection, HomeMind
from gridrig.minds.prices_ahead import price_expected
from gridrig.minds.series import Series
from gridrig.quantity import DAY_S, DeliveryPeriod

PERIOD_S, DAYS = 900, 28
START_S = 1_465_776_000  # 2016-06-13
STEPS = DAY_S // PERIOD_S
LONG, SHORT = 20_000, 400_000
TARIFF = Tariff(80_000, 300_000, 1_000, 1_000, LONG, SHORT)


def noon_sun(days: int, *, clouds: int | None = None) -> np.ndarray:
    """Return a sun that shines each day as a half wave; seeded clouds take some of it. [W]"""
    hour = (np.arange(days * STEPS) % STEPS) * 24 / STEPS
    clear = 5_000 * np.maximum(np.sin((hour - 6) / 12 * np.pi), 0.0)
    if clouds is None:
        return clear
    return clear * np.random.default_rng(clouds).uniform(0.3, 1.0, len(clear))


def history(values: np.ndarray) -> Series:
    return Series("past", START_S - len(values) * PERIOD_S, PERIOD_S, values)


def view(period: int, counted_wh: tuple[float, ...] = (), **changes: object) -> View:
    shown = View(DeliveryPeriod(period, period * PERIOD_S, PERIOD_S), TARIFF, link_wh=40_000.0)
    return replace(shown, counted_wh=counted_wh, **changes)


def roof(values: np.ndarray) -> HomeMind:
    return HomeMind("home", [Connection("roof", "sun", history(values))])


def counted(values_w: np.ndarray, sign: float = 1.0) -> tuple[float, ...]:
    return tuple(sign * values_w * PERIOD_S / 3600)


def test_who_sells_offers_the_quantile_that_price_and_imbalance_ask_for() -> None:
    mind, seen = roof(noon_sun(DAYS, clouds=7)), counted(noon_sun(1, clouds=8)[:47])
    offers = {}
    for price in (LONG, 100_000, 210_000, SHORT):
        shown = view(48, seen, prices_micro=(price,) * 48)
        (offers[price],) = mind.decide({"roof": shown}).orders["roof"]
    # Cheap energy is not worth a shortfall, dear energy is: the offer rises with the price.
    volumes = [offers[price].energy_milliwh for price in sorted(offers)]
    assert volumes == sorted(volumes)
    assert volumes[0] < 0.8 * volumes[-1]
    # (210 - 20) / (400 - 20) is a half: the median, which the reason names.
    middle = int(offers[210_000].why.split(" Wh")[0])
    assert offers[210_000].energy_milliwh == pytest.approx(middle * 1_000, abs=1_000)
    assert "50% of cases deliver" in offers[210_000].why


def test_who_buys_bids_less_the_dearer_energy_is_and_the_median_half_way() -> None:
    draw = np.random.default_rng(5)
    use = history(draw.uniform(200.0, 1_800.0, DAYS * STEPS))
    mind = HomeMind("home", [Connection("house", "use", use)])
    seen = counted(draw.uniform(200.0, 1_800.0, 47), -1.0)
    bids = {}
    for price in (LONG, 210_000, SHORT):
        shown = view(48, seen, prices_micro=(price,) * 48)
        (bids[price],) = mind.decide({"house": shown}).orders["house"]
    volumes = [bids[price].energy_milliwh for price in sorted(bids)]
    assert volumes == sorted(volumes, reverse=True)
    assert volumes[-1] < 0.5 * volumes[0]
    middle = int(bids[210_000].why.split(" Wh")[0])
    assert bids[210_000].energy_milliwh == pytest.approx(middle * 1_000, abs=1_000)


def test_a_storm_is_not_sold_as_the_sun_of_yesterday() -> None:
    mind, noon = roof(noon_sun(DAYS)), noon_sun(1)
    dark = noon[:47].copy()
    dark[43:] *= 0.05  # the last hour
    (clear,) = mind.decide({"roof": view(48, counted(noon[:47]))}).orders["roof"]
    stormy = mind.decide({"roof": view(48, counted(dark))}).orders["roof"]
    yesterday_milliwh = noon[48] * PERIOD_S / 3.6
    assert clear.energy_milliwh == pytest.approx(yesterday_milliwh, rel=0.1)
    assert sum(order.energy_milliwh for order in stormy) < 0.5 * yesterday_milliwh


def test_a_reading_that_never_came_is_a_flag_and_a_home_of_yesterday_says_so() -> None:
    seen = list(counted(noon_sun(1)[:47]))
    seen[-1] = float("nan")
    whole = roof(noon_sun(DAYS)).decide({"roof": view(48, tuple(seen))})
    assert "roof: last hour incomplete: its error carried on as far as known" in whole.flags
    assert whole.orders["roof"]
    new = roof(noon_sun(1)).decide({"roof": view(48, tuple(seen))})
    assert new.flags[0] == "roof: 1.5 days of history, too few to train on: as yesterday"
    (offer,) = new.orders["roof"]
    assert offer.energy_milliwh == pytest.approx(noon_sun(1)[48] * PERIOD_S / 3.6, abs=1_000)


def stored_home() -> HomeMind:
    use = np.full(DAYS * STEPS, 500.0)
    parts = [
        Connection("house", "use", history(use)),
        Connection("roof", "sun", history(noon_sun(DAYS))),
        Connection("battery", "store", power_w=3_000.0),
    ]
    return HomeMind("home", parts)


def views(period: int, battery: BatteryView | None) -> dict[str, View]:
    shown = view(period, counted(np.full(period, 500.0), -1.0))
    sun = view(period, counted(noon_sun(1)[:period]))
    return {"house": shown, "roof": sun, "battery": replace(shown, battery=battery)}


def test_a_battery_trades_what_its_plan_says_stored_energy_is_worth() -> None:
    mind = stored_home()
    # At ten with a sunny day ahead whatever is stored now will be there anyway: it is worth a
    # feed-in; on the evening before the night it saves retail.
    morning = mind.decide(views(40, BatteryView(2_000.0, 3_000.0, 3_000.0, 3_000.0)))
    evening = mind.decide(views(76, BatteryView(2_000.0, 3_000.0, 3_000.0, 3_000.0)))
    assert morning.schedule is not None
    assert evening.schedule is not None
    worth = [float(d.schedule.value_micro_per_kwh[0, 0]) for d in (morning, evening)]
    assert worth[0] < 150_000
    assert worth[1] > 250_000
    for decision, value in zip((morning, evening), worth, strict=True):
        sides = {order.side: order for order in decision.orders["battery"]}
        assert sides["bid"].price_micro_per_kwh < value < sides["offer"].price_micro_per_kwh
        assert sides["offer"].energy_milliwh == 750_000  # 3 kW for a quarter of an hour
        assert all(order.why for order in decision.orders["battery"])


def test_a_battery_at_its_reserve_offers_nothing_and_one_not_read_orders_nothing() -> None:
    mind = stored_home()
    empty = mind.decide(views(40, BatteryView(0.0, 5_000.0, 3_000.0, 3_000.0)))
    assert {order.side for order in empty.orders["battery"]} == {"bid"}
    blind = mind.decide(views(40, None))
    assert blind.orders["battery"] == []
    assert blind.flags == ("battery: battery not read, or under manual control: no orders",)
    assert blind.orders["house"]


def by_the_hour(period: int, battery: BatteryView) -> dict[str, View]:
    """Return what a home sees at a period whose prices are those of a two-tariff day."""
    prices = [replace(TARIFF, retail=150_000, short=250_000), TARIFF]
    posted = [prices[6 <= k % STEPS * 24 / STEPS < 22] for k in range(period, period + STEPS)]
    return {
        name: replace(one, tariff=posted[0], tariff_ahead=tuple(posted))
        for name, one in views(period, battery).items()
    }


def battery_orders(period: int, stored_wh: float, *seen: int) -> dict[str, int]:
    """Return the price of the battery's bid and offer, in a home without a sun."""
    house = Connection("house", "use", history(np.full(DAYS * STEPS, 500.0)))
    mind = HomeMind("home", [house, Connection("battery", "store", power_w=3_000.0)])
    shown = by_the_hour(period, BatteryView(stored_wh, 5_000.0 - stored_wh, 3_000.0, 3_000.0))
    decision = mind.decide(
        {name: replace(shown[name], prices_micro=seen) for name in ("house", "battery")}
    )
    orders = decision.orders["battery"]
    return {order.side: order.price_micro_per_kwh for order in orders}


def test_a_battery_buys_at_the_cheap_hours_price_and_not_before_or_after() -> None:
    # At eight in the evening cheap hours are near: it waits, empty as it is.
    assert battery_orders(80, 0.0)["bid"] < 300_000
    # The first cheap hour is as good as the last, so it is used.
    assert battery_orders(88, 0.0)["bid"] == 150_000
    # Full in the night: what is stored saves the day's price, and is not sold for the night's.
    assert battery_orders(94, 5_000.0)["offer"] > 150_000
    # In the last one, what is missing would cost the day's price: it bids all but the short price.
    assert battery_orders(STEPS + 23, 0.0)["bid"] == 249_000
    # By day it delivers to the house instead of the main grid.
    assert battery_orders(STEPS + 24, 4_000.0)["offer"] == 300_000
    assert battery_orders(STEPS + 24, 0.0)["bid"] < 300_000


def test_a_price_of_a_day_ago_counts_within_what_is_posted() -> None:
    # Yesterday the night cost as much as the day: a change of the rules, or of the clock.
    yesterday = (300_000,) * (STEPS + 88)
    assert battery_orders(STEPS + 88, 0.0, *yesterday)["bid"] == 150_000
    night = by_the_hour(STEPS + 8, BatteryView(0.0, 0.0, 0.0, 0.0))["house"]
    assert price_expected(replace(night, prices_micro=yesterday[: STEPS + 7])) == 150_000
    assert price_expected(replace(night, prices_micro=(90_000, None))) == 90_000
    assert price_expected(replace(night, prices_micro=())) == (80_000 + 150_000) // 2
    assert price_expected(view(STEPS + 8, prices_micro=yesterday)) == 300_000  # one tariff all day


def test_orders_are_limited_by_the_prices_of_their_own_period() -> None:
    battery = BatteryView(2_000.0, 3_000.0, 3_000.0, 3_000.0)
    night, day = (
        stored_home().decide(by_the_hour(period, battery)).orders
        for period in (STEPS + 8, STEPS + 48)
    )
    assert [order.price_micro_per_kwh for order in night["house"]] == [250_000]
    assert [order.price_micro_per_kwh for order in day["house"]] == [SHORT]
