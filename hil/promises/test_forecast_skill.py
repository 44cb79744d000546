"""Campaign 8, stressed feeder: row M6, forecasts beat persistence.

Stimulus: a home's load, a roof and a price of the open series (`gridrig forecast`), 337 days with
an origin that rolls by 91 quarter-hours, against the day before; what comes after an origin is
shuffled, and a weather service falls silent. And on the bench: three quarters of an hour in which
the operator of a feeder learns from signed meters that the streets draw a quarter more.
"""

from dataclasses import replace

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.forecasts import metered_skill, year_of_forecasts

EVENING = load_scenario(SCENARIOS / "promise-8-rerouting.toml", units(CATALOGUE))
SCENARIO = replace(EVENING, duration_s=2700)


@procedure(
    claim="forecasts are better than the day before, see no future, and say what they lack",
    clause="promise M6",
    hazards="none: nothing is switched so early",
    rig="stressed-feeder",
    needs=("inverter", "storage", "bms", "meter", "switch", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion(
            "skill_day_ahead_min", "1", min=0.05, source="ours: least of series and measures"
        ),
        Criterion("future_seen", "1", max=0, source="the future shuffled, the same bits"),
        Criterion("weather_lost_unflagged", "1", max=0, source="a fallback is said"),
        Criterion("metered_skill", "1", min=0.5, source="ours: over the day before, at the bench"),
    ),
    mutants=(
        Mutant("a meter that counts a fifth", "meter-a3", {"scale": 0.2}, "metered_skill"),
        Mutant("a meter that counts twice", "meter-a2", {"scale": 2.0}, "metered_skill"),
    ),
)
async def test_forecast_skill(lab: Lab) -> None:
    """Forecast a year, and a street at the bench."""
    loop = await lab.run_loop(SCENARIO)
    lab.record("metered_skill", "1", metered_skill(loop))
    year = year_of_forecasts()
    note = f"{year.least_of}; {year.origins} origins"
    lab.record("skill_day_ahead_min", "1", year.least, note=note)
    lab.record("future_seen", "1", year.future_seen)
    lab.record("weather_lost_unflagged", "1", year.unflagged)
