"""Time for a run: a virtual clock and a wall clock behind one interface, seeds, counted wires."""

from gridrig.clock.running import Clock, run_virtual, run_wall
from gridrig.clock.seeds import stream

__all__ = ["Clock", "run_virtual", "run_wall", "stream"]
