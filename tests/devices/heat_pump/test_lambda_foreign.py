"""Independent Modbus ends: a plain pymodbus client on the emulator, the driver on its server."""

import asyncio
from typing import Any

import pytest
from heating_bench import LINKS, P_W_MAX, Bench, bench
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gridrig.clock import Clock, run_wall
from gridrig.devices.drivers.lambda_heat_pump import LambdaHeatPump, LambdaParameters
from gridrig.devices.links import ModbusTcpLink
from gridrig.errors import DriverError


async def client_of(one: Bench, link: str) -> Any:
    where = one.emulator.endpoint
    if link == "tcp":
        client: Any = AsyncModbusTcpClient(str(where["host"]), port=int(where["port"]))
    else:
        client = AsyncModbusSerialClient(
            str(where["port"]), baudrate=int(where["baudrate"]), framer=FramerType.RTU
        )
    assert await client.connect()
    return client


def test_another_master_that_tells_another_power_is_noticed_once() -> None:
    async def main(_: Clock) -> None:
        async with bench("tcp", {"timeout_s": 2.0}) as one:
            await one.driver.set_power_w(-1000.0)
            client = await client_of(one, "tcp")
            try:
                assert not (await client.write_registers(102, [2500])).isError()
            finally:
                client.close()
            with pytest.raises(DriverError, match="another told it -2500 W") as caught:
                await one.driver.read()
            assert caught.value.code == "driver.reverted"
            assert (await one.driver.read()).told_w == -2500.0
            await one.driver.set_power_w(-1000.0)
            assert (await one.driver.read()).told_w == -1000.0

    run_wall(main, start_utc_s=0)


@pytest.mark.parametrize("link", LINKS)
def test_a_foreign_client_reads_and_tells_as_the_manual_has_it(link: str) -> None:
    async def main(_: Clock) -> None:
        async with bench(link, {"timeout_s": 2.0}) as one:
            await one.driver.close()
            client = await client_of(one, link)
            try:
                read = client.read_holding_registers
                assert (await read(2, count=1)).registers == [-34 & 0xFFFF]
                assert (await read(100, count=5)).registers == [0, 3, 0x8000, 0, 0]
                assert (await read(1012, count=1)).registers == [1234]
                assert (await read(1020, count=2)).registers == [0, 5600]
                assert (await read(5004, count=1)).registers == [207]
                assert (await read(5051, count=1)).registers == [210]
                assert not (await client.write_registers(102, [1500])).isError()
                assert one.room.told == [1500.0]
                assert (await read(100, count=5)).registers == [0, 1, 1500, 1500, 1500]
                assert not (await client.write_registers(5051, [195])).isError()
                assert one.room.now.set_point_c == 19.5
                # What is read only, what is out of range, and what the controller lacks.
                assert (await client.write_registers(5004, [210])).exception_code == 2
                assert (await client.write_registers(5051, [401])).exception_code == 3
                assert (await client.write_register(102, 700)).exception_code == 1
                assert (await client.read_input_registers(102, count=1)).exception_code == 1
                assert (await read(1024, count=1)).exception_code == 2
                assert (await read(5007, count=1)).exception_code == 2
                assert one.room.told == [1500.0]
                assert not (await client.write_registers(102, [0x8000])).isError()
                assert one.room.told == [1500.0, None]
            finally:
                client.close()

    run_wall(main, start_utc_s=0)


def registers() -> dict[int, int]:
    """A controller with two pumps and two circuits, all different, and nobody's input."""
    held = dict.fromkeys([*range(5), *range(100, 105)], 0)
    for module in (1000, 1100, 5000, 5100):
        held |= dict.fromkeys(range(module, module + 24), 0x8000)
        held |= dict.fromkeys(range(module, module + 4), 0)
        held |= dict.fromkeys(range(module + 50, module + 53), 0)
    held |= {2: 62536, 101: 1, 102: 0x8000, 1012: 800, 1112: 950, 5004: 211, 5104: 62536}
    return held | {5051: 220, 5151: 205, 5001: 16, 5101: 4, 5000: 0, 5100: 0}


def test_the_driver_drives_a_controller_that_is_not_ours() -> None:
    held = registers()
    writes: list[tuple[int, int, list[int]]] = []

    async def act(
        fc: int, start: int, address: int, count: int, current: list[int], values: Any
    ) -> None:
        if values is not None:
            writes.append((fc, address, list(values)))

    async def main(_: Clock) -> None:
        device = SimDevice(
            id=1,
            simdata=[
                SimData(place, values=value, datatype=DataType.REGISTERS)
                for place, value in sorted(held.items())
            ],
            action=act,
        )
        server = ModbusTcpServer(device, address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        port = server.transport.sockets[0].getsockname()[1]
        driver = LambdaHeatPump(
            "pump",
            ModbusTcpLink("127.0.0.1", port, 1),
            LambdaParameters(p_w_max=P_W_MAX, pump=2, circuit=2),
        )
        try:
            await driver.open()
            before = await driver.read()
            assert (before.p_w, before.room_c, before.outdoor_c) == (-950.0, None, None)
            assert (before.set_point_c, before.told_w, before.state) == (20.5, None, "own")
            assert writes == []
            await driver.set_power_w(-1234.5)
            after = await driver.read()
            # Its second circuit says "frost": it is kept warm against what it is told.
            assert (after.told_w, after.state) == (-1234.0, "cold")
            await driver.make_safe({"power": "own"})
        finally:
            await driver.close()
            await server.shutdown()
        assert writes == [(16, 102, [1234]), (16, 102, [0x8000])]

    run_wall(main, start_utc_s=0)


def test_a_controller_without_that_pump_is_named_as_it_is_opened() -> None:
    async def main(_: Clock) -> None:
        async with bench() as one:
            said = LambdaParameters(p_w_max=P_W_MAX, pump=3)
            other = LambdaHeatPump("other", one.emulator.endpoint_link, said)
            with pytest.raises(Exception, match="exception 2") as caught:
                await other.open()
            assert caught.value.kind == "refused"  # type: ignore[attr-defined]
            await asyncio.sleep(0)

    run_wall(main, start_utc_s=0)
