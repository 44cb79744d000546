"""The rig's OCPP management system: one websocket server for all chargers that come to one port.

A charger is known by the end of the URL's path. Who is not expected, or speaks another version than
the rig says, is disconnected with the reason. The newest connection of a charger counts: the one
before is half-open.

Limits: messages up to `MESSAGE_BYTES_MAX`; a ping every `PING_S` finds a dead connection.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from gridrig.devices.capture.recorder import Tape
from gridrig.errors import DriverError

MESSAGE_BYTES_MAX = 256 * 1024
PING_S, PONG_S = 300.0, 20.0  # readings find a dead charger sooner
POLICY_VIOLATION = 1008
SUBPROTOCOLS = {v: Subprotocol(f"ocpp{v}") for v in ("1.6", "2.0.1", "2.1")}
Serve = Callable[[ServerConnection], Awaitable[None]]


class RecordedConnection:
    """A charger's connection whose messages are recorded, without the websocket around them.

    Parameters
    ----------
    connection : ServerConnection
        What is spoken on.
    tape : Tape
        Takes every message.
    name : str
        Of the wire.
    """

    def __init__(self, connection: ServerConnection, tape: Tape, name: str) -> None:
        self._connection = connection
        self._tap = tape.tap(name, "ocpp")

    async def recv(self) -> str | bytes:
        """Return the charger's next message."""
        message = await self._connection.recv()
        self._tap("in", message.encode() if isinstance(message, str) else message)
        return message

    async def send(self, message: str) -> None:
        """Send a message to the charger."""
        self._tap("out", message.encode())
        await self._connection.send(message)


@dataclass
class _Expected:
    version: str
    serve: Serve
    connection: ServerConnection | None = None


class ManagementSystem:
    """A server and the chargers it expects."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._server: Server | None = None
        self._expected: dict[str, _Expected] = {}

    async def expect(self, charge_point: str, version: str, serve_it: Serve) -> None:
        """Take a charger when it comes; the first one opens the port.

        Raises
        ------
        DriverError
            `driver.charger_taken` if its name is expected already, `driver.port` if the port cannot
            be opened.
        """
        if charge_point in self._expected:
            raise DriverError(
                "driver.charger_taken",
                "charger {name!r} is expected on {host}:{port} already",
                kind="busy",
                name=charge_point,
                host=self._host,
                port=self._port,
            )
        self._expected[charge_point] = _Expected(version, serve_it)
        if self._server is not None:
            return
        try:
            self._server = await serve(
                self._handle,
                self._host,
                self._port,
                subprotocols=list(SUBPROTOCOLS.values()),
                max_size=MESSAGE_BYTES_MAX,
                ping_interval=PING_S,
                ping_timeout=PONG_S,
                close_timeout=1.0,
                compression=None,
            )
        except OSError as error:
            del self._expected[charge_point]
            raise DriverError(
                "driver.port",
                "{host}:{port} cannot be opened for chargers: {cause}",
                kind="unavailable",
                host=self._host,
                port=self._port,
                cause=str(error),
            ) from error

    async def forget(self, charge_point: str) -> None:
        """Let a charger go; the last one closes the port."""
        expected = self._expected.pop(charge_point, None)
        if expected is not None and expected.connection is not None:
            await expected.connection.close()
        if not self._expected and self._server is not None:
            server, self._server = self._server, None
            server.close()
            await server.wait_closed()

    async def _handle(self, connection: ServerConnection) -> None:
        path = connection.request.path if connection.request is not None else ""
        expected = self._expected.get(path.rstrip("/").rpartition("/")[2])
        if expected is None:
            await connection.close(POLICY_VIOLATION, f"{path} is not expected here")
            return
        if connection.subprotocol != SUBPROTOCOLS[expected.version]:
            said = connection.subprotocol or "no subprotocol"
            reason = f"{said}, expected {SUBPROTOCOLS[expected.version]}"
            await connection.close(POLICY_VIOLATION, reason)
            return
        before, expected.connection = expected.connection, connection
        if before is not None:
            before.transport.abort()
        try:
            await expected.serve(connection)
        finally:
            if expected.connection is connection:
                expected.connection = None


_SYSTEMS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, int], ManagementSystem]] = (
    WeakKeyDictionary()
)


def system_at(host: str, port: int) -> ManagementSystem:
    """Return the running loop's management system at an address."""
    systems = _SYSTEMS.setdefault(asyncio.get_running_loop(), {})
    return systems.setdefault((host, port), ManagementSystem(host, port))
