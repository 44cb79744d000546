"""What `gridrig test` says at the end: what it took, and which criteria no mutant needs."""

import re
from pathlib import Path

import pytest

from gridrig.cli import main

PROCEDURE = """
from gridrig.campaign.procedures import Criterion, Mutant, procedure

@procedure(
    claim="a claim", clause="a clause", hazards="none", rig="one-inverter",
    needs=("inverter", "meter"),
    criteria=(
        Criterion("power_w", "W", max=8300.0, source="here"),
        Criterion("energy_milliwh", "mWh", max=8200, source="here"),
    ),
    mutants=(
        Mutant("ignores the limit", "inverter", {"ignores_limit": True}, "power_w"),
        Mutant("counts high", "meter", {"scale": 1.05}, "energy_milliwh"),
    ),
)
async def test_effort_%(number)d(lab):
    name = lab.name_of("inverter")
    lab.give(name, 10_000.0)
    await lab.driver(name).set_limit_w(7_900.0)
    await lab.pass_time(3600.0, step_s=60.0)
    power_w = (await lab.measured(name)).p_w
    lab.record("power_w", "W", power_w, note=f"tried {lab.repetitions} times")
    lab.record("energy_milliwh", "mWh", %(energy)s)
"""


def run(folder: Path, number: int, *options: str, energy: str = "power_w") -> int:
    path = folder / f"test_effort_{number}.py"
    path.write_text(PROCEDURE % {"number": number, "energy": energy})
    return main(["test", str(path), *options])


def test_hours_polls_and_frames_are_those_of_the_bench(tmp_path, capsys):
    assert run(tmp_path, 1) == 0
    found = re.search(
        r"1 executions: ([\d.]+) virtual hours, ([\d,]+) polls, ([\d,]+) frames",
        capsys.readouterr().out,
    )
    assert found is not None
    assert found[1] == "1.0"
    assert int(found[2]) == 1  # the meter, once
    assert int(found[3]) > 10  # to open, to limit, to make safe


def test_a_criterion_that_fails_only_beside_another_is_named(tmp_path, capsys):
    # What ignores the limit reads too much energy as well; what counts high fails that one alone.
    assert run(tmp_path, 2, "--mutants") == 0
    out = capsys.readouterr().out
    assert "criteria that no mutant fails alone: test_effort_2: power_w" in out
    assert run(tmp_path, 3, "--mutants", "--every-criterion") == 1


def test_where_every_criterion_fails_alone_all_are_needed(tmp_path, capsys):
    options = ("--mutants", "--every-criterion")
    assert run(tmp_path, 4, *options, energy="power_w if power_w < 9000 else 0") == 0
    assert "every criterion is needed" in capsys.readouterr().out


def test_repetitions_reach_the_procedure(tmp_path, capsys):
    assert run(tmp_path, 6, "--repetitions", "5") == 0
    assert "tried 5 times" in capsys.readouterr().out


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_repetitions_are_a_whole_number(tmp_path, capsys, number):
    assert run(tmp_path, 5, "--repetitions", number) == 2
    assert "at least 1" in capsys.readouterr().err
