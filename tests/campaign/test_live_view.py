"""The live page of a run, in a browser: what it shows, by keyboard, and that it only shows."""

import http.client
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Page, browser
from gridrig_process import begin, ended, events_of, verdicts_of, wait_for_line
from small_street import DEVICES, rig_file, scenario_file

from gridrig.grid.loading import load_network
from gridrig.live.diagram import lay_out

SECONDS = 300  # of the scenario: long enough to be looked at


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with browser(tmp_path) as tab:
        yield tab


def start(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """Begin a run with its page, and return the page's address."""
    scenario = scenario_file(folder, duration_s=SECONDS)
    arguments = ("run", scenario, "--rig", rig_file(folder), "--out", "run", "--live")
    process = begin(*arguments, cwd=folder)
    line = wait_for_line(process, "live view")
    return process, line.split()[-1]


def test_the_page_follows_a_run_and_is_used_by_keyboard_and_screen_reader(
    tmp_path: Path, page: Page
) -> None:
    process, address = start(tmp_path)
    page.open(address)
    page.wait_for("document.querySelectorAll('#device-table tbody tr').length")
    assert page.value("document.getElementById('title').textContent") == "A minute alone"
    assert page.value("!document.getElementById('emulated').hidden")
    rows = page.value(
        "[...document.querySelectorAll('#device-table tbody th')].map(x => x.textContent)"
    )
    assert rows == [name for name in DEVICES if not name.startswith("meter")]

    page.tab_to("#pause")
    page.press("Enter")
    assert page.value("document.getElementById('pause').getAttribute('aria-pressed')") == "true"
    page.press("Enter")
    page.tab_to("#diagram .node")
    first = page.wait_for("document.getElementById('bus').textContent")
    page.press("ArrowRight")
    second = page.value("document.getElementById('bus').textContent")
    assert first != second
    assert re.match(r".+: (\d\.\d{4} pu|outside the feeder|dead)", second), second

    told = page.accessible()
    roles = {role for role, _ in told}
    assert {"progressbar", "status", "log", "region", "heading", "button", "table"} <= roles
    buses = [name for role, name in told if role in ("image", "img", "graphics-symbol") and name]
    assert any(re.search(r"\d\.\d{4} pu", name) for name in buses), buses

    outcome = page.wait_for("document.querySelector('#verdict-body .outcome')?.textContent")
    done = ended(process)
    verdicts = verdicts_of(tmp_path / "run")
    assert outcome == verdicts["outcome"] == "PASS", done.stderr
    shown = page.value("document.querySelectorAll('#verdict-body tbody tr').length")
    assert shown == len(verdicts["criteria"])
    # The last period settles after the last tick: the picture that stays has it.
    ledger = page.value("document.querySelector('#ledger caption').textContent")
    assert ledger.startswith(f"Periods settled: {SECONDS // 60}."), ledger
    kinds = page.value("[...document.querySelectorAll('#events li')].map(x => x.textContent)")
    happened = [e["kind"].replace("_", " ") for e in events_of(tmp_path / "run") if e["t_s"] > 0]
    assert any(happened[-1] in text for text in kinds[:5])


def test_of_a_market_in_zones_the_page_shows_each_price_and_what_links_charge(
    tmp_path: Path, page: Page
) -> None:
    process = begin(
        "run", "promise-1-zones", "--rig", "region-50hz", "--out", "run", "--live", cwd=tmp_path
    )
    page.open(wait_for_line(process, "live view").split()[-1])
    page.wait_for("document.querySelector('#verdict-body .outcome')?.textContent")
    assert ended(process).returncode == 0
    (last, *_) = page.value(
        "[...document.querySelectorAll('#market tbody tr')].map(x => x.textContent)"
    )
    assert "hill 0.3200, valley 0.3200" in last
    assert "grid-hill 0.880 kWh at 0.0200, grid-valley 1.540 kWh at 0.0200" in last


def test_the_page_can_only_be_looked_at_and_only_from_this_machine(tmp_path: Path) -> None:
    process, address = start(tmp_path)
    host, port = address.removeprefix("http://").rstrip("/").split(":")

    def status(method: str, path: str, name: str) -> int:
        wire = http.client.HTTPConnection(host, int(port), timeout=10)
        wire.request(method, path, headers={"Host": f"{name}:{port}"})
        answer = wire.getresponse()
        policy = answer.getheader("Content-Security-Policy")
        assert answer.status != 200 or "default-src 'none'" in str(policy)
        wire.close()
        return answer.status

    assert status("GET", "/", "127.0.0.1") == 200
    assert status("GET", "/", "localhost") == 200
    assert status("GET", "/", "attacker.example") == 421
    assert status("GET", "/../rig.toml", "127.0.0.1") == 404
    assert status("POST", "/", "127.0.0.1") == 501

    # A port that is taken is told before anything of a second run is begun.
    arguments = ("run", "minute.toml", "--rig", "small-street.toml", "--out", "other", "--live")
    second = ended(begin(*arguments, port, cwd=tmp_path))
    assert second.returncode == 2
    assert f"127.0.0.1:{port}" in second.stderr
    assert not (tmp_path / "other").exists()
    process.kill()
    process.communicate()


def test_a_diagram_has_every_bus_once_and_no_two_in_one_place() -> None:
    network = load_network("cigre_lv")
    diagram = lay_out(network)
    assert set(diagram.places) == set(network.buses)
    assert len(set(diagram.places.values())) == len(network.buses)
    assert diagram.places[network.source.bus][0] == 0
