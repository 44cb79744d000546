"""Rig files of a bench with instruments: every misfit is named."""

import pytest

from gridrig.campaign.builtin import RIGS, find
from gridrig.errors import RigError
from gridrig.rig.description import Rig, describe
from gridrig.rig.toml_file import parse_toml

TEXT = find("emulated-bench", RIGS).read_text(encoding="utf-8")
PV = "device 'pv-1'"


def rig_of(*edits: tuple[str, str]) -> Rig:
    text = TEXT
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return describe(parse_toml(text.encode(), "bench.toml"))


def issues_of(*edits: tuple[str, str]) -> list[tuple[str, str, str]]:
    with pytest.raises(RigError) as caught:
        rig_of(*edits)
    return [(i.key, i.found, i.expected) for i in caught.value.issues]


TERMINAL = (
    'terminal = { source = "ac-1", analyser = "pa-1", channels = [1, 2, 3], dc_source = "dc-1" }'
)
MISFITS = {
    "an unknown source": (
        ('source = "ac-1",', 'source = "ac-2",'),
        (f"{PV}.terminal.source", '"ac-2"'),
    ),
    "an analyser that is a switch": (
        ('analyser = "pa-1"', 'analyser = "s3"'),
        (f"{PV}.terminal.analyser", '"s3", of capability switch'),
    ),
    "two channels for three phases": (
        ("channels = [1, 2, 3]", "channels = [1, 2]"),
        (f"{PV}.terminal.channels", "2 channels"),
    ),
    "one channel twice": (
        ("channels = [1, 2, 3]", "channels = [1, 2, 2]"),
        (f"{PV}.terminal.channels", "channels [1, 2, 2]"),
    ),
    "limits without the nominal frequency": (
        ("f_hz_min = 40", "f_hz_min = 55"),
        ("device 'ac-1'.limits.f_hz_min", "55 to 66 Hz"),
    ),
    "limits below the nominal voltage": (
        ("v_v_max = 290", "v_v_max = 200"),
        ("device 'ac-1'.limits.v_v_max", "200"),
    ),
    "a place nobody has": (
        ('sees = ["pv-1", "switch"]', 'sees = ["pv-1", "swich"]'),
        ("device 'pa-1'.emulate.sees[1]", '"swich"'),
    ),
    "an emulated device of the feeder": (
        (TERMINAL, 'terminal = "model"\nbus = "A"'),
        (f"{PV}.terminal", '"model"'),
    ),
    "no limits": (
        ("limits = { v_v_max = 290, f_hz_min = 40, f_hz_max = 66, takes_back_w = 12000 }\n", ""),
        ("device 'ac-1'.limits", "nothing"),
    ),
    "no safe state": (
        ("safe_state = { closed = false }\n", ""),
        ("device 's3'.safe_state", "nothing"),
    ),
    "a DC source that feeds nothing": (
        (', dc_source = "dc-1" }', " }"),
        ("device 'dc-1'", "a DC source that feeds nothing"),
    ),
    "a bus for an instrument": (
        ('capability = "switch"', 'capability = "switch"\nbus = "A"'),
        ("device 's3'.bus", '"A"'),
    ),
    "a physics for an instrument": (
        ('{ model = "switch", seed = 5 }', '{ model = "switch", s_va = 5 }'),
        ("device 's3'.emulate.s_va", "an unknown key"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISFITS)
def test_a_misfit_is_named_at_its_place(case: str) -> None:
    edit, (key, found) = MISFITS[case]
    said = issues_of(edit)
    assert (key, found) in [(k, f) for k, f, _ in said], said


def test_a_feeder_beside_a_source_is_refused() -> None:
    feeder = '[feeder]\nengine = "pandapower"\nnetwork = "cigre_lv"\npcc = "trafo:0"\n\n[[device]]'
    assert [key for key, _, _ in issues_of(("[[device]]", feeder))] == ["feeder"]


def test_the_bench_that_comes_with_gridrig_has_every_instrument() -> None:
    rig = rig_of()
    assert {device.capability for device in rig.devices} == {
        "inverter", "ac_source", "dc_source", "load_bank", "switch", "interlock", "analyser"
    }  # fmt: skip
    assert all(device.emulated for device in rig.devices)
