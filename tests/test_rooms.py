"""Who may import whom: the rooms of the package, from the ground up."""

import ast
from pathlib import Path

import gridrig

ROOT = Path(gridrig.__file__).parent
# A room may import from rooms with a lower number; rooms of one number never import each other.
LEVEL = {
    "errors": 0,
    "suggestions": 0,
    "_core": 0,
    "plugins": 1,
    "authority": 1,
    "computing": 1,
    "quantity": 1,
    "clock": 1,
    "durable_file": 1,
    "json_rpc": 1,
    "events": 1,
    "stop_signals": 1,
    "openadr": 2,
    "plant": 2,
    "devices": 2,
    "grid": 2,
    "market": 2,
    "metering": 2,
    "settlement": 2,
    "circuit": 3,
    "minds": 3,
    "rig": 3,
    "telemetry": 3,
    "campaign": 4,
    "bench": 5,
    "live": 5,
    "conformance": 5,
    "report": 5,
    "commands": 6,
    "promises": 6,
    "sweep": 7,
    "cli": 8,
}
KNOWN_FILES_MIN = 90


def rooms_imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module]
            if node.module == "gridrig":
                names = [f"gridrig.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("gridrig.")}
    return found


def test_no_room_imports_from_its_own_level_or_above():
    breaches, seen = [], 0
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).parts
        if parts[0] in ("hil", "rigs", "__init__.py"):
            continue
        room = parts[0].removesuffix(".py")
        seen += 1
        for other in rooms_imported(path) - {room}:
            if LEVEL[other] >= LEVEL[room]:
                breaches.append(f"{'/'.join(parts)} imports {other}")
    assert seen >= KNOWN_FILES_MIN, f"walked only {seen} files"
    assert breaches == []


def test_procedures_import_only_the_public_package():
    files = sorted((ROOT / "hil").rglob("test_*.py"))
    assert len(files) >= 3
    for path in files:
        assert rooms_imported(path) <= {"campaign", "devices", "errors", "promises"}, path
