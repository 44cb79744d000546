"""Where each emulated instrument is joined to the circuit: its own part of it, nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gridrig.circuit.bench_circuit import GRID, LOAD, SWITCH, BenchCircuit
from gridrig.circuit.load import Load
from gridrig.devices.emulators.bench_terminal import Float, Samples, Setting, Step


@dataclass
class _Joined:
    circuit: BenchCircuit

    def now_s(self) -> float:
        """Bring the circuit up to now and return the time. [s]"""
        return self.circuit.now_s()

    def interlock_closed(self) -> bool:
        """Return whether the safety loop is closed."""
        return self.circuit.interlock_closed


class SourceConnection(_Joined):
    """The AC source's output."""

    def set_output(self, on: bool) -> float:
        """Close or open the output relay; return when. [s]"""
        at_s = self.circuit.changed()
        self.circuit.source_on = on
        return at_s

    def apply(self, setting: Setting) -> float:
        """Put out a setting from the next step on; return when. [s]"""
        at_s = self.circuit.changed()
        self.circuit.source.apply(setting)
        return at_s

    def play(self, steps: Sequence[Step]) -> float:
        """Begin a sequence with the next step and mark the trigger output; return when. [s]"""
        at_s = self.circuit.changed()
        self.circuit.mark()
        self.circuit.source.play(steps, at_s)
        return at_s

    def stop_playing(self) -> None:
        """Hold what is put out now."""
        at_s = self.circuit.changed()
        self.circuit.source.apply(self.circuit.source.at(at_s))

    def playing(self) -> bool:
        """Return whether a sequence runs."""
        return self.circuit.source.playing(self.now_s())

    def setting(self) -> Setting:
        """Return what is put out now, or would be with the output on."""
        return self.circuit.source.at(self.now_s())


@dataclass
class DcConnection(_Joined):
    """The DC input of one device; `device` is its index in the world."""

    device: int

    def offer(self, p_w: float) -> float:
        """Offer power; return since when. [W, s]"""
        at_s = self.circuit.changed()
        self.circuit.world.set_available(self.device, p_w)
        return at_s

    def drawn_w(self) -> float:
        """Return the power the device draws. [W]"""
        self.circuit.now_s()
        return max(0.0, self.circuit.world.terminal(self.device).p_w)


class LoadConnection(_Joined):
    """The load bank's branches."""

    def connect(self, r_w: float, l_var: float, c_var: float) -> float:
        """Connect branches by their nominal power; return when. [W, var, var, s]"""
        at_s = self.circuit.changed()
        self.circuit.load = Load(r_w, l_var, c_var)
        return at_s

    def drawn(self) -> tuple[float, float]:
        """Return the active and reactive power it takes. [W, var]"""
        self.circuit.now_s()
        return self.circuit.drawn(LOAD)


@dataclass
class FeederConnection(_Joined):
    """A load bank on a feeder of its own, `place`, which is the load `index` of the world."""

    place: str
    index: int

    def connect(self, r_w: float, l_var: float, c_var: float) -> float:
        """Connect branches by their nominal power; return when. [W, var, var, s]"""
        at_s = self.circuit.changed()
        self.circuit.world.set_load(self.index, r_w, l_var - c_var)
        return at_s

    def drawn(self) -> tuple[float, float]:
        """Return the active and reactive power it takes. [W, var]"""
        self.circuit.now_s()
        return self.circuit.drawn(self.place)


class SwitchConnection(_Joined):
    """The contactor's contacts."""

    def operate(
        self, moves: Sequence[tuple[float, bool, bool]], closes_within: Mapping[str, float]
    ) -> float:
        """Let the contacts move: (after [s], main closed, status closed) each; return the first.

        `closes_within` has the differences to a live bus within which they close; empty for any.
        """
        if closes_within:
            self.circuit.closes_within = closes_within
        return self.circuit.move(moves)

    def contacts(self) -> tuple[bool, bool]:
        """Return whether the main and the status contacts are closed."""
        self.circuit.now_s()
        return self.circuit.main, self.circuit.status


class InterlockConnection(_Joined):
    """The safety loop, which drops the source's output relay when it breaks."""

    def set_interlock(self, closed: bool) -> None:
        """Close or break the loop."""
        self.circuit.changed()
        self.circuit.interlock_closed = closed
        if not closed:
            self.circuit.source_on = False


@dataclass
class AnalyserConnection(_Joined):
    """Where an analyser is clipped on: for each of its groups of channels a place's name."""

    sees: tuple[str, ...]

    @property
    def places(self) -> int:
        """How many groups of channels it has."""
        return len(self.sees)

    @property
    def phases(self) -> int:
        """Phases of the circuit."""
        return self.circuit.phases

    def watch(self, until_s: float) -> None:
        """Go in the finest steps until a time. [s]"""
        self.circuit.watch(until_s)

    def samples(self, place: int, t_s: Float) -> Samples:
        """Return what flows at one of its places at stated times."""
        seen, history = self.sees[place], self.circuit.history
        if seen == GRID:
            return history.samples(self.circuit.places[SWITCH], t_s, grid_side=True)
        return history.samples(self.circuit.places[seen], t_s)

    def oldest_s(self) -> float:
        """Return the earliest time that `samples` knows. [s]"""
        return self.circuit.history.oldest_s()
