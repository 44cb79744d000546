"""Campaign 2: a storm that islands the street while the ledger is away."""

from gridrig.promises.rows import Campaign, Row, by

CAMPAIGN = Campaign(
    2,
    "storm with the ledger down",
    suites=(
        "hil/promises/test_storm.py",
        "hil/islanding/test_intentional_islanding.py",
        "hil/islanding/test_unintentional_islanding.py",
    ),
    rows=(
        Row(
            "M10",
            "the street islands, feeds its critical load, sheds in order, sells nothing outside",
            (
                *by(
                    "test_storm",
                    "island_formed_s",
                    "shed_out_of_order",
                    "islands_not_reclosed",
                    "grid_energy_while_islanded_milliwh",
                ),
                *by("test_intentional_islanding", "critical_served_s"),
            ),
        ),
        Row(
            "M11",
            "equipment does not notice the transition",
            (
                *by("test_storm", "itic_of_allowed"),
                *by("test_intentional_islanding", "critical_served_s"),
            ),
            missing="RMS by the half period; says nothing of lamps or people",
        ),
        Row(
            "M12",
            "an inverter that must not island ceases within two seconds",
            by("test_unintentional_islanding", "clearing_time_s"),
        ),
        Row(
            "M16",
            "the ledger may be away: control goes on, and what is settled late is the same",
            by("test_storm", "periods_settled_late", "late_ledger_differs", "deadlines_missed"),
            missing="the journal's database is taken away, on the virtual clock; "
            "a chain's node has tests",
        ),
    ),
)
