"""The metering benchmark runs, agrees with its peers on what is true, and names its goals."""

import pytest

from gridrig.bench import metering


@pytest.mark.parametrize("workload", ["p256", "ed25519", "ledger"])
def test_a_quick_run_measures_its_workload(workload: str) -> None:
    measured = metering.measure([workload], True)
    assert measured.rows
    assert measured.remarks == [], "a record of the benchmark was refused"
    for row in measured.rows:
        assert row.ours > 0
        assert row.goal is not None
        assert row.unit == "K records/s"
