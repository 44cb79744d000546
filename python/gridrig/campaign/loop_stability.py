"""Whether devices and feeder, each answering the other a tick later, swing without end.

A device sees the voltage of the last solution, and the feeder what the device then gives. Where a
device answers fast against the tick and steeply against the feeder's reactance (a volt-var curve,
volt-watt), each answer overshoots the one before, until the curve's end. In continuous time the
same device may be quiet: the swing is the tick's, and no result of such a run means anything.

A swing is one if at some bus the voltage has gone up and down at each of `TURNS` ticks, by
`SWING_MIN_PU` at least in the end, no less over the later half of them than over the earlier, and
if at `CAUSED_TICKS` of them in a row the tick's part of it is gone from a solution in which the
devices' answers are those of the tick before. So a load that comes and goes at each tick is none,
nor is a swing that dies out.

An answer is what a device gives otherwise than a tick ago: its reactive power, and the active power
of an inverter whose sun changed less than that, now and a tick ago. What a storage is scheduled to
is none.

Known gaps: only while the PCC is closed (the island's model has steps of 1 ms and no such delay);
slower oscillations than of two ticks; taps that regulators move.
"""

from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.engine import FloatArray
from gridrig.grid.feeder import Feeder
from gridrig.grid.solution import Solution

TURNS = 8
SWING_MIN_PU = 2e-4
"""Twice what the two engines differ by. [pu]"""
SHARE_OF_ANSWERS = 0.5
"""How much of a swing has to be gone without the devices' answers."""
CAUSED_TICKS = 3


class LoopStability:
    """Follows the voltages of a run's ticks.

    Parameters
    ----------
    feeder : Feeder
        Asked for one more solution when a swing is found.
    """

    def __init__(self, feeder: Feeder) -> None:
        self._feeder = feeder
        self.forget()

    def forget(self) -> None:
        """Begin anew: the PCC moved, the feeder was switched, or ticks have another length."""
        self._volts: deque[FloatArray] = deque(maxlen=3)
        self._bends: deque[FloatArray] = deque(maxlen=TURNS)
        self._turns = np.zeros(len(self._feeder.buses), dtype=np.int64)
        self._caused = 0

    def check(
        self,
        solution: Solution,
        p_w: Sequence[float],
        q_var: Sequence[float],
        answers: Mapping[str, tuple[str, complex]],
    ) -> None:
        """Take the solution of one tick.

        Parameters
        ----------
        solution : Solution
        p_w, q_var : sequence of float
            What it was solved with, by bus of the feeder. [W, var]
        answers : mapping of device to (bus, complex)
            By how much each device gives otherwise than a tick ago, of its own. [VA]

        Raises
        ------
        GridError
            `grid.loop_unstable`, with the bus and the device that answers most.
        """
        self._volts.append(solution.v_pu)
        if len(self._volts) < 3:
            return
        # The bend leaves a drift out: of a swing between two values it is twice the swing.
        bend = self._volts[2] - 2.0 * self._volts[1] + self._volts[0]
        turned = bend * self._bends[-1] < 0.0 if self._bends else np.zeros(len(bend), dtype=bool)
        self._turns = np.where(turned, self._turns + 1, 0)
        self._bends.append(bend)
        at = self._suspect()
        if at is None or not self._is_answer(at, solution, p_w, q_var, answers):
            self._caused = 0
            return
        self._caused += 1
        if self._caused == CAUSED_TICKS:
            device = max(answers, key=lambda name: abs(answers[name][1]))
            raise GridError(
                "grid.loop_unstable",
                "the voltage at bus {bus!r} swings by {swing_pu:.4f} pu from tick to tick and does "
                "not die out: the devices answer within a tick what the feeder told them a tick "
                "before, {device} by {answer_va:.0f} VA; expected ticks shorter than their "
                "response, or flatter curves",
                bus=solution.buses[at],
                swing_pu=abs(float(self._volts[2][at] - self._volts[1][at])),
                device=device,
                answer_va=abs(answers[device][1]),
            )

    def _suspect(self) -> int | None:
        """Return the place of the widest swing that does not die out, if there is one."""
        swing = np.abs(self._volts[2] - self._volts[1])
        suspect = (self._turns >= TURNS) & (swing >= SWING_MIN_PU)
        if not suspect.any():
            return None
        sizes = np.abs(np.array(self._bends))
        suspect &= sizes[TURNS // 2 :].sum(axis=0) >= sizes[: TURNS // 2].sum(axis=0)
        return int(np.argmax(np.where(suspect, swing, 0.0))) if suspect.any() else None

    def _is_answer(
        self,
        at: int,
        solution: Solution,
        p_w: Sequence[float],
        q_var: Sequence[float],
        answers: Mapping[str, tuple[str, complex]],
    ) -> bool:
        """Solve with the answers of a tick ago and return whether the swing is gone."""
        buses = self._feeder.buses
        without = np.array(p_w) + 1j * np.array(q_var)
        for bus, answer in answers.values():
            without[buses.index(bus)] -= answer
        calm = self._feeder.solve(without.real, without.imag)
        before = float(self._volts[1][at])
        swing, left = abs(float(solution.v_pu[at]) - before), abs(float(calm.v_pu[at]) - before)
        return left < (1.0 - SHARE_OF_ANSWERS) * swing
