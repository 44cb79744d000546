"""How a microgrid and the grid stood to each other when the switch between them closed.

From one recording of both voltages with the switch's status contact, so on one time base: each
cycle before the contact is a phasor, and straight lines through their angles give both frequencies
and the angle between them at the contact.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gridrig.campaign.microgrid_bench import CONTACT_S, GRID, MicrogridBench
from gridrig.devices.bench_capabilities import CapturePlan, Float

POINTS_A_CYCLE = 100
BEFORE_S, AFTER_S = 0.3, 0.1
REST_S = 0.25
U_DEG, U_HZ = 0.5, 0.02  # of two voltage channels of one analyser over ten cycles, stated by us
CYCLES = 10


@dataclass(frozen=True)
class Difference:
    """Island minus grid.

    Parameters
    ----------
    df_hz, dv_pu, dtheta_deg : float
        Of frequency, voltage and angle. [Hz, pu, deg]
    u_deg : float
        Of the angle: that of the fit, and what it moves while the contact may have lagged. [deg]
    """

    df_hz: float
    dv_pu: float
    dtheta_deg: float
    u_deg: float


def difference(island_v: Float, grid_v: Float, f_n: float) -> tuple[float, float, float]:
    """Return how two voltages differ at the end of their waves: frequency, RMS, angle.

    Parameters
    ----------
    island_v, grid_v : array of float64, shape (points,)
        Waves, at least `CYCLES` of nominal frequency, of `POINTS_A_CYCLE` each. [V]
    f_n : float
        Nominal frequency. [Hz]

    Returns
    -------
    df_hz, dv_v, dtheta_deg : float
        [Hz, V, deg]

    Examples
    --------
    >>> t = np.arange(-1000, 0) / 5e3
    >>> island = 325 * np.cos(2 * np.pi * 50.1 * t + np.radians(30))
    >>> df, dv, angle = difference(island, 320 * np.cos(2 * np.pi * 50 * t), 50)
    >>> round(df, 2), round(dv, 1), round(angle, 1)
    (0.1, 3.5, 30.0)
    """
    lines = [_line(v, f_n) for v in (island_v, grid_v)]
    slopes, sizes, angles = zip(*lines, strict=True)
    angle = math.degrees(angles[0] - angles[1])
    return slopes[0] - slopes[1], sizes[0] - sizes[1], (angle + 180.0) % 360.0 - 180.0


def _line(wave: Float, f_n: float) -> tuple[float, float, float]:
    """Return frequency beside nominal, RMS, and angle at the end of a wave. [Hz, V, rad]"""
    points = CYCLES * POINTS_A_CYCLE
    t_s = np.arange(-points, 0) / (POINTS_A_CYCLE * f_n)
    turning = wave[-points:] * np.exp(-2j * np.pi * f_n * t_s)
    # Two cycles at a time under a Hann window: twice nominal frequency does not leak through it.
    length = 2 * POINTS_A_CYCLE
    weights = np.hanning(length + 1)[:-1] / POINTS_A_CYCLE * math.sqrt(2)
    starts = range(0, points - length + 1, POINTS_A_CYCLE)
    cycles = np.array([np.sum(turning[k : k + length] * weights) for k in starts])
    middles_s = np.array([t_s[k + POINTS_A_CYCLE] for k in starts])
    slope, angle = np.polyfit(middles_s, np.unwrap(np.angle(cycles)), 1)
    return float(slope) / (2 * math.pi), float(np.abs(cycles).mean()), float(angle)


async def angle_deg(bench: MicrogridBench) -> float:
    """Measure by how much the island is ahead of the grid now. [deg]"""
    reading = await bench.measure()
    island, grid = (reading.angle_deg[bench.channels[x][0] - 1] for x in (bench.storage, GRID))
    return (island - grid + 180.0) % 360.0 - 180.0


async def record_closing(
    bench: MicrogridBench, prepare: Callable[[], Awaitable[None]], within_s: float
) -> tuple[float, Difference | None]:
    """Request the switch to close; return when it did and how it stood then. [s]

    Infinity and None if it does not. `prepare` is done `REST_S` before the request, so that what
    is judged holds nothing of it.
    """
    analyser = bench.lab.driver(bench.lab.name_of("analyser"))
    rate_hz = POINTS_A_CYCLE * bench.f_n
    points = round((BEFORE_S + AFTER_S) * rate_hz)
    # A hair more than a whole number of points: the analyser takes the whole part of it.
    before = (round(BEFORE_S * rate_hz) + 0.01) / points
    plan = CapturePlan("waveform", rate_hz, points, before, source="contact", rising=True)
    await bench.hold(2 * BEFORE_S, step_s=BEFORE_S)
    await analyser.arm(plan)
    await prepare()
    await bench.hold(REST_S, step_s=REST_S)
    closed_s = await bench.closed_within(within_s)
    if math.isinf(closed_s):
        await analyser.abort()
        return closed_s, None
    names = _tracks(bench)
    recording = await bench.fetched(within_s, names)
    waves = [recording.tracks[name] for name in names]
    until = np.count_nonzero(recording.since_trigger_s() < -CONTACT_S)
    df_hz, dv_v, dtheta_deg = difference(waves[0][:until], waves[1][:until], bench.f_n)
    lag_deg = 360.0 * abs(df_hz) * 2 * CONTACT_S
    return closed_s, Difference(df_hz, dv_v / bench.v_n, dtheta_deg, U_DEG + lag_deg)


def _tracks(bench: MicrogridBench) -> Sequence[str]:
    return [f"V{bench.channels[place][0]}" for place in (bench.storage, GRID)]
