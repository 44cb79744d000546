"""The example package of a stranger's driver, installed by pip and run as its README says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[1] / "examples" / "gridrig-acme-driver"
BIN = Path(sys.executable).parent
MUTANTS = 5


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install a copy of the package where nothing of this checkout is."""
    folder = tmp_path_factory.mktemp("acme")
    shutil.copytree(EXAMPLE, folder / "source")
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    done = subprocess.run(
        [
            sys.executable,
            *install,
            "--no-build-isolation",
            "--target",
            folder / "site",
            folder / "source",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def run(site: Path, command: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / command, *words],
        cwd=site.parent / "source",
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_own_tests_pass(site: Path) -> None:
    done = run(site, "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_check_finds_the_driver_and_leaves_every_device_safe(site: Path) -> None:
    done = run(site, "gridrig", "check", "acme-bench.toml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PC-0042" in done.stdout
    assert "3 devices in their safe state" in done.stdout


def test_its_procedure_passes_the_device_and_fails_every_mutant(site: Path) -> None:
    done = run(site, "gridrig", "test", "procedures", "--rig", "acme-bench.toml", "--mutants")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"mutants: {MUTANTS} of {MUTANTS} killed" in done.stdout


CASES = ("identity", "power.tracking", "safe.state", "fault.late_reply")


def certify(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    own = ("--rig", "acme-bench.toml", "--device", "cell-1", "--key", "lab.pem")
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (site.parent / "source" / "lab.pem").write_bytes(pem)
    (site.parent / "source" / "lab.pem").chmod(0o600)
    return run(site, "gridrig", "certify", "acme-powercell", *own, *words)


def test_it_passes_the_catalogue_as_far_as_it_is_tried(site: Path) -> None:
    only = [word for case in CASES for word in ("--only", case)]
    done = certify(site, "--out", "tried", *only)
    assert done.returncode == 3, done.stdout + done.stderr  # a part is no certificate
    assert f"{len(CASES)} of {len(CASES)} cases passed" in done.stdout


@pytest.mark.soak
def test_it_is_certified(site: Path) -> None:
    done = certify(site, "--out", "certified")
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_the_package_the_rig_names_the_driver_that_is_missing(site: Path) -> None:
    done = subprocess.run(
        [BIN / "gridrig", "check", "acme-bench.toml"],
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "acme-powercell" in done.stderr


def test_it_is_typed(site: Path) -> None:
    done = run(site, "mypy", "--strict", "-p", "gridrig_acme")
    assert done.returncode == 0, done.stdout
