"""Injections of the whole feeder: from the profiles, or what the network says of itself."""

from calendar import timegm

import numpy as np

from gridrig.grid import Network, Profiles


def utc(*parts: int) -> int:
    """Return unix seconds of a UTC date and time."""
    return timegm((*parts, *[0] * (6 - len(parts))))


def from_profiles(
    network: Network, profiles: Profiles, utc_s: int, pv_scale: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Return P [W] and Q [var] by bus at a time, storages idle."""
    point = profiles.loads(utc_s)
    p_w = dict(zip(profiles.buses, point.p_w.tolist(), strict=True))
    q_var = dict(zip(profiles.buses, point.q_var.tolist(), strict=True))
    for sgen, fraction in zip(network.sgens, profiles.sgen_fractions(utc_s), strict=True):
        p_w[sgen.bus] = p_w.get(sgen.bus, 0.0) + pv_scale * fraction * sgen.rating_w
    return p_w, q_var


def nameplate(network: Network) -> tuple[dict[str, float], dict[str, float]]:
    """Return P [W] and Q [var] by bus with every load and PV at its rating, storages idle."""
    p_w: dict[str, float] = {}
    q_var: dict[str, float] = {}
    for load in network.loads:
        p_w[load.bus] = p_w.get(load.bus, 0.0) - load.draw_w
        q_var[load.bus] = q_var.get(load.bus, 0.0) - load.draw_var
    for sgen in network.sgens:
        p_w[sgen.bus] = p_w.get(sgen.bus, 0.0) + sgen.rating_w
    return p_w, q_var


def street_load(buses: int, p_w: float = -3e3) -> tuple[np.ndarray, np.ndarray]:
    """Return the same load at each bus, at a power factor of 0.96."""
    return np.full(buses, p_w), np.full(buses, 0.3 * p_w)
