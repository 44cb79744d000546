"""`gridrig check` of a scenario with zones: every wrong zone, link, fee and name has its line."""

from pathlib import Path

import pytest
from two_prices import RIG, SCENARIO, wired

from gridrig.campaign.builtin import SCENARIOS
from gridrig.cli import main


def test_every_wrong_zone_link_and_fee_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {
        '"house-2", "shop"]': '"house-2", "roof-1"]',
        'between = ["hill", "valley"]': 'between = ["hill", "vally"]',
        "fee_micro_per_kwh = 10000": "fee_micro_per_kwh = 10500",
        'main_grid = "grid"': 'main_grid = "house-1"',
        'between = ["grid", "hill"]': 'between = ["hill", "hill"]',
    }
    found = SCENARIO.read_text()
    for old, new in wrong.items():
        assert old in found
        found = found.replace(old, new, 1)
    path = tmp_path / "wrong.toml"
    path.write_text(found)
    assert main(["check", str(RIG), "--scenario", str(path)]) == 2
    told = capsys.readouterr().err
    lines = found.splitlines()
    for written, issue in (
        (
            '"roof-1", "roof-2", "house-1"]',
            "zone 'hill'.participants[2]: found \"house-1\", the main",
        ),
        ('"house-2", "roof-1"]', 'found "roof-1", who is in "hill"'),
        ('"vally"]', "(did you mean 'valley'?)"),
        ("= 10500", "found 10500, expected a multiple of tick_micro_per_kwh = 1000"),
        ('["hill", "hill"]', 'found "hill" twice, expected two zones'),
        ('["grid", "valley"]', 'found "grid", expected one of "hill", "valley", "house-1"'),
    ):
        line = next(n for n, one in enumerate(lines, 1) if written in one)
        at = next(one for one in told.splitlines() if f"wrong.toml:{line}: " in one)
        assert issue in at
    assert "6 issues" in told


def test_a_main_grid_that_is_nowhere_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(wired("[]"))
    assert main(["check", str(RIG), "--scenario", str(path)]) == 2
    told = capsys.readouterr().err
    assert 'main_grid: found nothing, expected "grid", unless it is among the participants' in told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"house-2", "shop"]', '"house-2", "shp"]', '[1]: found "shp", expected a participant of'),
        ('"house-2", "shop"]', '"house-2"]', "participant 'shop'.zone: found nothing, expected"),
        ('main_grid = "grid"', "", 'between: found "grid", expected one of "hill", "valley"'),
        ('between = ["grid", "valley"]', 'financial = true\nbetween = ["grid", "valley"]',
         "financial: found true of a link with"),
        ('mechanism = "zonal"', 'mechanism = "pay-as-bid"', 'zones for "pay-as-bid", which clears'),
        ('mechanism = "zonal"', 'mechanism = "zonal"\nfeeder_check = true', "feeder_check: found"),
        ('mechanism = "zonal"', 'mechanism = "zonal"\npolicy = "p"\n', "segments of a policy and"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_zones_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    found = SCENARIO.read_text()
    assert old in found
    path = tmp_path / "wrong.toml"
    path.write_text(found.replace(old, new, 1))
    assert main(["check", str(RIG), "--scenario", str(path)]) == 2
    assert told in capsys.readouterr().err


def test_zonal_without_zones_is_told_before_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.toml"
    plain = (SCENARIOS / "promise-10-region-50hz.toml").read_text()
    path.write_text(plain.replace('"pay-as-clear"', '"zonal"'))
    assert main(["check", str(RIG), "--scenario", str(path)]) == 2
    assert 'found "zonal", without zones, expected a [market.network]' in capsys.readouterr().err
