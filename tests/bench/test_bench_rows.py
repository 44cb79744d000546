"""Rows of the benchmark: ratios, goals, and what the table and the JSON say of them."""

import os
import sys

import pytest

from gridrig.bench.command import TOPICS, bench_command
from gridrig.bench.machine import Machine
from gridrig.bench.peers import peer
from gridrig.bench.rows import Goal, Measured, Row
from gridrig.bench.table import figure, goal_text, print_table
from gridrig.cli.cores import BENCH_TOPICS
from gridrig.errors import BenchError

RATE = Row("book", "W2", 16.0, "M/s", "naive", 4.0, Goal(ours=15.0, ratio=4.0))
TIME = Row("book", "W2", 250.0, "ns", "other", 500.0, Goal(ours=200.0), less_is_better=True)


def test_ratio_of_a_rate_and_of_a_time_is_how_many_times_better() -> None:
    assert RATE.ratio == 4.0
    assert TIME.ratio == 2.0
    assert Row("book", "W2", 1.0, "M/s").ratio is None


@pytest.mark.parametrize(
    ("row", "reached"),
    [
        (RATE, True),
        (TIME, False),
        (Row("b", "w", 14.9, "M/s", "p", 1.0, Goal(ours=15.0, ratio=4.0)), False),
        (Row("b", "w", 15.0, "M/s", "p", 4.0, Goal(ours=15.0, ratio=4.0)), False),
        (Row("b", "w", 15.0, "M/s", None, None, Goal(ratio=4.0)), False),
        (Row("b", "w", 200.0, "ns", goal=Goal(ours=200.0), less_is_better=True), True),
        (Row("b", "w", 15.0, "M/s"), None),
    ],
)
def test_a_goal_is_reached_when_each_of_its_bounds_is(row: Row, reached: bool | None) -> None:
    assert row.reached is reached


def test_figures_keep_three_digits_that_count() -> None:
    assert [figure(x) for x in (0.001234, 0.9, 9.876, 98.76, 1_234_567.0)] == [
        "0.00123",
        "0.9",
        "9.88",
        "98.8",
        "1,234,567",
    ]


def test_goals_read_as_bounds() -> None:
    assert goal_text(RATE) == "≥ 15, ≥ 4 x"
    assert goal_text(TIME) == "≤ 200"
    assert goal_text(Row("b", "w", 1.0, "M/s")) == ""


def test_a_missing_peer_is_named_with_the_command_that_installs_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    measured = Measured(rows=[RATE, TIME], remarks=["a remark"])
    assert peer("no-such-book", "no_such_book", measured) is None
    assert peer("no-such-book", "no_such_book", measured) is None
    assert peer("odd-book", "odd_book", measured, requirement="odd-book[all]") is None
    assert [one.name for one in measured.missing] == ["no-such-book", "odd-book"]
    print_table("market", Machine("a CPU", ("avx2",), 2, 1), measured)
    printed = capsys.readouterr().out
    assert "pinned to core 1" in printed
    assert "4.00 x" in printed
    assert "not reached" in printed
    assert "a remark" in printed
    assert "peer no-such-book has no rows (No module named 'no_such_book')" in printed
    assert "pip install 'gridrig[bench]'" in printed
    assert "pip install 'odd-book[all]'" in printed


def test_a_peer_that_is_installed_is_imported() -> None:
    measured = Measured()
    assert peer("json", "json.decoder", measured) is sys.modules["json.decoder"]
    assert measured.missing == []


def test_the_command_line_knows_every_topic() -> None:
    assert tuple(TOPICS) == BENCH_TOPICS


def test_an_unknown_workload_is_refused_before_anything_is_measured() -> None:
    affinity = os.sched_getaffinity(0)
    with pytest.raises(BenchError, match="workload 'w9' is none of w1") as refused:
        bench_command("market", workloads=["w9"], quick=True, as_json=True)
    assert refused.value.code == "bench.workload_unknown"
    assert os.sched_getaffinity(0) == affinity
