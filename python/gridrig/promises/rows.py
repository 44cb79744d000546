"""Rows and campaigns: what the field promises, and which criteria prove it.

A row is proven by criteria of procedures: all of them PASS, on the rig the procedures name. A row
without any says what is missing. The claims are put in our words; none is a statement about the
product of anybody else.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Proof:
    """A criterion of a procedure under `hil/`, which carries a row."""

    procedure: str
    criterion: str


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
    """

    name: str
    claim: str
    proofs: tuple[Proof, ...] = ()
    missing: str = ""


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
