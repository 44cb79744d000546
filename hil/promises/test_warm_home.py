"""Row M32, one home: its rooms stay in their band, and a heat pump is planned with its battery.

Stimulus: a cold clear day of a home with a roof, a battery and a heat pump on a tariff of two
prices, twice: with the pump planned, and with it left to its own thermostat. The building is not
what its household states. A person holds the pump in the morning; its wire falls silent for five
minutes; in the afternoon its room sensor is broken for an hour.

What each hour has to cost is stated below, by the clock of UTC.
"""

from dataclasses import replace

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.campaign.scenario_events import ScenarioEvent
from gridrig.promises import cheap_hours, home_day, warm_home
from gridrig.promises.cheap_hours import Posted
from gridrig.promises.computing import Registers

SCENARIO = load_scenario(SCENARIOS / "promise-4-warm-home.toml", units(CATALOGUE))
TAKEN = ("override_response_periods", "ledger_sum_micro", "losses_difference_of_allowed")
HOME = frozenset({"house", "roof", "battery", "warmth"})
PUMP, PACK, WARMTH = "pump-1", "battery-1", "warmth"
BATTERY_WH = 16 * 3.2 * 100
LAPSE_S, TICK_S, PERIOD_S = 300, 150, SCENARIO.period_s
CONNECTION_W, STORAGE_W = 3_680, 4_000  # as the rig says
DAY = Posted(retail=350_000, feed_in=60_000, long=20_000, short=450_000)
NIGHT = Posted(retail=150_000, feed_in=60_000, long=20_000, short=250_000)


def posted_at(utc_s: int) -> Posted:
    """Return the prices at a time: from 05:00 to 21:00 of UTC it is day, in Berlin's winter."""
    return DAY if 5 <= utc_s // 3600 % 24 < 21 else NIGHT


@procedure(
    claim="a home's heat pump keeps its room in its band, and costs less than its own thermostat",
    clause="promise M32",
    hazards="a heat pump and a battery are driven for a day; a room is let cool within its band",
    rig="emulated-heated-home",
    needs=("heat_pump", "inverter", "storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("comfort_excess_k", "K", max=0.0, source="the household's band, the true room"),
        Criterion(
            "cost_of_thermostat_percent",
            "%",
            max=90.0,
            source="registers x posted prices, beside the pump's own thermostat; ours",
        ),
        Criterion("paid_of_thermostat_percent", "%", max=90.0, source="the same by the books"),
        Criterion("orders_without_why", "1", max=0, source="every order of the home says why"),
        Criterion("blind_unflagged", "1", max=0, source="no plan from a made-up temperature"),
        Criterion(
            "own_again_s",
            "s",
            max=LAPSE_S + TICK_S,
            source="the controller's five minutes, and a control period",
        ),
        Criterion(TAKEN[0], "1", max=1, source="a hand wins within one control period"),
        Criterion(
            "connection_w",
            "W",
            max=1.01 * CONNECTION_W + STORAGE_W * TICK_S / PERIOD_S,
            source="16 A x 230 V, 1 %, and a battery that follows one control period late",
        ),
        Criterion("periods_not_signed", "1", max=0, source="all meters, at both ends, both days"),
        Criterion(TAKEN[1], "micro", min=0, max=0, source="double entry"),
        Criterion(
            TAKEN[2],
            "1",
            max=1.0,
            source="signed registers against the solved feeder, (meters + 1) x 1 mWh",
        ),
    ),
    mutants=(
        Mutant("only says that it follows", PUMP, {"follows": False}, TAKEN[0]),
        Mutant("feels its room two kelvins warmer", PUMP, {"room_off_k": 2.0}, "comfort_excess_k"),
        Mutant("tells a frozen room", PUMP, {"telemetry": "frozen"}, "comfort_excess_k"),
        Mutant("gives half of the heat", PUMP, {"cop": 1.4}, "comfort_excess_k"),
        Mutant("never lets go", PUMP, {"lapses": False}, "own_again_s"),
        Mutant("counts two per cent high", "meter-pump", {"scale": 1.02}, TAKEN[2]),
        Mutant("counts import as export", "meter-pump", {"sign": -1}, TAKEN[2]),
    ),
)
async def test_warm_home(lab: Lab) -> None:
    """Run the day by the pump's own thermostat, and planned."""
    hand = ScenarioEvent(0.0, "thermostat", PUMP, {})
    thermostat = await lab.run_loop(replace(SCENARIO, events=(hand,), faults=()))
    loop = await lab.run_loop(SCENARIO)
    both = [thermostat, loop]
    own, columns = (one.trace.columns() for one in both)
    lab.recorded += [m for m in measure(loop.observed(columns)) if m.name in TAKEN]
    start_utc_s = SCENARIO.start_utc_s
    excess_k = warm_home.comfort_excess_k(columns, lab.rig, WARMTH, PUMP, start_utc_s)
    lab.record("comfort_excess_k", "K", excess_k)
    truth = lab.rig.device(PUMP).emulate or {}
    missing_kwh = warm_home.missing_kwh(
        own,
        columns,
        pack=PACK,
        capacity_wh=BATTERY_WH,
        pump=PUMP,
        heat_wh_per_k=float(truth["capacity_wh_per_k"]),
        cop=float(truth["cop"]),
    )
    for name, in_books in (("cost", False), ("paid", True)):
        percent = warm_home.cost_percent(
            both, HOME, posted_at, missing_kwh * DAY.retail, in_books=in_books
        )
        lab.record(f"{name}_of_thermostat_percent", "%", percent)
    lab.record("orders_without_why", "1", warm_home.orders_without_why(loop, HOME))
    unflagged = warm_home.blind_unflagged(loop, columns, PUMP, WARMTH)
    lab.record("blind_unflagged", "1", unflagged)
    silent_s = next(fault.at_s for fault in SCENARIO.faults if fault.name == "no_reply")
    lab.record("own_again_s", "s", warm_home.own_again_s(columns, PUMP, silent_s))
    connection_w = home_day.connection_w(lab.rig, Registers.of(lab.rig, loop))
    lab.record("connection_w", "W", connection_w)
    unsigned = sum(cheap_hours.periods_not_signed(run, HOME) for run in both)
    lab.record("periods_not_signed", "1", unsigned)
