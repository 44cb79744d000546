"""Campaign 6: meters that lie."""

from gridrig.promises.rows import Campaign, Row, by

CAMPAIGN = Campaign(
    6,
    "liars",
    suites=("hil/promises/test_liars.py", "hil/promises/test_telemetry.py"),
    rows=(
        Row(
            "N1",
            "a report that is false, altered or repeated is refused with its reason",
            (
                *by("test_liars", "false_readings_accepted", "liars_paid_milliwh"),
                *by(
                    "test_telemetry",
                    "packets_unlike_rules",
                    "slots_missing",
                    "slots_unlike_register_milliwh",
                    "slots_banned",
                    "energy_unlike_inverter",
                ),
            ),
            missing="orders and server lists in the answer to a sync; no real box was at hand",
        ),
        Row(
            "N6",
            "a meter that runs backwards or signs for another is noticed and mints nothing",
            by("test_liars", "losses_difference_of_allowed", "meter_periods_estimated"),
        ),
        Row(
            "N7",
            "samples whose power and energy disagree are set aside",
            by(
                "test_telemetry",
                "samples_set_aside",
                "samples_unlike_register_milliwh",
                "reports_unlike_rules",
            ),
            missing="the reward lottery; beside 2 % a watt-hour is let pass, not one count",
        ),
    ),
)
