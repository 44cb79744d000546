"""Shares of one plant, each fed with its part of what the plant's meter signed.

A plant of so many watts has room for so many shares. Its certificate of an interval is minted once,
as the plant's, and parted into lots: those of the shares, and what nobody has a share of. So plant
and shares together are never more than was measured, and no share is a certificate of its own.

Watt-hours are parted by largest remainder over the shares in the order they were given, the plant
last; each part is within a Wh of its exact share.
"""

from dataclasses import dataclass, field
from pathlib import Path

from gridrig._core import MeterPeriod, largest_remainder
from gridrig.errors import SettlementError
from gridrig.settlement.certificates_batch import whole
from gridrig.settlement.certificates_store import CertificateStore


@dataclass
class PlantShares:
    """The shares of one plant.

    Parameters
    ----------
    plant : str
        Who holds what no share is of.
    capacity_w : int
        What the plant can give. [W]
    share_w : int
        What one share is of it. [W]

    Raises
    ------
    SettlementError
        `settlement.plant_share` if a share is nothing or more than the plant.
    """

    plant: str
    capacity_w: int
    share_w: int
    holders: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse what is no share of anything."""
        if not 0 < self.share_w <= self.capacity_w:
            raise SettlementError(
                "settlement.plant_share",
                "a share of {share_w} W is no part of {plant!r}, {capacity_w} W",
                share_w=self.share_w,
                plant=self.plant,
                capacity_w=self.capacity_w,
            )

    def give(self, holder: str) -> int:
        """Give one share to a holder; return its number, from 1.

        Raises
        ------
        SettlementError
            `settlement.plant_full` if the plant has no room for another share.
        """
        room = self.capacity_w // self.share_w
        if len(self.holders) >= room:
            raise SettlementError(
                "settlement.plant_full",
                "share {number} of {share_w} W for {holder!r}: {plant!r} of {capacity_w} W has "
                "room for {room}",
                number=len(self.holders) + 1,
                share_w=self.share_w,
                holder=holder,
                plant=self.plant,
                capacity_w=self.capacity_w,
                room=room,
            )
        self.holders.append(holder)
        return len(self.holders)

    def part(
        self, register: Path | CertificateStore, period: MeterPeriod, *, issuer: str
    ) -> list[int]:
        """Mint a period of the plant and give each share its watt-hours, all in one commit.

        Parameters
        ----------
        register : Path or CertificateStore
            The register's file, or the register.
        period : MeterPeriod
            Between two readings of the plant's meter.
        issuer : str
            Who certifies.

        Returns
        -------
        list of int
            What each share got, in the order of their numbers, then what the plant kept. [Wh]

        Raises
        ------
        SettlementError
            Whatever the register refuses; `settlement.plant_parted` if the period was parted
            before. Nothing is minted or moved then.
        """
        kept_w = self.capacity_w - self.share_w * len(self.holders)
        weights = [self.share_w] * len(self.holders) + [kept_w]
        with whole(register) as store:
            before = store.events
            claim = store.mint(period, holder=self.plant, issuer=issuer, scheme="share")
            if claim is None:
                return [0] * len(weights)
            if claim.number <= before:
                raise SettlementError(
                    "settlement.plant_parted",
                    "certificate {number} of {plant!r} was minted and parted before",
                    number=claim.number,
                    plant=self.plant,
                )
            parts = largest_remainder(claim.energy_wh, weights)
            from_wh = 0
            for holder, energy_wh in zip(self.holders, parts, strict=False):
                if energy_wh:
                    store.transfer(claim.number, from_wh, energy_wh, self.plant, holder)
                from_wh += energy_wh
        return parts
