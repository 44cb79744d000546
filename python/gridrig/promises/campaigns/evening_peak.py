"""Campaign 3: an evening of electric vehicles."""

from gridrig.promises.rows import Campaign, Row, by

CAMPAIGN = Campaign(
    3,
    "evening EV peak",
    suites=(
        "hil/promises/test_cheap_hours.py",
        "hil/promises/test_evening_uncoordinated.py",
        "hil/promises/test_evening_peak.py",
        "hil/promises/test_vehicle_to_grid.py",
        "hil/promises/test_home_day.py",
    ),
    rows=(
        Row(
            "M5",
            "a battery charges when energy is cheap",
            by(
                "test_cheap_hours",
                "periods_not_signed",
                "charged_kwh",
                "charged_cheap_percent",
                "soc_least",
                "soc_most",
                "current_over_limit_a",
                "charged_beyond_limit_wh",
                "polls_until_set_to_nothing",
                "polls_until_still",
                "saved_percent",
                "saved_in_books_percent",
                "periods_priced_otherwise",
            ),
        ),
        Row(
            "M7",
            "cars are charged without overloading the transformer",
            (
                *by("test_evening_uncoordinated", "trafo_loading_max_percent"),
                *by(
                    "test_evening_peak",
                    "trafo_loading_max_percent",
                    "bus_v_min_pu",
                    "bus_v_max_pu",
                    "cars_short_untold",
                    "named_although_possible",
                    "percent_of_deliverable",
                ),
                *by(
                    "test_home_day",
                    "cost_of_uncontrolled_percent",
                    "cars_short_untold",
                    "reserve_kept_percent",
                    "connection_w",
                    "override_response_periods",
                ),
            ),
        ),
        Row(
            "M8",
            "cars give back without touching their driver's reserve",
            by(
                "test_vehicle_to_grid",
                "reserve_kept_percent",
                "given_of_spare_percent",
                "orders_refused",
                "call_met_after_slots",
                "export_after_loss_s",
            ),
            missing="the grid's loss on a street that collapses, not on a tuned load; cars in an "
            "island that somebody forms are not asked for anything",
        ),
    ),
)
