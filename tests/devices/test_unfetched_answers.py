"""A client that asks and never reads is dropped and told of, before its answers fill memory."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from modbus_bench import TCP, Run, Terminal, mbap, pv, read_pdu

from gridrig.devices.emulators.inverter import InverterEmulator
from gridrig.devices.links import ModbusTlsLink
from gridrig.devices.wire.modbus_authority import DEVICE, files_of, make_keys
from gridrig.devices.wire.modbus_tcp_server import UNFETCHED_MAX_BYTES
from gridrig.devices.wire.sunspec_roles import READ_ONLY

AT_ONCE = 50
ASKED = mbap(1, 1, read_pdu(40_000, 120)) * AT_ONCE
ANSWER_BYTES = 9 + 2 * 120
SOCKET_BYTES = 4096  # so that the kernel keeps little of what the server would have to
TIMES = 16 * UNFETCHED_MAX_BYTES // (AT_ONCE * ANSWER_BYTES)
Dropped = list[str]


def noting(dropped: Dropped) -> Callable[..., None]:
    def note(kind: str, **data: Any) -> None:
        if kind == "client_dropped":
            dropped.append(data["cause"])

    return note


async def never_reads(port: int, context: ssl.SSLContext | None) -> bool:
    """Ask and ask; return whether one was dropped for it."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
    name = None if context is None else "127.0.0.1"
    _, writer = await asyncio.open_connection(
        sock=plain, ssl=context, server_hostname=name, limit=1
    )
    try:
        for _ in range(TIMES):
            writer.write(ASKED)
            await writer.drain()
            await asyncio.sleep(0.1)
    except OSError:
        return True
    finally:
        writer.transport.abort()
    return False


def played(
    run: Run, emulator: InverterEmulator, act: Callable[[int], Awaitable[bool]]
) -> tuple[bool, int]:
    """Return what a client came to, and how many requests the server took."""

    async def main() -> tuple[bool, int]:
        await emulator.start()
        server: Any = emulator._server
        for listening in server._listener.sockets:  # what it accepts has this from it
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        try:
            return await act(int(emulator.endpoint["port"])), server.requests
        finally:
            await emulator.stop()

    found: tuple[bool, int] = run(main)
    return found


def check(dropped: Dropped, found: tuple[bool, int]) -> None:
    was_dropped, requests = found
    assert was_dropped
    assert dropped == [f"more than {UNFETCHED_MAX_BYTES} bytes of answers not fetched"]
    assert requests > UNFETCHED_MAX_BYTES / (2 * ANSWER_BYTES), "dropped too early"


def test_on_plain_modbus(run_fast: Run) -> None:
    dropped: Dropped = []
    emulator = pv(TCP, Terminal(), noting(dropped))
    check(dropped, played(run_fast, emulator, lambda port: never_reads(port, None)))


def test_behind_tls(run_fast: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    make_keys(keys, ["127.0.0.1"], name="a lab", days=2)
    context = ssl.create_default_context(cafile=str(keys / "ca.crt"))
    context.load_cert_chain(*files_of(keys, READ_ONLY)[1:])
    cafile, certfile, keyfile = files_of(keys, DEVICE)
    of_server = {"tls_cafile": cafile, "tls_certfile": certfile, "tls_keyfile": keyfile}
    link = ModbusTlsLink("127.0.0.1", 0, 1, *files_of(keys, READ_ONLY), READ_ONLY)
    dropped: Dropped = []
    emulator = pv(link, Terminal(), noting(dropped), **of_server)
    check(dropped, played(run_fast, emulator, lambda port: never_reads(port, context)))
