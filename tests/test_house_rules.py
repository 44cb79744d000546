"""House rules a machine can check, each on the files of this tree, and never on none."""

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
CRATES = REPOSITORY / "crates"
PACKAGE = REPOSITORY / "python" / "gridrig"
CORE_CRATES = ("bench", "curves", "market", "metering", "plant", "quantity", "settlement")
# The physics and the measurements of speed are the two places where floats live.
FLOAT_CRATES = {"bench", "plant"}
# Signature kernels need intrinsics: one module there allows what the rest of the crate denies.
UNSAFE_DENIED = {"curves"}
NOT_OURS = {".git", ".venv", "target", "dist", "runs", "__pycache__", "build", "node_modules"}
CACHES = re.compile(r"\.\w+_cache|\.hypothesis|.*\.egg-info")
# Whoever reads the time or waits for it does so through the clock, or the loop it runs on.
WALL_TIME = {"time", "sched"}
READS_NOW = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}
FOLDERS_OF_NOTHING = {"utils", "util", "common", "helpers", "helper", "misc", "manager"}


def tree() -> Iterator[Path]:
    for folder, folders, files in os.walk(REPOSITORY):
        folders[:] = sorted(
            name for name in folders if name not in NOT_OURS and not CACHES.fullmatch(name)
        )
        yield from (Path(folder, name) for name in sorted(files))


def python_files() -> list[Path]:
    found = [*PACKAGE.rglob("*.py"), *(REPOSITORY / "hil").rglob("*.py")]
    assert len(found) >= 100, "the package is not where it was"
    return found


def rust_sources(*crates: str) -> list[Path]:
    found = [path for crate in crates for path in (CRATES / crate / "src").rglob("*.rs")]
    assert len(found) >= len(crates)
    return found


def without_comments(rust: str) -> str:
    return re.sub(r"//[^\n]*", "", rust)


def readings_of_the_wall_clock(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [a.name for a in names if a.name.split(".")[0] in WALL_TIME]
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in WALL_TIME:
                found.append(module)
            case (
                ast.Attribute(value=ast.Name(id=owner), attr=attr)
                | ast.Attribute(value=ast.Attribute(attr=owner), attr=attr)
            ) if (owner, attr) in READS_NOW:
                found.append(f"{owner}.{attr}")
    return found


def test_nothing_reads_the_time_or_sleeps_except_through_the_clock() -> None:
    assert readings_of_the_wall_clock("import time") == ["time"]
    assert readings_of_the_wall_clock("import datetime\ndatetime.datetime.now()") != []
    breaches = {
        str(path.relative_to(REPOSITORY)): found
        for path in python_files()
        if PACKAGE / "clock" not in path.parents
        and (found := readings_of_the_wall_clock(path.read_text(encoding="utf-8")))
    }
    assert breaches == {}


def test_only_the_boundary_crate_names_pyo3() -> None:
    manifests = sorted(CRATES.glob("*/Cargo.toml"))
    assert [path.parent.name for path in manifests] == sorted((*CORE_CRATES, "py"))
    users = [
        path.parent.name
        for path in manifests
        if "pyo3" in tomllib.loads(path.read_text()).get("dependencies", {})
    ]
    assert users == ["py"]
    for path in rust_sources(*CORE_CRATES):
        assert "pyo3" not in path.read_text(encoding="utf-8").lower(), path


def test_core_crates_forbid_unsafe_code_and_deny_what_is_undocumented() -> None:
    lints = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]["lints"]
    assert lints["rust"]["missing_docs"] == "deny"
    for crate in CORE_CRATES:
        level = "deny" if crate in UNSAFE_DENIED else "forbid"
        library = (CRATES / crate / "src" / "lib.rs").read_text()
        assert f"#![{level}(unsafe_code)]" in library, crate
    for path in sorted(CRATES.glob("*/Cargo.toml")):
        assert tomllib.loads(path.read_text())["lints"] == {"workspace": True}, path


def test_no_float_enters_the_crates_that_count() -> None:
    for path in rust_sources(*(set(CORE_CRATES) - FLOAT_CRATES)):
        assert not re.search(r"\bf(32|64)\b", without_comments(path.read_text())), path


def test_no_file_points_outside_the_tree() -> None:
    outside = re.compile(r"\.\./shared|(?<![\w.\-/])/(work|root|home)/")
    allowed = {Path("tests/test_house_rules.py")}
    seen = 0
    breaches = []
    for path in tree():
        relative = path.relative_to(REPOSITORY)
        if path.is_symlink():
            assert path.resolve().is_relative_to(REPOSITORY), relative
        elif relative not in allowed and path.suffix not in {".so", ".png"}:
            seen += 1
            if match := outside.search(path.read_text(encoding="utf-8", errors="replace")):
                breaches.append(f"{relative}: {match[0]}")
    assert seen >= 300
    assert breaches == []


def test_no_file_or_folder_is_named_after_nothing() -> None:
    named = [path.relative_to(REPOSITORY) for path in tree()]
    assert len(named) >= 300
    parts = {part.split(".")[0] for path in named for part in path.parts}
    assert parts & FOLDERS_OF_NOTHING == set()


def test_every_python_file_says_its_purpose_first() -> None:
    for path in python_files():
        text = path.read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text)), path
