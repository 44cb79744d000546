"""Schedules and orders: closed forms, limits kept, what cannot be kept named, reasons given."""

import numpy as np
import pytest

from gridrig.errors import MindError
from gridrig.market.agents import Tariff
from gridrig.market.auction import AuctionRules, Order, clear_pay_as_clear
from gridrig.minds.orders import NO_BATTERY, Battery, home_orders
from gridrig.minds.schedule import DemandCharge, Supply, plan
from gridrig.minds.schedule_matrices import matrices
from gridrig.minds.stores import Store

HOUR_S = 3_600
TARIFF = Tariff(60_000, 300_000, 1_000, 1_000, 60_000, 400_000)
MUST = {"must_buy_micro": 400_000, "must_sell_micro": 60_000}


def battery(steps: int, **changes) -> Store:
    given = {
        "name": "battery",
        "stored_wh": 0.0,
        "charge_w": np.full(steps, 5_000.0),
        "discharge_w": np.full(steps, 5_000.0),
        "least_wh": np.zeros(steps),
        "most_wh": 10_000.0,
        "efficiency": 0.9,
    }
    return Store(**given | changes)


def supply(prices: list[float], *, block_w: float = 1e5) -> Supply:
    steps = len(prices)
    return Supply(np.full((steps, 1), block_w), np.array(prices)[:, None], np.zeros(steps))


def test_two_tariffs_are_bridged_by_charging_in_the_cheap_hour():
    # 4 kWh are used in the dear hour: 4 / 0.9 in store, 4 / 0.81 bought in the cheap one.
    found = plan(np.array([0.0, 4_000.0]), [battery(2)], supply([100e3, 300e3]), step_s=HOUR_S)
    assert found.import_w == pytest.approx([4_000 / 0.81, 0.0])
    assert found.stored_wh[0] == pytest.approx([4_000 / 0.9, 0.0])
    assert found.power_w[0] == pytest.approx([-4_000 / 0.81, 4_000])
    # At the start a unit in store saves buying one at the cheap price, which loses a tenth.
    assert found.value_micro_per_kwh[0, 0] == pytest.approx(100e3 / 0.9)


def test_a_price_difference_below_the_losses_moves_nothing():
    found = plan(np.array([0.0, 4_000.0]), [battery(2)], supply([250e3, 300e3]), step_s=HOUR_S)
    assert found.power_w[0] == pytest.approx([0.0, 0.0])


def test_what_was_planned_before_with_other_numbers_changes_no_schedule():
    needed, dear, cheap = np.array([0.0, 4_000.0]), supply([100e3, 300e3]), supply([250e3, 300e3])
    reserve = battery(2, stored_wh=3_000.0, least_wh=np.array([0.0, 2_000.0]))
    cases = [(battery(2), dear), (battery(2), cheap), (reserve, dear)]
    cases += [(battery(2, efficiency=0.8), dear)]
    matrices.cache_clear()
    first = [plan(needed, [store], at, step_s=HOUR_S) for store, at in cases]
    again = [plan(needed, [store], at, step_s=HOUR_S) for store, at in cases]
    assert matrices.cache_info().misses == 3, "the first two differ in prices alone"
    for one, other in zip(first, again, strict=True):
        assert (one.power_w == other.power_w).all()
        assert (one.value_micro_per_kwh == other.value_micro_per_kwh).all()
    for at, (store, price) in enumerate(cases):
        matrices.cache_clear()
        alone = plan(needed, [store], price, step_s=HOUR_S)
        assert (alone.import_w == first[at].import_w).all()


def test_rising_blocks_level_the_import():
    blocks = Supply(
        np.full((2, 50), 200.0), np.tile(np.arange(50) * 10e3 + 100e3, (2, 1)), np.zeros(2)
    )
    store = battery(2, efficiency=1.0, stored_wh=0.0)
    found = plan(np.array([1_000.0, 5_000.0]), [store], blocks, step_s=HOUR_S)
    assert found.import_w == pytest.approx([3_000.0, 3_000.0])


def charge(reached_w: list[float], *, price: float = 1e6, period=None) -> DemandCharge:
    of = np.zeros(4, int) if period is None else np.array(period)
    return DemandCharge(of, np.array(reached_w), price)


def test_a_demand_charge_lowers_the_greatest_import_and_pays_the_losses():
    # 8 kWh in the last two hours, 2 in the first: x in each hour, (x - 1) 0.81 of it comes back.
    needed = np.array([1_000.0, 1_000.0, 4_000.0, 4_000.0])
    found = plan(needed, [battery(4)], supply([100e3] * 4), step_s=HOUR_S, demand=charge([0.0]))
    level = (8_000 + 2 * 0.81 * 1_000) / (2 + 2 * 0.81)
    assert found.import_w == pytest.approx([level] * 4)
    # Cheaper than the losses it moves nothing: one kilowatt less saves it once.
    low = charge([0.0], price=30e3)
    free = plan(needed, [battery(4)], supply([100e3] * 4), step_s=HOUR_S, demand=low)
    assert free.import_w == pytest.approx(needed)


def test_what_a_period_has_reached_is_not_paid_for_again():
    needed = np.array([0.0, 3_000.0, 0.0, 3_000.0])
    demand = charge([3_500.0, 0.0], period=[0, 0, 1, 1])
    found = plan(needed, [battery(4)], supply([100e3] * 4), step_s=HOUR_S, demand=demand)
    # Today there is room up to 3.5 kW; tomorrow is lowered to nothing by what today stores.
    assert found.import_w[:2].max() <= 3_500 + 1e-6
    assert found.import_w[2:] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert found.import_w.sum() == pytest.approx(3_000 + 3_000 / 0.81)


def test_the_reserve_is_kept_whatever_the_price():
    store = battery(3, stored_wh=6_000.0, least_wh=np.full(3, 4_000.0))
    needed = np.full(3, 3_000.0)
    found = plan(needed, [store], supply([900e3, 900e3, 900e3]), step_s=HOUR_S)
    assert found.stored_wh[0].min() == pytest.approx(4_000.0)
    assert found.import_w.sum() == pytest.approx(9_000 - 2_000 * 0.9)


def test_a_car_that_leaves_is_full_by_then_and_bought_in_the_cheapest_hours():
    plugged = np.array([1, 1, 1, 1, 0, 0]) * 7_000.0
    needs = np.array([0, 0, 0, 12_600.0, 0, 0])
    car = battery(6, name="car", charge_w=plugged, discharge_w=np.zeros(6), least_wh=needs,
                  most_wh=50_000.0)  # fmt: skip
    found = plan(np.zeros(6), [car], supply([300e3, 100e3, 200e3, 100e3, 1e3, 1e3]), step_s=HOUR_S)
    assert found.shortfalls == ()
    assert found.import_w == pytest.approx([0, 7_000, 0, 7_000, 0, 0])


def test_a_car_that_cannot_be_ready_is_named_with_what_it_lacks():
    needs = np.array([0.0, 20_000.0])
    car = battery(2, name="car-7", charge_w=np.full(2, 7_000.0), least_wh=needs, most_wh=50_000.0)
    found = plan(np.zeros(2), [car], supply([100e3, 100e3]), step_s=HOUR_S)
    (short,) = found.shortfalls
    assert (short.store, short.step) == ("car-7", 1)
    assert short.energy_wh == pytest.approx(20_000 - 0.9 * 14_000)


def test_cars_share_what_the_transformer_has_left():
    cars = [
        battery(4, name=f"car-{k}", charge_w=np.full(4, 7_000.0), discharge_w=np.zeros(4),
                least_wh=np.array([0, 0, 0, 9_000.0]), most_wh=50_000.0)
        for k in range(10)
    ]  # fmt: skip
    found = plan(np.zeros(4), cars, supply([300e3] * 4, block_w=30_000.0), step_s=HOUR_S)
    assert found.import_w.max() <= 30_000 + 1e-6
    assert found.shortfalls == ()
    tight = plan(np.zeros(4), cars, supply([300e3] * 4, block_w=20_000.0), step_s=HOUR_S)
    assert sum(one.energy_wh for one in tight.shortfalls) == pytest.approx(90_000 - 0.9 * 80_000)


def test_steps_far_ahead_may_be_longer():
    even = plan(np.full(8, 1_000.0), [battery(8)], supply([100e3] * 4 + [400e3] * 4), step_s=HOUR_S)
    longer = plan(
        np.full(5, 1_000.0),
        [battery(5)],
        supply([100e3] * 4 + [400e3]),
        step_s=np.array([HOUR_S] * 4 + [4 * HOUR_S]),
    )
    assert even.import_w[:4].sum() == pytest.approx(longer.import_w[:4].sum())
    assert even.value_micro_per_kwh[0, 0] == pytest.approx(longer.value_micro_per_kwh[0, 0])


def test_what_is_wrong_with_an_input_is_said():
    with pytest.raises(MindError, match="charge_w of battery has shape") as error:
        plan(np.zeros(2), [battery(3)], supply([1.0, 1.0]), step_s=HOUR_S)
    assert error.value.code == "schedule.input"
    late = charge([0.0], period=[0, 0, 0, 1])
    with pytest.raises(MindError, match=r"reached_w of the demand charge has shape \(1,\)"):
        plan(np.zeros(4), [], supply([1.0] * 4), step_s=HOUR_S, demand=late)
    with pytest.raises(MindError, match="at most 5000 W is needed") as error:
        plan(np.full(2, 5_000.0), [], supply([1.0, 1.0], block_w=10.0), step_s=HOUR_S)
    assert error.value.code == "schedule.supply"


def position_wh(net_wh: float, store: Battery, price: int) -> int:
    """What a home buys if others trade whatever it wants at a price. [Wh]"""
    intents = home_orders(net_wh, store, TARIFF, **MUST)
    orders = [
        Order(n, "home", i.side, i.energy_milliwh, i.price_micro_per_kwh)
        for n, i in enumerate(intents, 1)
    ]
    orders += [
        Order(100, "others-buy", "bid", 10**8, price),
        Order(101, "others-sell", "offer", 10**8, price),
    ]
    # The price is what others ask and bid, so who meets it trades with them.
    cleared = clear_pay_as_clear(orders, AuctionRules(lot_milliwh=1_000, tick_micro_per_kwh=1_000))
    assert cleared.rejections == []
    signs = {"bid": 1, "offer": -1}
    return sum(
        signs[t.side] * t.energy_milliwh for t in cleared.trades if t.participant == "home"
    ) // 1_000  # fmt: skip


@pytest.mark.parametrize("net_wh", [-2_000.0, -700.0, 0.0, 700.0, 2_000.0])
def test_a_home_stores_cheap_energy_delivers_dear_energy_and_rests_between(net_wh):
    store = Battery(charge_wh=1_200.0, discharge_wh=1_000.0, value_micro_per_kwh=200_000.0)
    assert position_wh(net_wh, store, 150_000) == net_wh + 1_200
    assert position_wh(net_wh, store, 200_000) == net_wh
    assert position_wh(net_wh, store, 250_000) == net_wh - 1_000


def test_without_a_battery_a_home_trades_what_it_expects():
    (bid,) = home_orders(500.0, NO_BATTERY, TARIFF, **MUST)
    assert (bid.side, bid.energy_milliwh, bid.price_micro_per_kwh) == ("bid", 500_000, 400_000)
    (offer,) = home_orders(-500.0, NO_BATTERY, TARIFF, **MUST)
    assert (offer.side, offer.energy_milliwh, offer.price_micro_per_kwh) == (
        "offer",
        500_000,
        60_000,
    )


def test_every_order_says_why():
    store = Battery(charge_wh=1_200.0, discharge_wh=1_000.0, value_micro_per_kwh=200_000.0)
    for net_wh in (-2_000.0, 700.0, 2_000.0):
        intents = home_orders(net_wh, store, TARIFF, **MUST)
        assert len({one.why for one in intents}) == len(intents)
        assert all(one.why for one in intents)
    buy = next(i for i in home_orders(700.0, store, TARIFF, **MUST) if "storing" in i.why)
    assert buy.why == f"storing pays below {buy.price_micro_per_kwh} micro/kWh"
