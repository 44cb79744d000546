"""Who has no business on a Modbus wire, and what they send: every one on a socket of its own.

A stranger knows the protocol and no driver. It walks the SunSpec map by itself, so that what it
finds and what it sends owe nothing to the driver that is attacked with it.
"""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

from gridrig.devices.links import ModbusTcpLink, ModbusTlsLink

WAIT_S = 5.0  # for an answer
READ, WRITE_ONE, WRITE_MANY, MASK_WRITE, READ_WRITE = 3, 6, 16, 22, 23
BASES = (40_000, 0, 50_000)
MODELS_MAX = 64
END_MODEL = 0xFFFF
# Registers from the model's first: ES of 703; WMaxLimPctEna of 704, WMaxLimPct behind it.
SERVICE_MODEL, SERVICE_AT = 703, 2
CONTROL_MODEL, LIMIT_AT = 704, 14
BROADCAST = 0


class Refused(Exception):
    """A stranger was refused; its text says how."""


@dataclass(frozen=True)
class Target:
    """A device as it is reached from outside.

    Parameters
    ----------
    host, port, unit
        Where it listens.
    name : str
        What its certificate says; the host unless something stands between.
    """

    host: str
    port: int
    unit: int
    name: str


def target_of(link: ModbusTcpLink) -> Target:
    """Return the device at the end of a link."""
    return Target(link.host, link.port, link.unit, link.host)


def owner(link: ModbusTcpLink) -> ssl.SSLContext | None:
    """Return what the bench itself comes with; None on a plain wire."""
    if not isinstance(link, ModbusTlsLink):
        return None
    context = ssl.create_default_context(cafile=link.cafile)
    context.load_cert_chain(link.certfile, link.keyfile)
    return context


def stranger(certfile: str = "", keyfile: str = "") -> ssl.SSLContext:
    """Return what somebody comes with who does not care who the device is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certfile:
        context.load_cert_chain(certfile, keyfile)
    return context


class Session:
    """A connection that is open."""

    def __init__(
        self, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._target = target
        self._reader = reader
        self._writer = writer
        self._transaction = 0

    async def ask(self, pdu: bytes, *, unit: int | None = None) -> bytes:
        """Send a request and return the PDU that answers it.

        Raises
        ------
        Refused
            By an exception, an alert, a hang-up, silence, or an answer to something else.
        """
        self._transaction = self._transaction % 0xFFFF + 1
        number = self._target.unit if unit is None else unit
        with _named_refusals():
            self._writer.write(adu(self._transaction, number, pdu))
            async with asyncio.timeout(WAIT_S):
                head = await self._reader.readexactly(7)
                transaction, protocol, length, _ = struct.unpack(">HHHB", head)
                answer = await self._reader.readexactly(length - 1) if length > 1 else b""
        if (transaction, protocol) != (self._transaction, 0) or not answer:
            raise Refused("an answer that is none")
        if answer[0] & 0x80:
            raise Refused(f"exception {answer[1] if len(answer) > 1 else 0}")
        return answer

    async def read(self, address: int, count: int) -> tuple[int, ...]:
        """Return holding registers."""
        answer = await self.ask(struct.pack(">BHH", READ, address, count))
        if len(answer) != 2 + 2 * count:
            raise Refused("an answer that is none")
        return struct.unpack(f">{count}H", answer[2:])

    async def throw(self, data: bytes) -> None:
        """Send bytes that need not be a request, and wait for nothing."""
        with _named_refusals():
            self._writer.write(data)
            await self._writer.drain()

    async def ended(self, within_s: float) -> bool:
        """Return whether the device closes the connection in a time. [s]"""
        try:
            async with asyncio.timeout(within_s):
                while await self._reader.read(1000):
                    pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True


def adu(transaction: int, unit: int, pdu: bytes) -> bytes:
    """Return a request as it goes over TCP."""
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


@contextlib.asynccontextmanager
async def connected(target: Target, tls: ssl.SSLContext | None) -> AsyncIterator[Session]:
    """Connect to a device; whoever is refused already here gets `Refused`."""
    with _named_refusals():
        async with asyncio.timeout(WAIT_S):
            reader, writer = await asyncio.open_connection(
                target.host, target.port, ssl=tls, server_hostname=target.name if tls else None
            )
    try:
        yield Session(target, reader, writer)
    finally:
        writer.transport.abort()


@contextlib.contextmanager
def _named_refusals() -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as error:
        raise Refused((error.reason or str(error)).lower().replace("_", " ")) from error
    except asyncio.IncompleteReadError as error:
        raise Refused("hung up") from error
    except TimeoutError as error:
        raise Refused("silence") from error
    except OSError as error:
        raise Refused("connection reset or refused") from error


@dataclass(frozen=True)
class SetPoints:
    """Where a device's set points are.

    Parameters
    ----------
    limit : int
        Register that enables the limit; the next one is the limit in raw shares of the rating.
    service : int
        Register that lets it enter service.
    """

    limit: int
    service: int

    async def read(self, session: Session) -> tuple[int, int, int]:
        """Return enable, raw limit and service as they are now."""
        enable, share = await session.read(self.limit, 2)
        (service,) = await session.read(self.service, 1)
        return enable, share, service

    def writes(self, raw: int) -> dict[str, bytes]:
        """Return requests that would set the limit to a raw share, or switch the device off.

        By every function that writes a register; the names are for people.
        """
        both = struct.pack(">HH", 1, raw)
        head = struct.pack(">HHB", self.limit, 2, 4)
        return {
            "limit by function 16": bytes((WRITE_MANY,)) + head + both,
            "limit by function 6": struct.pack(">BHH", WRITE_ONE, self.limit + 1, raw),
            "limit by function 22": struct.pack(">BHHH", MASK_WRITE, self.limit + 1, 0, raw),
            "limit by function 23": struct.pack(">BHH", READ_WRITE, self.limit, 2) + head + both,
            "out of service": struct.pack(">BHH", WRITE_ONE, self.service, 0),
        }


async def find_set_points(session: Session) -> SetPoints:
    """Walk a device's SunSpec map for its set points.

    Raises
    ------
    Refused
        If it is no SunSpec device with models 703 and 704.
    """
    for base in BASES:
        with contextlib.suppress(Refused):
            if struct.pack(">HH", *await session.read(base, 2)) == b"SunS":
                break
    else:
        raise Refused("no SunSpec map")
    at, found = base + 2, {}
    for _ in range(MODELS_MAX):
        model, length = await session.read(at, 2)
        if model == END_MODEL:
            break
        found[model] = at
        at += 2 + length
    if not {SERVICE_MODEL, CONTROL_MODEL} <= found.keys():
        raise Refused(f"no model {SERVICE_MODEL} and {CONTROL_MODEL}")
    return SetPoints(found[CONTROL_MODEL] + LIMIT_AT, found[SERVICE_MODEL] + SERVICE_AT)


@contextlib.asynccontextmanager
async def tapped(target: Target) -> AsyncIterator[tuple[Target, bytearray]]:
    """Stand between a client and a device; yield where the client goes, and all that it sends."""
    heard = bytearray()
    ways: set[asyncio.Task[None]] = set()

    async def carry(
        source: asyncio.StreamReader, sink: asyncio.StreamWriter, kept: bytearray | None
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(4096):
                if kept is not None:
                    kept += data
                sink.write(data)
                await sink.drain()
        sink.close()

    async def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_device, to_device = await asyncio.open_connection(target.host, target.port)
        for way in (carry(reader, to_device, heard), carry(from_device, writer, None)):
            task = asyncio.create_task(way)
            ways.add(task)
            task.add_done_callback(ways.discard)

    server = await asyncio.start_server(come, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield replace(target, host=host, port=port), heard
    finally:
        server.close()
        for task in tuple(ways):
            task.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
