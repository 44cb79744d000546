"""Campaign 10, two regions and two chains: row M23.

Stimulus: the same day in UTC in two regions: 50 Hz and 60 Hz, 400 V and 208 V, two time zones one
of which is half an hour off the hour, two currencies, two tariffs. What the roofs of the first
region delivered is minted on a chain, one unit a watt-hour, and crosses to a chain of the second
and back, while relays stay away, repeat themselves and lie, and both chains take blocks back. What
can be used is counted on both chains after each step. The chains are local nodes, which this
procedure starts.
"""

from zoneinfo import ZoneInfo

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.crossing import local_crossing
from gridrig.promises.deliveries import certified, payment_unlike_delivery_milliwh
from gridrig.promises.regions import (
    days_unlike_meters_milliwh,
    delivered_wh,
    run_beside,
    sources_of,
)

FIRST, SECOND = (
    load_scenario(SCENARIOS / f"promise-10-region-{hz}hz.toml", units(CATALOGUE)) for hz in (50, 60)
)
ZONES = (ZoneInfo("Europe/Berlin"), ZoneInfo("America/St_Johns"))
AHEAD_OF_UTC_S = (7_200, -9_000)  # in June
PORTION_WH = 10_000
RETURNED_WH = 15_000
TAKEN = ("losses_difference_of_allowed", "meter_periods_estimated", "ledger_sum_micro")


@procedure(
    claim="two regions and two chains keep one total, whatever happens between them",
    clause="promise M23",
    hazards="none: nothing is switched; chains of this machine, with keys that are worth nothing",
    rig="region-50hz",
    needs=("inverter", "meter", "model"),
    start_utc_s=FIRST.start_utc_s,
    criteria=(
        Criterion(
            "units_beyond_minted_wh",
            "Wh",
            max=0,
            source="both chains counted account by account after each of 15 steps",
        ),
        Criterion("units_lost_wh", "Wh", max=0, source="the total after everything came back"),
        Criterion(
            "vault_unlike_bridged_wh", "Wh", max=0, source="what is kept at home and is over there"
        ),
        Criterion(
            "crossed_wh",
            "Wh",
            min=4 * PORTION_WH - RETURNED_WH,
            max=4 * PORTION_WH - RETURNED_WH,
            source="four portions over, one amount back",
        ),
        Criterion(
            "false_messages_taken",
            "1",
            max=0,
            source="said again, said by another, said otherwise, said by a stranger",
        ),
        Criterion(
            "minted_unlike_meters_wh",
            "Wh",
            max=0,
            source="units on the chain against first and last signed registers",
        ),
        Criterion(
            "days_unlike_meters_milliwh",
            "mWh",
            max=0,
            source="each participant's local days in both zones, against registers",
        ),
        Criterion(
            "payment_unlike_delivery_milliwh",
            "mWh",
            max=0,
            source="the lesser of traded and metered, in both regions",
        ),
        Criterion("ledger_sum_micro", "micro", min=0, max=0, source="each in its own currency"),
        Criterion(
            "losses_difference_of_allowed",
            "1",
            max=1.0,
            source="signed registers against the solved feeders, (meters + 1) x 1 mWh",
        ),
        Criterion("meter_periods_estimated", "1", max=0, source="every meter signs every period"),
        Criterion("second_bench_unsafe", "1", max=0, source="both benches end in their safe state"),
    ),
    mutants=(
        Mutant("counts export as import", "meter-roof-1", {"sign": -1}, TAKEN[0]),
        Mutant("signs with a foreign key", "meter-roof-2", {"seed": 999}, TAKEN[1]),
        Mutant("signs in local time", "meter-shop", {"ahead_of_utc_s": 7200}, TAKEN[1]),
    ),
)
async def test_two_regions(lab: Lab) -> None:
    """Run both regions, and carry the energy of one to the chain of the other and back."""
    loops = [await lab.run_loop(FIRST)]
    second, left_unsafe = await run_beside(lab.clock, "region-60hz", SECOND)
    loops.append(second)
    lab.record("second_bench_unsafe", "1", left_unsafe)
    of_loops = [measure(loop.observed(loop.trace.columns())) for loop in loops]
    for name in TAKEN:
        of_name = [m for of_loop in of_loops for m in of_loop if m.name == name]
        unset = [m for m in of_name if m.value is None]
        lab.recorded.append(max(unset or of_name, key=lambda m: abs(m.value or 0.0)))
    worst = max(payment_unlike_delivery_milliwh(loop) for loop in loops)
    lab.record("payment_unlike_delivery_milliwh", "mWh", worst)
    of_days = map(days_unlike_meters_milliwh, loops, ZONES, AHEAD_OF_UTC_S)
    lab.record("days_unlike_meters_milliwh", "mWh", max(of_days))
    sources = sources_of(lab.rig)
    minted_wh = certified(loops[0], sources).minted_wh
    unlike = abs(minted_wh - delivered_wh(loops[0], sources))
    lab.record("minted_unlike_meters_wh", "Wh", unlike)
    with local_crossing(minted_wh, lab.clock) as crossing:
        await crossing.build()
        await crossing.mistreat(PORTION_WH)
        await crossing.return_home(RETURNED_WH)
        lab.record("units_beyond_minted_wh", "Wh", crossing.beyond_wh())
        lab.record("units_lost_wh", "Wh", crossing.lost_wh())
        lab.record("crossed_wh", "Wh", crossing.far_wh())
        unlike = abs(crossing.far_wh() - crossing.vault_wh())
        lab.record("vault_unlike_bridged_wh", "Wh", unlike)
        lab.record("false_messages_taken", "1", len(crossing.taken))
