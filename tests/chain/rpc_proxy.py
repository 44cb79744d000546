"""A real HTTP server between a sender and its node, which can be told to misbehave."""

import json
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any], Callable[[], bytes]], bytes | int | None]
HOLD_S_MAX = 20.0


class Proxy:
    """Forwards to a node; `answers` names methods whose requests are answered otherwise.

    An answer gets the request and a function that forwards it, and returns the body to send, the
    status of an empty reply, or nothing to cut the connection.
    """

    def __init__(self, upstream: str, server: ThreadingHTTPServer) -> None:
        self.upstream = upstream
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self.answers: dict[str, Answer] = {}
        self.everything: Answer | None = None
        self.seen: Counter[str] = Counter()
        self.holding = threading.Event()
        self.released = threading.Event()

    def forward(self, body: bytes) -> bytes:
        asked = urllib.request.Request(
            self.upstream, body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=10) as reply:
            read: bytes = reply.read()
            return read

    def hold_before(self, request: dict[str, Any], forward: Callable[[], bytes]) -> None:
        """Keep a request and never forward it."""
        self._hold()

    def hold_after(self, request: dict[str, Any], forward: Callable[[], bytes]) -> None:
        """Forward a request and keep its reply."""
        forward()
        self._hold()

    def hold_between(self, request: dict[str, Any], forward: Callable[[], bytes]) -> bytes:
        """Forward a request and give its reply once released."""
        body = forward()
        self._hold()
        return body

    def _hold(self) -> None:
        self.holding.set()
        self.released.wait(HOLD_S_MAX)


def instead(**changed: Any) -> Answer:
    """Return an answer whose result is the node's with some members changed."""

    def answer(request: dict[str, Any], forward: Callable[[], bytes]) -> bytes:
        reply = json.loads(forward())
        return json.dumps(reply | {"result": reply["result"] | changed}).encode()

    return answer


def result(value: Any) -> Answer:
    def answer(request: dict[str, Any], forward: Callable[[], bytes]) -> bytes:
        return json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": value}).encode()

    return answer


def error(message: str) -> Answer:
    def answer(request: dict[str, Any], forward: Callable[[], bytes]) -> bytes:
        fault = {"code": -32000, "message": message}
        return json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": fault}).encode()

    return answer


def status(code: int) -> Answer:
    return lambda request, forward: code


@contextmanager
def running_proxy(upstream: str) -> Iterator[Proxy]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one segment: two would wait 40 ms for each other's acknowledgement.
        wbufsize = 65_536
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = json.loads(body)
            proxy.seen[request["method"]] += 1
            answer = proxy.everything or proxy.answers.get(request["method"])
            forwarded = lambda: proxy.forward(body)  # noqa: E731
            reply = answer(request, forwarded) if answer else forwarded()
            if reply is None:
                self.close_connection = True
                return
            code, content = (reply, b"") if isinstance(reply, int) else (200, reply)
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = Proxy(upstream, server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
