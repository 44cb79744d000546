"""Campaign 6: meters that lie."""

from gridrig.promises.rows import Campaign, Row, by

CAMPAIGN = Campaign(
    6,
    "liars",
    suites=("hil/promises/test_liars.py",),
    rows=(
        Row(
            "N1",
            "a report that is false, altered or repeated is refused with its reason",
            by("test_liars", "false_readings_accepted", "liars_paid_milliwh"),
            missing="here with signed registers; the packets of Glow are checked "
            "by vectors, not in a run",
        ),
        Row(
            "N6",
            "a meter that runs backwards or signs for another is noticed and mints nothing",
            by("test_liars", "losses_difference_of_allowed", "meter_periods_estimated"),
        ),
        Row(
            "N7",
            "samples whose power and energy disagree are set aside",
            missing="checked by vectors of the wire format, not in a run",
        ),
    ),
)
