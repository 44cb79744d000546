"""The wire of an emulated SCPI instrument: a TCP socket for several clients, or a pty.

Messages are answered one after another, whoever sent them, as an instrument with one processor
does: a late answer delays the next. Each client has its own decoder and gets only its own answers.
On TCP a client more than `clients_max` is accepted and closed at once.

Limits: 64 messages wait at most; a client that sends more is not read until they are done. A
message is bounded by `PROGRAM_BYTES_MAX`.
"""

import asyncio
import contextlib
import errno
from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol

from gridrig.clock import stream
from gridrig.devices.emulators.fault import FaultBoard, FaultSpec, FaultValue, OnEvent
from gridrig.devices.emulators.scpi_instrument import Instrument, ScpiParameters
from gridrig.devices.emulators.serial_face import SerialFace
from gridrig.devices.emulators.wire_faults import LINE_FAULTS, TCP_FAULTS, WireFaults
from gridrig.devices.links import SerialLink, SocketLink
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
WIRE_FAULTS: Mapping[str, FaultSpec] = {**TCP_FAULTS, **LINE_FAULTS}  # of either link


class ScpiFace(Protocol):
    """A wire that serves one instrument."""

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where a driver finds it."""

    async def start(self) -> None:
        """Begin to listen."""

    async def stop(self) -> None:
        """Stop; stopping twice is allowed."""

    def unplug(self) -> None:
        """Be gone at once."""


class _Client:
    """One connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.heard_s = asyncio.get_running_loop().time()
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
        self._name, self._link = name, link
        self._instrument = instrument
        self._reply_delay_s = reply_delay_s
        self._wire = WireFaults(faults, stream(seed, f"{name}/line"))
        self._faults, self._on_event = faults, on_event
        self._waiting: asyncio.Queue[tuple[_Client, bytes]] = asyncio.Queue(WAITING_MAX)
        self._server: asyncio.Server | None = None
        self._worker: asyncio.Task[None] | None = None
        self._clients: dict[_Client, asyncio.Task[None] | None] = {}

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where a driver finds it."""
        if self._server is None:
            raise DriverError(
                "emulator.stopped", "{device} is not running", kind="unavailable", device=self._name
            )
        host, port = self._server.sockets[0].getsockname()[:2]
        return {"device": self._name, "kind": "socket", "host": host, "port": port}

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
            self._server = await asyncio.start_server(self._serve, self._link.host, self._link.port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise DriverError(
                "emulator.port_busy",
                "{device}: {host}:{port} is busy",
                device=self._name,
                host=self._link.host,
                port=self._link.port,
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

    def _hang_up(self) -> None:
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
        decoder = MessageDecoder(PROGRAM_BYTES_MAX)
        try:
            while data := await reader.read(READ_BYTES):
                if self._was_idle(client):
                    return
                for event in decoder.feed(data):
                    if isinstance(event, Dropped):
                        self._instrument.fail(ScpiFault(-223, event.reason))
                    else:
                        await self._waiting.put((client, event.data))
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._clients.pop(client, None)
            writer.close()

    def _was_idle(self, client: _Client) -> bool:
        """Return whether the connection was closed for being idle, unseen by its client."""
        now_s = asyncio.get_running_loop().time()
        since_s, client.heard_s = now_s - client.heard_s, now_s
        idle = self._faults.peek("close_idle")
        if idle is None or since_s < float(idle["idle_s"]):
            return False
        self._faults.fire("close_idle")
        return True

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


class PtyFace:
    """Serves an instrument on a pty of its own; pacing and line faults are the serial face's."""

    def __init__(
        self,
        name: str,
        link: SerialLink,
        instrument: Instrument,
        *,
        reply_delay_s: float,
        seed: int,
        faults: FaultBoard,
        on_event: OnEvent,
    ) -> None:
        self._name, self._link = name, link
        self._instrument = instrument
        self._decoder = MessageDecoder(PROGRAM_BYTES_MAX)
        self._line = SerialFace(
            name,
            self,
            baudrate=link.baudrate,
            reply_delay_s=reply_delay_s,
            seed=seed,
            faults=faults,
            on_event=on_event,
            asked=asked_of,
        )

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where a driver finds it."""
        return {
            "device": self._name,
            "kind": "serial",
            "port": self._line.path,
            "baudrate": self._link.baudrate,
        }

    async def start(self) -> None:
        """Open the pty."""
        self._line.start()

    async def stop(self) -> None:
        """Hang up; stopping twice is allowed."""
        await self._line.stop()

    def unplug(self) -> None:
        """Hang up at once."""
        self._line.unplug()

    def hear(self, data: bytes, *, after_silence: bool) -> list[bytes]:
        """Take bytes and return the messages they completed; silence ends no SCPI message."""
        found = []
        for event in self._decoder.feed(data):
            if isinstance(event, Dropped):
                self._instrument.fail(ScpiFault(-223, event.reason))
            else:
                found.append(event.data)
        return found

    def answer(self, request: bytes) -> bytes | None:
        """Return the response message, None for silence."""
        return self._instrument.execute(request)

    def spoil(self, reply: bytes) -> bytes:
        """Return the answer with a digit changed: SCPI has no checksum that would tell."""
        at = next((k for k, byte in enumerate(reply) if 0x30 <= byte <= 0x38), 0)
        return reply[:at] + bytes((reply[at] + 1,)) + reply[at + 1 :]


class ScpiEmulator:
    """The life of an emulated instrument: start, endpoint, faults, unplug, stop.

    Parameters
    ----------
    name : str
        Device name.
    link : SocketLink or SerialLink
        TCP port 0 is any free one; of a serial link only the speed counts.
    parameters : ScpiParameters
        The `emulate` table.
    make_instrument : callable
        Makes what answers, once faults can be armed.
    on_event : OnEvent
        Takes what happens; the caller stamps the time.
    """

    LINKS: ClassVar[tuple[type[SocketLink], type[SerialLink]]] = (SocketLink, SerialLink)
    FAULTS: ClassVar[Mapping[str, FaultSpec]] = WIRE_FAULTS

    def __init__(
        self,
        name: str,
        link: SocketLink | SerialLink,
        parameters: ScpiParameters,
        make_instrument: Callable[[], Instrument],
        on_event: OnEvent,
    ) -> None:
        self.name = name
        wire = LINE_FAULTS if isinstance(link, SerialLink) else TCP_FAULTS
        own = {name: spec for name, spec in self.FAULTS.items() if name not in WIRE_FAULTS}
        self._faults = FaultBoard(name, {**wire, **own}, on_event, seed=parameters.seed)
        self._on_event = on_event
        self.instrument = make_instrument()
        more = {
            "reply_delay_s": parameters.reply_delay_s,
            "seed": parameters.seed,
            "faults": self._faults,
            "on_event": on_event,
        }
        self._face: ScpiFace
        if isinstance(link, SerialLink):
            self._face = PtyFace(name, link, self.instrument, **more)  # type: ignore[arg-type]
        else:
            self._face = SocketFace(name, link, self.instrument, **more)  # type: ignore[arg-type]

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where a driver finds it."""
        return self._face.endpoint

    @property
    def endpoint_link(self) -> SocketLink | SerialLink:
        """The link a driver opens to reach it."""
        where = self.endpoint
        if where["kind"] == "serial":
            return SerialLink(str(where["port"]), int(where["baudrate"]))
        return SocketLink(str(where["host"]), int(where["port"]))

    async def start(self) -> None:
        """Begin to listen."""
        await self._face.start()

    async def stop(self) -> None:
        """Stop; stopping twice is allowed."""
        await self._face.stop()

    def unplug(self) -> None:
        """Be gone at once, as a pulled plug."""
        self._face.unplug()

    def arm(self, fault: str, *, count: int | None = None, **params: FaultValue) -> None:
        """Let a fault fire at the next `count` answers it concerns; "unplug" fires now.

        Raises
        ------
        DriverError
            `emulator.fault_unknown` or `emulator.fault_parameter`.
        """
        self._faults.arm(fault, count=count, **params)
        if fault == "unplug":
            self._faults.fire(fault)
            self.unplug()
