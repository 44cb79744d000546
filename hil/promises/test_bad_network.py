"""Campaign 7, a bad network: row M33, and nothing lost or doubled by a network that is never good.

Stimulus: three quarters of an hour in which every wire of the street loses, repeats, delays, cuts
or damages what passes. The same scenario then runs without that on a fresh bench, and both must
have settled the same. Then the periods are anchored on a chain whose node is busy, failing, on
another chain, cuts connections, stands still and twice forgets blocks.
"""

import tempfile
from pathlib import Path

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.bad_node import anchor_in_trouble
from gridrig.promises.good_twin import energy_unlike_milliwh, entries_unlike, run_twin, troubles

SCENARIO = load_scenario(SCENARIOS / "promise-7-bad-network.toml", units(CATALOGUE))
TAKEN = (
    "periods_not_settled",
    "meter_periods_estimated",
    "payments_unbacked",
    "losses_difference_of_allowed",
    "ledger_sum_micro",
)


@procedure(
    claim="a network that is never good loses and doubles no watt-hour and no posting",
    clause="promise M33; zero lost or doubled Wh of campaign 7",
    hazards="none: nothing is switched",
    rig="emulated-street",
    needs=("inverter", "storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("wire_troubles", "1", min=100, source="the network must have been bad"),
        Criterion(
            "energy_unlike_twin_milliwh", "mWh", max=0, source="each register, each direction"
        ),
        Criterion("entries_unlike_twin", "1", max=0, source="entries of either run alone"),
        Criterion("periods_not_settled", "1", max=0, source="three delivery periods"),
        Criterion("meter_periods_estimated", "1", max=0, source="what is lost is asked again"),
        Criterion("payments_unbacked", "1", max=0, source="no payment without two readings"),
        Criterion(
            "losses_difference_of_allowed",
            "1",
            max=1.0,
            source="signed registers against the solved feeder, (meters + 1) x 1 mWh",
        ),
        Criterion("ledger_sum_micro", "micro", min=0, max=0, source="double entry"),
        Criterion("roots_anchored", "1", min=3, source="three delivery periods"),
        Criterion("roots_unlike_journal", "1", max=0, source="each root once, nothing else"),
        Criterion("postings_dropped", "1", min=1, source="the chain must have forgotten some"),
        Criterion("sent_in_doubt", "1", max=0, source="to another chain, or on a stale head"),
        Criterion("alarms_missing", "1", max=0, source="each trouble of the node is told"),
        Criterion(
            "asked_in_vain", "1", max=20, source="60 s of refusals, waits doubling to 5 s (ours)"
        ),
    ),
    mutants=(
        Mutant("takes seven seconds to sign", "meter-pv-1", {"sign_s": 7.0}, TAKEN[1]),
        Mutant("is smaller", "pv-5", {"s_va": 9_000}, "entries_unlike_twin"),
        Mutant("counts in watts", "meter-pv-2", {"scale": 1000.0}, TAKEN[3]),
        Mutant("signs with a foreign key", "meter-bus-6", {"seed": 999}, TAKEN[1]),
    ),
)
async def test_bad_network(lab: Lab) -> None:
    """Run on a bad network and on a good one, then anchor through a bad node."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.sqlite"
        loop = await lab.run_loop(SCENARIO, journal)
        lab.recorded += [m for m in measure(loop.observed(loop.trace.columns())) if m.name in TAKEN]
        lab.record("wire_troubles", "1", troubles(loop))
        twin = await run_twin(lab, SCENARIO)
        lab.record("energy_unlike_twin_milliwh", "mWh", energy_unlike_milliwh(loop, twin))
        lab.record("entries_unlike_twin", "1", entries_unlike(loop, twin))
        loop.account.journal.close()
        found = await anchor_in_trouble(journal, lab.clock)
    lab.record("roots_anchored", "1", found.roots)
    lab.record("roots_unlike_journal", "1", len(found.unlike), note="; ".join(found.unlike))
    lab.record("postings_dropped", "1", found.dropped)
    lab.record("sent_in_doubt", "1", found.in_doubt)
    missing = found.alarms_missing
    lab.record("alarms_missing", "1", len(missing), note=" ".join(missing))
    lab.record("asked_in_vain", "1", found.asked_in_vain)
