"""Power set-point: the PowerCell gives and takes what it is told, in time, and says so truthfully.

Judged by the meter at its terminal, not by its own telemetry, which is compared with that meter.
"""

from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure

STEPS_W = (3000.0, -3000.0, 1500.0, 0.0)
HOLD_S, SETTLE_S = 20.0, 10.0
TOLERANCE_W = 100.0
METER_UNCERTAINTY_W = 10.0  # class 0.2 at rated power


@procedure(
    claim="follows a power set-point both ways within 10 s and 100 W",
    clause="Acme PowerCell data sheet, 4.2",
    hazards="the inverter charges and discharges its pack at 3 kW",
    rig="acme-bench.toml",
    needs=("storage", "bms", "meter"),
    criteria=(
        Criterion("set_point_error_max_w", "W", max=TOLERANCE_W, source="data sheet, 4.2"),
        Criterion("telemetry_error_max_w", "W", max=TOLERANCE_W, source="data sheet, 4.3"),
        Criterion("pack_current_max_a", "A", max=110.0, source="data sheet of the pack"),
    ),
    mutants=(
        Mutant("ignores it", "storage", {"ignores_setpoint": True}, "set_point_error_max_w"),
        Mutant("takes a minute", "storage", {"response_s": 60.0}, "set_point_error_max_w"),
        Mutant("tells the wrong sign", "storage", {"sign": -1}, "telemetry_error_max_w"),
        Mutant(
            "freezes its telemetry", "storage", {"telemetry": "frozen"}, "telemetry_error_max_w"
        ),
        Mutant("overloads its pack", "bms", {"scale": 4.0}, "pack_current_max_a"),
    ),
)
async def test_set_point(lab: Lab) -> None:
    """Step the set-point and watch the meter and the pack."""
    name, pack = lab.name_of("storage"), lab.name_of("bms")
    inverter, manager = lab.driver(name), lab.driver(pack)
    await manager.set_fets(True, True)
    await inverter.set_connect(True)  # whoever was here before left it safe
    errors, telemetry, currents = [0.0], [0.0], [0.0]
    for wanted_w in STEPS_W:
        await inverter.set_power_w(wanted_w)
        for second in range(int(HOLD_S)):
            await lab.pass_time(1.0)
            measured_w = (await lab.measured(name)).p_w
            telemetry.append(abs((await inverter.read()).p_w - measured_w))
            currents.append(abs((await manager.read()).i_a))
            if second + 1.0 >= SETTLE_S:
                errors.append(abs(measured_w - wanted_w))
    lab.record("set_point_error_max_w", "W", max(errors), METER_UNCERTAINTY_W)
    lab.record("telemetry_error_max_w", "W", max(telemetry), METER_UNCERTAINTY_W)
    lab.record("pack_current_max_a", "A", max(currents), 0.5)
