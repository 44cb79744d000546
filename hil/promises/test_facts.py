"""Campaign 9, facts: row N10.

Stimulus: ten thousand signed readings, a hundred of them from the meters of the rig over their
wires, the others of a fleet whose keys are enrolled. Of the fleet's, a hundred are false: altered
after they were signed, or signed by nobody's key. What verifies is put under one root.
"""

from random import Random

from gridrig.campaign.lab import SEED
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.promises.facts import fleet_facts, rig_facts, rig_verifier, tried

ON_WIRES_EACH, FLEET, FLEET_EACH, FALSE = 25, 99, 100, 100
TRUE = 4 * ON_WIRES_EACH + FLEET * FLEET_EACH - FALSE
LATER_S = 2 * 86_400


@procedure(
    claim="what is signed is under the root, shown by the root alone, and what is false is not",
    clause="promise N10",
    hazards="none: nothing is switched",
    rig="emulated-compute-node",
    needs=("meter", "model"),
    criteria=(
        Criterion("facts_in_tree", "1", min=TRUE, max=TRUE, source="10,000 less 1 % that is false"),
        Criterion("root_unlike_by_hand", "1", max=0, source="RFC 9162, in plain Python"),
        Criterion("receipts_not_shown", "1", max=0, source="300 facts, by the root alone"),
        Criterion(
            "changed_receipts_shown", "1", max=0, source="one byte of 100 receipts, in 4 places"
        ),
        Criterion("false_facts_not_absent", "1", max=0, source="each, by its two neighbours"),
        Criterion("facts_shown_absent", "1", max=0, source="100 facts, by any of their neighbours"),
    ),
    mutants=(
        Mutant("signs with a foreign key", "meter-pv", {"seed": 999}, "facts_in_tree"),
        Mutant("says it is another meter", "meter-node", {"serial": "GR-0402"}, "facts_in_tree"),
    ),
)
async def test_facts(lab: Lab) -> None:
    """Collect the facts and try what their root shows."""
    random, verifier = Random(SEED), rig_verifier(lab)
    start_utc_s = lab.clock.start_utc_s
    records, false = fleet_facts(
        verifier, random, meters=FLEET, each=FLEET_EACH, false=FALSE, start_utc_s=start_utc_s
    )
    records += await rig_facts(lab, ON_WIRES_EACH)
    at_s = start_utc_s + LATER_S
    found = tried(verifier, records, false, random, at_s=at_s, receipts=300, changed=100)
    lab.record("facts_in_tree", "1", found.facts)
    lab.record("root_unlike_by_hand", "1", int(found.root_unlike))
    lab.record("receipts_not_shown", "1", found.not_shown)
    lab.record("changed_receipts_shown", "1", found.changed_shown)
    lab.record("false_facts_not_absent", "1", found.not_absent)
    lab.record("facts_shown_absent", "1", found.present_absent)
