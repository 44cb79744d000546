"""What judges the evening of cars finds what is tampered with, mutants of devices aside."""

from types import SimpleNamespace
from typing import Any

import pytest
from criteria import assert_fails

from gridrig.campaign.charging_rules import Call, ChargingRules, Stay
from gridrig.promises import car_park, vehicle_to_grid

HOUR_S, TICKS = 3600.0, 10


def loop_of(*events: tuple[float, str, str, float], energy_wh: int = 14_000) -> Any:
    stays = (
        Stay("a", HOUR_S, 7 * HOUR_S, energy_wh),
        Stay("b", HOUR_S, 8 * HOUR_S, 14_000),
    )
    told = [
        SimpleNamespace(t_s=t_s, kind=kind, device=device, data={"p_w": p_w})
        for t_s, kind, device, p_w in events
    ]
    device = SimpleNamespace(limits=SimpleNamespace(p_w_max=7_000.0))
    rig = SimpleNamespace(device=lambda _: device)
    return SimpleNamespace(
        scenario=SimpleNamespace(charging=ChargingRules(3600, stays, margin_percent=0)),
        events=SimpleNamespace(ordered=lambda: told),
        physics=SimpleNamespace(street=SimpleNamespace(rig=rig)),
    )


def columns_of(a_w: list[float], b_w: list[float], others_w: float = 3_000.0) -> Any:
    a_w, b_w = ([*p_w, *[0.0] * TICKS][:TICKS] for p_w in (a_w, b_w))
    return {
        "t_s": [k * HOUR_S for k in range(TICKS)],
        "dt_s": [HOUR_S] * TICKS,
        "device.a.p_w": [-p_w for p_w in a_w],
        "device.b.p_w": [-p_w for p_w in b_w],
        "device.a.telemetry_p_w": [0.0, *(-p_w for p_w in a_w[:-1])],
        "device.b.telemetry_p_w": [0.0, *(-p_w for p_w in b_w[:-1])],
        "feeder.head_p_w": [a + b + others_w for a, b in zip(a_w, b_w, strict=True)],
    }


BOTH = ([0, 0, 0, 7000.0, 7000.0, 0], [0, 0, 0, 0, 0, 7000.0, 7000.0])


def test_cars_that_had_what_they_need_are_all_that_was_possible() -> None:
    loop, columns = loop_of(), columns_of(*map(list, BOTH))
    found = car_park.served(loop, columns)
    assert car_park.short_untold(found) == 0
    assert car_park.percent_of_deliverable(loop, columns, found, 10_000.0) == pytest.approx(100)


def test_a_car_kept_short_is_found_and_needs_notice_an_hour_before() -> None:
    columns = columns_of([0, 0, 0, 7000.0], BOTH[1])
    for told_s, untold in ((None, 1), (6.5 * HOUR_S, 1), (5 * HOUR_S, 0)):
        events = [] if told_s is None else [(told_s, "car_infeasible", "a", 0.0)]
        found = car_park.served(loop_of(*events), columns)
        assert car_park.short_untold(found) == untold


def test_naming_a_car_that_could_have_been_served_is_no_way_out() -> None:
    columns = columns_of([0, 0, 0, 7000.0], BOTH[1])
    named = loop_of((2 * HOUR_S, "car_infeasible", "a", 0.0))
    found = car_park.served(named, columns)
    assert car_park.named_although_possible(found) == 1
    share = car_park.percent_of_deliverable(named, columns, found, 10_000.0)
    assert share == pytest.approx(75)
    assert_fails(share, "test_evening_peak.percent_of_deliverable")
    # 7 kW for the four hours after the reaction are less than 30 kWh.
    impossible = loop_of((2 * HOUR_S, "car_infeasible", "a", 0.0), energy_wh=30_000)
    assert car_park.named_although_possible(car_park.served(impossible, columns)) == 0


def test_what_the_transformer_could_not_carry_is_not_asked_for() -> None:
    columns = columns_of(*map(list, BOTH), others_w=8_000.0)
    loop = loop_of()
    found = car_park.served(loop, columns)
    # 2 kW are left in the five hours of the longer stay: what was had is more than was possible.
    share = car_park.percent_of_deliverable(loop, columns, found, 10_000.0)
    assert share == pytest.approx(280)


def test_a_watt_beyond_what_was_allowed_and_a_wrong_word_are_found() -> None:
    decided = [(2 * HOUR_S, "charging_decided", "a", -7000.0)]
    decided += [(5 * HOUR_S, "charging_decided", "a", 0.0), (0.0, "charging_decided", "b", 0.0)]
    decided.append((4 * HOUR_S, "charging_decided", "b", -6900.0))
    loop, columns = loop_of(*decided), columns_of(*map(list, BOTH))
    assert car_park.over_allowed_w(loop, columns) == pytest.approx(100)
    assert car_park.told_unlike_taken_percent(loop, columns) == 0
    columns["device.b.telemetry_p_w"][6] *= 0.9
    assert car_park.told_unlike_taken_percent(loop, columns) == pytest.approx(5)


def giving(given_w: list[float], soc: float = 0.6, *, opened_s: float = 6 * HOUR_S) -> Any:
    stay = Stay("a", 0.0, 9 * HOUR_S, 0, 0.6, 7_000.0, 0.5, 60_000)
    told = {"failure": "refused"}
    events = [SimpleNamespace(t_s=0.0, kind="write_failed", device="a", data=told)]
    loop = SimpleNamespace(
        scenario=SimpleNamespace(charging=ChargingRules(900, (stay,))),
        events=SimpleNamespace(ordered=lambda: events),
        islands=SimpleNamespace(records=[SimpleNamespace(opened_s=opened_s)]),
    )
    columns = {
        "t_s": [k * HOUR_S for k in range(TICKS)],
        "dt_s": [HOUR_S] * TICKS,
        "device.a.p_w": [*given_w, *[0.0] * TICKS][:TICKS],
        "vehicle.a.soc": [0.3] + [soc] * (TICKS - 1),
    }
    return loop, columns


def test_a_car_below_its_reserve_and_one_that_gives_what_it_had_not_are_found() -> None:
    # As the run began another car's charge was told: a car counts from when it has come.
    assert vehicle_to_grid.reserve_kept_percent(*giving([], 0.52)) == pytest.approx(2)
    assert vehicle_to_grid.reserve_kept_percent(*giving([], 0.49)) == pytest.approx(-1)
    # 6 kWh to spare, charged by 3 and given 8 of them.
    had = giving([-3_000.0, 4_000.0, 4_000.0])
    assert vehicle_to_grid.given_of_spare_percent(*had) == pytest.approx(500 / 6)
    more = vehicle_to_grid.given_of_spare_percent(*giving([7_000.0]))
    assert more == pytest.approx(700 / 6)
    assert_fails(more, "test_vehicle_to_grid.given_of_spare_percent")
    assert vehicle_to_grid.refused(had[0]) == 1
    had[0].events.ordered().clear()
    assert_fails(vehicle_to_grid.refused(had[0]), "test_vehicle_to_grid.orders_refused")


def test_a_call_that_is_not_met_for_good_and_giving_on_in_the_dark_are_found() -> None:
    call = Call(2 * HOUR_S, 6 * HOUR_S, 5_000.0)
    met = [0, 0, 5_000.0, 5_000.0, 5_000.0, 4_900.0]
    assert vehicle_to_grid.call_met_after_slots(*giving(met), call) == 0
    late = [0, 0, 5_000.0, 4_000.0, 5_000.0, 5_000.0]
    assert vehicle_to_grid.call_met_after_slots(*giving(late), call) == 8  # slots in two hours
    assert vehicle_to_grid.export_after_loss_s(*giving(met)) == 0
    after_s = vehicle_to_grid.export_after_loss_s(*giving([*met, 20.0]))
    assert after_s == HOUR_S
    assert_fails(after_s, "test_vehicle_to_grid.export_after_loss_s")
    assert vehicle_to_grid.export_after_loss_s(*giving([0.0] * 6)) is None  # nobody gave before
