"""Active power limit: an inverter told to give less does so, in time, and says so truthfully.

Stimulus: the DC source offers full power; the limit is set to 66, 33 and 0 % of the rating and
removed again. Judged by the meter at the inverter's terminal, not by the inverter's telemetry; the
telemetry is itself compared with that meter. The error is that of the last 10 s of a minute; the
response is the time to nine tenths of the way to where power settled, wherever that is. Where the
source does not offer full power nothing is judged, so the outcome is INCONCLUSIVE.
"""

from collections.abc import Sequence

from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure

LEVELS = (0.66, 0.33, 0.0)
HOLD_S = 60.0
SETTLED_S = 10.0  # at the end of a hold
RESPONSE_MAX_S = 30.0
RESPONSE_SHARE = 0.9
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
        Criterion("limit_response_max_s", "s", max=RESPONSE_MAX_S, source="IEEE 1547-2018 4.6.2"),
        Criterion(
            "telemetry_error_max_pu", "pu", max=0.05, source="IEEE 1547-2018 Table 3, 5 % of S"
        ),
        Criterion("power_after_removal_pu", "pu", min=0.95, source="the limit must be removable"),
    ),
    mutants=(
        Mutant("ignores the limit", "inverter", {"ignores_limit": True}, "limit_error_max_pu"),
        Mutant("takes 45 s", "inverter", {"response_s": 45.0}, "limit_response_max_s"),
        Mutant(
            "freezes its telemetry", "inverter", {"telemetry": "frozen"}, "telemetry_error_max_pu"
        ),
        Mutant("reports the wrong sign", "inverter", {"sign": -1}, "telemetry_error_max_pu"),
        Mutant("comes back slowly", "inverter", {"ramp_w_per_s": 150.0}, "power_after_removal_pu"),
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
    for level in (*LEVELS, None):
        before_w = (await lab.measured(name)).p_w
        await inverter.set_limit_w(None if level is None else level * rated_w)
        measured_w: list[float] = []
        for _ in range(int(HOLD_S)):
            await lab.pass_time(1.0)
            measured_w.append((await lab.measured(name)).p_w)
            telemetry.append(abs((await inverter.read()).p_w - measured_w[-1]) / rated_w)
        if level is not None:
            settled_w = measured_w[-int(SETTLED_S) :]
            errors.append(max(abs(p_w - level * rated_w) for p_w in settled_w) / rated_w)
            responses.append(response_s(before_w, measured_w))
    lab.record("limit_error_max_pu", "pu", max(errors), METER_UNCERTAINTY_PU)
    lab.record("limit_response_max_s", "s", max(responses), 1.0)
    lab.record("telemetry_error_max_pu", "pu", max(telemetry), METER_UNCERTAINTY_PU)
    lab.record("power_after_removal_pu", "pu", measured_w[-1] / rated_w, METER_UNCERTAINTY_PU)


def response_s(before_w: float, measured_w: Sequence[float]) -> float:
    """Return after how many seconds a power stays within a tenth of its way to its last. [W, s]

    >>> response_s(100.0, [80.0, 40.0, 9.0, 2.0, 0.0]), response_s(100.0, [100.0, 100.0])
    (3.0, 0.0)
    """
    last_w = measured_w[-1]
    left_w = (1.0 - RESPONSE_SHARE) * abs(before_w - last_w)
    outside = [n for n, p_w in enumerate(measured_w, 1) if abs(p_w - last_w) > left_w]
    return outside[-1] + 1.0 if outside else 0.0


async def gives(lab: Lab, name: str, power_w: float) -> bool:
    """Return whether the inverter comes to give a power. [W]"""
    for _ in range(int(START_MAX_S)):
        await lab.pass_time(1.0)
        if (await lab.measured(name)).p_w >= power_w:
            return True
    return False
