"""Frequency ride-through: an inverter stays, and feeds on, while the frequency is off or moves.

Stimulus: the frequency swings within the range of continuous operation at the rate of change that
the inverter's category has to ride through; then it goes slowly to 61.8 Hz, stays for 299 s and
comes back, three times; then to 57.0 Hz likewise. Frequency droop is set to its default, so what
the inverter should give is known: its power may not lie below that by more than the acceptance
band, neither while the frequency is off nor after it. A trip passes for nothing: it gives no power
at all. Judged by the analyser; the inverter's telemetry is not asked. What fails is given no more.

Known gaps: all at full power. Whether it follows its droop closely is the droop procedure's matter.
Frequencies are those of 60 Hz, scaled by ratio to the bench's nominal.
"""

from collections.abc import Sequence

from gridrig.campaign.abnormal_limits import (
    CONTINUOUS_HZ,
    FREQUENCY_HELD_S,
    FREQUENCY_RUNS,
    FREQUENCY_SOURCE,
    HIGH_HZ,
    LOW_HZ,
    ROCOF_HZ_S,
    ROCOF_SOURCE,
    WIDEST_HIGH_HZ,
    WIDEST_HZ_S,
    WIDEST_LOW_HZ,
)
from gridrig.campaign.grid_bench import MRA_P_PU, GridBench, open_grid_bench
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.devices.bench_capabilities import SequenceStep
from gridrig.devices.grid_support import DroopSettings, TripSettings

DROOP_DB_HZ, DROOP_K, DROOP_RESPONSE_S = 0.036, 0.05, 5.0  # IEEE 1547-2018 table 24, default
BAND_PU = 1.5 * MRA_P_PU
SLOW_HZ_S = 0.2
SETTLE_S = 6 * DROOP_RESPONSE_S
LOOK_S = 30.0
INSIDE_HZ = 0.1  # a swing stays inside the range of continuous operation
POWER_SOURCE = "and not below its droop by more than 1.5 required accuracies of power, 7.5 %"


def not_below(name: str, source: str) -> Criterion:
    """Return the criterion of a power against what droop asks for."""
    return Criterion(name, "pu", min=-BAND_PU, source=f"{source}, {POWER_SOURCE}")


@procedure(
    claim="stays and feeds through high and low frequency, and through a fast change of it",
    clause="IEEE 1547-2018 6.5.2, tables 19 and 21; IEEE 1547.1-2020 5.5.3 and 5.5.4",
    hazards="frequencies from 57.0 to 61.8 Hz of 60 Hz for five minutes",
    rig="emulated-bench",
    needs=("inverter", "ac_source", "dc_source", "switch", "analyser"),
    criteria=(
        not_below("high_frequency_power_error_pu", FREQUENCY_SOURCE),
        not_below("low_frequency_power_error_pu", FREQUENCY_SOURCE),
        not_below("rate_of_change_power_error_pu", ROCOF_SOURCE),
    ),
    mutants=(
        Mutant(
            "trips at once on high frequency",
            "inverter",
            {"ignores_functions": True, "relays": {"OF2": [51.3, 0.16]}},
            "high_frequency_power_error_pu",
        ),
        Mutant(
            "trips after 200 s of high frequency",
            "inverter",
            {"ignores_functions": True, "relays": {"OF1": [51.0, 200.0]}},
            "high_frequency_power_error_pu",
        ),
        Mutant(
            "trips after 295 s of low frequency",
            "inverter",
            {
                "ignores_functions": True,
                "relays": {"OF1": [55.0, 1000.0], "UF1": [48.75, 295.0]},
            },
            "low_frequency_power_error_pu",
        ),
        Mutant(
            "takes a fast change for an island",
            "inverter",
            {"rocof_hz_s": 1.2, "rocof_window_s": 0.2},
            "rate_of_change_power_error_pu",
        ),
    ),
)
async def test_frequency_ride_through(lab: Lab) -> None:
    """Swing, then hold each frequency three times."""
    bench = await open_grid_bench(lab)
    bench.require(p_pu=MRA_P_PU)
    await bench.connect()
    await set_up(bench)
    await bench.ready()
    errors_pu = await swung(bench)
    record(bench, "rate_of_change_power_error_pu", errors_pu)
    for name, at_60_hz in (("high", HIGH_HZ), ("low", LOW_HZ)):
        if min(errors_pu) < -BAND_PU:
            return
        errors_pu = []
        for _ in range(FREQUENCY_RUNS):
            await bench.ready()
            errors_pu += await held(bench, bench.hz(at_60_hz))
            if min(errors_pu) < -BAND_PU:
                break
        record(bench, f"{name}_frequency_power_error_pu", errors_pu)


async def set_up(bench: GridBench) -> None:
    """Set droop to its default, and the trips where they do not stand in the way."""
    inverter = bench.lab.driver(bench.name)
    db_hz = bench.hz(DROOP_DB_HZ)
    droop = DroopSettings(db_hz, db_hz, DROOP_K, DROOP_K, DROOP_RESPONSE_S)
    await inverter.write_function("frequency_droop", droop, on=True)
    for function, at_60_hz in (
        ("high_frequency_trip", WIDEST_HIGH_HZ),
        ("low_frequency_trip", WIDEST_LOW_HZ),
    ):
        trips = TripSettings(must_trip=((bench.hz(at_60_hz), WIDEST_HZ_S),))
        await inverter.write_function(function, trips, on=True)


def droop_pu(bench: GridBench, f_hz: float) -> float:
    """Return the power that droop leaves of full power, once it has responded; never more."""
    over_hz = max(0.0, f_hz - bench.f_n - bench.hz(DROOP_DB_HZ))
    return 1.0 - over_hz / (bench.f_n * DROOP_K)


async def held(bench: GridBench, f_hz: float) -> list[float]:
    """Go to a frequency, stay, come back; return how power differed from droop's. [Hz] [pu]"""
    ramp_s = abs(f_hz - bench.f_n) / bench.hz(SLOW_HZ_S)
    trace = await bench.record([bench.step(ramp_s, f_hz=f_hz, ramp=True)], tracks="P")
    least_pu = droop_pu(bench, f_hz)
    errors_pu = [float(trace.p_pu.sum(axis=1).min()) - least_pu]
    left_s = FREQUENCY_HELD_S
    while left_s > 0.0:
        await bench.hold(min(LOOK_S, left_s))
        left_s -= LOOK_S
        errors_pu.append(await bench.power_pu() - least_pu)
    return [*errors_pu, *await after(bench, [bench.step(ramp_s, ramp=True)], least_pu)]


async def swung(bench: GridBench) -> list[float]:
    """Swing within continuous operation; return how power differed from droop's. [pu]"""
    rate_hz_s = bench.hz(ROCOF_HZ_S[bench.categories.abnormal])
    low_hz, high_hz = (bench.hz(edge) for edge in CONTINUOUS_HZ)
    turns_hz = (high_hz - INSIDE_HZ, low_hz + INSIDE_HZ, bench.f_n)
    steps, from_hz = [], bench.f_n
    for to_hz in turns_hz:
        steps.append(bench.step(abs(to_hz - from_hz) / rate_hz_s, f_hz=to_hz, ramp=True))
        from_hz = to_hz
    return await after(bench, steps, droop_pu(bench, max(turns_hz)))


async def after(bench: GridBench, steps: Sequence[SequenceStep], least_pu: float) -> list[float]:
    """Play a way back to nominal; return the worst on it, and where power comes to. [pu]"""
    trace = await bench.record(steps, tracks="P")
    await bench.hold(SETTLE_S)
    return [float(trace.p_pu.sum(axis=1).min()) - least_pu, await bench.power_pu() - 1.0]


def record(bench: GridBench, name: str, errors_pu: Sequence[float]) -> None:
    """Record the lowest power against what it should be."""
    _, _, u_p = bench.uncertainty_pu()
    bench.lab.record(name, "pu", min(errors_pu), u_p)
