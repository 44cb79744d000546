"""Cases and settings of the unintentional-islanding test, as data.

Per unit is of rated apparent power; reactive power is positive into the grid. Frequencies are those
of 60 Hz, scaled by ratio to another nominal. The standard itself was not read: each figure is one
that the transcription [1] restates.

Disputed
    Case 3B: [1] lists -0.25 beside a power factor of 0.90 absorbing and a load that balances -0.44;
    taken is -0.44. Case 9B: [1] lists a load of 0.90 beside 0.50 of power, which its own balance
    of 0.02 forbids; taken is 0.50. Case 8 lists no reactive power at full active power, where the
    most aggressive watt-var curve absorbs; the load is tuned to what the inverter gives. Cases 3
    and 4 of categories I and II: [1] has a least aggressive response to frequency of 0 s, which is
    outside what can be set (0.2 to 10 s) and faster than the most aggressive; taken are the 10 s of
    category III.

References
----------
.. [1] Sandia National Laboratories, svp_1547.1, Apache-2.0: `UI.py`, tables 12 to 19 of clause 5.10
   of IEEE 1547.1-2020.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gridrig.devices.grid_support import (
    CurveSettings,
    DroopSettings,
    PowerFactorSettings,
    TripSettings,
)

SOURCE = "IEEE 1547.1-2020 5.10.2, restated by svp_1547.1"
_DISPUTED: Mapping[str, str] = {
    "3B": "its source gives -0.25 and -0.44 of reactive power, -0.44 is taken",
    "8A": "its source gives no reactive power, where its curve absorbs",
    "8B": "its source gives no reactive power, where its curve absorbs",
    "9B": "its source gives a load of 0.90 and of 0.50, 0.50 is taken",
}
_DISPUTED_DROOP = "its source gives 0 s of droop response, 10 s are taken"
Level = Literal["default", "most", "least", "off"]
Reactive = PowerFactorSettings | CurveSettings | float  # a number is constant reactive power [pu]


@dataclass(frozen=True)
class Case:
    """One row of tables 13 and 14.

    Parameters
    ----------
    name : str
        Such as "3B".
    p_pu : float
        Active power it is commanded to. [pu]
    mode : str
        Function that decides reactive power: "power_factor", "constant", "volt_var", "watt_var".
    reactive : PowerFactorSettings, CurveSettings or float
        Its setting.
    volt_watt, droop : str
        How these two are set.
    """

    name: str
    p_pu: float
    mode: str
    reactive: Reactive
    volt_watt: Level
    droop: Level


def _volt_var(v_pu: tuple[float, ...], q_pu: float, response_s: float) -> CurveSettings:
    points = tuple(zip(v_pu, (q_pu, 0.0, 0.0, -q_pu), strict=True))
    return CurveSettings(points, "va_max", response_s, "reactive", 1.0, v_ref_auto=False)


_VOLT_VAR: Mapping[tuple[str, Level], CurveSettings] = {
    ("A", "most"): _volt_var((0.98, 1.00, 1.00, 1.02), 0.25, 1.0),
    ("A", "default"): _volt_var((0.90, 1.00, 1.00, 1.10), 0.25, 10.0),
    ("B", "most"): _volt_var((0.98, 1.00, 1.00, 1.02), 0.44, 1.0),
    ("B", "default"): _volt_var((0.92, 0.98, 1.02, 1.08), 0.44, 5.0),
}
_WATT_VAR: Mapping[tuple[str, Level], CurveSettings] = {
    ("A", "most"): CurveSettings(((0.2, 0.44), (0.8, 0.44), (0.9, -0.25)), "va_max"),
    ("A", "default"): CurveSettings(((0.2, 0.0), (0.5, 0.0), (1.0, -0.25)), "va_max"),
    ("B", "most"): CurveSettings(((0.2, 0.44), (0.9, 0.44), (1.0, -0.44)), "va_max"),
    ("B", "default"): CurveSettings(((0.2, 0.0), (0.5, 0.0), (1.0, -0.44)), "va_max"),
}
VOLT_WATT: Mapping[Level, CurveSettings] = {
    "default": CurveSettings(((1.06, 1.0), (1.10, 0.2)), "w_max", 10.0),
    "most": CurveSettings(((1.05, 1.0), (1.06, 0.2)), "w_max", 0.5),
}
_DROOP_HZ: Mapping[Level, float] = {"least": 1.0, "default": 0.036, "most": 0.017}
# Change of frequency for full power, and response time, by category of abnormal operation.
_DROOP: Mapping[tuple[str, Level], tuple[float, float]] = {
    ("I", "least"): (0.05, 10.0),
    ("I", "default"): (0.05, 5.0),
    ("I", "most"): (0.03, 1.0),
    ("III", "least"): (0.05, 10.0),
    ("III", "default"): (0.05, 5.0),
    ("III", "most"): (0.02, 0.2),
}


def droop(level: Level, abnormal: str, f_n: float) -> DroopSettings:
    """Return how frequency droop is set for a category of abnormal operation. [Hz]

    >>> droop("most", "II", 60.0).k_of
    0.03
    """
    band_hz = _DROOP_HZ[level] * f_n / 60.0
    k, response_s = _DROOP["III" if abnormal == "III" else "I", level]
    return DroopSettings(band_hz, band_hz, k, k, response_s)


def opened_trips(abnormal: str, f_n: float) -> dict[str, TripSettings]:
    """Return trip settings so wide that they end no island within its time. [pu, Hz, s]"""
    long_s, short_s = (50.0, 21.0) if abnormal == "III" else (21.0, 2.0)
    high_hz, low_hz = (at_60_hz * f_n / 60.0 for at_60_hz in (66.0, 50.0))
    return {
        "high_voltage_trip": TripSettings(((1.20, 13.0), (1.20, 0.16))),
        "low_voltage_trip": TripSettings(((0.0, long_s), (0.0, short_s))),
        "high_frequency_trip": TripSettings(((high_hz, 1000.0), (high_hz, 1000.0))),
        "low_frequency_trip": TripSettings(((low_hz, 1000.0), (low_hz, 1000.0))),
    }


def cases(normal: str) -> tuple[Case, ...]:
    """Return the cases of a category of normal operation, in order.

    >>> [case.p_pu for case in cases("B")]
    [1.0, 0.5, 0.9, 0.9, 1.0, 0.5, 0.5, 1.0, 0.5, 0.5]
    """
    is_a = normal == "A"
    unity = PowerFactorSettings(1.0)
    absorbs, constant = (0.96, (0.9, -0.25)) if is_a else (0.90, (0.5, -0.44))
    rows: tuple[tuple[float, str, Reactive, Level, Level], ...] = (
        (1.0, "power_factor", unity, "default", "default"),
        (0.5, "power_factor", unity, "default", "default"),
        (0.9, "power_factor", PowerFactorSettings(absorbs, injects=False), "off", "least"),
        (0.9, "power_factor", PowerFactorSettings(0.90), "off", "least"),
        (1.0, "volt_var", _VOLT_VAR[normal, "most"], "most", "most"),
        (0.5, "volt_var", _VOLT_VAR[normal, "default"], "most", "most"),
        (0.5, "watt_var", _WATT_VAR[normal, "default"], "most", "most"),
        (1.0, "watt_var", _WATT_VAR[normal, "most"], "most", "most"),
        (constant[0], "constant", constant[1], "most", "most"),
        (0.5, "constant", 0.44, "most", "most"),
    )
    return tuple(Case(f"{number}{normal}", *row) for number, row in enumerate(rows, 1))


def disputed(case: Case, abnormal: str) -> str:
    """Return what our sources dispute of a case, empty if nothing.

    >>> disputed(cases("A")[2], "II")
    'its source gives 0 s of droop response, 10 s are taken'
    """
    words = [_DISPUTED[case.name]] if case.name in _DISPUTED else []
    words += [_DISPUTED_DROOP] if case.droop == "least" and abnormal != "III" else []
    return "; ".join(words)
