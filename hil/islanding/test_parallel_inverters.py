"""Unintentional islanding of inverters in parallel: four, three and two let go within 2 s together.

What detects an island of its own may not do so beside others: their pushes cancel, or those that do
not push hold the frequency for those that do. Stimulus and judgement are those of
`test_unintentional_islanding.py`, with the first four, three and two inverters of the rig on the
bus, each at the powers of the case, and the load bank tuned to all of them. An island has ended
when the voltage and every inverter's currents have.

Clause 5.10.2 tests one inverter; that several do what one does is a rule of our own. Case 1 of the
inverters' category; with `--repetitions 3` all of them, and whole sweeps.

Known gaps: equal shares of the load; no impedance between the inverters.
"""

from gridrig.campaign.anti_islanding_bench import open_anti_islanding_bench
from gridrig.campaign.anti_islanding_cases import cases
from gridrig.campaign.anti_islanding_trial import ALIVE, BALANCED, CLEARED, REPORTED, TRIPPED, Trial
from gridrig.campaign.procedures import Lab, Mutant, procedure

COUNTS = (4, 3, 2)


@procedure(
    claim="two, three and four in parallel cease within 2 s of an unintentional island",
    clause="IEEE 1547-2018 8.1; after IEEE 1547.1-2020 5.10.2",
    hazards="a live island: nobody touches the load bank; voltage may rise as the switch opens",
    rig="parallel-bench",
    needs=("inverter", "ac_source", "dc_source", "load_bank", "switch", "analyser"),
    criteria=(ALIVE, BALANCED, CLEARED, TRIPPED, REPORTED),
    mutants=(
        Mutant("the second is deaf", "pv-2", {"detector": "none"}, CLEARED.name),
        Mutant("the fourth is deaf", "pv-4", {"detector": "none"}, CLEARED.name),
        Mutant("the third trips late", "pv-3", {"trip_delay_s": 3.0}, CLEARED.name),
        Mutant("the second never trips", "pv-2", {"trips": False}, CLEARED.name),
        Mutant(
            "the second detects though switched off",
            "pv-2",
            {"keeps": ["island_detection"]},
            ALIVE.name,
        ),
        Mutant("the second's sign is inverted", "pv-2", {"sign": -1}, REPORTED.name),
        Mutant("the third says it never tripped", "pv-3", {"says_connected": True}, TRIPPED.name),
        Mutant("load bank too coarse", "load_bank", {"step_w": 1700.0}, BALANCED.name),
    ),
)
async def test_parallel_inverters(lab: Lab) -> None:
    """Open S3 on four, three and two inverters."""
    trial = Trial(await open_anti_islanding_bench(lab, COUNTS[0]))
    every = cases(trial.bench.units[0].categories.normal)
    tried = every if lab.repetitions > 1 else every[:1]
    for count in COUNTS:
        if count != len(trial.bench.units):
            trial.bench = await open_anti_islanding_bench(lab, count)
        await trial.prove_bench(tried[0])
        await trial.try_cases(tried)
        if trial.failed:
            break
    trial.record()
