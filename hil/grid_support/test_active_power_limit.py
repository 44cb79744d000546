"""Active power limit: an inverter told to give less does so, in time, and says so truthfully.

Stimulus: the DC source offers full power; the limit is set to 66, 33 and 0 % of the rating and
removed again. Judged by the meter at the inverter's terminal, not by the inverter's telemetry; the
telemetry is itself compared with that meter. Where the source does not offer full power nothing is
judged, so the outcome is INCONCLUSIVE.
"""

from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure

LEVELS = (0.66, 0.33, 0.0, None)
HOLD_S = 40.0
SETTLE_S = 30.0
TOLERANCE_PU = 0.05
START_MAX_S = 700.0  # for full power before the first limit: 300 s delay, 300 s ramp, and some
METER_UNCERTAINTY_PU = 0.002  # of a meter of class 0.2 at rated power


@procedure(
    claim="follows an active power limit within 30 s and 5 % of its rating",
    clause="IEEE 1547-2018 4.6.2; response at most 30 s, accuracy 5 % of rating",
    hazards="the inverter runs at rated power; the source must be able to take it",
    rig="one-inverter",
    needs=("inverter", "meter"),
    criteria=(
        Criterion(
            "limit_error_max_pu", "pu", max=TOLERANCE_PU, source="IEEE 1547.1-2020, 5 % of rating"
        ),
        Criterion("limit_response_max_s", "s", max=SETTLE_S, source="IEEE 1547-2018 4.6.2"),
        Criterion(
            "telemetry_error_max_pu", "pu", max=0.05, source="IEEE 1547-2018 Table 3, 5 % of S"
        ),
        Criterion("power_after_removal_pu", "pu", min=0.95, source="the limit must be removable"),
    ),
    mutants=(
        Mutant("ignores the limit", "inverter", {"ignores_limit": True}, "limit_error_max_pu"),
        Mutant("takes a minute", "inverter", {"response_s": 60.0}, "limit_response_max_s"),
        Mutant(
            "freezes its telemetry", "inverter", {"telemetry": "frozen"}, "telemetry_error_max_pu"
        ),
        Mutant("reports the wrong sign", "inverter", {"sign": -1}, "telemetry_error_max_pu"),
        Mutant("comes back slowly", "inverter", {"ramp_w_per_s": 200.0}, "power_after_removal_pu"),
    ),
)
async def test_active_power_limit(lab: Lab) -> None:
    """Step the limit down and away, and watch the meter."""
    name = lab.name_of("inverter")
    inverter = lab.driver(name)
    rated_w = (await inverter.read()).w_max
    lab.give(name, rated_w)
    await inverter.set_connect(True)  # whoever was here before left it safe
    if not await gives(lab, name, (1.0 - TOLERANCE_PU) * rated_w):
        return
    errors, responses, telemetry = [0.0], [0.0], [0.0]
    for level in LEVELS:
        await inverter.set_limit_w(None if level is None else level * rated_w)
        wanted_w = rated_w if level is None else level * rated_w
        inside_since_s = None
        for second in range(int(HOLD_S)):
            await lab.pass_time(1.0)
            measured_w = (await lab.measured(name)).p_w
            error = abs(measured_w - wanted_w) / rated_w
            if error > TOLERANCE_PU:
                inside_since_s = None
            elif inside_since_s is None:
                inside_since_s = second + 1.0
            if second + 1.0 >= SETTLE_S:
                errors.append(error)
            telemetry.append(abs((await inverter.read()).p_w - measured_w) / rated_w)
        responses.append(HOLD_S if inside_since_s is None else inside_since_s)
    lab.record("limit_error_max_pu", "pu", max(errors), METER_UNCERTAINTY_PU)
    lab.record("limit_response_max_s", "s", max(responses), 1.0)
    lab.record("telemetry_error_max_pu", "pu", max(telemetry), METER_UNCERTAINTY_PU)
    lab.record("power_after_removal_pu", "pu", measured_w / rated_w, METER_UNCERTAINTY_PU)


async def gives(lab: Lab, name: str, power_w: float) -> bool:
    """Return whether the inverter comes to give a power. [W]"""
    for _ in range(int(START_MAX_S)):
        await lab.pass_time(1.0)
        if (await lab.measured(name)).p_w >= power_w:
            return True
    return False
