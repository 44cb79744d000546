"""Campaign 3: an evening of electric vehicles."""

from gridrig.promises.rows import Campaign, Row

CAMPAIGN = Campaign(
    3,
    "evening EV peak",
    rows=(
        Row(
            "M5",
            "a battery charges when energy is cheap",
            missing="no tariff that changes by the hour in a scenario",
        ),
        Row(
            "M7",
            "cars are charged without overloading the transformer",
            missing="no campaign",
        ),
        Row(
            "M8",
            "cars give back without touching their driver's reserve",
            missing="no campaign",
        ),
    ),
)
