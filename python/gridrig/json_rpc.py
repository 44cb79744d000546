"""JSON-RPC 2.0 over HTTP on asyncio: a small server for what is emulated here, and one question.

One request a connection, bodies up to 256 KiB, ten seconds for each side. The server answers what
is no request by HTTP 400, and whatever its handler returns otherwise.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from gridrig.errors import GridrigError

BODY_BYTES_MAX = 262_144
LINE_BYTES_MAX = 8_192
HEADERS_MAX = 64
EXCHANGE_S_MAX = 10.0

Request = dict[str, Any]
Handler = Callable[[Request, bytes], Request | HTTPStatus | None]
"""Takes a request and the body it came in; returns the answer's members `result` or `error`, an
HTTP status with nothing behind it, or None to cut the connection."""


class JsonRpcServer:
    """Answers requests on one port.

    Parameters
    ----------
    handler : Handler
        What answers.
    """

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 is any free one."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=LINE_BYTES_MAX)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        assert self._server is not None
        address: tuple[str, int] = self._server.sockets[0].getsockname()
        return address

    async def stop(self) -> None:
        """Stop listening; twice is allowed."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(TimeoutError, OSError, ValueError, asyncio.IncompleteReadError):
                async with asyncio.timeout(EXCHANGE_S_MAX):
                    answer = self._answer(await _body_of(reader))
                    if answer is not None:
                        writer.write(answer)
                        await writer.drain()
        finally:
            writer.close()

    def _answer(self, body: bytes | HTTPStatus) -> bytes | None:
        if isinstance(body, HTTPStatus):
            return _message(f"HTTP/1.1 {body.value} {body.phrase}", b"")
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            request = None
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return _message("HTTP/1.1 400 Bad Request", b"")
        found = self._handler(request, body)
        if found is None:
            return None
        if isinstance(found, HTTPStatus):
            return _message(f"HTTP/1.1 {found.value} {found.phrase}", b"")
        content = {"jsonrpc": "2.0", "id": request.get("id"), **found}
        return _message("HTTP/1.1 200 OK", json.dumps(content).encode())


async def call(address: tuple[str, int], body: bytes) -> Request:
    """Post a body that is a request and return the answer.

    Raises
    ------
    GridrigError
        `json_rpc.no_answer` if there is none: no connection, no time, another HTTP status.
    """
    try:
        async with asyncio.timeout(EXCHANGE_S_MAX):
            reader, writer = await asyncio.open_connection(*address, limit=LINE_BYTES_MAX)
            try:
                writer.write(_message(f"POST / HTTP/1.1\r\nHost: {address[0]}", body))
                await writer.drain()
                status = (await reader.readline()).split(b" ", 2)
                content = await _body_of(reader, begun=True)
                if len(status) < 2 or status[1] != b"200" or isinstance(content, HTTPStatus):
                    raise ValueError(f"HTTP {status[1:2]}")
                answer = json.loads(content)
            finally:
                writer.close()
    except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError) as fault:
        raise GridrigError(
            "json_rpc.no_answer",
            "{host}:{port} gave no answer: {cause}",
            host=address[0],
            port=address[1],
            cause=f"{type(fault).__name__} {fault}",
        ) from fault
    if not isinstance(answer, dict):
        raise GridrigError("json_rpc.no_answer", "{found!r} is no answer", found=answer)
    return answer


def _message(first: str, body: bytes) -> bytes:
    head = (
        f"{first}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body


async def _body_of(reader: asyncio.StreamReader, *, begun: bool = False) -> bytes | HTTPStatus:
    """Read a message of HTTP; return its body, or what is wrong with it."""
    if not begun and not (await reader.readline()).startswith(b"POST "):
        return HTTPStatus.METHOD_NOT_ALLOWED
    length = 0
    for _ in range(HEADERS_MAX):
        line = await reader.readline()
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
        if not line.strip():
            break
    else:
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    if not 0 <= length <= BODY_BYTES_MAX:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return await reader.readexactly(length)
