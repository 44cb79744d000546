"""A rig that is written elsewhere still leads to its own files."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.emulation import outside_rig
from gridrig.campaign.rig_grid import load_grid
from gridrig.quantity import DAY_S
from gridrig.rig.description import load_rig
from gridrig.rig.named_files import lead_from_anywhere

SUMMER_UTC_S = 1_466_380_800  # 2016-06-20

# simbench is a name of its own; these have files beside them.
WITH_FILES = ("emulated-heated-home", "emulated-home", "emulated-compute-node", "two-tariff-home")


@pytest.mark.parametrize("name", WITH_FILES)
def test_a_rig_for_outside_loads_its_network_from_another_folder(name: str, tmp_path: Path) -> None:
    path = tmp_path / "outside.toml"
    path.write_text(outside_rig(load_rig(RIGS / f"{name}.toml"), []))
    written, described = load_rig(path), load_rig(RIGS / f"{name}.toml")
    there = load_grid(written, SUMMER_UTC_S, DAY_S).network
    assert there.buses == load_grid(described, SUMMER_UTC_S, DAY_S).network.buses


def test_every_kind_of_file_is_named_from_the_root_and_nothing_else_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = tmp_path / "bench"
    bench.mkdir()
    for name in ("feeder.dss", "profiles.csv"):
        (bench / name).touch()
    keys = {"cafile": "ca.pem", "certfile": "cert.pem", "keyfile": "/etc/key.pem"}
    faces = {"tls_cafile": "ca.pem", "tls_certfile": "cert.pem", "tls_keyfile": ""}
    table: dict[str, Any] = {
        "rig": {"name": "bench"},
        "feeder": {
            "engine": "opendss",
            "network": "feeder.dss",
            "profiles": "profiles.csv",
            "weather": {"file": "sun.csv"},
        },
        "aggregator": {"openadr": dict(keys)},
        "device": [{"link": {"host": "a", **keys}, "emulate": dict(faces)}, {"link": {"port": 1}}],
    }
    monkeypatch.chdir(tmp_path)
    lead_from_anywhere(table, "bench/rig.toml")
    led = {"cafile": f"{bench}/ca.pem", "certfile": f"{bench}/cert.pem", "keyfile": "/etc/key.pem"}
    assert table == {
        "rig": {"name": "bench"},
        "feeder": {
            "engine": "opendss",
            "network": f"{bench}/feeder.dss",
            "profiles": f"{bench}/profiles.csv",
            "weather": {"file": f"{bench}/sun.csv"},
        },
        "aggregator": {"openadr": led},
        "device": [
            {
                "link": {"host": "a", **led},
                "emulate": {
                    "tls_cafile": f"{bench}/ca.pem",
                    "tls_certfile": f"{bench}/cert.pem",
                    "tls_keyfile": "",
                },
            },
            {"link": {"port": 1}},
        ],
    }


@pytest.mark.parametrize(
    "feeder",
    [
        {"network": "simbench:1-LV-rural1--2-no_sw"},
        {"network": "pandapower:cigre_network_lv"},
        {"network": "feeder.dss", "profiles": "shapes"},
        {"network": "feeder.dss", "profiles": "simbench"},
    ],
)
def test_what_names_no_file_stays_as_it_is(feeder: dict[str, str], tmp_path: Path) -> None:
    table = tomllib.loads("") | {"feeder": dict(feeder)}
    lead_from_anywhere(table, str(tmp_path / "rig.toml"))
    assert table["feeder"] == feeder


def test_certificates_of_a_served_device_are_named_from_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    described = load_rig(RIGS / "one-inverter.toml")
    (name,) = [device.name for device in described.devices if device.capability == "inverter"]
    meters = [device.name for device in described.devices if device.capability == "meter"]
    endpoints: list[dict[str, str | int]] = [
        {"device": name, "kind": "modbus-tls", "cafile": "bench/ca.pem", "certfile": ""},
        *({"device": meter, "kind": "modbus-tcp"} for meter in meters),
    ]
    table = tomllib.loads(outside_rig(described, endpoints))
    (link,) = [device["link"] for device in table["device"] if device["name"] == name]
    assert link == {"kind": "modbus-tls", "cafile": f"{tmp_path}/bench/ca.pem", "certfile": ""}
