"""Campaign 10: two regions, two chains, a rule that changes."""

from gridrig.promises.rows import Campaign, Row, by

CAMPAIGN = Campaign(
    10,
    "two regions, two chains, a rule change",
    suites=(
        "hil/promises/test_two_regions.py",
        "hil/promises/test_rule_change.py",
        "hil/promises/test_holders.py",
        "hil/promises/test_trading_policies.py",
    ),
    rows=(
        Row(
            "M20",
            "holders share revenue exactly",
            by(
                "test_holders",
                "paid_unlike_revenue_micro",
                "payouts_unlike_fractions",
                "furthest_from_share_micro",
                "negative_payouts",
                "negative_spans",
                "holders",
                "spans",
                "revenue_unlike_balance_micro",
                "spans_unlike_meters",
                "payment_unlike_delivery_milliwh",
            ),
            missing="twelve spans of two hours stand for months; not paid out on a chain",
        ),
        Row(
            "M23",
            "two chains and two regions keep one total",
            by(
                "test_two_regions",
                "units_beyond_minted_wh",
                "units_lost_wh",
                "vault_unlike_bridged_wh",
                "crossed_wh",
                "false_messages_taken",
                "minted_unlike_meters_wh",
                "days_unlike_meters_milliwh",
                "payment_unlike_delivery_milliwh",
                "ledger_sum_micro",
            ),
            missing="two nodes of this machine; a quorum of relays is trusted",
        ),
        Row(
            "M24",
            "a rule changes after its delay, and not in running trades",
            by(
                "test_rule_change",
                "periods_unlike_rules",
                "decisions_unlike_expected",
                "chain_decides_otherwise",
                "rules_untold",
                "payment_unlike_delivery_milliwh",
                "ledger_sum_micro",
            ),
            missing="the market runs by its scenario; a contract decides the same beside it",
        ),
        Row(
            "M25",
            "rewards are compared with revenue",
            by("test_holders", "stress_off_series_of_allowed"),
            missing="answered by arithmetic on five assumptions; not a price forecast",
        ),
        Row(
            "M29",
            "who may trade follows entered rules",
            by(
                "test_trading_policies",
                "traded_against_table_milliwh",
                "refusals_unlike_table",
                "traded_between_members_milliwh",
                "blocked_between_members_milliwh",
                "metered_unlike_milliwh",
                "ledger_sum_micro",
            ),
            missing="three tables as examples, no statement on any law",
        ),
    ),
)
