"""Campaign 9, round the clock: row N12.

Stimulus: at dusk a computer begins to draw 450 W from a battery of 20 kWh that is 20 % full and
keeps 10 %. It pauses at the reserve in the night, goes on with the sun, and has done two jobs by
the next dusk, 24 hours later.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.computing import (
    Registers,
    balance_percent,
    drew_while_paused_milliwh,
    unlike_expected,
)

SCENARIO = load_scenario(SCENARIOS / "promise-9-round-the-clock.toml", units(CATALOGUE))
TAKEN = ("losses_difference_of_allowed",)
NODE, RESERVE_SOC = "node-1", 0.1  # as the rig states it
EXPECTED = {"night": ("paid", ""), "day": ("paid", "")}


@procedure(
    claim="a computer pauses before its battery has to, and its energy closes over a day",
    clause="promise N12",
    hazards="the battery is discharged to its reserve",
    rig="emulated-compute-node",
    needs=("compute_node", "inverter", "storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion(
            "cell_mv_min",
            "mV",
            min=2900,
            source="where the pack's own under-voltage protection is released again",
        ),
        Criterion("pack_protections", "1", max=0, source="none may have to act"),
        Criterion(
            "soc_min",
            "1",
            min=RESERVE_SOC - 0.01,
            source="the reserve, less one tick; ours",
        ),
        Criterion("times_paused", "1", min=1, source="the night must be too long for the battery"),
        Criterion("drew_while_paused_milliwh", "mWh", max=0, source="signed, period by period"),
        Criterion("jobs_unlike_expected", "1", max=0, source="both are done within the day"),
        Criterion(
            "energy_balance_percent",
            "%",
            max=1.0,
            source="of what the computer took: signed registers, feeder, pack's manager; ours",
        ),
        Criterion(
            "losses_difference_of_allowed",
            "1",
            max=1.0,
            source="signed registers against the solved feeder, (meters + 1) x 1 mWh",
        ),
    ),
    mutants=(
        Mutant("goes on when told to pause", NODE, {"obeys": False}, "drew_while_paused_milliwh"),
        Mutant(
            "counts a tenth too much", "battery-1", {"shunt_gain": 0.1}, "energy_balance_percent"
        ),
        Mutant("counts half of its current", "battery-1", {"shunt_gain": -0.5}, "cell_mv_min"),
        Mutant("tells a frozen charge", "battery-1", {"telemetry": "frozen"}, "times_paused"),
        Mutant("counts a thousandth high", "meter-pv", {"scale": 1.001}, TAKEN[0]),
        Mutant("computes at half the pace", NODE, {"pace": 2.0}, "jobs_unlike_expected"),
    ),
)
async def test_round_the_clock(lab: Lab) -> None:
    """Run a day from dusk to dusk."""
    loop = await lab.run_loop(SCENARIO)
    registers = Registers.of(lab.rig, loop)
    watch = loop.computing.watches[NODE]
    lab.recorded += [m for m in measure(loop.observed(loop.trace.columns())) if m.name in TAKEN]
    lab.record("cell_mv_min", "mV", watch.cell_mv_min)
    lab.record("pack_protections", "1", len(watch.protections))
    lab.record("soc_min", "1", watch.soc_min)
    paused = sum(event.kind == "job_paused" for event in loop.events.ordered())
    lab.record("times_paused", "1", paused)
    drew = drew_while_paused_milliwh(loop, registers)
    lab.record("drew_while_paused_milliwh", "mWh", drew)
    lab.record("jobs_unlike_expected", "1", unlike_expected(loop, EXPECTED))
    lab.record("energy_balance_percent", "%", balance_percent(lab.rig, loop, registers))
