"""Frequency droop: active power follows the frequency outside the deadband, in its response time.

Stimulus: the AC source ramps the frequency, as fast as the abnormal category must ride through, to
either side of the deadband's edge, a small step beyond it, to the end of continuous operation, and
back. Over-frequency at full, 66 and 20 % power; under-frequency with the power limited to 50 %,
from which the droop may raise it. Both characteristics of the category. Judged by the analyser: see
`gridrig.campaign.function_walk`; the response time counts from the end of a ramp.

Frequencies of the standard are for 60 Hz; on another nominal they scale by the ratio.

Disputed: characteristic 2 has k 0.03 and 1 s (I, II) or 0.02 and 0.2 s (III); one source mixes
them. The power of the small step is for the maker to state; 0.1 pu here.

Known gaps: absorbing; the large-signal ramp in percent a minute, which the maker states.
"""

from collections.abc import Mapping

from gridrig.campaign.acceptance import Characteristic
from gridrig.campaign.function_bench import at_power
from gridrig.campaign.function_walk import Step, Walk, walk_criteria
from gridrig.campaign.grid_bench import MRA_F_HZ, GridBench
from gridrig.campaign.procedures import Lab, Mutant, procedure
from gridrig.devices.grid_support import DroopSettings

F_LOW_HZ, F_HIGH_HZ = 58.8, 61.2  # continuous operation, of 60 Hz
SMALL_PU = 0.1
LIMITED_PU = 0.5
LIMIT_RESPONSE_S = 30.0
# Table 24 of IEEE 1547-2018 and the characteristics of IEEE 1547.1-2020 5.15: deadband [Hz of 60],
# k, response [s]; rate of change of frequency that is ridden through [Hz/s], by abnormal category.
CHARACTERISTICS: Mapping[str, tuple[tuple[float, float, float], ...]] = {
    "I": ((0.036, 0.05, 5.0), (0.017, 0.03, 1.0)),
    "II": ((0.036, 0.05, 5.0), (0.017, 0.03, 1.0)),
    "III": ((0.036, 0.05, 5.0), (0.017, 0.02, 0.2)),
}
RATE_HZ_S: Mapping[str, float] = {"I": 0.5, "II": 2.0, "III": 3.0}
NEEDS = ("inverter", "ac_source", "dc_source", "switch", "analyser")
TELEMETRY_MUTANTS = (
    Mutant("frozen telemetry", "inverter", {"telemetry": "frozen"}, "telemetry_error_pu"),
    Mutant("telemetry off by 10 %", "inverter", {"scale": 1.1}, "telemetry_error_pu"),
)
KEPT_K = {"keeps": ["droop_k", "droop_under_k"]}


@procedure(
    claim="gives up active power above nominal frequency by its droop, in its response time",
    clause="IEEE 1547-2018 6.5.2.7, table 24; IEEE 1547.1-2020 5.15.2",
    hazards="61.2 Hz of 60 Hz for minutes",
    rig="emulated-bench",
    needs=NEEDS,
    criteria=walk_criteria("5.15.2"),
    mutants=(
        Mutant("wrong droop", "inverter", {**KEPT_K, "droop_k": 0.02}, "settled_outside_pu"),
        Mutant("too weak", "inverter", {**KEPT_K, "droop_k": 0.15}, "settled_outside_pu"),
        Mutant(
            "wide deadband",
            "inverter",
            {"keeps": ["droop_db_hz"], "droop_db_hz": 0.5},
            "settled_outside_pu",
        ),
        Mutant("has none", "inverter", {"keeps": ["droop"], "droop": False}, "settled_outside_pu"),
        Mutant("slow response", "inverter", {"response_scale": 5.0}, "response_outside_pu"),
        Mutant("instant response", "inverter", {"response_scale": 0.0}, "response_share_min"),
        *TELEMETRY_MUTANTS,
    ),
)
async def test_over_frequency(lab: Lab) -> None:
    """Walk up to the highest frequency and back, at every power."""
    bench = await at_power(lab)
    walk = Walk(bench, "F", "P", CHARACTERISTICS[bench.categories.abnormal][0][2])
    for number, characteristic in enumerate(CHARACTERISTICS[bench.categories.abnormal], 1):
        await put(bench, characteristic)
        for power_pu in (1.0, 0.66, 0.20):
            await bench.feed(power_pu)
            await bench.hold(characteristic[2])
            name = f"characteristic {number}, {power_pu:.0%}"
            if not await walk.go(steps_of(bench, name, characteristic, power_pu, way=1.0)):
                break
        if walk.failed:
            break
    walk.record()


@procedure(
    claim="raises active power below nominal frequency by its droop, in its response time",
    clause="IEEE 1547-2018 6.5.2.7, table 24; IEEE 1547.1-2020 5.15.3",
    hazards="58.8 Hz of 60 Hz for minutes",
    rig="emulated-bench",
    needs=NEEDS,
    criteria=walk_criteria("5.15.3"),
    mutants=(
        Mutant("wrong droop", "inverter", {**KEPT_K, "droop_under_k": 0.02}, "settled_outside_pu"),
        Mutant("has none", "inverter", {"keeps": ["droop"], "droop": False}, "settled_outside_pu"),
        Mutant("ignores the limit", "inverter", {"ignores_limit": True}, "settled_outside_pu"),
        Mutant("slow response", "inverter", {"response_scale": 5.0}, "response_outside_pu"),
        Mutant("instant response", "inverter", {"response_scale": 0.0}, "response_share_min"),
        *TELEMETRY_MUTANTS,
    ),
)
async def test_under_frequency(lab: Lab) -> None:
    """Walk down to the lowest frequency and back, from half power."""
    bench = await at_power(lab)
    await lab.driver(bench.name).set_limit_w(LIMITED_PU * bench.rated_w)
    await bench.hold(LIMIT_RESPONSE_S)
    walk = Walk(bench, "F", "P", CHARACTERISTICS[bench.categories.abnormal][0][2])
    for number, characteristic in enumerate(CHARACTERISTICS[bench.categories.abnormal], 1):
        await put(bench, characteristic)
        name = f"characteristic {number}, {LIMITED_PU:.0%}"
        if not await walk.go(steps_of(bench, name, characteristic, LIMITED_PU, way=-1.0)):
            break
    walk.record()


async def put(bench: GridBench, characteristic: tuple[float, float, float]) -> None:
    """Put a characteristic in force, the same on both sides."""
    deadband, k, response_s = characteristic
    band_hz = round(bench.hz(deadband), 3)  # what model 711 holds
    settings = DroopSettings(band_hz, band_hz, k, k, response_s)
    await bench.lab.driver(bench.name).write_function("frequency_droop", settings, on=True)


def steps_of(
    bench: GridBench,
    name: str,
    characteristic: tuple[float, float, float],
    power_pu: float,
    *,
    way: float,
) -> list[Step]:
    """Return the steps to the end of continuous operation, up (1) or down (-1), and back."""
    deadband, k, response_s = characteristic
    f_n, reach_hz = bench.f_n, bench.hz(MRA_F_HZ)
    edge_hz = round(bench.hz(deadband), 3)
    small_hz = SMALL_PU * f_n * k
    end_hz = abs(bench.hz(F_HIGH_HZ if way > 0 else F_LOW_HZ) - f_n)
    away = [edge_hz - reach_hz, edge_hz + reach_hz, edge_hz + small_hz, end_hz]
    back = [end_hz - small_hz, edge_hz + reach_hz, edge_hz - reach_hz, 0.0]
    return [
        Step(
            f"{name}, {f_n + way * df:.3f} Hz",
            droop_of(f_n, edge_hz, k, power_pu),
            f_hz=round(f_n + way * df, 4),
            ramp_hz_s=bench.hz(RATE_HZ_S[bench.categories.abnormal]),
            response_s=response_s,
        )
        for df in [*away, *back]
    ]


def droop_of(f_n: float, edge_hz: float, k: float, power_pu: float) -> Characteristic:
    """Return active power over frequency, from what is given before and up to what is offered."""
    per_pu_hz = f_n * k
    offered_pu = 1.0 if power_pu == LIMITED_PU else power_pu
    return Characteristic(
        (
            (f_n - edge_hz - (offered_pu - power_pu) * per_pu_hz, offered_pu),
            (f_n - edge_hz, power_pu),
            (f_n + edge_hz, power_pu),
            (f_n + edge_hz + power_pu * per_pu_hz, 0.0),
        )
    )
