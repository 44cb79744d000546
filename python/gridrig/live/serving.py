"""Serves the page of a run on this machine: it may be looked at, nothing can be asked of the run.

The run is on its own thread and is never waited for. A viewer asks for the next picture; the run
takes it between two ticks, when somebody asked, and goes on. A page that nobody looks at costs
nothing, and one that is looked at gets at most a few pictures a second. A picture that cannot be
taken is told in its place, and does not touch the run.

Only this machine is answered (127.0.0.1, and by that name: another site's page cannot read it
through the browser), only GET, and only the page and its stream.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from gridrig.campaign.loop import Loop
from gridrig.campaign.run import Progress
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.errors import RigError
from gridrig.events import Event
from gridrig.live.picture import Picture

HOST = "127.0.0.1"
BETWEEN_PICTURES_S = 0.2
ALIVE_S = 5.0  # a viewer of a run that takes no tick still hears that it is there
LAST_PICTURE_S = 3.0  # given to viewers to take the verdict, at the end
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class _Exchange:
    """Where the run's thread and the viewers' threads meet."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._changed = threading.Condition()
        self._asked: list[int] = []  # of events that each viewer who waits has seen
        self._number = 0
        self._taken: dict[str, Any] = {}
        self._viewers = 0
        self._over = False

    def offer(self) -> None:
        """Take a picture if somebody waits for one; the run calls this between two ticks."""
        if not self._asked:
            return
        with self._changed:
            seen = min(self._asked, default=0)
            self._asked.clear()
            self._taken = self._take(seen)
            self._number += 1
            self._changed.notify_all()

    def next(self, seen: int) -> tuple[dict[str, Any] | None, bool]:
        """Wait for the next picture and whether it is the last; none if the run took no tick."""
        with self._changed:
            before = self._number
            self._asked.append(seen)
            self._changed.wait_for(lambda: self._number > before or self._over, ALIVE_S)
            if self._over:
                return self._take(seen), True
            return (self._taken if self._number > before else None), False

    def _take(self, seen: int) -> dict[str, Any]:
        try:
            return self.picture.now(seen)
        except Exception as error:  # of a page that is looked at, a run must not end
            flaw = f"no picture: {type(error).__name__}: {error}"
            return {"stage": flaw, "t_s": 0.0, "events": [], "events_seen": seen}

    @contextlib.contextmanager
    def viewer(self) -> Iterator[None]:
        """Count one who looks."""
        with self._changed:
            self._viewers += 1
        try:
            yield
        finally:
            with self._changed:
                self._viewers -= 1
                self._changed.notify_all()

    def finish(self) -> None:
        """Let every viewer have the last picture."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._viewers == 0, LAST_PICTURE_S)


def _page() -> bytes:
    """Return the page: its style and its script in it, nothing to be loaded from anywhere."""
    part = {n: (files(__package__) / f"page.{n}").read_text("utf-8") for n in ("html", "css", "js")}
    page = part["html"].replace("/*STYLE*/", part["css"]).replace("/*SCRIPT*/", part["js"])
    return page.encode()


def _handler(exchange: _Exchange, pause: threading.Event) -> type[BaseHTTPRequestHandler]:
    page = _page()

    class Handler(BaseHTTPRequestHandler):
        server_version = "gridrig"
        sys_version = ""

        def do_GET(self) -> None:
            host = (self.headers.get("Host") or "").rpartition(":")[0]
            if host not in (HOST, "localhost"):
                self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "this view is for this machine")
            elif self.path == "/":
                self._head("text/html; charset=utf-8", len(page))
                self.wfile.write(page)
            elif self.path == "/pictures":
                self._stream()
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def _head(self, kind: str, length: int | None) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Cache-Control", "no-store")
            if length is not None:
                self.send_header("Content-Length", str(length))
            self.end_headers()

        def _stream(self) -> None:
            self._head("text/event-stream", None)
            picture, seen, last = exchange.picture, 0, False
            self._send("plan", picture.plan())
            has_loop = picture.has_loop
            with exchange.viewer(), contextlib.suppress(OSError):
                while not last:
                    now, last = exchange.next(seen)
                    if picture.has_loop and not has_loop:
                        has_loop = True
                        self._send("plan", picture.plan())
                    if now is not None:
                        seen = now["events_seen"]
                        self._send("now", now)
                        pause.wait(BETWEEN_PICTURES_S)
                    else:
                        self._send("alive", {})

        def _send(self, kind: str, data: dict[str, Any]) -> None:
            self.wfile.write(f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode())
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the terminal belongs to the run."""

    return Handler


@contextlib.contextmanager
def served(
    picture: Picture, progress: Progress, *, port: int = 0, tell: Callable[[str], object]
) -> Iterator[tuple[Progress, Callable[[RunVerdicts], None]]]:
    """Serve the page while a run goes on.

    Parameters
    ----------
    picture : Picture
        Of the run.
    progress : Progress
        Who else is told of the run's progress.
    port : int
        To listen on; 0 for any free one.
    tell : callable
        Told the address of the page.

    Yields
    ------
    tuple
        What the run has to tell its progress, and what has to be told its verdicts.

    Raises
    ------
    RigError
        `live.port_taken` if the port cannot be had.
    """
    exchange, pause = _Exchange(picture), threading.Event()
    try:
        server = ThreadingHTTPServer((HOST, port), _handler(exchange, pause))
    except OSError as error:
        raise RigError(
            "live.port_taken",
            "the live view cannot listen on {host}:{port}: {cause}",
            host=HOST,
            port=port,
            cause=error.strerror or str(error),
        ) from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="live view", daemon=True)
    thread.start()
    tell(f"http://{HOST}:{server.server_address[1]}/")

    def stage(text: str) -> None:
        progress.stage(text)
        picture.stage(text)
        exchange.offer()

    def begin(loop: Loop) -> None:
        progress.begin(loop)
        picture.begin(loop)

    def tick(t_s: float) -> None:
        progress.tick(t_s)
        picture.tick(t_s)
        exchange.offer()

    def event(happened: Event) -> None:
        progress.event(happened)
        picture.event(happened)

    try:
        yield Progress(stage=stage, begin=begin, tick=tick, event=event), picture.end
    finally:
        pause.set()
        exchange.finish()
        server.shutdown()
        server.server_close()
        thread.join()
