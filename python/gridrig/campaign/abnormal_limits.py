"""Limits of abnormal voltage and frequency, as data: trips, ride-through, changes of phase.

The standards themselves were not read: each figure is one that open code and data restate, named
beside it. Frequencies are those of 60 Hz;
`GridBench.hz` scales them to another nominal. Disputed: OpenDER uses 58.5 Hz for continuous
operation and 58.8 Hz for its timer (58.8 Hz is used here); how often the high-voltage signal of
category II repeats ABCD (once here, as in svp_1547.1).

References
----------
.. [1] EPRI, OpenDER 2.2.0, BSD-3-Clause: `common_file_format.py` (defaults, ranges), `rt_crit.py`
   (ride-through times), `rt_perf.py` (cessation).
.. [2] Sandia National Laboratories, svp_1547.1, Apache-2.0: `p1547.py` (test signals), `PCRT.py`.
.. [3] pyUL1741SB, `eut.py` (ranges, rate of change) and `IEEE1547/` (rules of the trip tests,
   criteria of riding through).
.. [4] Microchip Technology, "Voltage Phase Angle Changes Ride-Through," quotes clause 6.5.2.6.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Response = Literal["operate", "may cease", "cease"]


@dataclass(frozen=True)
class TripStage:
    """One must-trip stage.

    Parameters
    ----------
    name : str
        "OV1" and so on.
    threshold : float
        Default. [pu or Hz]
    clearing_s : float
        Default clearing time. [s]
    thresholds, clearings_s : (float, float) or None
        Range it can be set to; None where it is fixed.
    """

    name: str
    threshold: float
    clearing_s: float
    thresholds: tuple[float, float] | None = None
    clearings_s: tuple[float, float] | None = None

    @property
    def over(self) -> bool:
        """Whether it trips above its threshold."""
        return self.name[0] == "O"


TRIP_SOURCE = "IEEE 1547-2018 tables 11 to 13, restated by OpenDER"
OV1_V, UV1_V, UV2_V = (1.10, 1.20), (0.0, 0.88), (0.0, 0.50)
_OV2 = TripStage("OV2", 1.20, 0.16)
VOLTAGE_TRIP: Mapping[str, tuple[TripStage, ...]] = {
    "I": (
        _OV2,
        TripStage("OV1", 1.10, 2.0, OV1_V, (1.0, 13.0)),
        TripStage("UV2", 0.45, 0.16, UV2_V, (0.16, 2.0)),
        TripStage("UV1", 0.70, 2.0, UV1_V, (2.0, 21.0)),
    ),
    "II": (
        _OV2,
        TripStage("OV1", 1.10, 2.0, OV1_V, (1.0, 13.0)),
        TripStage("UV2", 0.45, 0.16, UV2_V, (0.16, 2.0)),
        TripStage("UV1", 0.70, 10.0, UV1_V, (2.0, 21.0)),
    ),
    "III": (
        _OV2,
        TripStage("OV1", 1.10, 13.0, OV1_V, (1.0, 13.0)),
        TripStage("UV2", 0.50, 2.0, UV2_V, (2.0, 21.0)),
        TripStage("UV1", 0.88, 21.0, UV1_V, (21.0, 50.0)),
    ),
}
FREQUENCY_TRIP: tuple[TripStage, ...] = (
    TripStage("OF2", 62.0, 0.16, (61.8, 66.0), (0.16, 1000.0)),
    TripStage("OF1", 61.2, 300.0, (61.0, 66.0), (180.0, 1000.0)),
    TripStage("UF2", 56.5, 0.16, (50.0, 57.0), (0.16, 1000.0)),
    TripStage("UF1", 58.5, 300.0, (50.0, 59.0), (180.0, 1000.0)),
)
# Settings at which no trip stands in the way of riding through: mildest stage first [2].
WIDEST_HIGH_V = ((1.20, 13.0), (1.20, 0.16))
WIDEST_LOW_V: Mapping[str, tuple[tuple[float, float], ...]] = {
    "I": ((0.0, 21.0), (0.0, 2.0)),
    "II": ((0.0, 21.0), (0.0, 2.0)),
    "III": ((0.0, 50.0), (0.0, 21.0)),
}
WIDEST_HIGH_HZ, WIDEST_LOW_HZ, WIDEST_HZ_S = 66.0, 50.0, 1000.0

# Momentary cessation of category III: below and above these [pu], within this time [s].
CESSATION_V: Mapping[str, tuple[float, float] | None] = {
    "I": None,
    "II": None,
    "III": (0.50, 1.10),
}
CESSATION_S = 0.083
CESSATION_SOURCE = "IEEE 1547-2018 table 16, restated by OpenDER: 0.083 s"
RESTORED_SHARE, RESTORED_S = 0.80, 0.4
RESTORED_SOURCE = "IEEE 1547-2018 6.4.2.7, restated by OpenDER: 0.4 s"
OPERATES_SOURCE = "IEEE 1547.1-2020 5.4.4.5, restated by pyUL1741SB: 80 % of the current before"


@dataclass(frozen=True)
class Span:
    """A part of a ride-through signal.

    Parameters
    ----------
    label : str
        The test's letter.
    v_pu : float
        Where the standard gives an edge, inside it by the accuracy of a voltage. [pu]
    dwell_s : float
        [s]
    response : str
        "operate", "may cease", or "cease" momentarily.
    """

    label: str
    v_pu: float
    dwell_s: float
    response: Response


# Signals of the ride-through tests [2], each with the orders they are played in. Category I has
# none in our sources: its signal is made of the minimum times of [1].
_A2, _F2 = Span("A", 0.94, 10.0, "operate"), Span("F", 0.94, 120.0, "operate")
_B2, _C2 = Span("B", 0.28, 0.16, "may cease"), Span("C", 0.43, 0.16, "may cease")
_D2, _DP2 = Span("D", 0.66, 2.68, "operate"), Span("D'", 0.775, 7.68, "operate")
_E2 = Span("E", 0.87, 2.0, "operate")
_A3, _E3 = Span("A", 0.94, 5.0, "operate"), Span("E", 0.94, 120.0, "operate")
_B3, _C3 = Span("B", 0.03, 1.0, "cease"), Span("C", 0.48, 9.0, "cease")
_CP3, _D3 = Span("C'", 0.61, 9.0, "operate"), Span("D", 0.71, 10.0, "operate")
_A1, _B1 = Span("A", 0.94, 10.0, "operate"), Span("B", 0.51, 0.16, "may cease")
_C1, _D1 = Span("C", 0.71, 0.54, "operate"), Span("D", 0.87, 0.72, "operate")
LOW_VOLTAGE: Mapping[str, tuple[tuple[Span, ...], ...]] = {
    "I": ((_A1, _B1, _C1, _D1, _F2),),
    "II": ((_A2, _B2, _C2, _D2, _E2), (_A2, _B2, _C2, _D2, _E2, _F2), (_A2, _B2, _C2, _DP2, _F2)),
    "III": (
        (_A3, _B3, _C3, _D3),
        (_A3, _B3, _C3, _D3),
        (_A3, _B3, _C3, _D3, _E3),
        (_A3, _B3, _CP3, _D3, _E3),
    ),
}
_HA2, _HE2 = Span("A", 1.00, 10.0, "operate"), Span("E", 1.00, 120.0, "operate")
_HB2, _HC2 = Span("B", 1.19, 0.2, "may cease"), Span("C", 1.165, 0.3, "may cease")
_HD2 = Span("D", 1.14, 0.5, "may cease")
_HA3, _HC3 = Span("A", 1.04, 5.0, "operate"), Span("C", 1.04, 120.0, "operate")
_HB3, _HBP3 = Span("B", 1.19, 12.0, "cease"), Span("B'", 1.12, 12.0, "cease")
_TWO = ((_HA2, _HB2, _HC2, _HD2), (_HA2, _HB2, _HC2, _HD2, _HE2))
HIGH_VOLTAGE: Mapping[str, tuple[tuple[Span, ...], ...]] = {
    "I": _TWO,
    "II": _TWO,
    "III": ((_HA3, _HB3), (_HA3, _HB3), (_HA3, _HB3, _HC3), (_HA3, _HBP3, _HC3)),
}
POWERS_PU = (1.0, 0.4)  # above 0.9 and from 0.25 to 0.5

# Frequency ride-through: held, at the edges of mandatory operation [1][3].
HIGH_HZ, LOW_HZ, FREQUENCY_HELD_S, FREQUENCY_RUNS = 61.8, 57.0, 299.0, 3
FREQUENCY_SOURCE = "IEEE 1547-2018 table 19, restated by OpenDER: 299 s"
CONTINUOUS_HZ = (58.8, 61.2)
ROCOF_HZ_S: Mapping[str, float] = {"I": 0.5, "II": 2.0, "III": 3.0}
ROCOF_SOURCE = "IEEE 1547-2018 table 21, restated by pyUL1741SB"

# Changes of phase angle [2]: of one phase and of all, how long, and the rest between.
ONE_PHASE_DEG, ONE_PHASE_S = 60.0, 0.4
ALL_PHASES_DEG, ALL_PHASES_S = 20.0, 60.0
PHASE_REST_S = 35.0
PHASE_RESTORED_S = 0.5
PHASE_SOURCE = "IEEE 1547-2018 6.5.2.6, quoted by Microchip: may cease for 0.5 s"
