"""The small JSON-RPC server: what it answers, and what it does not bear."""

import asyncio
import json
from http import HTTPStatus

import pytest

from gridrig.clock import Clock, run_virtual
from gridrig.errors import GridrigError
from gridrig.json_rpc import BODY_BYTES_MAX, JsonRpcServer, Request, call


def answers(request: Request, body: bytes) -> Request | HTTPStatus | None:
    return {
        "echo": {"result": len(body)},
        "busy": HTTPStatus.TOO_MANY_REQUESTS,
        "cut": None,
    }[request["method"]]  # type: ignore[return-value]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1),
        b"POST / HTTP/1.1\r\n" + b"A: b\r\n" * 100 + b"\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]",
        b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n\xff\xff\xff\xff",
    ],
)
def test_what_is_no_request_is_refused_by_its_status(sent: bytes) -> None:
    async def main(clock: Clock) -> bytes:
        server = JsonRpcServer(answers)
        await server.start()
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(sent)
        found = await reader.readline()
        writer.close()
        await server.stop()
        return found

    assert run_virtual(main, start_utc_s=0).split()[1][:1] == b"4"


@pytest.mark.parametrize(
    "sent", [b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"A" * 20_000, b"POST /", b""]
)
def test_what_is_no_http_is_cut_off_after_a_stated_time(sent: bytes) -> None:
    async def main(clock: Clock) -> float:
        server = JsonRpcServer(answers)
        await server.start()
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(sent)
        assert await reader.read() == b""
        writer.close()
        await server.stop()
        return clock.now_s()

    assert run_virtual(main, start_utc_s=0) <= 10.0


def test_a_call_gets_its_answer_or_a_named_error() -> None:
    async def main(clock: Clock) -> None:
        server = JsonRpcServer(answers)
        await server.start()
        body = json.dumps({"id": 3, "method": "echo"}).encode()
        assert await call(server.address, body) == {"jsonrpc": "2.0", "id": 3, "result": len(body)}
        for method in ("busy", "cut"):
            with pytest.raises(GridrigError, match="no_answer"):
                await call(server.address, json.dumps({"method": method}).encode())
        address = server.address
        await server.stop()
        with pytest.raises(GridrigError, match="no_answer"):
            await call(address, body)

    run_virtual(main, start_utc_s=0)
