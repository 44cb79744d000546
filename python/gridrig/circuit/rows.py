"""What flows on the bus in the steps of a millisecond that the plant has taken in one call."""

from collections.abc import Mapping

import numpy as np

from gridrig.circuit.history import STEPS_PER_S
from gridrig.devices.emulators.bench_terminal import Complex, Float
from gridrig.plant import IslandTick, Segment, SourceTick

_ALIVE_V = 1e-3


def island_rows(
    tick: IslandTick, theta: float, index_of: Mapping[int, int], places: int, one_pu: Complex
) -> tuple[Complex, Complex, Float, float]:
    """Return the phasors of each step of an island tick.

    Parameters
    ----------
    tick : IslandTick
        With every step recorded, of a millisecond each.
    theta : float
        Angle of the bus at its beginning. [rad]
    index_of : mapping of int to int
        The place of each device of the plant, and its index there.
    places : int
        How many there are.
    one_pu : array of complex128, shape (phases,)
        Nominal voltage of each phase, at its place in the sequence. [V]

    Returns
    -------
    v_v : array of complex128, shape (steps, phases)
    i_a : array of complex128, shape (steps, places, phases)
    f_hz : array of float64, shape (steps,)
    theta : float
        At its end. [rad]
    """
    f_hz, v_pu = np.array(tick.f_hz), np.array(tick.v_pu)
    turns = theta + np.cumsum(2 * np.pi * f_hz / STEPS_PER_S)
    thetas = np.concatenate([[theta], turns[:-1]])
    v = (v_pu * np.exp(1j * thetas))[:, None] * one_pu
    phases = v.shape[1]
    powers = (np.array(tick.p_w) + 1j * np.array(tick.q_var)) / phases
    alive = np.abs(v) > _ALIVE_V
    i = np.zeros((len(f_hz), places, phases), dtype=np.complex128)
    for place, index in index_of.items():
        i[:, place] = np.where(alive, np.conj(powers[index][:, None] / np.where(alive, v, 1.0)), 0)
    return v, i, f_hz, float(turns[-1])


def source_rows(
    tick: SourceTick,
    played: tuple[float, Segment],
    theta: float,
    index_of: Mapping[int, int],
    places: int,
    v_n: float,
) -> tuple[Complex, Complex, Float, float]:
    """Return the phasors of each step behind a source of three phases.

    Parameters
    ----------
    tick : SourceTick
        With every step recorded, of a millisecond each.
    played : (float, Segment)
        Frequency at the beginning of what the source played, and that. [Hz]
    theta : float
        Angle of the source at its beginning. [rad]
    index_of : mapping of int to int
        The place of each device behind the source, and its row in the tick.
    places : int
        How many there are.
    v_n : float
        Nominal voltage, phase to neutral. [V]

    Returns
    -------
    As `island_rows`.
    """
    begin_hz, segment = played
    steps = len(tick.f_hz)
    order = np.exp(-2j * np.pi * np.arange(3) / 3)
    shares = np.arange(steps) / steps
    f_hz = begin_hz + (segment.f_hz[1] - begin_hz) * shares
    v_from, v_to = (np.array(v) for v in (segment.v_from_pu, segment.v_to_pu))
    v_pu = v_from + (v_to - v_from) * shares[:, None]
    turns = theta + np.cumsum(2 * np.pi * f_hz / STEPS_PER_S)
    thetas = np.concatenate([[theta], turns[:-1]])
    v = v_n * v_pu * np.exp(1j * np.radians(segment.angle_deg)) * order
    v = v * np.exp(1j * thetas)[:, None]
    # The plant's frame turns at nominal frequency; what counts is each current's angle to its own
    # voltage, which its positive sequence has in both frames.
    theirs, ours = tick.v_pu @ np.conj(order), v @ np.conj(order)
    alive = np.abs(theirs) > 1e-9
    turned = np.where(alive, ours / np.where(alive, theirs, 1.0), 0.0)
    turned /= np.maximum(np.abs(turned), 1e-12)
    i = np.zeros((steps, places, 3), dtype=np.complex128)
    for place, index in index_of.items():
        i[:, place] = tick.i_va[index] / v_n * turned[:, None]
    return v, i, f_hz, float(turns[-1])
