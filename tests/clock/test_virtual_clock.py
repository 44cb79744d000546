"""The virtual clock over real sockets and ptys: the same events every time, whatever else runs."""

import asyncio
import hashlib
import multiprocessing
import os
import socket
import time

import pytest
from pymodbus.client import AsyncModbusSerialClient

from gridrig.clock import Clock, run_virtual, run_wall, stream
from gridrig.clock.ptys import open_pty, open_pty_master, open_serial
from gridrig.clock.serial_url import counted
from gridrig.errors import ClockError

START = 1_466_424_000


class SlowEcho(asyncio.Protocol):
    """Answers each line after a seeded delay; drops some."""

    def __init__(self, name: str) -> None:
        self.random = stream(7, name)
        self.buffer = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\n", 1)
            if self.random.random() < 0.1:
                continue
            delay = self.random.choice([0.0, 0.01, 0.05, 0.4])
            asyncio.get_running_loop().call_later(delay, self.transport.write, line + b"!\n")


async def poll(clock: Clock, name: str, reader, writer, log: list) -> None:
    for number in range(40):
        writer.write(f"{name} {number}\n".encode())
        try:
            line = await asyncio.wait_for(reader.readline(), 0.3)
        except TimeoutError:
            line = b"timeout"
        log.append((round(clock.now_s(), 9), line))
        await clock.sleep(0.1)
    writer.close()


async def street(clock: Clock) -> str:
    """Poll 8 TCP devices and 3 ptys at once and return a digest of all that happened and when."""
    logs: dict[str, list] = {}
    servers, tasks = [], []
    loop = asyncio.get_running_loop()
    for n in range(8):
        name = f"tcp-{n}"
        server = await loop.create_server(lambda name=name: SlowEcho(name), "127.0.0.1", 0)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        tasks.append(poll(clock, name, reader, writer, logs.setdefault(name, [])))
    masters = []
    for n in range(3):
        name = f"pty-{n}"
        pair = open_pty()
        masters.append(open_pty_master(loop, lambda name=name: SlowEcho(name), pair)[0])
        reader, writer = await open_serial(pair.slave_path, 9600)
        tasks.append(poll(clock, name, reader, writer, logs.setdefault(name, [])))
    await asyncio.gather(*tasks)
    for server in servers:
        server.close()
    for master in masters:
        master.close()
    return hashlib.sha256(repr(sorted(logs.items())).encode()).hexdigest()


def burn(stop_at: float) -> None:
    while time.monotonic() < stop_at:
        sum(range(10_000))


def test_same_digest_every_time_also_while_both_cores_are_busy():
    digests = {run_virtual(street, start_utc_s=START) for _ in range(3)}
    workers = [
        multiprocessing.get_context("spawn").Process(target=burn, args=(time.monotonic() + 60,))
        for _ in range(os.cpu_count() or 2)
    ]
    for worker in workers:
        worker.start()
    try:
        digests |= {run_virtual(street, start_utc_s=START) for _ in range(3)}
    finally:
        for worker in workers:
            worker.kill()
            worker.join()
    assert len(digests) == 1


def test_hours_pass_in_an_instant_and_utc_follows():
    async def main(clock: Clock) -> tuple[float, int, str]:
        late = await clock.sleep_until(14_400.25)
        return late, clock.utc_s(), clock.kind

    began = time.monotonic()
    assert run_virtual(main, start_utc_s=START) == (0.0, START + 14_400, "virtual")
    assert time.monotonic() - began < 60


def test_a_hold_keeps_the_time_still_until_the_thread_is_done():
    async def main(clock: Clock) -> list[str]:
        order: list[str] = []

        async def tick() -> None:
            await clock.sleep(0.001)
            order.append("tick")

        def slow() -> None:
            time.sleep(0.2)
            order.append("thread")

        await asyncio.gather(tick(), asyncio.to_thread(slow))
        return order

    assert run_virtual(main, start_utc_s=START) == ["thread", "tick"]


def test_a_wire_that_never_delivers_ends_the_run_and_is_named(monkeypatch):
    monkeypatch.setattr("gridrig.clock.virtual.STALL_LIMIT_S", 0.3)

    async def main(clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        pair = open_pty()
        master, _ = open_pty_master(loop, asyncio.Protocol, pair)
        _, writer = await open_serial(pair.slave_path, 9600)
        loop.remove_reader(pair.master_fd)  # the emulator's side hangs
        writer.write(b"hello")
        cleaned.append("waiting")
        try:
            await clock.sleep(1.0)
        finally:
            cleaned.append("cleaned")
            writer.close()
            master.close()

    cleaned: list[str] = []
    with pytest.raises(ClockError, match=r"pty /dev/pts/\d+ \(wrote 5 read 0 \| wrote 0 read 0\)"):
        run_virtual(main, start_utc_s=START)
    assert cleaned == ["waiting", "cleaned"]


def test_waiting_for_what_no_timer_brings_ends_the_run(monkeypatch):
    monkeypatch.setattr("gridrig.clock.virtual.STALL_LIMIT_S", 0.2)

    async def main(_: Clock) -> None:
        await asyncio.Event().wait()

    with pytest.raises(ClockError, match="no timer brings"):
        run_virtual(main, start_utc_s=START)


def test_refused_and_closed_connections_do_not_stop_the_clock():
    async def main(clock: Clock) -> str:
        loop = asyncio.get_running_loop()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        server = await loop.create_server(lambda: SlowEcho("gone"), "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"x" * 100)
        await clock.sleep(0.1)
        server.close()
        writer.transport.abort()
        await clock.sleep(10)
        return "went on"

    assert run_virtual(main, start_utc_s=START) == "went on"


def test_pymodbus_serial_client_opens_a_counted_port_and_times_out_in_virtual_time():
    async def main(clock: Clock) -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        pair = open_pty()
        master, _ = open_pty_master(loop, asyncio.Protocol, pair)
        client = AsyncModbusSerialClient(counted(pair.slave_path), timeout=3, retries=0)
        assert await client.connect()
        before = clock.now_s()
        with pytest.raises(Exception, match="No response"):
            await client.read_holding_registers(0, count=1)
        waited = clock.now_s() - before
        client.close()
        master.close()
        return waited, 0.0

    began = time.monotonic()
    waited, _ = run_virtual(main, start_utc_s=START)
    assert waited == pytest.approx(3.0, abs=0.1)
    assert time.monotonic() - began < 30


def test_reopening_a_port_drops_what_was_left_on_it_and_keeps_count():
    async def main(clock: Clock) -> bytes:
        loop = asyncio.get_running_loop()
        pair = open_pty()
        master, _ = open_pty_master(loop, asyncio.Protocol, pair)
        _, writer = await open_serial(pair.slave_path, 9600)
        writer.close()
        master.write(b"stale")
        await clock.sleep(1)
        reader, writer = await open_serial(pair.slave_path, 9600)
        master.write(b"fresh")
        await clock.sleep(1)
        writer.close()
        master.close()
        return await reader.read()

    assert run_virtual(main, start_utc_s=START) == b"fresh"


def test_the_wall_clock_reports_how_late_a_step_was():
    async def main(clock: Clock) -> tuple[str, float]:
        await clock.sleep(0.05)
        return clock.kind, await clock.sleep_until(0.01)

    kind, late = run_wall(main, start_utc_s=START)
    assert kind == "wall"
    assert late >= 0.03


def test_streams_belong_to_their_names():
    assert stream(1, "a").random() == stream(1, "a").random()
    assert len({stream(1, "a").random(), stream(1, "b").random(), stream(2, "a").random()}) == 3


def test_a_year_passes_with_timers_that_a_nanosecond_does_not_move():
    async def main(clock: Clock) -> float:
        # Beyond 2**24 s, 194 days, a float has no nanosecond any more.
        await clock.sleep_until(364 * 86_400.3)
        await clock.sleep_until(365 * 86_400.7)
        return clock.now_s()

    assert run_virtual(main, start_utc_s=START) == 365 * 86_400.7
