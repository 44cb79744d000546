"""A microgrid that is wired or described wrongly is an ERROR by name, never a verdict."""

from pathlib import Path

import pytest

from gridrig.campaign.builtin import PROCEDURES, RIGS
from gridrig.cli import main

RIG = (RIGS / "emulated-microgrid.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("channels = [7, 8, 9]", "channels = [10, 11, 12]", "campaign.channels: pv-1"),
        (
            '"load-critical", "load-1", "load-2"',
            '"load-1", "load-critical", "load-2"',
            "campaign.not_in_operation: load-critical gives -200",
        ),
        ('"pv-1", "load-critical"', '"load-critical", "pv-1"', "campaign.no_power: pv-1"),
    ],
)
def test_a_wrong_place_on_the_analyser_is_found_before_the_switch_opens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    assert RIG.count(old) == 1
    rig = tmp_path / "microgrid.toml"
    rig.write_text(RIG.replace(old, new), encoding="utf-8")
    shedding = ("-k", "shedding", "--rig", str(rig), "-v")
    assert main(["test", str(PROCEDURES / "islanding/test_intentional_balance.py"), *shedding]) == 4
    assert said in capsys.readouterr().out
