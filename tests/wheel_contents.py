"""Lists a built wheel and asserts what must be in it, and that nothing else is at its top.

python tests/wheel_contents.py WHEEL
"""

import sys
import zipfile
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
FOLDERS = (
    ("python/gridrig", ""),
    ("contracts", "contracts/"),
    ("hil", "hil/"),
    ("rigs", "rigs/"),
)
SINGLE = (
    "gridrig/__init__.py",
    "gridrig/_core.abi3.so",
    "gridrig/_core.pyi",
    "gridrig/contracts/artefacts/ClaimEscrow.json",
    "gridrig/contracts/src/ClaimEscrow.sol",
    "gridrig/devices/wire/sunspec_models.txt",
    "gridrig/hil/pytest.ini",
    "gridrig/py.typed",
    "gridrig/report/report.css",
    "gridrig/rigs/emulated-street.toml",
    "gridrig/rigs/scenarios/sunny-then-storm.toml",
)


def files_of_the_tree() -> set[str]:
    """Return what the wheel must carry: all of the package, contracts, procedures and rigs."""
    found: set[str] = set()
    for folder, inside in FOLDERS:
        root = REPOSITORY / folder
        for path in root.rglob("*"):
            name = path.relative_to(root)
            hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
            if path.is_file() and not hidden and path.suffix not in {".so", ".pyc"}:
                found.add(f"gridrig/{inside}{name.as_posix()}")
    return found


def check(wheel: Path) -> None:
    """Print what a wheel holds, or stop with what is wrong about it."""
    if not wheel.name.startswith("gridrig-") or "-cp311-abi3-" not in wheel.name:
        raise SystemExit(f"{wheel.name}: not one wheel for every CPython from 3.11")
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.split("/")[0] for name in names}
    about = {top for top in tops if top.endswith(".dist-info")}
    if tops - about != {"gridrig"} or len(about) != 1:
        raise SystemExit(f"{wheel.name}: at the top level {sorted(tops)}")
    inside = {name for name in names if name.startswith("gridrig/")}
    expected = files_of_the_tree() | set(SINGLE)
    if inside != expected:
        missing, surplus = sorted(expected - inside), sorted(inside - expected)
        raise SystemExit(f"{wheel.name}: missing {missing}, surplus {surplus}")
    folders = Counter(name.split("/")[1] if name.count("/") > 1 else "." for name in inside)
    counts = {
        "hil": (4, folders["hil"]),
        "rigs": (5, folders["rigs"]),
        "contracts": (9, folders["contracts"]),
        "all": (150, len(inside)),
    }
    for what, (least, found) in counts.items():
        if found < least:
            raise SystemExit(f"{wheel.name}: only {found} files of {what}, at least {least} known")
    said = ", ".join(f"{count} {name}" for name, count in sorted(folders.items()))
    print(f"{wheel.name}: {len(inside)} files, {wheel.stat().st_size / 1e6:.1f} MB ({said})")


if __name__ == "__main__":
    check(Path(sys.argv[1]))
