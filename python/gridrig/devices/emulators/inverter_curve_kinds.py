"""The curve models of an emulated inverter as data: 705 to 712, and what curves hold first."""

from collections.abc import Mapping
from dataclasses import dataclass

CURVES = 3  # each model stores so many
REFERENCES = ("w_max", "var_max", "var_available", "va_max")
REGIONS = {"MustTrip": "must_trip", "MayTrip": "may_trip", "MomCess": "momentary_cessation"}


@dataclass(frozen=True)
class Kind:
    """One curve model.

    Parameters
    ----------
    number : int
        The model.
    function : str
        The grid-support function it sets.
    points : int
        Points a curve holds, 0 if its model has none.
    x, y : str
        Names of a point's two values.
    scale : mapping of str to int
        Scale factors.
    defaults : mapping of str to float
        What each curve holds at the start, by name behind `Crv[n].`.
    """

    number: int
    function: str
    points: int
    x: str
    y: str
    scale: Mapping[str, int]
    defaults: Mapping[str, float]

    @property
    def trips(self) -> bool:
        """Whether its curves are the three regions of a ride-through."""
        return 707 <= self.number <= 710

    @property
    def word(self) -> str:
        """Ctl for model 711, Crv for the others, as their points are named."""
        return "Ctl" if self.number == 711 else "Crv"

    @property
    def counts(self) -> dict[str, int]:
        """The counts of its model."""
        if self.number == 711:
            return {"NCtl": CURVES}
        return {"NCrvSet" if self.trips else "NCrv": CURVES, "NPt": self.points}


def pairs_of(x: str, y: str, *values: tuple[float, float]) -> dict[str, float]:
    """Return the points of a curve by their names, and how many there are."""
    named: dict[str, float] = {"ActPt": len(values)}
    for number, (x_value, y_value) in enumerate(values, 1):
        named |= {f"Pt[{number}].{x}": x_value, f"Pt[{number}].{y}": y_value}
    return named


_NO_REGIONS = {f"{region}.ActPt": 0.0 for region in REGIONS}
_VOLT_TRIP: Mapping[str, int] = {"V_SF": -1, "Tms_SF": -2}
_HERTZ_TRIP: Mapping[str, int] = {"Hz_SF": -3, "Tms_SF": -2}
# The defaults of IEEE 1547-2018 for category B, not enabled: volt-var (table 8), volt-watt
# (table 10), frequency droop (table 24, 60 Hz); watt-var has its zero curve.
KINDS = (
    Kind(
        *(705, "volt_var", 4, "V", "Var"),
        {"V_SF": -1, "DeptRef_SF": -1, "RspTms_SF": -1},
        {
            **pairs_of("V", "Var", (92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0)),
            **{"DeptRef": 1, "Pri": 1, "VRef": 100.0, "VRefAutoEna": 0, "VRefAutoTms": 300},
            "RspTms": 5.0,
        },
    ),
    Kind(
        *(706, "volt_watt", 2, "V", "W"),
        {"V_SF": -1, "DeptRef_SF": -1, "RspTms_SF": -1},
        {**pairs_of("V", "W", (106.0, 100.0), (110.0, 0.0)), "DeptRef": 0, "RspTms": 10.0},
    ),
    Kind(707, "low_voltage_trip", 5, "V", "Tms", _VOLT_TRIP, _NO_REGIONS),
    Kind(708, "high_voltage_trip", 5, "V", "Tms", _VOLT_TRIP, _NO_REGIONS),
    Kind(709, "low_frequency_trip", 5, "Hz", "Tms", _HERTZ_TRIP, _NO_REGIONS),
    Kind(710, "high_frequency_trip", 5, "Hz", "Tms", _HERTZ_TRIP, _NO_REGIONS),
    Kind(
        *(711, "frequency_droop", 0, "", ""),
        {"Db_SF": -3, "K_SF": -3, "RspTms_SF": -1},
        {"DbOf": 0.036, "DbUf": 0.036, "KOf": 0.05, "KUf": 0.05, "RspTms": 5.0, "PMin": 0},
    ),
    Kind(
        *(712, "watt_var", 6, "W", "Var"),
        {"W_SF": -1, "DeptRef_SF": -1},
        {**pairs_of("W", "Var", (20.0, 0.0), (100.0, 0.0)), "DeptRef": 1, "Pri": 1},
    ),
)
