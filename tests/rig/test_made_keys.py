"""Keys of secured wires: made for a run where a rig names none, and demanded of real devices."""

import tomllib
from pathlib import Path

import pytest
import tomli_w

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.lab import Lab, open_lab
from gridrig.cli import main
from gridrig.clock import Clock, run_virtual
from gridrig.devices.links import ModbusTlsLink
from gridrig.errors import RigError
from gridrig.rig.description import load_rig

SECURED = RIGS / "secured-inverter.toml"
START_UTC_S = 1_466_424_000
FILES = {"cafile": "a.crt", "certfile": "b.crt", "keyfile": "b.key"}
OF_FACE = {f"tls_{key}": file for key, file in FILES.items()}


def on_bench(act, path: Path = SECURED):
    async def main(clock: Clock):
        async with open_lab(load_rig(path), clock, [], []) as lab:
            return await act(lab)

    return run_virtual(main, start_utc_s=START_UTC_S)


def issues_of(tmp_path: Path, link: dict[str, str], emulate: dict[str, str] | None) -> list[str]:
    table = tomllib.loads(SECURED.read_text())
    inverter = table["device"][0]
    inverter["link"] |= link
    if emulate is None:
        del inverter["emulate"]
        inverter["terminal"] = {"grid": True, "analyser": "meter-1"}
        inverter["link"]["port"] = 802
        table["rig"]["clock"] = "wall"
    else:
        inverter["emulate"] |= emulate
    path = tmp_path / "rig.toml"
    path.write_text(tomli_w.dumps(table))
    with pytest.raises(RigError) as caught:
        load_rig(path)
    return [f"{issue.key}: {issue.found}" for issue in caught.value.issues]


def test_keys_exist_while_the_bench_is_open_and_no_longer() -> None:
    async def act(lab: Lab) -> tuple[ModbusTlsLink, list[str]]:
        link = lab.bench.link_of("pv-1")
        files = (link.cafile, link.certfile, link.keyfile)
        assert all(Path(file).exists() for file in files)
        assert (await lab.driver("pv-1").read()).connected is not None
        endpoint = lab.bench.emulators["pv-1"].endpoint
        assert (endpoint["cafile"], endpoint["certfile"], endpoint["keyfile"]) == files
        return link, Path(link.certfile).read_text()

    first, certificate = on_bench(act)
    assert not Path(first.certfile).parent.exists()
    assert first.role == "GridServiceSunSpec"
    assert on_bench(act)[1] != certificate, "keys are those of one run"


def test_keys_of_the_command_open_a_bench_and_are_never_made_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["modbus-keys", str(tmp_path / "pki"), "--host", "127.0.0.1", "--days", "2"]
    assert main(command) == 0
    assert str(tmp_path / "pki" / "GridServiceSunSpec.crt") in capsys.readouterr().out
    table = tomllib.loads(SECURED.read_text())
    for place, prefix, file in (
        (table["device"][0]["link"], "", "GridServiceSunSpec"),
        (table["device"][0]["emulate"], "tls_", "device"),
    ):
        files = {"cafile": "ca.crt", "certfile": f"{file}.crt", "keyfile": f"{file}.key"}
        place |= {f"{prefix}{key}": f"pki/{name}" for key, name in files.items()}
    path = tmp_path / "rig.toml"
    path.write_text(tomli_w.dumps(table))

    async def act(lab: Lab) -> str:
        return str((await lab.driver("pv-1").read()).state)

    assert on_bench(act, path) != ""
    assert main(command) == 2
    assert "has GridServiceSunSpec.crt already" in capsys.readouterr().err


def test_a_real_device_brings_its_own(tmp_path: Path) -> None:
    found = issues_of(tmp_path, {}, None)
    assert found[:3] == [f"device 'pv-1'.link.{key}: nothing" for key in FILES]


def test_files_are_named_whole_and_on_both_ends(tmp_path: Path) -> None:
    place = "device 'pv-1'"
    assert issues_of(tmp_path, {"cafile": "a.crt"}, OF_FACE) == [
        f"{place}.link.certfile: nothing",
        f"{place}.link.keyfile: nothing",
    ]
    assert issues_of(tmp_path, FILES, {}) == [f"{place}.emulate.{key}: nothing" for key in OF_FACE]
    assert issues_of(tmp_path, {}, OF_FACE) == [
        f"{place}.emulate.{key}: a file, where the link names none" for key in OF_FACE
    ]


def test_a_device_that_speaks_no_tls_is_named(tmp_path: Path) -> None:
    table = tomllib.loads(SECURED.read_text())
    table["device"][0]["emulate"] |= {"emulator": "jbd"}
    path = tmp_path / "rig.toml"
    path.write_text(tomli_w.dumps(table))
    with pytest.raises(RigError) as caught:
        load_rig(path)
    expected = [issue.expected for issue in caught.value.issues]
    assert "a wire that this emulator speaks" in expected
