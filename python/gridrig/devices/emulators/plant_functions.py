"""The grid-support functions of SunSpec models in the plant's terms, and back.

The plant has one reactive function in force at a time, so enabling one takes it over and disabling
the one in force leaves unity power factor. Must-trip points are relay stages, the mildest first:
beyond a value for its time trips; the plant has two for each side, and more points are a curve.
Momentary cessation has one voltage and one time on each side, and none of frequency. A may-trip
region permits a trip and asks for none: the plant rides through it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gridrig.errors import PlantError

Settings = Mapping[str, Any]

SIDES = {
    "low_voltage_trip": "UV",
    "high_voltage_trip": "OV",
    "low_frequency_trip": "UF",
    "high_frequency_trip": "OF",
}
FUNCTIONS = frozenset(
    {
        *("volt_var", "volt_watt", "watt_var", "frequency_droop", "enter_service"),
        *("power_factor_injecting", "power_factor_absorbing", "power_factor"),
        *("reactive_share", "ramps", "island_detection", *SIDES),
    }
)
FACTORS: Mapping[str, tuple[str, ...]] = {
    "power_factor_injecting": ("power_factor",),
    "power_factor_absorbing": ("power_factor_taking",),
    "power_factor": ("power_factor", "power_factor_taking"),
}
REACTIVE = ("volt_var", "watt_var", *FACTORS)
_DROOP = {
    **{"db_of_hz": "droop_db_hz", "k_of": "droop_k", "response_s": "droop_response_s"},
    **{"db_uf_hz": "droop_under_db_hz", "k_uf": "droop_under_k"},
}
_VREF = {
    **{"v_ref_pu": "volt_var_vref_pu", "v_ref_auto": "volt_var_vref_auto"},
    "v_ref_auto_s": "volt_var_vref_s",
}
_CESSATION: Mapping[str, tuple[str, str, float]] = {
    "UV": ("cessation_v_low_pu", "cessation_after_s", 0.0),
    "OV": ("cessation_v_high_pu", "cessation_high_after_s", 2.0),
}
"""By side: the keys of its threshold and time, and the threshold that nothing passes."""
_SERVICE = ("v_low_pu", "v_high_pu", "f_low_hz", "f_high_hz", "delay_s", "ramp_s")
STAGES = 2


def to_plant(
    name: str, settings: Settings | None, now: Settings, *, w_share: float
) -> dict[str, Any]:
    """Return what to set in the plant for a function that is enabled, or disabled.

    Parameters
    ----------
    name : str
        One of `FUNCTIONS`.
    settings : mapping or None
        As the SunSpec face has them, None to disable.
    now : mapping
        The plant's settings now.
    w_share : float
        Maximum active power as a share of apparent power, for curves that refer to it.
    """
    if name in REACTIVE:
        return _reactive(name, settings, now, w_share)
    if name in SIDES:
        return _trips(SIDES[name], settings, now)
    if name == "frequency_droop":
        if settings is None:
            return {"droop": False}
        return {"droop": True, **{key: settings[face] for face, key in _DROOP.items()}}
    if name == "island_detection":
        return {"island_detection": settings is not None and settings["on"]}
    if name == "ramps":
        settings = settings or {"up_w_per_s": 0.0, "reactive_pu_per_s": 0.0}
        found = {"ramp_up_w_per_s": settings["up_w_per_s"]}
        return found | {"reactive_ramp_pu_per_s": settings["reactive_pu_per_s"]}
    if name == "reactive_share":
        share = 0.0 if settings is None else settings["of_available"]
        reference = {"reactive_mode": "constant", "reactive_reference": "available"}
        return {**reference, "constant_q_pu": share}
    if name == "volt_watt":
        if settings is None:
            return {"volt_watt": False}
        v_pu, p_pu = zip(*settings["points"], strict=True)
        return {
            **{"volt_watt": True, "volt_watt_v_pu": list(v_pu), "volt_watt_p_pu": list(p_pu)},
            "volt_watt_response_s": settings["response_s"],
        }
    if settings is None:
        return {}
    service = {f"enter_service_{key}": settings[key] for key in _SERVICE}
    return {**service, "enter_service_random_s": settings["random_delay_s"]}


def _reactive(
    name: str, settings: Settings | None, now: Settings, w_share: float
) -> dict[str, Any]:
    mode = "power_factor" if name in FACTORS else name
    if mode == "power_factor":
        pf = 1.0 if settings is None else settings["pf"]
        injects = settings is None or settings["over_excited"]
        factor: dict[str, Any] = {}
        # What is stated of one side only leaves the other as it is, which a plant would mirror.
        for key in ("power_factor", "power_factor_taking"):
            excitation = "injecting" if injects else "absorbing"
            mine = key in FACTORS[name]
            factor[key] = pf if mine else now[key]
            factor[f"{key}_excitation"] = excitation if mine else now[f"{key}_excitation"]
        return factor if settings is None else {"reactive_mode": mode, **factor}
    if settings is None:
        unity = {"power_factor": 1.0, "power_factor_taking": 1.0}
        off = {"reactive_mode": "power_factor", **unity}
        return off if now["reactive_mode"] == mode else {}
    x, y = zip(*settings["points"], strict=True)
    share = w_share if settings["reference"] == "w_max" else 1.0
    available = settings["reference"] == "var_available"
    first = "v_pu" if mode == "volt_var" else "p_pu"
    found = {
        "reactive_mode": mode,
        f"{mode}_{first}": list(x),
        f"{mode}_q_pu": [share * q for q in y],
        "priority": "active" if settings["priority"] == "active" else "reactive",
        "reactive_reference": "available" if available else "rating",
    }
    if mode == "volt_var":
        found |= {
            "volt_var_response_s": settings["response_s"],
            "volt_var_vref_pu": settings["v_ref_pu"],
            "volt_var_vref_auto": settings["v_ref_auto"],
        }
        if settings["v_ref_auto_s"] is not None:
            found["volt_var_vref_s"] = settings["v_ref_auto_s"]
    return found


def _trips(side: str, settings: Settings | None, now: Settings) -> dict[str, Any]:
    relays, curves = dict(now["relays"]), dict(now["trip_curves"])
    stages = [f"{side}{stage + 1}" for stage in range(STAGES)]
    for stage in stages:
        relays[stage] = False
    curves.pop(side, None)
    ceases: Sequence[tuple[float, float]] = ()
    if settings is not None:
        points = sorted(map(list, settings["must_trip"]), reverse=side[0] == "U")
        ceases = settings["momentary_cessation"]
        if len(points) <= STAGES:
            relays |= dict(zip(stages, points, strict=False))
        else:
            curves[side] = points
    return {"relays": relays, "trip_curves": curves, **_cessation(side, ceases, now)}


def _cessation(side: str, points: Sequence[tuple[float, float]], now: Settings) -> dict[str, Any]:
    """Return what to set for the region of momentary cessation of one side."""
    times_s = {after_s for _, after_s in points}
    if side not in _CESSATION or len(times_s) > 1:
        if not points:
            return {}
        raise PlantError(
            "plant.cessation",
            "momentary cessation of {side} at {found}, expected one time, and of voltage",
            side=side,
            found=points,
        )
    value_key, time_key, never = _CESSATION[side]
    other = {key: _ceases(key, now) for key in _CESSATION if key != side}
    if not points:
        return {"momentary_cessation": any(other.values()), value_key: never}
    values = [value_pu for value_pu, _ in points]
    found = {"momentary_cessation": True, time_key: times_s.pop()}
    found[value_key] = max(values) if side == "UV" else min(values)
    for key, acts in other.items():
        value, time, edge = _CESSATION[key]
        # Its time would follow that of the low side; its edge is only a default while it is off.
        found |= {time: now[time]} if acts else {value: edge}
    return found


def _ceases(side: str, now: Settings) -> tuple[tuple[float, float], ...]:
    """Return the region of momentary cessation of one side; empty for none."""
    if side not in _CESSATION or not now["momentary_cessation"]:
        return ()
    value, time, never = _CESSATION[side]
    return () if now[value] == never else ((float(now[value]), float(now[time])),)


def from_plant(name: str, now: Settings) -> tuple[bool, dict[str, Any]] | None:
    """Return whether a function is enabled in the plant and its settings, in the face's terms.

    None for a function that has nothing to be shown of the plant.
    """
    if name in SIDES:
        side = SIDES[name]
        relays = [now["relays"].get(f"{side}{stage + 1}") for stage in range(STAGES)]
        points: Sequence[Any] = now["trip_curves"].get(side) or [p for p in relays if p]
        must = [(float(value), float(time_s)) for value, time_s in points]
        ceases = list(_ceases(side, now))
        return bool(must), {"must_trip": must, "may_trip": [], "momentary_cessation": ceases}
    if name == "frequency_droop":
        return bool(now["droop"]), {face: now[key] for face, key in _DROOP.items()}
    if name == "volt_watt":
        pairs = list(zip(now["volt_watt_v_pu"], now["volt_watt_p_pu"], strict=True))
        return bool(now["volt_watt"]), {
            "points": pairs,
            "reference": "w_max",
            "response_s": now["volt_watt_response_s"],
        }
    if name in {"volt_var", "watt_var"}:
        first = "v_pu" if name == "volt_var" else "p_pu"
        pairs = list(zip(now[f"{name}_{first}"], now[f"{name}_q_pu"], strict=True))
        found = {
            "points": pairs,
            "reference": "var_available" if now["reactive_reference"] == "available" else "va_max",
            "response_s": now[f"{name}_response_s"],
            "priority": now["priority"],
        }
        if name == "volt_var":
            found |= {face: now[key] for face, key in _VREF.items()}
        return now["reactive_mode"] == name, found
    if name == "ramps":
        up, reactive = now["ramp_up_w_per_s"], now["reactive_ramp_pu_per_s"]
        return bool(up or reactive), {"up_w_per_s": up, "reactive_pu_per_s": reactive}
    if name == "island_detection":
        return bool(now[name]), {"on": bool(now[name])}
    if name == "enter_service":
        service = {key: now[f"enter_service_{key}"] for key in _SERVICE}
        return True, {**service, "random_delay_s": now["enter_service_random_s"]}
    return None
