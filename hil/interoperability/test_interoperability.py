"""Interoperability: what an inverter says of itself is so, and what it is told it does.

Nameplate: every rating the inverter reports beside its maker's list, which is the rig file's.
Configuration: the active power maximum is set to 80 %, must read back, hold the power the analyser
measures, and be put back as found. Monitoring: at low and high power, reactive power, voltage and
frequency every telemetry value beside the analyser, which the device knows nothing of, 30 s after
each change. Status and alarm: the state it reports beside the current that flows, and the alarm of
an under-voltage trip that must come and go.

Frequencies are for 60 Hz and scale by the ratio. Known gaps: apparent power, reactive power and
current maxima, which the driver does not set; supported modes; energy and state of charge.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gridrig.campaign.acceptance import WIDENING
from gridrig.campaign.function_bench import at_power
from gridrig.campaign.grid_bench import MRA_F_HZ, MRA_P_PU, MRA_V_PU, GridBench
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure

SHOWN = 0.001  # of a rating: what a register may round
CONFIGURED = 0.8
WAIT_S = 30.0
FOLLOW_S, RESTORE_S = 60.0, 30.0
U_F_HZ = 0.001
UNDER_PU, UNDER_S, RETURN_S = 0.30, 10.0, 700.0  # category III trips after 2 s
FLOWS_PU = 0.02
NEEDS = ("inverter", "ac_source", "dc_source", "switch", "analyser")
TABLE_3 = "IEEE 1547-2018 table 3 and 1547.1-2020 6.6"


@procedure(
    claim="reports its nameplate as its maker lists it, and takes a lower active power maximum",
    clause="IEEE 1547-2018 10.3 and 10.4; IEEE 1547.1-2020 6.4 and 6.5",
    hazards="full power; the source must be able to take it",
    rig="emulated-bench",
    needs=NEEDS,
    criteria=(
        Criterion("nameplate_differences", "1", max=0, source="IEEE 1547.1-2020 6.4: each item"),
        Criterion(
            "configured_over_pu", "pu", max=0.0, source="IEEE 1547.1-2020 6.5: 80 % and 1.5 MRA"
        ),
        Criterion("restored_pu", "pu", min=0.95, source="IEEE 1547.1-2020 6.5: initial value"),
    ),
    mutants=(
        Mutant("shows another rating", "inverter", {"p_max_w": 9000}, "nameplate_differences"),
        Mutant("shows another category", "inverter", {"category": "III"}, "nameplate_differences"),
        Mutant(
            "read-back lies",
            "inverter",
            {"ignores_limit": True},
            "configured_over_pu",
        ),
        Mutant("does not come back", "inverter", {"ramp_w_per_s": 25.0}, "restored_pu"),
    ),
)
async def test_nameplate_and_configuration(lab: Lab) -> None:
    """Compare the nameplate, then set the active power maximum down and back."""
    bench = await at_power(lab)
    inverter = lab.driver(bench.name)
    found = await inverter.read_nameplate()
    device = lab.rig.device(bench.name)
    if device.nameplate is not None and device.categories is not None:
        listed = device.nameplate
        pairs: dict[str, tuple[object, object]] = {
            key: (getattr(found, key), getattr(listed, key))
            for key in ("p_w", "s_va", "q_inject_var", "q_absorb_var", "v_v")
        }
        pairs["normal"] = (found.normal, device.categories.normal)
        pairs["abnormal"] = (found.abnormal, device.categories.abnormal)
        wrong = [key for key, (said, true) in pairs.items() if not alike(said, true)]
        note = ", ".join(f"{key} is {pairs[key][0]}, listed {pairs[key][1]}" for key in wrong)
        lab.record("nameplate_differences", "1", len(wrong), note=note)
    else:
        lab.record("nameplate_differences", "1", None, note="the rig file has no maker's list")
    assert found.p_set_w is not None, "a driver that opened has a maximum"
    u_pu = bench.uncertainty_pu()[2]
    await inverter.set_rated_w(CONFIGURED * bench.rated_w)
    await bench.hold(FOLLOW_S)
    over_pu = await bench.power_pu() - CONFIGURED - WIDENING * MRA_P_PU
    lab.record("configured_over_pu", "pu", over_pu, u_pu)
    await inverter.set_rated_w(found.p_set_w)
    await bench.hold(RESTORE_S)
    lab.record("restored_pu", "pu", await bench.power_pu(), u_pu)


def alike(said: object, listed: object) -> bool:
    """Return whether two items are the same, numbers to what a register may round."""
    if isinstance(said, int | float) and isinstance(listed, int | float):
        return abs(said - listed) <= SHOWN * max(abs(listed), 1.0)
    return said == listed


@dataclass(frozen=True)
class Point:
    """One condition at which telemetry is compared. [pu, pu, pu, Hz of 60]"""

    p_pu: float = 1.0
    q_pu: float = 0.0
    v_pu: float = 1.0
    f_hz: float = 60.0


# Clause 6.6: low (20 to 30 %) and high (90 to 100 %) power; voltage and frequency beyond 0.90,
# 1.08 pu, 57.2 and 61.6 Hz, which a device must ride through for 299 s.
POINTS = (
    *(Point(p_pu=0.25), Point(p_pu=0.95)),
    *(Point(0.8, 0.11), Point(0.8, 0.42), Point(0.8, -0.11), Point(0.8, -0.42)),
    *(Point(0.8, v_pu=0.89), Point(0.8, v_pu=1.085)),
    *(Point(0.8, f_hz=57.1), Point(0.8, f_hz=61.7)),
)


@procedure(
    claim="reports power, voltage and frequency as an independent analyser measures them",
    clause="IEEE 1547-2018 10.5, table 3; IEEE 1547.1-2020 6.6",
    hazards="0.89 and 1.085 of nominal voltage; 57.1 and 61.7 Hz of 60 Hz for half a minute each",
    rig="emulated-bench",
    needs=NEEDS,
    criteria=(
        Criterion("p_error_pu", "pu", max=MRA_P_PU, source=f"{TABLE_3}: 5 % of rated power"),
        Criterion("q_error_pu", "pu", max=MRA_P_PU, source=f"{TABLE_3}: 5 % of rated power"),
        Criterion("v_error_pu", "pu", max=MRA_V_PU, source=f"{TABLE_3}: 1 % of nominal"),
        Criterion("f_error_hz", "Hz", max=MRA_F_HZ, source=f"{TABLE_3}: 10 mHz"),
    ),
    mutants=(
        Mutant("active power off by 10 %", "inverter", {"scale": 1.1}, "p_error_pu"),
        Mutant("active power of the wrong sign", "inverter", {"sign": -1}, "p_error_pu"),
        Mutant("reactive power off by 20 %", "inverter", {"q_scale": 0.8}, "q_error_pu"),
        Mutant("voltage off by 2 %", "inverter", {"v_scale": 1.02}, "v_error_pu"),
        Mutant("frequency off by 0.05 %", "inverter", {"f_scale": 1.0005}, "f_error_hz"),
        Mutant("frozen telemetry", "inverter", {"telemetry": "frozen"}, "f_error_hz"),
    ),
)
async def test_monitoring(lab: Lab) -> None:
    """Compare telemetry and analyser at every point."""
    bench = await at_power(lab)
    inverter = lab.driver(bench.name)
    errors: dict[str, list[float]] = {"P": [], "Q": [], "V": [], "F": []}
    for point in POINTS:
        await bench.feed(point.p_pu)
        await inverter.set_q_var(point.q_pu * bench.rated_w if point.q_pu else None)
        await bench.impose(point.v_pu, bench.hz(point.f_hz))
        await bench.hold(WAIT_S)
        measured, said = await bench.measure(), await inverter.read()
        errors["P"].append(abs(said.p_w - of(bench, measured.p_w)) / bench.rated_w)
        errors["Q"].append(abs(said.q_var - of(bench, measured.q_var)) / bench.rated_w)
        v_pu = of(bench, measured.v_v) / len(bench.channels) / bench.v_n
        errors["V"].append(abs(said.v_v / float(lab.rig.nominal.v_ll) - v_pu))
        errors["F"].append(abs(said.f_hz - measured.f_hz) / bench.hz(1.0))
    u_v, _, u_p = bench.uncertainty_pu()
    lab.record("p_error_pu", "pu", max(errors["P"]), u_p)
    lab.record("q_error_pu", "pu", max(errors["Q"]), u_p)
    lab.record("v_error_pu", "pu", max(errors["V"]), u_v)
    lab.record("f_error_hz", "Hz", max(errors["F"]), U_F_HZ, note="of 60 Hz")


def of(bench: GridBench, by_channel: Sequence[float]) -> float:
    """Return the sum over the inverter's channels."""
    return sum(by_channel[channel - 1] for channel in bench.channels)


@procedure(
    claim="reports whether it is connected, and an alarm while it is tripped",
    clause="IEEE 1547-2018 10.5, table 29; IEEE 1547.1-2020 6.6",
    hazards="none beyond those of the bench; the inverter trips on under-voltage",
    rig="emulated-bench",
    needs=NEEDS,
    criteria=(
        Criterion("state_differences", "1", max=0, source="IEEE 1547.1-2020 6.6: status"),
        Criterion("alarms_tripped", "1", min=1, source="IEEE 1547.1-2020 6.6: alarm set"),
        Criterion("alarms_returned", "1", max=0, source="IEEE 1547.1-2020 6.6: alarm clear"),
    ),
    mutants=(
        Mutant("frozen telemetry", "inverter", {"telemetry": "frozen"}, "state_differences"),
        Mutant("says it is connected", "inverter", {"says_connected": True}, "state_differences"),
        Mutant("raises no alarm", "inverter", {"alarms": "none"}, "alarms_tripped"),
        Mutant("keeps its alarm", "inverter", {"alarms": "latched"}, "alarms_returned"),
    ),
)
async def test_status_and_alarm(lab: Lab) -> None:
    """Take the permit away and back, trip it by under-voltage, and let it return."""
    bench = await at_power(lab)
    inverter = lab.driver(bench.name)
    differences = [await differs(bench)]
    await inverter.set_connect(False)
    await bench.hold(WAIT_S)
    differences.append(await differs(bench))
    await inverter.set_connect(True)
    await bench.hold(RETURN_S)
    differences.append(await differs(bench))
    await bench.impose(UNDER_PU)
    await bench.hold(UNDER_S)
    lab.record("alarms_tripped", "1", len(await inverter.read_alarms()))
    differences.append(await differs(bench))
    await bench.impose()
    await bench.hold(RETURN_S)
    differences.append(await differs(bench))
    lab.record("alarms_returned", "1", len(await inverter.read_alarms()))
    lab.record("state_differences", "1", sum(differences))


async def differs(bench: GridBench) -> bool:
    """Return whether the state it reports is not what the analyser shows."""
    await bench.hold(1.0)
    flows = abs(await bench.power_pu()) > FLOWS_PU
    said = await bench.lab.driver(bench.name).read()
    return bool(said.connected != flows or (said.state in ("running", "throttled")) != flows)
