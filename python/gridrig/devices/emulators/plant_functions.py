"""The grid-support functions of SunSpec models in the plant's terms, and back.

The plant has one reactive function in force at a time, so enabling one takes it over and disabling
the one in force leaves unity power factor. Must-trip points are relay stages, the mildest first:
beyond a value for its time trips; the plant has two for each side, and more points are a curve.
"""

from collections.abc import Mapping, Sequence
from typing import Any

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
        *("power_factor_injecting", "power_factor", "island_detection", *SIDES),
    }
)
REACTIVE = ("volt_var", "watt_var", "power_factor_injecting", "power_factor")
_DROOP = {
    **{"db_of_hz": "droop_db_hz", "k_of": "droop_k", "response_s": "droop_response_s"},
    **{"db_uf_hz": "droop_under_db_hz", "k_uf": "droop_under_k"},
}
_VREF = {
    **{"v_ref_pu": "volt_var_vref_pu", "v_ref_auto": "volt_var_vref_auto"},
    "v_ref_auto_s": "volt_var_vref_s",
}
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
    mode = name if name in {"volt_var", "watt_var"} else "power_factor"
    if settings is None:
        unity = {"reactive_mode": "power_factor", "power_factor": 1.0}
        return unity if now["reactive_mode"] == mode else {}
    if mode == "power_factor":
        excitation = "injecting" if settings["over_excited"] else "absorbing"
        factor = {"power_factor": settings["pf"], "power_factor_excitation": excitation}
        return {"reactive_mode": mode, **factor}
    x, y = zip(*settings["points"], strict=True)
    share = w_share if settings["reference"] == "w_max" else 1.0
    first = "v_pu" if mode == "volt_var" else "p_pu"
    found = {
        "reactive_mode": mode,
        f"{mode}_{first}": list(x),
        f"{mode}_q_pu": [share * q for q in y],
        "priority": "active" if settings["priority"] == "active" else "reactive",
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
    found: dict[str, Any] = {}
    if settings is not None:
        points = sorted(map(list, settings["must_trip"]), reverse=side[0] == "U")
        if len(points) <= STAGES:
            relays |= dict(zip(stages, points, strict=False))
        else:
            curves[side] = points
        if side[1] == "V" and settings["momentary_cessation"]:
            value_pu, after_s = settings["momentary_cessation"][0]
            edge = "low" if side == "UV" else "high"
            found = {
                "momentary_cessation": True,
                f"cessation_v_{edge}_pu": value_pu,
                "cessation_after_s": after_s,
            }
    return {"relays": relays, "trip_curves": curves, **found}


def from_plant(name: str, now: Settings) -> tuple[bool, dict[str, Any]] | None:
    """Return whether a function is enabled in the plant and its settings, in the face's terms.

    None for a function that has nothing to be shown of the plant.
    """
    if name in SIDES:
        side = SIDES[name]
        relays = [now["relays"].get(f"{side}{stage + 1}") for stage in range(STAGES)]
        points: Sequence[Any] = now["trip_curves"].get(side) or [p for p in relays if p]
        must = [(float(value), float(time_s)) for value, time_s in points]
        return bool(must), {"must_trip": must, "may_trip": [], "momentary_cessation": []}
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
            "reference": "va_max",
            "response_s": now[f"{name}_response_s"],
            "priority": now["priority"],
        }
        if name == "volt_var":
            found |= {face: now[key] for face, key in _VREF.items()}
        return now["reactive_mode"] == name, found
    if name == "enter_service":
        service = {key: now[f"enter_service_{key}"] for key in _SERVICE}
        return True, {**service, "random_delay_s": now["enter_service_random_s"]}
    return None
