"""Campaign 9, night compute: row N11.

Stimulus: at dusk six jobs are offered to a computer on a battery of 20 kWh that is about 28 % full
and keeps 10 %. Two are refused: seven hours beyond the three promised would break the reserve
(10 h x 450 W = 4.5 kWh, of the 3.3 kWh that are counted on), and one cannot be done in time. Of the
others, one result is spoiled and one job takes three times as long as planned.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.computing import (
    Registers,
    energy_unlike_registers_milliwh,
    paid_unlike_agreed_micro,
    retired_short_wh,
    told_unlike_metered_percent,
    unlike_expected,
)

SCENARIO = load_scenario(SCENARIOS / "promise-9-night-compute.toml", units(CATALOGUE))
TAKEN = ("payments_unbacked", "losses_difference_of_allowed")
TOLD = "node_energy_unlike_told_percent"
NODE, RESERVE_SOC = "node-1", 0.1  # as the rig states it
EXPECTED = {
    "summaries": ("paid", ""),
    "spoiled": ("refunded", "wrong_result"),
    "slow": ("refunded", "late"),
    "great": ("refused", "reserve"),
    "hurry": ("refused", "too_late"),
    "index": ("paid", ""),
}


@procedure(
    claim="a computing job is taken if the reserve holds, and paid by its result and signed energy",
    clause="promise N11",
    hazards="the battery is discharged to its reserve",
    rig="emulated-compute-node",
    needs=("compute_node", "inverter", "storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("jobs_unlike_expected", "1", max=0, source="reckoned by hand; hash by NumPy"),
        Criterion("soc_min", "1", min=RESERVE_SOC, source="the reserve that the rig states"),
        Criterion(
            "job_energy_unlike_registers_milliwh",
            "mWh",
            max=0,
            source="signed registers, the lesser of node and battery with sun, AC side",
        ),
        Criterion(
            "payment_unlike_agreed_micro",
            "micro",
            max=0,
            source="price and energy to the unit; no escrow keeps anything",
        ),
        Criterion(
            "certificates_unlike_jobs_wh", "Wh", max=0, source="each paid job, rounded up to 1 Wh"
        ),
        Criterion(TOLD, "%", max=1.0, source="the node's own count; ours"),
        Criterion("payments_unbacked", "1", max=0, source="no payment without two readings"),
        Criterion(
            "losses_difference_of_allowed",
            "1",
            max=1.0,
            source="signed registers against the solved feeder, (meters + 1) x 1 mWh",
        ),
    ),
    mutants=(
        Mutant("computes something else", NODE, {"result": "other"}, "jobs_unlike_expected"),
        Mutant("takes twice as long", NODE, {"pace": 2.0}, "jobs_unlike_expected"),
        Mutant(
            "draws more than it tells",
            NODE,
            {"draw_factor": 1.3},
            TOLD,
        ),
        Mutant(
            "counts low at the node",
            "meter-node",
            {"scale": 0.97},
            TOLD,
        ),
        Mutant("counts low at the battery", "meter-storage", {"scale": 0.97}, TAKEN[1]),
        Mutant("holds less than at dusk", "battery-1", {"soc": 0.11}, "jobs_unlike_expected"),
    ),
)
async def test_night_compute(lab: Lab) -> None:
    """Run the night, and reckon again who was to be paid what for it."""
    loop = await lab.run_loop(SCENARIO)
    told = await lab.driver(NODE).read()
    registers = Registers.of(lab.rig, loop)
    lab.recorded += [m for m in measure(loop.observed(loop.trace.columns())) if m.name in TAKEN]
    lab.record("jobs_unlike_expected", "1", unlike_expected(loop, EXPECTED))
    lab.record("soc_min", "1", loop.computing.watches[NODE].soc_min)
    unlike = energy_unlike_registers_milliwh(loop, registers)
    lab.record("job_energy_unlike_registers_milliwh", "mWh", unlike)
    lab.record("payment_unlike_agreed_micro", "micro", paid_unlike_agreed_micro(loop))
    lab.record("certificates_unlike_jobs_wh", "Wh", retired_short_wh(loop))
    percent = told_unlike_metered_percent(loop, told.import_milliwh, registers)
    lab.record(TOLD, "%", percent)
