"""Campaign 9: computing by night, on a battery."""

from gridrig.promises.rows import Campaign, Row, by

CAMPAIGN = Campaign(
    9,
    "night compute",
    suites=(
        "hil/promises/test_facts.py",
        "hil/promises/test_night_compute.py",
        "hil/promises/test_round_the_clock.py",
    ),
    rows=(
        Row(
            "N10",
            "signed facts are shown by one root alone, false ones are not under it",
            by(
                "test_facts",
                "facts_in_tree",
                "root_unlike_by_hand",
                "receipts_not_shown",
                "changed_receipts_shown",
                "false_facts_not_absent",
                "facts_shown_absent",
            ),
            missing="absence holds only if whoever made the tree put it in order; the root is not "
            "put on a chain here",
        ),
        Row(
            "N11",
            "a computing job is taken if the battery's reserve holds, and paid by its result and "
            "its signed energy",
            by(
                "test_night_compute",
                "jobs_unlike_expected",
                "soc_min",
                "job_energy_unlike_registers_milliwh",
                "payment_unlike_agreed_micro",
                "certificates_unlike_jobs_wh",
                "node_energy_unlike_told_percent",
                "losses_difference_of_allowed",
            ),
            missing="integer matrices stand in for a model; energy is that of the AC side",
        ),
        Row(
            "N12",
            "a computer stops before its battery has to, and its energy closes over a day",
            by(
                "test_round_the_clock",
                "cell_mv_min",
                "pack_protections",
                "soc_min",
                "times_paused",
                "drew_while_paused_milliwh",
                "jobs_unlike_expected",
                "energy_balance_percent",
                "losses_difference_of_allowed",
            ),
            missing="a load of 450 W, not a graphics processor; one clear day",
        ),
    ),
)
