"""The process of a driver under test: `python -m gridrig.conformance.worker FD`.

The referee is at the other end of the socket FD. The driver gets an asyncio loop on the wall clock
and nothing of the referee's. A thread listens to the referee, so that a driver that blocks the loop
does not outlive it. Standard output and error belong to the driver and go to the evidence.

Limit: 2 GiB of address space, so that a leak ends here.
"""

import asyncio
import json
import os
import resource
import socket
import sys
import threading
from typing import Any

from gridrig.clock import Clock, run_wall
from gridrig.conformance.code_blocks import Trace
from gridrig.conformance.exchange import LINE_BYTES_MAX, line_of, packed, unpacked
from gridrig.devices import links
from gridrig.errors import DriverError, GridrigError
from gridrig.rig.emulation import read_parameters
from gridrig.rig.issues import At, Issues
from gridrig.rig.registry import DRIVERS, Registry

ADDRESS_SPACE_BYTES_MAX = 2 << 30
ENDED = 70  # the referee is gone


class Worker:
    """One driver and the referee that questions it.

    Parameters
    ----------
    wire : socket
        To the referee.
    clock : Clock
        The time the driver is told.
    trace : Trace
        Notes the code that runs.
    """

    def __init__(self, wire: socket.socket, clock: Clock, trace: Trace) -> None:
        self._wire = wire
        self._clock = clock
        self._trace = trace
        self._driver: Any = None
        self._asked: dict[int, asyncio.Task[None]] = {}
        self._loop = asyncio.get_running_loop()

    def listen(self) -> None:
        """Hand the referee's lines to the loop until it hangs up; runs in a thread."""
        try:
            with self._wire.makefile("rb") as lines:
                while line := lines.readline(LINE_BYTES_MAX):
                    self._loop.call_soon_threadsafe(self._take, json.loads(line))
        finally:  # a referee that was killed may hang up with a reset, not an end
            os._exit(ENDED)

    def _take(self, request: dict[str, Any]) -> None:
        number = request["id"]
        if request["do"] == "cancel":
            if (task := self._asked.get(request["of"])) is not None:
                task.cancel()
            self._tell({"id": number, "value": None})
            return
        task = self._loop.create_task(self._answer(number, request))
        self._asked[number] = task
        task.add_done_callback(lambda done: self._done(number, done))

    def _done(self, number: int, task: asyncio.Task[None]) -> None:
        del self._asked[number]
        # A task cancelled before its first step has run nothing, so this cannot be told in it.
        if task.cancelled():
            self._tell({"id": number, "error": {"type": "CancelledError"}})

    async def _answer(self, number: int, request: dict[str, Any]) -> None:
        try:
            value = await self._act(request)
        # Whatever a driver raises is a result to be told, not an end of its process.
        except Exception as error:
            self._tell({"id": number, "error": told(error)})
        else:
            self._tell({"id": number, "value": packed(value)})

    async def _act(self, request: dict[str, Any]) -> object:
        match request["do"]:
            case "ping":
                return None
            case "load":
                cls: Any = Registry.installed().load(DRIVERS, request["driver"])
                return str(cls.capability)
            case "make":
                return self._make(request)
            case "call":
                args = unpacked(request["args"])
                return await getattr(self._driver, request["method"])(*args)
            case "trace":
                names = {name.split(".")[0] for name in list(sys.modules)}
                return {"blocks": self._trace.blocks(), "packages": sorted(names)}
        raise AssertionError(f"the referee asks for {request['do']}")

    def _make(self, request: dict[str, Any]) -> dict[str, Any]:
        cls: Any = Registry.installed().load(DRIVERS, request["driver"])
        issues = Issues(f"driver {request['driver']}")
        schema = getattr(cls, "PARAMETERS", None)
        at = At(issues.file, text="parameters")
        parameters = read_parameters(schema, request["parameters"], at, issues)
        issues.raise_if_any("conformance.parameters", "the driver's parameters")
        link = getattr(links, request["link"]["class"])(**request["link"]["fields"])
        self._driver = cls(request["name"], link, parameters)
        if hasattr(self._driver, "use_clock"):
            self._driver.use_clock(self._clock.utc_s)
        known = set(getattr(schema, "__dataclass_fields__", ()))
        said = {key: getattr(parameters, key) for key in ("timeout_s",) if key in known}
        return {"capability": str(cls.capability), "parameters": sorted(known), **said}

    def _tell(self, message: dict[str, Any]) -> None:
        self._wire.sendall(line_of(message))


def told(error: Exception) -> dict[str, Any]:
    """Return an exception as the referee judges it: a driver's own is named, any other is not."""
    entry: dict[str, Any] = {"type": type(error).__name__, "message": str(error)[:2000]}
    if isinstance(error, GridrigError):
        entry["code"] = error.code
    if isinstance(error, DriverError):
        entry["kind"] = error.kind
    return entry


def main(descriptor: int, start_utc_s: int) -> None:
    """Serve the referee until it hangs up."""
    limit = ADDRESS_SPACE_BYTES_MAX
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    trace = Trace()
    trace.start()

    async def serve(clock: Clock) -> None:
        worker = Worker(socket.socket(fileno=descriptor), clock, trace)
        threading.Thread(target=worker.listen, daemon=True, name="referee").start()
        await asyncio.Event().wait()

    run_wall(serve, start_utc_s=start_utc_s)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
