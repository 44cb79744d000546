"""A small valid rig and scenario as texts, to be broken one edit at a time."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

from offers import registry

from gridrig.errors import Issue, RigError
from gridrig.rig.description import Rig, describe
from gridrig.rig.enrolment import emulated_key_tables
from gridrig.rig.toml_file import parse_toml

DEVICES = """\
[rig]
name = "small"
clock = "virtual"
nominal = { f_hz = 50, v_ll = 400 }

[feeder]
engine = "pandapower"
network = "simbench:1-LV-rural1--2-no_sw"
pcc = "trafo:0"

[island]
former = "storage-1"

[[device]]
name = "pv-1"
capability = "inverter"
driver = "sunspec"
bus = "A"
link = { kind = "modbus-tcp", host = "127.0.0.1", port = 0, unit = 1 }
terminal = "model"
limits = { p_w_max = 10000, s_va_max = 11000 }
safe_state = { connect = false }
emulate = { model = "pv", s_va = 11000, profile = "SGen 1", seed = 1 }

[[device]]
name = "storage-1"
capability = "storage"
driver = "sunspec-storage"
bus = "B"
link = { kind = "modbus-rtu", port = "auto", baudrate = 19200, unit = 2 }
terminal = "model"
bms = "battery-1"
limits = { p_w_max = 5000, s_va_max = 5000 }
safe_state = { connect = false, power_w = 0 }
emulate = { model = "storage", s_va = 5000, seed = 2 }

[[device]]
name = "battery-1"
capability = "bms"
driver = "jbd"
link = { kind = "serial", port = "auto", baudrate = 9600 }
parameters = { charge_a_max = 100, discharge_a_max = 100 }
limits = { i_charge_a_max = 100, i_discharge_a_max = 100, soc_min = 0.1 }
safe_state = { charge = false, discharge = false }
emulate = { model = "pack", cells = 16, capacity_ah = 200, soc = 0.55 }

[[device]]
name = "meter-home"
capability = "meter"
driver = "signed-meter"
bus = "A"
measures = "load"
link = { kind = "modbus-tcp", host = "127.0.0.1", port = 0, unit = 1, gateway = "gw" }
limits = { clock_error_s_max = 60 }
safe_state = {}
emulate = { model = "meter", seed = 11, serial = "S-11" }

[[device]]
name = "meter-pv"
capability = "meter"
driver = "signed-meter"
measures = "pv-1"
link = { kind = "modbus-tcp", host = "127.0.0.1", port = 0, unit = 2, gateway = "gw" }
limits = { clock_error_s_max = 60 }
safe_state = {}
emulate = { model = "meter", seed = 12, serial = "S-12" }

[[device]]
name = "meter-storage"
capability = "meter"
driver = "signed-meter"
measures = "storage-1"
link = { kind = "modbus-tcp", host = "127.0.0.1", port = 0, unit = 3, gateway = "gw" }
limits = { clock_error_s_max = 60 }
safe_state = {}
emulate = { model = "meter", seed = 13, serial = "S-13" }

[[device]]
name = "meter-head"
capability = "meter"
driver = "signed-meter"
measures = "head"
link = { kind = "modbus-tcp", host = "127.0.0.1", port = 0, unit = 4, gateway = "gw" }
limits = { clock_error_s_max = 60 }
safe_state = {}
emulate = { model = "meter", seed = 14, serial = "S-14" }

[[participant]]
name = "home"
meter = "meter-home"
agent = { kind = "consumer" }
shed_stage = 1

[[participant]]
name = "solar"
meter = "meter-pv"
agent = { kind = "producer" }

[[participant]]
name = "operator"
meter = "meter-storage"
agent = { kind = "storage" }

[[participant]]
name = "grid"
meter = "meter-head"
agent = { kind = "grid" }

"""
VALID_FROM = "2016-01-01T00:00:00Z"
RIG = DEVICES + "\n".join(emulated_key_tables(tomllib.loads(DEVICES), VALID_FROM))
FILE = "small.toml"

Edit = tuple[str, str]


def edited(text: str, edits: Sequence[Edit]) -> str:
    """Return the text with the first occurrence of each old part replaced.

    An edit that finds nothing is a mistake of the test, not a pass.
    """
    for old, new in edits:
        assert old in text, f"nothing to edit: {old!r}"
        text = text.replace(old, new, 1)
    return text


def small_rig(*edits: Edit) -> Rig:
    """Return the small rig with edits, valid or raising."""
    return describe(parse_toml(edited(RIG, edits).encode(), FILE), registry())


def issues_of(*edits: Edit) -> tuple[Issue, ...]:
    """Return the issues of the small rig with edits; none if it is valid."""
    try:
        small_rig(*edits)
    except RigError as error:
        return error.issues
    return ()


def rig_file(folder: Path, *edits: Edit) -> Path:
    """Write the small rig with edits to a file."""
    path = folder / FILE
    path.write_text(edited(RIG, edits))
    return path
