"""What followers of trades had of a period: bursts of the least power, counted anew in each."""

from gridrig.campaign.told_powers import ToldPowers

LEAST_W = 400.0


def lived(told: ToldPowers, traded_w: float, steps: int, dt_s: float) -> list[float | None]:
    """Return what a pump is told in the steps of a period."""
    traded_wh = traded_w * steps * dt_s / 3600
    found = []
    for step in range(steps):
        told.pass_time(dt_s)
        if step == 0:
            told.begin_period()
        told.power_w["pump"] = told.in_bursts(
            "pump", traded_w, least_w=LEAST_W, traded_wh=traded_wh
        )
        found.append(told.power_w["pump"])
    return found


def test_what_is_below_the_least_power_is_had_in_a_burst_in_every_period() -> None:
    told = ToldPowers()
    for _ in range(3):
        assert lived(told, -200.0, 6, 300.0) == [-LEAST_W] * 3 + [0.0] * 3


def test_what_can_be_taken_is_told_as_it_is_and_one_left_to_itself_has_had_nothing() -> None:
    told = ToldPowers({"pump": None})
    told.pass_time(3600.0)
    assert told.in_bursts("pump", -100.0, least_w=LEAST_W, traded_wh=-50.0) == -LEAST_W
    for p_w in (-LEAST_W, -1000.0, 0.0, 500.0):
        assert told.in_bursts("pump", p_w, least_w=LEAST_W, traded_wh=-50.0) == p_w
