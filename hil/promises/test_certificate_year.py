"""Campaign 5, certificate year: rows N2, N3, N8, N9, N14, M34, and M18, M19 beyond one afternoon.

Stimulus: the fifteenth of every month of a year, hour by hour, or all of its days. Two plants under
the sun of 50 degrees north and a battery that charges at noon and gives in the evening, as its
state of charge allows; each meter signs every hour. The year is certified: one plant as
certificates and carbon credits, one in thirty shares, the battery by what was retired to charge it.
Then everything is claimed again in every way there is, certificates are led through every step of
their life in every state, and a vault and weekly buckets pay out what was signed.

`gridrig promises` runs the twelve days. All 365 take minutes:

    gridrig test hil/promises/test_certificate_year.py -m soak
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.promises.batches import batches_unlike, private_sum_unlike_wh
from gridrig.promises.carbon_sums import grams_unlike_sums, stated_rates, withheld
from gridrig.promises.certified_year import certify, second_mint_wh, unlike_telemetry_permille
from gridrig.promises.lifecycles import HOURS_NEEDED, offsets_unlike_wh, transitions_unlike_rule
from gridrig.promises.plant_days import fifteenths, whole_year
from gridrig.promises.plant_year import run_year
from gridrig.promises.second_claims import second_claims
from gridrig.promises.vault_sums import vault_unlike_sums
from gridrig.promises.weekly_sums import weekly_unlike_rule

TELEMETRY, UNREAD = "meters_unlike_telemetry_permille", "readings_unread"
NEEDS = ("inverter", "storage", "bms", "meter", "model")
SETTLING_S = 600  # before the first day
CRITERIA = (
    Criterion(UNREAD, "1", max=0, source="every meter signs every hour"),
    Criterion("hours_unmetered", "1", max=0, source="24 of each day, of each meter"),
    Criterion(TELEMETRY, "permille", max=10, source="ours: inverters' own figures"),
    Criterion("certificates_unlike_meters_wh", "Wh", max=0, source="the text of the records"),
    Criterion("certified_without_sun_wh", "Wh", max=0, source="a plant gives nothing at night"),
    Criterion("supply_unlike_lots_wh", "Wh", max=0, source="minted = held + retired + moved"),
    Criterion("minted_again_wh", "Wh", max=0, source="a second mint of every hour"),
    Criterion("claimed_twice", "1", max=0, source="every other way to claim, each by name"),
    Criterion("second_claims_tried", "1", min=100, source="on each meter, all schemes"),
    Criterion("refusals_without_records", "1", max=0, source="both claims are shown"),
    Criterion("storage_beyond_charge_wh", "Wh", max=0, source="retired to charge, less losses"),
    Criterion("storage_certified_wh", "Wh", min=1, source="something came back"),
    Criterion("shares_unlike_plant", "1", max=0, source="exact parts, meter and capacity"),
    Criterion("shares_beyond_capacity", "1", max=0, source="the share that has no room"),
    Criterion("transitions_unlike_rule", "1", max=0, source="a table of states and steps"),
    Criterion("offsets_unlike_wh", "Wh", max=0, source="first in first out, each badge once"),
    Criterion("batches_unlike", "1", max=0, source="whole, or refused whole by name"),
    Criterion("private_sum_unlike_wh", "Wh", max=0, source="openings of a published root"),
    Criterion("grams_unlike_sums", "g", max=0, source="Wh x rate in integers"),
    Criterion("hours_without_rate_withheld", "1", min=1, source="rates lack hours"),
    Criterion("weekly_claims_unlike_rule", "1", max=0, source="each bucket once, when final"),
    Criterion("vault_unlike_sums_micro", "micro", max=0, source="(D + R - f) / shares, exact"),
)
MUTANTS = (
    Mutant("reversed transformer", "meter-pv-1", {"sign": -1}, TELEMETRY),
    Mutant("counts two per cent too much", "meter-pv-2", {"scale": 1.02}, TELEMETRY),
    Mutant("battery's meter counts a fifth too much", "meter-storage-1", {"scale": 1.2}, TELEMETRY),
    Mutant("signs with a foreign key", "meter-pv-2", {"seed": 999}, UNREAD),
    Mutant("its clock runs back", "meter-pv-1", {"clock_drift_ppm": -3000}, UNREAD),
    Mutant("inverter tells too much", "pv-1", {"scale": 1.05}, TELEMETRY),
)


@procedure(
    claim="twelve days of a year of signed hours are certified to the watt-hour, each hour once",
    clause="promises N2, N3, N8, N9, N14, M18, M19, M34",
    hazards="plants and battery run at full power; nothing is switched",
    rig="emulated-plants",
    needs=NEEDS,
    start_utc_s=fifteenths()[0] - SETTLING_S,
    criteria=CRITERIA,
    mutants=MUTANTS,
)
async def test_certificate_year(lab: Lab) -> None:
    """Run the fifteenth of each month, certify the days and try to claim them again."""
    await _judge(lab, fifteenths())


@pytest.mark.soak
@procedure(
    claim="a year of signed hours, 365 days of them, is certified to the watt-hour, each hour once",
    clause="promises N2, N3, N8, N9, N14, M18, M19, M34",
    hazards="plants and battery run at full power for a year; nothing is switched",
    rig="emulated-plants",
    needs=NEEDS,
    start_utc_s=whole_year()[0] - SETTLING_S,
    criteria=CRITERIA,
    mutants=MUTANTS,
)
async def test_whole_year(lab: Lab) -> None:
    """Run every day of the year, certify it and try to claim it again."""
    await _judge(lab, whole_year())


async def _judge(lab: Lab, days: Sequence[int]) -> None:
    year = await run_year(lab, days)
    lab.record(UNREAD, "1", year.unread)
    lab.record("hours_unmetered", "1", year.unmetered(days))
    lab.record(TELEMETRY, "permille", unlike_telemetry_permille(year))
    if year.unread:
        return  # without every hour there is no year to judge
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "certificates.db"
        certified = certify(year, path)
        if not any(certified.claims[meter] for meter in certified.plants[:1]):
            return
        tried = second_claims(year, certified)
        record = lab.record
        record("certificates_unlike_meters_wh", "Wh", certified.unlike_meters_wh(year))
        record("certified_without_sun_wh", "Wh", certified.without_sun_wh())
        record("minted_again_wh", "Wh", second_mint_wh(year, certified))
        record("supply_unlike_lots_wh", "Wh", certified.unlike_supply_wh())
        record("claimed_twice", "1", tried.taken)
        record("second_claims_tried", "1", tried.tried)
        record("refusals_without_records", "1", tried.without_records)
        record("storage_beyond_charge_wh", "Wh", certified.storage_beyond_charge_wh())
        record("storage_certified_wh", "Wh", certified.storage_wh())
        record("shares_unlike_plant", "1", certified.shares_unlike_plant(year))
        full = certified.refused_share == "settlement.plant_full"
        record("shares_beyond_capacity", "1", 0 if full else 1)
        plant = certified.plants[0]
        sunny = [hour for hour in year.hours(plant) if hour.export_milliwh >= 1000]
        record("transitions_unlike_rule", "1", transitions_unlike_rule(sunny[:HOURS_NEEDED]))
        record("offsets_unlike_wh", "Wh", offsets_unlike_wh(sunny[2:]))
        record("batches_unlike", "1", batches_unlike(sunny[:24], Path(folder) / "batch.db"))
        claims = [claim for claim in certified.claims[plant] if claim.scheme == "carbon-credit"]
        record("private_sum_unlike_wh", "Wh", private_sum_unlike_wh(claims))
        rates = stated_rates(claims)
        record("grams_unlike_sums", "g", grams_unlike_sums(claims, rates))
        record("hours_without_rate_withheld", "1", withheld(claims, rates))
        sites = [(m, year.hours(m), year.records[m]) for m in certified.plants]
        farms = [(m, year.hours(m), year.records[m]) for m in year.readings]
        record("weekly_claims_unlike_rule", "1", weekly_unlike_rule(farms))
        record("vault_unlike_sums_micro", "micro", vault_unlike_sums(sites))
