"""From verified readings and trades to the journal: one period settled in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gridrig._core import (
    MeterPeriod,
    Settled,
    SettlementRules,
    VerifiedReading,
    Verifier,
    settle_period,
)
from gridrig.campaign.records import EnergyRow
from gridrig.campaign.trading import Cleared
from gridrig.errors import SettlementError
from gridrig.events import EventLog
from gridrig.settlement.journal import Journal

RESOLUTION_MILLIWH = 1  # of a signed register


@dataclass
class Account:
    """Settles periods as their readings come in.

    Parameters
    ----------
    meter_of : mapping of participant to meter
        In rig order; the participant of the feeder head is `head`.
    rules : SettlementRules
        What was agreed.
    start_utc_s : int
        When the run began. [s since 1970-01-01 UTC]
    """

    meter_of: Mapping[str, str]
    head: str
    rules: SettlementRules
    start_utc_s: int
    journal: Journal
    verifier: Verifier
    events: EventLog
    opening: dict[str, VerifiedReading] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)
    energy: list[EnergyRow] = field(default_factory=list)
    missing: list[tuple[int, str]] = field(default_factory=list)

    def start(self, readings: Mapping[str, VerifiedReading]) -> None:
        """Take the readings at the beginning of the run as the first opening ones."""
        self.opening = dict(readings)

    def settle(
        self, cleared: Cleared, readings: Mapping[str, VerifiedReading], engine_losses_wh: float
    ) -> None:
        """Settle one period from the readings at its end; refuse it if one is missing.

        A period that is refused is not made up for by the next one: what a meter counted in both
        belongs to the trades of neither, so both stay open until it has read twice in a row.
        """
        period = cleared.period.index
        opening, self.opening = self.opening, dict(readings)
        absent = [
            name
            for name, meter in self.meter_of.items()
            if meter not in readings or meter not in opening
        ]
        if absent:
            self.missing += [(period, name) for name in absent]
            self.events.record("period_not_settled", period=period, missing=absent)
            return
        try:
            parts = {
                name: MeterPeriod(name, opening[meter], readings[meter])
                for name, meter in self.meter_of.items()
            }
            settled = settle_period(
                period,
                [part for name, part in parts.items() if name != self.head],
                list(cleared.trades),
                from_ms=1000 * (self.start_utc_s + cleared.period.start_s),
                to_ms=1000 * (self.start_utc_s + cleared.period.end_s),
                rules=self.rules,
                head=parts[self.head],
            )
        except SettlementError as error:
            self.events.record("period_not_settled", period=period, cause=str(error))
            self.missing.append((period, ""))
            return
        accepted = self.journal.unposted(self.verifier.ledger_rows())
        self.journal.post(settled, accepted=accepted)
        self.settled.append(settled)
        self.energy.append(
            EnergyRow(
                period,
                settled.imported_milliwh,
                settled.exported_milliwh,
                settled.losses_milliwh,
                engine_losses_wh * 1000,
                (len(parts) + 1) * RESOLUTION_MILLIWH,
            )
        )

    def entries(self) -> list[Any]:
        """Return every entry so far, in order."""
        return [entry for settled in self.settled for entry in settled.entries]
