"""A scenario's cars: every way they can be wrong, beside their rig and in a slice."""

from pathlib import Path

import pytest

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.scenario import Scenario, load_scenario
from gridrig.campaign.scenario_fit import check_together
from gridrig.campaign.slicing import slice_scenario
from gridrig.errors import RigError
from gridrig.rig.description import load_rig

EVENING = (SCENARIOS / "promise-3-evening-peak.toml").read_text()
FIRST = (
    '{ charger = "charger-1", arrives_s = 1800, departs_s = 48600, soc = 0.32, energy_wh = 12000 }'
)


def gives(reserve_soc: str) -> str:
    """A car of 60 kWh that comes at 0.32 and leaves at 0.52."""
    keeps = f", gives_w = 7000, capacity_wh = 60000, reserve_soc = {reserve_soc} }}"
    return FIRST.replace(" }", keeps)


def scenario_of(folder: Path, *, stay: str = FIRST, more: str = "") -> Scenario:
    assert EVENING.count(FIRST) == 1
    path = folder / "evening.toml"
    path.write_text(
        EVENING.replace(FIRST, stay).replace("slot_s = 1800\n", f"slot_s = 1800\n{more}")
    )
    return load_scenario(path)


@pytest.mark.parametrize(
    ("stay", "more", "key", "found"),
    [
        (FIRST.replace("48600", "1800"), "", "stays 'charger-1'.departs_s", "1800"),
        (FIRST.replace("48600", "50400"), "", "stays 'charger-1'.departs_s", "50400"),
        (FIRST.replace("= 1800", "= 1900"), "", "stays 'charger-1'.arrives_s", "1900"),
        (FIRST.replace(" }", ", gives_w = 7000 }"), "", "stays 'charger-1'.capacity_wh", "nothing"),
        (gives("0.53"), "", "stays 'charger-1'.reserve_soc", "0.53"),
        (FIRST.replace("charger-1", "charger-2"), "", "stays 'charger-2'", "from 1800 to 48600 s"),
        (FIRST.replace("soc = 0.32", "soc = 32"), "", "stays[0].soc", "32"),
        (FIRST.replace(" }", ", capacity_wh = 0 }"), "", "stays[0].capacity_wh", "0"),
        (FIRST, "calls = [ { from_s = 60, to_s = 60, p_w = 1 } ]\n", "calls[0].to_s", "60"),
    ],
)
def test_cars_that_cannot_be_are_named_with_their_place(
    tmp_path: Path, stay: str, more: str, key: str, found: str
) -> None:
    with pytest.raises(RigError) as refused:
        scenario_of(tmp_path, stay=stay, more=more)
    (issue,) = refused.value.issues
    assert issue.key == f"charging.{key}"
    assert found in issue.found


def test_a_car_at_no_charger_and_a_rig_whose_head_nobody_measures_do_not_fit(
    tmp_path: Path,
) -> None:
    rig = load_rig(RIGS / "emulated-car-park.toml")
    misspelt = scenario_of(tmp_path, stay=FIRST.replace("charger-1", "chargr-11"))
    (issue,) = check_together(rig, misspelt)
    assert (issue.found, issue.near_miss) == ('"chargr-11"', "charger-11")
    blind = load_rig(RIGS / "emulated-chargers.toml")
    issues = check_together(blind, scenario_of(tmp_path))
    assert any("a meter that measures the head" in issue.expected for issue in issues)


def test_a_driver_keeps_no_more_than_the_car_leaves_with_or_ends_charging_at(
    tmp_path: Path,
) -> None:
    rig = (RIGS / "emulated-car-park.toml").read_text()
    target = "target_soc = 0.95"
    assert check_together(load_rig(RIGS / "emulated-car-park.toml"), scenario_of(tmp_path)) == ()
    scenario = scenario_of(tmp_path, stay=gives("0.52"))
    path = tmp_path / "rig.toml"
    path.write_text(rig.replace(target, "target_soc = 0.5", 1))
    (issue,) = check_together(load_rig(path), scenario)
    assert issue.key == "charging.stays 'charger-1'.reserve_soc"
    assert (issue.found, issue.expected.split(",")[0]) == ("0.52", "at most 0.5")


def test_a_slice_keeps_who_is_there_and_leaves_out_who_has_gone(tmp_path: Path) -> None:
    whole = scenario_of(tmp_path)
    late = slice_scenario(whole, from_s=12_600, for_s=3600, tick_s=None)
    assert whole.charging is not None
    assert late.charging is not None
    assert len(whole.charging.stays) == 40
    stays = {stay.charger: (stay.arrives_s, stay.departs_s) for stay in late.charging.stays}
    assert len(stays) == 33  # seven have gone
    assert stays["charger-1"] == (0.0, 36_000)
    assert stays["charger-40"] == (28_800, 36_000)
