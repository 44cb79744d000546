"""The HTML report: complete, self-contained, the same bytes every time, safe with hostile text."""

import base64
import hashlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from synthetic_run import INVERTERS, write_synthetic_run

from gridrig.campaign.evidence import RunDirectory
from gridrig.campaign.manifest import verify
from gridrig.campaign.measurements import Outcome
from gridrig.campaign.records import DeviceRecord, Opening, RunRecord
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.errors import CampaignError
from gridrig.report import build_report, write_junit
from gridrig.report.source import load_run

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
REFERRING = {"src", "href", "xlink:href", "srcset", "action", "data"}
VOID = {"meta", "link", "br", "img", "input", "hr"}


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    write_synthetic_run(path, hardware=True, trip_time_s=2.31, left_unsafe=True).close()
    build_report(path)
    return path


@pytest.fixture(scope="module")
def page(run_dir):
    return (run_dir / "report.html").read_text(encoding="utf-8")


class Outline(HTMLParser):
    """Collects what the tests ask about, and fails on tags that do not close."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.figures: list[dict[str, str]] = []
        self.sections: list[str] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in values:
            self.ids.append(values["id"])
        self.references += [value for key, value in attrs if key in REFERRING]
        if tag == "svg" and values.get("role") == "img":
            self.figures.append(values)
        if tag == "section":
            self.sections.append(values["id"])

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "script" in self.open:
            self.scripts.append(data)
        elif "style" not in self.open:
            self.text += data


def test_the_page_is_well_formed_and_says_what_it_must_in_order(page):
    outline = Outline(page)
    assert outline.sections[0] == "verdicts"
    assert outline.sections == [
        "verdicts", "findings", "islanding", "voltages", "power", "storage", "market", "money",
        "losses", "readings", "events", "devices", "verify",
    ]  # fmt: skip
    assert len(outline.ids) == len(set(outline.ids))


def test_every_plot_has_a_text_for_those_who_do_not_see_it(page):
    labels = [figure["aria-label"] for figure in Outline(page).figures]
    assert len(labels) == 9
    assert all(len(label) > 60 for label in labels)
    assert any("49.270 Hz after 0.261 s" in label for label in labels)


def test_the_page_loads_nothing_and_forbids_to(page):
    outline = Outline(page)
    assert all(reference.startswith("#") for reference in outline.references)
    assert {reference[1:] for reference in outline.references} <= set(outline.ids)
    assert "default-src 'none'" in page
    (script,) = outline.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\"" in page
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"@import|url\((?!#)", page)


def test_the_title_says_outcome_and_emulated(page, tmp_path):
    assert "<title>EMULATED · UNSAFE · Sunny afternoon, then storm</title>" in page
    assert "21 of 22 devices were emulated" in page
    run = RunDirectory(tmp_path / "bench")
    pv = DeviceRecord("pv", "inverter", "sunspec", "hardware")
    run.add_run(RunRecord("Bench", 1, "wall", "0.1.0", 0, 60, 60, devices=(pv,)))
    run.add_verdicts(RunVerdicts("Bench", (), Outcome.ABORTED, "SIGINT"))
    text = build_report(tmp_path / "bench").read_text()
    assert "<title>ABORTED · Bench</title>" in text
    assert "EMULATED" not in text
    assert "SIGINT" in text


def test_every_criterion_stands_with_value_limit_margin_uncertainty_and_source(page):
    row = re.search(r"<tr[^>]*><th[^>]*>trip_time_s.*?</tr>", page, re.DOTALL)[0]
    for part in ("FAIL", "2.31", "± 0.002", "≤ 2", "−0.31", ">s<", "IEEE 1547-2018 8.1"):
        assert part in row, part


def test_refused_readings_openings_and_unsafe_devices_are_named(page):
    text = Outline(page).text
    for part in (
        "318 of 320 signed readings", "metering.signature_false", "metering.replayed",
        "−21.40", "−71 %", "unreachable: timeout after 3 tries",
        "not left in its safe state: pv-11",
        "Adding up 288 entries again gives the same balances",
    ):  # fmt: skip
        assert part in text, part


def test_text_from_a_device_is_never_markup(page):
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "Fronius &lt;&amp;&gt;" in page
    assert r"T\xff" in page  # a byte that is no text is shown, and does not break the page


def test_the_same_files_give_the_same_bytes_in_another_process_and_place(run_dir, page, tmp_path):
    write_synthetic_run(
        tmp_path / "again", hardware=True, trip_time_s=2.31, left_unsafe=True
    ).close()
    # As in a run: pandapower changes Matplotlib when it is imported.
    code = (
        "import sys, pathlib, pandapower.plotting; from gridrig.report import build_report;"
        "build_report(pathlib.Path(sys.argv[1]))"
    )
    environment = {
        **os.environ, "PYTHONHASHSEED": "99", "TZ": "Pacific/Auckland", "MPLBACKEND": "pdf",
        "MPLCONFIGDIR": str(tmp_path), "COLUMNS": "40",
    }  # fmt: skip
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 9\nfont.size: 30\n")
    command = [sys.executable, "-c", code, str(tmp_path / "again")]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True)
    assert (tmp_path / "again/report.html").read_text(encoding="utf-8") == page


def test_the_page_stays_small(run_dir):
    assert (run_dir / "report.html").stat().st_size < 5_000_000


def test_a_long_run_with_many_buses_stays_below_five_megabytes(tmp_path):
    import numpy as np

    random = np.random.default_rng(1)
    time_s = np.arange(20_000.0)
    columns = {"t_s": time_s, "dt_s": np.ones(20_000)}
    for number in range(60):
        columns[f"bus.b{number}.v_pu"] = 1 + random.normal(0, 0.01, 20_000)
        columns[f"device.pv-{number}.p_w"] = random.normal(5_000, 900, 20_000)
    run = RunDirectory(tmp_path / "run")
    run.add_run(RunRecord("Long", 1, "virtual", "0.1.0", 0, 20_000, 900))
    run.add_trace(columns)
    assert build_report(tmp_path / "run").stat().st_size < 5_000_000


def test_a_run_that_broke_off_still_has_a_report(tmp_path):
    run = RunDirectory(tmp_path / "run")
    with pytest.raises(CampaignError, match="run_missing"):
        build_report(tmp_path / "run")
    run.add_run(RunRecord("Broken", 1, "virtual", "0.1.0", 0, 60, 60))
    text = build_report(tmp_path / "run").read_text()
    assert "the run wrote no verdicts" in text
    assert "<title>ERROR · Broken</title>" in text


def test_a_trace_full_of_gaps_still_makes_a_page(tmp_path):
    import math

    gap, run = [math.nan] * 3, RunDirectory(tmp_path / "run")
    devices = (DeviceRecord("s", "storage", "x", "emulated"),)
    opening = (Opening(1.0, -5.0, None, "no former"), Opening(2.0, 5.0, 0.0, ""))
    run.add_run(RunRecord("Gaps", 1, "virtual", "0.1.0", 0, 3, 3, devices=devices, opening=opening))
    run.add_trace({
        "t_s": [0.0, 1.0, 2.0], "bus.dead.v_pu": gap, "bus.a.v_pu": [1.0, 0.0, math.inf],
        "device.pv.p_w": [math.nan, 5.0, math.inf], "device.s.p_w": gap, "load.a.p_w": gap,
        "pack.s.soc": [math.nan, 0.5, math.nan], "pack.s.i_a": gap, "pack.s.charge_limit_a": gap,
        "feeder.head_p_w": gap, "feeder.trafo_loading_percent": gap, "grid.island": gap,
    })  # fmt: skip
    run.add_island({"t_s": [1.0, 2.0], "f_hz": [math.nan] * 2, "v_pu": [1, 1], "opening": [0, 1]})
    run.append_events([{"t_s": -1.0, "device": "s", "kind": "opened", "value": math.nan}])
    run.close()
    text = build_report(tmp_path / "run").read_text()
    assert "s from 50.0 % to 50.0 %" in text
    assert "no grid-former" in text


def test_a_damaged_file_is_named(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.add_run(RunRecord("Damaged", 1, "virtual", "0.1.0", 0, 60, 60))
    for name in ("trace.parquet", "events.jsonl", "verdicts.json", "trades.csv"):
        (tmp_path / "run" / name).write_bytes(b"{nonsense")
        with pytest.raises(CampaignError, match=re.escape(name)):
            load_run(tmp_path / "run")
        (tmp_path / "run" / name).unlink()


def test_a_signed_run_keeps_its_report_and_a_rebuilt_one_goes_elsewhere(tmp_path):
    path = tmp_path / "run"
    run = RunDirectory(path)
    run.add_run(RunRecord("Signed", 1, "virtual", "0.1.0", 0, 60, 60))
    build_report(path)
    write_junit(path)
    run.finish(KEY)
    assert build_report(path) == path / "report.html"  # the same bytes: nothing to write
    with pytest.raises(CampaignError, match="run_finished"):
        write_junit(path)
    assert build_report(path, tmp_path / "copy.html").read_bytes() == (
        (path / "report.html").read_bytes()
    )
    (path / "report.html").write_text("edited")
    with pytest.raises(CampaignError, match="run_finished"):
        build_report(path)
    assert [problem.file for problem in verify(path).problems] == ["report.html"]


def test_powers_in_the_trace_reach_the_plot(page):
    power = page[page.index('id="plot-power"') : page.index('id="plot-storage"')]
    assert all(name in power for name in INVERTERS)
    assert "transformer at most 47 %" in power


def test_islands_are_shaded_where_the_trace_says(run_dir: Path):
    assert load_run(run_dir).island_spans == ((6300.0, 9000.0), (10800.0, 13200.0))
