"""Intentional islanding: a microgrid is cut off while it imports or exports, and carries on.

Stimulus: the switch to the grid opens while 80 kW, 30 kW and nothing flow in, and while 30 kW and
80 kW flow out. Judged from one recording of the analyser for each opening, which its status contact
triggers: the voltage of every phase over half cycles against the ITIC curve, and when voltage and
frequency are in their bands to stay. Then the critical load is measured at its own terminals for
15 minutes; after a voltage that the curve forbids it counts as not served at all. The inverters'
telemetry is not asked.

Known gaps: a swell shorter than half a cycle is not seen; loads of constant power, no motors.
"""

from gridrig.campaign.itic import IticResult
from gridrig.campaign.microgrid_bench import CONTACT_S, GRID, NEEDS, Operation, open_microgrid
from gridrig.campaign.microgrid_judging import (
    POLL_S,
    check_open,
    formed_s,
    judged_voltage,
    kept,
    served_s,
)
from gridrig.campaign.microgrid_limits import (
    FORMED_MAX_S,
    FORMED_SOURCE,
    ITIC_SOURCE,
    SERVED_MIN_S,
    SERVED_SOURCE,
)
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure

# Imports of 80, 30, 0, -30 and -80 kW: loads with the critical one first, sun, import. [W]
OPERATIONS = (
    Operation((30e3, 20e3, 20e3, 20e3), 0.0, 80e3),
    Operation((30e3, 20e3, 20e3, 20e3), 40e3, 30e3),
    Operation((30e3, 20e3, 20e3, 20e3), 70e3, 0.0),
    Operation((30e3, 20e3, 0.0, 0.0), 80e3, -30e3),
    Operation((20e3, 0.0, 0.0, 0.0), 100e3, -80e3),
)
RECORDED_S = 3.0
WATCHED_S = SERVED_MIN_S + 2 * POLL_S


@procedure(
    claim="carries its critical load for 15 min from any import or export, without a harmful dip",
    clause="IEEE 1547-2018 8.2, intentional islanding; ITI (CBEMA) curve",
    hazards="a live island: the open switch is no isolation; the battery takes the whole step",
    rig="emulated-microgrid",
    needs=NEEDS,
    criteria=(
        Criterion("formed_s", "s", max=FORMED_MAX_S, source=FORMED_SOURCE),
        Criterion(
            "critical_served_s", "s", min=SERVED_MIN_S, source=f"{SERVED_SOURCE}; {ITIC_SOURCE}"
        ),
    ),
    mutants=(
        Mutant("gives too little current", "storage", {"i_max_pu": 0.5}, "critical_served_s"),
        Mutant("droops too steeply", "storage", {"droop_p": 0.05}, "formed_s"),
        Mutant(
            "has a small battery", "bms", {"capacity_ah": 60.0, "soc": 0.3}, "critical_served_s"
        ),
        Mutant(
            "trips on overload",
            "storage",
            {"overload_pu": 0.7, "overload_trip_s": 60.0},
            "critical_served_s",
        ),
    ),
)
async def test_intentional_islanding(lab: Lab) -> None:
    """Open the switch in every operation, until one island fails."""
    bench = await open_microgrid(lab)
    voltages: list[IticResult] = []
    formed: list[float] = []
    served: list[tuple[float, float]] = []
    for operation in OPERATIONS:
        await bench.operate(operation)
        trace = await bench.open_switch(RECORDED_S, (bench.critical, GRID))
        check_open(trace)
        word = f"opened with {operation.import_w / 1e3:+.0f} kW from the grid"
        voltages.append(judged_voltage(bench, trace, word))
        formed.append(formed_s(bench, trace))
        # What the curve forbids has harmed the load, however long it is fed afterwards.
        within, sure = kept(voltages[-1])
        for_s = await served_s(bench, operation.loads_w[0], WATCHED_S) if within else 0.0
        served.append((for_s, POLL_S if sure else WATCHED_S))
        if formed[-1] > FORMED_MAX_S or for_s < SERVED_MIN_S:
            break  # it has failed: no further island is made
        await bench.rejoin()
    worst = max(voltages, key=lambda found: found.of_allowed)
    lab.record("formed_s", "s", max(formed), 1 / bench.rate_hz + CONTACT_S)
    for_s, _ = min(served)
    lab.record("critical_served_s", "s", for_s, max(u_s for _, u_s in served), worst.note)
