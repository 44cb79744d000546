"""Certificates: signed, checked offline, in force for a time, taken back, renewed by parts."""

import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gridrig.cli import main
from gridrig.conformance.signed_document import CERTIFICATE, REVOCATIONS, write_document

NOW = datetime.fromisoformat("2026-06-01T12:00:00+00:00")
DRIVER = """\
'''A vendor's driver.'''

from gridrig.devices.drivers.sunspec import SunSpecInverter


class Vendor(SunSpecInverter):
    '''One inverter.'''

    async def read(self):
        return await super().read()

    async def set_limit_w(self, p_w):
        await super().set_limit_w(p_w)

    async def set_connect(self, on):
        await super().set_connect(on)
"""
CASES = ("identity", "limit.tracking", "connect")


def day(days: float) -> str:
    return (NOW + timedelta(days=days)).isoformat()


class Lab:
    """A lab's key, and its files."""

    def __init__(self, folder: Path, name: str) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.private, self.public = folder / f"{name}.pem", folder / f"{name}.pub"
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.private.write_bytes(pem)
        self.private.chmod(0o600)
        self.public.write_bytes(
            self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )


def body(**values: Any) -> dict[str, Any]:
    case = {"id": "identity", "version": 1, "outcome": "PASS"}
    said = {
        "id": "c0ffee",
        "result": "certified",
        "driver": {"name": "d", "package": "p", "version": "1", "sha256": "00"},
        "device": {"name": "x", "capability": "inverter", "emulated": True, "model": "m"},
        "catalogue": {"version": "1.0", "digest": "0"},
        "evidence": {"root": "00"},
        "issued": day(0),
        "expires": day(365),
        "cases": [case],
    }
    return {**said, **values}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path, "lab")


@pytest.fixture
def issued(tmp_path: Path, lab: Lab) -> Path:
    write_document(tmp_path / "c.json", CERTIFICATE, body(), lab.key)
    return tmp_path / "c.json"


@pytest.fixture
def judged(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict[str, Any]]]:
    def judge(path: Path, *words: object) -> tuple[int, dict[str, Any]]:
        code = main(["verify", str(path), "--json", *map(str, words)])
        return code, json.loads(capsys.readouterr().out)

    return judge


def test_certificate_of_a_trusted_lab_is_valid(issued: Path, lab: Lab, judged) -> None:
    code, found = judged(issued, "--trust", lab.public, "--at", day(1))
    assert (code, found["trusted"], found["problems"]) == (0, True, [])
    assert found["remarks"] == [
        "revocation not checked: no list given",
        "evidence not checked: no directory given",
    ]


def test_certificate_of_a_stranger_is_not(issued: Path, tmp_path: Path, judged) -> None:
    code, found = judged(issued, "--trust", Lab(tmp_path, "other").public, "--at", day(1))
    assert (code, found["trusted"]) == (1, False)


def test_without_a_trusted_key_it_proves_nothing(issued: Path, judged) -> None:
    code, found = judged(issued, "--at", day(1))
    assert code == 3
    assert "proves nothing" in found["summary"]


@pytest.mark.parametrize(
    ("at", "code"), [(day(-0.01), 1), (day(0), 0), (day(364.99), 0), (day(365), 1)]
)
def test_certificate_counts_from_its_issue_until_it_expires(
    issued: Path, lab: Lab, judged, at: str, code: int
) -> None:
    assert judged(issued, "--trust", lab.public, "--at", at)[0] == code


def test_no_byte_of_it_can_change_unnoticed(issued: Path, lab: Lab, judged) -> None:
    genuine = issued.read_bytes()
    changed = 0
    for place in range(0, len(genuine), 19):
        spoiled = bytearray(genuine)
        spoiled[place] ^= 1
        issued.write_bytes(spoiled)
        try:
            code, _ = judged(issued, "--trust", lab.public, "--at", day(1))
        except (json.JSONDecodeError, UnicodeDecodeError):
            code = 2  # no certificate any more, so another command read it and refused
        assert code != 0, place
        changed += 1
    assert changed > 40


@pytest.mark.parametrize(
    "values",
    [
        {"result": "refused"},
        {"result": "partial"},
        {"cases": [{"id": "identity", "version": 1, "outcome": "FAIL"}]},
        {"cases": [{"id": "identity", "version": 1, "outcome": None}]},
        {"cases": []},
    ],
)
def test_only_a_certified_driver_is_valid(
    tmp_path: Path, lab: Lab, judged, values: dict[str, Any]
) -> None:
    write_document(tmp_path / "c.json", CERTIFICATE, body(**values), lab.key)
    assert judged(tmp_path / "c.json", "--trust", lab.public, "--at", day(1))[0] == 1


def test_revoked_certificate_is_not_valid(issued: Path, lab: Lab, tmp_path: Path, capsys) -> None:
    listed = tmp_path / "revoked.json"
    own = ["--list", str(listed), "--key", str(lab.private)]
    check = ["verify", str(issued), "--trust", str(lab.public), "--revoked", str(listed), "--json"]
    assert main(["revoke", *own]) == 0
    capsys.readouterr()
    at = json.loads(listed.read_text())["body"]["issued"]
    write_document(
        issued, CERTIFICATE, body(issued=at, expires="2100-01-01T00:00:00+00:00"), lab.key
    )
    assert main(check) == 0
    assert json.loads(capsys.readouterr().out)["remarks"] == [
        "evidence not checked: no directory given"
    ]
    assert main(["revoke", str(issued), *own, "--reason", "firmware withdrawn"]) == 0
    capsys.readouterr()
    assert main(check) == 1
    assert "firmware withdrawn" in json.loads(capsys.readouterr().out)["problems"][0]
    assert json.loads(listed.read_text())["body"]["number"] == 2
    assert main(["revoke", str(issued), *own, "--reason", "again"]) == 2
    assert "already" in capsys.readouterr().err


def test_only_the_issuer_revokes(issued: Path, lab: Lab, tmp_path: Path, capsys) -> None:
    other = Lab(tmp_path, "other")
    words = ["--list", str(tmp_path / "l.json"), "--key", str(other.private), "--reason", "envy"]
    assert main(["revoke", str(issued), *words]) == 2
    assert "only the issuer revokes" in capsys.readouterr().err
    assert not (tmp_path / "l.json").exists()


def test_list_of_another_and_list_out_of_date_are_not_believed(
    issued: Path, lab: Lab, tmp_path: Path, judged
) -> None:
    listed = tmp_path / "l.json"
    content = {"number": 1, "issued": day(0), "next_due": day(30), "revoked": []}
    words = ("--trust", lab.public, "--revoked", listed)
    write_document(listed, REVOCATIONS, content, lab.key)
    assert judged(issued, *words, "--at", day(29))[0] == 0
    assert judged(issued, *words, "--at", day(30))[0] == 1
    write_document(listed, REVOCATIONS, content, Lab(tmp_path, "other").key)
    code, found = judged(issued, *words, "--at", day(29))
    assert code == 1
    assert "not of the issuer" in found["problems"][0]


def install(site: Path, source: str) -> None:
    (site / "vendor").mkdir(parents=True, exist_ok=True)
    (site / "vendor" / "__init__.py").write_text("'''A vendor.'''\n")
    (site / "vendor" / "driver.py").write_text(source)
    info = site / "vendor-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vendor\nVersion: 1.0\n")
    points = "[gridrig.drivers]\nvendor = vendor.driver:Vendor\nexits = vendor.exits:Nobody\n"
    (info / "entry_points.txt").write_text(points)
    (site / "vendor" / "exits.py").write_text("import os\n\nos._exit(9)\n")


def certify(lab: Lab, out: Path, *words: object) -> dict[str, Any]:
    """Run the representative cases and return what the certificate says."""
    only = [word for case in CASES for word in ("--only", case)]
    own = ("--rig", "driver-bench", "--device", "pv-tcp", "--key", lab.private, "--out", out)
    # Only a part of the catalogue was run.
    assert main(list(map(str, ("certify", "vendor", *own, *only, *words)))) == 3
    found: dict[str, Any] = json.loads((out / "certificate.json").read_text())["body"]
    assert [entry["outcome"] for entry in found["cases"]] == ["PASS"] * len(CASES), found["cases"]
    assert b"EMULATED" in (out / "certificate.html").read_bytes()
    return found


def run_again(found: dict[str, Any]) -> dict[str, str]:
    return {entry["id"]: entry["because"] for entry in found["cases"] if not entry["carried_from"]}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of installed packages, for the referee and for the driver's process."""
    found = tmp_path / "site"
    install(found, DRIVER)
    monkeypatch.syspath_prepend(str(found))
    there = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", f"{found}{os.pathsep}{there}" if there else str(found))
    return found


@pytest.mark.alone
def test_after_a_change_only_what_ran_the_changed_code_is_run_again(
    site: Path, tmp_path: Path, lab: Lab, capsys
) -> None:
    first = certify(lab, tmp_path / "c1")
    assert run_again(first) == dict.fromkeys(CASES, "first certification")
    assert (first["result"], first["driver"]["package"]) == ("partial", "vendor")

    install(
        site, DRIVER.replace("set_limit_w(p_w)\n", "set_limit_w(p_w)\n        await self.read()\n")
    )
    second = certify(lab, tmp_path / "c2", "--since", tmp_path / "c1")
    again = run_again(second)
    assert set(again) == {"identity", "limit.tracking"}
    changed = "driver: Vendor.set_limit_w of vendor/driver.py changed"
    assert again["limit.tracking"] == changed
    carried = {entry["id"]: entry["carried_from"] for entry in second["cases"]}
    assert second["driver"]["sha256"] != first["driver"]["sha256"]
    assert carried["connect"] == second["supersedes"] == first["id"]

    evidence = tmp_path / "c2" / "evidence"
    check = ["verify", str(evidence), "--trust", str(lab.public)]
    assert main(check) == 0
    file = evidence / "dependencies.json"
    file.write_bytes(file.read_bytes() + b"\n")
    assert main(check) == 1
    capsys.readouterr()
    words = ("--rig", "driver-bench", "--device", "pv-tcp", "--key", lab.private)
    since = ("--out", tmp_path / "c3", "--since", tmp_path / "c2")
    assert main(list(map(str, ("certify", "vendor", *words, *since)))) == 2
    assert "cannot be built on" in capsys.readouterr().err


def test_driver_that_ends_the_process_that_imports_it_does_not_end_ours(
    site: Path, tmp_path: Path, lab: Lab, capsys
) -> None:
    words = ("--rig", "driver-bench", "--device", "pv-tcp", "--key", lab.private)
    assert main(list(map(str, ("certify", "exits", *words, "--out", tmp_path / "c")))) == 2
    assert "exits: load: the process ended, exit code 9" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()
