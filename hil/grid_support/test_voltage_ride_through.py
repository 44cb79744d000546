"""Voltage ride-through: an inverter stays with the grid through a dip or a swell, and feeds on.

Stimulus: the signals of low- and high-voltage ride-through of the inverter's category, played by
the AC source, at full and at partial power, with the voltage trips set where they do not stand in
the way. In each part in which it has to operate, its current must be back at 80 % of that before
the disturbance within 0.4 s, and stay there; so neither a trip nor a momentary cessation passes for
riding through. Judged from recordings of the analyser; the inverter's telemetry is not asked.

Where a signal is given at the edge of a region, it is played 1 % of nominal inside.

Known gaps: all phases alike; reactive current is not judged. Category I has no test signal in our
sources: the minimum times of its regions are played.
"""

from collections.abc import Mapping

from gridrig.campaign.abnormal_limits import (
    HIGH_VOLTAGE,
    LOW_VOLTAGE,
    OPERATES_SOURCE,
    POWERS_PU,
    RESTORED_S,
    RESTORED_SOURCE,
    Span,
)
from gridrig.campaign.grid_bench import MRA_CYCLES, MRA_V_PU, RATE_HZ, open_grid_bench
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.ride_through import SignalResult, open_trips, ride, slowest

NEEDS = ("inverter", "ac_source", "dc_source", "switch", "analyser")
OPERATES = Criterion(
    "operates_after_s", "s", max=RESTORED_S, source=f"{RESTORED_SOURCE}; {OPERATES_SOURCE}"
)
CEASES = {"momentary_cessation": True, "cessation_v_high_pu": 1.3, "cessation_v_low_pu": 0.01}


@procedure(
    claim="rides through low voltage and feeds on where its category has to operate",
    clause="IEEE 1547-2018 6.4.2, tables 14 to 16; IEEE 1547.1-2020 5.4.4",
    hazards="full current at a third of the voltage; the DC source sees the load fall away",
    rig="emulated-bench",
    needs=NEEDS,
    criteria=(OPERATES,),
    mutants=(
        Mutant("trips in the dip", "inverter", {"ignores_functions": True}, "operates_after_s"),
        Mutant(
            "ceases where it has to operate",
            "inverter",
            {**CEASES, "cessation_v_low_pu": 0.8},
            "operates_after_s",
        ),
        Mutant(
            "recovers late",
            "inverter",
            {**CEASES, "cessation_v_low_pu": 0.5, "cessation_restore_s": 2.0},
            "operates_after_s",
        ),
        Mutant(
            "trips in the long shallow dip",
            "inverter",
            {"ignores_functions": True, "relays": {"UV1": [0.88, 4.0], "UV2": [0.1, 0.16]}},
            "operates_after_s",
        ),
    ),
)
async def test_low_voltage_ride_through(lab: Lab) -> None:
    """Play every signal at every power, until one is not ridden through."""
    await ride_all(lab, LOW_VOLTAGE)


@procedure(
    claim="rides through high voltage and feeds on after it",
    clause="IEEE 1547-2018 6.4.2, tables 14 to 16; IEEE 1547.1-2020 5.4.7",
    hazards="19 % above nominal voltage: the load bank is off the bus",
    rig="emulated-bench",
    needs=NEEDS,
    criteria=(OPERATES,),
    mutants=(
        Mutant(
            "trips in the swell",
            "inverter",
            {"ignores_functions": True, "relays": {"OV1": [1.1, 0.9]}},
            "operates_after_s",
        ),
        Mutant(
            "recovers late",
            "inverter",
            {**CEASES, "cessation_v_high_pu": 1.12, "cessation_restore_s": 2.0},
            "operates_after_s",
        ),
    ),
)
async def test_high_voltage_ride_through(lab: Lab) -> None:
    """Play every signal at every power, until one is not ridden through."""
    await ride_all(lab, HIGH_VOLTAGE)


async def ride_all(lab: Lab, signals: Mapping[str, tuple[tuple[Span, ...], ...]]) -> None:
    """Play the signals of the inverter's category and record the slowest way back."""
    bench = await open_grid_bench(lab)
    bench.require(v_pu=MRA_V_PU, time_s=MRA_CYCLES / bench.f_n)
    await bench.connect()
    await open_trips(bench)
    results: list[SignalResult] = []
    for power_pu in POWERS_PU:
        await bench.feed(power_pu)
        for spans in signals[bench.categories.abnormal]:
            results.append(await ride(bench, spans, power_pu))
            if results[-1].operates_after_s > RESTORED_S:
                break
        if results[-1].operates_after_s > RESTORED_S:
            break
    found = slowest(results)
    lab.record("operates_after_s", "s", found.operates_after_s, 1 / RATE_HZ, found.note)
