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
class Drifting:
    """How a store drifts.

    Parameters
    ----------
    kept : tuple of float, shape (steps,)
        Share of what is stored that is left at the end of each step. [1]
    hours : tuple of float, shape (steps,)
        What a watt over each step comes to at its end. [Wh/W]
    """

    kept: tuple[float, ...]
    hours: tuple[float, ...]


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
    drifting : tuple of Drifting or None, shape (stores,)
        How each store drifts; None of one that keeps what it holds.
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
    drifting: tuple[Drifting | None, ...]
    blocks: int
    per_w: tuple[tuple[float, ...], ...] | None = None
    relieved: bool = True
    charged: tuple[int, ...] | None = None
    peaks: int = 0


@lru_cache(maxsize=STRUCTURES_MAX)
def matrices(of: Structure) -> tuple[Any, Any]:
    """Return the rows that equal something and those that are at most something, or None.

    Columns are, of each store, charge, discharge, stored, missing; the blocks; feed-in; new peaks;
    of each store that drifts, what it holds beyond what it should. Rows are the energy of each
    store and the balance; then what stores need, what they share, the peaks, and what those that
    drift should hold at most. They are shared between callers: nobody may change them.
    """
    steps = len(of.hours)
    one, nothing = sparse.identity(steps), sparse.csr_matrix((steps, steps))
    energy, needs, balance = [], [], []
    for efficiency, must, drift in zip(of.efficiencies, of.must, of.drifting, strict=True):
        lasting = sparse.diags(np.array(of.hours if drift is None else drift.hours))
        kept = np.ones(steps) if drift is None else np.array(drift.kept)
        carried = one - sparse.diags(kept[1:], -1)
        put_in, taken = efficiency * lasting, lasting / efficiency
        energy.append(sparse.hstack([-put_in, taken, carried, nothing]))
        rows = np.array(must, dtype=np.int64)
        needs.append(sparse.hstack([nothing, nothing, -one, -one]).tocsr()[rows])
        balance += [-one, one, nothing, nothing]
    bought = sparse.kron(one, np.ones((1, of.blocks)))
    places = [place for place, drift in enumerate(of.drifting) if drift is not None]
    more = of.peaks + steps * len(places)
    outside = bought.shape[1] + steps + more
    unused = sparse.csr_matrix((steps, more))
    equal = _stacked(energy, outside, sparse.hstack([*balance, bought, -one, unused]))
    at_most = _stacked(needs, outside)
    if of.per_w is not None and energy:
        given = -one if of.relieved else nothing
        per_w = np.array(of.per_w).reshape(len(of.per_w), len(energy))
        taken = sparse.kron(per_w, sparse.hstack([one, given, nothing, nothing]))
        rest = sparse.csr_matrix((taken.shape[0], outside))
        at_most = sparse.vstack([at_most, sparse.hstack([taken, rest])]).tocsr()
    last = [] if of.charged is None else [_peaks(of, bought, steps * len(places))]
    last += [_beyond(of, place, nth, outside) for nth, place in enumerate(places)]
    if last:
        at_most = sparse.vstack([*([] if at_most is None else [at_most]), *last]).tocsr()
    return equal, at_most


def _peaks(of: Structure, bought: Any, beyond: int) -> Any:
    """Let no step buy more than its charged period has reached, and what is paid beyond it."""
    steps = len(of.hours)
    places = np.arange(steps), np.array(of.charged, dtype=np.int64)
    peak_of = sparse.csr_matrix((np.ones(steps), places), shape=(steps, of.peaks))
    of_stores = sparse.csr_matrix((steps, 4 * steps * len(of.efficiencies)))
    given = sparse.csr_matrix((steps, steps))
    return sparse.hstack([of_stores, bought, given, -peak_of, sparse.csr_matrix((steps, beyond))])


def _beyond(of: Structure, place: int, nth: int, outside: int) -> Any:
    """Let what the nth store that drifts holds beyond what it should have its price."""
    steps, width = len(of.hours), 4 * len(of.hours) * len(of.efficiencies) + outside
    first = width - steps * sum(drift is not None for drift in of.drifting)
    step = np.arange(steps)
    columns = np.concatenate([(4 * place + 2) * steps + step, first + nth * steps + step])
    signs = np.repeat([1.0, -1.0], steps)
    return sparse.csr_matrix((signs, (np.tile(step, 2), columns)), shape=(steps, width))


def _stacked(of_stores: Sequence[Any], outside: int, last: Any = None) -> Any:
    """Return the rows of each store beside each other's columns, which end with those outside."""
    rows = [] if last is None else [last]
    if of_stores:
        own = sparse.block_diag(of_stores)
        rows.insert(0, sparse.hstack([own, sparse.csr_matrix((own.shape[0], outside))]))
    return sparse.vstack(rows).tocsr() if rows else None
