"""Reports of fleets to a VTN: what their signed meters counted, at the granularity it asked for.

All meters of a fleet are read at the same edges; a reading that is not heard is missing at its
edge. A figure is of the meters heard at both ends of its interval and says how many there were.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gridrig.campaign.fleet_meters import FleetMeters
from gridrig.circuit.heated_homes import HeatedHomes, History
from gridrig.minds.series import IntArray
from gridrig.openadr.reports import (
    LONGEST_S,
    SPECIFIER,
    DataPoint,
    ReportRequest,
    Sample,
    sample,
)

NOT_HEARD = -1  # in the place of a register
HOMES_MIN = 5  # of fewer a figure would tell how a household lives


@dataclass
class _Running:
    """A report that a VTN wants, and where its next message begins. [s, s since 1970]"""

    request: ReportRequest
    granularity_s: int
    back_s: int
    from_utc_s: int


class FleetReports:
    """What a VTN is told of fleets.

    Parameters
    ----------
    interval_s : int
        From one reading of the meters to the next. [s]
    fleets : mapping of str to HeatedHomes
        Whose.
    """

    def __init__(self, interval_s: int, fleets: Mapping[str, HeatedHomes]) -> None:
        self.interval_s, self._homes = interval_s, fleets
        self._meters: dict[str, FleetMeters] = {}
        self._lost: dict[str, list[set[int]]] = {}
        self._opening: dict[str, IntArray] = {}
        self._read: dict[str, dict[int, IntArray]] = {}
        self._running: dict[str, _Running] = {}
        self._first_utc_s: int | None = None

    def begin(self, history: Mapping[str, History]) -> None:
        """Enrol the meters of all fleets before a run; `history` is what the homes took before."""
        for name, homes in self._homes.items():
            self._meters[name] = FleetMeters(name, homes, history[name])
            self._lost[name] = [homes.unheard(home) for home in range(homes.count)]
            self._read[name] = {}

    def points(self) -> list[DataPoint]:
        """Return what can be asked for."""
        large = [name for name, homes in self._homes.items() if homes.count >= HOMES_MIN]
        return [
            point
            for name in large
            for point in (DataPoint(name, "energy"), DataPoint(name, "power"))
        ]

    def read(self, fleet: str, utc_s: int, counted: IntArray) -> None:
        """Read a fleet's meters at an edge, where the terminals have counted this. [mWh]"""
        if self._first_utc_s is None:
            self._first_utc_s = utc_s
        meters, homes = self._meters[fleet], self._homes[fleet]
        opening = self._opening.setdefault(fleet, counted)
        register = meters.register(counted - opening)
        place = len(self._read[fleet])
        heard = np.full(homes.count, NOT_HEARD, dtype=np.int64)
        for home in range(homes.count):
            if homes.online[home] and place not in self._lost[fleet][home]:
                counted_then = meters.verified(home, utc_s, int(register[home])).import_milliwh
                heard[home] = NOT_HEARD if counted_then is None else counted_then
        self._read[fleet][utc_s] = heard

    def take(self, request: ReportRequest, utc_s: float) -> str:
        """Take what a VTN asks for; return why it cannot be told, "" if it is from now on."""
        offers = [point.r_id for point in self.points()]
        if request.specifier_id != SPECIFIER:
            return f"report {request.specifier_id!r}, expected {SPECIFIER!r}"
        for r_id in request.r_ids:
            if r_id not in offers:
                return f"data point {r_id!r}, expected one of {', '.join(offers)}"
        granularity_s = request.granularity_s or self.interval_s
        if granularity_s % self.interval_s or not 0 < granularity_s <= LONGEST_S:
            return (
                f"granularity of {granularity_s:g} s, expected a multiple of {self.interval_s} s "
                f"up to {LONGEST_S} s"
            )
        back_s = max(request.back_s, granularity_s)
        if back_s % granularity_s:
            return f"back after {back_s:g} s, expected a multiple of {granularity_s:g} s"
        # Intervals lie on the edges at which the meters are read, counted from the first.
        first_s, whole_s = self._first_utc_s or int(utc_s), int(granularity_s)
        begins_s = first_s + math.ceil((utc_s - first_s) / whole_s) * whole_s
        self._running[request.request_id] = _Running(request, whole_s, int(back_s), begins_s)
        return ""

    def cancel(self, request_id: str) -> bool:
        """End a report; return whether there was one."""
        return self._running.pop(request_id, None) is not None

    def running(self) -> list[str]:
        """Return the requests that are being told."""
        return list(self._running)

    def forget(self) -> None:
        """End all reports: the VTN knows of none."""
        self._running.clear()

    def due(self, utc_s: float) -> list[tuple[ReportRequest, list[Sample]]]:
        """Return the messages whose last interval was over before, each once. [s since 1970]

        The tick that begins at an edge reads the meters after it has asked here.
        """
        messages = []
        for one in list(self._running.values()):
            while one.from_utc_s + one.back_s < utc_s:
                ends_s = one.from_utc_s + one.back_s
                begins = range(one.from_utc_s, ends_s, one.granularity_s)
                samples = [
                    self._sample(r_id, from_s, one.granularity_s)
                    for r_id in one.request.r_ids
                    for from_s in begins
                ]
                messages.append((one.request, samples))
                one.from_utc_s = ends_s
                if one.request.back_s == 0:
                    del self._running[one.request.request_id]
                    break
        return messages

    def _sample(self, r_id: str, from_utc_s: int, duration_s: int) -> Sample:
        point = next(one for one in self.points() if one.r_id == r_id)
        read, of = self._read[point.resource], self._homes[point.resource].count
        missing = np.full(of, NOT_HEARD, dtype=np.int64)
        opens, closes = read.get(from_utc_s, missing), read.get(from_utc_s + duration_s, missing)
        both = (opens != NOT_HEARD) & (closes != NOT_HEARD)
        heard, taken = int(both.sum()), int((closes - opens)[both].sum())
        if heard < HOMES_MIN:
            heard = taken = 0
        return sample(point, from_utc_s, duration_s, taken, heard, of)
