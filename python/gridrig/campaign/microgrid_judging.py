"""What recordings and measurements of an intentional island say: formed when, served how long."""

import math

import numpy as np
from numpy.typing import NDArray

from gridrig.campaign.island_shown import IslandShown
from gridrig.campaign.itic import IticResult, itic, longest_s
from gridrig.campaign.microgrid_bench import GRID, MicrogridBench, Trace
from gridrig.campaign.microgrid_limits import (
    F_BAND_60_HZ,
    F_HIGHEST_60_HZ,
    F_LOWEST_60_HZ,
    V_BAND_PU,
)
from gridrig.devices.bench_capabilities import Float
from gridrig.errors import CampaignError

BoolArray = NDArray[np.bool_]

U_HZ = 0.005  # of a frequency over half a cycle, stated by us

POLL_S = 10.0
SERVED_SHARE = 0.9  # of what a load shall get
OPEN_S, CARRIES_W = 0.1, 500.0  # an open switch carries less, after its arcing time


def check_open(trace: Trace) -> None:
    """Refuse a recording whose switch carried power after it opened: there was no island.

    Raises
    ------
    CampaignError
        `campaign.not_islanded`.
    """
    carried_w = float(np.abs(trace.after(OPEN_S).p_w[GRID]).max())
    if carried_w > CARRIES_W:
        raise CampaignError(
            "campaign.not_islanded",
            "{found_w:.0f} W flow through the open switch, expected at most {most_w:g} W",
            found_w=carried_w,
            most_w=CARRIES_W,
        )


def judged_voltage(bench: MicrogridBench, trace: Trace, name: str) -> IticResult:
    """Judge a recording's voltage from its trigger on by the ITIC curve, and have it drawn."""
    island = trace.after()
    found = itic(island.v_pu, island.step_s, bench.u_v_pu(island.step_s))
    band_hz = (bench.hz(F_BAND_60_HZ[0]), bench.hz(F_BAND_60_HZ[1]))
    ends_s = island.t_s + island.step_s
    bench.lab.islands.append(
        IslandShown(name, ends_s, island.v_pu, island.f_hz, band_hz, found.note)
    )
    return found


def formed_s(bench: MicrogridBench, trace: Trace) -> float:
    """Return from when after the trigger voltage and frequency stay in their bands. [s]

    That is the end of the last window outside; infinite if the recording ends outside.
    """
    island = trace.after()
    low_hz, high_hz = (bench.hz(f) for f in F_BAND_60_HZ)
    v_outside = np.any((island.v_pu < V_BAND_PU[0]) | (island.v_pu > V_BAND_PU[1]), axis=1)
    outside = np.flatnonzero(v_outside | (island.f_hz < low_hz) | (island.f_hz > high_hz))
    if not len(outside):
        return 0.0
    last = int(outside[-1])
    if last == len(island.t_s) - 1:
        return math.inf
    return float(island.t_s[last]) + island.step_s


async def served_s(bench: MicrogridBench, load_w: float, watched_s: float) -> float:
    """Watch the critical load; return for how long it got its power at a usable voltage. [W, s]

    Known to `POLL_S`, in steps of which its own terminals are measured.
    """
    begin_s = bench.lab.clock.now_s()
    while True:
        reading = await bench.measure()
        now_s = bench.lab.clock.now_s() - begin_s
        given = -bench.power_w(reading, bench.critical) >= SERVED_SHARE * load_w
        if not given or bench.v_pu(reading, bench.critical) < V_BAND_PU[0]:
            return max(0.0, now_s - POLL_S)
        if now_s >= watched_s:
            return now_s
        await bench.hold(POLL_S, step_s=POLL_S)


def kept(found: IticResult) -> tuple[bool, bool]:
    """Return whether a voltage kept to the ITIC curve, and whether that is beyond doubt."""
    return found.of_allowed <= 1.0, abs(found.of_allowed - 1.0) > found.uncertainty


def past_trip(bench: MicrogridBench, f_hz: Float, further_hz: float = 0.0) -> BoolArray:
    """Return where a frequency is beyond the trips that must not be met, UF2 and OF2.

    Parameters
    ----------
    bench : MicrogridBench
        Whose nominal frequency counts.
    f_hz : array of float64
        Frequencies of an island. [Hz]
    further_hz : float
        By how much the limits are moved away from nominal. [Hz]
    """
    low_hz, high_hz = (bench.hz(f) for f in (F_LOWEST_60_HZ, F_HIGHEST_60_HZ))
    beyond: BoolArray = (f_hz < low_hz - further_hz) | (f_hz > high_hz + further_hz)
    return beyond


def at_risk_s(bench: MicrogridBench, trace: Trace, load_w: float) -> tuple[float, float]:
    """Return for how long the critical load had no power or a frequency that trips, and how surely.

    Parameters
    ----------
    bench : MicrogridBench
    trace : Trace
        Of an opening, with the power of the critical load.
    load_w : float
        What it shall get. [W]

    Returns
    -------
    tuple of (float, float)
        Longest time together, and its uncertainty. [s]
    """
    island = trace.after()
    without = -island.p_w[bench.critical] < SERVED_SHARE * load_w
    found_s, least_s, most_s = (
        longest_s((without | past_trip(bench, island.f_hz, further))[:, None], island.step_s)
        for further in (0.0, U_HZ, -U_HZ)
    )
    doubt_s = max(most_s - found_s, found_s - least_s)
    return found_s, doubt_s + (island.step_s if found_s else 0.0)
