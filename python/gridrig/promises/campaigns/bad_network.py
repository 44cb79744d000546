"""Campaign 7: a bad network."""

from gridrig.promises.rows import Campaign, Row

CAMPAIGN = Campaign(
    7,
    "bad network",
    rows=(
        Row(
            "M28",
            "hostile traffic makes no unsafe write",
            missing="no campaign; wire faults have tests",
        ),
        Row(
            "M31",
            "a battery's corrupt frames are never used",
            missing="no campaign; certification tries it",
        ),
        Row(
            "M33",
            "a chain's errors are waited out without double payment",
            missing="no campaign; the sender has tests",
        ),
    ),
)
