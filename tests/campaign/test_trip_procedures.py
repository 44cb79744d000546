"""Trip and ride-through procedures beyond their mutants: other categories, edges, instruments."""

from pathlib import Path

import pytest

from gridrig.campaign.builtin import PROCEDURES, RIGS
from gridrig.cli import main

FOLDER = PROCEDURES / "grid_support"
BENCH = (RIGS / "emulated-bench.toml").read_text(encoding="utf-8")


def test_on(folder: Path, file: str, *options: str, **changes: str) -> int:
    """Run a procedure on the emulated bench with words of its rig file changed."""
    text = BENCH
    for old, new in changes.items():
        assert text.count(REPLACED[old]) == 1, old
        text = text.replace(REPLACED[old], new)
    rig = folder / "bench.toml"
    rig.write_text(text, encoding="utf-8")
    return main(["test", str(FOLDER / file), "--rig", str(rig), *options])


test_on.__test__ = False  # type: ignore[attr-defined]
REPLACED = {
    "claimed": 'categories = { abnormal = "II", normal = "B" }',
    "built": 'category = "II", seed = 1',
    "accuracy": "accuracy_percent = 0.1",
}


def test_category_i_trips_as_it_should(tmp_path, capsys):
    changes = {
        "claimed": 'categories = { abnormal = "I", normal = "B" }',
        "built": 'category = "I", seed = 1',
    }
    assert test_on(tmp_path, "test_voltage_trip.py", "-k", "not range", **changes) == 0
    assert "UV1: 2.010 s for 2 s" in capsys.readouterr().out


def test_category_iii_is_timed_between_two_voltages_where_it_has_ceased(capsys):
    options = ("-k", "not range", "--rig", "emulated-bench-iii")
    assert main(["test", str(FOLDER / "test_voltage_trip.py"), *options]) == 0
    out = capsys.readouterr().out
    assert (
        "OV2: 0.137 to 0.183 s for 0.16 s" in out
    )  # 0.16 s and two cycles of 60 Hz, less a little
    assert "UV1: 21.010 s for 21 s" in out  # here it still feeds when it trips


def test_a_trip_at_the_edge_of_what_is_allowed_is_inconclusive(tmp_path, capsys):
    built = 'category = "II", trip_delay_s = 0.03, seed = 1'
    assert test_on(tmp_path, "test_voltage_trip.py", "-k", "not range", built=built) != 0
    out = " ".join(capsys.readouterr().out.split())
    assert "INCONCLUSIVE ov2_error_of_allowed 1 ± 0.125" in out


def test_an_instrument_that_is_too_coarse_is_refused_with_its_figures(tmp_path, capsys):
    assert test_on(tmp_path, "test_voltage_trip.py", accuracy="accuracy_percent = 0.3") == 4
    expected = "pa-1 knows a voltage to 0.00346 pu, expected at most 0.0025 pu"
    assert expected in capsys.readouterr().out


def test_a_device_that_nobody_put_in_a_category_is_refused(tmp_path, capsys):
    assert test_on(tmp_path, "test_voltage_trip.py", claimed="") == 4
    assert "device 'pv-1' has no categories" in capsys.readouterr().out


@pytest.mark.soak
def test_five_repetitions_of_every_stage_and_corner_pass(tmp_path):
    assert test_on(tmp_path, "test_voltage_trip.py", "--repetitions", "5") == 0
