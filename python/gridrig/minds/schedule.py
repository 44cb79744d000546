"""When to charge and when to discharge: a linear programme over the steps ahead, solved by HiGHS.

Minimised is what energy costs over the horizon: what is bought in blocks of rising price, less what
is paid for what is given back, plus the wear of what is stored, less what is left at the end at a
stated price; and, where there is a demand charge, what the greatest import of a day costs beyond
what the day has reached already. Kept are the limits of each store, its reserve, and what it must
hold by a step, as a car that leaves. What cannot be kept does not make the programme infeasible:
every missing watt-hour costs more than any price, and the schedule says which store is short, when
and by how much.

A room is a store of heat: it loses a share of what it holds, takes in what comes by itself
(`Drift`), and has bounds on both sides that hold for the end of each step. What comes by itself may
be more than it should hold; that, too, has its price and is said.

What one watt-hour more would be worth now, the marginal value of the stored energy, comes with the
schedule: it is the price at which an order should begin to buy or to sell.

Known gaps: an efficiency does not depend on power; powers are continuous, though a car has a least
current; prices below zero may charge and discharge at once unless wear is dearer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from gridrig.errors import MindError
from gridrig.minds.schedule_matrices import Drifting, Structure, matrices
from gridrig.minds.series import FloatArray, IntArray
from gridrig.minds.stores import Store, held_hours
from gridrig.quantity import SECONDS_PER_HOUR

SHORT_PRICE_MICRO_PER_WH = 1e6  # of what must be held and is not; a thousand times any tariff
EXCESS_PRICE_MICRO_PER_WH = 1e6  # of what is held and should not be


@dataclass(frozen=True)
class Supply:
    """What energy from outside costs.

    Parameters
    ----------
    block_w : array of float64, shape (steps, blocks)
        Power of each block; what is needed beyond all of them cannot be had. [W]
    price_micro_per_kwh : array of float64, shape (steps, blocks)
        Price of each block, rising within a step. [millionths/kWh]
    feed_in_micro_per_kwh : array of float64, shape (steps,)
        What is paid for what is given back, not above the first block. [millionths/kWh]
    leftover_micro_per_kwh : float
        What stored energy counts at the end. [millionths/kWh]
    """

    block_w: FloatArray
    price_micro_per_kwh: FloatArray
    feed_in_micro_per_kwh: FloatArray
    leftover_micro_per_kwh: float = 0.0


@dataclass(frozen=True)
class Shared:
    """What stores share: elements of a feeder that all their power goes through.

    Parameters
    ----------
    per_w : array of float64, shape (elements, stores)
        What a watt that a store takes adds to what is limited; less, if it is given. [unit/W]
    most : array of float64, shape (elements, steps)
        What all stores together may add in each step, not negative. [unit]
    relieved : bool
        Whether what one store gives makes room for what another takes.
    """

    per_w: FloatArray
    most: FloatArray
    relieved: bool = True


@dataclass(frozen=True)
class DemandCharge:
    """What the greatest import of each charged period costs, once, besides the energy.

    Parameters
    ----------
    period : array of int64, shape (steps,)
        Which charged period each step lies in, counted from 0.
    reached_w : array of float64, shape (periods,)
        What was imported at most in each already: up to there nothing is charged again. [W]
    micro_per_kw : float
        [millionths/kW]
    """

    period: IntArray
    reached_w: FloatArray
    micro_per_kw: float


@dataclass(frozen=True)
class Shortfall:
    """What a store misses of what it must hold at the end of a step. [Wh]"""

    store: str
    step: int
    energy_wh: float


@dataclass(frozen=True)
class Excess:
    """What a store holds at the end of a step beyond what it should. [Wh]"""

    store: str
    step: int
    energy_wh: float


@dataclass(frozen=True)
class Schedule:
    """What the stores do, step by step.

    Parameters
    ----------
    power_w : array of float64, shape (stores, steps)
        At each terminal, + is discharge. [W]
    stored_wh : array of float64, shape (stores, steps)
        At the end of each step. [Wh]
    import_w : array of float64, shape (steps,)
        From outside, - is given back. [W]
    value_micro_per_kwh : array of float64, shape (stores, steps)
        What one more unit in store at the beginning of each step would save; of one that drifts,
        at the end of the step. [millionths/kWh]
    shortfalls : tuple of Shortfall
        Empty if everything that must be held is.
    excesses : tuple of Excess
        Empty if no store that drifts holds more than it should.
    """

    power_w: FloatArray
    stored_wh: FloatArray
    import_w: FloatArray
    value_micro_per_kwh: FloatArray
    shortfalls: tuple[Shortfall, ...]
    excesses: tuple[Excess, ...] = ()


def plan(
    needed_w: FloatArray,
    stores: Sequence[Store],
    supply: Supply,
    *,
    step_s: float | FloatArray,
    shared: Shared | None = None,
    demand: DemandCharge | None = None,
) -> Schedule:
    """Return the cheapest schedule.

    Parameters
    ----------
    needed_w : array of float64, shape (steps,)
        What is used less what is made, besides the stores. [W]
    stores : sequence of Store
    supply : Supply
    step_s : float or array of float64, shape (steps,)
        Length of the steps; those far ahead may be longer. [s]
    shared : Shared or None
        What the stores' power has to fit through; None if there is no such limit.
    demand : DemandCharge or None
        What the greatest import costs; None if only energy is paid for.

    Raises
    ------
    MindError
        `schedule.input` if an input has the wrong length or is not finite; `schedule.supply` if
        what is needed is more than all blocks together; `schedule.unsolved` if HiGHS says so.
    """
    steps = len(needed_w)
    _check(steps, needed_w, stores, supply, shared, demand)
    hours = np.broadcast_to(np.asarray(step_s, float) / SECONDS_PER_HOUR, (steps,))
    programme = _Programme(steps, stores, supply, hours, shared, demand)
    solved = linprog(
        programme.cost,
        A_eq=programme.equal,
        b_eq=np.concatenate([programme.opening, needed_w]),
        A_ub=programme.at_most,
        b_ub=None if programme.at_most is None else programme.at_most_of,
        bounds=np.column_stack([np.zeros(len(programme.upper)), programme.upper]),
        method="highs-ds",
    )
    if solved.status == 2:
        raise MindError(
            "schedule.supply",
            "no schedule: at most {most:.0f} W is needed at once, the blocks are {least:.0f} W",
            most=float(needed_w.max()),
            least=float(supply.block_w.sum(axis=1).min()),
        )
    if solved.status != 0:
        raise MindError("schedule.unsolved", "HiGHS: {text}", text=str(solved.message))
    return programme.schedule(np.asarray(solved.x), np.asarray(solved.eqlin.marginals))


class _Programme:
    """The programme as matrices.

    Columns: of each store charge, discharge, stored, missing; the blocks; feed-in; new peaks; of
    each store that drifts what it holds beyond what it should.
    """

    def __init__(
        self,
        steps: int,
        stores: Sequence[Store],
        supply: Supply,
        hours: FloatArray,
        shared: Shared | None,
        demand: DemandCharge | None,
    ) -> None:
        self._steps, self._stores = steps, stores
        must = [np.flatnonzero(store.least_wh > 0.0) for store in stores]
        cost, upper, opening = [], [], []
        for store in stores:
            drift = store.drift
            held = np.zeros(steps)
            counts = 1.0 if drift is None else drift.leftover
            held[-1] = -supply.leftover_micro_per_kwh / 1000 * counts
            wear = store.wear_micro_per_kwh / 1000 * hours
            cost += [wear, np.zeros(steps), held, np.full(steps, SHORT_PRICE_MICRO_PER_WH)]
            most = np.full(steps, store.most_wh if drift is None else np.inf)
            upper += [store.charge_w, store.discharge_w, most, np.full(steps, np.inf)]
            kept = 1.0 if drift is None else drift.kept[0]
            opening.append(np.concatenate([[kept * store.stored_wh], np.zeros(steps - 1)]))
            if drift is not None:
                opening[-1] += drift.inflow_w * held_hours(store, hours)
        self._peaks = 0 if demand is None else len(demand.reached_w)
        self._drifting = [place for place, store in enumerate(stores) if store.drift is not None]
        per_w = None if shared is None else tuple(map(tuple, shared.per_w.tolist()))
        structure = Structure(
            tuple(hours.tolist()),
            tuple(store.efficiency for store in stores),
            tuple(tuple(steps_of.tolist()) for steps_of in must),
            tuple(_drifting(store, hours) for store in stores),
            supply.block_w.shape[1],
            per_w,
            shared is None or shared.relieved,
            None if demand is None else tuple(demand.period.tolist()),
            self._peaks,
        )
        self.equal, self.at_most = matrices(structure)
        least = [-store.least_wh[held] for store, held in zip(stores, must, strict=True)]
        if shared is not None and stores:
            least.append(shared.most.ravel())
        if demand is not None:
            least.append(demand.reached_w[demand.period])
        least += [store.drift.most_wh for store in stores if store.drift is not None]
        self.at_most_of = _joined(least)
        self.opening = _joined(opening)
        price = (supply.price_micro_per_kwh / 1000 * hours[:, None]).ravel()
        paid = supply.feed_in_micro_per_kwh / 1000 * hours
        charged = [] if demand is None else [np.full(self._peaks, demand.micro_per_kw / 1000)]
        beyond = steps * len(self._drifting)
        charged.append(np.full(beyond, EXCESS_PRICE_MICRO_PER_WH))
        self.cost = np.concatenate([*cost, price, -paid, *charged])
        unlimited = np.full(steps + self._peaks + beyond, np.inf)
        self.upper = np.concatenate([*upper, supply.block_w.ravel(), unlimited])
        self._blocks = supply.block_w.size

    def schedule(self, found: FloatArray, marginals: FloatArray) -> Schedule:
        """Return the schedule that a solution stands for."""
        steps, stores = self._steps, self._stores
        of_stores = found[: 4 * steps * len(stores)].reshape(len(stores), 4, steps)
        charge, discharge, stored, missing = of_stores.transpose(1, 0, 2)
        rest = found[4 * steps * len(stores) :]
        bought = rest[: self._blocks].reshape(steps, -1).sum(axis=1)
        given = rest[self._blocks : self._blocks + steps]
        value = -marginals[: steps * len(stores)].reshape(len(stores), steps) * 1000
        shortfalls = tuple(
            Shortfall(stores[place].name, int(step), float(missing[place, step]))
            for place, step in zip(*np.nonzero(missing > 1e-3), strict=True)
        )
        beyond = rest[self._blocks + steps + self._peaks :].reshape(-1, steps)
        excesses = tuple(
            Excess(stores[self._drifting[nth]].name, int(step), float(beyond[nth, step]))
            for nth, step in zip(*np.nonzero(beyond > 1e-3), strict=True)
        )
        return Schedule(discharge - charge, stored, bought - given, value, shortfalls, excesses)


def _drifting(store: Store, hours: FloatArray) -> Drifting | None:
    if store.drift is None:
        return None
    return Drifting(tuple(store.drift.kept.tolist()), tuple(held_hours(store, hours).tolist()))


def _joined(parts: list[FloatArray]) -> FloatArray:
    return np.concatenate(parts) if parts else np.zeros(0)


def _check(
    steps: int,
    needed_w: FloatArray,
    stores: Sequence[Store],
    supply: Supply,
    shared: Shared | None,
    demand: DemandCharge | None,
) -> None:
    sizes = [
        ("needed_w", needed_w, (steps,)),
        ("block_w", supply.block_w, (steps, supply.block_w.shape[-1])),
        ("price_micro_per_kwh", supply.price_micro_per_kwh, supply.block_w.shape),
        ("feed_in_micro_per_kwh", supply.feed_in_micro_per_kwh, (steps,)),
    ]
    for store in stores:
        for name in ("charge_w", "discharge_w", "least_wh"):
            sizes.append((f"{name} of {store.name}", getattr(store, name), (steps,)))
        for name in ("kept", "inflow_w", "most_wh") if store.drift is not None else ():
            sizes.append((f"{name} of {store.name}", getattr(store.drift, name), (steps,)))
    if shared is not None:
        elements = len(shared.most)
        sizes.append(("per_w", shared.per_w, (elements, len(stores))))
        sizes.append(("most", shared.most, (elements, steps)))
    if demand is not None:
        periods = int(np.max(demand.period, initial=-1)) + 1
        sizes.append(("period of the demand charge", demand.period.astype(float), (steps,)))
        sizes.append(("reached_w of the demand charge", demand.reached_w, (periods,)))
    for name, values, shape in sizes:
        if np.shape(values) != shape or not np.isfinite(values).all():
            raise MindError(
                "schedule.input",
                "{name} has shape {found}, expected {expected} finite numbers",
                name=name,
                found=np.shape(values),
                expected=shape,
            )
