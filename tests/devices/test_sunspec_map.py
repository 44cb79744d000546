"""The emulated map is SunSpec: the reference client reads and writes it, the codec holds."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modbus_bench import RTU, Terminal, pv, storage

from gridrig.devices.emulators.inverter_telemetry import power_scale
from gridrig.devices.wire.signed_meter import signed_meter_model
from gridrig.devices.wire.sunspec import Point, from_raw, runs_of, to_raw

client = pytest.importorskip("sunspec2.modbus.client")


@pytest.mark.parametrize(
    ("type_", "size", "absent"),
    [
        ("int16", 1, [0x8000]),
        ("sunssf", 1, [0x8000]),
        ("uint16", 1, [0xFFFF]),
        ("enum16", 1, [0xFFFF]),
        ("int32", 2, [0x8000, 0]),
        ("uint32", 2, [0xFFFF, 0xFFFF]),
        ("uint64", 4, [0xFFFF] * 4),
        ("acc32", 2, [0, 0]),
        ("string", 2, [0, 0]),
    ],
)
def test_not_implemented_is_the_value_of_its_type(type_: str, size: int, absent: list[int]) -> None:
    assert Point("X", type_, 0, size, None, False).encode(None) == absent


def test_the_high_word_comes_first() -> None:
    point = Point("X", "int32", 0, 2, None, False)
    assert point.encode(-2) == [0xFFFF, 0xFFFE]
    assert point.decode([0x0001, 0x0002]) == 0x10002


@given(st.sampled_from(["int16", "uint16", "int32", "uint32", "int64", "uint64"]), st.data())
def test_prop_decoding_undoes_encoding(type_: str, data: st.DataObject) -> None:
    point = Point("X", type_, 0, int(type_.lstrip("uint")) // 16, None, False)
    raw = data.draw(st.integers(*point.bounds))
    assert point.decode(point.encode(raw)) == raw
    for outside in (point.bounds[0] - 1, point.bounds[1] + 1):
        with pytest.raises(ValueError, match="outside"):
            point.encode(outside)


def test_scale_factors_scale_both_ways() -> None:
    assert (to_raw(65.04, -1), from_raw(650, -1), from_raw(65, 1)) == (650, 65.0, 650.0)


@pytest.mark.parametrize("rating", [100.0, 5_000.0, 16_000.0, 17_000.0, 1e6])
def test_the_power_scale_holds_twice_the_rating_and_no_more_than_needed(rating: float) -> None:
    scale = power_scale(rating)
    assert 2 * rating / 10.0**scale <= 32767
    assert scale == -2 or 2 * rating / 10.0 ** (scale - 1) > 32767


def test_points_with_a_hole_between_them_are_written_apart() -> None:
    points = signed_meter_model().points
    runs = runs_of([points[name] for name in ("St", "Epoch", "SignTm", "Cmd")], 4)
    assert [[point.name for point in run] for run in runs] == [["Epoch"], ["SignTm", "Cmd", "St"]]
    runs = runs_of([points[name] for name in ("St", "SignTm", "Cmd")], 3)
    assert [[point.name for point in run] for run in runs] == [["SignTm", "Cmd"], ["St"]]


def scan(open_client: Any, use: Any) -> Any:
    """Let the blocking reference client work in a thread while the emulator serves."""
    device = open_client()
    device.scan()
    try:
        return use(device)
    finally:
        device.close()


def tcp_client(endpoint: dict[str, Any]) -> Any:
    return client.SunSpecModbusClientDeviceTCP(
        slave_id=endpoint["unit"], ipaddr=endpoint["host"], ipport=endpoint["port"], timeout=2
    )


def rtu_client(endpoint: dict[str, Any]) -> Any:
    return client.SunSpecModbusClientDeviceRTU(
        endpoint["unit"], endpoint["port"], baudrate=endpoint["baudrate"], timeout=2
    )


def served(emulator: Any, open_client: Any, use: Any) -> Any:
    async def main() -> Any:
        await emulator.start()
        try:
            return await asyncio.to_thread(scan, lambda: open_client(emulator.endpoint), use)
        finally:
            await emulator.stop()

    return asyncio.run(main())


def measured(device: Any) -> dict[str, Any]:
    block = device.models[701][0]
    block.read()
    names = ("W", "Var", "LLV", "Hz", "InvSt", "ConnSt", "TotWhInj", "TotWhAbs", "WL1", "TmpCab")
    return {name: getattr(block, name).cvalue for name in names}


EXPECTED = {
    "W": 4321,
    "Var": -120,
    "LLV": pytest.approx(408.0),
    "Hz": pytest.approx(50.01),
    "InvSt": 3,
    "ConnSt": 1,
    "TotWhInj": 9876,
    "TotWhAbs": 1,
    "WL1": 1440,
    "TmpCab": None,
}


def test_the_array_of_a_pv_inverter_gives_what_goes_out() -> None:
    def read(device: Any) -> list[Any]:
        block = device.models[714][0]
        block.read()
        (port,) = block.Prt
        return [block.DCW.cvalue, port.DCW.cvalue, port.PrtTyp.value, block.DCA.cvalue]

    assert served(pv(), tcp_client, read) == [4321, 4321, 0, None]


@pytest.mark.parametrize("base", [0, 40000, 50000])
def test_the_reference_client_scans_the_emulator_at_each_base(base: int) -> None:
    found, common = served(
        pv(base=base, serial="S-77"),
        tcp_client,
        lambda device: (
            measured(device),
            (sorted(n for n in device.models if isinstance(n, int)), device.models[1][0].SN.value),
        ),
    )
    legacy, now = [103, 120, 121, 122, 123], [*range(701, 713), 714, 715]
    assert common == ([1, *legacy, *now], "S-77")
    assert found == EXPECTED


def test_the_reference_client_reads_the_same_over_rtu() -> None:
    assert served(pv(RTU), rtu_client, measured) == EXPECTED


def test_a_limit_written_by_the_reference_client_reaches_the_terminal() -> None:
    terminal = Terminal()

    def limit(device: Any) -> tuple[Any, Any]:
        control = device.models[704][0]
        control.WMaxLimPctEna.value = 1
        control.WMaxLimPct.cvalue = 65.0
        control.write()
        control.read()
        return control.WMaxLimPctEna.value, control.WMaxLimPct.cvalue

    assert served(pv(terminal=terminal), tcp_client, limit) == (1, 65.0)
    assert terminal.commands == [("limit_w", pytest.approx(7150.0))]


def test_the_reference_client_withdraws_the_permit_with_a_single_register_write() -> None:
    terminal = Terminal()

    def cease(device: Any) -> int:
        service = device.models[703][0]
        service.ES.value = 0
        service.write()
        return int(measured(device)["ConnSt"])

    assert served(pv(terminal=terminal), tcp_client, cease) == 0
    assert terminal.commands == [("connect", False)]


def test_the_reference_client_sets_signed_storage_power_and_reads_its_charge() -> None:
    terminal = Terminal()

    def charge(device: Any) -> tuple[Any, Any]:
        control, capacity = device.models[704][0], device.models[713][0]
        control.WSetEna.value, control.WSetMod.value, control.WSet.cvalue = 1, 1, -2500
        control.write()
        capacity.read()
        return capacity.SoC.cvalue, measured(device)["W"]

    assert served(storage(terminal=terminal), tcp_client, charge) == (55.0, -2500)
    # One FC16 for the three points: the set-point is never enabled with an old value.
    assert terminal.commands == [("power_w", -2500.0)]


@pytest.mark.parametrize(
    ("point", "value", "exception"),
    [
        ("WMaxLimPct", 10001, 3),
        ("WMaxLimPctEna", 2, 3),
        ("WMaxLimPctRvrt", 10001, 3),
        ("WSetEna", 3, 3),
        ("WSetPct", -1, 3),  # no PV inverter draws power
        ("WMaxLimPctRvrtRem", 10, 2),  # counts down by itself
    ],
)
def test_what_the_inverter_does_not_take_is_refused_and_changes_nothing(
    point: str, value: int, exception: int
) -> None:
    terminal = Terminal()

    def provoke(device: Any) -> str:
        control = device.models[704][0]
        before = getattr(control, point).value
        getattr(control, point).value = value
        with pytest.raises(Exception, match="exception") as caught:
            control.write()
        control.read()
        assert getattr(control, point).value == before
        return str(caught.value)

    assert served(pv(terminal=terminal), tcp_client, provoke).endswith(f"exception: {exception}")
    assert terminal.commands == []
