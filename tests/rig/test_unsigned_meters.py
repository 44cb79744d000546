"""Meters that sign nothing: they need no key, and what they read is nobody's money."""

from pathlib import Path

import pytest

from gridrig.cli import main
from gridrig.errors import RigError
from gridrig.rig.description import load_rig
from gridrig.rig.enrolment import emulated_key_tables
from gridrig.rig.toml_file import parse_toml

RIG = """\
[rig]
name = "unsigned"
clock = "virtual"
nominal = { f_hz = 50, v_ll = 400 }

[[device]]
name = "pv"
capability = "inverter"
driver = "sunspec"
bus = "A"
link = { kind = "modbus-tcp", host = "127.0.0.1", port = 0, unit = 1 }
terminal = "model"
limits = { p_w_max = 5000, s_va_max = 5000 }
safe_state = { connect = false }
emulate = { model = "pv", s_va = 5000 }

[[device]]
name = "meter"
capability = "meter"
driver = "sunspec-meter"
measures = "pv"
link = { kind = "modbus-tcp", host = "127.0.0.1", port = 0, unit = 2 }
limits = { clock_error_s_max = 60 }
safe_state = {}
emulate = { model = "meter", seed = 3 }
"""
KEY = """
[[key]]
meter = "meter"
algorithm = "ecdsa-p256"
public_key = "00"
valid_from = "2016-01-01T00:00:00Z"
"""
TRADER = """
[[participant]]
name = "sun"
meter = "meter"
agent = { kind = "producer" }
"""


def issues_of(folder: Path, text: str) -> list[tuple[str, str]]:
    path = folder / "rig.toml"
    path.write_text(text)
    with pytest.raises(RigError) as caught:
        load_rig(path)
    return [(issue.key, issue.expected) for issue in caught.value.issues]


def test_a_rig_with_an_unsigned_meter_needs_no_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(RIG)
    (meter,) = load_rig(path).of("meter")
    assert not meter.signs
    assert main(["check", str(path)]) == 0
    assert "2 devices in their safe state" in capsys.readouterr().out
    assert list(emulated_key_tables(parse_toml(RIG.encode(), "rig").table, "2016")) == []
    assert main(["enrol", str(path)]) == 0
    assert "[[key]]" not in capsys.readouterr().out


def test_a_key_for_it_and_money_by_it_are_refused(tmp_path: Path) -> None:
    assert ("key 'meter'.meter", "a meter that signs") in issues_of(tmp_path, RIG + KEY)
    found = issues_of(tmp_path, RIG + TRADER)
    assert ("participant 'sun'.meter", "a meter that signs: only signed readings are paid") in found
    assert any(key == "device 'pv'" and "a signed meter" in expected for key, expected in found)
