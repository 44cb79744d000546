"""Rows and campaigns: what the field promises, and which criteria or figures prove it.

A row is proven by criteria of procedures: all of them PASS, on the rig the procedures name. Where
a promise is one of speed, or no device takes part, figures of a benchmark carry it. A row without
either says what is missing. The claims are put in our words; none is a statement about the product
of anybody else.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Proof:
    """A criterion of a procedure under `hil/`, which carries a row."""

    procedure: str
    criterion: str


@dataclass(frozen=True)
class Figure:
    """A figure of this machine, which carries a row: a task of `gridrig bench TOPIC`.

    A speed is true of the machine that measured it and of that moment, so figures are measured with
    the promises and no test depends on them. Their limit is the goal of the benchmark.

    Parameters
    ----------
    topic, task : str
        Of the benchmark.
    is_judged : bool
        Whether it has a goal that decides; any other is told beside it.
    workload : str
        Of the topic; empty for what the benchmark does unasked.
    peer : str
        Beside which it stands, where a task has several; empty for any.
    """

    topic: str
    task: str
    is_judged: bool = False
    workload: str = ""
    peer: str = ""


@dataclass(frozen=True)
class Row:
    """One promise.

    Parameters
    ----------
    name : str
        "M4" of the field as a whole, "N6" of a named system.
    claim : str
        What is promised, as something that can be measured.
    proofs : tuple of Proof
        What has to pass; empty if nothing does yet.
    missing : str
        What is not shown, of a row that is not proven or only in part.
    figures : tuple of Figure
        What has to be measured of this machine, besides.
    """

    name: str
    claim: str
    proofs: tuple[Proof, ...] = ()
    missing: str = ""
    figures: tuple[Figure, ...] = ()

    @property
    def is_carried(self) -> bool:
        """Whether anything is measured for it."""
        return bool(self.proofs or any(figure.is_judged for figure in self.figures))


@dataclass(frozen=True)
class Campaign:
    """One of the ten.

    Parameters
    ----------
    number : int
        1 to 10.
    title : str
        What it is called in tables.
    rows : tuple of Row
        What it proves, or would.
    suites : tuple of str
        The files under `hil/` of the procedures that carry its rows; a procedure bears the name of
        its file.
    """

    number: int
    title: str
    rows: tuple[Row, ...]
    suites: tuple[str, ...] = ()


def by(procedure: str, *criteria: str) -> tuple[Proof, ...]:
    """Return the proofs that criteria of one procedure are."""
    return tuple(Proof(procedure, criterion) for criterion in criteria)
