"""The results file of `gridrig test --results`: labels, ranges, criteria, and its own hash."""

import csv
import hashlib
from pathlib import Path

from gridrig.campaign.builtin import PROCEDURES
from gridrig.campaign.setting_labels import unit_of
from gridrig.cli import main

ENTER_SERVICE = str(PROCEDURES / "grid_support" / "test_enter_service.py")


def test_results_have_settings_ranges_criteria_and_a_hash(tmp_path: Path, capsys) -> None:
    path = tmp_path / "results.csv"
    assert main(["test", ENTER_SERVICE, "--results", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    rows = {(row[0], row[3]): row for row in csv.reader(text.splitlines())}
    assert rows["NP_ABNORMAL_OP_CAT", ""][1] == "CAT_II"
    assert rows["ES_DELAY-AS", ""][1:3] == ["300", "s"]
    assert rows["OF1_TRIP_F-AS", ""][1:3] == ["51", "Hz"]  # 61.2 Hz of 60 Hz
    tried = "test_enter_service"
    assert rows["ES_DELAY-ER-MIN", tried][1:] == ["0", "s", tried, "PASS"]
    assert rows["ES_DELAY-ER-MAX", tried][1:] == ["600", "s", tried, "PASS"]
    assert rows["entered_late_s", tried][4] == "PASS"
    *content, last = text.splitlines(keepends=True)
    assert last.split(",")[:2] == [
        "TA_RR_FILE_CHECKSUM",
        hashlib.sha256("".join(content).encode()).hexdigest(),
    ]
    capsys.readouterr()
    assert main(["test", ENTER_SERVICE, "--results", str(path)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == text


def test_units_are_those_of_the_labels_last_words() -> None:
    expected = {
        "OV1_TRIP_V": "V p.u.",
        "UF2_TRIP_F": "Hz",
        "UV1_TRIP_T": "s",
        "ES_F_HIGH": "Hz",
        "ES_V_LOW": "V p.u.",
        "ES_RAMP_RATE": "%/s",
        "QV_CURVE_V2": "V p.u.",
        "QV_CURVE_Q2": "VAr p.u.",
        "PV_CURVE_P2_GEN": "P p.u.",
        "PV_OLRT": "s",
        "NP_MODEL": "Text",
    }
    assert {label: unit_of(label) for label in expected} == expected
