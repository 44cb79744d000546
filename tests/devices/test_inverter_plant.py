"""The inverter's face on the real plant: a register write changes what the terminal does."""

import asyncio
from typing import Any

import pytest
from pymodbus.constants import ExcCodes
from test_inverter_controls import curve, seen, write

from gridrig.campaign.plant_terminals import DeviceTerminal
from gridrig.devices.emulators.inverter import (
    InverterEmulator,
    InverterParameters,
    StorageInverterEmulator,
    StorageParameters,
)
from gridrig.devices.emulators.plant_functions import SIDES, from_plant, to_plant
from gridrig.devices.links import ModbusTcpLink
from gridrig.plant import World

S_VA = 11_000.0
QUICK = {"enter_service_delay_s": 0.1, "enter_service_ramp_s": 0.1}


def face(adopt_s: float = 0.0, **plant: Any) -> tuple[InverterEmulator, World, int]:
    world = World(f_nominal_hz=50.0, s_base_va=1e5, seed=1)
    index = world.add_pv("pv-1", {"s_va": S_VA, **QUICK, **plant})
    world.set_available(index, 5_000.0)
    settled(world, index, 1.0)
    emulator = InverterEmulator(
        "pv-1",
        ModbusTcpLink("127.0.0.1", 0, 1),
        InverterParameters(s_va=S_VA, adopt_s=adopt_s),
        DeviceTerminal(world, index),
    )
    return emulator, world, index


def settled(world: World, index: int, v_pu: float, f_hz: float = 50.0) -> tuple[float, float]:
    """Hold a voltage and a frequency for a minute; return active and reactive power. [W, var]"""
    for _ in range(600):
        world.held()
        world.impose([v_pu], f_hz)
        world.advance(0.1)
    p_w, q_var = world.held()
    return p_w[index], q_var[index]


def test_what_the_registers_say_first_is_what_the_plant_does() -> None:
    emulator, world, index = face()
    now = world.functions(index)
    assert emulator.block(711).raw("Ena") == int(bool(now["droop"]))
    assert emulator.block(711).value("Ctl[1].DbOf") == pytest.approx(now["droop_db_hz"])
    assert emulator.block(705).raw("Ena") == 0
    assert emulator.block(705).value("Crv[1].Pt[1].V") == 92.0
    assert emulator.block(707).raw("Ena") == 1
    assert emulator.block(707).value("Crv[1].MustTrip.Pt[1].V") == 88.0
    assert emulator.block(707).value("Crv[1].MustTrip.Pt[1].Tms") == 21.0
    assert emulator.block(710).value("Crv[1].MustTrip.Pt[2].Hz") == pytest.approx(51.667)
    assert emulator.block(703).value("ESVHi") == 105.0
    modes = emulator.block(702).raw("CtrlModes")
    assert modes == sum(1 << bit for bit in (0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13))


def test_a_volt_var_curve_adopted_over_registers_moves_the_reactive_power(run_fast: Any) -> None:
    emulator, world, index = face()

    async def main() -> None:
        curve(emulator, 705, 2, **{"Pt[4].V": 105.0, "Pt[4].Var": -30.0, "RspTms": 1.0})
        write(emulator, 705, AdptCrvReq=2, Ena=1)
        await asyncio.sleep(1)
        assert seen(emulator, 705, "AdptCrvRslt") == 1

    before = settled(world, index, 1.06)
    run_fast(main)
    after = settled(world, index, 1.06)
    assert before[1] == pytest.approx(0.0, abs=1.0)
    assert after[1] == pytest.approx(-0.30 * S_VA, rel=1e-3)


def test_a_set_point_goes_before_a_curve_and_gives_it_back(run_fast: Any) -> None:
    emulator, world, index = face()

    async def main() -> list[float]:
        write(emulator, 705, Ena=1)
        found = [settled(world, index, 1.06)[1]]
        write(emulator, 704, VarSet=2000, VarSetEna=1)
        found.append(settled(world, index, 1.06)[1])
        write(emulator, 704, VarSetEna=0)
        return [*found, settled(world, index, 1.06)[1]]

    curved, constant, again = run_fast(main)
    assert constant == pytest.approx(2000.0, rel=1e-3)
    assert curved == pytest.approx(-0.44 * S_VA * 4 / 6, rel=1e-2)  # between 1.02 and 1.08
    assert again == pytest.approx(curved, rel=1e-3)


def test_a_power_factor_is_held_and_released(run_fast: Any) -> None:
    emulator, world, index = face()

    async def main() -> tuple[float, float]:
        block = emulator.block(704)
        place = block.model.points["PFWInj.PF"].offset
        assert block.write(place, [900, 1]) is None  # 0.9, under-excited
        write(emulator, 704, PFWInjEna=1)
        held = settled(world, index, 1.0)[1]
        write(emulator, 704, PFWInjEna=0)
        return held, settled(world, index, 1.0)[1]

    held, released = run_fast(main)
    assert held == pytest.approx(-5_000.0 * (1 / 0.9**2 - 1) ** 0.5, rel=1e-2)
    assert released == pytest.approx(0.0, abs=1.0)


def test_each_way_of_the_power_has_a_power_factor_of_its_own(run_fast: Any) -> None:
    world = World(f_nominal_hz=50.0, s_base_va=1e5, seed=1)
    pack = {"cells": 16, "capacity_ah": 200.0, "soc": 0.5}
    index = world.add_storage("bat-1", {"s_va": 5_000.0, "pack": pack, "droop": False, **QUICK})
    settled(world, index, 1.0)
    parameters = StorageParameters(s_va=5_000.0)
    terminal = DeviceTerminal(world, index)
    link = ModbusTcpLink("127.0.0.1", 0, 1)
    emulator = StorageInverterEmulator("bat-1", link, parameters, terminal)

    def q_at(p_w: float) -> float:
        world.set_power_w(index, p_w)
        given_w, q_var = settled(world, index, 1.0)
        assert given_w == pytest.approx(p_w, abs=1.0)
        return q_var

    async def main() -> list[float]:
        block = emulator.block(704)
        for stem, pf, excitation in (("PFWInj", 900, 1), ("PFWAbs", 950, 0)):
            assert block.write(block.model.points[f"{stem}.PF"].offset, [pf, excitation]) is None
        found = []
        for enables in ({"PFWInjEna": 1}, {"PFWAbsEna": 1}, {"PFWInjEna": 0}):
            assert write(emulator, 704, **enables) is None
            found += [q_at(2_000.0), q_at(-2_000.0)]
        return found

    giving = -2_000.0 * (1 / 0.9**2 - 1) ** 0.5
    taking = 2_000.0 * (1 / 0.95**2 - 1) ** 0.5
    expected = [giving, 0.0, giving, taking, 0.0, taking]
    assert run_fast(main) == pytest.approx(expected, abs=5.0)


def test_a_share_of_what_is_available_follows_the_active_power(run_fast: Any) -> None:
    emulator, world, index = face(q_absorb_max_pu=0.6)

    async def main() -> list[float]:
        assert write(emulator, 704, VarSetMod=2, VarSetPct=-50.0, VarSetEna=1) is None
        found = [settled(world, index, 1.0)[1]]
        world.set_available(index, 10_500.0)
        found.append(settled(world, index, 1.0)[1])
        write(emulator, 704, VarSetMod=4, VarSet=1000)
        return [*found, settled(world, index, 1.0)[1]]

    low_var, high_var, constant_var = run_fast(main)
    # Half of what 5 kW leave of 11 kVA, of which 0.6 can be absorbed; half of what 10.5 kW leave.
    assert low_var == pytest.approx(-0.5 * 0.6 * S_VA, rel=1e-3)
    assert high_var == pytest.approx(-0.5 * (S_VA**2 - 10_500**2) ** 0.5, rel=1e-2)
    assert constant_var == pytest.approx(1000.0, rel=1e-3)


def test_power_rises_by_its_ramp_and_falls_at_once(run_fast: Any) -> None:
    emulator, world, index = face()

    def after(seconds: int) -> tuple[float, float]:
        for _ in range(10 * seconds):
            world.held()
            world.impose([1.0], 50.0)
            world.advance(0.1)
        p_w, q_var = world.held()
        return p_w[index], q_var[index]

    async def main() -> list[tuple[float, float]]:
        assert write(emulator, 704, WRmp=1, VarRmp=2) is None
        write(emulator, 704, WMaxLimPct=10.0, WMaxLimPctEna=1, VarSet=1100, VarSetEna=1)
        found = [after(2)]
        write(emulator, 704, WMaxLimPctEna=0)
        return [*found, after(5)]

    low, later = run_fast(main)
    assert low == pytest.approx((0.10 * S_VA, 2 * 0.02 * S_VA), rel=0.01)
    assert later[0] == pytest.approx((0.10 + 5 * 0.01) * S_VA, rel=0.01)
    assert later[1] == pytest.approx(1100.0, rel=0.01)


def test_anti_islanding_is_the_plants_own(run_fast: Any) -> None:
    emulator, world, index = face(detector="sfs")
    assert emulator.block(704).raw("AntiIslEna") == 1

    async def main() -> tuple[Any, Any]:
        return write(emulator, 704, AntiIslEna=0), write(emulator, 704, AntiIslEna=2)

    assert run_fast(main) == (None, ExcCodes.ILLEGAL_VALUE)
    assert world.functions(index)["island_detection"] is False


@pytest.mark.parametrize("category", ["II", "III"])
def test_momentary_cessation_is_where_its_region_says_on_each_side(
    run_fast: Any, category: str
) -> None:
    emulator, world, index = face(category=category)
    first = {"II": 0, "III": 1}[category]  # only category III has it from the start
    assert seen(emulator, 707, "Crv[1].MomCess.ActPt") == first
    assert seen(emulator, 708, "Crv[1].MomCess.ActPt") == first

    async def main() -> list[float | None]:
        region = {"MomCess.Pt[1].V": 70.0, "MomCess.Pt[1].Tms": 0.2, "MomCess.ActPt": 1}
        curve(emulator, 707, 2, **region)
        curve(emulator, 708, 2, **{"MomCess.ActPt": 0})
        # Two times on one side are more than the plant has, and so is any of frequency.
        two = {"MomCess.Pt[2].V": 60.0, "MomCess.Pt[2].Tms": 0.1, "MomCess.ActPt": 2}
        curve(emulator, 707, 3, **(region | two))
        curve(emulator, 709, 2, **{"MomCess.Pt[1].Hz": 47.0, "MomCess.Pt[1].Tms": 1.0})
        write(emulator, 709, **{"Crv[2].MomCess.ActPt": 1})
        results = []
        for model, number in ((707, 2), (708, 2), (707, 3), (709, 2)):
            write(emulator, model, AdptCrvReq=number)
            await asyncio.sleep(1)
            results.append(seen(emulator, model, "AdptCrvRslt"))
        return results

    assert run_fast(main) == [1, 1, 2, 2]
    now = world.functions(index)
    assert now["momentary_cessation"] is True
    assert (now["cessation_v_low_pu"], now["cessation_after_s"]) == (0.7, 0.2)
    assert now["cessation_v_high_pu"] == 2.0
    ceased = []
    for v_pu in (0.72, 0.68, 1.0):
        for _ in range(10):
            world.impose([v_pu], 50.0)
            world.advance(0.1)
        ceased.append(world.held()[0][index] == 0.0)
    assert ceased == [False, True, False]
    assert world.terminal(index).connected


def test_droop_set_over_registers_throttles_by_its_slope(run_fast: Any) -> None:
    emulator, world, index = face()

    async def main() -> None:
        curve(emulator, 711, 2, DbOf=0.1, KOf=0.04, RspTms=0.5)
        write(emulator, 711, AdptCtlReq=2, Ena=1)
        await asyncio.sleep(1)

    run_fast(main)
    settled(world, index, 1.0)
    p_w, _ = settled(world, index, 1.0, f_hz=50.3)
    # 0.2 Hz beyond the deadband of 0.1 Hz, of 50 Hz, at 4 % for the whole rating.
    assert p_w == pytest.approx(5_000.0 - S_VA * (0.2 / 50) / 0.04, rel=1e-2)


def test_a_trip_stage_set_over_registers_trips_at_its_value_and_time(run_fast: Any) -> None:
    emulator, world, index = face()

    async def main() -> None:
        points = {"MustTrip.Pt[1].V": 90.0, "MustTrip.Pt[1].Tms": 1.0, "MustTrip.ActPt": 1}
        curve(emulator, 707, 2, **points)
        write(emulator, 707, AdptCrvReq=2)
        await asyncio.sleep(1)

    run_fast(main)
    settled(world, index, 1.0)
    steps = 0
    while world.terminal(index).connected and steps < 100:
        world.impose([0.89], 50.0)
        world.advance(0.1)
        steps += 1
    assert steps == pytest.approx(10, abs=2)
    assert str(world.terminal(index).trip_cause).startswith("UV")


def test_a_curve_the_plant_refuses_fails_its_adoption(run_fast: Any) -> None:
    emulator, world, index = face()

    async def main() -> float | None:
        curve(emulator, 711, 2, KOf=60.0)  # no droop is that flat
        write(emulator, 711, AdptCtlReq=2, Ena=1)
        await asyncio.sleep(1)
        return seen(emulator, 711, "AdptCtlRslt")

    assert run_fast(main) == 2
    assert world.functions(index)["droop_k"] == 0.05
    assert seen(emulator, 711, "Ctl[1].KOf") == 0.05


@pytest.mark.parametrize(
    "name", ["volt_var", "volt_watt", "watt_var", "frequency_droop", "enter_service", *SIDES]
)
def test_the_plants_own_settings_go_there_and_back(name: str) -> None:
    world = World(f_nominal_hz=50.0, s_base_va=1e5, seed=1)
    index = world.add_pv("pv-1", {"s_va": S_VA})
    now = world.functions(index)
    found = from_plant(name, now)
    assert found is not None
    settings = {**found[1]}
    settings |= {"v_ref_pu": 1.0, "v_ref_auto": False, "v_ref_auto_s": 300.0}
    world.set_functions(index, to_plant(name, settings, now, w_share=1.0))
    again = from_plant(name, world.functions(index))
    assert again is not None
    assert again[1] == found[1]
