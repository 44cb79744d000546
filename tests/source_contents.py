"""Asserts that an unpacked source distribution holds, byte for byte, what the wheel was built from.

    python tests/source_contents.py FOLDER DEP_INFO

DEP_INFO is what Cargo wrote beside the native module: every file that its compilation read. That
and the package's own files make the wheel, so the same bytes need not be compiled a second time.
"""

import subprocess
import sys
from pathlib import Path

from wheel_contents import REPOSITORY, files_of_the_tree

RUST_FILES_MIN = 150


def rust_sources(dep_info: Path) -> set[str]:
    """Return what the compilation read, relative to the checkout."""
    _, _, listed = dep_info.read_text().partition(": ")
    paths = [Path(name) for name in listed.split()]
    found = {str(p.relative_to(REPOSITORY)) for p in paths if p.is_relative_to(REPOSITORY)}
    if len(found) < RUST_FILES_MIN:
        raise SystemExit(f"{dep_info}: {len(found)} files of this checkout, expected more")
    return found


def check(folder: Path, dep_info: Path) -> None:
    """Compare every file, and let Cargo read the manifests as they are in the folder."""
    names = rust_sources(dep_info) | {"Cargo.lock"}
    # In the checkout some folders of the package are links to the top level; here they are files.
    names |= {f"python/{name}" for name in files_of_the_tree()}
    for name in sorted(names):
        copy = folder / name
        if not copy.is_file():
            raise SystemExit(f"the source distribution lacks {name}")
        if copy.read_bytes() != (REPOSITORY / name).read_bytes():
            raise SystemExit(f"{name} in the source distribution is not that of the checkout")
    manifest = str(folder / "crates" / "py" / "Cargo.toml")
    command = ["cargo", "metadata", "--locked", "--format-version=1", "--manifest-path", manifest]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    print(f"the source distribution holds all {len(names)} files that make the wheel")


if __name__ == "__main__":
    check(Path(sys.argv[1]), Path(sys.argv[2]))
