"""The socket of an emulated SCPI instrument, for several clients.

Messages are answered one after another, whoever sent them, as an instrument with one processor
does: a late answer delays the next. Each client has its own decoder and gets only its own answers.
A client more than the instrument bears is accepted and closed at once.

Limits: `CLIENTS_MAX` clients; 64 messages wait at most, and a client that sends more is not read
until they are done. A message is bounded by `PROGRAM_BYTES_MAX`.
"""

import asyncio
import contextlib
import errno

from gridrig.clock import stream
from gridrig.devices.emulators.fault import FaultBoard, OnEvent
from gridrig.devices.emulators.scpi_instrument import Instrument
from gridrig.devices.emulators.wire_faults import WireFaults
from gridrig.devices.links import SocketLink
from gridrig.devices.wire.scpi_messages import (
    PROGRAM_BYTES_MAX,
    Dropped,
    MessageDecoder,
    Unit,
    parse_program,
)
from gridrig.devices.wire.scpi_values import ScpiFault
from gridrig.devices.wire.steps import Asked, Step
from gridrig.errors import DriverError

WAITING_MAX = 64
CLIENTS_MAX = 4
READ_BYTES = 65536


class _Client:
    """One connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.idle: asyncio.TimerHandle | None = None
        self.mute = False


def asked_of(message: bytes) -> Asked:
    """Say what a message is: faults choose by the header of its last unit."""
    headers = [unit.header for unit in parse_program(message) if isinstance(unit, Unit)]
    return Asked(command=headers[-1].lstrip(":").upper() if headers else None)


class SocketFace:
    """Serves an instrument on a TCP socket.

    Parameters
    ----------
    name : str
        Device name.
    link : SocketLink
        Port 0 is any free one.
    instrument : Instrument
        What answers.
    reply_delay_s : float
        From the end of a message to the beginning of its answer. [s]
    seed : int
        Of the noise.
    faults, on_event
        Faults that were armed; gets `overrun`, `unplugged`, `client_refused`.
    """

    def __init__(
        self,
        name: str,
        link: SocketLink,
        instrument: Instrument,
        *,
        reply_delay_s: float,
        seed: int,
        faults: FaultBoard,
        on_event: OnEvent,
    ) -> None:
        self._name = name
        self._instrument = instrument
        self._reply_delay_s = reply_delay_s
        self._wire = WireFaults(faults, stream(seed, f"{name}/line"))
        self._faults, self._on_event = faults, on_event
        self._waiting: asyncio.Queue[tuple[_Client, bytes]] = asyncio.Queue(WAITING_MAX)
        self._server: asyncio.Server | None = None
        self._worker: asyncio.Task[None] | None = None
        self._again_at = (link.host, link.port)
        self._return: asyncio.TimerHandle | None = None
        self._starting: asyncio.Task[None] | None = None
        self._clients: dict[_Client, asyncio.Task[None] | None] = {}

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where a driver finds it."""
        host, port = self._listening_at()
        return {"device": self._name, "kind": "socket", "host": host, "port": port}

    def _listening_at(self) -> tuple[str, int]:
        if self._server is None:
            raise DriverError(
                "emulator.stopped", "{device} is not running", kind="unavailable", device=self._name
            )
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    async def start(self) -> None:
        """Begin to listen.

        Raises
        ------
        DriverError
            `emulator.port_busy`.
        """
        if self._server is not None:
            return
        try:
            self._server = await asyncio.start_server(self._serve, *self._again_at)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise DriverError(
                "emulator.port_busy",
                "{device}: {host}:{port} is busy",
                device=self._name,
                host=self._again_at[0],
                port=self._again_at[1],
            ) from error
        self._worker = asyncio.create_task(self._work(), name=f"{self._name} instrument")

    async def stop(self) -> None:
        """Close every connection and stop; stopping twice is allowed."""
        tasks = [task for task in (*self._clients.values(), self._worker) if task is not None]
        self._hang_up()
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def unplug(self) -> None:
        """Be gone at once, as a pulled plug."""
        if self._server is not None:
            self._on_event("unplugged")
        self._hang_up()

    def outage(self, down_s: float) -> None:
        """Be gone at once, and listen at the same port again after a time. [s]"""
        self._again_at = self._listening_at()
        self._hang_up()
        self._return = asyncio.get_running_loop().call_later(down_s, self._come_back)

    def _come_back(self) -> None:
        self._return = None
        # Kept, or the loop would drop it.
        self._starting = asyncio.get_running_loop().create_task(self.start())

    def _hang_up(self) -> None:
        if self._return is not None:
            self._return.cancel()
            self._return = None
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for client in list(self._clients):
            client.writer.transport.abort()
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fewer = self._faults.peek("max_clients")
        if len(self._clients) >= (CLIENTS_MAX if fewer is None else int(fewer["clients"])):
            if fewer is not None:
                self._faults.fire("max_clients")
            self._on_event("client_refused", clients=len(self._clients))
            writer.close()
            return
        client = _Client(writer)
        self._clients[client] = asyncio.current_task()
        self._watch(client)
        decoder = MessageDecoder(PROGRAM_BYTES_MAX)
        try:
            while data := await reader.read(READ_BYTES):
                self._watch(client)
                for event in decoder.feed(data):
                    if isinstance(event, Dropped):
                        self._instrument.fail(ScpiFault(-223, event.reason))
                    else:
                        await self._waiting.put((client, event.data))
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._clients.pop(client, None)
            if client.idle is not None:
                client.idle.cancel()
            writer.close()

    def watch_idleness(self) -> None:
        """Let every connection count its idle time from now."""
        for client in self._clients:
            self._watch(client)

    def _watch(self, client: _Client) -> None:
        if client.idle is not None:
            client.idle.cancel()
            client.idle = None
        if (idle := self._faults.peek("close_idle")) is not None:
            loop = asyncio.get_running_loop()
            client.idle = loop.call_later(float(idle["idle_s"]), self._was_idle, client)

    def _was_idle(self, client: _Client) -> None:
        client.idle = None
        if self._faults.fire("close_idle") is not None:
            client.writer.close()

    async def _work(self) -> None:
        while True:
            client, message = await self._waiting.get()
            # Answered before the delay: a late answer tells what was true when it was asked.
            answer = self._instrument.execute(message)
            steps = self._wire.plan(
                message + b"\n",
                answer,
                now_s=asyncio.get_running_loop().time(),
                asked=asked_of(message) if not self._faults.quiet else Asked(),
                delay_s=self._reply_delay_s,
            )
            for step in steps:
                await asyncio.sleep(step.wait_s)
                if not await self._send(client, step):
                    break

    async def _send(self, client: _Client, step: Step) -> bool:
        """Send one step of a reply; return whether more may follow."""
        writer = client.writer
        if not client.mute and not writer.is_closing():
            writer.write(step.data)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        if step.end == "reset":
            writer.transport.abort()
        client.mute |= step.end == "mute"
        return not step.end
