"""What photovoltaic arrays give by the weather: pvlib's models, from irradiance to AC power.

The sun's place in the middle of each row; what falls on the array by Hay and Davies; the cells'
temperature by Faiman; DC and AC power by PVWatts, clipped at the inverter's rating. Where the file
has the global irradiance alone, it is parted into beam and diffuse by Erbs.

Columns of the file, one row a moment, equally long; values are means over the row:

- `time`: the start of the row, as in a table of profiles;
- `ghi_w_per_m2`: global horizontal irradiance; and `dni_w_per_m2` with `dhi_w_per_m2`, or neither;
- `air_c`, and `wind_m_per_s`, without which it is 1 m/s.

Known gaps: no shading by a horizon or other rows, no snow, no loss by reflection at low sun; one
inverter type, of PVWatts.

References
----------
.. [1] J. Hay, J. Davies, "Calculations of the solar radiation incident on an inclined surface,"
   Proc. of First Canadian Solar Radiation Data Workshop, 1980.
.. [2] D. Erbs et al., "Estimation of the diffuse radiation fraction," Solar Energy 28, 1982.
.. [3] D. Faiman, "Assessing the outdoor operating temperature of photovoltaic modules," Progress in
   Photovoltaics 16, 2008.
.. [4] A. Dobos, "PVWatts Version 5 Manual," NREL/TP-6A20-62641, 2014.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.profile_table import FloatArray, RowWindow, not_covered
from gridrig.grid.timed_table import bad_cell, numbers, read_timed, rows_of

BOUNDS: Mapping[str, tuple[float, float]] = {
    "latitude_deg": (-90, 90),
    "longitude_deg": (-180, 180),
    "altitude_m": (-500, 9000),
    "tilt_deg": (0, 180),
    "azimuth_deg": (0, 360),
    "dc_over_ac": (0.1, 10),
    "losses_percent": (0, 99),
    "albedo": (0, 1),
    "gamma_percent_per_k": (-1, 0),
}
_GHI, _DNI, _DHI = "ghi_w_per_m2", "dni_w_per_m2", "dhi_w_per_m2"
_AIR, _WIND = "air_c", "wind_m_per_s"
_RANGES = {_GHI: (-20, 2000), _DNI: (-20, 2000), _DHI: (-20, 2000), _AIR: (-90, 70), _WIND: (0, 99)}
"""Pyranometers tell a few watts below nothing at night; anything else is a wrong unit."""
_WIND_M_PER_S = 1.0
_STANDARD_W_PER_M2 = 1000.0
_EFFICIENCY = 0.96


@dataclass(frozen=True)
class PvArray:
    """One array and its inverter, by the name that a device follows."""

    name: str
    tilt_deg: float
    """From the horizontal. [deg]"""
    azimuth_deg: float
    """Where it looks, clockwise from north: south is 180. [deg]"""
    dc_over_ac: float = 1.0
    """Rating of the modules over that of the inverter. [1]"""
    losses_percent: float = 14.0
    """Between modules and inverter: soiling, mismatch, wiring, ... [%]"""
    albedo: float = 0.2
    gamma_percent_per_k: float = -0.4
    """Change of power with the temperature of the cells. [%/K]"""


@dataclass(frozen=True)
class SunTable:
    """Output over rating of arrays, in rows of one length; the first holds a window's start."""

    first_utc_s: int
    row_s: int
    names: tuple[str, ...]
    fraction: FloatArray
    """Shape (rows, arrays). [1]"""


@dataclass(frozen=True)
class Weather:
    """A weather file, where it was measured, and the arrays that it shines on."""

    file: str
    latitude_deg: float
    """North is positive. [deg]"""
    longitude_deg: float
    """East is positive. [deg]"""
    array: tuple[PvArray, ...]
    altitude_m: float = 0.0

    def outside(self) -> Iterator[tuple[str, str, float, str]]:
        """Yield what is out of bounds: array or "", key, value, what is expected."""
        for item in (self, *self.array):
            name = item.name if isinstance(item, PvArray) else ""
            for key, value in vars(item).items():
                low, high = BOUNDS.get(key, (-np.inf, np.inf))
                if key in BOUNDS and not low <= value <= high:
                    yield name, key, value, f"a number from {low:g} to {high:g}"

    def sun(
        self, start_utc_s: int, end_utc_s: int, *, folder: Path, taken: Collection[str] = ()
    ) -> SunTable:
        """Return what the arrays give over a window of time.

        Parameters
        ----------
        start_utc_s, end_utc_s : int
            The window. [s]
        folder : Path
            Where a relative path starts.
        taken : collection of str
            Names that generators of the network have.

        Raises
        ------
        GridError
            `grid.package_missing` without pvlib, `grid.weather` for a value out of bounds or a name
            twice, `grid.profile_unreadable`, `grid.profile_time`.
        """
        for name, key, value, expected in self.outside():
            raise _wrong(f"{name} {key}".strip(), value, expected)
        names = [array.name for array in self.array]
        for name in names:
            if names.count(name) > 1 or name in taken:
                raise _wrong("array name", name, "a name that no other array or generator has")
        if not names:
            raise _wrong("array", "none", "at least one")
        path = folder / self.file
        frame = read_timed(path)
        begin, row_s = rows_of(path, frame)
        rows = RowWindow.of(start_utc_s, end_utc_s, begin, row_s)
        if rows.first < 0 or rows.count < 2 or rows.first + rows.count - 1 > len(frame):
            raise not_covered(path, len(frame), row_s, frame["time"].iloc[0])
        measured = _measured(path, frame)
        picked = np.minimum(rows.first + np.arange(rows.count), len(frame) - 1)
        first = begin + rows.first * row_s
        middle_s = begin + (picked + 0.5) * row_s
        here = {key: values[picked] for key, values in measured.items()}
        fraction = self._fractions(_pvlib(), middle_s, here)
        return SunTable(first, row_s, tuple(names), fraction)

    def _fractions(
        self, pvlib: Any, middle_s: FloatArray, measured: Mapping[str, FloatArray]
    ) -> FloatArray:
        import pandas as pd

        times = pd.DatetimeIndex(pd.to_datetime(middle_s, unit="s", utc=True))
        sun = pvlib.solarposition.get_solarposition(
            times, self.latitude_deg, self.longitude_deg, altitude=self.altitude_m
        )
        ghi = np.maximum(measured[_GHI], 0.0)
        if _DNI in measured:
            dni, dhi = np.maximum(measured[_DNI], 0.0), np.maximum(measured[_DHI], 0.0)
        else:
            parted = pvlib.irradiance.erbs(ghi, sun["zenith"].to_numpy(), times)
            dni, dhi = parted["dni"], parted["dhi"]
        extra = pvlib.irradiance.get_extra_radiation(times).to_numpy()
        fractions = []
        for array in self.array:
            falls = pvlib.irradiance.get_total_irradiance(
                array.tilt_deg,
                array.azimuth_deg,
                sun["apparent_zenith"].to_numpy(),
                sun["azimuth"].to_numpy(),
                dni,
                ghi,
                dhi,
                dni_extra=extra,
                albedo=array.albedo,
                model="haydavies",
            )["poa_global"]
            cell_c = pvlib.temperature.faiman(falls, measured[_AIR], measured[_WIND])
            dc = pvlib.pvsystem.pvwatts_dc(
                falls, cell_c, array.dc_over_ac, array.gamma_percent_per_k / 100.0
            )
            dc = dc * (1.0 - array.losses_percent / 100.0)
            fractions.append(pvlib.inverter.pvwatts(dc, 1.0 / _EFFICIENCY, _EFFICIENCY))
        whole: FloatArray = np.clip(np.nan_to_num(np.stack(fractions, axis=1)), 0.0, 1.0)
        return whole


def _measured(path: Path, frame: Any) -> dict[str, FloatArray]:
    """Return the columns of a weather file, after refusing what is missing, unknown or absurd."""
    strange = [column for column in frame.columns if column not in ("time", *_RANGES)]
    missing = [column for column in (_GHI, _AIR) if column not in frame]
    if (_DNI in frame) != (_DHI in frame):
        missing.append(_DHI if _DNI in frame else _DNI)
    if strange or missing:
        raise GridError(
            "grid.profile_unreadable",
            "{file}: found columns {found}, expected time, {known}; {dni} and {dhi} together, both "
            "optional as {wind} is",
            file=str(path),
            found=", ".join(map(str, frame.columns)),
            known=", ".join(_RANGES),
            dni=_DNI,
            dhi=_DHI,
            wind=_WIND,
        )
    measured = {}
    for column, (low, high) in _RANGES.items():
        if column not in frame:
            continue
        values = numbers(path, frame, column)
        if ((values < low) | (values > high)).any():
            row = int(np.argmax((values < low) | (values > high)))
            raise bad_cell(path, column, row, values[row], f"a number from {low} to {high}")
        measured[column] = values
    measured.setdefault(_WIND, np.full(len(frame), _WIND_M_PER_S))
    return measured


def _pvlib() -> Any:
    try:
        import pvlib
    except ImportError as error:
        raise GridError(
            "grid.package_missing",
            "weather needs pvlib ({reason}): pip install 'gridrig[weather]'",
            reason=str(error),
        ) from error
    return pvlib


def _wrong(what: str, found: object, expected: str) -> GridError:
    return GridError(
        "grid.weather",
        "weather, {what}: found {found}, expected {expected}",
        what=what,
        found=found,
        expected=expected,
    )
