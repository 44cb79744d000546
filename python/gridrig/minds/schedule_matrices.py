"""The matrices of a schedule's linear programme, built once for all programmes of one structure.

Whoever plans again every half hour changes what is needed, what is stored and what energy costs,
which are vectors. The matrices stay as they are, and building them took as long as solving.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import sparse

STRUCTURES_MAX = 64  # kept at a time; planning every half hour of a day has 48


@dataclass(frozen=True)
class Structure:
    """What the matrices depend on, and nothing else.

    Parameters
    ----------
    hours : tuple of float, shape (steps,)
        Length of each step. [h]
    efficiencies : tuple of float, shape (stores,)
        Of one way. [1]
    must : tuple of tuple of int, shape (stores, some)
        The steps at whose end each store must hold something.
    blocks : int
        Of supply, in each step.
    per_w : tuple of tuple of float, shape (elements, stores), or None
        What a watt of each store adds to what is shared; None if nothing is.
    relieved : bool
        Whether what one store gives makes room for another there.
    charged : tuple of int, shape (steps,), or None
        Which charged period each step lies in; None without a demand charge.
    peaks : int
        How many charged periods there are.
    """

    hours: tuple[float, ...]
    efficiencies: tuple[float, ...]
    must: tuple[tuple[int, ...], ...]
    blocks: int
    per_w: tuple[tuple[float, ...], ...] | None = None
    relieved: bool = True
    charged: tuple[int, ...] | None = None
    peaks: int = 0


@lru_cache(maxsize=STRUCTURES_MAX)
def matrices(of: Structure) -> tuple[Any, Any]:
    """Return the rows that equal something and those that are at most something, or None.

    Columns are, of each store, charge, discharge, stored, missing; the blocks; feed-in; new peaks.
    Rows are the energy of each store and the balance; then what stores need, what they share, and
    the peaks. They are shared between callers: nobody may change them.
    """
    steps = len(of.hours)
    one, nothing = sparse.identity(steps), sparse.csr_matrix((steps, steps))
    lasting = sparse.diags(np.array(of.hours))
    carried = one - sparse.eye(steps, k=-1)
    energy, needs, balance = [], [], []
    for efficiency, must in zip(of.efficiencies, of.must, strict=True):
        put_in, taken = efficiency * lasting, lasting / efficiency
        energy.append(sparse.hstack([-put_in, taken, carried, nothing]))
        rows = np.array(must, dtype=np.int64)
        needs.append(sparse.hstack([nothing, nothing, -one, -one]).tocsr()[rows])
        balance += [-one, one, nothing, nothing]
    bought = sparse.kron(one, np.ones((1, of.blocks)))
    outside = bought.shape[1] + steps + of.peaks
    uncharged = sparse.csr_matrix((steps, of.peaks))
    equal = _stacked(energy, outside, sparse.hstack([*balance, bought, -one, uncharged]))
    at_most = _stacked(needs, outside)
    if of.per_w is not None and energy:
        given = -one if of.relieved else nothing
        per_w = np.array(of.per_w).reshape(len(of.per_w), len(energy))
        taken = sparse.kron(per_w, sparse.hstack([one, given, nothing, nothing]))
        rest = sparse.csr_matrix((taken.shape[0], outside))
        at_most = sparse.vstack([at_most, sparse.hstack([taken, rest])]).tocsr()
    if of.charged is not None:
        peaks = _peaks(of, bought)
        at_most = (peaks if at_most is None else sparse.vstack([at_most, peaks])).tocsr()
    return equal, at_most


def _peaks(of: Structure, bought: Any) -> Any:
    """Let no step buy more than its charged period has reached, and what is paid beyond it."""
    steps = len(of.hours)
    places = np.arange(steps), np.array(of.charged, dtype=np.int64)
    peak_of = sparse.csr_matrix((np.ones(steps), places), shape=(steps, of.peaks))
    of_stores = sparse.csr_matrix((steps, 4 * steps * len(of.efficiencies)))
    given = sparse.csr_matrix((steps, steps))
    return sparse.hstack([of_stores, bought, given, -peak_of])


def _stacked(of_stores: Sequence[Any], outside: int, last: Any = None) -> Any:
    """Return the rows of each store beside each other's columns, which end with those outside."""
    rows = [] if last is None else [last]
    if of_stores:
        own = sparse.block_diag(of_stores)
        rows.insert(0, sparse.hstack([own, sparse.csr_matrix((own.shape[0], outside))]))
    return sparse.vstack(rows).tocsr() if rows else None
