"""Cars planned together: held to the feeder, to needs and reserves, against a maximum flow."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow

from gridrig.errors import MindError
from gridrig.minds.car_park import Car, FeederRoom, coordinate, steps_until
from gridrig.minds.schedule import Shared, Supply, plan
from gridrig.minds.stores import Store

SLOT_S = 900.0


def room_of(cars: int, steps: int, most_w: float, per_w: float = 1.0) -> FeederRoom:
    return FeederRoom(["trafo"], np.full((1, cars), per_w), np.full((1, steps), most_w))


def decide(cars: list[Car], most_w: float, called_w: float = 0.0) -> dict[str, tuple[int, int]]:
    step_s = steps_until(max(car.leaves_s for car in cars), SLOT_S)
    called = np.where(np.arange(len(step_s)) < 4, called_w, 0.0)
    found = coordinate(cars, room_of(len(cars), len(step_s), most_w), step_s, called_w=called)
    return {name: (one.p_w, one.short_wh) for name, one in found.items()}


def test_all_cars_together_take_no_more_than_the_feeder_leaves() -> None:
    cars = [Car(f"c{k}", 10_000.0, 8 * 3600.0, 7000.0, 1380.0) for k in range(10)]
    found = decide(cars, 20_000.0)
    assert -sum(p_w for p_w, _ in found.values()) == pytest.approx(20_000, abs=10)
    assert {short for _, short in found.values()} == {0}


def test_a_car_that_wants_too_much_is_short_by_just_that_and_the_others_are_not() -> None:
    cars = [Car("late", 9_000.0, 3600.0, 7000.0), Car("c", 9_000.0, 7200.0, 7000.0)]
    found = decide(cars, 14_000.0)
    assert found == {"late": (-7000, 2000), "c": (-7000, 0)}


def test_what_cannot_be_had_together_is_what_a_maximum_flow_says_it_is() -> None:
    draw = np.random.default_rng(5)
    slots, most_wh = 8, 5_000
    needs = draw.integers(2_000, 9_000, 6)
    leaves = draw.integers(2, slots + 1, 6)
    cars = [
        Car(f"c{k}", float(need), float(last) * SLOT_S, 7000.0)
        for k, (need, last) in enumerate(zip(needs, leaves, strict=True))
    ]
    found = decide(cars, most_wh * 3600 / SLOT_S)
    sink = 1 + len(cars) + slots
    most = np.zeros((sink + 1, sink + 1), np.int32)
    for k, (need, last) in enumerate(zip(needs, leaves, strict=True)):
        most[0, 1 + k] = need
        most[1 + k, 1 + len(cars) : 1 + len(cars) + last] = 7000 * SLOT_S / 3600
    most[1 + len(cars) : sink, sink] = most_wh
    possible = maximum_flow(csr_matrix(most), 0, sink).flow_value
    assert possible < needs.sum()
    assert sum(short for _, short in found.values()) == pytest.approx(needs.sum() - possible, abs=5)


def test_nobody_is_offered_less_than_its_least_and_who_leaves_first_is_raised_to_it() -> None:
    cars = [
        Car("leaves", 100.0, SLOT_S, 7000.0, 1380.0),
        Car("stays", 8_000.0, 8 * 3600.0, 7000.0, 1380.0),
    ]
    found = decide(cars, 5_000.0)
    assert found["leaves"] == (-1380, 0)
    assert found["stays"] == (-(5_000 - 1_380), 0)
    assert decide(cars, 1_000.0)["leaves"][0] == 0  # it does not fit


def test_who_follows_no_order_takes_its_room_from_the_others() -> None:
    stuck = Car("stuck", 9_000.0, 7200.0, 7000.0, fixed_w=6_000.0)
    found = decide([stuck, Car("c", 9_000.0, 7200.0, 7000.0)], 10_000.0)
    assert found == {"c": (-4000, 1000)}


def test_a_call_is_answered_above_the_reserve_and_never_below() -> None:
    gives = Car("v2g", 0.0, 8 * 3600.0, 7000.0, 1380.0, 7000.0, 40_000.0, 36_000.0, 60_000.0)
    found = decide([gives], 50_000.0, called_w=5_000.0)
    assert 0 < found["v2g"][0] <= 5_000
    at_reserve = Car("v2g", 0.0, 8 * 3600.0, 7000.0, 1380.0, 7000.0, 36_000.0, 36_000.0, 60_000.0)
    assert decide([at_reserve], 50_000.0, called_w=5_000.0)["v2g"][0] <= 0
    below = Car("v2g", 0.0, 8 * 3600.0, 7000.0, 1380.0, 7000.0, 35_000.0, 36_000.0, 60_000.0)
    assert decide([below], 50_000.0, called_w=5_000.0)["v2g"][0] < 0  # its driver's first


def test_every_decision_says_why() -> None:
    cars = [Car(f"c{k}", 10_000.0, 8 * 3600.0, 7000.0, 1380.0) for k in range(6)]
    cars.append(Car("full", 0.0, 8 * 3600.0, 7000.0, 1380.0))
    step_s = steps_until(8 * 3600, SLOT_S)
    found = coordinate(
        cars, room_of(7, len(step_s), 10_000.0), step_s, called_w=np.zeros(len(step_s))
    )
    whys = [one.why for one in found.values()]
    assert sum("all it can take" in why for why in whys) == 1
    assert sum("what trafo leaves" in why for why in whys) == 1
    assert sum("waits for trafo" in why for why in whys) == 4
    assert found["full"].why == "has what it needs"


def test_a_limit_that_is_shared_has_to_name_every_store() -> None:
    nothing = np.zeros(2)
    store = Store("a", 0.0, nothing, nothing, nothing, 1.0)
    supply = Supply(np.ones((2, 1)), np.ones((2, 1)), nothing)
    shared = Shared(np.ones((1, 2)), np.ones((1, 2)))
    with pytest.raises(MindError, match="per_w"):
        plan(nothing, [store], supply, step_s=900.0, shared=shared)
