"""One tick of physics: hold what the terminals give, solve the feeder, impose what it says.

Connected, the power that a terminal gives at the start of a tick is held over it. Islanded, the
plant runs its own model at 1 ms over the tick first, and the means are held; the feeder is solved
with them from the grid former's bus, which takes the residual. Either way the meters integrate
exactly what the feeder was solved with, so the engine's losses and the registers must agree.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridrig.campaign.island_network import IslandNetwork, reduced_network
from gridrig.campaign.loop_stability import LoopStability
from gridrig.campaign.street import Street
from gridrig.campaign.switching_fit import name_of
from gridrig.circuit.bench_circuit import BenchCircuit
from gridrig.clock import Clock
from gridrig.errors import GridError
from gridrig.grid.feeder import Feeder
from gridrig.grid.solution import Solution
from gridrig.plant import IslandTick, World

COAST_S = 0.1
V_DEAD_PU = 0.5  # below it nothing holds the island's voltage
DETAILED_S = 5.0  # after an opening, every step of the island model is kept


@dataclass(frozen=True)
class Flow:
    """What the physics of one tick gave.

    Parameters
    ----------
    solution : Solution
        The solved feeder.
    f_hz : float
        Frequency at the end of the tick. [Hz]
    island : IslandTick or None
        The 1 ms model's trace, when the island ran.
    """

    solution: Solution
    f_hz: float
    island: IslandTick | None


class Physics:
    """The plant and the feeder of a run, stepped together.

    Parameters
    ----------
    street : Street
        The plant with its terminals.
    feeder : Feeder
        The network's solver.
    """

    def __init__(self, street: Street, feeder: Feeder) -> None:
        self.street = street
        self.feeder = feeder
        self._nominal_hz = float(street.rig.nominal.f_hz)
        self._losses_w = 0.0
        self._opened_s = 0.0
        self._stability = LoopStability(feeder)
        self._dt_s = 0.0
        self._gave: dict[str, tuple[complex, float, float]] = {}
        self.last: Flow | None = None
        self.network: IslandNetwork | None = None
        """Between the devices of the present or last island, if a former held it."""

    @property
    def world(self) -> World:
        """The plant."""
        return self.street.world

    @property
    def islanded(self) -> bool:
        """Whether the connection to the main grid is open."""
        return not self.world.pcc_closed

    @property
    def _has_network(self) -> bool:
        return self.network is not None and not self.network.one_bus

    def voltage_at(self, device: str) -> float:
        """Return the voltage that the last solution gave a device. [pu]"""
        return self.world.terminal(self.street.devices[device]).v_pu

    def open_pcc(self, t_s: float) -> float:
        """Open the connection and return the power the main grid delivered just before. [W]"""
        before_w = self.last.solution.head_p_w if self.last else 0.0
        former = self.street.former
        bus = None if former is None else self.street.bus_of(former)
        self.feeder.open_pcc(bus)
        self.network = None
        if bus is not None:
            self.network = reduced_network(self.feeder, self.street.buses)
            self.network.put_into(self.world, self.street.s_base_va)
        self.world.open_pcc(t_s)
        self._opened_s = t_s
        return before_w

    def switch(self, do: str, target: str, parameters: Mapping[str, Any]) -> None:
        """Switch a branch of the feeder, move a tap, or tell a regulator something.

        Raises
        ------
        GridError
            `grid.switched_in_island`: the island's model keeps the network it was born with.
        """
        if self.islanded:
            raise GridError(
                "grid.switched_in_island",
                "{do} of {target} while the PCC is open: expected a time when it is closed",
                do=do,
                target=target,
            )
        self._stability.forget()
        name = name_of(target)
        match do:
            case "switch":
                self.feeder.switch(target, **parameters)
            case "tap":
                self.feeder.set_tap(name, **parameters)
            case "regulator":
                self.feeder.set_regulator(name, **parameters)

    def follow(self, closed: Mapping[str, bool]) -> None:
        """Have branches of the feeder stand as their switches do, unless the PCC is open."""
        if self.islanded:
            return  # the island's model keeps the network it was born with
        for branch, is_closed in closed.items():
            if is_closed == (branch in self.feeder.out):
                self._stability.forget()
                self.feeder.switch(branch, closed=is_closed)

    def step(
        self, t_s: float, dt_s: float, extra: tuple[Sequence[float], Sequence[float]] | None = None
    ) -> Flow:
        """Run one tick and return what it gave.

        Parameters
        ----------
        t_s, dt_s : float
            Start and length of the tick. [s]
        extra : pair of sequences, or None
            Measured injections of devices outside the model, by bus of the feeder. [W, var]

        Raises
        ------
        GridError
            As `Feeder.solve`; `grid.loop_unstable` (`loop_stability.py`).
        """
        island = None
        if self.islanded:
            # With a network the plant knows its losses itself.
            losses_w = 0.0 if self._has_network else self._losses_w
            island = self.world.island_tick(t_s, dt_s, losses_w, record_every=self._detail(t_s))
        p_w, q_var = self.street.power_by_bus(self.feeder.buses)
        if extra is not None:
            p_w = [a + b for a, b in zip(p_w, extra[0], strict=True)]
            q_var = [a + b for a, b in zip(q_var, extra[1], strict=True)]
        former = self.street.former if island is not None else None
        if island is not None and island.v_mean_pu < V_DEAD_PU:
            former = None
            if self.feeder.former_bus is not None:
                self.feeder.open_pcc(None)  # the island lost its voltage: every bus is dead
        if former is not None:
            # The former is the slack: the solver says what it gives, losses included.
            terminal = self.world.terminal(self.street.devices[former])
            at = self.feeder.buses.index(self.street.bus_of(former))
            p_w[at] -= terminal.p_w
            q_var[at] -= terminal.q_var
            assert island is not None
            # With a network the tick tells the voltage at the PCC, and the former has its own.
            self.feeder.former_v_pu = terminal.v_pu if self._has_network else island.v_mean_pu
        solution = self.feeder.solve(p_w, q_var)
        if former is not None:
            self.world.override_power(
                self.street.devices[former], solution.former_p_w, solution.former_q_var
            )
        self._check_loop(solution, p_w, q_var, dt_s)
        self._count(solution, p_w, q_var)
        self._losses_w = solution.losses_w
        f_hz = island.f_end_hz if island is not None else self._nominal_hz
        voltages = dict(zip(self.feeder.buses, solution.v_pu, strict=True))
        self.world.set_head(solution.head_p_w, solution.head_q_var)
        self.world.impose([voltages[bus] for bus in self.street.buses], f_hz)
        if island is not None and self.world.pcc_closed:
            self.feeder.close_pcc()
        self.last = Flow(solution, f_hz, island)
        return self.last

    def _check_loop(
        self, solution: Solution, p_w: Sequence[float], q_var: Sequence[float], dt_s: float
    ) -> None:
        """Refuse a swing that the delay of one tick between devices and feeder makes."""
        if self.islanded or dt_s != self._dt_s:
            self._stability.forget()
        self._dt_s = dt_s
        answers = self._answers()
        if not self.islanded:
            self._stability.check(solution, p_w, q_var, answers)

    def _answers(self) -> dict[str, tuple[str, complex]]:
        """Return by how much each device gives otherwise than a tick ago, of its own. [VA]"""
        held_p, held_q = self.world.held()
        answers = {}
        for name, index in self.street.devices.items():
            gives = complex(held_p[index], held_q[index])
            sun_w = self.street.available_w.get(name)
            changed_w = 0.0
            if before := self._gave.get(name):
                more, brighter_w = gives - before[0], (sun_w or 0.0) - before[1]
                by_sun_w = max(abs(brighter_w), before[2])  # it may follow a tick later
                own = sun_w is not None and by_sun_w < abs(more.real)
                answers[name] = self.street.bus_of(name), more if own else 1j * more.imag
                changed_w = abs(brighter_w)
            self._gave[name] = gives, sun_w or 0.0, changed_w
        return answers

    def _count(self, solution: Solution, p_w: Sequence[float], q_var: Sequence[float]) -> None:
        """Let loads whose draw follows their voltage have drawn what the feeder says they did.

        At a dead bus nothing counts; the plant knows that from the voltage.
        """
        more_w = solution.p_w - p_w
        more_var = solution.q_var - q_var
        changed = np.flatnonzero((solution.v_pu > 0.0) & ((more_w != 0.0) | (more_var != 0.0)))
        if not len(changed):
            return
        held_p, held_q = self.world.held()
        for at in changed.tolist():
            load = self.street.loads.get(solution.buses[at])
            if load is None:
                continue
            p, q = held_p[load] + more_w[at], held_q[load] + more_var[at]
            self.world.override_power(load, p, q)
            if not self.islanded:
                self.world.set_load(load, -p, -q)  # until the profile says otherwise

    def finish(self, dt_s: float) -> None:
        """Integrate the meters over the tick and let slow states follow."""
        self.world.integrate(dt_s)
        if self.last is not None and self.last.island is None:
            self.world.advance(dt_s)  # the island model has stepped everything itself

    def _detail(self, t_s: float) -> int:
        """Return which of the model's steps are recorded: all of them where it matters."""
        if t_s < self._opened_s + DETAILED_S:
            return 1
        return 10 if self.world.island_state == "synchronising" else 100


async def coast(world: World, clock: Clock, circuit: BenchCircuit | None = None) -> None:
    """Let the world go on by itself, at the voltage it has or its circuit gives, until cancelled.

    While a bench opens or is driven to its safe state there are no ticks, but inverters still have
    to follow what they are told.
    """
    while True:
        await clock.sleep(COAST_S)
        if circuit is not None:
            circuit.now_s()
            continue
        islanded = not world.pcc_closed
        if islanded:
            world.island_tick(clock.now_s(), COAST_S, 0.0, record_every=0)
        world.held()  # connected, terminals give what their devices do now only when asked
        world.integrate(COAST_S)
        if not islanded:
            world.advance(COAST_S)


class Coasting:
    """Coasting that starts and stops: the world goes on while no tick steps it.

    Parameters
    ----------
    world, clock
        What goes on, and by which clock.
    circuit : BenchCircuit or None
        The circuit that steps the world, on a bench with an emulated source.
    """

    def __init__(self, world: World, clock: Clock, circuit: BenchCircuit | None = None) -> None:
        self._world = world
        self._circuit = circuit
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Let the world go on; starting twice is allowed."""
        if self._task is None:
            self._task = asyncio.create_task(coast(self._world, self._clock, self._circuit))

    async def stop(self) -> None:
        """Hold the world, and raise what went wrong in it; stopping twice is allowed."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
