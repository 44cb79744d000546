"""Findings: each limit, by the name of the element, and silence when all is well."""

import pytest
from feeder_injections import nameplate, street_load

from gridrig.grid import Feeder, Limits, Network, findings


def test_quiet_street_has_no_findings(feeder: Feeder) -> None:
    assert findings(feeder.solve(*street_load(14)), Limits()) == []


def test_full_sun_overloads_the_transformer_by_name(feeder: Feeder, network: Network) -> None:
    (finding,) = findings(feeder.solve(*nameplate(network)), Limits())
    assert finding.kind == "transformer_overload"
    assert finding.element == "MV1.101-LV1.101-Trafo 1"
    assert finding.value == pytest.approx(181.2, abs=0.1)
    assert finding.text() == "MV1.101-LV1.101-Trafo 1: transformer overload, 181.2 %, limit 100"


def test_voltage_and_line_findings_name_bus_and_line(feeder: Feeder, network: Network) -> None:
    limits = Limits(
        v_max_pu=1.02,
        v_min_pu=1.0063,
        line_loading_percent_max=53.0,
        transformer_loading_percent_max=200.0,
    )
    found = findings(feeder.solve(*nameplate(network)), limits)
    assert {(x.kind, x.element) for x in found} == {
        ("overvoltage", "LV1.101 Bus 1"),
        ("overvoltage", "LV1.101 Bus 5"),
        ("overvoltage", "LV1.101 Bus 6"),
        ("undervoltage", "LV1.101 Bus 4"),
        ("line_overload", "LV1.101 Line 10"),
    }


def test_dead_bus_is_one_finding_not_an_undervoltage_too(feeder: Feeder) -> None:
    feeder.open_pcc()
    found = findings(feeder.solve(*street_load(14)), Limits())
    assert [x.kind for x in found] == ["dead_bus"] * 14
    assert found[0].text() == "LV1.101 Bus 1: dead"
