"""The report shows how warm a room was beside its band, and what its pump told of it."""

from pathlib import Path

import numpy as np

from gridrig.campaign.evidence import RunDirectory
from gridrig.campaign.measurements import Outcome
from gridrig.campaign.records import RunRecord
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.report.html import build_report
from gridrig.report.plots_rooms import rooms
from gridrig.report.source import load_run

BANDED = ("room.pump-1.low_c", "room.pump-1.high_c")


def run_of(folder: Path, columns: dict[str, np.ndarray]) -> Path:
    run = RunDirectory(folder)
    run.add_run(RunRecord("Bench", 1, "virtual", "0.1.0", 0, 60, 60))
    t_s = np.arange(0.0, 600.0, 60.0)
    run.add_trace({"t_s": t_s, "dt_s": np.full(10, 60.0), **columns})
    run.add_verdicts(RunVerdicts("Bench", (), Outcome.PASS, ""))
    return folder


def test_a_room_is_drawn_with_its_band_and_said_by_its_ends(tmp_path: Path) -> None:
    warm = np.linspace(20.04, 21.06, 10)
    told = np.where(np.arange(10) == 4, np.nan, warm)
    columns = {"room.pump-1.c": warm, "room.pump-1.telemetry_c": told}
    columns |= {name: np.full(10, 20.0) for name in BANDED}
    page = build_report(run_of(tmp_path / "run", columns)).read_text()
    drawn = page[page.index('id="plot-rooms"') :]
    assert "Rooms: pump-1 from 20.0 to 21.1 deg C." in drawn
    assert "as it tells" in drawn
    assert drawn.count("stroke-dasharray") >= len(BANDED)


def test_a_run_without_rooms_draws_none(tmp_path: Path) -> None:
    assert rooms(load_run(run_of(tmp_path / "run", {}))) is None
