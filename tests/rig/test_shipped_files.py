"""The rigs and scenarios that come with gridrig are valid and keep what they promise."""

from pathlib import Path

import pytest
from offers import points, registry

from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.scenario import Scenario, load_scenario, units
from gridrig.campaign.scenario_fit import check_together
from gridrig.metering.ocmf_signing import OcmfSigner
from gridrig.rig.description import Rig, load_rig
from gridrig.rig.device import BmsLimits, InverterLimits
from gridrig.rig.enrolment import emulated_key_tables
from gridrig.rig.registry import Registry
from gridrig.rig.toml_file import read_toml

ROOT = Path(__file__).parents[2]
STREET = ROOT / "rigs" / "emulated-street.toml"
STORM = ROOT / "rigs" / "scenarios" / "sunny-then-storm.toml"
LAB = ROOT / "rigs" / "lab-example.toml"


@pytest.fixture(scope="module")
def street() -> Rig:
    return load_rig(STREET, registry())


@pytest.fixture(scope="module")
def storm() -> Scenario:
    return load_scenario(STORM)


def test_every_rig_that_comes_with_gridrig_is_valid() -> None:
    rigs = sorted((ROOT / "rigs").glob("*.toml"))

    assert {path.name for path in rigs} >= {"emulated-street.toml", "lab-example.toml"}
    for path in rigs:
        assert load_rig(path, registry()).devices


def test_every_scenario_that_comes_with_gridrig_is_valid() -> None:
    scenarios = sorted((ROOT / "rigs" / "scenarios").glob("*.toml"))

    assert "sunny-then-storm.toml" in {path.name for path in scenarios}
    for path in scenarios:
        assert load_scenario(path).criteria


def test_scenario_fits_the_street(street: Rig, storm: Scenario) -> None:
    assert check_together(street, storm, registry()) == ()


def test_criteria_of_the_scenario_are_measurements_of_the_catalogue() -> None:
    assert load_scenario(STORM, units(CATALOGUE)).criteria


def test_street_has_a_signed_meter_at_every_connection_point(street: Rig) -> None:
    measured = [meter.measures for meter in street.of("meter")]

    assert measured.count("head") == 1
    assert measured.count("load") == 13
    for device in street.of("inverter", "storage"):
        assert measured.count(device.name) == 1
    assert {key.meter for key in street.keys} == {meter.name for meter in street.of("meter")}


def test_street_has_the_wires_it_promises(street: Rig) -> None:
    kinds = [device.link.kind for device in street.of("inverter")]

    assert (kinds.count("modbus-tcp"), kinds.count("modbus-rtu")) == (7, 1)
    assert {d.driver: d.link.kind for d in street.of("bms")} == {
        "jbd": "serial",
        "pylontech": "serial",
    }


def test_enrolled_keys_are_those_the_emulated_meters_sign_with(street: Rig) -> None:
    for key in street.keys:
        face = street.device(key.meter).emulation.face  # type: ignore[union-attr]
        signer = OcmfSigner.from_seed(face.seed, key.meter, face.serial)

        assert signer.public_key_der == key.public_key
        assert face.serial == key.serial
    assert len({key.public_key for key in street.keys}) == 24


def test_keys_in_the_file_are_what_enrolment_prints() -> None:
    file = read_toml(STREET)
    tables = list(emulated_key_tables(file.table, "2016-01-01T00:00:00Z"))

    assert len(tables) == 24
    assert file.text.decode().endswith("\n".join(tables))


def test_sizes_fit_transformer_inverters_and_wires(street: Rig) -> None:
    pv_va = 0.0
    for device in street.of("inverter"):
        assert isinstance(device.limits, InverterLimits)
        pv_va += device.limits.s_va_max
    # 55 % is the most that the network's PV gives at once in June.
    assert 0.55 * pv_va < 160_000

    for storage in street.of("storage"):
        pack = street.device(str(storage.bms))
        assert isinstance(storage.limits, InverterLimits)
        assert isinstance(pack.limits, BmsLimits)
        settings = pack.emulation.plant  # type: ignore[union-attr]
        v_nominal_v = 3.2 * settings["cells"]
        assert storage.limits.p_w_max <= 1.05 * v_nominal_v * pack.limits.i_discharge_a_max
        assert pack.limits.i_discharge_a_max <= settings["discharge_a_max"]
        most_a, most_v = {"jbd": (327.67, 655.35), "pylontech": (3276.7, 65.535)}[pack.driver]
        assert settings["discharge_a_max"] < most_a
        assert 3.65 * settings["cells"] < most_v


def test_ticks_are_one_second_for_five_minutes_around_every_event(storm: Scenario) -> None:
    ticks = {tick.t_s: tick.dt_s for tick in storm.ticks()}

    assert storm.events
    for event in storm.events:
        begin, end = int(event.at_s) - 300, int(event.at_s) + 300
        assert all(ticks.get(float(t_s)) == 1.0 for t_s in range(begin, end)), event.name


def test_scenario_opens_twice_and_recloses_twice(storm: Scenario) -> None:
    switching = [event.do for event in storm.events if event.target == "pcc"]

    assert switching == ["open", "reclose", "open", "reclose"]
    assert storm.duration_s == 4 * 3600


def test_readings_that_must_be_refused_are_of_three_kinds(storm: Scenario) -> None:
    names = {fault.name for fault in storm.faults}

    assert names >= {"altered_reading", "forged_reading", "replayed_reading"}


def test_every_criterion_states_its_source(storm: Scenario) -> None:
    assert all(len(criterion.source) > 10 for criterion in storm.criteria)


def test_lab_example_leaves_nothing_to_emulate() -> None:
    lab = load_rig(LAB, registry())

    assert lab.clock == "wall"
    assert not any(device.emulated for device in lab.devices)
    assert lab.safe_order[0].do == "power-zero"


def test_installed_package_offers_what_it_declares() -> None:
    installed = Registry.installed()

    for point in points():
        assert point.name in installed.names(point.group)  # type: ignore[arg-type]
        assert installed.load(point.group, point.name) is point.load()  # type: ignore[arg-type]
