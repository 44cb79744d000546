"""Campaign 9: computing by night, on a battery."""

from gridrig.promises.rows import Campaign, Row

CAMPAIGN = Campaign(
    9,
    "night compute",
    rows=(
        Row(
            "N10",
            "facts in a tree are proved by its root alone",
            missing="no campaign yet",
        ),
        Row(
            "N11",
            "a computing job is paid by its result and its metered energy",
            missing="no market for computing",
        ),
        Row(
            "N12",
            "a computer on a battery stops before the battery does",
            missing="no such device",
        ),
    ),
)
