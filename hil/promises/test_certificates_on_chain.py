"""Campaign 5, certificate year: what contracts hold of it on chains; rows N2, N8 and M18.

Stimulus: eight days in June, hour by hour, on the plants of the certificate year; each meter signs
every hour. What they signed is paid week by week by a contract, and certified in a registry on the
same chain: every step of a certificate's life is sent by whom it is for and by others, in every
state. Certificates are passed on and retired, while somebody else certifies the same hours on a
second chain. The chains are local nodes, which this procedure starts; what they hold is read from
them by plain JSON-RPC, not by what called them.
"""

from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.promises import registries_on_chain as registries
from gridrig.promises.bench_chains import local_chains
from gridrig.promises.certified_year import unlike_telemetry_permille
from gridrig.promises.chain_reader import ChainReader
from gridrig.promises.lives_on_chain import HOURS_NEEDED, build_registry, lives_on_chain
from gridrig.promises.plant_days import HOUR_S, day_start_utc_s, days_from
from gridrig.promises.plant_year import run_year
from gridrig.promises.weeks_on_chain import pay_weeks

START_S = day_start_utc_s(6)  # a Thursday, on which the weeks of the profile begin
DAYS = days_from(START_S, 8)
CHAIN_IDS = (31_337, 31_338)
CERTIFIED_H = 24
CERTIFIED, LIVED, FOREIGN = (bytes([n]) * 32 for n in (0x5A, 0x1F, 0xA5))
TELEMETRY, UNREAD = "meters_unlike_telemetry_permille", "readings_unread"


@procedure(
    claim="contracts pay and hold what meters signed, each watt-hour once and on its day",
    clause="promises N2, N8, M18",
    hazards="plants and battery run at full power; chains of this machine, keys worth nothing",
    rig="emulated-plants",
    needs=("inverter", "storage", "bms", "meter", "model"),
    start_utc_s=START_S - 600,
    criteria=(
        Criterion(UNREAD, "1", max=0, source="every meter signs every hour"),
        Criterion(TELEMETRY, "permille", max=10, source="ours: inverters' own figures"),
        Criterion("buckets_paid", "1", min=2, source="a week, and the day after it"),
        Criterion("paid_before_day_14_micro", "micro", max=0, source="balances until its midnight"),
        Criterion("paid_again_micro", "micro", max=0, source="second claims, of more, by another"),
        Criterion("paid_unlike_energy", "1", max=0, source="exact parts of the week's watt-hours"),
        Criterion("bucket_unlike_paid_micro", "micro", max=0, source="all of it, to the last unit"),
        Criterion("refused_otherwise", "1", max=0, source="each false claim by its own error"),
        Criterion("false_claims_tried", "1", min=30, source="early, false, again, by strangers"),
        Criterion("steps_unlike_table", "1", max=0, source="five states, four steps, who may"),
        Criterion("steps_tried", "1", min=2 * HOURS_NEEDED, source="by right, and by others"),
        Criterion("units_unlike_meters_wh", "Wh", max=0, source="1 unit is 1 Wh of the records"),
        Criterion("supply_unlike_issued_wh", "Wh", max=0, source="issued - retired, every block"),
        Criterion("blocks_with_supply", "1", min=34, source="27 steps that change it, seven hours"),
        Criterion("audit_unlike_reader", "1", max=0, source="`registry_audit` against the reader"),
        Criterion("double_counts_unlike_planted", "1", max=0, source="seven pairs on two chains"),
    ),
    mutants=(
        Mutant("counts two per cent too much", "meter-pv-1", {"scale": 1.02}, TELEMETRY),
        Mutant("signs with a foreign key", "meter-pv-2", {"seed": 999}, UNREAD),
    ),
)
async def test_certificates_on_chain(lab: Lab) -> None:
    """Run the days, pay and certify them on chains, and read these."""
    days = await run_year(lab, DAYS, step_s=HOUR_S // 2)
    record = lab.record
    record(UNREAD, "1", days.unread)
    record(TELEMETRY, "permille", unlike_telemetry_permille(days))
    if days.unread:
        return  # without every hour there is no week to pay
    plant, other = (m for m in days.readings if days.plant_of[m] in days.rated_w)
    with local_chains(lab.clock, *CHAIN_IDS) as (home, far):
        farms = [(m, days.hours(m), days.records[m]) for m in days.readings]
        paid = await pay_weeks(home, lab.clock, farms)
        record("buckets_paid", "1", paid.buckets)
        record("paid_before_day_14_micro", "micro", paid.early_micro)
        record("paid_again_micro", "micro", paid.again_micro)
        record("paid_unlike_energy", "1", paid.unlike_energy)
        record("bucket_unlike_paid_micro", "micro", paid.unpaid_micro)
        record(
            "refused_otherwise",
            "1",
            len(paid.refused_otherwise),
            note="; ".join(paid.refused_otherwise),
        )
        record("false_claims_tried", "1", paid.tried)

        ours, theirs = [await build_registry(chain) for chain in (home, far)]
        sunny = [hour for hour in days.hours(other) if hour.export_milliwh >= 1000]
        lives = await lives_on_chain(home, ours, LIVED, sunny[:HOURS_NEEDED])
        record("steps_unlike_table", "1", len(lives.unlike), note="; ".join(lives.unlike))
        record("steps_tried", "1", lives.tried)

        moved = await registries.move_to_chain(
            home, ours, CERTIFIED, days.hours(plant)[:CERTIFIED_H]
        )
        await registries.use(home, ours, moved)
        reader = ChainReader(home.url)
        unlike = registries.units_unlike_meters_wh(
            reader.certificates(ours), CERTIFIED, days.records[plant], CERTIFIED_H
        )
        record("units_unlike_meters_wh", "Wh", unlike)
        blocks = reader.supply(ours)
        record("supply_unlike_issued_wh", "Wh", registries.supply_unlike_issued_wh(blocks))
        record("blocks_with_supply", "1", registries.changed(blocks))
        record("audit_unlike_reader", "1", registries.audit_unlike_reader(home, ours, blocks))
        await registries.certify_elsewhere(far, theirs, moved, FOREIGN)
        unlike = registries.double_counts_unlike_planted((home, far), (ours, theirs), moved)
        record("double_counts_unlike_planted", "1", unlike)
