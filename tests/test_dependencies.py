"""Dependencies: what manifests allow, the page says, is installed, and is pinned."""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs" / "dependencies.md"
PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
FORBIDDEN = re.compile(r"(?<!L)GPL|(?<!Lesser )General Public License|Affero", re.IGNORECASE)


def tables() -> dict[str, dict[str, str]]:
    """Return the page's tables: by heading, the range of each package."""
    found: dict[str, dict[str, str]] = {}
    for part in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        heading, _, body = part.partition("\n")
        rows = re.findall(
            r"^\| ([\w.-]+) \| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", body, re.MULTILINE
        )
        assert len(rows) == len(dict((row[0], row) for row in rows)), f"{heading}: a package twice"
        found[heading] = {name: allowed for name, allowed, _, _ in rows}
    return found


def ranges(requirements: Iterable[str]) -> dict[str, str]:
    found = {}
    for text in requirements:
        name = re.match(r"[\w.-]+", text)
        assert name is not None, text
        found[name[0]] = text[name.end() :].strip()
    return found


def crates(kind: str) -> dict[str, str]:
    """Return the range of each crate that is not our own, over all our manifests."""
    shared = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]["dependencies"]
    manifests = sorted((REPOSITORY / "crates").glob("*/Cargo.toml"))
    assert len(manifests) >= 6
    found: dict[str, str] = {}
    for path in manifests:
        for name, wanted in tomllib.loads(path.read_text()).get(kind, {}).items():
            entry = shared[name] if isinstance(wanted, dict) and "workspace" in wanted else wanted
            if isinstance(entry, dict) and "path" in entry:
                continue
            allowed = entry if isinstance(entry, str) else entry["version"]
            assert found.setdefault(name, allowed) == allowed, f"{name} has two ranges"
    return found


def pinned(extra: str) -> dict[str, str]:
    """Return the pins of the tests' installation, or of the extra that stands after them."""
    text = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8")
    tests, _, bench = text.partition("# pip install .[bench]\n")
    lines = {"test": tests, "bench": bench}[extra].splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!]+", line) for line in pins), "not an exact version"
    return {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in pins}


def installed() -> set[str]:
    """Return every package that gridrig and its tests need here, direct and transitive."""
    wanted = {Requirement(text) for text in PROJECT["project"]["dependencies"]}
    for extra in ("chain", "dask", "weather", "test"):
        wanted |= {Requirement(text) for text in PROJECT["project"]["optional-dependencies"][extra]}
    done: set[str] = set()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        if name in done:
            continue
        done.add(name)
        for text in distribution(name).requires or ():
            other = Requirement(text)
            if other.marker is None or other.marker.evaluate({"extra": ""}):
                wanted.add(other)
    return done


def licence(name: str) -> str:
    """Return what a package says of its licence in a word; a full text counts by its first line."""
    about = distribution(name).metadata
    short = (about.get("License") or "").strip().splitlines()[:1]
    classed = [c for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    said = " / ".join(filter(None, [about.get("License-Expression"), *short, *classed]))
    return said or _licence_file(name)


def _licence_file(name: str) -> str:
    """Return how the licence text begins that a package carries, for one that says nothing else."""
    texts = [f for f in distribution(name).files or () if "licenses" in f.parts]
    return " ".join(texts[0].read_text().split())[:80] if texts else ""


def test_the_page_lists_every_direct_dependency_with_its_range() -> None:
    project = PROJECT["project"]
    assert tables() == {
        "Python, run time": ranges(project["dependencies"]),
        "Python, extra `chain`": ranges(project["optional-dependencies"]["chain"]),
        "Python, extra `dask`": ranges(project["optional-dependencies"]["dask"]),
        "Python, extra `openadr`": ranges(project["optional-dependencies"]["openadr"]),
        "Python, extra `weather`": ranges(project["optional-dependencies"]["weather"]),
        "Python, tests only": ranges(project["optional-dependencies"]["test"]),
        "Python, benchmark only": ranges(project["optional-dependencies"]["bench"]),
        "Python, build": ranges(PROJECT["build-system"]["requires"]),
        "Rust, run time": crates("dependencies"),
        "Rust, tests only": crates("dev-dependencies"),
        "Beside packages": {},
    }


def test_everything_installed_is_pinned_and_nothing_else_is() -> None:
    needed = installed()
    assert len(needed) >= 50
    pins = pinned("test")
    assert set(pins) == needed
    assert {name: distribution(name).version for name in needed} == pins


def test_every_peer_of_the_benchmark_is_pinned() -> None:
    wanted = ranges(PROJECT["project"]["optional-dependencies"]["bench"])
    assert wanted
    pins = pinned("bench")
    for name, allowed in wanted.items():
        assert Requirement(f"{name}{allowed}").specifier.contains(pins[canonicalize_name(name)])


def test_nothing_installed_is_under_the_gpl() -> None:
    assert FORBIDDEN.search("GPL-3.0-or-later")
    assert FORBIDDEN.search("GNU General Public License v3 (GPLv3)")
    assert not FORBIDDEN.search("MPL-2.0")
    assert not FORBIDDEN.search("LGPL-2.1")
    told = {name: licence(name) for name in installed()}
    assert [name for name, text in told.items() if not text] == []
    # Of docutils one file alone is under the GPL, a mode for Emacs, which is not installed.
    files = distribution("docutils").files or []
    assert files
    assert [path for path in files if path.suffix == ".el"] == []
    del told["docutils"]
    assert {name: text for name, text in told.items() if FORBIDDEN.search(text)} == {}


def imported_packages(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


def test_every_package_imported_is_a_declared_dependency_and_none_is_unused() -> None:
    # Names under which a package is imported, where they differ from its own.
    names = {
        **{"dss": "dss-python", "serial": "pyserial"},
        **{"tomli_w": "tomli-w", "Crypto": "pycryptodome"},
    }
    package = REPOSITORY / "python" / "gridrig"
    imported = set().union(*map(imported_packages, package.rglob("*.py")))
    third_party = imported - set(sys.stdlib_module_names) - {"gridrig", "_typeshed"}
    # pandapower imports lightsim2grid by itself when its option is set.
    expected = {names.get(name, name) for name in third_party} | {"lightsim2grid"}
    extras = PROJECT["project"]["optional-dependencies"]
    extra = [*extras["chain"], *extras["dask"], *extras["openadr"], *extras["weather"]]
    assert set(ranges([*PROJECT["project"]["dependencies"], *extra])) == expected


@pytest.mark.parametrize(("room", "least"), [("chain", 3), ("devices", 1)])
def test_npm_packages_of_the_tests_are_exact_locked_and_told_of(room: str, least: int) -> None:
    folder = REPOSITORY / "tests" / room / "npm"
    direct = json.loads((folder / "package.json").read_text())["dependencies"]
    locked = json.loads((folder / "package-lock.json").read_text())["packages"]
    del locked[""]
    assert len(locked) >= len(direct) >= least
    for name, version in direct.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert locked[f"node_modules/{name}"]["version"] == version
        assert f"`{name}` {version}" in PAGE.read_text(encoding="utf-8"), name
    assert {n: p for n, p in locked.items() if "integrity" not in p or "resolved" in p} == {}
    told = {name: package.get("license", "") for name, package in locked.items()}
    # It says MIT in the plural field of old manifests, which lock files do not carry over.
    assert told.pop("node_modules/memorystream", "") == ""
    assert {name: text for name, text in told.items() if FORBIDDEN.search(text) or not text} == {}
