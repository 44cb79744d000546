"""One pymodbus client at a time on one wire: opened, asked, listened to, dropped.

pymodbus' own time-outs, retries and reconnects are switched off. A hang-up fails the request at
once; nothing reconnects in the background. A TCP connection on which several requests in a row got
nothing is given up as half open; a wire that cannot be opened is left alone for a time that
doubles. Transaction ids go on counting over a reconnection, so that no old answer of a slow gateway
fits a new request. Every byte is counted, and recorded where a capture is made.

Limits: 4 unanswered requests, 0.1 to 2 s of leaving alone, 1 s of draining.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Any

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException

from gridrig.clock.serial_url import counted
from gridrig.devices.capture.recorder import Tap, recorder
from gridrig.devices.links import ModbusLink, ModbusTcpLink, ModbusTlsLink
from gridrig.devices.wire.modbus_tls import client_context
from gridrig.errors import DriverError, DriverFailure

DRAIN_MAX_S = 1.0
QUIET_S = 0.05
DEAF_MAX = 4  # unanswered requests in a row until a TCP connection counts as half open
LEAVE_ALONE_S = 0.1  # after the first failed opening; doubles with each further one
LEAVE_ALONE_S_MAX = 2.0
LEAVE_ALONE_DOUBLINGS_MAX = 8
CHARACTER_BITS = 11  # the standard's character, for the silence between frames
SILENCE_FLOOR_S = 0.00175

# pymodbus logs every time-out; here each is an exception that says more.
logging.getLogger("pymodbus.logging").addHandler(logging.NullHandler())

_TEXTS = {
    "timeout": "no reply within {timeout_s} s",
    "damaged": "a damaged reply within {timeout_s} s",
    "foreign_reply": "a reply to something else",
    "exception": "exception {exception}",
    "hung_up": "the wire hung up",
    "tls": "no secure connection: {cause}",
    "no_connection": "cannot connect",
    "left_alone": "could not be opened, and is left alone for {left_s:.3f} s more",
}


class ModbusWire:
    """A wire to one gateway, device or bus.

    Parameters
    ----------
    link : ModbusLink
        Where it leads; its unit does not matter.
    name : str
        What a capture calls it; empty for its address.
    """

    def __init__(self, link: ModbusLink, name: str = "") -> None:
        self._link = link
        self._name = name
        self.serial = not isinstance(link, ModbusTcpLink)
        self.heard_bytes = 0
        self._tls = client_context(link) if isinstance(link, ModbusTlsLink) else None
        self._tap: Tap | None = None
        self._client: Any = None
        self._in_flight = False
        self._undecodable = False
        self._alert: str | None = None
        self._silence_s = 0.0
        self._quiet_from_s = 0.0
        if not isinstance(link, ModbusTcpLink):
            self._silence_s = max(3.5 * CHARACTER_BITS / link.baudrate, SILENCE_FLOOR_S)
        self._transaction = 0
        self._unanswered = 0
        self._failed_openings = 0
        self._leave_alone_until_s = 0.0

    @property
    def text(self) -> str:
        """Name the wire, for errors."""
        if isinstance(self._link, ModbusTcpLink):
            return f"{self._link.host}:{self._link.port}"
        return self._link.path

    async def exchange(self, unit: int, request: Any, timeout_s: float) -> Any:
        """Send one pymodbus request and return what pymodbus takes for its reply.

        Raises
        ------
        DriverError
            `modbus.timeout`, `.damaged`, `.hung_up`, `.no_connection`, `.left_alone` or `.tls`.
        """
        client = await self._connected(unit, timeout_s)
        loop = asyncio.get_running_loop()
        if self.serial and (wait_s := self._quiet_from_s - loop.time()) > 0:
            await asyncio.sleep(wait_s)
        client.ctx.comm_params.timeout_connect = timeout_s
        client.ctx.next_tid = self._transaction
        heard = self.heard_bytes
        self._in_flight, self._undecodable = True, False
        try:
            reply = await client.execute(False, request)
        except ConnectionException as error:
            self.drop()
            if self._alert is not None:
                facts = {"cause": self._alert}
                raise self.failure("tls", "unavailable", unit, request, **facts) from error
            raise self.failure("hung_up", "unavailable", unit, request) from error
        except ModbusException as error:
            silent = self.heard_bytes == heard
            self._unanswered += 1
            if not self.serial and silent and self._unanswered >= DEAF_MAX:
                self.drop()
            if self._undecodable or (self.serial and not silent):
                failure = self.failure("damaged", "framing", unit, request, timeout_s=timeout_s)
            else:
                failure = self.failure("timeout", "timeout", unit, request, timeout_s=timeout_s)
            raise failure from error
        finally:
            self._in_flight = False
            self._transaction = request.transaction_id or self._transaction
            self._quiet_from_s = loop.time() + self._silence_s
        self._unanswered = 0
        return reply

    async def drain(self) -> None:
        """Wait until nothing comes any more, for a bounded time."""
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + DRAIN_MAX_S
        while loop.time() < give_up_s:
            heard = self.heard_bytes
            await asyncio.sleep(max(QUIET_S, self._silence_s))
            if self.heard_bytes == heard:
                return

    def drop(self) -> None:
        """Close the connection; the next request opens a new one."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def drop_half_frame(self) -> None:
        """Close a TCP connection on which a frame has begun.

        pymodbus forgets the first half of a late frame at the next request; the second half would
        then be taken for the beginning of one.
        """
        if not self.serial and self._client is not None and self._client.ctx.recv_buffer:
            self.drop()

    async def _connected(self, unit: int, timeout_s: float) -> Any:
        if self._client is not None and self._client.connected:
            return self._client
        self.drop()
        loop = asyncio.get_running_loop()
        if (left_s := self._leave_alone_until_s - loop.time()) > 0:
            if left_s > timeout_s:
                raise self.failure("left_alone", "unavailable", unit, None, left_s=left_s)
            await asyncio.sleep(left_s)
        self._alert = None
        client = self._client = self._new_client(timeout_s)
        if not await client.connect():
            self.drop()
            wait_s = min(LEAVE_ALONE_S * 2**self._failed_openings, LEAVE_ALONE_S_MAX)
            self._failed_openings = min(self._failed_openings + 1, LEAVE_ALONE_DOUBLINGS_MAX)
            self._leave_alone_until_s = loop.time() + wait_s
            if self._tls is not None and (cause := await self._tls_refusal(timeout_s)) is not None:
                raise self.failure("tls", "other", unit, None, cause=cause)
            raise self.failure("no_connection", "unavailable", unit, None)
        self._failed_openings = self._unanswered = 0
        return client

    def _new_client(self, timeout_s: float) -> Any:
        """Make a client: pymodbus' own objects mix an old transport's end with a new one."""
        options = {
            "timeout": timeout_s,
            "retries": 0,
            "reconnect_delay": 0,
            "trace_packet": self._trace_packet,
            "trace_connect": self._trace_connect,
        }
        if isinstance(self._link, ModbusTcpLink):
            client = AsyncModbusTcpClient(self._link.host, port=self._link.port, **options)
            if self._tls is not None:  # MBAP over TLS; pymodbus' own TLS client leaves MBAP out
                client.ctx.comm_params.sslctx = self._tls
                client.ctx.init_setup_connect_listen(self._link.host, self._link.port)
        else:
            client = AsyncModbusSerialClient(
                counted(self._link.path), baudrate=self._link.baudrate, **options
            )
        client.ctx.callback_data = self._guarded(client.ctx.callback_data)
        client.ctx.data_received = self._listening(client.ctx.data_received)
        client.ctx.callback_disconnected = self._ending(client.ctx.callback_disconnected)
        kind = "modbus-rtu" if self.serial else "modbus-tcp"
        tape = recorder()
        self._tap = None if tape is None else tape.tap(self._name or self.text, kind)
        return client

    async def _tls_refusal(self, timeout_s: float) -> str | None:
        """Return why the handshake fails, which pymodbus does not tell; None if it does not."""
        assert isinstance(self._link, ModbusTcpLink)
        try:
            async with asyncio.timeout(timeout_s):
                _, writer = await asyncio.open_connection(
                    self._link.host, self._link.port, ssl=self._tls
                )
        except ssl.SSLCertVerificationError as error:
            return f"the server's certificate: {error.verify_message}"
        except ssl.SSLError as error:
            return error.reason or str(error)
        except OSError:  # TimeoutError is one
            return None
        writer.transport.abort()
        return None

    def _guarded(self, take: Callable[..., int]) -> Callable[..., int]:
        """Let a frame that pymodbus cannot decode fail the request; it would end the transport."""

        def callback_data(data: bytes, addr: Any = None) -> int:
            try:
                return take(data, addr)
            except ModbusException as error:
                self._undecodable = True
                if self._client is not None and not self._client.ctx.response_future.done():
                    self._client.ctx.response_future.set_exception(error)
                return len(data)

        return callback_data

    def _listening(self, take: Callable[[bytes], None]) -> Callable[[bytes], None]:
        """Count and record what comes; pymodbus' own trace tells the same bytes again and again."""

        def data_received(data: bytes) -> None:
            self.heard_bytes += len(data)
            if self._tap is not None:
                self._tap("in", data)
            take(data)

        return data_received

    def _ending(self, take: Callable[..., None]) -> Callable[..., None]:
        """Keep why TLS ended: who refuses a certificate says so only after the handshake."""

        def callback_disconnected(error: Exception | None) -> None:
            if isinstance(error, ssl.SSLError):
                self._alert = error.reason or str(error)
            take(error)

        return callback_disconnected

    def _trace_packet(self, sending: bool, data: bytes) -> bytes:
        if sending and self._tap is not None:
            self._tap("out", data)
        return data

    def _trace_connect(self, connected: bool) -> None:
        if connected or not self._in_flight or self._client is None:
            return
        waiting = self._client.ctx.response_future
        if not waiting.done():
            waiting.set_exception(ConnectionException("the wire hung up"))

    def failure(
        self, name: str, kind: DriverFailure, unit: int, request: Any, **facts: object
    ) -> DriverError:
        """Return the error of a request that failed, `modbus.NAME`."""
        what = ""
        if request is not None:
            what = f", function {request.function_code} at {request.address}"
        return DriverError(
            f"modbus.{name}",
            f"{{wire}} unit {{unit}}{what}: {_TEXTS[name]}",
            kind=kind,
            wire=self.text,
            unit=unit,
            address=getattr(request, "address", None),
            **facts,
        )
