"""Raw Modbus pollers for the benchmark of devices: as little work a request as asyncio allows.

A closed loop asks again as soon as it is answered, one request in flight a connection. An open loop
asks each unit at its own times, whatever the answers do, and counts a latency from when the request
was due: a server that falls behind cannot hide it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from gridrig.bench.devices_server import BAUDRATE, FIRST_REGISTER, HOST
from gridrig.clock.ptys import open_serial
from gridrig.clock.stopwatch import now_ns
from gridrig.devices.wire.modbus_framing import rtu_frame, tcp_frame

NS_PER_S = 1e9


@dataclass
class Polled:
    """What a poller saw: latencies, how long it took, and requests without an answer."""

    latencies_ns: list[int] = field(default_factory=list)
    took_s: float = 0.0
    asked: int = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies_ns) / self.took_s

    def latency_ms(self, share: float) -> float:
        """Return the latency that a share of the answers did not exceed. [ms]"""
        ordered = sorted(self.latencies_ns)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1e6


def read_pdu(count: int) -> bytes:
    """Return a read of the first registers of a unit."""
    return bytes((3,)) + FIRST_REGISTER.to_bytes(2, "big") + count.to_bytes(2, "big")


class _Closed(asyncio.Protocol):
    """Asks as soon as it was answered."""

    def __init__(self, request: bytes, size: int, polled: Polled, until_ns: int) -> None:
        self._request, self._size = request, size
        self._polled, self._until_ns = polled, until_ns
        self._heard = 0
        self._asked_ns = 0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _ask(self) -> None:
        self._asked_ns = now_ns()
        self._polled.asked += 1
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._heard += len(data)
        if self._heard < self._size:
            return
        self._heard = 0
        now = now_ns()
        self._polled.latencies_ns.append(now - self._asked_ns)
        if now < self._until_ns:
            self._ask()
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()


async def closed_loop(ports: Sequence[int], connections: int, count: int, for_s: float) -> Polled:
    """Poll unit 1 of the ports in turn over so many connections, each as fast as it can."""
    polled, loop = Polled(), asyncio.get_running_loop()
    began = now_ns()
    pollers = []
    for number in range(connections):
        request = tcp_frame(number, 1, read_pdu(count))
        _, poller = await loop.create_connection(
            lambda request=request: _Closed(  # type: ignore[misc]
                request, 9 + 2 * count, polled, began + int(for_s * NS_PER_S)
            ),
            HOST,
            ports[number % len(ports)],
        )
        pollers.append(poller)
    await asyncio.gather(*(poller.done for poller in pollers))
    polled.took_s = (now_ns() - began) / NS_PER_S
    return polled


async def closed_loop_rtu(path: str, count: int, for_s: float) -> Polled:
    """Poll unit 1 of a bus as fast as it answers."""
    polled = Polled()
    reader, writer = await open_serial(path, BAUDRATE)
    request = rtu_frame(1, read_pdu(count))
    began = now_ns()
    while now_ns() - began < for_s * NS_PER_S:
        asked_ns = now_ns()
        polled.asked += 1
        writer.write(request)
        await reader.readexactly(5 + 2 * count)
        polled.latencies_ns.append(now_ns() - asked_ns)
    polled.took_s = (now_ns() - began) / NS_PER_S
    writer.close()
    return polled


class _Open(asyncio.Protocol):
    """Asks the units of one gateway when they are due; the transaction tells which was answered."""

    def __init__(self, polled: Polled, size: int) -> None:
        self._polled, self._size = polled, size
        self._due_ns: dict[int, int] = {}
        self._buffer = bytearray()
        self._next = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def ask(self, unit: int, pdu: bytes, due_ns: int) -> None:
        """Ask one unit."""
        self._next = self._next % 65_535 + 1
        self._due_ns[self._next] = due_ns
        self._polled.asked += 1
        self.transport.write(tcp_frame(self._next, unit, pdu))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        now = now_ns()
        while len(self._buffer) >= self._size:
            due_ns = self._due_ns.pop(int.from_bytes(self._buffer[:2], "big"), None)
            if due_ns is not None:
                self._polled.latencies_ns.append(now - due_ns)
            del self._buffer[: self._size]


async def open_loop(
    ports: Sequence[int], units: int, count: int, *, rounds: int, round_s: float = 1.0
) -> Polled:
    """Poll every unit of every port once a round, spread evenly over it."""
    polled, loop = Polled(), asyncio.get_running_loop()
    pdu = read_pdu(count)
    gateways = []
    for port in ports:
        _, gateway = await loop.create_connection(lambda: _Open(polled, 9 + 2 * count), HOST, port)
        gateways.append(gateway)
    targets = [(gateway, unit) for unit in range(1, units + 1) for gateway in gateways]
    step_ns = int(round_s * NS_PER_S / len(targets))
    began = now_ns()
    due_ns = began
    for _ in range(rounds):
        for gateway, unit in targets:
            late_s = (due_ns - now_ns()) / NS_PER_S
            if late_s > 0:
                await asyncio.sleep(late_s)
            gateway.ask(unit, pdu, due_ns)
            due_ns += step_ns
    await asyncio.sleep(0.5)
    polled.took_s = rounds * round_s
    for gateway in gateways:
        gateway.transport.close()
    return polled
