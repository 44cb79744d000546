"""Campaign 7: a bad network."""

from gridrig.promises.rows import Campaign, Row, by

CAMPAIGN = Campaign(
    7,
    "bad network",
    suites=("hil/promises/test_noisy_packs.py",),
    rows=(
        Row(
            "M28",
            "hostile traffic makes no unsafe write",
            missing="no campaign; wire faults have tests",
        ),
        Row(
            "M31",
            "a battery's corrupt frames are never used",
            by(
                "test_noisy_packs",
                "frames_damaged",
                "readings_used",
                "readings_wrong",
                "periods_without_reading",
                "power_without_reading_w",
                "charged_before_alarm_w",
                "charged_in_alarm_w",
            ),
            missing="JBD, Daly and Pylontech; two turned bits can pass the sums of their protocols",
        ),
        Row(
            "M33",
            "a chain's errors are waited out without double payment",
            missing="no campaign; the sender has tests",
        ),
    ),
)
