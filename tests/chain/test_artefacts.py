"""The compiled contracts in the tree are what the pinned compiler makes of the sources."""

import subprocess
from pathlib import Path

from anvil import HERE, NPM, PRODUCT

SOURCES = HERE.parents[1] / "contracts" / "src"


def test_compiling_again_gives_the_same_bytes(tmp_path: Path) -> None:
    subprocess.run(
        ["node", NPM / "compile.js", tmp_path, SOURCES, HERE / "contracts"], check=True, timeout=60
    )
    kept = [PRODUCT, HERE / "contracts" / "artefacts"]
    committed = {path.name: path.read_bytes() for folder in kept for path in folder.iterdir()}
    assert len(committed) >= 8
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == committed
