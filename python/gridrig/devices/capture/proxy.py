"""A wire listened to while it is used: a proxy between a client and a device, on the wall clock.

The client is pointed at the proxy, which passes every byte on and tells it to `on_piece`. On TCP
each client gets a connection of its own to the device; on a serial line the proxy offers a
pseudo-terminal and opens the device's port.

Limits: 64 KiB waiting in either direction on TCP, after which the faster side has to wait.
"""

import asyncio
from collections.abc import Callable

from gridrig.clock.ptys import PtyMasterTransport, SerialWriter, open_pty, open_serial
from gridrig.clock.ptys import open_pty_master as serve_pty
from gridrig.devices.capture.recorder import Way
from gridrig.errors import DriverError

READ_BYTES = 4096
OnPiece = Callable[[str, Way, bytes], object]  # wire, way, data
OnTrouble = Callable[[str], object]


class TcpProxy:
    """Passes TCP connections on to a device.

    Parameters
    ----------
    host, port : str, int
        The device.
    on_piece : callable
        Takes the name of the connection, the way and the bytes of every piece.
    on_trouble : callable
        Takes why a client was sent away.
    """

    def __init__(
        self,
        host: str,
        port: int,
        on_piece: OnPiece,
        on_trouble: OnTrouble = lambda _: None,
    ) -> None:
        self._host, self._port = host, port
        self._on_piece = on_piece
        self._on_trouble = on_trouble
        self._clients = 0
        self._listener: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; return where, as `host:port`.

        Raises
        ------
        DriverError
            `capture.proxy_port`, if the port cannot be had.
        """
        try:
            self._listener = await asyncio.start_server(self._serve, host, port)
        except OSError as error:
            raise DriverError(
                "capture.proxy_port",
                "cannot listen at {host}:{port}: {cause}",
                kind="unavailable",
                host=host,
                port=port,
                cause=error.strerror or str(error),
            ) from error
        return f"{host}:{self._listener.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening; connections end with their clients."""
        if self._listener is not None:
            self._listener.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        name = f"client-{self._clients}"
        try:
            device_reader, device_writer = await asyncio.open_connection(self._host, self._port)
        except OSError as error:
            cause = error.strerror or str(error)
            self._on_trouble(f"{name}: {self._host}:{self._port} does not open: {cause}")
            writer.transport.abort()  # what a device that is not there does
            return
        await asyncio.gather(
            self._pass(name, "out", reader, device_writer),
            self._pass(name, "in", device_reader, writer),
        )

    async def _pass(
        self, name: str, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await reader.read(READ_BYTES):
                self._on_piece(name, way, data)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


class SerialProxy(asyncio.Protocol):
    """Passes a pseudo-terminal on to a serial port.

    Parameters
    ----------
    path, baudrate : str, int
        The device's port and its speed. [Bd]
    on_piece : callable
        Takes the name of the port, the way and the bytes of every piece.
    on_trouble : callable
        Takes that the port is gone; nothing passes after that.
    """

    def __init__(
        self,
        path: str,
        baudrate: int,
        on_piece: OnPiece,
        on_trouble: OnTrouble = lambda _: None,
    ) -> None:
        self._path, self._baudrate = path, baudrate
        self._on_piece = on_piece
        self._on_trouble = on_trouble
        self._stopping = False
        self._client: PtyMasterTransport | None = None
        self._device: SerialWriter | None = None
        self._passing: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Open the device's port; return the path that the client opens.

        Raises
        ------
        DriverError
            `serial.open`.
        """
        reader, self._device = await open_serial(self._path, self._baudrate)
        pair = open_pty()
        loop = asyncio.get_running_loop()
        self._client, _ = serve_pty(loop, lambda: self, pair)
        self._passing = loop.create_task(self._pass(reader))
        return pair.slave_path

    async def stop(self) -> None:
        """Close both ends."""
        self._stopping = True
        for end in (self._client, self._device):
            if end is not None:
                end.close()
        if self._passing is not None:
            await self._passing

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        self._on_piece(self._path, "out", data)
        if self._device is not None:
            self._device.write(data)

    async def _pass(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(READ_BYTES):
            self._on_piece(self._path, "in", data)
            if self._client is not None:
                self._client.write(data)
        if not self._stopping:
            self._on_trouble(f"{self._path} hung up")
