"""`[[motor]]` in a rig file: what it says, and every way it can be wrong."""

from small_rig import issues_of, small_rig

from gridrig.campaign.scenario import describe_scenario
from gridrig.campaign.scenario_fit import check_together
from gridrig.campaign.slicing import slice_scenario
from gridrig.rig.feeder_fit import check_feeder
from gridrig.rig.toml_file import parse_toml

LOAD = '[[participant]]\nname = "home"'
PUMP = '[[motor]]\nname = "pump"\nbus = "A"\ns_va = 5500\nruns = false\n\n'
SCENARIO = """\
[scenario]
title = "pump"
start = "2016-07-10T12:00:00Z"
duration_s = 1800
period_s = 900
seed = 1

[[window]]
from_s = 0
tick_s = 1

[[event]]
at_s = 900
do = "start"
target = "pumpe"

[[criterion]]
name = "bus_v_max_pu"
unit = "pu"
max = 1.1
source = "test"
"""


def with_motors(*motors: str) -> tuple[str, str]:
    return (LOAD, "".join(motors) + LOAD)


def said(*motors: str) -> list[tuple[str, str, str | None]]:
    issues = issues_of(with_motors(*motors))
    return [(issue.key, issue.found, issue.near_miss) for issue in issues]


def test_a_motor_keeps_its_settings_and_hangs_on_its_bus():
    (motor,) = small_rig(with_motors(PUMP)).motors
    assert (motor.name, motor.bus) == ("pump", "A")
    assert motor.settings == {"s_va": 5500, "runs": False}


def test_wrong_motors_are_told_all_at_once():
    assert said(
        PUMP.replace("runs", "run"),
        PUMP.replace("name", "nmae").replace('"A"', '"B"'),
        PUMP.replace('"pump"', '"pv-1"').replace("5500", "-1"),
    ) == [
        ("motor 'pump'.run", "an unknown key", "runs"),
        ("motor[1].nmae", "an unknown key", "name"),
        ("motor 'pv-1'.name", '"pv-1" twice', None),
        ("motor 'pv-1'.bus", '"A" twice', None),
        ("motor 'pv-1'.s_va", "-1", None),
    ]


def test_a_load_that_the_motor_cannot_turn_is_refused():
    heavy = PUMP.replace("runs = false", "torque_pu = 3")
    assert said(heavy) == [("motor 'pump'.torque_pu", "3", None)]


def test_a_bus_without_a_load_is_refused_with_the_near_miss():
    rig = small_rig(with_motors(PUMP))
    buses = {"A", "B", "A1"}
    assert check_feeder(rig, buses, loads={"A"}) == ()
    (issue,) = check_feeder(rig, buses, loads={"A1"})
    assert (issue.key, issue.expected) == ("motor 'pump'.bus", "a bus with a load of three phases")
    assert issue.near_miss == "A1"


def test_a_slice_begins_with_the_motors_as_they_were():
    text = SCENARIO.replace("at_s = 900", "at_s = 300").replace("pumpe", "pump")
    scenario = describe_scenario(parse_toml(text.encode(), "pump.toml"), {"bus_v_max_pu": "pu"})
    slice_ = slice_scenario(scenario, from_s=900, for_s=900, tick_s=None)
    assert [(e.at_s, e.do, e.target) for e in slice_.events] == [(0.0, "start", "pump")]


def test_a_scenario_that_starts_an_unknown_motor_is_refused():
    scenario = describe_scenario(parse_toml(SCENARIO.encode(), "pump.toml"), {"bus_v_max_pu": "pu"})
    (issue,) = check_together(small_rig(with_motors(PUMP)), scenario)
    assert (issue.found, issue.near_miss) == ('"pumpe"', "pump")
    (issue,) = check_together(small_rig(), scenario)
    assert issue.expected == "a [[motor]] in small.toml"
