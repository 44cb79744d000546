"""Voltage trip: an inverter lets go when the voltage leaves its range, neither late nor early.

Stimulus: sequences that the AC source plays by itself. Over-voltage beyond the second threshold and
under-voltage below it must end in a trip; a dip that stays above the second threshold must be
ridden through. Judged from one recording of the analyser, which has the source's trigger and the
currents on one time base. The inverter's telemetry is not asked.

Known gaps: the second thresholds only, of category II and at rated power; five repetitions of each
corner (IEEE 1547.1-2020) are one.
"""

from gridrig.campaign.grid_bench import RATE_HZ, GridBench, open_grid_bench
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.recordings import ceased_s

OV2_PU, UV2_PU, RIDDEN_PU = 1.22, 0.41, 0.54
DIP_S, RIDDEN_S = 0.5, 0.32
START_S = 330.0  # enter service, 300 s, and some
RETURN_S = 700.0  # enter service and its ramp
GONE_PU = 0.05  # current that counts as none
STEP_S = 1 / RATE_HZ
CYCLES_S = 2 / 50  # minimum required accuracy of a time: two cycles


@procedure(
    claim="trips on over- and under-voltage within its clearing times and rides a dip through",
    clause="IEEE 1547-2018 6.4.1, table 12; IEEE 1547.1-2020 5.4.2 and 5.4.3",
    hazards="22 % above nominal voltage for less than a second: the load bank is off the bus",
    rig="emulated-bench",
    needs=("inverter", "ac_source", "dc_source", "switch", "analyser"),
    criteria=(
        Criterion("ov2_trip_s", "s", max=0.16 + CYCLES_S, source="IEEE 1547-2018 table 12: 0.16 s"),
        Criterion("ov2_held_s", "s", min=0.16 - CYCLES_S, source="not before its delay"),
        Criterion("uv2_trip_s", "s", max=0.16 + CYCLES_S, source="IEEE 1547-2018 table 12: 0.16 s"),
        Criterion("ridden_s", "s", min=RIDDEN_S, source="IEEE 1547-2018 table 15: 0.45-0.65 pu"),
    ),
    mutants=(
        Mutant("never trips", "inverter", {"trips": False}, "ov2_trip_s"),
        Mutant("trips late", "inverter", {"trip_delay_s": 0.5}, "ov2_trip_s"),
        Mutant("trips at once", "inverter", {"relays": {"OV2": [1.2, 0.02]}}, "ov2_held_s"),
        Mutant("slow under-voltage", "inverter", {"relays": {"UV2": [0.45, 0.5]}}, "uv2_trip_s"),
        Mutant("trips in a dip", "inverter", {"relays": {"UV2": [0.6, 0.16]}}, "ridden_s"),
    ),
)
async def test_voltage_trip(lab: Lab) -> None:
    """Play each voltage, record, and read when the current ceased."""
    bench = await open_grid_bench(lab)
    bench.require(time_s=CYCLES_S)
    await bench.connect()
    await bench.hold(START_S)
    over_s = await trip_s(bench, OV2_PU, 0.6)
    lab.record("ov2_trip_s", "s", over_s, STEP_S)
    lab.record("ov2_held_s", "s", over_s, STEP_S)
    await bench.hold(RETURN_S)
    ridden_s = await trip_s(bench, RIDDEN_PU, DIP_S)
    lab.record("ridden_s", "s", min(ridden_s, DIP_S), STEP_S)
    await bench.hold(RETURN_S)
    lab.record("uv2_trip_s", "s", await trip_s(bench, UV2_PU, 0.6), STEP_S)


async def trip_s(bench: GridBench, v_pu: float, held_s: float) -> float:
    """Hold a voltage for a time and return how long the current flowed on. [s]"""
    trace = await bench.record([bench.step(held_s, v_pu), bench.step(1.0)], rest_s=0.1)
    return ceased_s(trace.t_s, trace.i_pu, GONE_PU)
