"""A recording of an island as it is drawn: voltage on the ITIC curve, frequency on its band."""

from dataclasses import dataclass

from gridrig.devices.bench_capabilities import Float


@dataclass(frozen=True)
class IslandShown:
    """One opening, or one block of load.

    Parameters
    ----------
    name : str
        What was done.
    t_s : array of float64, shape (points,)
        Ends of the windows, after it was done; all positive. [s]
    v_pu : array of float64, shape (points, phases)
        [pu]
    f_hz : array of float64, shape (points,)
        0 where there is no voltage. [Hz]
    f_band_hz : (float, float)
        Where it has to be. [Hz]
    note : str
        What the voltage came to on the curve.
    """

    name: str
    t_s: Float
    v_pu: Float
    f_hz: Float
    f_band_hz: tuple[float, float]
    note: str
