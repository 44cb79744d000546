"""A bad network between a box and its collector: UDP that is lost, doubled and late by a seed."""

import asyncio

from gridrig.clock import stream


class LossyRelay(asyncio.DatagramProtocol):
    """Forwards datagrams one way.

    Parameters
    ----------
    target : (str, int)
        Where they are to go.
    seed : int
        Of its random stream.
    loss, doubled : float
        Share that is lost, and share of the others that arrives twice; may be changed at any time.
    late_s_max : float
        Most that a datagram waits, so that they overtake each other. [s]
    """

    def __init__(
        self, target: tuple[str, int], seed: int, *,
        loss: float = 0.0, doubled: float = 0.0, late_s_max: float = 0.0,
    ) -> None:  # fmt: skip
        self._target, self._random = target, stream(seed, "lossy relay")
        self.loss, self.doubled, self.late_s_max = loss, doubled, late_s_max
        self.heard = self.lost = 0
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> tuple[str, int]:
        """Listen on a free port and return the address."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self._target[0], 0)
        )
        address: tuple[str, int] = self._transport.get_extra_info("sockname")
        return address

    def stop(self) -> None:
        """Forward nothing any more."""
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Lose it, or forward it once or twice."""
        self.heard += 1
        if self._random.random() < self.loss:
            self.lost += 1
            return
        for _ in range(1 + (self._random.random() < self.doubled)):
            delay_s = self._random.uniform(0.0, self.late_s_max)
            asyncio.get_running_loop().call_later(delay_s, self._forward, data)

    def _forward(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, self._target)
