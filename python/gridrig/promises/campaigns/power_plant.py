"""Campaign 4: many devices that act as one power plant."""

from gridrig.promises.rows import Campaign, Figure, Row, by

SHAVED = "mean daily peak shaved, against PV without storage"
DEVIATION = "deviation of delivered from cleared energy, participant by participant"

CAMPAIGN = Campaign(
    4,
    "virtual power plant",
    suites=(
        "hil/promises/test_fleet_tracking.py",
        "hil/promises/test_moved_comfort.py",
        "hil/promises/test_warm_home.py",
        "hil/promises/test_fleet_enrolment.py",
        "hil/promises/test_fleet_credits.py",
    ),
    rows=(
        Row(
            "N4",
            "a virtual power plant follows an order, cheats earn nothing",
            (
                *by(
                    "test_fleet_enrolment",
                    "connectivity_percent",
                    "replays_believed",
                    "replayer_percent",
                    "capacity_of_claimed",
                    "liars_believed",
                ),
                *by(
                    "test_fleet_credits",
                    "devices",
                    "orders_heard",
                    "head_delta_w",
                    "response_s",
                    "credits_unlike_feeder_percent",
                    "reports_missing",
                    "reports_unlike_meters_milliwh",
                    "reports_unmarked",
                    "reported_meters_percent",
                    "credits_missing",
                    "inflated_after_notice_paid_micro",
                    "inflating_gain_micro",
                    "preheating_gain_micro",
                    "shifted_gain_micro",
                    "silent_members",
                    "silent_paid_micro",
                    "silent_untold",
                    "heard_unlike_feeder_percent",
                    "credited_twice",
                    "paid_micro",
                ),
            ),
            missing="credits are of the meters of emulated homes; load on the meter of a neighbour "
            "who is no member pays, and is seen at the feeder only",
        ),
        Row(
            "N13",
            "a microgrid market shaves peaks",
            figures=(
                Figure("microgrid", SHAVED, True, "street-sample", "perfect-foresight optimum"),
                Figure("microgrid", SHAVED, False, "street-sample", "greedy, each home"),
                Figure("microgrid", DEVIATION, True, "street-sample"),
            ),
            missing="3 of 30 seeds; all by gridrig bench microgrid: 92.0 % of the optimum's "
            "shaving, 3.8 % deviation; no device takes part",
        ),
        Row(
            "M9",
            "a fleet tracks an order like one plant",
            by(
                "test_fleet_tracking",
                "devices",
                "silent_percent",
                "response_s",
                "step_error_percent",
                "ramp_error_percent",
                "hold_error_percent",
                "rebound_of_allowed",
            ),
            missing="two batteries on wires, a thousand heat pumps in the plant",
        ),
        Row(
            "M32",
            "comfort is kept while load is moved",
            (
                *by(
                    "test_moved_comfort",
                    "comfort_excess_k",
                    "moved_percent",
                    "rebound_percent",
                    "heat_unbalanced_percent",
                ),
                *by(
                    "test_warm_home",
                    "comfort_excess_k",
                    "cost_of_thermostat_percent",
                    "paid_of_thermostat_percent",
                    "orders_without_why",
                    "blind_unflagged",
                    "own_again_s",
                    "override_response_periods",
                    "connection_w",
                ),
            ),
            missing="rooms of first order in the plant; no real thermostat or heat pump was on a "
            "bench",
        ),
    ),
)
