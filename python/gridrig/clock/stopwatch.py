"""How long something took: the clock of measurements, not of a run."""

from time import perf_counter_ns

now_ns = perf_counter_ns
"""Return the nanoseconds since some moment; only differences mean something."""
