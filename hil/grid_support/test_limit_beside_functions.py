"""Active power limit beside frequency droop and volt-watt: kept within 30 s, and no further.

Stimulus: at each limit of 66, 33 and 0 %, the limit is written over the device's wire and held;
then the AC source goes to 59 and 61 Hz (of 60 Hz) and back, and to 1.08 of nominal voltage.
Frequency droop goes before the limit, volt-watt cuts what is left. Judged by the analyser: see
`gridrig.campaign.function_walk`. A limit is written by the host, so its beginning is known only to
what the writing took. `test_active_power_limit` is the same limit on a bench without an AC source.

Known gap: the three repetitions of IEEE 1547.1-2020.
"""

from functools import partial

from gridrig.campaign.acceptance import Characteristic
from gridrig.campaign.function_bench import at_power
from gridrig.campaign.function_walk import Step, Walk, walk_criteria
from gridrig.campaign.grid_bench import GridBench
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.devices.grid_support import CurveSettings, DroopSettings

LIMITS_PU = (0.66, 0.33, 0.0)
RESPONSE_S = 30.0  # IEEE 1547-2018 4.6.2
DEADBAND_HZ, K, DROOP_S = 0.036, 0.05, 5.0  # table 24, of 60 Hz
LOW_HZ, HIGH_HZ, RATE_HZ_S = 59.0, 61.0, 2.0
VOLT_WATT = CurveSettings(((1.06, 1.0), (1.10, 0.2)), "w_max", 10.0)
HIGH_PU = 1.08
CLAUSE = "IEEE 1547.1-2020 5.13"


@procedure(
    claim="keeps an active power limit within 30 s, and lets droop and volt-watt act beside it",
    clause="IEEE 1547-2018 4.6.2; IEEE 1547.1-2020 5.13",
    hazards="full power; 59 and 61 Hz of 60 Hz and 1.08 of nominal voltage for minutes",
    rig="emulated-bench",
    needs=("inverter", "ac_source", "dc_source", "switch", "analyser"),
    criteria=(
        Criterion("limit_over_pu", "pu", max=0.0, source=f"{CLAUSE}: limit and 1.5 times 5 %"),
        Criterion("limit_late_pu", "pu", max=0.0, source="IEEE 1547-2018 4.6.2: 30 s"),
        Criterion("droop_outside_pu", "pu", max=0.0, source=f"{CLAUSE}: band of table 23"),
        Criterion("volt_watt_outside_pu", "pu", max=0.0, source=f"{CLAUSE}: band of volt-watt"),
        walk_criteria("5.13")[-1],
    ),
    mutants=(
        Mutant("ignores the limit", "inverter", {"ignores_limit": True}, "limit_over_pu"),
        Mutant("takes two minutes", "inverter", {"response_s": 120.0}, "limit_late_pu"),
        Mutant("no droop", "inverter", {"keeps": ["droop"], "droop": False}, "droop_outside_pu"),
        Mutant(
            "weak droop",
            "inverter",
            {"keeps": ["droop_k", "droop_under_k"], "droop_k": 0.15},
            "droop_outside_pu",
        ),
        Mutant(
            "volt-watt too early",
            "inverter",
            {
                "keeps": ["volt_watt_v_pu", "volt_watt_p_pu"],
                "volt_watt_v_pu": [1.01, 1.03],
                "volt_watt_p_pu": [1.0, 0.0],
            },
            "volt_watt_outside_pu",
        ),
        Mutant("frozen telemetry", "inverter", {"telemetry": "frozen"}, "telemetry_error_pu"),
    ),
)
async def test_limit_beside_functions(lab: Lab) -> None:
    """Set each limit, then move frequency and voltage."""
    bench = await at_power(lab)
    inverter = lab.driver(bench.name)
    band_hz = round(bench.hz(DEADBAND_HZ), 3)
    droop = DroopSettings(band_hz, band_hz, K, K, DROOP_S)
    await inverter.write_function("frequency_droop", droop, on=True)
    await inverter.write_function("volt_watt", VOLT_WATT, on=True)
    limited = Walk(bench, "F", "P", RESPONSE_S, is_limit=True, settled_side="above", x_required=0.0)
    in_frequency = Walk(bench, "F", "P", DROOP_S, telemetry=limited.telemetry)
    in_voltage = Walk(bench, "V", "P", VOLT_WATT.response_s or 0.0, telemetry=limited.telemetry)
    for limit_pu in LIMITS_PU:
        name = f"limit {limit_pu:.0%}"
        level = Characteristic(((0.0, limit_pu), (1.0, limit_pu)))
        put = partial(inverter.set_limit_w, limit_pu * bench.rated_w)
        if not (
            await limited.go([Step(f"{name}, set", level, act=put)])
            and await in_frequency.go(frequency_steps(bench, name, limit_pu))
            and await in_voltage.go(voltage_steps(name, limit_pu))
        ):
            break
    limited.record(
        {
            "settled": "limit_over_pu",
            "responded": "limit_late_pu",
            "telemetry": "telemetry_error_pu",
        }
    )
    in_frequency.record({"settled": "droop_outside_pu"})
    in_voltage.record({"settled": "volt_watt_outside_pu"})


def frequency_steps(bench: GridBench, name: str, limit_pu: float) -> list[Step]:
    """Return the steps of frequency at a limit, from which droop goes up and down."""
    f_n, per_pu_hz = bench.f_n, bench.f_n * K
    edge_hz = round(bench.hz(DEADBAND_HZ), 3)
    expected = Characteristic(
        (
            (f_n - edge_hz - (1.0 - limit_pu) * per_pu_hz, 1.0),
            (f_n - edge_hz, limit_pu),
            (f_n + edge_hz, limit_pu),
            (f_n + edge_hz + limit_pu * per_pu_hz, 0.0),
        )
    )
    return [
        Step(
            f"{name}, {bench.hz(at_60_hz):.3f} Hz",
            expected,
            f_hz=round(bench.hz(at_60_hz), 4),
            ramp_hz_s=bench.hz(RATE_HZ_S),
        )
        for at_60_hz in (LOW_HZ, 60.0, HIGH_HZ, 60.0)
    ]


def voltage_steps(name: str, limit_pu: float) -> list[Step]:
    """Return the steps of voltage at a limit: the lower of it and volt-watt rules."""
    expected = Characteristic(VOLT_WATT.points).capped(limit_pu)
    return [Step(f"{name}, {v:g} pu", expected, v_pu=v) for v in (HIGH_PU, 1.0)]
