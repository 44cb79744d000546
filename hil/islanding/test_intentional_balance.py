"""A microgrid that has too little, or too much: it sheds by priority, or throttles, and lives on.

Too little: the storage may give 55 kW, the switch opens with 90 kW of load. Frequency falls, and
the under-frequency relays of the feeders have to act in their order until the rest can be carried.
Judged from one recording of the powers at every feeder, triggered by the switch's status contact.

Too much: the storage may take 30 kW, the switch opens with 80 kW of surplus. Frequency rises, and
the inverter has to follow its over-frequency droop, without tripping. Judged from one recording of
the powers of storage, inverter and critical load.

The critical load is at risk while it has not got its power, or while the frequency is beyond UF2 or
OF2: there whatever feeds it has to trip.

Known gaps: the storage's limit is its power limit, as set over its wire, not an empty or a full
battery.
"""

import math
from collections.abc import Sequence

import numpy as np

from gridrig.campaign.microgrid_bench import (
    GRID,
    NEEDS,
    Operation,
    Trace,
    open_microgrid,
)
from gridrig.campaign.microgrid_judging import (
    SERVED_SHARE,
    at_risk_s,
    check_open,
    judged_voltage,
)
from gridrig.campaign.microgrid_limits import ITIC_SOURCE, OWN_RULE, TRIP_SOURCE
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure

SHORT = Operation((30e3, 20e3, 20e3, 20e3), 0.0, 80e3)
GIVES_MAX_W = 55e3
LONG = Operation((20e3, 0.0, 0.0, 0.0), 100e3, -80e3)
TAKES_MAX_W = 30e3
RECORDED_S = 30.0
AT_END_S = 2.0
AT_RISK = Criterion(
    "critical_at_risk_s",
    "s",
    max=0.02,
    source=f"{ITIC_SOURCE}: no voltage for 20 ms; {TRIP_SOURCE}",
)


@procedure(
    claim="sheds load by priority, no more than it has to, and keeps the critical load",
    clause="IEEE 1547-2018 8.2, intentional islanding; the microgrid's shedding plan",
    hazards="a live island at low frequency; the battery at its limit",
    rig="emulated-microgrid",
    needs=NEEDS,
    criteria=(
        AT_RISK,
        Criterion("shed_out_of_order", "1", max=0, source="the microgrid's shedding plan"),
        Criterion("spare_of_last_shed", "1", max=1.0, source=OWN_RULE),
    ),
    mutants=(
        Mutant("sheds the critical load", "load-critical", {"shed_stage": 1}, "critical_at_risk_s"),
        Mutant("one relay never acts", "load-1", {"shed_stage": 0}, "shed_out_of_order"),
        Mutant("one relay acts too soon", "load-3", {"shed_stage": 1}, "shed_out_of_order"),
        Mutant("lets go too hastily", "storage", {"shift_rate_pu": 0.5}, "spare_of_last_shed"),
        Mutant(
            "lets frequency collapse",
            "storage",
            {"shift_rate_pu": 1.0, "shift_down_max_hz": 5.0},
            "critical_at_risk_s",
        ),
    ),
)
async def test_shedding(lab: Lab) -> None:
    """Open the switch with more load than the storage may carry."""
    bench = await open_microgrid(lab)
    await bench.operate(SHORT)
    await lab.driver(bench.storage).set_limit_w(GIVES_MAX_W)
    trace = await bench.open_switch(RECORDED_S, (GRID, *bench.loads))
    check_open(trace)
    judged_voltage(bench, trace, "opened with 35 kW too little")
    lab.record("critical_at_risk_s", "s", *at_risk_s(bench, trace, SHORT.loads_w[0]))
    gone_s = [
        lost_at_s(trace, name, p_w)
        for name, p_w in zip(bench.loads[1:], SHORT.loads_w[1:], strict=True)
    ]
    lab.record("shed_out_of_order", "1", out_of_order(gone_s))
    shed_w = [p_w for p_w, at_s in zip(SHORT.loads_w[1:], gone_s, strict=True) if at_s < math.inf]
    fed_w = -sum(at_end_w(trace, name) for name in bench.loads)
    spare = (GIVES_MAX_W - fed_w) / shed_w[-1] if shed_w else 0.0
    lab.record("spare_of_last_shed", "1", spare, 0.02)


@procedure(
    claim="throttles surplus by its over-frequency droop, without tripping",
    clause="IEEE 1547-2018 6.5.2.7, frequency droop; 8.2, intentional islanding",
    hazards="a live island at high frequency; the battery takes all it may",
    rig="emulated-microgrid",
    needs=NEEDS,
    criteria=(
        AT_RISK,
        Criterion("pv_of_needed", "1", min=0.9, source=OWN_RULE),
        Criterion("charge_of_limit", "1", max=1.1, source=OWN_RULE),
    ),
    mutants=(
        Mutant("has no droop", "inverter", {"droop": False}, "pv_of_needed"),
        Mutant(
            "throttles too late",
            "inverter",
            {
                "droop_response_s": 10.0,
                "droop_k": 0.05,
                "relays": {"OF1": False, "OF2": False},
            },
            "critical_at_risk_s",
        ),
        Mutant("trips instead", "inverter", {"relays": {"OF1": [50.3, 0.16]}}, "pv_of_needed"),
        Mutant("takes what comes", "storage", {"ignores_limit": True}, "charge_of_limit"),
        Mutant(
            "gives up at its limit",
            "storage",
            {"overload_pu": 0.5, "overload_trip_s": 0.1},
            "critical_at_risk_s",
        ),
    ),
)
async def test_throttling(lab: Lab) -> None:
    """Open the switch with more sun than the storage may take."""
    bench = await open_microgrid(lab)
    await bench.operate(LONG)
    await lab.driver(bench.storage).set_limit_w(TAKES_MAX_W)
    trace = await bench.open_switch(RECORDED_S, (GRID, bench.critical, bench.storage, bench.pv))
    check_open(trace)
    judged_voltage(bench, trace, "opened with 50 kW too much")
    lab.record("critical_at_risk_s", "s", *at_risk_s(bench, trace, LONG.loads_w[0]))
    needed_w = LONG.loads_w[0] + TAKES_MAX_W
    lab.record("pv_of_needed", "1", at_end_w(trace, bench.pv) / needed_w, 0.01)
    lab.record("charge_of_limit", "1", -at_end_w(trace, bench.storage) / TAKES_MAX_W, 0.01)


def lost_at_s(trace: Trace, name: str, p_w: float) -> float:
    """Return when a load was lost for good, infinite if it was not. [W, s]"""
    island = trace.after()
    fed = np.flatnonzero(-island.p_w[name] >= SERVED_SHARE * p_w)
    last = int(fed[-1]) if len(fed) else -1
    return math.inf if last == len(island.t_s) - 1 else float(island.t_s[last + 1])


def out_of_order(gone_s: Sequence[float]) -> int:
    """Count loads that went before one that is to go earlier.

    >>> out_of_order([0.5, 0.9, math.inf]), out_of_order([math.inf, 0.5, 0.9])
    (0, 2)
    """
    return sum(
        own_s < math.inf and any(own_s < before_s for before_s in gone_s[:k])
        for k, own_s in enumerate(gone_s)
    )


def at_end_w(trace: Trace, name: str) -> float:
    """Return the mean power of a device at the recording's end. [W]"""
    last = trace.t_s >= trace.t_s[-1] - AT_END_S
    return float(trace.p_w[name][last].mean())
