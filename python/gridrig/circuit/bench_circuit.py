"""An emulated bench's power circuit, stepped as its parts are looked at or commanded.

    source (output relay) -- switch -- bus -- devices
                                        |
                                    load bank

Invariants
    Time stands on whole milliseconds and only goes on; a command takes effect at the next one and
    its time is answered. While the switch is closed the source imposes voltage and frequency on the
    devices' terminals (their positive sequence); when it opens, what is left on the bus is an
    island of the plant's own 1 ms model, until the switch closes again. Energy is integrated by the
    plant.
Ordering
    In one step: contacts move, the source's setting is taken, the plant steps, a row is written.
    What is watched in steps of 1 ms goes through the plant's own model of devices behind a source,
    phase by phase, in one call for as long as the source's output is straight.
Limits
    Steps of 1 ms for `WATCHED_S` after anything changed and while an instrument watches, of 10 ms
    while the voltage is off its nominal, else of 500 ms.
Known gaps
    In steps longer than 1 ms, and on a single-phase bench, devices see the positive sequence only.
    The source has no impedance. Without a synchronism check too a switch waits for equal angles.
"""

import cmath
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gridrig.circuit.history import STEPS_PER_S, History, Row
from gridrig.circuit.load import Load
from gridrig.circuit.rows import island_rows, source_rows
from gridrig.circuit.source_output import SourceOutput
from gridrig.clock import Clock
from gridrig.devices.emulators.bench_terminal import Setting
from gridrig.plant import IslandTick, Segment, SourceTick, World

WATCHED_S = 2.0
FINE, NEAR, COARSE = 1, 10, 500  # [ms]
OFF_NOMINAL_PU = 0.12
OFF_NOMINAL_HZ = 1.0
DEAD_V = 1e-3
# A contactor closes whatever it finds: the widest limits that the plant's synchroniser takes.
ANY_ANGLE: Mapping[str, float] = {"df_hz": 10.0, "dv_pu": 1.0, "dtheta_deg": 180.0}


@dataclass(order=True)
class _Move:
    at_ms: int
    main: bool = field(compare=False)
    status: bool = field(compare=False)


class BenchCircuit:
    """One source, one switch, one load bank and the devices of a world, on one bus.

    Parameters
    ----------
    world : World
        The plant; it holds only the devices of this bench.
    clock : Clock
        The run's.
    f_nominal_hz, v_ll : float
        Nominal frequency and line-to-line voltage. [Hz, V]
    phases : int
        1 or 3.
    devices : mapping of str to int
        Index in the world of each device.
    has_switch : bool
        Without one the source is always joined to the bus.
    source_order : sequence of int
        Which channel of the source feeds each phase, from 1: a bench may be wired wrongly.
    quiet_h_s : float
        Step of an island's model where the circuit's own steps are long. [s]
    """

    def __init__(
        self,
        world: World,
        clock: Clock,
        *,
        f_nominal_hz: float,
        v_ll: float,
        phases: int,
        devices: Mapping[str, int],
        has_switch: bool,
        source_order: Sequence[int] = (1, 2, 3),
        quiet_h_s: float = 0.001,
    ) -> None:
        self.world = world
        self._clock = clock
        self.f_nominal_hz, self.phases = f_nominal_hz, phases
        self.v_n = v_ll / math.sqrt(3) if phases == 3 else v_ll
        self.places = {name: place for place, name in enumerate([*devices, SWITCH, LOAD])}
        self._devices = dict(devices)
        self.source = SourceOutput(Setting((0.0,) * phases, (0.0,) * phases, f_nominal_hz))
        self.source_on = False
        self.load = Load()
        self.interlock_closed = True
        self.closes_within = ANY_ANGLE
        self.main = self.status = not has_switch
        self._quiet_h_s = quiet_h_s
        self._order = [channel - 1 for channel in source_order[:phases]]
        self._moves: list[_Move] = []
        self._history = History(len(self.places), phases)
        self._theta = self._theta_island = 0.0  # of the source; of what it left alone [rad]
        self._trigger = False
        self._was_island = False
        self._watched_ms = 0
        self._zero_ms = self._clock_ms()
        self._sequence_row = np.exp(-2j * np.pi * np.arange(phases) / 3)
        self._sequence = [cmath.exp(-2j * math.pi * k / 3) for k in range(phases)]

    def index_of(self, name: str) -> int:
        """Return the place in the world of what is on the bus."""
        return self._devices[name]

    @property
    def history(self) -> History:
        """What flowed so far."""
        return self._history

    def now_s(self) -> float:
        """Bring the circuit up to the clock and return its time: that of the next step. [s]"""
        target = self._clock_ms() - self._zero_ms
        while self._history.end_ms < target:
            self._step(target)
        return self._history.end_ms / STEPS_PER_S

    def mark(self) -> None:
        """Raise the source's trigger output for the next step."""
        self._trigger = True

    def watch(self, until_s: float) -> None:
        """Go in the finest steps until a time. [s]"""
        self._watched_ms = max(self._watched_ms, math.ceil(until_s * STEPS_PER_S))

    def changed(self) -> float:
        """Tell that something was commanded; return when it takes effect. [s]"""
        now_s = self.now_s()
        self.watch(now_s + WATCHED_S)
        return now_s

    def move(self, moves: Sequence[tuple[float, bool, bool]]) -> float:
        """Let the switch's contacts move: (after [s], main, status) each; return the first.

        An opening withdraws a closing that waits for synchronism.
        """
        now_s = self.changed()
        if self._closing and moves and not moves[0][1]:
            self.world.cancel_reclose()
            self.main = self._was_island = False
        self._moves = [
            _Move(round((now_s + after_s) * STEPS_PER_S), main, status)
            for after_s, main, status in moves
        ]
        self._moves.sort()
        self.watch(now_s + max((m[0] for m in moves), default=0.0) + WATCHED_S)
        return self._moves[0].at_ms / STEPS_PER_S if self._moves else now_s

    def drawn(self, place: str) -> tuple[float, float]:
        """Return the power that flows out of the bus at a place now. [W, var]"""
        t_s = np.array([max(0, self._history.end_ms - 1) / STEPS_PER_S])
        if not self._history.end_ms:
            return 0.0, 0.0
        now = self._history.samples(self.places[place], t_s)
        power = -complex(np.sum(now.v_v * np.conj(now.i_a)))
        return power.real, power.imag

    def _clock_ms(self) -> int:
        return math.floor(self._clock.now_s() * STEPS_PER_S + 1e-6)

    def _step(self, target_ms: int) -> None:
        at_ms = self._history.end_ms
        # A closing onto a live island takes its time; the contacts wait for it.
        while self._moves and self._moves[0].at_ms <= at_ms and not self._closing:
            move = self._moves.pop(0)
            self.status = move.status
            self._move_main(move.main)
        if self._islanded:
            self._step_island(at_ms, target_ms)
        elif self._is_fine(at_ms) and self._has_phases and not self._was_island:
            self._step_by_phase(at_ms, target_ms)
        else:
            self._step_fed(at_ms, target_ms)
            self._was_island = False
        self._trigger = False

    @property
    def _islanded(self) -> bool:
        return not self.world.pcc_closed

    @property
    def _closing(self) -> bool:
        return self.main and self._islanded

    def _is_fine(self, at_ms: int) -> bool:
        """Return whether steps are of a millisecond now."""
        playing = self.source.playing(at_ms / STEPS_PER_S)
        return at_ms < self._watched_ms or playing or self._trigger

    @property
    def _has_phases(self) -> bool:
        """Whether the source feeds three phases of the bus."""
        return self.phases == 3 and self.main and self.source_on

    def _size(self, at_ms: int, target_ms: int, *, off_nominal: bool = False) -> int:
        size = NEAR if off_nominal else COARSE
        if self._is_fine(at_ms):
            size = FINE
        if self._moves:
            size = min(size, max(FINE, self._moves[0].at_ms - at_ms))
        return max(1, min(size, target_ms - at_ms))

    def _move_main(self, closed: bool) -> None:
        if closed == self.main:
            return
        self.main = closed
        t_s = self._history.end_ms / STEPS_PER_S
        if not closed and abs(self._source_v(t_s)[0][0]) > DEAD_V:
            # The load stays on the bus; without any, the island's bus still has the inverters'
            # filters, and what discharges them.
            self.world.set_rlc(self.load.r_w or BLEED_W, self.load.quality, self.load.c_scale)
            self.world.open_pcc(t_s)
            self._theta_island = self._theta
        elif closed and self._islanded:
            self.world.request_reclose(t_s, dict(self.closes_within))
            self._was_island = True

    def _source_v(self, t_s: float) -> tuple[list[complex], float]:
        """Return the phase voltages that reach the switch, and their frequency."""
        setting = self.source.at(t_s)
        if not self.source_on:
            return [0j] * self.phases, setting.f_hz
        channels = [
            cmath.rect(v_v, self._theta + math.radians(phase_deg)) * place
            for v_v, phase_deg, place in zip(
                setting.v_v, setting.phase_deg, self._sequence, strict=True
            )
        ]
        return [channels[k] for k in self._order], setting.f_hz

    def _positive(self, v: Sequence[complex]) -> complex:
        """Return the positive sequence of phase voltages, as phase 1 sees it."""
        return sum(x / place for x, place in zip(v, self._sequence, strict=True)) / self.phases

    def _step_fed(self, at_ms: int, target_ms: int) -> None:
        grid = self._source_v(at_ms / STEPS_PER_S)
        v, f_hz = grid
        if not self.main:
            v = [0j] * self.phases
        positive = self._positive(v)
        v_pu = abs(positive) / self.v_n
        off = abs(v_pu - 1) > OFF_NOMINAL_PU or abs(f_hz - self.f_nominal_hz) > OFF_NOMINAL_HZ
        size = self._size(at_ms, target_ms, off_nominal=off and v_pu > 0)
        self.world.impose([v_pu] * len(self.world), f_hz)
        p_w, q_var = self.world.held()
        self.world.integrate(size / STEPS_PER_S)
        self.world.advance(size / STEPS_PER_S)
        alive = any(abs(x) > DEAD_V for x in v)
        self._write(v, positive, p_w, q_var, f_hz if alive else 0.0, size, grid)
        self._theta += 2 * math.pi * f_hz * size / STEPS_PER_S
        self._theta %= 2 * math.pi

    def _step_by_phase(self, at_ms: int, target_ms: int) -> None:
        """Step as far as the source's output is straight, at most `COARSE`, in one call."""
        t_s = at_ms / STEPS_PER_S
        straight_s = self.source.straight_until_s(t_s)
        ends = [target_ms, at_ms + COARSE, *(move.at_ms for move in self._moves[:1])]
        if straight_s < math.inf:
            ends.append(math.floor(straight_s * STEPS_PER_S + 1e-6))
        size = max(1, min(ends) - at_ms)
        # What ends inside a millisecond lasts to the end of it.
        end_s = min(straight_s, t_s + size / STEPS_PER_S) - 1e-9
        begin, end = self.source.at(t_s), self.source.at(max(t_s, end_s))
        if begin.phase_deg != end.phase_deg:
            size, end = 1, begin  # an angle that moves is a step of its own
        segment = Segment(
            size / STEPS_PER_S,
            (begin.f_hz, end.f_hz),
            self._by_phase([v / self.v_n for v in begin.v_v]),
            self._by_phase([v / self.v_n for v in end.v_v]),
            self._by_phase([a - 120.0 * k for k, a in enumerate(begin.phase_deg)], turn_deg=120.0),
        )
        tick = self.world.source_tick(list(self._devices.values()), t_s, [segment])
        self.world.held()
        self.world.integrate(size / STEPS_PER_S)
        self.world.advance(size / STEPS_PER_S)
        self._write_by_phase(tick, begin, segment)

    def _by_phase(
        self, channels: Sequence[float], turn_deg: float = 0.0
    ) -> tuple[float, float, float]:
        """Return what the channels put on each phase, beside the phase's own angle."""
        a, b, c = (channels[k] + turn_deg * phase for phase, k in enumerate(self._order))
        return a, b, c

    def _write_by_phase(self, tick: SourceTick, begin: Setting, segment: Segment) -> None:
        v, i, f_hz, theta = source_rows(
            tick,
            (begin.f_hz, segment),
            self._theta,
            {self.places[name]: k for k, name in enumerate(self._devices)},
            len(self.places),
            self.v_n,
        )
        i[:, self.places[LOAD]] = (
            -v * self.load.admittances(self.v_n, self.f_nominal_hz, f_hz, self.phases)[:, None]
        )
        i[:, self.places[SWITCH]] = i.sum(axis=1)
        told = Row((), (), 0.0, self._trigger, self.status)
        self._history.add_steps(v, i, f_hz, told)
        self._theta = theta % (2 * math.pi)

    def _step_island(self, at_ms: int, target_ms: int) -> None:
        """Step in one call for as long as nothing is moved; every millisecond where it matters."""
        t_s = at_ms / STEPS_PER_S
        source_v, source_hz = self._source_v(t_s)
        grid_v_pu = abs(self._positive(source_v)) / self.v_n
        grid = source_v, source_hz if grid_v_pu > 0 else 0.0
        fine = self._is_fine(at_ms) or self._closing
        size = self._batch(at_ms, target_ms) if fine else self._size(at_ms, target_ms)
        if grid_v_pu > 0:
            ahead = cmath.phase(self._positive(source_v)) - self._theta_island
            self.world.set_grid_ahead(ahead % (2 * math.pi))
        h_s = FINE / STEPS_PER_S if fine or size < COARSE else self._quiet_h_s
        tick = self.world.island_tick(
            t_s,
            size / STEPS_PER_S,
            0.0,
            grid_v_pu,
            source_hz,
            h_s=h_s,
            record_every=int(fine),
            until_closed=True,
        )
        p_w, q_var = self.world.held()
        self.world.integrate(tick.dt_s)
        if fine:
            self._write_island(tick, *grid)
        else:
            positive = cmath.rect(tick.v_mean_pu * self.v_n, self._theta_island)
            v = [positive * x for x in self._sequence]
            self._write(v, positive, p_w, q_var, tick.f_mean_hz, size, grid)
            self._theta_island += 2 * math.pi * tick.f_mean_hz * size / STEPS_PER_S
        self._theta += 2 * math.pi * source_hz * tick.dt_s

    def _batch(self, at_ms: int, target_ms: int) -> int:
        """Return for how long the source and the switch stay as they are. [ms]"""
        if self.source.playing(at_ms / STEPS_PER_S) or self._trigger:
            return FINE
        moves = [] if self._closing else [move.at_ms for move in self._moves[:1]]
        return max(1, min([target_ms, at_ms + COARSE, *moves]) - at_ms)

    def _write_island(self, tick: IslandTick, grid_v: Sequence[complex], grid_hz: float) -> None:
        v, i, f_hz, theta = island_rows(
            tick,
            self._theta_island,
            {self.places[name]: index for name, index in self._devices.items()},
            len(self.places),
            self.v_n * self._sequence_row,
        )
        self._theta_island = theta % (2 * math.pi)
        i[:, self.places[LOAD]] = (
            -v * self.load.admittances(self.v_n, self.f_nominal_hz, f_hz, self.phases)[:, None]
        )
        if not self._islanded:
            i[-1, self.places[SWITCH]] = i[-1].sum(axis=0)
        turn = np.exp(2j * np.pi * grid_hz * np.arange(len(f_hz)) / STEPS_PER_S)
        told = Row((), (), 0.0, self._trigger, self.status)
        grid = np.array(grid_v)[None, :] * turn[:, None]
        self._history.add_steps(v, i, f_hz, told, grid, grid_hz)

    def _write(
        self,
        v: list[complex],
        positive: complex,
        p_w: Sequence[float],
        q_var: Sequence[float],
        f_hz: float,
        size: int,
        grid: tuple[list[complex], float] | None = None,
    ) -> None:
        dead = [0j] * self.phases
        places = [dead] * len(self.places)
        if abs(positive) > DEAD_V:
            for name, index in self._devices.items():
                i_1 = (complex(p_w[index], q_var[index]) / self.phases / positive).conjugate()
                places[self.places[name]] = [i_1 * place for place in self._sequence]
        y = self.load.admittance(self.v_n, self.f_nominal_hz, f_hz, self.phases)
        places[self.places[LOAD]] = [-x * y for x in v]
        if self.main and not self._islanded:
            # Through the switch into the source flows what everything else gives.
            places[self.places[SWITCH]] = [sum(column) for column in zip(*places, strict=True)]
        grid_v, grid_hz = grid or (None, 0.0)
        row = Row(v, places, f_hz, self._trigger, self.status, grid_v, grid_hz)
        self._history.add(row, size)


SWITCH, LOAD, GRID = "switch", "load", "grid"
BLEED_W = 5.0  # what filters and inputs of instruments take of a bus at nominal voltage
