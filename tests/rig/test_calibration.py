"""Calibration records: of real instruments only, whole, and not beyond their day."""

import pytest

from gridrig.campaign.builtin import RIGS, find
from gridrig.errors import RigError
from gridrig.rig.calibration import not_traceable, overdue
from gridrig.rig.description import Rig, describe
from gridrig.rig.toml_file import parse_toml

RECORD = """calibration = { certificate = "K-1", laboratory = "Lab", on = "2026-03-02", \
due = "2027-03-02", uncertainty = { v_percent = 0.05, i_percent = 0.1 } }
"""


def bench(record: str, name: str = "meter-1", rig: str = "lab-example") -> Rig:
    text = find(rig, RIGS).read_text(encoding="utf-8")
    line = f'name = "{name}"\n'
    assert text.count(line) == 1, "the rig was rebuilt: choose another device"
    return describe(parse_toml(text.replace(line, line + record).encode(), "bench.toml"))


def test_a_record_is_kept_and_judged_by_its_day() -> None:
    rig = bench(RECORD)
    calibration = rig.device("meter-1").calibration
    assert calibration is not None
    assert calibration.uncertainty == {"v_percent": 0.05, "i_percent": 0.1}
    assert overdue(rig.devices, "2027-03-02T23:59:59+00:00") == []
    (told,) = overdue(rig.devices, "2027-03-03T00:00:00+00:00")
    assert told == "the calibration of meter-1 was due on 2027-03-02"


def test_a_real_meter_without_a_record_is_named() -> None:
    (told,) = not_traceable(bench("").devices)
    assert told.startswith("meter-1 has no calibration record")
    assert not_traceable(bench(RECORD).devices) == []
    assert not_traceable(bench("", "meter-1", "one-inverter").devices) == []  # emulated


WRONG = {
    "no day": (RECORD.replace("2026-03-02", "last spring"), "meter-1", 'found "last spring"'),
    "due before": (RECORD.replace("2027", "2025"), "meter-1", 'after on = "2026-03-02"'),
    "vouches for nothing": (
        RECORD.replace("v_percent = 0.05, i_percent = 0.1", ""),
        "meter-1",
        "at least one, such as v_percent",
    ),
    "no uncertainty": (RECORD.replace("0.05", "0"), "meter-1", "uncertainty.v_percent"),
    "text": (RECORD.replace("0.1 ", "'good' "), "meter-1", "uncertainty.i_percent"),
    "no instrument": (RECORD, "inverter-1", "one of a real instrument"),
    "a misspelt key": (RECORD.replace("due =", "duw ="), "meter-1", "did you mean 'due'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_record_that_vouches_for_nothing_is_refused(case: str) -> None:
    record, name, words = WRONG[case]
    with pytest.raises(RigError) as refused:
        bench(record, name)
    assert words in str(refused.value)
    assert "bench.toml:" in str(refused.value)


def test_an_emulated_instrument_has_no_calibration() -> None:
    with pytest.raises(RigError, match="a calibration of an emulated device"):
        bench(RECORD, "meter-1", "one-inverter")
