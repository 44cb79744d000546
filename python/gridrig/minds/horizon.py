"""The steps of a plan: delivery periods for the next hours, and whole hours after that."""

from itertools import pairwise

import numpy as np

from gridrig.minds.series import FloatArray
from gridrig.quantity import SECONDS_PER_HOUR

FINE_STEPS = 8  # a plan looks so far ahead by delivery periods


def steps_s(periods: int, period_s: int) -> FloatArray:
    """Return the lengths of a plan's steps, as many whole ones as the periods hold. [s]"""
    fine = min(periods, FINE_STEPS)
    in_hour = max(1, SECONDS_PER_HOUR // period_s)
    return np.array([period_s] * fine + [in_hour * period_s] * ((periods - fine) // in_hour), float)


def means(values: FloatArray, step_s: FloatArray, period_s: int) -> FloatArray:
    """Return the mean of values by period over each step of a plan."""
    edges = np.concatenate([[0], np.cumsum(step_s / period_s)]).astype(int)
    return np.array([values[a:b].mean() for a, b in pairwise(edges.tolist())])
