"""Momentary cessation: an inverter of category III stops feeding, does not trip, and comes back.

Stimulus: the low- and high-voltage signals of category III. Where it has to cease, no current may
flow from 0.083 s on until the voltage is back; then it has to operate, as in every ride-through.
Judged from recordings of the analyser.
"""

from gridrig.campaign.abnormal_limits import (
    CESSATION_S,
    CESSATION_SOURCE,
    HIGH_VOLTAGE,
    LOW_VOLTAGE,
    RESTORED_S,
    RESTORED_SOURCE,
)
from gridrig.campaign.grid_bench import MRA_CYCLES, MRA_V_PU, RATE_HZ, open_grid_bench
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.ride_through import SignalResult, open_trips, ride, slowest

CYCLES_S = MRA_CYCLES / 60.0  # the accuracy required of a time, at 60 Hz the sharper one


@procedure(
    claim="ceases momentarily within 0.083 s and feeds again within 0.4 s",
    clause="IEEE 1547-2018 6.4.2, table 16; IEEE 1547.1-2020 5.4.4 and 5.4.7",
    hazards="19 % above nominal voltage for 12 s: the load bank is off the bus",
    rig="emulated-bench-iii",
    needs=("inverter", "ac_source", "dc_source", "switch", "analyser", "category III"),
    criteria=(
        Criterion(
            "low_voltage_ceased_s",
            "s",
            max=CESSATION_S + CYCLES_S,
            source=f"{CESSATION_SOURCE}, and two cycles",
        ),
        Criterion(
            "high_voltage_ceased_s",
            "s",
            max=CESSATION_S + CYCLES_S,
            source=f"{CESSATION_SOURCE}, and two cycles",
        ),
        Criterion("operates_after_s", "s", max=RESTORED_S, source=RESTORED_SOURCE),
    ),
    mutants=(
        Mutant(
            "operates on",
            "inverter",
            {"momentary_cessation": False},
            "low_voltage_ceased_s",
        ),
        Mutant(
            "recovers before the voltage does",
            "inverter",
            {"cessation_v_low_pu": 0.3},
            "low_voltage_ceased_s",
        ),
        Mutant(
            "operates on in a small swell",
            "inverter",
            {"cessation_v_high_pu": 1.15},
            "high_voltage_ceased_s",
        ),
        Mutant("ceases late", "inverter", {"cessation_after_s": 0.16}, "low_voltage_ceased_s"),
        Mutant("recovers late", "inverter", {"cessation_restore_s": 2.0}, "operates_after_s"),
        Mutant(
            "trips instead",
            "inverter",
            {"ignores_functions": True, "relays": {"UV2": [0.5, 0.083]}},
            "operates_after_s",
        ),
    ),
)
async def test_momentary_cessation(lab: Lab) -> None:
    """Play every signal of the category at full power."""
    bench = await open_grid_bench(lab)
    bench.require(v_pu=MRA_V_PU, time_s=CYCLES_S)
    await bench.connect()
    await open_trips(bench)
    every: list[SignalResult] = []
    for name, signals in (("low", LOW_VOLTAGE["III"]), ("high", HIGH_VOLTAGE["III"])):
        results = [await ride(bench, spans, 1.0) for spans in signals]
        ceased = [r for r in results if r.ceases_after_s is not None]
        worst = max(ceased, key=lambda r: r.ceases_after_s or 0.0)
        lab.record(f"{name}_voltage_ceased_s", "s", worst.ceases_after_s, 1 / RATE_HZ, worst.note)
        every += results
    found = slowest(every)
    lab.record("operates_after_s", "s", found.operates_after_s, 1 / RATE_HZ, found.note)
