"""The worlds that the plant's benchmark steps, and the closed form its map is held against."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gridrig.plant import World

F_HZ = 60.0
QF = 2.5
MAP_V = (0.88, 1.10)
MAP_F = (59.3, 60.5)
MAP_DP = (-0.30, 0.40)
MAP_DQ = (-0.10, 0.08)
MAP_W = 1_000.0

MapLoad: TypeAlias = tuple[float, float, float]
"""A test load as `World.run_on_times` takes it: power, quality factor, capacitance."""


def following_devices(count: int, *, volt_var: bool) -> World:
    """Return an island of `count` photovoltaic inverters on a balanced resonant load."""
    world = World(f_nominal_hz=F_HZ, s_base_va=10e3 * count, seed=1)
    functions: dict[str, bool | str] = {}
    if volt_var:
        functions = {"reactive_mode": "volt_var", "volt_watt": True}
    for n in range(count):
        pv = world.add_pv(f"pv-{n}", {"s_va": 10e3, **functions})
        world.set_available(pv, 8e3)
    world.set_rlc(8e3 * count, 1.0, 1.0)
    world.held()
    return world


def ten_device_island() -> World:
    """Return a grid former, a battery, four photovoltaic inverters and four loads."""
    world = World(f_nominal_hz=F_HZ, s_base_va=100e3, seed=1)
    for n in range(4):
        pv = world.add_pv(f"pv-{n}", {"s_va": 10e3})
        world.set_available(pv, 6e3)
    pack = {
        "cells": 96,
        "soc": 0.5,
        "capacity_ah": 600.0,
        "charge_a_max": 110.0,
        "discharge_a_max": 110.0,
    }
    world.add_storage("former", {"s_va": 30e3, "forms_grid": True, "pack": dict(pack)})
    world.add_storage("battery", {"s_va": 20e3, "pack": dict(pack)})
    for n in range(4):
        load = world.add_load(f"load-{n}")
        world.set_load(load, 7e3, 1e3)
    world.held()
    return world


def functions_device() -> World:
    """Return one photovoltaic inverter with volt-var, volt-watt and droop in force."""
    world = World(f_nominal_hz=F_HZ, s_base_va=100e3, seed=1)
    pv = world.add_pv("pv", {"s_va": 100e3, "reactive_mode": "volt_var", "volt_watt": True})
    world.set_available(pv, 80e3)
    return world


def map_world() -> World:
    """Return one inverter with passive relays only, at constant power."""
    world = World(f_nominal_hz=F_HZ, s_base_va=MAP_W, seed=2)
    world.set_island({"ceiling_v_pu": 0.0})
    limits = {"OV1": MAP_V[1], "UV1": MAP_V[0], "OF1": MAP_F[1], "UF1": MAP_F[0]}
    relays: dict[str, list[float] | bool] = {n: [value, 0.16] for n, value in limits.items()}
    relays |= dict.fromkeys(("OV2", "UV2", "OF2", "UF2"), False)
    pv = world.add_pv(
        "pv",
        {
            "s_va": MAP_W,
            "i_max_pu": 2.0,
            "feed_v_lag_s": 0.0,
            "detector": "none",
            "droop": False,
            "momentary_cessation": False,
            "relays": relays,
        },
    )
    world.set_available(pv, MAP_W)
    world.held()
    return world


def map_loads(
    side: int,
) -> tuple[list[MapLoad], NDArray[np.float64], NDArray[np.float64]]:
    """Return the loads of a map, row by row of dQ, and their mismatches dP and dQ in per unit.

    The inductance stays that of `QF` at full power; dQ is taken from the capacitance.
    """
    dq, dp = np.meshgrid(np.linspace(*MAP_DQ, side), np.linspace(*MAP_DP, side), indexing="ij")
    loads = [
        (MAP_W * (1.0 + p), QF / (1.0 + p), 1.0 - q / QF)
        for p, q in zip(dp.ravel().tolist(), dq.ravel().tolist(), strict=True)
    ]
    return loads, dp, dq


def closed_form_zone(dp: NDArray[np.float64], dq: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where passive relays cannot see the island.

    The inverter keeps its power, so the voltage settles at `1 / sqrt(1 + dP)`, and gives no
    reactive power, so the frequency settles at the load's own resonance, whatever the voltage:
    `f0 / sqrt(c)` with the capacitance `c = 1 - dQ / Qf`.

    References
    ----------
    .. [1] Z. Ye et al., "Evaluation of anti-islanding schemes based on nondetection zone concept,"
       IEEE Transactions on Power Electronics, vol. 19, no. 5, 2004.
    """
    v_pu = 1.0 / np.sqrt(1.0 + dp)
    f_hz = F_HZ / np.sqrt(1.0 - dq / QF)
    seen_v = (v_pu < MAP_V[0]) | (v_pu > MAP_V[1])
    seen_f = (f_hz < MAP_F[0]) | (f_hz > MAP_F[1])
    return np.asarray(~(seen_v | seen_f))
