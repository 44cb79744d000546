"""Campaign 10: two regions, two chains, a rule that changes."""

from gridrig.promises.rows import Campaign, Row

CAMPAIGN = Campaign(
    10,
    "two regions, two chains, a rule change",
    rows=(
        Row(
            "M20",
            "holders share revenue exactly",
            missing="no campaign yet",
        ),
        Row(
            "M23",
            "two chains and two regions keep one total",
            missing="no campaign",
        ),
        Row(
            "M24",
            "a rule changes after its delay, and not in running trades",
            missing="no campaign",
        ),
        Row(
            "M25",
            "rewards are compared with revenue",
            missing="no campaign",
        ),
        Row(
            "M29",
            "who may trade follows entered rules",
            missing="no campaign",
        ),
    ),
)
