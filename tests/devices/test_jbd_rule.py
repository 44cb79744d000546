"""The rule by which the JBD driver derives current limits that its wire does not carry."""

import pytest

from gridrig.devices.drivers.pack_limits import PackRule
from gridrig.devices.wire import jbd_registers

RULE = PackRule(charge_a_max=100, discharge_a_max=120)
NORMAL = {
    "cells_mv": (3300,) * 4,
    "temperatures_c": (25.0, 26.0),
    "charge_fet": True,
    "discharge_fet": True,
    "protections": (),
}


@pytest.mark.parametrize(
    ("change", "limits"),
    [
        ({}, (100, 120)),
        ({"charge_fet": False}, (0, 120)),
        ({"discharge_fet": False}, (100, 0)),
        ({"cells_mv": (3300, 3450)}, (100, 120)),
        ({"cells_mv": (3300, 3480)}, (80, 120)),
        ({"cells_mv": (3300, 3600)}, (0, 120)),
        ({"cells_mv": (3300, 3700)}, (0, 120)),
        ({"cells_mv": (3300, 2950)}, (100, 90)),
        ({"cells_mv": (3300, 2800)}, (100, 0)),
        ({"cells_mv": (3300, 0)}, (100, 0)),
        ({"temperatures_c": (25.0, 45.0)}, (100, 120)),
        ({"temperatures_c": (25.0, 45.1)}, (0, 120)),
        ({"temperatures_c": (-0.1, 25.0)}, (0, 120)),
        ({"temperatures_c": (25.0, 60.1)}, (0, 0)),
        ({"protections": ("cell_over_voltage",)}, (0, 120)),
        ({"protections": ("discharge_over_current",)}, (100, 0)),
        ({"protections": ("short_circuit",)}, (0, 0)),
        ({"protections": ("software_lock",)}, (0, 0)),
        ({"protections": ("bit_13",)}, (0, 0)),
    ],
)
def test_rule_gives_the_stated_limits(change, limits):
    assert RULE.limits_a(**(NORMAL | change)) == pytest.approx(limits)


def test_every_protection_stops_the_directions_it_concerns():
    for name in jbd_registers.PROTECTIONS:
        charge_a, discharge_a = RULE.limits_a(**(NORMAL | {"protections": (name,)}))
        assert 0.0 in {charge_a, discharge_a}, name
        if name.startswith("charge"):
            assert charge_a == 0.0
