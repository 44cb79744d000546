"""Campaign 4: many devices that act as one power plant."""

from gridrig.promises.rows import Campaign, Row

CAMPAIGN = Campaign(
    4,
    "virtual power plant",
    rows=(
        Row(
            "N4",
            "a virtual power plant follows an order, cheats earn nothing",
            missing="no campaign",
        ),
        Row(
            "N13",
            "a microgrid market shaves peaks",
            missing="measured by gridrig bench microgrid",
        ),
        Row(
            "M9",
            "a fleet tracks an order like one plant",
            missing="no campaign",
        ),
        Row(
            "M32",
            "comfort is kept while load is moved",
            missing="no thermal load",
        ),
    ),
)
