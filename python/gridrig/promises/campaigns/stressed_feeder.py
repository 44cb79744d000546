"""Campaign 8: a stressed feeder."""

from gridrig.promises.rows import Campaign, Row, by

CAMPAIGN = Campaign(
    8,
    "stressed feeder",
    suites=(
        "hil/promises/test_forecast_skill.py",
        "hil/promises/test_rerouting.py",
        "hil/promises/test_shedding.py",
        "hil/promises/test_cloud_ramp.py",
        "hil/promises/test_single_outages.py",
        "hil/promises/test_voltage_support.py",
    ),
    rows=(
        Row(
            "M6",
            "forecasts beat persistence",
            by(
                "test_forecast_skill",
                "skill_day_ahead_min",
                "future_seen",
                "weather_lost_unflagged",
                "metered_skill",
            ),
            missing="three series of the year, two of them with stand-ins; no calendar of events",
        ),
        Row(
            "M13",
            "an overload that is foreseen is switched around",
            (
                *by(
                    "test_rerouting",
                    "loading_without_operator_percent",
                    "line_loading_max_percent",
                    "switched_ahead_s",
                    "rings_max",
                    "buses_dead_max",
                    "unserved_wh",
                    "engines_differ_v_pu",
                ),
                *by(
                    "test_shedding",
                    "line_loading_max_percent",
                    "said_before_s",
                    "protected_unserved_wh",
                    "shed_out_of_order",
                    "shed_needlessly",
                ),
            ),
        ),
        Row(
            "M14",
            "no single device is missed much",
            by(
                "test_single_outages",
                "devices_lost",
                "v_change_max_pu",
                "unserved_wh",
                "others_lost",
                "imbalance_unlike_own_wh",
            ),
        ),
        Row(
            "M15",
            "a cloud's ramp is made good in a stated time",
            by("test_cloud_ramp", "sun_lost_w", "plan_w_min", "recovered_periods"),
        ),
        Row(
            "M17",
            "voltage is held by reactive power first",
            by(
                "test_voltage_support",
                "v_without_support_pu",
                "bus_v_max_pu",
                "watt_before_var",
                "curtailed_wh",
                "metered_beyond_given_wh",
                "certificates_unlike_meters_wh",
            ),
        ),
    ),
)
