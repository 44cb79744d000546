"""Profile: the life of a certificate from request to badge, as Arkreen's AREC lives.

The behaviour is modelled, not the contracts. Watt-hours are those of a `CertificateStore`, so what
its register refuses (above all a second claim) is refused here, where the contracts believe their
issuer.

    pending     -> certified (the issuer mints) | rejected (the issuer)
    rejected    -> pending (the owner asks again) | cancelled (the owner)
    certified   -> retired | liquidised (the watt-hours go to a pool, the owner gets a balance)
    liquidised  -> certified, as far as a balance is taken back (first in, first out)
    balance     -> offset (retired from the pool, first in, first out) -> badge, each offset once

Known gap: requests, balances and badges live as long as the object; watt-hours live in the file.

References
----------
.. [1] Arkreen Network, AREC issuance, ART and badge contracts, public repository, read in 2026.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from gridrig._core import MeterPeriod
from gridrig.errors import SettlementError
from gridrig.settlement.certificates_lots import Lot
from gridrig.settlement.certificates_store import CertificateStore

Status: TypeAlias = Literal[
    "pending", "rejected", "cancelled", "certified", "retired", "liquidised"
]
POOL = "pool"


@dataclass
class Request:
    """A request to certify a period, and where it stands."""

    number: int
    owner: str
    period: MeterPeriod
    status: Status = "pending"
    certificate: int | None = None


@dataclass(frozen=True)
class Badge:
    """What shows offsets; it has no way to another owner."""

    owner: str
    offsets: tuple[int, ...]
    energy_wh: int


@dataclass
class _Offset:
    owner: str
    energy_wh: int
    in_badge: bool = False


@dataclass
class Lifecycle:
    """Requests, balances and badges over a register.

    Parameters
    ----------
    store : CertificateStore
        The watt-hours.
    issuer : str
        Who certifies and rejects.
    """

    store: CertificateStore
    issuer: str
    requests: list[Request] = field(default_factory=list)
    balances_wh: dict[str, int] = field(default_factory=dict)
    _offsets: list[_Offset] = field(default_factory=list)
    _pool: list[int] = field(default_factory=list)

    def request(self, owner: str, period: MeterPeriod) -> int:
        """Ask for a certificate; return the number of the request."""
        self.requests.append(Request(len(self.requests) + 1, owner, period))
        return len(self.requests)

    def certify(self, number: int, *, by: str) -> None:
        """Mint what a request asks for.

        Raises
        ------
        SettlementError
            `settlement.lifecycle_party`, `.lifecycle_status`, `.lifecycle_empty`;
            `settlement.certificate_double_claim` and whatever else the register refuses, which
            leaves the request pending.
        """
        asked = self._turn(number, ("pending",), by, self.issuer)
        minted = self.store.mint(asked.period, holder=asked.owner, issuer=self.issuer)
        if minted is None:
            raise SettlementError(
                "settlement.lifecycle_empty",
                "request {number} is of less than 1 Wh",
                number=number,
            )
        if any(other.certificate == minted.number for other in self.requests):
            raise SettlementError(
                "settlement.lifecycle_repeated",
                "request {number} is of certificate {certificate}, which another request has",
                number=number,
                certificate=minted.number,
            )
        asked.certificate, asked.status = minted.number, "certified"

    def reject(self, number: int, *, by: str) -> None:
        """Refuse a request."""
        self._turn(number, ("pending",), by, self.issuer).status = "rejected"

    def ask_again(self, number: int, *, by: str) -> None:
        """Ask again for what was rejected."""
        self._turn(number, ("rejected",), by).status = "pending"

    def cancel(self, number: int, *, by: str) -> None:
        """Give up what was rejected."""
        self._turn(number, ("rejected",), by).status = "cancelled"

    def retire(self, number: int, *, by: str, purpose: str) -> None:
        """Retire a whole certificate in the owner's name."""
        asked = self._turn(number, ("certified",), by)
        lot = self._whole(asked)
        self.store.retire(*lot, purpose=purpose, beneficiary=by)
        asked.status = "retired"

    def liquidise(self, number: int, *, by: str) -> None:
        """Give a whole certificate to the pool for a balance."""
        asked = self._turn(number, ("certified",), by)
        certificate, from_wh, energy_wh, holder = self._whole(asked)
        self.store.transfer(certificate, from_wh, energy_wh, holder, POOL)
        self._pool.append(certificate)
        self.balances_wh[by] = self.balances_wh.get(by, 0) + energy_wh
        asked.status = "liquidised"

    def pay(self, owner: str, to: str, energy_wh: int) -> None:
        """Move some of a balance to another owner."""
        self._require_balance(owner, energy_wh)
        self.balances_wh[owner] -= energy_wh
        self.balances_wh[to] = self.balances_wh.get(to, 0) + energy_wh

    def solidify(self, owner: str, energy_wh: int) -> list[Lot]:
        """Take watt-hours back out of the pool, first in, first out."""
        self._require_balance(owner, energy_wh)
        taken = []
        for lot in self._first_in(energy_wh):
            self.store.transfer(lot.certificate, lot.from_wh, lot.energy_wh, POOL, owner)
            self.balances_wh[owner] -= lot.energy_wh
            taken.append(lot._replace(holder=owner))
        return taken

    def offset(self, owner: str, energy_wh: int, *, purpose: str) -> int:
        """Retire watt-hours of the pool for a balance; return the number of the offset."""
        self._require_balance(owner, energy_wh)
        for lot in self._first_in(energy_wh):
            place = (lot.certificate, lot.from_wh, lot.energy_wh, POOL)
            self.store.retire(*place, purpose=purpose, beneficiary=owner)
            self.balances_wh[owner] -= lot.energy_wh
        self._offsets.append(_Offset(owner, energy_wh))
        return len(self._offsets)

    def badge(self, owner: str, offsets: tuple[int, ...]) -> Badge:
        """Make a badge of offsets, each of which is in one badge at most.

        Raises
        ------
        SettlementError
            `settlement.lifecycle_offset` for one that is not the owner's, unknown, or spent.
        """
        if len(set(offsets)) != len(offsets) or not offsets:
            raise self._offset_refused(owner, offsets)
        for number in offsets:
            known = 1 <= number <= len(self._offsets)
            if not known or self._offsets[number - 1].owner != owner:
                raise self._offset_refused(owner, (number,))
            if self._offsets[number - 1].in_badge:
                raise self._offset_refused(owner, (number,))
        energy_wh = 0
        for number in offsets:
            self._offsets[number - 1].in_badge = True
            energy_wh += self._offsets[number - 1].energy_wh
        return Badge(owner, offsets, energy_wh)

    @staticmethod
    def _offset_refused(owner: str, offsets: tuple[int, ...]) -> SettlementError:
        return SettlementError(
            "settlement.lifecycle_offset",
            "offsets {offsets} are not all {owner!r}'s, each once and in no badge yet",
            offsets=offsets,
            owner=owner,
        )

    def _turn(
        self, number: int, allowed: tuple[Status, ...], by: str, whose: str | None = None
    ) -> Request:
        """Find a request that may make a step now, by whom it is to make."""
        if not 1 <= number <= len(self.requests):
            raise SettlementError(
                "settlement.lifecycle_unknown", "there is no request {number}", number=number
            )
        asked = self.requests[number - 1]
        if by != (whose or asked.owner):
            raise SettlementError(
                "settlement.lifecycle_party",
                "request {number}: {by!r} may not, expected {expected!r}",
                number=number,
                by=by,
                expected=whose or asked.owner,
            )
        if asked.status not in allowed:
            raise SettlementError(
                "settlement.lifecycle_status",
                "request {number} is {status}, expected {expected}",
                number=number,
                status=asked.status,
                expected=" or ".join(allowed),
            )
        return asked

    def _whole(self, asked: Request) -> tuple[int, int, int, str]:
        certificate = asked.certificate or 0
        return (certificate, 0, self.store.claim(certificate).energy_wh, asked.owner)

    def _require_balance(self, owner: str, energy_wh: int) -> None:
        held = self.balances_wh.get(owner, 0)
        if not 1 <= energy_wh <= held:
            raise SettlementError(
                "settlement.lifecycle_balance",
                "{owner!r} spends {energy_wh} Wh of a balance of {held} Wh",
                owner=owner,
                energy_wh=energy_wh,
                held=held,
            )
        # A frozen certificate in the pool backs no balance: then nothing is spent.
        there = sum(lot.energy_wh for lot in self._of_pool())
        if there < energy_wh:
            raise SettlementError(
                "settlement.lifecycle_pool",
                "{energy_wh} Wh are asked of a pool of {there} Wh that are not frozen",
                energy_wh=energy_wh,
                there=there,
            )

    def _of_pool(self) -> Iterator[Lot]:
        for certificate in self._pool:
            if not self.store.is_frozen(certificate):
                lots = self.store.lots(certificate)
                yield from (lot for lot in lots if lot.holder == POOL and lot.state == "held")

    def _first_in(self, energy_wh: int) -> list[Lot]:
        parts = []
        for lot in self._of_pool():
            part = min(lot.energy_wh, energy_wh)
            if part == 0:
                break
            parts.append(lot._replace(energy_wh=part))
            energy_wh -= part
        return parts
