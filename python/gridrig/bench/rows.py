"""What a benchmark found: rows with our figure, the peer's, the ratio and the goal."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Goal:
    """A bound that our figure, or its ratio to the peer's, is meant to reach.

    Parameters
    ----------
    ours : float or None
        Bound of our own figure, in the unit of the row: at least this, or at most this where
        less is better.
    ratio : float or None
        How many times better than the peer, at least.
    """

    ours: float | None = None
    ratio: float | None = None


@dataclass(frozen=True)
class Row:
    """One measurement beside its peer.

    Parameters
    ----------
    task, workload : str
        What is done ("continuous book"), and on which input ("W2, command log off").
    ours : float
        Our figure.
    unit : str
        Unit of both figures ("M commands/s", "ns").
    peer : str or None
        Name of the peer that did the same task in the same run.
    peer_figure : float or None
        Its figure; None without a peer.
    goal : Goal or None
        What is to be reached; None where a row only informs.
    less_is_better : bool
        True for times, false for rates.
    note : str
        What a reader must know to compare the two figures.
    judged : bool
        False for figures of a quick run, which say nothing about the goal.
    """

    task: str
    workload: str
    ours: float
    unit: str
    peer: str | None = None
    peer_figure: float | None = None
    goal: Goal | None = None
    less_is_better: bool = False
    note: str = ""
    judged: bool = True

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer we are; below 1 we are worse."""
        if self.peer_figure is None:
            return None
        if self.less_is_better:
            return self.peer_figure / self.ours
        return self.ours / self.peer_figure

    @property
    def reached(self) -> bool | None:
        """Whether the goal was reached, bounds included; None if there is nothing to judge."""
        if self.goal is None or not self.judged:
            return None
        met = True
        if self.goal.ours is not None:
            better = min if self.less_is_better else max
            met = better(self.ours, self.goal.ours) == self.ours
        if self.goal.ratio is not None:
            met = met and self.ratio is not None and self.ratio >= self.goal.ratio
        return met

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain values, ratio and outcome included."""
        return {**asdict(self), "ratio": self.ratio, "reached": self.reached}


@dataclass(frozen=True)
class MissingPeer:
    """A peer that cannot be imported, the command that installs it, and what was in the way."""

    name: str
    command: str
    cause: str

    def text(self) -> str:
        """Return what to tell the user."""
        return f"peer {self.name} has no rows ({self.cause}): {self.command}"


@dataclass
class Measured:
    """What one topic measured: rows in the order of the table, peers missing, and remarks."""

    rows: list[Row] = field(default_factory=list)
    missing: list[MissingPeer] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
