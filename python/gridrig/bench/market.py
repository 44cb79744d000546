"""The market's benchmark: the continuous book and the auctions, beside the peers."""

from collections.abc import Sequence

from gridrig.bench.rows import Measured

WORKLOADS = ("w1", "w2", "w3")


def measure(workloads: Sequence[str], quick: bool) -> Measured:
    """Measure the chosen workloads."""
    return Measured()
