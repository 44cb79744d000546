"""The catalogue's own mutation test: every wrong driver is refused, by the case that names it."""

import os
from pathlib import Path

import pytest
from bad_bench import GOOD, TABLE, Bad, install, tried

from gridrig.campaign.outcomes import Outcome
from gridrig.conformance.case import CaseResult

IN_CI = (
    "bad-wrongsign",
    "bad-swallowserrors",
    "bad-noreadback",
    "bad-writesagain",
    "bad-segfaults",
    "bad-leaksdescriptors",
    "bad-missingiscold",
)
Results = dict[tuple[str, str], CaseResult]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    install(folder)
    return folder


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes of drivers find the package where an installer would have put it."""
    there = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{there}" if there else str(site))


def survivors(chosen: list[Bad], results: Results) -> list[str]:
    """Return the wrong drivers that were not refused by what must refuse them."""
    found = []
    for bad in chosen:
        result = results[bad.name, bad.case]
        if result.outcome is not Outcome.FAIL or bad.limit not in result.broken:
            told = result.not_applicable or result.not_run or "; ".join(result.notes)
            found.append(f"{bad.name} {bad.case}: {result.outcome} by {result.broken}, {told}")
    return found


@pytest.mark.alone
def test_wrong_drivers_are_refused_by_the_case_that_names_them(
    installed: None, tmp_path: Path
) -> None:
    first = {bad.name: bad for bad in reversed(TABLE) if bad.name in IN_CI}
    assert set(first) == set(IN_CI)
    results = tried(((bad.name, bad.device, bad.case) for bad in first.values()), tmp_path)
    assert survivors(list(first.values()), results) == []


@pytest.mark.soak
def test_every_wrong_driver_is_refused(installed: None, tmp_path: Path) -> None:
    assert len({bad.name for bad in TABLE}) >= 40
    results = tried(((bad.name, bad.device, bad.case) for bad in TABLE), tmp_path)
    assert survivors(list(TABLE), results) == []


@pytest.mark.soak
def test_the_right_drivers_pass_what_the_wrong_ones_fail(tmp_path: Path) -> None:
    wanted = sorted({(GOOD[bad.device], bad.device, bad.case) for bad in TABLE})
    results = tried(wanted, tmp_path)
    wrong = {
        key: (result.broken, result.notes)
        for key, result in results.items()
        if result.outcome is not Outcome.PASS
    }
    assert len(results) == len(wanted) >= 25
    assert wrong == {}
