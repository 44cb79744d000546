"""Reports over OpenADR: what a VEN offers to measure, what a VTN asks for, and what it is told.

One report of the kind TELEMETRY_USAGE with two data points a resource: energy of an interval in Wh
and mean power in W, both of what was taken. A value that is not whole says so by its quality and
its confidence, the share of the meters that were heard; where there is none it is NaN, never 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from gridrig.openadr.library import openleadr

NAME, SPECIFIER = "TELEMETRY_USAGE", "metered-usage"
GOOD = "Quality Good - Non Specific"
PARTLY = "Quality Uncertain - Sub Normal"
NO_VALUE = "No Quality - No Value"
# What is measured, how it is read, and which of the library's measurements it is.
QUANTITIES = {"energy": ("Summed", "REAL_ENERGY"), "power": ("Mean", "REAL_POWER")}
LONGEST_S = 86_400


@dataclass(frozen=True)
class DataPoint:
    """One figure of a resource that can be asked for."""

    resource: str
    quantity: Literal["energy", "power"]

    @property
    def r_id(self) -> str:
        """By which it is asked for."""
        return f"{self.resource}.{self.quantity}"


@dataclass(frozen=True)
class ReportRequest:
    """What a VTN wants to be told.

    Parameters
    ----------
    request_id : str
        By which it knows its reports.
    specifier_id : str
        Of the report as it was offered.
    r_ids : tuple of str
        Data points.
    granularity_s : float
        Length of an interval; 0 for one as it is measured. [s]
    back_s : float
        From one message to the next; 0 for one message only. [s]
    """

    request_id: str
    specifier_id: str
    r_ids: tuple[str, ...]
    granularity_s: float
    back_s: float


@dataclass(frozen=True)
class Sample:
    """A figure of one interval.

    Parameters
    ----------
    r_id : str
        Of the data point.
    from_utc_s, duration_s : int
        Of the interval. [s since 1970, s]
    value : str
        Decimal, in W or Wh; "NaN" if there is none.
    quality : str
        In OpenADR's words.
    confidence : int
        Share of the meters that were heard, rounded down. [%]
    """

    r_id: str
    from_utc_s: int
    duration_s: int
    value: str
    quality: str
    confidence: int


def sample(
    point: DataPoint, from_utc_s: int, duration_s: int, energy_milliwh: int, heard: int, of: int
) -> Sample:
    """Return a figure from what `heard` of so many meters counted; nothing if none was heard.

    Parameters
    ----------
    energy_milliwh : int
        What those that were heard took. [mWh]
    """
    if heard == 0:
        return Sample(point.r_id, from_utc_s, duration_s, "NaN", NO_VALUE, 0)
    value = energy_milliwh / 1000
    if point.quantity == "power":
        value *= 3600 / duration_s
    quality = GOOD if heard == of else PARTLY
    return Sample(point.r_id, from_utc_s, duration_s, f"{value:.3f}", quality, 100 * heard // of)


def offered(points: Sequence[DataPoint], interval_s: int, utc_s: float) -> dict[str, Any]:
    """Return the description of the report, for oadrRegisterReport."""
    period = timedelta(seconds=interval_s)
    longest = timedelta(seconds=LONGEST_S // interval_s * interval_s)
    known = openleadr().enums.MEASUREMENTS
    return {
        "report_name": f"METADATA_{NAME}",
        "report_specifier_id": SPECIFIER,
        "report_request_id": "0",
        "duration": longest,
        "created_date_time": datetime.fromtimestamp(utc_s, UTC),
        "report_descriptions": [
            {
                "r_id": one.r_id,
                "report_data_source": {"resource_id": one.resource},
                "report_type": "usage",
                "reading_type": QUANTITIES[one.quantity][0],
                "measurement": asdict(getattr(known, QUANTITIES[one.quantity][1])),
                "sampling_rate": {"min_period": period, "max_period": longest, "on_change": False},
            }
            for one in points
        ],
    }


def requested(payload: Mapping[str, Any]) -> list[ReportRequest]:
    """Return what a VTN asks for in oadrRegisteredReport or oadrCreateReport."""
    found = []
    for request in payload.get("report_requests") or ():
        specifier = request["report_specifier"]
        back = specifier.get("report_back_duration")
        found.append(
            ReportRequest(
                str(request["report_request_id"]),
                str(specifier["report_specifier_id"]),
                tuple(str(one["r_id"]) for one in specifier["specifier_payloads"]),
                _seconds(specifier.get("granularity")),
                _seconds(back),
            )
        )
    return found


def told(request: ReportRequest, samples: Sequence[Sample], utc_s: float) -> dict[str, Any]:
    """Return a report with figures, for oadrUpdateReport."""
    return {
        "report_id": f"{request.request_id}-{int(utc_s)}",
        "report_request_id": request.request_id,
        "report_specifier_id": request.specifier_id,
        "report_name": NAME,
        "created_date_time": datetime.fromtimestamp(utc_s, UTC),
        "dtstart": datetime.fromtimestamp(min(one.from_utc_s for one in samples), UTC),
        "intervals": [
            {
                "dtstart": datetime.fromtimestamp(one.from_utc_s, UTC),
                "duration": timedelta(seconds=one.duration_s),
                "report_payload": {
                    "r_id": one.r_id,
                    "value": one.value,
                    "confidence": one.confidence,
                    "data_quality": one.quality,
                },
            }
            for one in samples
        ],
    }


def _seconds(duration: Any) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else 0.0
