"""The labels of IEEE 1547-2018 for an inverter's settings, and what they are set to.

A label with -AS is a setting as found, -ER-MIN and -ER-MAX are the range over which procedures
evaluated it.

References
----------
.. [1] Sandia National Laboratories, svp_1547.1, Apache-2.0: `RR-IEEE_Profile_worksheet_FINAL.csv`,
   whose labels and units these are; its sample values are not.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gridrig.devices.grid_support import (
    CurveSettings,
    DroopSettings,
    EnterService,
    EnterServiceSettings,
    FunctionState,
    GridSupport,
    TripSettings,
)

Labelled = tuple[str, float | str]
# What a label's last word stands for.
UNITS: Mapping[str, str] = {
    "_V": "V p.u.",
    "_F": "Hz",
    "_T": "s",
    "_OLRT": "s",
    "_DELAY": "s",
    "_V_LOW": "V p.u.",
    "_V_HIGH": "V p.u.",
    "_F_LOW": "Hz",
    "_F_HIGH": "Hz",
    "_RAMP_RATE": "%/s",
    "_DBOF": "Hz",
    "_DBUF": "Hz",
    "_KOF": "unitless",
    "_KUF": "unitless",
    "_ENABLE": "Text",
    "_RANDOMIZED_DELAY": "Text",
    "NP_P_MAX": "kW",
    "NP_AC_V_NOM": "Vac",
}
TRIPS = {
    "high_voltage_trip": ("OV", "V"),
    "low_voltage_trip": ("UV", "V"),
    "high_frequency_trip": ("OF", "F"),
    "low_frequency_trip": ("UF", "F"),
}


def unit_of(label: str) -> str:
    """Return the unit of a label; "Text" for what has none of the known endings."""
    fits = [ending for ending in UNITS if label.endswith(ending)]
    if fits:
        return UNITS[max(fits, key=len)]
    curve = label.split("_CURVE_")
    return {"V": "V p.u.", "P": "P p.u.", "Q": "VAr p.u."}[curve[1][0]] if curve[1:] else "Text"


def trip_labels(stage: str, threshold: float, clearing_s: float) -> tuple[Labelled, Labelled]:
    """Return the two settings of a stage such as "OV1"."""
    quantity = stage[1]
    return (f"{stage}_TRIP_{quantity}", threshold), (f"{stage}_TRIP_T", clearing_s)


def enter_service_labels(settings: EnterServiceSettings) -> list[Labelled]:
    """Return the settings of entering service; without a ramp there is no rate."""
    found: list[Labelled] = [
        ("ES_V_LOW", settings.v_low_pu),
        ("ES_V_HIGH", settings.v_high_pu),
        ("ES_F_LOW", settings.f_low_hz),
        ("ES_F_HIGH", settings.f_high_hz),
        ("ES_DELAY", settings.delay_s),
        ("ES_RANDOMIZED_DELAY", _enabled(settings.random_s > 0)),
    ]
    return found + ([("ES_RAMP_RATE", 100.0 / settings.ramp_s)] if settings.ramp_s else [])


async def applied_labels(inverter: Any) -> list[Labelled]:
    """Return every labelled setting that an inverter's driver can read, as it is in force."""
    found: list[Labelled] = []
    # A guarded driver answers for the one behind it.
    driver = getattr(inverter, "driver", inverter)
    if isinstance(driver, EnterService):
        found += enter_service_labels(await driver.read_enter_service())
    if isinstance(driver, GridSupport):
        for name, labels in _FUNCTIONS.items():
            if name in driver.functions:
                found += labels(name, await driver.read_function(name))
    return found


def _trips(name: str, state: FunctionState) -> Iterator[Labelled]:
    assert isinstance(state.settings, TripSettings)
    side, _ = TRIPS[name]
    points = sorted(state.settings.must_trip, reverse=side[0] == "U")  # the mildest is the first
    for number, (threshold, clearing_s) in enumerate(points, 1):
        yield from trip_labels(f"{side}{number}", threshold, clearing_s)


def _droop(_: str, state: FunctionState) -> Iterator[Labelled]:
    settings = state.settings
    assert isinstance(settings, DroopSettings)
    yield "PF_MODE_ENABLE", _enabled(state.on)
    yield "PF_DBOF", settings.db_of_hz
    yield "PF_DBUF", settings.db_uf_hz
    yield "PF_KOF", settings.k_of
    yield "PF_KUF", settings.k_uf
    yield "PF_OLRT", settings.response_s


def _curve(name: str, state: FunctionState) -> Iterator[Labelled]:
    settings = state.settings
    assert isinstance(settings, CurveSettings)
    short, y = {"volt_var": ("QV", "Q"), "volt_watt": ("PV", "P")}[name]
    yield f"{short}_MODE_ENABLE", _enabled(state.on)
    for number, (v_pu, y_pu) in enumerate(settings.points, 1):
        generating = "_GEN" if (short, number) == ("PV", 2) else ""
        yield f"{short}_CURVE_V{number}", v_pu
        yield f"{short}_CURVE_{y}{number}{generating}", y_pu
    if settings.response_s is not None:
        yield f"{short}_OLRT", settings.response_s


def _enabled(on: bool) -> str:
    return "ENABLED" if on else "DISABLED"


_FUNCTIONS: Mapping[str, Callable[[str, FunctionState], Iterator[Labelled]]] = {
    **dict.fromkeys(TRIPS, _trips),
    "frequency_droop": _droop,
    "volt_var": _curve,
    "volt_watt": _curve,
}
