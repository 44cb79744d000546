"""The report draws what takes power under a heading of its own, not among the inverters."""

from pathlib import Path

import numpy as np
import pytest

from gridrig.campaign.evidence import RunDirectory
from gridrig.campaign.measurements import Outcome
from gridrig.campaign.records import DeviceRecord, RunRecord
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.report.html import build_report

ROOF = {"device.roof.p_w": np.full(10, 5000.0), "device.roof.available_w": np.full(10, 6000.0)}


def power_of(folder: Path, powers: dict[str, tuple[str, float]]) -> str:
    """Return the section of a report on a run of devices, by capability and power. [W]"""
    run = RunDirectory(folder)
    devices = [DeviceRecord("roof", "inverter", "x", "emulated")]
    devices += [DeviceRecord(n, kind, "x", "emulated") for n, (kind, _) in powers.items()]
    run.add_run(
        RunRecord("Bench", 1, "virtual", "0.1.0", 0, 60, 60, devices=tuple(devices)),
    )
    t_s = np.arange(0.0, 600.0, 60.0)
    trace = {"t_s": t_s, "dt_s": np.full(10, 60.0), **ROOF}
    trace |= {f"device.{name}.p_w": np.full(10, p_w) for name, (_, p_w) in powers.items()}
    run.add_trace(trace)
    run.add_verdicts(RunVerdicts("Bench", (), Outcome.PASS, ""))
    page = build_report(folder).read_text()
    return page[page.index('id="plot-power"') :]


@pytest.mark.parametrize(
    ("capability", "title"),
    [
        ("ev_charger", "Chargers"),
        ("heat_pump", "Heat pumps"),
        ("compute_node", "Computing nodes"),
    ],
)
def test_what_takes_has_its_own_heading_and_is_not_summed_with_inverters(
    tmp_path: Path, capability: str, title: str
) -> None:
    drawn = power_of(tmp_path / "run", {"a": (capability, -2000.0), "b": (capability, -1000.0)})
    said = f"Inverters together at most 5.0 kW; {title.lower()} together at most 3.0 kW taken."
    assert said in drawn
    assert f"{title}, \u2212 takes" in drawn
    assert "Inverters, dotted: available" in drawn


def test_without_them_there_is_no_such_heading(tmp_path: Path) -> None:
    drawn = power_of(tmp_path / "run", {})
    assert "Inverters together at most 5.0 kW." in drawn
    assert "takes" not in drawn
