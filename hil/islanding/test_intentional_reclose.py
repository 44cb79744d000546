"""A microgrid and the grid are joined: only in synchronism, and not otherwise.

Closing: the grid stands off the island by its frequency, by its angle, by its voltage, and the
switch is asked to close. Judged from one recording of both voltages, triggered by the switch's
status contact: how frequency, voltage and angle differed at the contact.

Refusing: the switch is asked to close where it may not: opposite in phase, onto a grid whose
frequency or whose voltage the island cannot follow, and onto a dead grid, which would make the line
live that others believe dead. After that it has to close onto a good grid.

Known gaps: one phase is compared; the surge of a wrong closing is not modelled: the emulated source
is stiff.
"""

import math
from functools import partial

from gridrig.campaign.microgrid_bench import NEEDS, MicrogridBench, Operation, open_microgrid
from gridrig.campaign.microgrid_limits import (
    OWN_RULE,
    SYNC_DF_60_HZ,
    SYNC_DTHETA_DEG,
    SYNC_DV_PU,
    SYNC_SOURCE,
)
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.synchronism import REST_S, U_HZ, angle_deg, record_closing

START = Operation((20e3, 10e3, 0.0, 0.0), 0.0, 10e3)
# Voltage [pu] and frequency beside nominal of the grid [Hz at 60 Hz], and by how much the island is
# ahead as the switch is asked to close [deg].
CLOSINGS = ((1.0, -0.06, 150.0), (1.03, -0.48, -60.0), (0.86, -0.15, -20.0))
REFUSALS = ((1.0, 0.0, 180.0), (1.0, 1.8, 90.0), (0.7, -0.15, -20.0), (0.0, 0.0, 0.0))
GOOD_60_HZ = -0.48  # within reach of an island that can follow a grid at all
CLOSED_MAX_S = 120.0
REFUSED_S = 20.0
OPPOSITE_S = 2.0  # in which the angle cannot come round
WAY_S = 0.12  # from the middle of an angle's window to what is sent next

NO_ANGLE = {"sync_dtheta_deg": 180.0, "sync_aim_deg": 180.0}


@procedure(
    claim="joins the grid again only within the synchronisation limits",
    clause=SYNC_SOURCE,
    hazards="two live networks: a closing out of phase breaks shafts, switches and inverters",
    rig="emulated-microgrid",
    needs=NEEDS,
    criteria=(
        Criterion("sync_df_of_allowed", "1", max=1.0, source=f"{SYNC_SOURCE}: 0.3 Hz at 60 Hz"),
        Criterion("sync_dv_pu", "pu", max=SYNC_DV_PU, source=SYNC_SOURCE),
        Criterion("sync_dtheta_deg", "deg", max=SYNC_DTHETA_DEG, source=SYNC_SOURCE),
        Criterion("closed_after_s", "s", max=CLOSED_MAX_S, source=OWN_RULE),
    ),
    mutants=(
        Mutant("looks at no frequency", "switch", {"sync_df_hz": 10.0}, "sync_df_of_allowed"),
        Mutant("looks at no voltage", "switch", {"sync_dv_pu": 1.0}, "sync_dv_pu"),
        Mutant("looks at no angle", "switch", NO_ANGLE, "sync_dtheta_deg"),
        Mutant(
            "follows no grid",
            "storage",
            {"droop_p": 0.0001},
            "closed_after_s",
        ),
    ),
)
async def test_reclose(lab: Lab) -> None:
    """Join onto a grid that is off in each way, until one closing fails."""
    bench = await open_microgrid(lab)
    await bench.operate(START)
    allowed_hz = bench.hz(SYNC_DF_60_HZ)
    df, dv, dtheta, after_s = 0.0, 0.0, (0.0, 0.0), 0.0
    for v_pu, df_60_hz, ahead_deg in CLOSINGS:
        await lab.driver(bench.switch).set_closed(False)
        await bench.set_grid(v_pu, bench.f_n + bench.hz(df_60_hz))
        closed_s, found = await record_closing(
            bench, partial(stand_off, bench, v_pu, df_60_hz, ahead_deg, REST_S), CLOSED_MAX_S
        )
        after_s = max(after_s, closed_s)
        if found is None:
            break  # what it would have been is not known; that it did not close is
        df, dv = max(df, abs(found.df_hz)), max(dv, abs(found.dv_pu))
        dtheta = max(dtheta, (abs(found.dtheta_deg), found.u_deg))
        await bench.set_grid()
        if df > allowed_hz or dv > SYNC_DV_PU or dtheta[0] > SYNC_DTHETA_DEG:
            break  # it has failed: no further closing is made
    lab.record("closed_after_s", "s", after_s, 0.5)
    if not math.isinf(after_s):
        lab.record("sync_df_of_allowed", "1", df / allowed_hz, U_HZ / allowed_hz)
        lab.record("sync_dv_pu", "pu", dv, 2 * bench.u_v_pu(0.2))
        lab.record("sync_dtheta_deg", "deg", *dtheta)


@procedure(
    claim="joins no grid that is out of phase, out of reach or dead, and then a good one",
    clause=SYNC_SOURCE,
    hazards="as for reclosing; a line made live from the wrong side kills",
    rig="emulated-microgrid",
    needs=NEEDS,
    criteria=(
        Criterion("closed_out_of_step", "1", max=0, source=SYNC_SOURCE),
        Criterion("closed_after_s", "s", max=CLOSED_MAX_S, source=OWN_RULE),
    ),
    mutants=(
        Mutant("looks at no angle", "switch", NO_ANGLE, "closed_out_of_step"),
        Mutant("looks at no frequency", "switch", {"sync_df_hz": 10.0}, "closed_out_of_step"),
        Mutant("looks at no voltage", "switch", {"sync_dv_pu": 1.0}, "closed_out_of_step"),
        Mutant(
            "follows no grid",
            "storage",
            {"droop_p": 0.0001},
            "closed_after_s",
        ),
    ),
)
async def test_out_of_step_close_is_refused(lab: Lab) -> None:
    """Ask for closings that must not be, then for one that must."""
    bench = await open_microgrid(lab)
    await bench.operate(START)
    await lab.driver(bench.switch).set_closed(False)
    closed = 0
    for v_pu, df_60_hz, ahead_deg in REFUSALS:
        await stand_off(bench, v_pu, df_60_hz, ahead_deg)
        within_s = OPPOSITE_S if abs(ahead_deg) == 180.0 else REFUSED_S
        closed += not math.isinf(await bench.closed_within(within_s))
        if closed:
            break  # it has failed: no further closing is tried
        await lab.driver(bench.switch).set_closed(False)  # withdraws what it was asked
    lab.record("closed_out_of_step", "1", closed)
    if not closed:
        await bench.set_grid(f_hz=bench.f_n + bench.hz(GOOD_60_HZ))
        lab.record("closed_after_s", "s", await bench.closed_within(CLOSED_MAX_S), 0.5)


async def stand_off(
    bench: MicrogridBench, v_pu: float, df_60_hz: float, ahead_deg: float, rest_s: float = 0.0
) -> None:
    """Put the grid off the island, which is `ahead_deg` of it after a rest. [pu, Hz, deg, s]"""
    df_hz = bench.hz(df_60_hz)
    await bench.set_grid(v_pu, bench.f_n + df_hz)
    if v_pu > 0:
        turned_deg = await angle_deg(bench) - ahead_deg
        way_deg = 360.0 * df_hz * (WAY_S + rest_s)
        await bench.set_grid(v_pu, bench.f_n + df_hz, turned_deg - way_deg)
