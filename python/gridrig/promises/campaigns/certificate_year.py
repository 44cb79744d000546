"""Campaign 5: a year of certificates."""

from gridrig.promises.rows import Campaign, Row

CAMPAIGN = Campaign(
    5,
    "certificate year",
    rows=(
        Row(
            "N2",
            "a weekly bucket is claimed once per holder, by proof",
            missing="no campaign yet; the claim tree and its contract have tests of their own",
        ),
        Row(
            "N3",
            "a vault shares metered revenue, unsigned intervals add nothing",
            missing="no vault",
        ),
        Row(
            "N8",
            "a certificate goes through its life once",
            missing="no campaign yet",
        ),
        Row(
            "N9",
            "shares of a plant never exceed what it made",
            missing="no campaign yet",
        ),
        Row(
            "N14",
            "a batch of certificates is whole or fails",
            missing="no campaign yet",
        ),
        Row(
            "M21",
            "what a household used is not in clear in what others see",
            missing="no campaign",
        ),
        Row(
            "M34",
            "carbon is watt-hours times a stated rate",
            missing="no campaign yet",
        ),
    ),
)
