"""A home's heat pump in a run: what its mind knows, what it is told, and what is refused."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.home_rooms import HomeRooms, Pump
from gridrig.campaign.rights import rights_of, within_rights
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.scenario_fit import check_together
from gridrig.campaign.sensing import Telemetry
from gridrig.campaign.trading import HALTED
from gridrig.devices.heat_pump_capability import HeatPumpReading
from gridrig.errors import RigError
from gridrig.market.agents import Intent, Tariff, View
from gridrig.market.outcome import Refused
from gridrig.market.policy import POLICY_REFUSED
from gridrig.quantity import DAY_S, DeliveryPeriod
from gridrig.rig.description import load_rig
from gridrig.rig.participants import ComfortHours, HomeAgent

RIG = RIGS / "emulated-heated-home.toml"
DAY = SCENARIOS / "promise-4-warm-home.toml"
PERIOD_S, TICK_S, START_S = 1_800, 150, 1_455_138_000
TARIFF = Tariff(60_000, 350_000, 1_000, 1_000, 20_000, 450_000)

AGENT = HomeAgent(
    "home", "home", comfort=(ComfortHours(6, 22, 20, 23), ComfortHours(22, 6, 19, 23))
)
AROUND = "outdoor temperature of the day before not known whole: as around it"


def reading(**changes: Any) -> HeatPumpReading:
    told = {
        "p_w": -500.0,
        "room_c": 20.5,
        "outdoor_c": 3.0,
        "set_point_c": 20.5,
        "told_w": None,
        "p_w_max": 3_000.0,
        "state": "own",
    }
    return HeatPumpReading(**{**told, **changes})


def told_by(**changes: Any) -> Telemetry:
    return Telemetry(pumps={"pump-1": reading(**changes)})


def yesterday_c(utc_s: float) -> float:
    """A day before the run it became a kelvin warmer every hour."""
    return (utc_s - (START_S - DAY_S)) / 3600


class Wired:
    """A pump of a home, what it is told, and what was traded for it."""

    def __init__(self, *, emulated: bool = True, least_w: float = 0.0) -> None:
        self.told: list[float | None] = []
        self.heating = SimpleNamespace(overrides_w={}, drive=lambda _, p_w: self.told.append(p_w))
        pumps = {"pump-1": SimpleNamespace(outdoor_at=yesterday_c)} if emulated else {}
        self.rooms = HomeRooms(
            {"warmth": Pump("pump-1", 2_500.0, least_w, AGENT)},
            self.heating,  # type: ignore[arg-type]
            SimpleNamespace(pumps=pumps),  # type: ignore[arg-type]
            START_S,
            PERIOD_S,
        )

    def view(self, index: int, telemetry: Telemetry, now_s: float) -> Any:
        period = DeliveryPeriod(index, index * PERIOD_S, PERIOD_S)
        for t_s in range(0, int(now_s) + 1, TICK_S):
            self.rooms.look(float(t_s), telemetry)
        return self.rooms.view("warmth", period, telemetry, now_s)

    def step(
        self,
        acts_s: float,
        traded_w: float,
        telemetry: Telemetry,
        *,
        dt_s: float = TICK_S,
        islanded: bool = False,
        refused: str = "",
    ) -> float | None:
        index = int(acts_s // PERIOD_S)
        period = DeliveryPeriod(index, index * PERIOD_S, PERIOD_S)
        rejections = [Refused(1, refused, "why")] if refused else []
        cleared = SimpleNamespace(period=period, rejections=rejections)
        trading: Any = SimpleNamespace(
            cleared_at=lambda _: cleared,
            scheduled_w=lambda *_: traded_w,
        )
        self.rooms.step(acts_s, dt_s, telemetry, trading, islanded=islanded)
        return self.told[-1]


def test_the_weather_is_that_of_the_day_before_moved_by_what_it_is_now() -> None:
    # At half past one yesterday it was 1.75 on the mean of the period, today it is 3 degrees.
    seen = Wired().view(4, told_by(), 6_900.0)
    assert seen.outdoor_c[0] == pytest.approx(2.25 + 1.25, abs=0.1)
    assert seen.outdoor_c[10] - seen.outdoor_c[0] == pytest.approx(5.0, abs=0.01)
    assert (len(seen.outdoor_c), seen.read_s, seen.most_w) == (48, 300.0, 2_500.0)
    assert (seen.takes_w, seen.set_point_c, seen.flags, seen.left) == (500.0, 20.5, (), "")
    blind = Wired().view(4, told_by(outdoor_c=None), 6_900.0)
    assert blind.outdoor_c[0] == pytest.approx(2.25, abs=0.1)
    assert blind.flags == (AROUND, "outdoor temperature not read: as the day before")


def test_a_real_pump_knows_no_day_before_and_says_so() -> None:
    real = Wired(emulated=False)
    first = real.view(4, told_by(), 6_900.0)
    assert set(first.outdoor_c) == {3.0}
    assert first.flags == (AROUND,)
    nothing = Wired(emulated=False).view(4, told_by(outdoor_c=None), 6_900.0)
    assert nothing.outdoor_c == ()
    assert nothing.left == "outdoor temperature not known: left to its own thermostat"
    # A day later it has been read, whoever emulates it.
    rooms = Wired(emulated=False).rooms
    for index in range(52):
        rooms.look(index * PERIOD_S + 150.0, told_by(outdoor_c=float(index)))
    period = DeliveryPeriod(52, 52 * PERIOD_S, PERIOD_S)
    now = told_by(outdoor_c=5.0), period.start_s - 300.0
    later = rooms.view("warmth", period, *now)
    assert later is not None
    assert later.flags == ()
    # A day before it was 3 degrees: two less than now.
    assert later.outdoor_c == pytest.approx([index + 2.0 for index in range(4, 52)])
    del rooms._read_c["pump-1"][7]
    gap = rooms.view("warmth", period, *now)
    assert gap is not None
    assert gap.flags == (AROUND,)
    assert gap.outdoor_c == pytest.approx(later.outdoor_c)


def test_a_pump_follows_its_trades_and_its_thermostat_where_nothing_was_decided() -> None:
    wired = Wired()
    wired.view(1, told_by(), 1_500.0)
    assert wired.step(1_800.0, -900.0, told_by()) == -900.0
    assert wired.step(1_950.0, -9_000.0, told_by()) == -2_500.0  # by the rig
    assert wired.step(2_100.0, 900.0, told_by()) == 0.0
    assert wired.step(2_250.0, -900.0, told_by(room_c=None)) is None
    assert wired.step(2_400.0, -900.0, Telemetry()) == -900.0  # its wire is silent: told again
    assert wired.step(2_550.0, -900.0, told_by(), islanded=True) is None
    for index, unknown in enumerate((Telemetry(), told_by(room_c=None)), 2):
        wired.view(index, unknown, index * PERIOD_S - 300.0)
        assert wired.step(index * PERIOD_S, -900.0, told_by()) is None
    wired.heating.overrides_w["pump-1"] = -1_000.0
    assert wired.view(4, told_by(), 6_900.0) is None
    assert wired.rooms.missing("pump-1", told_by()) == "under manual control"
    wired.heating.overrides_w.clear()
    assert wired.step(4 * PERIOD_S, 0.0, told_by()) is None  # given back in a period not decided
    wired.heating.overrides_w["pump-1"] = None
    by_hand = wired.view(5, told_by(), 8_700.0)
    assert by_hand.left == "left to its own thermostat by hand"


def test_a_pump_is_its_own_for_a_period_in_which_trading_was_stopped() -> None:
    wired = Wired()
    wired.view(1, told_by(), 1_500.0)
    # Nothing was traded, because nothing could be: 0 W would be a cold house.
    assert wired.step(1_800.0, 0.0, told_by(), refused=HALTED) is None
    # One refusal of another kind, and no trade: its mind ordered nothing that cannot wait.
    assert wired.step(1_950.0, 0.0, told_by(), refused=POLICY_REFUSED) == 0.0


def test_the_band_of_the_hour_stands_beside_the_room_in_the_trace() -> None:
    rooms = Wired().rooms
    # The run begins at ten at night in Berlin.
    for t_s, low_c in ((0.0, 19), (8 * 3_600 - 1.0, 19), (8 * 3_600.0, 20), (86_399.0, 20)):
        assert rooms.row(t_s) == {"room.pump-1.low_c": low_c, "room.pump-1.high_c": 23}


def test_below_its_least_power_a_pump_has_what_was_traded_and_then_stands() -> None:
    wired = Wired(least_w=600.0)
    wired.view(1, told_by(), 1_500.0)
    told_w = [wired.step(1_800.0 + k * TICK_S, -200.0, told_by()) for k in range(12)]
    assert told_w == [-600.0] * 4 + [0.0] * 8


def test_at_an_edge_between_windows_it_has_no_more_than_what_was_traded() -> None:
    wired = Wired(least_w=600.0)
    wired.view(1, told_by(), 1_500.0)
    # Ticks of 150 s end where the period begins; those in it last 600 s, the first has it all.
    edges = ((1_800.0, 150.0), (2_400.0, 600.0), (3_000.0, 600.0))
    assert [wired.step(at_s, -200.0, told_by(), dt_s=dt_s) for at_s, dt_s in edges] == [-600, 0, 0]


def test_what_is_asked_beyond_a_pump_is_cut_and_told() -> None:
    device = load_rig(RIG).device("pump-1")
    period = DeliveryPeriod(4, 4 * PERIOD_S, PERIOD_S)
    asked = [Intent("bid", 9_000_000, 300_000), Intent("offer", 500_000, 300_000)]
    for missing, bid in (("", 1_500_000), ("under manual control", 0)):
        rights = rights_of("pump-1", device, View(period, TARIFF, missing=missing))
        allowed, clamped = within_rights("warmth", asked, rights, 1_000)
        assert sum(one.energy_milliwh for one in allowed) == bid
        assert [one.allowed_milliwh for one in clamped] == [bid, 0]
        assert clamped[1].why == "pump-1 gives nothing"
    assert clamped[0].why == "pump-1 is not readable or under manual control"


BUILDING = "building = { capacity_wh_per_k = 10000, conductance_w_per_k = 150, cop = 3, "
NIGHT = "  { from_hour = 22, to_hour = 6, low_c = 19, high_c = 23 },\n"


@pytest.mark.parametrize(
    ("was", "becomes", "issues"),
    [
        (
            BUILDING + "gains_w = 200, least_w = 400 }\n",
            "",
            {("agent.building", "nothing")},
        ),
        (NIGHT, "", {("agent.comfort", "0 bands for the hour from 0")}),
        (
            NIGHT,
            NIGHT.replace("to_hour = 6", "to_hour = 8"),
            {("agent.comfort", "2 bands for the hour from 6")},
        ),
        (
            "low_c = 19, high_c = 23",
            "low_c = 23, high_c = 19",
            {("agent.comfort[1].high_c", "19")},
        ),
        (
            "low_c = 19, high_c = 23",
            "low_c = 19, high_c = 19.4",
            {("agent.comfort[1].high_c", "19.4")},
        ),
        ("least_w = 400", "least_w = 3001", {("agent.building.least_w", "3001")}),
        (
            'meter = "meter-storage"\nagent = { kind = "home",',
            f'meter = "meter-storage"\nagent = {{ {BUILDING}}}, kind = "home",'.replace(", }", "}"),
            {("agent.building", "a table")},
        ),
        ("cop = 3,", "cop = 30,", {("agent.building.cop", "30")}),
        (
            BUILDING,  # in kWh
            BUILDING.replace("10000", "10"),
            {("agent.building.capacity_wh_per_k", "10")},
        ),
    ],
)
def test_a_building_that_cannot_be_is_refused_by_its_place(
    tmp_path: Path, was: str, becomes: str, issues: set[tuple[str, str]]
) -> None:
    text = RIG.read_text()
    network = "networks/heated-home.dss"
    assert was in text
    (tmp_path / "rig.toml").write_text(
        text.replace(was, becomes).replace(network, str(RIGS / network))
    )
    with pytest.raises(RigError) as refused:
        load_rig(tmp_path / "rig.toml")
    found = {(issue.key.split("'.")[-1], issue.found) for issue in refused.value.issues}
    assert found >= issues


def test_the_least_and_the_narrowest_that_a_pump_can_do_are_allowed(tmp_path: Path) -> None:
    text = RIG.read_text().replace("networks/", f"{RIGS}/networks/")
    for was, becomes in (("least_w = 400", "least_w = 3000"), ("high_c = 23 }", "high_c = 20.5 }")):
        assert was in text
        text = text.replace(was, becomes)
    (tmp_path / "rig.toml").write_text(text)
    assert load_rig(tmp_path / "rig.toml").device("pump-1").capability == "heat_pump"


def test_only_a_heat_pump_has_a_thermostat_to_be_left_to(tmp_path: Path) -> None:
    text = DAY.read_text()
    for target, refused in (("pump-1", 0), ("storage-1", 1)):
        event = f'[[event]]\nat_s = 150\ndo = "thermostat"\ntarget = "{target}"\n\n[[criterion]]'
        (tmp_path / "day.toml").write_text(text.replace("[[criterion]]", event, 1))
        found = check_together(load_rig(RIG), load_scenario(tmp_path / "day.toml"))
        assert [issue.key for issue in found] == ["event[2].target"] * refused, found
