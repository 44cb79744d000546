"""Campaign 6, liars: rows N1 and N6, and M4 from the other side.

Stimulus: an hour in which one meter alters a record after signing it, one has it signed by nobody's
key, and one repeats the record before. None of it is paid, and what it left open the meter's next
reading settles. The mutants lie in what they measure, or in who they are: a reversed current
transformer, watts for milliwatts, a little too much, a key cloned from a neighbour.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.deliveries import liars_paid_milliwh

SCENARIO = load_scenario(SCENARIOS / "promise-6-liars.toml", units(CATALOGUE))
TAKEN = (
    "false_readings_accepted",
    "payments_unbacked",
    "meter_periods_estimated",
    "losses_difference_of_allowed",
    "ledger_sum_micro",
)


@procedure(
    claim="meters that lie are not paid, and those that measure wrongly are found by the feeder",
    clause="promises N1, N6, M4",
    hazards="none: nothing is switched",
    rig="emulated-street",
    needs=("inverter", "storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("false_readings_accepted", "1", max=0, source="each lie is refused"),
        Criterion("liars_paid_milliwh", "mWh", max=0, source="no entry names a refused reading"),
        Criterion("payments_unbacked", "1", max=0, source="no payment without two readings"),
        Criterion(
            "meter_periods_estimated", "1", max=0, source="the meter's next reading settles it"
        ),
        Criterion(
            "losses_difference_of_allowed",
            "1",
            max=1.0,
            source="signed registers against the solved feeder, (meters + 1) x 1 mWh",
        ),
        Criterion("ledger_sum_micro", "micro", min=0, max=0, source="double entry"),
    ),
    mutants=(
        Mutant("reversed transformer", "meter-pv-1", {"sign": -1}, TAKEN[3]),
        Mutant("watts for milliwatts", "meter-pv-7", {"scale": 1000.0}, TAKEN[3]),
        Mutant("a little too much", "meter-pv-8", {"scale": 1.01}, TAKEN[3]),
        Mutant("key cloned from a neighbour", "meter-pv-3", {"seed": 204}, TAKEN[2]),
    ),
)
async def test_liars(lab: Lab) -> None:
    """Run the hour and see who was paid for what."""
    loop = await lab.run_loop(SCENARIO)
    lab.recorded += [m for m in measure(loop.observed(loop.trace.columns())) if m.name in TAKEN]
    lab.record("liars_paid_milliwh", "mWh", liars_paid_milliwh(loop))
