"""Verdicts over a batch of records, as NumPy columns."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gridrig._core import Refusal, StagedBatch, VerifiedReading
from gridrig.metering.words import CODES, FINDINGS, STATUSES

ABSENT = -(2**63)
"""What stands in a column of integers where a record has no such value."""

VERIFIED = STATUSES.index("ok")


@dataclass(frozen=True)
class Verdicts:
    """One verdict a record, in the order of the batch; each column has shape (n,).

    Attributes
    ----------
    status : array of uint8
        Place in `gridrig.metering.words.STATUSES`; `VERIFIED` is a verified reading.
    code : array of uint8
        0, else 1 and the place in `gridrig.metering.words.CODES`.
    meter : array of int32
        Place in `meters`, -1 where it could not be told.
    context : array of uint8
        Letter of the counter, as ASCII; 0 if refused.
    counter, missing : array of int64
        The counter, and how many records are missing before this one; `ABSENT` if refused.
    time_ms, start_ms : array of int64
        Time of the reading, and beginning of the interval if the energy is of one, else `ABSENT`.
        [UTC ms]
    clock_status : array of uint8
        Letter of the clock status, as ASCII; 0 if refused.
    import_milliwh, export_milliwh : array of int64
        The registers, or the energy of the interval; `ABSENT` where there is none. [mWh]
    findings : array of uint32
        Bits in the order of `gridrig.metering.words.FINDINGS`.
    meters : tuple of str
        Names of the enrolled meters.
    """

    status: npt.NDArray[np.uint8]
    code: npt.NDArray[np.uint8]
    meter: npt.NDArray[np.int32]
    context: npt.NDArray[np.uint8]
    counter: npt.NDArray[np.int64]
    missing: npt.NDArray[np.int64]
    time_ms: npt.NDArray[np.int64]
    start_ms: npt.NDArray[np.int64]
    clock_status: npt.NDArray[np.uint8]
    import_milliwh: npt.NDArray[np.int64]
    export_milliwh: npt.NDArray[np.int64]
    findings: npt.NDArray[np.uint32]
    meters: tuple[str, ...]
    staged: StagedBatch

    @classmethod
    def of(cls, staged: StagedBatch, meters: tuple[str, ...]) -> "Verdicts":
        """Lay a staged batch out in columns."""
        return cls(*staged.columns(), meters=meters, staged=staged)

    def __len__(self) -> int:
        return len(self.staged)

    @cached_property
    def digest(self) -> npt.NDArray[np.uint8]:
        """SHA-256 of the signed bytes, shape (n, 32); zeros if refused."""
        return self.staged.digests().reshape(-1, 32)

    def outcome(self, place: int) -> VerifiedReading | Refusal:
        """Return one outcome as an object.

        Parameters
        ----------
        place : int
            Place in the batch, from 0.
        """
        return self.staged.outcome(place)

    def code_of(self, place: int) -> str | None:
        """Return the code of one refusal, None for a verified reading."""
        code = int(self.code[place])
        return CODES[code - 1] if code else None

    def found(self, finding: str) -> npt.NDArray[np.bool_]:
        """Tell for each record whether a finding goes with it.

        Parameters
        ----------
        finding : str
            One of `gridrig.metering.words.FINDINGS`.
        """
        bit = np.uint32(1 << FINDINGS.index(finding))
        has: npt.NDArray[np.bool_] = (self.findings & bit) != 0
        return has
