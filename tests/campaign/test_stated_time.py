"""The time a bench may take to its safe state adds up on each wire."""

from dataclasses import replace

from gridrig.campaign.builtin import RIGS, find
from gridrig.campaign.stated_time import wire_times
from gridrig.rig.description import load_rig


def test_what_devices_on_one_wire_need_adds_up_with_the_longest_time_out() -> None:
    rig = load_rig(find("lab-example", RIGS))
    inverter, battery, meter = rig.devices
    shared = replace(meter, link=replace(inverter.link, unit=2))
    rig = replace(rig, devices=(inverter, battery, shared))
    first, second = wire_times(rig, {"inverter-1": 20, "meter-1": 3, "battery-1": 4})
    assert first.devices == ("inverter-1", "meter-1")
    assert first.at_most_s == (20 + 3) * 1.5  # the inverter's time-out; the meter's is 1 s
    assert first.within_s == 5 + 30 + 5 + 30 + 10 + 5  # steps of the rig, then its protection
    assert first.fits
    assert second.devices == ("battery-1",)
    (slow,) = wire_times(rig, {"inverter-1": 60})
    assert not slow.fits
    assert "90 s, more than the 85 s that its steps allow" in str(slow)
