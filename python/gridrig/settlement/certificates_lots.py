"""What a register of certificates answers about watt-hours: lots, and what became of them all."""

from typing import NamedTuple


class Lot(NamedTuple):
    """A range of watt-hours of a certificate; `state` is held, retired, charged or moved."""

    certificate: int
    from_wh: int
    energy_wh: int
    holder: str
    state: str
    purpose: str | None
    beneficiary: str | None


class Supply(NamedTuple):
    """What became of everything minted; `unbacked_wh` is counted as retired or moved too. [Wh]"""

    minted_wh: int
    held_wh: int
    retired_wh: int
    moved_wh: int
    frozen_wh: int
    unbacked_wh: int
