"""What was paid for and what was certified, against what the meters signed, each by its own sum."""

import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from gridrig._core import MeterPeriod
from gridrig.campaign.loop import Loop
from gridrig.errors import SettlementError
from gridrig.settlement.certificates import new_asset
from gridrig.settlement.certificates_store import CertificateStore, Scheme

ISSUER = "promises"
AGAIN: tuple[tuple[str, Scheme], ...] = (
    ("another", "certificate"),
    (ISSUER, "carbon-credit"),
    (ISSUER, "share"),
)
"""Second claims of what was certified: by another issuer, and as something else."""


def payment_unlike_delivery_milliwh(loop: Loop) -> int:
    """Return the worst difference between energy paid as traded and what was traded and met. [mWh]

    Of each participant and period: the lesser of sold and exported, the lesser of bought and
    imported.
    """
    worst = 0
    for settled in loop.account.settled:
        traded: defaultdict[tuple[str, str], int] = defaultdict(int)
        for trade in settled.trades:
            traded[trade.participant, trade.side] += trade.energy_milliwh
        paid: defaultdict[tuple[str | None, str], int] = defaultdict(int)
        for entry in settled.entries:
            paid[entry.meter, entry.kind] += entry.energy_milliwh
        for meter in settled.meters:
            met = {
                "delivered": min(traded[meter.participant, "offer"], meter.export_milliwh),
                "taken": min(traded[meter.participant, "bid"], meter.import_milliwh),
            }
            worst = max(worst, *(abs(paid[meter.meter, kind] - e) for kind, e in met.items()))
    return worst


@dataclass(frozen=True)
class Certified:
    """What certifying a run came to.

    Parameters
    ----------
    unlike_wh : int
        What of minted, held and retired does not add up to whole watt-hours of the meters. [Wh]
    claimed_twice : int
        Second claims that the register took; `tried` is how many were made.
    minted_wh : int
        What the register issued. [Wh]
    """

    unlike_wh: int
    claimed_twice: int
    tried: int
    minted_wh: int


def certified(loop: Loop, sources: set[str]) -> Certified:
    """Certify what sources exported, claim each interval again in three ways, use half of it up.

    Expected of each meter are its whole watt-hours from the first to the last reading; of the
    register, that what was minted is held or retired, to the last one, and that nobody else, and no
    other scheme, gets the same energy.
    """
    counted: defaultdict[str, int] = defaultdict(int)
    twice = tried = 0
    with tempfile.TemporaryDirectory() as folder, CertificateStore(Path(folder) / "c") as store:
        for settled in loop.account.settled:
            for period in settled.meters:
                if period.meter not in sources or period.opening is None:
                    continue
                if store.asset_of(period.meter) is None:
                    store.name(period.meter, asset := new_asset())
                    start = period.opening.export_milliwh or 0
                    reading = period.opening
                    store.enrol(reading.meter, reading.serial, asset=asset, start_milliwh=start)
                counted[period.meter] += period.export_milliwh
                if store.mint(period, holder=period.participant, issuer=ISSUER) is not None:
                    tried += len(AGAIN)
                    twice += sum(_takes(store, period, issuer, scheme) for issuer, scheme in AGAIN)
        retired = 0
        for lot in store.lots()[::2]:
            store.retire(
                lot.certificate, lot.from_wh, lot.energy_wh, lot.holder,
                purpose="use", beneficiary=lot.holder,
            )  # fmt: skip
            retired += lot.energy_wh
        supply = store.supply()
    whole = sum(energy // 1000 for energy in counted.values())
    unlike = (
        abs(supply.minted_wh - whole)
        + abs(supply.retired_wh - retired)
        + abs(supply.minted_wh - supply.held_wh - supply.retired_wh)
    )
    return Certified(unlike, twice, tried, supply.minted_wh)


def _takes(store: CertificateStore, period: MeterPeriod, issuer: str, scheme: Scheme) -> bool:
    """Tell whether a register takes a second claim of the same energy."""
    try:
        store.mint(period, holder="somebody", issuer=issuer, scheme=scheme)
    except SettlementError as refusal:
        if refusal.code != "settlement.certificate_double_claim":
            raise
        return False
    return True


def traded_beyond_milliwh(loop: Loop, participant: str, most_milliwh: int) -> int:
    """Return by how much a participant's trades of any period exceed what it may trade. [mWh]"""
    worst = 0
    for cleared in loop.trading.cleared:
        for side in ("bid", "offer"):
            energy = sum(
                trade.energy_milliwh
                for trade in cleared.trades
                if trade.participant == participant and trade.side == side
            )
            worst = max(worst, energy - most_milliwh)
    return worst


def liars_paid_milliwh(loop: Loop) -> int:
    """Return the energy of entries backed by a reading that was refused. [mWh]"""
    verified = {bytes.fromhex(row.digest) for row in loop.rounds.received if row.digest}
    return sum(
        entry.energy_milliwh
        for entry in loop.account.entries()
        if entry.meter is not None
        and any(d not in verified for d in (entry.opening_digest, entry.closing_digest) if d)
    )
