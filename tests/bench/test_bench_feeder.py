"""The feeder's benchmark runs, and its engine alone finds what the feeder finds."""

import pytest

from gridrig.bench import feeder


@pytest.mark.parametrize("workload", feeder.WORKLOADS)
def test_a_quick_run_measures_the_engine_alone_as_well(workload: str) -> None:
    measured = feeder.measure([workload], True)
    assert measured.missing == []
    judged = [row for row in measured.rows if row.goal is not None]
    assert [row.task.rpartition(": ")[2] for row in judged] == ["voltages", "voltages and flows"]
    for row in measured.rows:
        assert row.ours > 0
        assert row.peer_figure is not None
        assert row.peer_figure > 0
