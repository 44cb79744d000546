"""The registers of newer Daly boards: captured replies, and the driver's rules that are its own."""

import pytest
from bms_bench import DALY_MODBUS, PACK, START, VECTORS, MemoryPack, load, plain
from hypothesis import given
from hypothesis import strategies as st

from gridrig.clock import Clock, run_virtual
from gridrig.devices.links import ModbusRtuLink
from gridrig.devices.wire import daly_registers as layout
from gridrig.devices.wire.modbus_framing import crc16
from gridrig.devices.wire.pack_frames import Malformed
from gridrig.errors import DriverError

CASES = sorted(VECTORS.glob("daly_modbus_*"))
WORD = st.integers(0, 0xFFFF)


def virtually(main):
    return run_virtual(main, start_utc_s=START)


def test_there_are_captures() -> None:
    assert len(CASES) == 2


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_captured_reply_decodes_to_its_known_values_and_encodes_back(case):
    _, text, expected = load(case)
    raw = bytes.fromhex(text)
    assert raw[:3] == bytes((layout.UNIT, 3, 2 * layout.REGISTERS))
    assert crc16(raw[:-2]) == int.from_bytes(raw[-2:], "little")
    registers = [high << 8 | low for high, low in zip(raw[3:-2:2], raw[4:-2:2], strict=True)]
    status = layout.parse_status(registers)
    assert plain(status) == expected
    assert layout.encode_status(status) == registers


@given(st.lists(WORD, min_size=0, max_size=70) | st.lists(WORD, min_size=62, max_size=62))
def test_prop_no_registers_do_harm(registers):
    found = layout.parse_status(registers)
    assert isinstance(found, Malformed) or layout.encode_status(found)[:0x29] is not None


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=31))
def test_prop_versions_go_there_and_back(text):
    assert layout.parse_versions(layout.encode_versions(text, "X1")) == (text, "X1")


@pytest.mark.parametrize(
    ("place", "value"), [(0x2B, 3000), (0x31, 33), (0x32, 0), (0x2A, 1001), (0x35, 2), (0x2F, 3)]
)
def test_what_cannot_be_meant_is_named(place: int, value: int) -> None:
    _, text, _ = load(CASES[0])
    raw = bytes.fromhex(text)[3:-2]
    registers = [high << 8 | low for high, low in zip(raw[::2], raw[1::2], strict=True)]
    registers[place] = value
    assert isinstance(layout.parse_status(registers), Malformed)


def test_any_alarm_ends_both_limits() -> None:
    async def main(_: Clock):
        async with DALY_MODBUS.bench() as bench:
            before = await bench.driver.read()
            bench.pack.change(protections=("cell_over_voltage",))
            return before, await bench.driver.read()

    before, after = virtually(main)
    assert (before.charge_limit_a, before.discharge_limit_a) == (100.0, 120.0)
    assert (after.charge_limit_a, after.discharge_limit_a) == (0.0, 0.0)
    assert after.protections == ("cell_over_voltage",)


def test_it_is_known_by_its_versions_and_shares_a_bus() -> None:
    async def main(_: Clock):
        async with (
            DALY_MODBUS.bench(port="auto:rack", emulate={"software": "4.1"}) as one,
            DALY_MODBUS.bench(port="auto:rack", address=211) as two,
        ):
            two.pack.change(v_v=51.2)
            who = await one.driver.identify()
            return who, (await one.driver.read()).v_v, (await two.driver.read()).v_v

    who, one_v, two_v = virtually(main)
    assert (who.manufacturer, who.model, who.firmware) == ("Daly", "GRIDRIG-DALY-D2", "4.1")
    assert (one_v, two_v) == (PACK.v_v, 51.2)


@pytest.mark.parametrize(
    ("address", "values", "exception"),
    [
        (layout.CHARGE_SWITCH, [2], 3),
        (layout.SET_SOC, [1001], 3),
        (layout.RATED_100MAH, [1], 2),
        (layout.CHARGE_SWITCH - 1, [0, 0], 2),
    ],
)
def test_writes_that_no_register_takes_are_refused_and_move_nothing(address, values, exception):
    async def main(_: Clock):
        async with DALY_MODBUS.bench() as bench:
            before = bench.pack.state
            found = bench.emulator._registers.write(address, values)
            return found, bench.pack.state == before

    assert virtually(main) == (exception, True)


def test_charge_and_both_switches_may_be_written_at_once() -> None:
    async def main(_: Clock):
        async with DALY_MODBUS.bench() as bench:
            bench.emulator._registers.write(layout.CHARGE_SWITCH, [1, 0, 800])
            return bench.pack.state

    state = virtually(main)
    assert (state.charge_fet, state.discharge_fet, state.soc) == (True, False, 0.8)


def test_a_pack_beyond_its_registers_is_refused_at_the_start() -> None:
    emulator = DALY_MODBUS.emulator
    pack = MemoryPack()
    pack.change(cells_mv=(3300,) * 33)
    one = emulator("x", ModbusRtuLink("auto", 9600, 210), emulator.PARAMETERS(), pack)
    with pytest.raises(DriverError) as caught:
        virtually(lambda _: one.start())
    assert (caught.value.code, caught.value.key) == ("emulator.out_of_range", "cells")
