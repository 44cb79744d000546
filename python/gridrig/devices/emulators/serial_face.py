"""A device's side of a serial line, its own or a shared one, with a real one's speed and faults.

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

from gridrig.clock import stream
from gridrig.devices.emulators.fault import Asked, FaultBoard, OnEvent
from gridrig.devices.emulators.serial_wire import Listener, SerialWire, join_wire
from gridrig.devices.emulators.wire_faults import LINE_FAULTS, Alter, WireFaults
from gridrig.devices.wire.uart import line_time_s, misheard
from gridrig.errors import DriverError

__all__ = ["HANG_UP", "LINE_FAULTS", "SerialDevice", "SerialFace"]

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


class SerialFace:
    """Serves one device on a pty.

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
    bus : str or None
        Name of the line that devices share; None for one of its own.
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
        bus: str | None = None,
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
        self._bus = bus
        self._path: str | None = None
        self._line: SerialWire | None = None
        self._requests: asyncio.Queue[bytes] = asyncio.Queue(REQUESTS_MAX)
        self._worker: asyncio.Task[None] | None = None
        self._heard_at_s = 0.0
        self._odd_speed: int | None = None

    @property
    def path(self) -> str:
        """The pty slave's path, which a driver opens."""
        if self._path is None:
            raise DriverError(
                "emulator.stopped", "{device} is not running", kind="unavailable", device=self._name
            )
        return self._path

    def start(self) -> None:
        """Open the pty and begin to listen."""
        if self._line is not None:
            return
        self._line = join_wire(self, self._bus)
        self._path = self._line.path
        self._worker = asyncio.get_running_loop().create_task(
            self._serve(self._line), name=f"{self._name} serial face"
        )

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
        if self._line is not None:
            self._on_event("unplugged")
        self._hang_up()

    def outage(self, down_s: float) -> None:
        """Lose the line at once, with every device on it, and have it back after a time. [s]"""
        if self._line is not None:
            self._line.outage(down_s)

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.leave(self)
            self._line = None
        if self._worker is not None:
            self._worker.cancel()

    @property
    def neighbours(self) -> tuple[object, ...]:
        """The devices on this line, this one included, in the order they came."""
        faces: tuple[Listener, ...] = tuple(self._line.listeners) if self._line else ()
        return tuple(face._device for face in faces if isinstance(face, SerialFace))

    def heard(self, data: bytes, client_baudrate: int) -> None:
        """Take bytes from the client."""
        now_s = asyncio.get_running_loop().time()
        after_silence = now_s - self._heard_at_s > GAP_S
        self._heard_at_s = now_s
        self._note_speed(client_baudrate)
        data = misheard(data, client_baudrate, self._baudrate)
        for request in self._device.hear(data, after_silence=after_silence):
            try:
                self._requests.put_nowait(request)
            except asyncio.QueueFull:
                self._on_event("overrun", request=request.hex())

    def _note_speed(self, found: int) -> None:
        odd = found if found not in (0, self._baudrate) else None
        if odd is not None and odd != self._odd_speed:
            self._on_event("wrong_baudrate", expected=self._baudrate, found=found)
        self._odd_speed = odd

    async def _serve(self, line: SerialWire) -> None:
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
                self._note_speed(line.client_baudrate)
                await line.send(step.data, self._baudrate)
