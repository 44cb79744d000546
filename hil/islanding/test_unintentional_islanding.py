"""Unintentional islanding: an inverter left alone with a load that suits it lets go within 2 s.

Stimulus: in every case of tables 13 and 14 (ten powers, reactive modes and droop settings, of the
inverter's category) the load bank is tuned until next to nothing flows through the contactor S3,
with its larger reactive branch as large as the active power. Then S3 opens. That branch goes from
95 to 105 % in steps of 1 %, and on at an end where times still rise. A sweep ends once three
islands drifted up and three down, as the standard lets it; with `--repetitions 3` it goes on to its
end, and the three longest, and what lies between them, are tried three times. First the bench
proves itself: without island detection the island must live, or its end would say nothing. After
the first island the inverter returns with its delay of 300 s; between the others the delay is
short, as the standard lets it be.

Judged from one recording of the analyser an island: from the status contact of S3 until all
voltages and currents stay below 0.05 pu. What the inverter says of itself before and after is
compared with what the analyser measures. A longest time that the widest sweep does not enclose,
with fewer than three islands drifting each way, is INCONCLUSIVE.

Limits and settings with their source, and what our sources dispute, are in
`gridrig.campaign.anti_islanding_cases`; a disputed case says so beside its time.

Known gaps: detection is switched off by a register of the maker's that the rig file names, by
nothing else. Load and voltages are balanced for all phases together, not phase by phase.
"""

from gridrig.campaign.anti_islanding_bench import open_anti_islanding_bench
from gridrig.campaign.anti_islanding_cases import cases
from gridrig.campaign.anti_islanding_trial import (
    ALIVE,
    BALANCED,
    CLEARED,
    REPORTED,
    RETURNED,
    TRIPPED,
    Trial,
)
from gridrig.campaign.procedures import Lab, Mutant, procedure


@procedure(
    claim="detects an unintentional island, ceases within 2 s and stays away for its delay",
    clause="IEEE 1547-2018 8.1 and 4.10; IEEE 1547.1-2020 5.10.2",
    hazards="a live island: nobody touches the load bank; voltage may rise as the switch opens",
    rig="islanding-bench",
    needs=("inverter", "ac_source", "dc_source", "load_bank", "switch", "analyser"),
    criteria=(ALIVE, BALANCED, CLEARED, TRIPPED, REPORTED, RETURNED),
    mutants=(
        Mutant("never trips", "inverter", {"trips": False}, CLEARED.name),
        Mutant("trips late", "inverter", {"trip_delay_s": 3.0}, CLEARED.name),
        # At balance it takes 1.984 s, at 99 % 2.014 s: in case 1 only the sweep tells.
        Mutant("in time at balance only", "inverter", {"trip_delay_s": 1.63}, CLEARED.name),
        # In cases 1 and 2 it takes 1.90 s, in case 6 2.23 s: only the cases tell.
        Mutant(
            "in time at unity power factor only",
            "inverter",
            {"sfs_k_per_hz": 0.027, "trip_delay_s": 1.2},
            CLEARED.name,
        ),
        Mutant("has no detector", "inverter", {"detector": "none"}, CLEARED.name),
        Mutant(
            "pushes too weakly",
            "inverter",
            {"sfs_cf0": 0.0, "sfs_k_per_hz": 0.01},
            CLEARED.name,
        ),
        Mutant(
            "keeps narrow trip settings",
            "inverter",
            {"keeps": ["relays"], "relays": {"OF1": [61.2, 0.16], "UF1": [58.8, 0.16]}},
            ALIVE.name,
        ),
        Mutant(
            "detects though switched off", "inverter", {"keeps": ["island_detection"]}, ALIVE.name
        ),
        Mutant(
            "comes back after a second",
            "inverter",
            {"keeps": ["enter_service_delay_s"], "enter_service_delay_s": 1.0},
            RETURNED.name,
        ),
        Mutant("frozen telemetry", "inverter", {"telemetry": "frozen"}, REPORTED.name),
        Mutant("inverted sign", "inverter", {"sign": -1}, REPORTED.name),
        Mutant("says it never tripped", "inverter", {"says_connected": True}, TRIPPED.name),
        Mutant("load bank too coarse", "load_bank", {"step_w": 800.0}, BALANCED.name),
    ),
)
async def test_unintentional_islanding(lab: Lab) -> None:
    """Prove the bench, then open S3 on every load of every case."""
    bench = await open_anti_islanding_bench(lab)
    tried = cases(bench.units[0].categories.normal)
    trial = Trial(bench)
    await trial.prove_bench(tried[0])
    await trial.try_cases(tried, returns=True)
    trial.record()
