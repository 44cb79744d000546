"""Campaign 1: a sunny afternoon: trade, pay, certify, and read one's own page."""

from gridrig.promises.rows import Campaign, Figure, Row, by

CAMPAIGN = Campaign(
    1,
    "sunny afternoon",
    suites=(
        "hil/promises/test_sunny_afternoon.py",
        "hil/promises/test_guarded_minds.py",
        "hil/promises/test_certificate_year.py",
        "hil/promises/test_certificates_on_chain.py",
        "hil/promises/test_market_or_utility.py",
        "hil/promises/test_street_of_410.py",
        "hil/promises/test_zoned_market.py",
    ),
    rows=(
        Row(
            "N5",
            "60 sellers and 350 buyers trade by the quarter-hour across networks and are paid for "
            "what was signed; only what stays in a network is local relief, and a full link gives "
            "each network a price of its own",
            (
                *by(
                    "test_street_of_410",
                    "readings_missing",
                    "slots_settled",
                    "auctions_unlike_rule",
                    "ledger_sum_micro",
                    "payments_unlike_signed_micro",
                    "sold_not_given_wh",
                    "metered_unlike_feeder_wh",
                    "traded_financial_only_wh",
                    "marks_unlike_wires_wh",
                    "matched_unlike_signed_wh",
                    "local_beyond_feeder_wh",
                    "border_moved_by_local_wh",
                    "border_moved_by_financial_wh",
                ),
                *by(
                    "test_zoned_market",
                    "periods_with_full_link",
                    "welfare_unlike_optimum_pico",
                    "prices_unlike_optimum_micro",
                    "prices_unique",
                    "flows_unlike_zones_milliwh",
                    "trades_unlike_zone_micro",
                    "link_fees_unlike_flows_micro",
                    "rent_unlike_trades_micro",
                    "financial_only_wh",
                    "marks_unlike_zones_milliwh",
                    "bills_unlike_signed_milliwh",
                    "ledger_sum_micro",
                ),
            ),
            missing="three meters on wires, all others sign in the same process; one day, one "
            "seed; two prices with six meters, over links that lose nothing",
        ),
        Row(
            "M1",
            "the market clears at one price that its rule gives, energy and money conserved",
            by("test_sunny_afternoon", "clearings_unlike_rule", "ledger_sum_micro"),
            missing="one auction at a time; random orders by the hundred thousand are the core's "
            "tests",
        ),
        Row(
            "M2",
            "an order is matched in milliseconds",
            missing="figures of one machine, a clock each; a node here tells nothing of a "
            "public chain",
            figures=(
                Figure("trade", "matched, p50"),
                Figure("trade", "matched, p99", is_judged=True),
                *(Figure("trade", f"matched, {quantile}") for quantile in ("p99.9", "max")),
                Figure("trade", "written, p50"),
                Figure("trade", "written, p99"),
                *(Figure("trade", f"{clock}, p50") for clock in ("accepted", "included", "final")),
            ),
        ),
        Row(
            "M3",
            "who delivers is paid for exactly that, at once",
            by("test_sunny_afternoon", "payment_unlike_delivery_milliwh", "periods_not_settled"),
            missing="in the journal; the escrow on a chain has tests of its own",
        ),
        Row(
            "M4",
            "paid energy was signed for at both ends",
            by("test_sunny_afternoon", "payments_unbacked", "losses_difference_of_allowed"),
        ),
        Row(
            "M18",
            "one certificate is one signed watt-hour",
            (
                *by("test_sunny_afternoon", "certificates_unlike_meters_wh"),
                *by(
                    "test_certificate_year",
                    "certificates_unlike_meters_wh",
                    "supply_unlike_lots_wh",
                    "minted_again_wh",
                ),
                *by(
                    "test_certificates_on_chain",
                    "units_unlike_meters_wh",
                    "supply_unlike_issued_wh",
                    "blocks_with_supply",
                    "audit_unlike_reader",
                    "double_counts_unlike_planted",
                ),
            ),
            missing="two nodes of this machine; what nobody audits can be doubled on two chains",
        ),
        Row(
            "M19",
            "no watt-hour is claimed twice, by whomever and as whatever",
            (
                *by("test_sunny_afternoon", "claimed_twice", "certificates_unlike_meters_wh"),
                *by(
                    "test_certificate_year",
                    "claimed_twice",
                    "second_claims_tried",
                    "refusals_without_records",
                    "certified_without_sun_wh",
                    "storage_beyond_charge_wh",
                    "storage_certified_wh",
                ),
            ),
            missing="among issuers that tell each other their claims; nobody sees another's",
        ),
        Row(
            "M22",
            "a participant sees what ledger and meters say",
            by("test_sunny_afternoon", "pages_unlike_books"),
            missing="no late data that afternoon; days of clock changes and "
            "keyboards are tested in a browser",
        ),
        Row(
            "M26",
            "a participant sees what the market saves or costs beside a utility alone",
            by(
                "test_market_or_utility",
                "bills_missing",
                "bills_unlike_books_micro",
                "losers_uncounted",
                "ledger_sum_micro",
            ),
            missing="the sums, not the promise: three of twelve lose, and are named",
        ),
        Row(
            "M27",
            "local trade changes losses",
            by(
                "test_market_or_utility",
                "traded_kwh",
                "use_differs_wh",
                "loss_change_percent",
                "losses_engines_differ_percent",
                "losses_difference_of_allowed",
            ),
            missing="answered by measurement, of either sign: one hour of one feeder",
        ),
        Row(
            "M30",
            "a mind that asks too much is cut to its rights, a hand wins at once",
            by(
                "test_guarded_minds",
                "orders_clamped",
                "traded_beyond_rights_milliwh",
                "override_response_periods",
            ),
        ),
    ),
)
