"""How an emulated analyser errs: gain, offset, noise, phase and clock, drawn from a seed and a
class.

Invariants
    Each channel's gain and phase errors are drawn once, evenly within the class, and stay; noise is
    drawn anew for each sample, or for each mean of many. The class is what the instrument states of
    itself; its driver makes the uncertainty of a reading from it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridrig.clock import stream
from gridrig.devices.emulators.bench_terminal import Complex, Float, Samples


@dataclass(frozen=True)
class Accuracy:
    """The class of an analyser.

    Parameters
    ----------
    gain_v, gain_i : float
        Largest gain errors, of the reading.
    phase_deg : float
        Largest angle between its voltage and current channels. [deg]
    noise_v, noise_i : float
        RMS of the noise of one sample. [V, A]
    offset_v, offset_i : float
        Largest offset of a sample; RMS values of the fundamental do not see it. [V, A]
    """

    gain_v: float
    gain_i: float
    phase_deg: float
    noise_v: float
    noise_i: float
    offset_v: float
    offset_i: float


@dataclass(frozen=True)
class Measured:
    """Means over windows.

    Parameters
    ----------
    f_hz : array of float64, shape (...)
        By the analyser's clock; 0 without voltage. [Hz]
    v_v, i_a, p_w, q_var : array of float64, shape (..., channels)
        RMS and means; power into the grid is positive. [V, A, W, var]
    angle_deg : array of float64, shape (..., channels)
        Of each voltage against the first channel's. [deg]
    """

    f_hz: Float
    v_v: Float
    i_a: Float
    p_w: Float
    q_var: Float
    angle_deg: Float


class Errors:
    """The errors of one analyser.

    Parameters
    ----------
    accuracy : Accuracy
        Its class.
    channels : int
        How many.
    name : str
        Of the device, for its random stream.
    seed : int
        Of all its errors.
    clock_rate : float
        How many seconds its clock counts in one.
    """

    def __init__(
        self, accuracy: Accuracy, channels: int, name: str, seed: int, clock_rate: float
    ) -> None:
        self.accuracy = accuracy
        self._rate = clock_rate
        drawn = stream(seed, f"{name}/errors")

        def even(most: float) -> Float:
            return np.array([drawn.uniform(-most, most) for _ in range(channels)])

        self._gain_v, self._gain_i = 1 + even(accuracy.gain_v), 1 + even(accuracy.gain_i)
        self._turn = np.exp(1j * np.radians(even(accuracy.phase_deg)))
        self._offset_v, self._offset_i = even(accuracy.offset_v), even(accuracy.offset_i)
        self._noise = np.random.default_rng(drawn.getrandbits(64))

    def means(self, v_v: Complex, i_a: Complex, f_hz: Float, samples: int) -> Measured:
        """Return what it measures over windows.

        Parameters
        ----------
        v_v, i_a : array of complex128, shape (..., n, channels)
            What is there in each window. [V, A]
        f_hz : array of float64, shape (..., n)
            0 where there is no voltage. [Hz]
        samples : int
            Samples it takes in a window; its noise is a mean over them.
        """
        v, i = v_v * self._gain_v, i_a * self._gain_i
        power = np.mean(v * np.conj(i) * self._turn, axis=-2)
        v_rms = np.sqrt(np.mean(np.abs(v) ** 2, axis=-2))
        i_rms = np.sqrt(np.mean(np.abs(i) ** 2, axis=-2))
        a, share = self.accuracy, 1 / math.sqrt(samples)
        v_noise = self._noise.normal(0, a.noise_v * share, v_rms.shape)
        i_noise = self._noise.normal(0, a.noise_i * share, i_rms.shape)
        p_noise = self._noise.normal(0, 1, (2, *v_rms.shape)) * share
        p_noise *= np.hypot(a.noise_v * i_rms, a.noise_i * v_rms)
        live = np.count_nonzero(f_hz > 0, axis=-1)
        return Measured(
            np.sum(f_hz, axis=-1) / np.maximum(live, 1) / self._rate,
            np.abs(v_rms + v_noise),
            np.abs(i_rms + i_noise),
            power.real + p_noise[0],
            power.imag + p_noise[1],
            np.degrees(np.angle(np.sum(v_v * np.conj(v_v[..., :1]), axis=-2))),
        )

    def wave(self, found: Complex, channel: int, *, current: bool) -> Float:
        """Return the samples of one channel. [V or A]"""
        a = self.accuracy
        gain = (self._gain_i if current else self._gain_v)[channel]
        turn = np.conj(self._turn[channel]) if current else 1.0
        offset = (self._offset_i if current else self._offset_v)[channel]
        noise = self._noise.normal(0, a.noise_i if current else a.noise_v, found.shape)
        waves: Float = math.sqrt(2) * np.real(found * turn) * gain + offset + noise
        return waves


def wired(
    groups: Sequence[Samples],
    v_order: Sequence[int],
    i_order: Sequence[int],
    ct: Sequence[int],
) -> tuple[Complex, Complex]:
    """Return voltages and currents as they reach the channels, right or wrongly wired.

    Parameters
    ----------
    groups : sequence of Samples
        Of each group of channels.
    v_order, i_order : sequence of int
        The phase that each channel of the first group is clipped on, from 1.
    ct : sequence of int
        1, or -1 for a current transformer that is clipped on backwards, of each channel.

    Returns
    -------
    tuple of arrays of complex128, shape (n, channels)
    """
    phases = groups[0].v_v.shape[1]
    v_columns = [group.v_v for group in groups]
    i_columns = [group.i_a for group in groups]
    v_columns[0] = v_columns[0][:, [p - 1 for p in v_order[:phases]]]
    i_columns[0] = i_columns[0][:, [p - 1 for p in i_order[:phases]]]
    signs = np.ones(phases * len(groups))
    signs[: min(len(ct), len(signs))] = ct[: len(signs)]
    return np.concatenate(v_columns, axis=1), np.concatenate(i_columns, axis=1) * signs
