"""EV chargers in rig files: where they hang, what vehicles may be, what is refused by its place."""

import pytest

from gridrig.errors import RigError
from gridrig.rig.description import Rig, describe
from gridrig.rig.toml_file import parse_toml

EMULATED = """\
[rig]
name = "chargers"
clock = "virtual"
nominal = { f_hz = 50, v_ll = 400 }

[[device]]
name = "charger"
capability = "ev_charger"
driver = "ocpp"
bus = "A"
link = { kind = "ocpp", host = "127.0.0.1", port = 0, charge_point = "CP", version = "1.6" }
terminal = "model"
limits = { p_w_max = 11000 }
safe_state = { charge = false }
emulate = { model = "ev_charger", category = "II" }
"""
REAL = (
    EMULATED.replace('"virtual"', '"wall"')
    .replace("port = 0", "port = 9000")
    .replace('bus = "A"\n', "")
    .replace('terminal = "model"\n', "")
    .replace('emulate = { model = "ev_charger", category = "II" }\n', "")
)


def read(text: str) -> Rig:
    return describe(parse_toml(text.encode(), "chargers.toml"))


def test_a_vehicle_takes_settings_of_the_charger_and_of_the_plant() -> None:
    device = read(EMULATED).device("charger")
    assert (device.bus, device.terminal) == ("A", "model")
    assert device.emulation is not None
    assert dict(device.emulation.plant) == {"category": "II"}


def test_a_real_charger_needs_neither_bus_nor_terminal() -> None:
    device = read(REAL).device("charger")
    assert (device.bus, device.terminal) == (None, None)


@pytest.mark.parametrize(
    ("old", "new", "key", "found", "expected"),
    [
        ('terminal = "model"\n', "", "terminal", "nothing", '"model", for an emulated device'),
        ('bus = "A"\n', "", "bus", "nothing", "the name of a bus of the feeder"),
        (
            '"model"\n',
            '{ source = "s", analyser = "a", channels = [1] }\n',
            "terminal",
            "a table of source",
            '"model"',
        ),
        ('category = "II"', 'category = "IV"', "emulate.category", '"IV"', ""),
        ('category = "II"', "pack = {}", "emulate.pack", "", "no such key"),
        ('category = "II"', "catgory = 2", "emulate.catgory", "an unknown key", ""),
        (
            "p_w_max = 11000",
            "p_w_max = 11000, gives_in_island = true",
            "limits.gives_in_island",
            "true",
            "OCPP 1.6 has no set-points",
        ),
        (
            'version = "1.6" }\nterminal = "model"\nlimits = { p_w_max = 11000 }',
            'version = "2.1" }\nterminal = "model"\n'
            "limits = { p_w_max = 11000, gives_in_island = true }",
            "limits.gives_in_island",
            "true",
            "false, or an [island] with its former",
        ),
        ('category = "II"', "capacity_wh = 4000", "emulate.vehicle_w_max", "11000", "1.5 times"),
        (
            'category = "II"',
            "discharge_w_max = 7000, target_soc = 0.4, reserve_soc = 0.5",
            "emulate.reserve_soc",
            "0.5",
            "0 to target_soc = 0.4",
        ),
    ],
)
def test_what_does_not_fit_is_an_issue_of_its_place(
    old: str, new: str, key: str, found: str, expected: str
) -> None:
    with pytest.raises(RigError) as caught:
        read(EMULATED.replace(old, new))
    (issue,) = caught.value.issues
    assert issue.key.endswith(f".{key}")
    assert issue.found.startswith(found)
    assert expected in issue.expected
