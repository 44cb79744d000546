"""Campaign 5: a year of certificates."""

from gridrig.promises.rows import Campaign, Row, by

CAMPAIGN = Campaign(
    5,
    "certificate year",
    suites=(
        "hil/promises/test_certificate_year.py",
        "hil/promises/test_certificates_on_chain.py",
        "hil/promises/test_privacy.py",
    ),
    rows=(
        Row(
            "N2",
            "a weekly bucket is claimed once per holder, by proof",
            (
                *by(
                    "test_certificate_year",
                    "weekly_claims_unlike_rule",
                    "readings_unread",
                    "meters_unlike_telemetry_permille",
                ),
                *by(
                    "test_certificates_on_chain",
                    "paid_before_day_14_micro",
                    "paid_again_micro",
                    "paid_unlike_energy",
                    "bucket_unlike_paid_micro",
                    "refused_otherwise",
                    "false_claims_tried",
                    "buckets_paid",
                    "readings_unread",
                    "meters_unlike_telemetry_permille",
                ),
            ),
            missing="a node of this machine; vesting, and a veto on the chain, are not there",
        ),
        Row(
            "N3",
            "a vault shares metered revenue, unsigned intervals add nothing",
            by(
                "test_certificate_year",
                "vault_unlike_sums_micro",
                "readings_unread",
                "meters_unlike_telemetry_permille",
            ),
            missing="behaviour in integers; no token of it on a chain",
        ),
        Row(
            "N8",
            "a certificate goes through its life once",
            (
                *by(
                    "test_certificate_year",
                    "transitions_unlike_rule",
                    "offsets_unlike_wh",
                    "claimed_twice",
                ),
                *by("test_certificates_on_chain", "steps_unlike_table", "steps_tried"),
            ),
            missing="requests, the pool and badges are in the register, and in no contract",
        ),
        Row(
            "N9",
            "shares of a plant never exceed what it made",
            by(
                "test_certificate_year",
                "shares_unlike_plant",
                "shares_beyond_capacity",
                "claimed_twice",
                "meters_unlike_telemetry_permille",
            ),
        ),
        Row(
            "N14",
            "a batch of certificates is whole or fails",
            by("test_certificate_year", "batches_unlike", "private_sum_unlike_wh"),
            missing="in the register; the contract issues one by one",
        ),
        Row(
            "M21",
            "what a household used is not in clear in what others see",
            by(
                "test_privacy",
                "loads_in_clear",
                "names_in_clear",
                "opened_wrongly",
                "reads_without_consent",
                "aggregates_too_narrow",
                "aggregates_unlike_milliwh",
                "homes_unread",
                "homes_without_load",
            ),
            missing="of what is published; a wire without TLS tells all, an address links its "
            "payments, an amount paid tells of energy given",
        ),
        Row(
            "M34",
            "carbon is watt-hours times a stated rate",
            by(
                "test_certificate_year",
                "grams_unlike_sums",
                "hours_without_rate_withheld",
                "minted_again_wh",
                "claimed_twice",
            ),
            missing="the rates are assumed, from 120 to 680 g/kWh; a lab enters its own series",
        ),
    ),
)
