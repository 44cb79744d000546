"""Row M5: a battery charges when energy is cheap, and never above what it accepts.

Stimulus: a day of a house on a tariff of two prices, twice: with a battery that its home plans
with, and with the same battery held at nothing by hand. It begins with the cheap hours: only the
posted tariff tells that dear ones come. While it charges, the battery's manager
lowers its limit to nothing, and later to half.

What each hour has to cost is stated below, by the clock of UTC. Energy is that of signed registers;
what the home paid is taken from the books, too.
"""

from dataclasses import replace

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.loop import Loop
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.campaign.scenario_events import ScenarioEvent
from gridrig.promises import cheap_hours
from gridrig.promises.cheap_hours import Posted

SCENARIO = load_scenario(SCENARIOS / "promise-3-cheap-hours.toml", units(CATALOGUE))
TAKEN = ("ledger_sum_micro", "losses_difference_of_allowed")
HOME = frozenset({"house", "battery"})
STORAGE, PACK, CELLS = "storage-1", "battery-1", 16
CAPACITY_KWH = CELLS * 3.2 * 200 / 1000
NOTHING_AT_S = 5_400.0  # when the manager wants nothing
DAY = Posted(retail=350_000, feed_in=60_000, long=20_000, short=450_000)
NIGHT = Posted(retail=150_000, feed_in=60_000, long=20_000, short=250_000)


def posted_at(utc_s: int) -> Posted:
    """Return the prices at a time: from 04:00 to 20:00 of UTC it is day, in Berlin's summer."""
    return DAY if 4 <= utc_s // 3600 % 24 < 20 else NIGHT


@procedure(
    claim="a battery charges in cheap hours, within its limits, and a home pays less for it",
    clause="promise M5",
    hazards="the battery is charged and discharged over its whole range",
    rig="two-tariff-home",
    needs=("storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("charged_kwh", "kWh", min=8.0, source="85 % of 10 kWh, less a tenth; ours"),
        Criterion("charged_cheap_percent", "%", min=99.0, source="signed, by the hour; ours"),
        Criterion("soc_least", "1", min=0.085, source="10 %, less one control period"),
        Criterion("soc_most", "1", min=0.9, max=0.975, source="95 %, and one control period"),
        Criterion(
            "current_over_limit_a", "A", max=0.05, source="what the manager accepts and reads"
        ),
        Criterion(
            "charged_beyond_limit_wh",
            "Wh",
            max=0.0,
            source="signed, period by period: limit x 16 x 3.65 V",
        ),
        Criterion(
            "polls_until_set_to_nothing",
            "1",
            max=1,
            source="the first that tells a limit of nothing",
        ),
        Criterion("polls_until_still", "1", max=2, source="a set-point acts from the next poll on"),
        Criterion(
            "saved_percent",
            "%",
            min=10.0,
            source="registers x posted prices, beside a held battery, its charge counted; ours",
        ),
        Criterion(
            "saved_in_books_percent", "%", min=10.0, source="the same by what was paid; ours"
        ),
        Criterion("periods_priced_otherwise", "1", max=0, source="orders, trades, entries, rules"),
        Criterion("periods_not_signed", "1", max=0, source="both meters, at both ends, both days"),
        Criterion("ledger_sum_micro", "micro", min=0, max=0, source="double entry"),
        Criterion(
            "losses_difference_of_allowed",
            "1",
            max=1.0,
            source="signed registers against the solved feeder, (meters + 1) x 1 mWh",
        ),
    ),
    mutants=(
        Mutant("tells a frozen charge", PACK, {"telemetry": "frozen"}, "soc_most"),
        Mutant("counts a fifth too much", PACK, {"scale": 1.2}, "current_over_limit_a"),
        Mutant("takes no set-point", STORAGE, {"ignores_setpoint": True}, "charged_kwh"),
        Mutant(
            "takes its time, and all that comes",
            STORAGE,
            {"ramp_w_per_s": 40, "obeys_pack": False},
            "polls_until_still",
        ),
        Mutant("counts export as import", "meter-storage", {"sign": -1}, "charged_cheap_percent"),
        Mutant("counts two per cent high", "meter-house", {"scale": 1.02}, TAKEN[1]),
    ),
)
async def test_cheap_hours(lab: Lab) -> None:
    """Run the day with a held battery, and with one that is planned with."""
    hand = ScenarioEvent(0.0, "override", STORAGE, {"p_w": 0.0})
    held = await lab.run_loop(replace(SCENARIO, events=(hand, *SCENARIO.events)))
    loop = await lab.run_loop(SCENARIO)
    columns = loop.trace.columns()
    lab.recorded += [m for m in measure(loop.observed(columns)) if m.name in TAKEN]
    charged = cheap_hours.charged(loop, "battery", posted_at)
    kwh = (charged.cheap_milliwh + charged.dear_milliwh) / 1e6
    lab.record("charged_kwh", "kWh", kwh)
    lab.record("charged_cheap_percent", "%", charged.cheap_percent)
    soc = columns[f"pack.{PACK}.soc"]
    lab.record("soc_least", "1", min(soc))
    lab.record("soc_most", "1", max(soc))
    over_a = cheap_hours.current_over_limit_a(columns, PACK)
    lab.record("current_over_limit_a", "A", over_a)
    beyond_wh = cheap_hours.charged_beyond_limit_wh(loop, columns, "battery", PACK, CELLS)
    lab.record("charged_beyond_limit_wh", "Wh", beyond_wh)
    for name, column in (("set_to_nothing", "setpoint_w"), ("still", "p_w")):
        driven_w = columns[f"device.{STORAGE}.{column}"]
        polls = cheap_hours.polls_until_still(columns["t_s"], driven_w, NOTHING_AT_S)
        lab.record(f"polls_until_{name}", "1", polls)
    unsigned = sum(cheap_hours.periods_not_signed(run, HOME) for run in (held, loop))
    lab.record("periods_not_signed", "1", unsigned)
    _record_saved(lab, loop, held, missing_kwh=max(0.0, soc[0] - soc[-1]) * CAPACITY_KWH)
    otherwise = cheap_hours.periods_priced_otherwise(loop, posted_at)
    lab.record("periods_priced_otherwise", "1", otherwise)


def _record_saved(lab: Lab, loop: Loop, held: Loop, *, missing_kwh: float) -> None:
    """Record what the battery saved; what is missing in it at the end is bought at the day's price.

    What it holds beyond its beginning counts nothing.
    """
    refill = missing_kwh * DAY.retail
    for name, costs in (
        ("saved_percent", [cheap_hours.cost_micro(run, HOME, posted_at) for run in (held, loop)]),
        ("saved_in_books_percent", [cheap_hours.paid_micro(run, HOME) for run in (held, loop)]),
    ):
        before, after = costs[0], costs[1] + refill
        note = f"{before / 1e6:.3f} without, {after / 1e6:.3f} with"
        lab.record(name, "%", 100 * (before - after) / before if before > 0 else None, note=note)
