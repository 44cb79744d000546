"""What a reading must be: the stated world, within the limits of the catalogue.

The world can be put in states that no other call saw, so that a value that is late, repeated,
shifted, scaled, of the wrong sign or in the wrong word order shows. The limits allow for the
resolution of the wires, not for a mistake of the driver.
"""

import math
from collections.abc import Mapping
from typing import Any

from gridrig.campaign.measurements import Criterion
from gridrig.conformance.case import INVERTERS, at_most
from gridrig.conformance.stand import Stand
from gridrig.conformance.stated_world import StatedRoom
from gridrig.devices.capabilities import BmsReading, InverterReading, MeterReading
from gridrig.devices.heat_pump_capability import HeatPumpReading

INVERTER_LIMITS = (
    at_most("p_error_of_rating", "1", 0.002),
    at_most("q_error_of_rating", "1", 0.002),
    at_most("v_error_of_nominal", "1", 0.001),
    at_most("f_error_hz", "Hz", 0.011),
    at_most("w_max_error_of_rating", "1", 0.002),
    at_most("flags_wrong", "1", 0),
)
PACK_LIMITS = (
    at_most("v_error_v", "V", 0.06),
    at_most("i_error_a", "A", 0.06),
    at_most("soc_error", "1", 0.006),
    at_most("cell_error_mv", "mV", 1),
    at_most("temperature_error_c", "deg C", 0.6),
    at_most("flags_wrong", "1", 0),
)
METER_LIMITS = (
    at_most("p_error_of_rating", "1", 0.002),
    at_most("q_error_of_rating", "1", 0.002),
    at_most("v_error_of_nominal", "1", 0.001),
    at_most("f_error_hz", "Hz", 0.011),
    at_most("register_error_milliwh", "mWh", 999),
)
HEAT_PUMP_LIMITS = (
    at_most("p_error_of_rating", "1", 0.002),
    at_most("room_error_k", "K", 0.051),
    at_most("outdoor_error_k", "K", 0.051),
    at_most("set_point_error_k", "K", 0.051),
    at_most("told_error_of_rating", "1", 0.002),
    at_most("flags_wrong", "1", 0),
)
LIMITS: Mapping[str, tuple[Criterion, ...]] = {
    "inverter": INVERTER_LIMITS,
    "storage": INVERTER_LIMITS,
    "bms": PACK_LIMITS,
    "meter": METER_LIMITS,
    "heat_pump": HEAT_PUMP_LIMITS,
}
FOREIGN = 1e9  # the error of a value that is no number


def move(stand: Stand, step: int) -> None:
    """Put the world in the state of a step; of any 40 steps no two have a quantity in common."""
    if stand.subject.capability == "bms":
        assert stand.pack is not None
        cells = len(stand.pack.now.cells_mv)
        first = 3200 + 2 * step
        cells_mv = tuple(first + 3 * (k % 7) for k in range(cells))
        stand.pack.place(
            soc=0.20 + 0.01 * step,
            v_v=sum(cells_mv) / 1000,
            i_a=(5.0 + 0.7 * step) * (1 if step % 2 else -1),
            cells_mv=cells_mv,
            temperature_c=float(8 + step),
        )
        return
    rating_w = stand.subject.rating_w
    if stand.room is not None:
        stand.room.place(
            p_w=float(round(rating_w * (0.11 + 0.02 * (step % 40)))),
            room_c=15.1 + 0.6 * (step % 40),
            outdoor_c=-14.7 + 2.2 * (step % 40),
            set_point_c=18.0 + 0.2 * (step % 40),
        )
        return
    sign = -1 if stand.subject.capability in ("storage", "meter") and step % 2 else 1
    stand.terminal.place(
        p_w=float(round(sign * rating_w * (0.11 + 0.02 * step))),
        q_var=float(round(rating_w * 0.01 * (20 - step))),
        v_pu=0.95 + 0.0025 * step,
        f_hz=49.5 + 0.02 * step,
        # Beyond 2^41 mWh, and below the 2^32 Wh at which SunSpec's own registers roll over.
        import_milliwh=2_200_000_000_000 + 45_000_000_000 * step,
        export_milliwh=300_000_000_000 + 77_000_000_000 * step,
        connected=True,
        status="running",
    )


def errors(stand: Stand, reading: object) -> dict[str, float]:
    """Return how far a reading is from the truth, by the names of the limits.

    What is no reading of the capability at all is beyond every limit.
    """
    capability = stand.subject.capability
    match reading:
        case BmsReading() if capability == "bms":
            return _pack_errors(stand, reading)
        case MeterReading() if capability == "meter":
            return _terminal_errors(stand, reading) | _register_errors(stand, reading)
        case HeatPumpReading() if stand.room is not None:
            return _room_errors(stand, stand.room, reading)
        case InverterReading() if capability in INVERTERS:
            rating_w = stand.subject.rating_w
            return _terminal_errors(stand, reading) | {
                "w_max_error_of_rating": _apart(reading.w_max, rating_w) / rating_w,
                "flags_wrong": float(reading.connected is not stand.terminal.now.connected),
            }
    return {limit.name: FOREIGN for limit in LIMITS[capability]}


def wrong(stand: Stand, reading: object) -> str:
    """Return what of a reading is beyond its limit, in words; empty if nothing is."""
    most = {limit.name: limit.max for limit in LIMITS[stand.subject.capability]}
    beyond = [
        f"{name} {error:g} of {most[name]:g}"
        for name, error in errors(stand, reading).items()
        if not error <= (most[name] or 0)
    ]
    return f"{', '.join(beyond)}: {reading}" if beyond else ""


def judge_reading(stand: Stand, reading: object) -> None:
    """Count a reading's errors among the measurements of the case."""
    for name, error in errors(stand, reading).items():
        stand.worst(name, error)
    if text := wrong(stand, reading):
        stand.note(text)


def _terminal_errors(stand: Stand, reading: Any) -> dict[str, float]:
    now, subject = stand.terminal.now, stand.subject
    truth_v = now.v_pu * subject.v_nominal_v
    return {
        "p_error_of_rating": _apart(reading.p_w, now.p_w) / subject.rating_w,
        "q_error_of_rating": _apart(reading.q_var, now.q_var) / subject.rating_w,
        "v_error_of_nominal": _apart(reading.v_v, truth_v) / subject.v_nominal_v,
        "f_error_hz": _apart(reading.f_hz, now.f_hz),
    }


def _register_errors(stand: Stand, reading: MeterReading) -> dict[str, float]:
    now = stand.terminal.now
    pairs = (
        (reading.import_milliwh, now.import_milliwh),
        (reading.export_milliwh, now.export_milliwh),
    )
    told = [_apart(said, truth) for said, truth in pairs if said is not None]
    return {"register_error_milliwh": max(told, default=0.0)}


def _pack_errors(stand: Stand, reading: BmsReading) -> dict[str, float]:
    assert stand.pack is not None
    now = stand.pack.now
    cells = FOREIGN
    if isinstance(reading.cells_mv, tuple) and len(reading.cells_mv) == len(now.cells_mv):
        pairs = zip(reading.cells_mv, now.cells_mv, strict=True)
        cells = max(_apart(said, truth) for said, truth in pairs)
    flags = (reading.charge_fet, reading.discharge_fet)
    limits = (reading.charge_limit_a, reading.discharge_limit_a)
    nameplate = (now.charge_a_max, now.discharge_a_max)
    within = all(
        _apart(said, 0) <= most and said >= 0 for said, most in zip(limits, nameplate, strict=True)
    )
    wrong_flags = flags != (now.charge_fet, now.discharge_fet) or not within
    return {
        "v_error_v": _apart(reading.v_v, now.v_v),
        "i_error_a": _apart(reading.i_a, now.i_a),
        "soc_error": _apart(reading.soc, now.soc),
        "cell_error_mv": cells,
        "temperature_error_c": _apart(reading.temperature_c, now.temperature_c),
        "flags_wrong": float(wrong_flags),
    }


def _room_errors(stand: Stand, room: StatedRoom, reading: HeatPumpReading) -> dict[str, float]:
    now, rating_w, told_w = room.now, stand.subject.rating_w, room.told_w
    if told_w is None or reading.told_w is None:
        told_error_w = 0.0 if reading.told_w is told_w else FOREIGN
    else:
        told_error_w = _apart(reading.told_w, 0.0 - told_w)
    flags = (reading.state, reading.p_w_max)
    return {
        "p_error_of_rating": _apart(reading.p_w, 0.0 - now.p_w) / rating_w,
        "room_error_k": _apart(reading.room_c, now.room_c),
        "outdoor_error_k": _apart(reading.outdoor_c, now.outdoor_c),
        "set_point_error_k": _apart(reading.set_point_c, now.set_point_c),
        "told_error_of_rating": told_error_w / rating_w,
        "flags_wrong": float(flags != (now.mode, rating_w)),
    }


def _apart(said: object, truth: float) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or math.isnan(said):
        return FOREIGN
    # Rounded to what a float can tell, so that a limit met exactly is met.
    return round(abs(said - truth), 9)
