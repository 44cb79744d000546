"""Deterministic work of a computing job, and the hash of its result.

The work is integer matrix products modulo a prime: as much arithmetic as is asked for, exact on any
machine, so that two backends that agree must agree on every digit. It stands in for a model, of
which it shares that the result follows from the input alone.

Known gap: whoever wants to know the right hash has to do the work again.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gridrig.errors import GridrigError

PRIME = 65_521  # the largest below 2**16: a row of products of 1024 stays far below 2**63
SIZE_MAX, ROUNDS_MAX = 64, 10_000
SEED_MAX = 2**32 - 1
PRODUCTS_MAX = 10_000_000  # of two numbers: a second or two in plain Python, where it is checked
_TEXT = re.compile(r"(\d{1,10})x(\d{1,2})x(\d{1,5})", re.ASCII)


@dataclass(frozen=True)
class Work:
    """What is to be computed.

    Parameters
    ----------
    seed : int
        Of the matrices.
    size : int
        Of the square matrices.
    rounds : int
        Products, one after the other.

    Raises
    ------
    GridrigError
        `computing.work` for what is out of range.
    """

    seed: int
    size: int
    rounds: int

    def __post_init__(self) -> None:
        """Refuse what no node takes."""
        for key, most in (("seed", SEED_MAX), ("size", SIZE_MAX), ("rounds", ROUNDS_MAX)):
            found, least = getattr(self, key), 0 if key == "seed" else 1
            if not least <= found <= most:
                raise GridrigError(
                    "computing.work",
                    "{key} of a work is {found}, expected {least} to {most}",
                    key=key,
                    found=found,
                    least=least,
                    most=most,
                )
        products = self.size**3 * self.rounds
        if products > PRODUCTS_MAX:
            raise GridrigError(
                "computing.work",
                "work {found} takes {products} products, expected at most {most}",
                found=str(self),
                products=products,
                most=PRODUCTS_MAX,
            )

    def __str__(self) -> str:
        """Return it as job files and wires spell it: `7x16x40`."""
        return f"{self.seed}x{self.size}x{self.rounds}"

    @classmethod
    def read(cls, text: str) -> "Work":
        """Read the spelling; `computing.work` for any other."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise GridrigError(
                "computing.work", "work {found!r}, expected SEEDxSIZExROUNDS", found=text
            )
        return cls(*map(int, match.groups()))


def by_numpy(work: Work) -> list[int]:
    """Do the work with NumPy's integers; return the entries, row by row."""
    state, factor = (np.array(m, dtype=np.int64) for m in _matrices(work))
    for number in range(work.rounds):
        state = (state @ factor + number) % PRIME
    return [int(entry) for entry in state.ravel()]


def by_integers(work: Work) -> list[int]:
    """Do the same work with Python's own integers, no library involved."""
    state, factor = _matrices(work)
    columns = list(zip(*factor, strict=True))
    for number in range(work.rounds):
        state = [
            [(sum(map(int.__mul__, row, column)) + number) % PRIME for column in columns]
            for row in state
        ]
    return [entry for row in state for entry in row]


BACKENDS: Mapping[str, Callable[[Work], list[int]]] = {
    "numpy": by_numpy,
    "integers": by_integers,
}


def result_hash(work: Work, backend: str) -> str:
    """Do the work and return the SHA-256 of its result, in hex.

    Parameters
    ----------
    work : Work
        What to do.
    backend : str
        One of `BACKENDS`.

    Examples
    --------
    >>> result_hash(Work(7, 8, 3), "numpy") == result_hash(Work(7, 8, 3), "integers")
    True
    """
    entries = BACKENDS[backend](work)
    data = b"".join(entry.to_bytes(2, "big") for entry in entries)
    return hashlib.sha256(b"gridrig work 1 " + str(work).encode() + b"\0" + data).hexdigest()


def _matrices(work: Work) -> tuple[list[list[int]], list[list[int]]]:
    """Return the start and the factor, from SHA-256 as a counter: the same on every machine."""
    needed = 2 * work.size**2
    found: list[int] = []
    for block in range(needed // 16 + 1):
        text = f"gridrig work {work.seed} {block}".encode()
        digest = hashlib.sha256(text).digest()
        found += [int.from_bytes(digest[k : k + 2], "big") % PRIME for k in range(0, 32, 2)]
    rows = [found[k * work.size : (k + 1) * work.size] for k in range(2 * work.size)]
    return rows[: work.size], rows[work.size :]
