"""Fixtures that several tests of campaigns share."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from gridrig_process import begin
from outside_street import Outside
from small_street import DEVICES, rig_file


@pytest.fixture
def outside(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outside]:
    """Serve the small street, or the devices a test names; the run itself emulates the others."""
    served: Sequence[str] = getattr(request, "param", ())
    only = [word for name in served for word in ("--only", name)]
    rig = rig_file(tmp_path)
    process = begin("emulate", rig, "--write-rig", "outside.toml", *only, cwd=tmp_path)
    try:
        assert process.stdout is not None
        endpoints = []
        for line in process.stdout:
            if line == "ready\n":
                break
            endpoints.append(json.loads(line))
        assert [e["device"] for e in endpoints] == list(served or DEVICES)
        yield Outside(tmp_path, process)
    finally:
        process.kill()
        process.wait()
