"""The worked example of docs/writing_a_driver.md, installed and run as a stranger's package."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[1] / "docs" / "writing_a_driver.md"
FILES = ("lumen/wire.py", "lumen/driver.py", "lumen/emulator.py", "test_lumen.py")
EXAMPLE_TESTS = 15


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page's files out as an installed package would lie there."""
    folder = tmp_path_factory.mktemp("lumen")
    blocks = re.findall(r"^```\w+ (\S+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    files = dict(blocks)
    assert {*FILES, "pyproject.toml", "bench.toml"} == set(files)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    project = tomllib.loads(files["pyproject.toml"])["project"]
    about = folder / f"{project['name']}-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    (about / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
            for group, points in project["entry-points"].items()
        )
    )
    return folder


def run(package: Path, command: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / command, *words],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_examples_own_tests_pass(package: Path) -> None:
    done = run(package, "pytest", "-q", "-p", "no:cacheprovider", "test_lumen.py")
    assert f"{EXAMPLE_TESTS} passed" in done.stdout, done.stdout + done.stderr


def test_gridrig_finds_the_examples_driver_and_leaves_its_device_safe(package: Path) -> None:
    done = run(package, "gridrig", "check", "bench.toml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Lumen" in done.stdout
    assert "LX-0042" in done.stdout


def test_the_example_is_typed_and_in_the_projects_style(package: Path) -> None:
    typed = run(package, "mypy", "--strict", "-p", "lumen")
    assert typed.returncode == 0, typed.stdout
    rules = ("--config", str(PAGE.parents[1] / "pyproject.toml"), "--no-cache")
    # Beside their own tests, `gridrig` is a third party to these files.
    linted = run(package, "ruff", "check", *rules, "--ignore", "I001,D1", "lumen", "test_lumen.py")
    assert linted.returncode == 0, linted.stdout
