"""What others would do with the same street: nothing, greedily, or with perfect foresight.

The optimum joins all batteries into one, knows the week and may end it empty: a bound that nobody
can beat, whatever the market.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from gridrig.bench.microgrid_street import Home
from gridrig.errors import BenchError
from gridrig.minds.series import FloatArray

EFFICIENCY = 0.95  # of one way
START_SHARE = 0.5  # of every battery, at the start of a week
STEP_H = 0.25


def net_w(homes: Sequence[Home], steps: slice) -> FloatArray:
    """Return what the street takes from the grid without storage, - is given back. [W]"""
    net: FloatArray = np.sum([home.load_w[steps] - home.pv_w[steps] for home in homes], axis=0)
    return net


def greedy_w(homes: Sequence[Home], steps: slice) -> FloatArray:
    """Return the street's import if every home stores its own surplus for its own use. [W]"""
    total = np.zeros(steps.stop - steps.start)
    for home in homes:
        stored = START_SHARE * home.battery_wh
        net = (home.load_w - home.pv_w)[steps]
        for step, wanted in enumerate(net):
            room_w = min(home.battery_w, (home.battery_wh - stored) / (EFFICIENCY * STEP_H))
            left_w = min(home.battery_w, stored * EFFICIENCY / STEP_H)
            power = min(max(float(wanted), -room_w), left_w)
            stored -= power * STEP_H * (1 / EFFICIENCY if power > 0 else EFFICIENCY)
            total[step] += wanted - power
    return total


def optimum_w(homes: Sequence[Home], steps: slice, *, parts: int) -> FloatArray:
    """Return the import whose peaks, one a part, have the least sum. [W]

    `parts` is how many equal parts of the week have a peak of their own.
    """
    net = net_w(homes, steps)
    n = len(net)
    battery_wh, battery_w = sum(h.battery_wh for h in homes), sum(h.battery_w for h in homes)
    one = sparse.identity(n)
    carried = one - sparse.eye(n, k=-1)
    # Columns: charge, discharge, stored, peaks.
    none = sparse.csr_matrix((n, parts))
    energy = sparse.hstack(
        [-EFFICIENCY * STEP_H * one, STEP_H / EFFICIENCY * one, carried, none]
    ).tocsr()
    of_day = sparse.kron(sparse.identity(parts), np.ones((n // parts, 1)))
    peaks = sparse.hstack([one, -one, sparse.csr_matrix((n, n)), -of_day]).tocsr()
    limits = np.repeat([battery_w, battery_w, battery_wh, np.inf], [n, n, n, parts])
    # A trace of wear keeps it from charging and discharging at once.
    cost = np.repeat([1e-6, 1e-6, 0.0, 1.0], [n, n, n, parts])
    solved = linprog(
        cost,
        A_ub=peaks,
        b_ub=-net,
        A_eq=energy,
        b_eq=np.concatenate([[START_SHARE * battery_wh], np.zeros(n - 1)]),
        bounds=np.column_stack([np.zeros(len(limits)), limits]),
        method="highs",
    )
    if solved.status != 0:
        raise BenchError("bench.optimum", "HiGHS: {text}", text=str(solved.message))
    charge, discharge = solved.x[:n], solved.x[n : 2 * n]
    found: FloatArray = net + charge - discharge
    return found


def mean_daily_peak_w(import_w: FloatArray, days: int) -> float:
    """Return the mean over days of the greatest import; a day of export counts 0. [W]"""
    return float(np.maximum(import_w.reshape(days, -1).max(axis=1), 0.0).mean())
