"""Row M31: batteries whose frames are damaged, silent, and alarmed.

Stimulus: for twenty minutes one frame in twenty of each pack is damaged on its serial line (a bit
turned, the end cut off, noise before it), while the power of its inverter changes with every
control period. Then every pack is silent for two periods; then it is charged and tells that a cell
has too much voltage.
"""

from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.promises.noisy_packs import noisy_hours


@procedure(
    claim="no damaged frame of a battery is believed, and one that is not heard is not used",
    clause="promise M31",
    hazards="batteries are charged and discharged within their limits",
    rig="driver-bench",
    needs=("storage", "bms", "model"),
    criteria=(
        Criterion("frames_damaged", "1", min=20, source="the line must have been bad"),
        Criterion("readings_used", "1", min=300, source="and the packs read in spite of it"),
        Criterion("readings_wrong", "1", max=0, source="each value against its cells"),
        Criterion("periods_without_reading", "1", min=3, source="each pack is silent once"),
        Criterion(
            "power_without_reading_w", "W", max=0, source="set-point in the very control period"
        ),
        Criterion("charged_before_alarm_w", "W", min=500, source="it must have been charging"),
        Criterion(
            "charged_in_alarm_w",
            "W",
            max=20,
            source="set-point at once, power one control period later; 20 W of telemetry (ours)",
        ),
    ),
    mutants=(
        Mutant("repeats its first values", "pack-jbd", {"telemetry": "frozen"}, "readings_wrong"),
        Mutant("tells the wrong sign", "pack-daly", {"sign": -1}, "readings_wrong"),
        Mutant("tells half the current", "pack-pylontech", {"scale": 0.5}, "readings_wrong"),
        Mutant("takes a trickle", "pack-daly", {"charge_a_max": 2}, "charged_before_alarm_w"),
    ),
)
async def test_noisy_packs(lab: Lab) -> None:
    """Drive the storages through noise, silence and an alarm."""
    await lab.pass_time(120.0, step_s=1.0)  # until the inverters have entered service
    found = await noisy_hours(lab)
    lab.record("frames_damaged", "1", found.damaged)
    lab.record("readings_used", "1", found.used)
    lab.record("readings_wrong", "1", found.wrong if found.used else None)
    lab.record("periods_without_reading", "1", found.silences)
    lab.record("power_without_reading_w", "W", found.without_reading_w if found.silences else None)
    lab.record("charged_before_alarm_w", "W", found.charged_before_alarm_w)
    lab.record("charged_in_alarm_w", "W", found.charged_in_alarm_w)
