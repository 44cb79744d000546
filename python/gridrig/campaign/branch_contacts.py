"""The contacts of a switch in the feeder, which the feeder's model follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gridrig.clock import Clock


@dataclass
class BranchContacts:
    """What an emulated switch moves: its main contacts and the status contact beside them.

    Parameters
    ----------
    clock : Clock
        The bench's.
    closed : bool
        How the network has the branch as loaded.
    """

    clock: Clock
    closed: bool
    _status: bool = field(init=False)
    _moves: list[tuple[float, bool, bool]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._status = self.closed

    def now_s(self) -> float:
        """Return the time. [s]"""
        return self.clock.now_s()

    def operate(
        self, moves: Sequence[tuple[float, bool, bool]], closes_within: Mapping[str, float]
    ) -> float:
        """Let the contacts move: (after [s], main closed, status closed) each; return the first.

        Both sides of the branch are one feeder, so there is nothing to synchronise with.
        """
        now_s = self._advance()
        self._moves = [(now_s + after_s, main, status) for after_s, main, status in moves]
        return self._moves[0][0]

    def contacts(self) -> tuple[bool, bool]:
        """Return whether the main and the status contacts are closed."""
        self._advance()
        return self.closed, self._status

    def _advance(self) -> float:
        """Bring both contacts up to now and return the time. [s]"""
        now_s = self.clock.now_s()
        while self._moves and self._moves[0][0] <= now_s:
            _, self.closed, self._status = self._moves.pop(0)
        return now_s
