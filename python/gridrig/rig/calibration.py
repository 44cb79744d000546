"""The calibration of an instrument: who vouches for what it reads, how well, and until when.

[device.calibration]
certificate = "K-1234-2026-03"
laboratory = "Example Calibration Ltd."
on = "2026-03-02"
due = "2027-03-02"
uncertainty = { v_percent = 0.05, i_percent = 0.05, p_percent = 0.1 }     # expanded, k = 2
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from gridrig.rig.issues import At, Issues, shown
from gridrig.rig.schema import Name

if TYPE_CHECKING:
    from gridrig.rig.device import Device

CALIBRATED = ("meter", "analyser", "ac_source", "dc_source", "load_bank")


@dataclass(frozen=True)
class Calibration:
    """What a certificate says of a real instrument.

    Parameters
    ----------
    certificate, laboratory : str
        Its number, and who issued it.
    on, due : str
        Days of the calibration and of the next one. [ISO 8601]
    uncertainty : dict of str to float
        Expanded uncertainty (k = 2) by quantity; the unit is in the name.
    """

    certificate: Name
    laboratory: Name
    on: Name
    due: Name
    uncertainty: dict[str, Any]


def check_calibration(
    found: Calibration | None, capability: str | None, emulated: bool, at: At, issues: Issues
) -> None:
    """Note a calibration of what has none, days that are none, and one that vouches for nothing."""
    if found is None:
        return
    if emulated or capability not in CALIBRATED:
        what = "an emulated device" if emulated else f"a {capability}"
        issues.add(at, f"a calibration of {what}", "one of a real instrument or meter")
    days = []
    for key in ("on", "due"):
        text = getattr(found, key)
        try:
            days.append(date.fromisoformat(text))
        except ValueError:
            issues.add(at.key(key), shown(text), 'a day such as "2026-03-02"')
    if len(days) == 2 and days[0] >= days[1]:
        issues.add(at.key("due"), shown(found.due), f"a day after on = {shown(found.on)}")
    if not found.uncertainty:
        issues.add(at.key("uncertainty"), "an empty table", "at least one, such as v_percent = 0.1")
    for key, value in found.uncertainty.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 < value < math.inf:
            issues.add(at.key("uncertainty").key(key), shown(value), "a finite number above 0")


def overdue(devices: Iterable["Device"], utc: str) -> list[str]:
    """Return each calibration that was due before a moment, for people. [ISO 8601]"""
    today = date.fromisoformat(utc[:10])
    return [
        f"the calibration of {device.name} was due on {device.calibration.due}"
        for device in devices
        if device.calibration is not None and date.fromisoformat(device.calibration.due) < today
    ]


def not_traceable(devices: Iterable["Device"]) -> list[str]:
    """Return each real analyser or meter without a calibration record, for people."""
    return [
        f"{device.name} has no calibration record: what it reads is traceable to nothing"
        for device in devices
        if device.capability in ("analyser", "meter")
        and not device.emulated
        and device.calibration is None
    ]
