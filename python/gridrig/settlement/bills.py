"""Bills: what each participant paid in the market, and would have paid a utility alone.

Both bills are for the same energy, by the same meters, with the same network charge and standing
charge; they differ in what energy was paid and earned. Every line is energy x price, rounded once
per participant and rate, half up by magnitude. Nobody is left out: those who lose by the market are
counted.

References
----------
.. [1] The formula of a settled line: `docs/nomenclature.md`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from gridrig.errors import SettlementError
from gridrig.settlement.audit_lines import priced_micro

DAY_S = 86_400


class Metered(NamedTuple):
    """What a participant took and gave in one period. [s since 1970, s, mWh, mWh]"""

    participant: str
    from_s: int
    duration_s: int
    import_milliwh: int
    export_milliwh: int


@dataclass(frozen=True)
class Tariff:
    """What a utility asks for and pays.

    Parameters
    ----------
    import_micro_per_kwh : tuple of 24 int
        Price of energy taken, by hour of the local day. [millionths/kWh]
    export_micro_per_kwh : int
        What energy given earns. [millionths/kWh]
    network_micro_per_kwh : int
        Network charge on energy taken, in both bills unless the market settles it. [millionths/kWh]
    standing_micro : int
        Charge of a participant for the whole run, in both bills. [millionths]
    zone : ZoneInfo
        Where the local day is: its hours move with the clock.
    market_network_micro_per_kwh : int
        Network charge in the market's bill beside what it settles. [millionths/kWh]
    """

    import_micro_per_kwh: tuple[int, ...]
    export_micro_per_kwh: int
    network_micro_per_kwh: int
    standing_micro: int
    zone: ZoneInfo
    market_network_micro_per_kwh: int

    def import_price(self, time_s: int) -> int:
        """Return the price of energy taken at a time. [millionths/kWh]"""
        return self.import_micro_per_kwh[datetime.fromtimestamp(time_s, self.zone).hour]


@dataclass(frozen=True)
class Bill:
    """One participant's two bills; what is paid is positive. [mWh, millionths]

    `zone` is where it is connected, and `financial_only_milliwh` what of its metered trades no wire
    brought; empty and None where there are no zones.
    """

    participant: str
    imported_milliwh: int
    exported_milliwh: int
    market_micro: int
    utility_micro: int
    zone: str = ""
    financial_only_milliwh: int | None = None

    @property
    def saved_micro(self) -> int:
        """What the market saved; negative for those who lose by it. [millionths]"""
        return self.utility_micro - self.market_micro

    def to_json(self) -> dict[str, Any]:
        """Return the bill as a program reads it."""
        return {
            "participant": self.participant,
            "imported_milliwh": self.imported_milliwh,
            "exported_milliwh": self.exported_milliwh,
            "market_micro": self.market_micro,
            "utility_micro": self.utility_micro,
            "saved_micro": self.saved_micro,
            "zone": self.zone or None,
            "financial_only_milliwh": self.financial_only_milliwh,
        }


def bills(
    metered: Iterable[Metered], balances_micro: Mapping[str, int], tariff: Tariff
) -> list[Bill]:
    """Bill everybody who has a meter.

    Parameters
    ----------
    metered : iterable of Metered
        Every period of every participant.
    balances_micro : mapping of str to int
        What the market paid each, less what each paid. [millionths]
    tariff : Tariff
        The utility's.

    Returns
    -------
    list of Bill
        By participant.

    Raises
    ------
    SettlementError
        `settlement.bill_unmetered` for a balance of somebody who has no meter.
    """
    taken: dict[str, dict[int, int]] = {}
    given: dict[str, int] = {}
    for row in metered:
        by_price = taken.setdefault(row.participant, {})
        price = tariff.import_price(row.from_s)
        by_price[price] = by_price.get(price, 0) + row.import_milliwh
        given[row.participant] = given.get(row.participant, 0) + row.export_milliwh
    if unmetered := sorted(balances_micro.keys() - taken.keys()):
        raise SettlementError(
            "settlement.bill_unmetered",
            "{names} have a balance and no meter",
            names=", ".join(unmetered),
        )
    made = []
    for participant, by_price in sorted(taken.items()):
        imported, exported = sum(by_price.values()), given[participant]
        energy = sum(priced_micro(milliwh, price) for price, milliwh in by_price.items())
        earned = priced_micro(exported, tariff.export_micro_per_kwh)
        network = priced_micro(imported, tariff.network_micro_per_kwh)
        beside = priced_micro(imported, tariff.market_network_micro_per_kwh)
        balance = balances_micro.get(participant, 0)
        made.append(
            Bill(
                participant,
                imported,
                exported,
                market_micro=tariff.standing_micro + beside - balance,
                utility_micro=tariff.standing_micro + network + energy - earned,
            )
        )
    return made


def losers(made: Iterable[Bill]) -> list[Bill]:
    """Return the bills of those who pay more in the market, the largest loss first."""
    return sorted(
        (b for b in made if b.saved_micro < 0), key=lambda b: (b.saved_micro, b.participant)
    )
