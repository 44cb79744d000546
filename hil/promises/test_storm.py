"""Campaign 2, storm with the ledger down: rows M10, M11, M16; M12 is its safety twin.

Stimulus: a stormy evening on the emulated street. The ledger's database is taken away, then the
connection to the main grid opens; load is shed by its stages, the street synchronises and closes,
and only then is the ledger back. The same bytes the meters signed are then verified and settled
again by a ledger that was never away.
"""

import tempfile
from pathlib import Path

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.late_ledger import differs, settled_late
from gridrig.promises.transitions import STEP_S, worst_itic

SCENARIO = load_scenario(SCENARIOS / "promise-2-storm.toml", units(CATALOGUE))
TAKEN = (
    "island_formed_s",
    "islands_with_shedding",
    "shed_out_of_order",
    "islands_not_reclosed",
    "grid_energy_while_islanded_milliwh",
    "periods_not_settled",
    "ledger_sum_micro",
    "deadlines_missed",
)


@procedure(
    claim="a street rides through a storm as an island, with its ledger away and settled later",
    clause="promises M10, M11, M16",
    hazards="the connection to the main grid opens under load",
    rig="emulated-street",
    needs=("inverter", "storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion(
            "island_formed_s",
            "s",
            max=0.160,
            source="a utility's microgrid test plan (IEEE P&E Magazine, 2017)",
        ),
        Criterion(
            "itic_of_allowed", "1", max=1.0, source="ITIC curve, island model of 1 ms, first 5 s"
        ),
        Criterion("islands_with_shedding", "1", min=1, source="the island must lack power"),
        Criterion("shed_out_of_order", "1", max=0, source="the rig's shed stages"),
        Criterion("islands_not_reclosed", "1", max=0, source="it synchronises and closes"),
        Criterion(
            "grid_energy_while_islanded_milliwh",
            "mWh",
            min=0,
            max=0,
            source="an open connection carries no energy",
        ),
        Criterion("periods_settled_late", "1", min=1, source="the ledger must have been missed"),
        Criterion(
            "late_ledger_differs", "1", max=0, source="settled again from the bytes received"
        ),
        Criterion("periods_not_settled", "1", max=0, source="three delivery periods"),
        Criterion("ledger_sum_micro", "micro", min=0, max=0, source="double entry"),
        Criterion("deadlines_missed", "1", max=0, source="the ledger is not in the control loop"),
    ),
    mutants=(
        Mutant("gives too little current", "storage-a", {"i_max_pu": 0.3}, "itic_of_allowed"),
        Mutant("droops too steeply", "storage-a", {"droop_p": 0.1}, "island_formed_s"),
    ),
)
async def test_storm(lab: Lab) -> None:
    """Run the storm and settle it a second time."""
    with tempfile.TemporaryDirectory() as folder:
        loop = await lab.run_loop(SCENARIO, Path(folder) / "journal.sqlite")
        lab.recorded += [m for m in measure(loop.observed(loop.trace.columns())) if m.name in TAKEN]
        lab.record("periods_settled_late", "1", settled_late(loop))
        lab.record("late_ledger_differs", "1", float(differs(lab.rig, loop)))
        loop.account.journal.close()
    seen = worst_itic(loop)
    if seen is not None:
        spread = max(seen.uncertainty, STEP_S)
        lab.record("itic_of_allowed", "1", seen.of_allowed, spread, seen.note)
