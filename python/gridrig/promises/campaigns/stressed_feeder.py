"""Campaign 8: a stressed feeder."""

from gridrig.promises.rows import Campaign, Row

CAMPAIGN = Campaign(
    8,
    "stressed feeder",
    rows=(
        Row(
            "M6",
            "forecasts beat persistence",
            missing="measured by gridrig forecast, not judged here",
        ),
        Row(
            "M13",
            "an overload that is foreseen is switched around",
            missing="no campaign; gridrig switching plans it",
        ),
        Row(
            "M14",
            "no single device is missed much",
            missing="no campaign; gridrig switching --outages tells it",
        ),
        Row(
            "M15",
            "a cloud's ramp is made good in a stated time",
            missing="no campaign",
        ),
        Row(
            "M17",
            "voltage is held by reactive power first",
            missing="procedures of functions exist, no feeder campaign",
        ),
    ),
)
