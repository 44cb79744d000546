"""The metering benchmark runs, agrees with its peers on what is true, and names its goals."""

import pytest

from gridrig._core import signature_lanes
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


@pytest.mark.parametrize("workload", ["signatures-portable", "signatures-cold"])
def test_signatures_are_measured_without_lanes_and_without_tables(workload: str) -> None:
    before = signature_lanes()
    measured = metering.measure([workload], True)
    assert measured.rows
    portable = workload == "signatures-portable"
    for row in measured.rows:
        assert row.ours > 0
        assert ("portable, as asked for" in row.workload) == portable
        assert ("cold keys" in row.workload) != portable
    assert signature_lanes() == before, "lanes are used again"
