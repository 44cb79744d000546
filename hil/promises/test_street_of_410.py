"""Campaign 1, a street of 410 signed meters on three networks: row N5.

Stimulus: a June day, 96 slots of a quarter of an hour, of 60 homes that sell and 350 that buy, each
with a meter that signs; two plants and a battery are on wires, all others are a column of numbers.
What was forecast is off by up to a fifth, and three roofs give nothing from eleven to two. The
market spans three networks that only contracts join. Every clearing is done again in plain Python,
every payment is summed again from the text of what was signed, and what is called local is compared
with the wires of the feeder and with what crosses its borders.
"""

from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.promises import zoned_books as books
from gridrig.promises.plant_days import day_start_utc_s
from gridrig.promises.zoned_lab import run_day

MISSING, UNLIKE_FEEDER = "readings_missing", "metered_unlike_feeder_wh"
SOLVED_AGAIN = slice(24, 84, 4)  # of the slots, by day


@procedure(
    claim="410 signed meters trade by the quarter-hour, and only what stays in a network is local",
    clause="promise N5",
    hazards="plants run at full power and a battery charges; nothing is switched",
    rig="emulated-plants",
    needs=("inverter", "storage", "bms", "meter", "model"),
    start_utc_s=day_start_utc_s(6),
    criteria=(
        Criterion(MISSING, "1", max=0, source="410 meters and the head, at 97 edges"),
        Criterion("slots_settled", "1", min=96, max=96, source="24 h of 15 min"),
        Criterion(
            "auctions_unlike_rule",
            "1",
            max=0,
            source="bought = sold in Wh, nobody beyond its limit, cash 0, price in plain Python",
        ),
        Criterion("ledger_sum_micro", "micro", min=0, max=0, source="double entry"),
        Criterion(
            "payments_unlike_signed_micro",
            "micro",
            max=0,
            source="each home's balance from the text of its signed records",
        ),
        Criterion("sold_not_given_wh", "Wh", min=1, source="the day must try it"),
        Criterion(
            UNLIKE_FEEDER,
            "Wh",
            max=20,
            source="ours: signed registers of a network against its border less losses",
        ),
        Criterion("traded_financial_only_wh", "Wh", min=1, source="the day must try it"),
        Criterion(
            "marks_unlike_wires_wh", "Wh", max=0, source="local as the cables join, else contract"
        ),
        Criterion(
            "matched_unlike_signed_wh",
            "Wh",
            max=0,
            source="the lesser of given and taken as traded, in each network and in all",
        ),
        Criterion(
            "local_beyond_feeder_wh",
            "Wh",
            max=20,
            source="ours: what was used in a network and came over no border",
        ),
        Criterion(
            "border_moved_by_local_wh",
            "Wh",
            max=1,
            source="ours: power flow without local trades, losses aside",
        ),
        Criterion(
            "border_moved_by_financial_wh", "Wh", min=1_000, source="the same without the others"
        ),
    ),
    mutants=(
        Mutant("counts export as import", "meter-pv-1", {"sign": -1}, UNLIKE_FEEDER),
        Mutant("counts two per cent too much", "meter-pv-1", {"scale": 1.02}, UNLIKE_FEEDER),
        Mutant("signs with a foreign key", "meter-pv-2", {"seed": 999}, MISSING),
        Mutant("says it is another meter", "meter-storage-1", {"serial": "GR-0401"}, MISSING),
    ),
)
async def test_street_of_410(lab: Lab) -> None:
    """Run the day and do again what market, books and network say of it."""
    day = await run_day(lab)
    lab.record(MISSING, "1", day.missing)
    if day.missing:
        return  # without every reading there is no day to judge
    lab.record("slots_settled", "1", len(day.journal.periods()))
    lab.record("auctions_unlike_rule", "1", books.auctions_unlike_rule(day))
    lab.record("ledger_sum_micro", "micro", day.journal.sum_of_all_micro())
    signed, matches = books.signed_slots(day), books.settled(day)
    unlike = books.payments_unlike_signed_micro(day, signed)
    lab.record("payments_unlike_signed_micro", "micro", unlike)
    lab.record(UNLIKE_FEEDER, "Wh", books.metered_unlike_feeder_wh(day, signed))
    found = books.local_checked(day, signed, matches)
    note = f"beside {found.local_milliwh / 1e6:.0f} kWh that stayed local"
    lab.record("sold_not_given_wh", "Wh", found.undelivered_milliwh / 1_000)
    lab.record("traded_financial_only_wh", "Wh", found.financial_only_milliwh / 1_000, note=note)
    lab.record("marks_unlike_wires_wh", "Wh", found.unlike_wires_milliwh / 1_000)
    unlike = max(found.unlike_signed_milliwh, found.unlike_sums_milliwh)
    lab.record("matched_unlike_signed_wh", "Wh", unlike / 1_000)
    lab.record("local_beyond_feeder_wh", "Wh", found.beyond_feeder_wh)
    for delivery, name in (("local", "local"), ("financial-only", "financial")):
        moved = books.border_moved_wh(day, matches, delivery, day.slots[SOLVED_AGAIN])
        lab.record(f"border_moved_by_{name}_wh", "Wh", moved)
