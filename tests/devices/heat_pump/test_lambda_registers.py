"""Lambda's registers as two owners read them, and as independent clients expect them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridrig.devices.wire import lambda_registers as layout
from gridrig.devices.wire.pack_frames import Malformed

WORD = st.integers(0, 0xFFFF)


def test_the_registers_that_an_owner_read_mean_what_he_saw() -> None:
    """A controller of software 1.3.8: issue 100 of lambda_heat_pumps, July 2026."""
    ambient = [0, 1, 62536, 270, 215]
    assert layout.temperature_c(ambient[2], layout.OUTDOOR_RANGE_C) is None
    assert layout.temperature_c(ambient[3], layout.OUTDOOR_RANGE_C) == 27.0
    manager = layout.parse_manager([0, 1, 4660, 0, 0])
    assert manager == layout.Manager(0, layout.AUTOMATIC, 4660)
    pump = [0, 0, 3, 10, 2605, 2504, 0, 2403, 32768, 0, 0, 0, 0, 0, *[32768] * 6, 0, 0, 0, 0]
    assert layout.parse_pump(pump) == layout.Pump(0, 0, 3, 10, 0)


def test_an_input_that_nobody_gives_reads_as_no_value_and_an_error() -> None:
    """What two other owners saw: SmartApplianceEnabler 610, lambda_heat_pumps 91."""
    manager = layout.parse_manager([0, 3, -32768 & 0xFFFF, 0, 0])
    assert manager == layout.Manager(0, layout.ERROR, None)
    assert manager.takes_powers


@pytest.mark.parametrize(
    ("pump", "circuit", "first", "second"),
    [(1, 1, 1000, 5000), (2, 2, 1100, 5100), (3, 12, 1200, 6100)],
)
def test_a_number_is_made_of_module_place_and_point(
    pump: int, circuit: int, first: int, second: int
) -> None:
    assert (layout.pump_at(pump), layout.circuit_at(circuit)) == (first, second)


@pytest.mark.parametrize(
    ("raw", "range_c", "celsius"),
    [
        (215, layout.ROOM_RANGE_C, 21.5),
        (0, layout.ROOM_RANGE_C, 0.0),
        (0xFFFF, layout.ROOM_RANGE_C, -0.1),
        (-299 & 0xFFFF, layout.ROOM_RANGE_C, -29.9),
        (-300 & 0xFFFF, layout.ROOM_RANGE_C, None),
        (-300 & 0xFFFF, layout.OUTDOOR_RANGE_C, -30.0),
        (-3000 & 0xFFFF, layout.OUTDOOR_RANGE_C, None),
        (0x8000, layout.OUTDOOR_RANGE_C, None),
        (0x7FFF, layout.ROOM_RANGE_C, None),
    ],
)
def test_a_temperature_is_a_number_or_none_and_never_made_up(
    raw: int, range_c: tuple[float, float], celsius: float | None
) -> None:
    assert layout.temperature_c(raw, range_c) == celsius


@given(st.floats(-29.9, 99.9))
def test_prop_temperatures_go_there_and_back(celsius: float) -> None:
    raw = layout.temperature_raw(celsius, layout.ROOM_RANGE_C)
    told = layout.temperature_c(raw, layout.ROOM_RANGE_C)
    assert told == pytest.approx(celsius, abs=0.0501)


def test_thirty_two_bits_go_with_the_high_word_first() -> None:
    """As evcc decodes 1020 of controllers before software 1.1.3 (int32, no swap)."""
    pump = layout.Pump(0, 0, 7, 1, 1500, taken_wh=0x00123456, heat_wh=70_000)
    registers = layout.encode_pump(pump)
    assert registers[20:24] == [0x0012, 0x3456, 1, 4464]
    assert layout.parse_pump(registers) == pump


@given(st.lists(WORD, max_size=7) | st.lists(WORD, min_size=5, max_size=5))
def test_prop_no_manager_does_harm(registers: list[int]) -> None:
    found = layout.parse_manager(registers)
    if not isinstance(found, Malformed):
        assert layout.encode_manager(found) == registers


@given(st.lists(WORD, max_size=30) | st.lists(WORD, min_size=24, max_size=24))
def test_prop_no_pump_does_harm(registers: list[int]) -> None:
    found = layout.parse_pump(registers)
    assert isinstance(found, Malformed) or len(registers) == layout.PUMP_COUNT


@pytest.mark.parametrize(
    "registers", [[0, 5, 0, 0, 0], [0, 1, 0, 0], [0, 0xFFFF, 0x8000, 0, 0], []]
)
def test_what_cannot_be_meant_is_named(registers: list[int]) -> None:
    assert isinstance(layout.parse_manager(registers), Malformed)
