"""A vault: deposits pay for sites, and what the sites' signed export earns belongs to the shares.

    assets      = cash + book value of the sites
    share value = assets / shares, an exact fraction, never rounded by itself
    deposit     gives  amount x shares / assets  shares, rounded down (the first: one a millionth)
    redemption  pays   shares x assets / all shares,     rounded down
    earning     adds   energy x price - fee to the cash; energy x price is rounded half up, the fee
                down, once an interval

so that no deposit and no redemption takes value from those who stay. What is worth less than it
was paid for is written off once, and is everybody's loss by its shares, because it leaves assets
and no shares.

Invariants: cash = deposits + earnings - fees - redemptions - funding + recoveries; only an interval
between two verified readings earns, and each moment of a meter earns once. What a link lost is told
by `gaps` and is earned by the interval that its registers close, once, whenever that comes.

Known gaps: it lives as long as the object, whoever keeps a vault for good replays its journal into
it; fees and prices are constant.
"""

from bisect import bisect_right
from dataclasses import dataclass, field

from gridrig._core import MeterPeriod
from gridrig.errors import SettlementError

MILLIWH_PER_KWH = 1_000_000


@dataclass
class _Site:
    meter: str
    book_micro: int
    earned: list[tuple[int, int]] = field(default_factory=list)  # [UTC ms], by time
    defaulted: bool = False


@dataclass
class Vault:
    """Deposits, sites and shares.

    Parameters
    ----------
    price_micro_per_kwh : int
        What exported energy earns, not negative. [millionths/kWh]
    fee_permille : int
        What the manager keeps of earnings, 0 to 1000.

    Examples
    --------
    >>> vault = Vault(price_micro_per_kwh=100_000, fee_permille=10)
    >>> vault.deposit("ann", 3_000_000), vault.deposit("ben", 1_000_000)
    (3000000, 1000000)
    >>> vault.fund("roof", "meter-7", 2_000_000)
    >>> vault.default("roof", recovered_micro=400_000)
    1600000
    >>> vault.value()
    (2400000, 4000000)
    >>> vault.redeem("ben", 1_000_000)
    600000
    """

    price_micro_per_kwh: int
    fee_permille: int
    cash_micro: int = 0
    fees_micro: int = 0
    shares: dict[str, int] = field(default_factory=dict)
    _sites: dict[str, _Site] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse prices and fees that nobody can pay."""
        if self.price_micro_per_kwh < 0 or not 0 <= self.fee_permille <= 1000:
            raise SettlementError(
                "settlement.vault_terms",
                "price {price} micro/kWh, fee {fee} permille: expected 0 or more, and 0 to 1000",
                price=self.price_micro_per_kwh,
                fee=self.fee_permille,
            )

    def value(self) -> tuple[int, int]:
        """Return assets and shares; their quotient is the value of a share. [millionths, 1]"""
        book = sum(site.book_micro for site in self._sites.values())
        return self.cash_micro + book, sum(self.shares.values())

    def deposit(self, holder: str, amount_micro: int) -> int:
        """Take a deposit and return the shares it gives.

        Raises
        ------
        SettlementError
            `settlement.vault_amount` if it gives none, or if all was lost and shares are worth
            nothing.
        """
        assets, shares = self.value()
        given = amount_micro if not shares else amount_micro * shares // assets if assets else 0
        if amount_micro <= 0 or given <= 0:
            raise self._refused(holder, amount_micro, f"worth a share of {assets}/{shares}")
        self.cash_micro += amount_micro
        self.shares[holder] = self.shares.get(holder, 0) + given
        return given

    def redeem(self, holder: str, shares: int) -> int:
        """Take shares back and return what they pay. [millionths]

        Raises
        ------
        SettlementError
            `settlement.vault_amount` for more than are held, or than there is cash for.
        """
        held = self.shares.get(holder, 0)
        if not 0 < shares <= held:
            raise self._refused(holder, shares, f"1 to {held} shares")
        assets, all_shares = self.value()
        paid = shares * assets // all_shares
        if paid > self.cash_micro:
            raise self._refused(holder, paid, f"at most the cash, {self.cash_micro}")
        self.cash_micro -= paid
        self.shares[holder] = held - shares
        return paid

    def fund(self, site: str, meter: str, amount_micro: int) -> None:
        """Pay for a site, whose meter earns from then on.

        Raises
        ------
        SettlementError
            `settlement.vault_site` if site or meter is in the vault; `settlement.vault_amount`.
        """
        if site in self._sites or any(meter == other.meter for other in self._sites.values()):
            raise SettlementError(
                "settlement.vault_site",
                "site {site!r} with meter {meter!r}: one of them is in the vault already",
                site=site,
                meter=meter,
            )
        if not 0 <= amount_micro <= self.cash_micro:
            raise self._refused(site, amount_micro, f"0 to the cash, {self.cash_micro}")
        self.cash_micro -= amount_micro
        self._sites[site] = _Site(meter, amount_micro)

    def earn(self, period: MeterPeriod) -> int:
        """Add what a site exported; return what it adds to the assets. [millionths]

        An estimate or a part of an interval adds nothing, as does an interval that was earned.

        Raises
        ------
        SettlementError
            `settlement.vault_site` if no site that stands has its meter, `settlement.vault_overlap`
            if part of the interval was earned.
        """
        site = self._site_of(period)
        span = (period.from_ms, period.to_ms)
        if period.quality != "measured":
            return 0
        place = bisect_right(site.earned, span)
        # What was earned does not overlap, so only the neighbours in time can stand in the way.
        for earned in site.earned[max(0, place - 1) : place + 1]:
            if earned == span:
                return 0
            if earned[0] < period.to_ms and period.from_ms < earned[1]:
                raise SettlementError(
                    "settlement.vault_overlap",
                    "meter {meter!r}: {from_ms} to {to_ms} ms overlaps {earned_from_ms} to "
                    "{earned_to_ms} ms, which was earned",
                    meter=period.meter,
                    from_ms=span[0],
                    to_ms=span[1],
                    earned_from_ms=earned[0],
                    earned_to_ms=earned[1],
                )
        site.earned.insert(place, span)
        exact = period.export_milliwh * self.price_micro_per_kwh
        revenue = (2 * exact + MILLIWH_PER_KWH) // (2 * MILLIWH_PER_KWH)
        fee = revenue * self.fee_permille // 1000
        self.cash_micro += revenue - fee
        self.fees_micro += fee
        return revenue - fee

    def gaps(self, site: str, from_ms: int, to_ms: int) -> list[tuple[int, int]]:
        """Return the stretches of a span in which a site earned nothing yet. [UTC ms]"""
        found, reached = [], from_ms
        for begin_ms, end_ms in self._sites[site].earned:
            if reached < begin_ms and reached < to_ms:
                found.append((reached, min(begin_ms, to_ms)))
            reached = max(reached, end_ms)
        return [*found, (reached, to_ms)] if reached < to_ms else found

    def default(self, site: str, *, recovered_micro: int) -> int:
        """Write a site off, less what was recovered; return the loss. [millionths]

        Raises
        ------
        SettlementError
            `settlement.vault_site` if there is none that stands, `settlement.vault_amount`.
        """
        held = self._sites.get(site)
        if held is None or held.defaulted:
            raise SettlementError(
                "settlement.vault_site", "no site {site!r} stands in the vault", site=site
            )
        if not 0 <= recovered_micro <= held.book_micro:
            raise self._refused(site, recovered_micro, f"0 to its book value, {held.book_micro}")
        loss = held.book_micro - recovered_micro
        self.cash_micro += recovered_micro
        held.book_micro, held.defaulted = 0, True
        return loss

    def _site_of(self, period: MeterPeriod) -> _Site:
        for site in self._sites.values():
            if site.meter == period.meter and not site.defaulted:
                return site
        raise SettlementError(
            "settlement.vault_site",
            "no site that stands in the vault has meter {meter!r}",
            meter=period.meter,
        )

    @staticmethod
    def _refused(who: str, found: int, expected: str) -> SettlementError:
        return SettlementError(
            "settlement.vault_amount",
            "{who!r}: found {found}, expected {expected}",
            who=who,
            found=found,
            expected=expected,
        )
