"""Campaign 5, privacy: row M21, what a household used is not in clear in what others see.

Stimulus: three quarters of an hour on the emulated street, then everything that a lab publishes of
it: a root of commitments a period on a chain, payments by proof, sums over homes. What each home
took in each period, and every name, is looked for in it. Openings, consents and sums are asked for
by those who may and by those who may not. Which accounts can be linked, and what
a tapped wire tells, is counted, not promised.
"""

import tempfile
from pathlib import Path

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.lab import SEED
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.published import (
    homes_of,
    loads_milliwh,
    needles_of,
    opened_wrongly,
    publish,
    reads_without_consent,
    told_on_wires,
)

SCENARIO = load_scenario(SCENARIOS / "promise-1-sunny-afternoon.toml", units(CATALOGUE))
PERIODS = SCENARIO.duration_s // SCENARIO.period_s
UNKNOWN, LOOKED_FOR = "homes_unread", "homes_without_load"


@procedure(
    claim="what a household used is hidden from all who see only what is published",
    clause="promise M21",
    hazards="none: nothing is switched",
    rig="emulated-street",
    needs=("inverter", "storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion(UNKNOWN, "1", max=0, source="every home's meter signs every period"),
        Criterion(LOOKED_FOR, "1", max=0, source="a home without load hides nothing"),
        Criterion("loads_in_clear", "1", max=0, source="as digits and as words of 32 bytes"),
        Criterion("names_in_clear", "1", max=0, source="participants, devices, serial numbers"),
        Criterion("opened_wrongly", "1", max=0, source="owner; neighbour's secret; a guess"),
        Criterion("reads_without_consent", "1", max=0, source="given, foreign, expired, revoked"),
        Criterion("aggregates_too_narrow", "1", max=0, source="k = 5, ours; all less one home"),
        Criterion("aggregates_unlike_milliwh", "mWh", max=0, source="the text of the records"),
        Criterion("accounts_linkable", "1", min=0, source="reported: one account in two payments"),
        Criterion("told_on_wires", "1", min=0, source="reported: records on wires without TLS"),
    ),
    mutants=(
        Mutant("signs with a foreign key", "meter-bus-3", {"seed": 999}, UNKNOWN),
        Mutant("counts nothing", "meter-bus-6", {"telemetry": "frozen"}, LOOKED_FOR),
        Mutant("counts import as export", "meter-bus-9", {"sign": -1}, LOOKED_FOR),
    ),
)
async def test_privacy(lab: Lab) -> None:
    """Run, publish, and look for the homes in what is public."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loop = await lab.run_loop(SCENARIO, folder / "journal.sqlite")
        homes, loads = list(homes_of(lab.rig)), loads_milliwh(lab.rig, loop)
        lab.record(UNKNOWN, "1", len(homes) * PERIODS - len(loads))
        lab.record(LOOKED_FOR, "1", sum(load < 1000 for load in loads.values()))
        out = publish(lab.rig, loop, folder / "journal.sqlite", folder, seed=SEED)
        energies, names = needles_of(lab.rig, loads)
        lab.record("loads_in_clear", "1", out.in_clear(energies) if energies else None)
        lab.record("names_in_clear", "1", out.in_clear(names))
        lab.record("opened_wrongly", "1", opened_wrongly(out, homes))
        without = reads_without_consent(
            out, homes, folder / "consents.db", now_s=SCENARIO.start_utc_s
        )
        lab.record("reads_without_consent", "1", without)
        lab.record("aggregates_too_narrow", "1", out.aggregates_too_narrow)
        lab.record("aggregates_unlike_milliwh", "mWh", out.aggregates_unlike_milliwh)
        lab.record("accounts_linkable", "1", out.linked_accounts())
        lab.record("told_on_wires", "1", told_on_wires(loop, lab.rig))
        loop.account.journal.close()
