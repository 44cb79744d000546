"""Campaign 7: a bad network."""

from gridrig.promises.rows import Campaign, Row, by

CAMPAIGN = Campaign(
    7,
    "bad network",
    suites=(
        "hil/promises/test_bad_network.py",
        "hil/promises/test_noisy_packs.py",
        "hil/promises/test_hostile_traffic.py",
    ),
    rows=(
        Row(
            "M28",
            "hostile traffic makes no unsafe write",
            by(
                "test_hostile_traffic",
                "unsafe_writes",
                "strangers_answered",
                "power_outside_w",
                "replays_on_plain",
                "set_points_tried",
                "flood_times",
                "handshake_held_s",
                "control_gap_s",
                "reader_gap_s",
                "readings_by_reader",
            ),
            missing="on Modbus over TLS with roles; on plain Modbus the answer is no, 20 of 20 "
            "replayed set points are carried out; gridrig speaks no MQTT",
        ),
        Row(
            "M31",
            "a battery's corrupt frames are never used",
            by(
                "test_noisy_packs",
                "frames_damaged",
                "readings_used",
                "readings_wrong",
                "periods_without_reading",
                "power_without_reading_w",
                "charged_before_alarm_w",
                "charged_in_alarm_w",
            ),
            missing="JBD, Daly and Pylontech; two turned bits can pass the sums of their protocols",
        ),
        Row(
            "M33",
            "a chain's errors are waited out without double payment",
            by(
                "test_bad_network",
                "roots_unlike_journal",
                "postings_dropped",
                "sent_in_doubt",
                "alarms_missing",
                "asked_in_vain",
                "energy_unlike_twin_milliwh",
                "entries_unlike_twin",
            ),
            missing="a chain of our own that executes no contract; with a real node the sender has "
            "tests",
        ),
    ),
)
