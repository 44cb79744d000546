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
    The source has no impedance. Synchronism at closing onto a live island is not judged: a
    contactor does not.
"""

import cmath
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gridrig.circuit.history import STEPS_PER_S, History, Row
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


@dataclass
class Load:
    """A load bank's parallel branches, by their power at nominal voltage and frequency."""

    r_w: float = 0.0
    l_var: float = 0.0
    c_var: float = 0.0

    def admittance(self, v_n: float, f_nominal_hz: float, f_hz: float, phases: int) -> complex:
        """Return what each phase connects at a frequency. [S]"""
        if f_hz <= 0:
            return 0j
        speed = f_hz / f_nominal_hz
        susceptance = self.c_var * speed - self.l_var / speed
        return complex(self.r_w, susceptance) / (phases * v_n**2)


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
    ) -> None:
        self.world = world
        self._clock = clock
        self.f_nominal_hz, self.phases = f_nominal_hz, phases
        self.v_n = v_ll / math.sqrt(3) if phases == 3 else v_ll
        self.places = {name: place for place, name in enumerate([*devices, SWITCH, LOAD])}
        self._devices = dict(devices)
        quiet = Setting((0.0,) * phases, (0.0,) * phases, f_nominal_hz)
        self.source = SourceOutput(quiet)
        self.source_on = False
        self.load = Load()
        self.interlock_closed = True
        self.main = self.status = not has_switch
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
        """Let the switch's contacts move: (after [s], main, status) each; return the first."""
        now_s = self.changed()
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
        # A closing onto a live island takes its time; the contacts cannot part meanwhile.
        while self._moves and self._moves[0].at_ms <= at_ms and not self._closing:
            move = self._moves.pop(0)
            self.status = move.status
            self._move_main(move.main)
        if self._islanded:
            self._step_island(FINE if self._closing else self._straight_ms(at_ms, target_ms))
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

    def _straight_ms(self, at_ms: int, target_ms: int) -> int:
        """Return how long no contact moves and the source's output is straight, to be stepped."""
        straight_s = self.source.straight_until_s(at_ms / STEPS_PER_S)
        ends = [target_ms, at_ms + COARSE, *(move.at_ms for move in self._moves[:1])]
        if straight_s < math.inf:
            ends.append(math.floor(straight_s * STEPS_PER_S + 1e-6))
        return max(1, min(ends) - at_ms)

    def _move_main(self, closed: bool) -> None:
        if closed == self.main:
            return
        self.main = closed
        t_s = self._history.end_ms / STEPS_PER_S
        if not closed and abs(self._source_v(t_s)[0][0]) > DEAD_V:
            # The load stays on the bus; without any, the island's bus still has the inverters'
            # filters, and what discharges them.
            load = self.load
            quality = load.l_var / load.r_w if load.r_w > 0 else 0.0
            ratio = load.c_var / load.l_var if load.l_var else 1.0
            self.world.set_rlc(load.r_w or BLEED_W, quality, ratio)
            self.world.open_pcc(t_s)
            self._theta_island = self._theta
        elif closed and self._islanded:
            self.world.request_reclose(t_s, dict(ANY_ANGLE))
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
        v, f_hz = self._source_v(at_ms / STEPS_PER_S)
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
        self._write(v, positive, p_w, q_var, f_hz if alive else 0.0, size)
        self._theta += 2 * math.pi * f_hz * size / STEPS_PER_S
        self._theta %= 2 * math.pi

    def _step_by_phase(self, at_ms: int, target_ms: int) -> None:
        """Step as far as the source's output is straight, at most `COARSE`, in one call."""
        t_s = at_ms / STEPS_PER_S
        straight_s, size = self.source.straight_until_s(t_s), self._straight_ms(at_ms, target_ms)
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
        steps = len(tick.f_hz)
        places = np.exp(1j * (np.radians(segment.angle_deg) - 2 * np.pi * np.arange(3) / 3))
        shares = np.arange(steps) / steps
        f_hz = begin.f_hz + (segment.f_hz[1] - begin.f_hz) * shares
        v_from, v_to = (np.array(v) for v in (segment.v_from_pu, segment.v_to_pu))
        v_pu = v_from + (v_to - v_from) * shares[:, None]
        turns = self._theta + np.cumsum(2 * np.pi * f_hz / STEPS_PER_S)
        thetas = np.concatenate([[self._theta], turns[:-1]])
        v = self.v_n * v_pu * places * np.exp(1j * thetas)[:, None]
        # The plant's frame turns at nominal frequency; what counts is each current's angle to its
        # own voltage, which its positive sequence has in both frames.
        theirs = tick.v_pu @ np.conj(self._sequence_row)
        ours = v @ np.conj(self._sequence_row)
        alive = np.abs(theirs) > 1e-9
        turned = np.where(alive, ours / np.where(alive, theirs, 1.0), 0.0)
        turned /= np.maximum(np.abs(turned), 1e-12)
        i = np.zeros((steps, len(self.places), 3), dtype=np.complex128)
        for k, name in enumerate(self._devices):
            i[:, self.places[name]] = tick.i_va[k] / self.v_n * turned[:, None]
        levels, place = np.unique(f_hz, return_inverse=True)  # one, unless it ramps
        y = np.array(
            [self.load.admittance(self.v_n, self.f_nominal_hz, float(f), 3) for f in levels]
        )[place]
        i[:, self.places[LOAD]] = -v * y[:, None]
        i[:, self.places[SWITCH]] = i.sum(axis=1)
        told = Row((), (), 0.0, self._trigger, self.status)
        self._history.add_steps(v, i, f_hz, told)
        self._theta = float(turns[-1]) % (2 * math.pi)

    def _step_island(self, size: int) -> None:
        """Step what the switch left alone, in one call; a closing is looked for every step."""
        t_s = self._history.end_ms / STEPS_PER_S
        source_v, source_hz = self._source_v(t_s)
        grid_v_pu = abs(self._positive(source_v)) / self.v_n
        tick = self.world.island_tick(
            t_s, size / STEPS_PER_S, 0.0, grid_v_pu, source_hz, record_every=1
        )
        self.world.held()
        self.world.integrate(size / STEPS_PER_S)
        self._write_island(tick)
        self._theta += 2 * math.pi * source_hz * size / STEPS_PER_S

    def _write_island(self, tick: IslandTick) -> None:
        f_hz, v_pu = np.array(tick.f_hz), np.array(tick.v_pu)
        power = np.array(tick.p_w) + 1j * np.array(tick.q_var)
        steps = len(f_hz)
        turns = self._theta_island + np.cumsum(2 * np.pi * f_hz / STEPS_PER_S)
        thetas = np.concatenate([[self._theta_island], turns[:-1]])
        positive = v_pu * self.v_n * np.exp(1j * thetas)
        alive = np.abs(positive) > DEAD_V
        sequence = np.array(self._sequence)
        i = np.zeros((steps, len(self.places), self.phases), dtype=np.complex128)
        for name, index in self._devices.items():
            i_1 = np.where(alive, power[index], 0.0) / np.where(alive, positive, 1.0) / self.phases
            i[:, self.places[name]] = np.conj(i_1)[:, None] * sequence
        v = positive[:, None] * sequence
        # Frequency moves in an island: each step has an admittance of its own.
        y = [self.load.admittance(self.v_n, self.f_nominal_hz, f, self.phases) for f in f_hz]
        i[:, self.places[LOAD]] = -v * np.array(y)[:, None]
        if self.main and not self._islanded:
            # Through the switch into the source flows what everything else gives.
            i[:, self.places[SWITCH]] = i.sum(axis=1)
        self._history.add_steps(v, i, f_hz, Row((), (), 0.0, self._trigger, self.status))
        self._theta_island = float(turns[-1])

    def _write(
        self,
        v: list[complex],
        positive: complex,
        p_w: Sequence[float],
        q_var: Sequence[float],
        f_hz: float,
        size: int,
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
        self._history.add(Row(v, places, f_hz, self._trigger, self.status), size)


SWITCH, LOAD = "switch", "load"
BLEED_W = 5.0  # what filters and inputs of instruments take of a bus at nominal voltage
