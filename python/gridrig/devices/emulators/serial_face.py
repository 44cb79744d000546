"""A device's side of a serial line: a pty master with the speed, order and faults of a real one.

Requests are answered one after another, as a device with one processor does: a late reply delays
the next, it never overtakes. A pty has no speed of its own, so every reply is paced at 10 bits a
character (8N1) of the device's speed, and the request is given its time on the line too. A client
that set another speed is misheard and mishears, as by a real UART, and it is said once a change.

Limits: 64 requests wait at most, further ones are lost and logged.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from gridrig.clock import ptys, stream
from gridrig.devices.emulators.fault import Asked, FaultBoard, OnEvent
from gridrig.devices.emulators.wire_faults import LINE_FAULTS, Alter, WireFaults
from gridrig.devices.wire.uart import line_time_s, misheard
from gridrig.errors import DriverError

__all__ = ["HANG_UP", "LINE_FAULTS", "SerialDevice", "SerialFace"]

CHUNK_BYTES = 64
REQUESTS_MAX = 64
GAP_S = 0.1  # silence that ends a frame
HANG_UP = "unplug"


class SerialDevice(Protocol):
    """What speaks on the line: splits bytes into requests and answers each."""

    def hear(self, data: bytes, *, after_silence: bool) -> list[bytes]:
        """Take bytes and return the raw requests they completed."""

    def answer(self, request: bytes) -> bytes | None:
        """Return the frame that answers a request, or None for silence."""

    def spoil(self, reply: bytes) -> bytes:
        """Return the reply with a wrong checksum."""


def asks_anything(request: bytes) -> Asked:
    """Say nothing of a request: faults cannot choose by it."""
    return Asked()


class SerialFace(asyncio.Protocol):
    """Serves one device on a new pty.

    Parameters
    ----------
    name : str
        Device name, for errors and for its random stream.
    device : SerialDevice
        What answers.
    baudrate : int
        The device's line speed. [Bd]
    reply_delay_s : float
        From the end of a request to the beginning of its reply. [s]
    seed : int
        Seed of the noise.
    faults : FaultBoard
        Faults that were armed.
    on_event : OnEvent
        Gets `wrong_baudrate`, `overrun`, `unplugged`.
    asked : callable
        Says what a request is, so that faults can choose by it.
    mislength : callable or None
        Returns a reply whose stated length is wrong, for `LENGTH_FAULTS`.
    """

    def __init__(
        self,
        name: str,
        device: SerialDevice,
        *,
        baudrate: int,
        reply_delay_s: float,
        seed: int,
        faults: FaultBoard,
        on_event: OnEvent,
        asked: Callable[[bytes], Asked] = asks_anything,
        mislength: Alter | None = None,
    ) -> None:
        self._name = name
        self._device = device
        self._baudrate = baudrate
        self._reply_delay_s = reply_delay_s
        self._asked = asked
        self._on_event = on_event
        self._wire = WireFaults(
            faults,
            stream(seed, f"{name}/line"),
            spoil=device.spoil,
            mislength=mislength,
            baudrate=baudrate,
        )
        self._pair: ptys.PtyPair | None = None
        self._transport: ptys.PtyMasterTransport | None = None
        self._requests: asyncio.Queue[bytes] = asyncio.Queue(REQUESTS_MAX)
        self._worker: asyncio.Task[None] | None = None
        self._heard_at_s = 0.0
        self._odd_speed: int | None = None

    @property
    def path(self) -> str:
        """The pty slave's path, which a driver opens."""
        if self._pair is None:
            raise DriverError(
                "emulator.stopped", "{device} is not running", kind="unavailable", device=self._name
            )
        return self._pair.slave_path

    def start(self) -> None:
        """Open the pty and begin to listen."""
        if self._transport is not None:
            return
        loop = asyncio.get_running_loop()
        self._pair = ptys.open_pty()
        self._transport, _ = ptys.open_pty_master(loop, lambda: self, self._pair)
        self._worker = loop.create_task(self._serve(), name=f"{self._name} serial face")

    async def stop(self) -> None:
        """Hang up and wait for the end; stopping twice is allowed."""
        worker, self._worker = self._worker, None
        self._hang_up()
        if worker is not None:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker

    def unplug(self) -> None:
        """Hang up at once, as a pulled plug does."""
        if self._transport is not None:
            self._on_event("unplugged")
        self._hang_up()

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        if self._worker is not None:
            self._worker.cancel()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client."""
        now_s = asyncio.get_running_loop().time()
        after_silence = now_s - self._heard_at_s > GAP_S
        self._heard_at_s = now_s
        data = misheard(data, self._client_baudrate(), self._baudrate)
        for request in self._device.hear(data, after_silence=after_silence):
            try:
                self._requests.put_nowait(request)
            except asyncio.QueueFull:
                self._on_event("overrun", request=request.hex())

    def _client_baudrate(self) -> int:
        assert self._pair is not None
        found = self._pair.baudrate()
        odd = found if found != self._baudrate else None
        if odd is not None and odd != self._odd_speed:
            self._on_event("wrong_baudrate", expected=self._baudrate, found=found)
        self._odd_speed = odd
        return found

    async def _serve(self) -> None:
        while True:
            request = await self._requests.get()
            await asyncio.sleep(line_time_s(len(request), self._baudrate))
            # Answered before the delay: a late reply tells what was true when it was asked.
            reply = self._device.answer(request)
            for step in self._wire.plan(
                request,
                reply,
                now_s=asyncio.get_running_loop().time(),
                asked=self._asked(request),
                delay_s=self._reply_delay_s,
            ):
                await asyncio.sleep(step.wait_s)
                await self._send(step.data)

    async def _send(self, data: bytes) -> None:
        for at in range(0, len(data), CHUNK_BYTES):
            chunk = data[at : at + CHUNK_BYTES]
            await asyncio.sleep(line_time_s(len(chunk), self._baudrate))
            if self._transport is not None:
                self._transport.write(misheard(chunk, self._baudrate, self._client_baudrate()))
