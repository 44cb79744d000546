"""A year of plants in a register of certificates, and what of it does not add up.

The first plant is certified in the morning and credited as carbon from `CREDITED_FROM_H` on; the
others are held in shares; a storage mints what certificates of the first were retired to charge.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from gridrig._core import EnergyClaim, MeterPeriod
from gridrig.errors import SettlementError
from gridrig.promises.plant_days import HOUR_S, sun_share
from gridrig.promises.plant_year import STEP_S, PlantYear
from gridrig.promises.register_text import whole_wh
from gridrig.quantity import DAY_S
from gridrig.settlement.certificates import CertificateStore, new_asset
from gridrig.settlement.certificates_batch import mint_batch, whole
from gridrig.settlement.plant_shares import PlantShares

ISSUER, OWNER, PLANT, KEEPER = "promises", "owner", "plant", "keeper"
CREDITED_FROM_H = 14
STORAGE_PERMILLE = 850
SHARE_W = 100
QUANTUM_MS = 300_000


@dataclass
class CertifiedYear:
    """The register's file and what went into it.

    Parameters
    ----------
    path : Path
        The register.
    plants, storages : tuple of str
        Meters of each kind, in rig order: the first plant is owned, the others are shared.
    claims : mapping of meter to list of EnergyClaim
        What was minted.
    charged_wh : int
        What was retired to charge. [Wh]
    parted : list of (EnergyClaim, list of int)
        Certificates of shared plants and the part of each share, the plant's last. [Wh]
    refused_share : str
        The code by which the share beyond the last was refused.
    """

    path: Path
    plants: tuple[str, ...]
    storages: tuple[str, ...]
    claims: dict[str, list[EnergyClaim]] = field(default_factory=lambda: defaultdict(list))
    charged_wh: int = 0
    parted: list[tuple[int, list[int]]] = field(default_factory=list)
    refused_share: str = ""

    def unlike_meters_wh(self, year: PlantYear) -> int:
        """Return what plants' certificates differ from their registers' text by, in all. [Wh]"""
        return sum(
            abs(sum(c.energy_wh for c in self.claims[m]) - whole_wh(year.records[m], HOUR_S))
            for m in self.plants
        )

    def without_sun_wh(self) -> int:
        """Return what plants' certificates are of hours in which the sun gave nothing. [Wh]

        A battery that gives through a plant's meter would be there. What a plant gives is held
        for a step, so that the last one before counts as the sun's.
        """
        return sum(
            claim.energy_wh
            for meter in self.plants
            for claim in self.claims[meter]
            if not any(map(sun_share, range(claim.from_s - STEP_S // 2, claim.to_s, STEP_S)))
        )

    def unlike_supply_wh(self) -> int:
        """Return what minted differs from held, retired and moved, lot by lot and in sum. [Wh]"""
        with CertificateStore(self.path) as store:
            supply, lots = store.supply(), store.lots()
        minted = sum(claim.energy_wh for claims in self.claims.values() for claim in claims)
        by_state: defaultdict[str, int] = defaultdict(int)
        for lot in lots:
            by_state[lot.state] += lot.energy_wh
        used = by_state["retired"] + by_state["charged"]
        return (
            abs(minted - sum(by_state.values()))
            + abs(supply.minted_wh - minted)
            + abs(supply.retired_wh - used)
            + abs(supply.held_wh - by_state["held"])
            + abs(supply.moved_wh - by_state["moved"])
        )

    def storage_wh(self) -> int:
        """Return what the storages minted. [Wh]"""
        return sum(claim.energy_wh for meter in self.storages for claim in self.claims[meter])

    def storage_beyond_charge_wh(self) -> int:
        """Return what the storages' certificates are above the retired charge less losses. [Wh]"""
        return max(0, self.storage_wh() - self.charged_wh * STORAGE_PERMILLE // 1000)

    def shares_unlike_plant(self, year: PlantYear) -> int:
        """Return how many slots gave shares another part than theirs, or more than the plant has.

        A part has to be within a watt-hour of its exact share, all parts together what the meter
        of the slot says, and that no more than the plant can give in an hour.
        """
        wrong = 0
        shared = {claim.number: (m, claim) for m in self.plants[1:] for claim in self.claims[m]}
        hours = {(m, hour.from_ms): hour for m in self.plants[1:] for hour in year.hours(m)}
        for number, parts in self.parted:
            meter, claim = shared[number]
            hour = hours[meter, claim.first_quantum * QUANTUM_MS]
            exact = claim.energy_wh / (len(parts) - 1)
            wrong += (
                sum(parts) != claim.energy_wh
                or any(abs(part - exact) >= 1 for part in parts[:-1])
                or abs(1000 * claim.energy_wh - hour.export_milliwh) >= 1000
                or 1000 * claim.energy_wh > year.rated_w[year.plant_of[meter]] * 1000
            )
        return wrong


def certify(year: PlantYear, path: Path) -> CertifiedYear:
    """Certify a year, a day of one plant a batch."""
    plants = tuple(m for m in year.readings if year.plant_of[m] in year.rated_w)
    storages = tuple(m for m in year.readings if m not in plants)
    certified = CertifiedYear(path, plants, storages)
    with CertificateStore(path) as store:
        _enrol(year, certified, store)
        for meter in plants[:1]:
            for day in _days(year.hours(meter)):
                certified.claims[meter] += _own(store, day)
        for meter in plants[1:]:
            _share(year, certified, store, meter)
        for meter in storages:
            _store(year, certified, store, meter)
    return certified


def _enrol(year: PlantYear, certified: CertifiedYear, store: CertificateStore) -> None:
    with store.whole():
        for meter, readings in year.readings.items():
            if readings:
                store.name(meter, asset := new_asset())
                first = readings[0]
                store.enrol(
                    first.meter,
                    first.serial,
                    asset=asset,
                    start_milliwh=first.export_milliwh or 0,
                    storage_permille=STORAGE_PERMILLE if meter in certified.storages else None,
                )


def _own(store: CertificateStore, day: list[MeterPeriod]) -> list[EnergyClaim]:
    """Certify a day of a plant with one owner: certificates first, then carbon credits."""
    morning = [hour for hour in day if _hour_of(hour) < CREDITED_FROM_H]
    later = [hour for hour in day if _hour_of(hour) >= CREDITED_FROM_H]
    found = mint_batch(store, morning, holder=OWNER, issuer=ISSUER)
    found += mint_batch(store, later, holder=OWNER, issuer=ISSUER, scheme="carbon-credit")
    return [claim for claim in found if claim is not None]


def _share(year: PlantYear, certified: CertifiedYear, store: CertificateStore, meter: str) -> None:
    shares = PlantShares(PLANT, int(year.rated_w[year.plant_of[meter]]), SHARE_W)
    for number in range(shares.capacity_w // SHARE_W):
        shares.give(f"home-{number + 1}")
    try:
        shares.give("one-too-many")
    except SettlementError as refusal:
        certified.refused_share = refusal.code
    days = _days(year.hours(meter))
    # The shares of midsummer and of midwinter; on the other days the plant keeps what it makes.
    midsummer, midwinter = len(days) * 11 // 24, len(days) - 1
    for place, day in enumerate(days):
        if place not in (midsummer, midwinter):
            kept = mint_batch(store, day, holder=PLANT, issuer=ISSUER, scheme="share")
            certified.claims[meter] += [claim for claim in kept if claim is not None]
            continue
        for hour in day:
            number = store.events + 1
            parts = shares.part(store, hour, issuer=ISSUER)
            if store.events >= number:
                certified.claims[meter].append(store.claim(number))
                certified.parted.append((number, parts))


def _store(year: PlantYear, certified: CertifiedYear, store: CertificateStore, meter: str) -> None:
    """Retire certificates of the same hour to charge, then certify what comes back."""
    hours = year.hours(meter)
    sources = {c.first_quantum: c for m in certified.plants[:1] for c in certified.claims[m]}
    asset = store.asset_of(meter)
    with store.whole():
        for hour in hours:
            source = sources.get(hour.from_ms // QUANTUM_MS)
            taken = hour.import_milliwh // 1000
            if source is not None and asset is not None and taken:
                energy_wh = min(taken, source.energy_wh)
                store.charge(source.number, 0, energy_wh, OWNER, asset)
                certified.charged_wh += energy_wh
        for hour in hours:
            if hour.export_milliwh < 1000:
                continue
            try:
                claim = store.mint(hour, holder=KEEPER, issuer=ISSUER)
            except SettlementError as refusal:
                if refusal.code != "settlement.certificate_uncharged":
                    raise
                continue  # all that charged it is certified already
            if claim is not None:
                certified.claims[meter].append(claim)


def _days(hours: list[MeterPeriod]) -> list[list[MeterPeriod]]:
    days: defaultdict[int, list[MeterPeriod]] = defaultdict(list)
    for hour in hours:
        days[hour.from_ms // (1000 * DAY_S)].append(hour)
    return [days[day] for day in sorted(days)]


def _hour_of(hour: MeterPeriod) -> int:
    return hour.from_ms // 1000 % DAY_S // HOUR_S


def second_mint_wh(year: PlantYear, certified: CertifiedYear) -> int:
    """Mint every hour of a year again as it was; return what that added. [Wh]"""
    before = after = 0
    with whole(certified.path) as store:
        before = store.supply().minted_wh
        for meter, claims in certified.claims.items():
            hours = {hour.from_ms // QUANTUM_MS: hour for hour in year.hours(meter)}
            for claim in claims:
                store.mint(
                    hours[claim.first_quantum],
                    holder=claim.holder,
                    issuer=claim.issuer,
                    scheme=claim.scheme,
                )
        after = store.supply().minted_wh
    return after - before


def unlike_telemetry_permille(year: PlantYear) -> float | None:
    """Return how far a meter is from what its inverter says of itself, the worst. [permille]

    Over the year, given and taken; of a year without any energy there is nothing to compare.
    """
    worst = None
    for meter, device in year.plant_of.items():
        hours = year.hours(meter)
        gave = sum(hour.export_milliwh for hour in hours) / 1000
        took = sum(hour.import_milliwh for hour in hours) / 1000
        said = year.given_wh[device] + year.taken_wh[device]
        apart = abs(gave - year.given_wh[device]) + abs(took - year.taken_wh[device])
        if scale := max(gave + took, said):
            worst = max(worst or 0.0, 1000 * apart / scale)
    return worst
