"""Datagrams on the virtual clock: one under way holds the time, one that nobody takes does not."""

import asyncio

from gridrig.clock import Clock, run_virtual, stream

START = 1_466_424_000
Log = list[tuple[float, bytes]]


class Inbox(asyncio.DatagramProtocol):
    """Answers each datagram after a seeded delay; drops some."""

    def __init__(self, clock: Clock, log: Log, *, answers: bool) -> None:
        self.clock, self.log, self.answers = clock, log, answers
        self.random = stream(3, "inbox")

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        self.log.append((round(self.clock.now_s(), 9), data))
        if self.answers and self.random.random() < 0.8:
            delay_s = self.random.choice([0.0, 0.001, 0.3, 2.0])
            loop = asyncio.get_running_loop()
            loop.call_later(delay_s, self.transport.sendto, data + b"!", sender)


async def exchange(clock: Clock) -> Log:
    loop = asyncio.get_running_loop()
    log: Log = []
    server, _ = await loop.create_datagram_endpoint(
        lambda: Inbox(clock, log, answers=True), local_addr=("127.0.0.1", 0)
    )
    clients = []
    for _ in range(5):
        client, _ = await loop.create_datagram_endpoint(
            lambda: Inbox(clock, log, answers=False),
            remote_addr=server.get_extra_info("sockname"),
        )
        clients.append(client)
    for number in range(40):
        for rank, client in enumerate(clients):
            client.sendto(b"%d from %d" % (number, rank))
        await clock.sleep(0.25)
    await clock.sleep(3.0)
    for transport in (*clients, server):
        transport.close()
    return log


def test_datagrams_arrive_at_the_same_times_in_every_run():
    first = run_virtual(exchange, start_utc_s=START)
    assert sum(data.endswith(b"!") for _, data in first) > 100
    # Within an instant sockets become readable in any order; the instants are the same.
    assert all(sorted(run_virtual(exchange, start_utc_s=START)) == sorted(first) for _ in range(3))
    sent = [t for t, data in first if not data.endswith(b"!")]
    assert sent == [round(0.25 * number, 9) for number in range(40) for _ in range(5)]


def test_a_datagram_to_nobody_does_not_hold_the_clock():
    async def main(clock: Clock) -> float:
        loop = asyncio.get_running_loop()
        gone, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        )
        client, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=gone.get_extra_info("sockname")
        )
        gone.close()
        await clock.sleep(1.0)
        client.sendto(b"hello")
        await clock.sleep(5.0)
        client.close()
        return clock.now_s()

    assert run_virtual(main, start_utc_s=START) == 6.0
