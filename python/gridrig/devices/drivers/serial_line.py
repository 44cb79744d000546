"""One question at a time over a serial line, so that no answer is ever taken for another's.

Rules
    A request has an absolute deadline and a stated number of tries. What arrived before it was sent
    is thrown away. Only an answer that its asker recognises counts; a damaged or foreign frame is
    noted and waiting goes on. After a time-out the line is drained until it is quiet. After all but
    an answer (time-out, refusal, a cancelled asker) the driver's *marker* question is sent before
    the next: on these lines a device answers in order, so once the marker is answered every older
    answer is behind it. It also parts two equal questions, so that an answer that came twice is not
    taken for the second one's. A late marker itself is told from every other answer by its shape
    and passed over. A port that hung up (an adapter that fell off the bus) is opened anew, once a
    try. Devices with addresses share their port and take turns; a dead one costs the others one
    time-out and a drain a question, once it has failed.
Cost
    A failing request takes at most (retries + 1) x (2 x timeout_s + drain_s_max).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from gridrig.devices.capture.recorder import Tap, recorder
from gridrig.devices.drivers.serial_port import SerialPort, join_port, leave_port
from gridrig.devices.links import SerialLink
from gridrig.errors import DriverError

T = TypeVar("T")
REASONS_MAX = 8  # kept for the error's text
LINE_GONE = "driver.line_gone"
PTYS = "/dev/pts/"


@dataclass(frozen=True)
class Unfit:
    """A frame that came while waiting and is not the answer, and why."""

    reason: str


class Decoder(Protocol):
    """Splits a stream into frames; what it drops tells why in `reason`."""

    @property
    def pending(self) -> bool:
        """Whether the beginning of a frame waits for the rest."""

    def feed(self, data: bytes) -> Sequence[object]:
        """Take bytes and return the events they completed."""

    def idle(self) -> Sequence[object]:
        """Give up the frame under way."""


@dataclass(frozen=True, kw_only=True)
class LineTimes:
    """How long a driver waits on its line.

    Parameters
    ----------
    timeout_s : float
        From a request to the end of its answer. [s]
    retries : int
        Further tries after the first.
    gap_s : float
        Silence that ends a frame; longer than any pause an adapter makes inside one. [s]
    quiet_s : float
        Silence after which a line counts as drained. [s]
    drain_s_max : float
        Longest drain after a time-out. [s]
    """

    timeout_s: float = 1.0
    retries: int = 2
    gap_s: float = 0.1
    quiet_s: float = 0.2
    drain_s_max: float = 2.0

    def __post_init__(self) -> None:
        """Refuse waits that cannot work."""
        sane = 0 < self.gap_s < self.timeout_s and 0 < self.quiet_s <= self.drain_s_max
        if not sane or not 0 <= self.retries <= 10:
            raise DriverError(
                "device.parameter",
                "waits {found} must have 0 < gap_s < timeout_s, 0 < quiet_s <= drain_s_max and "
                "0 <= retries <= 10",
                kind="limit",
                found=self,
            )


class SerialLine:
    """The host's end of a serial line, as the driver of one device sees it.

    Parameters
    ----------
    name : str
        Device name, for errors.
    link : SerialLink
        Path, speed, and the address that lets devices share the path.
    times : LineTimes
        Waits and tries.
    new_decoder : callable
        Makes the decoder of the device's frames.
    protocol : str
        What a capture calls what is spoken here.
    """

    def __init__(
        self,
        name: str,
        link: SerialLink,
        times: LineTimes,
        new_decoder: Callable[[], Decoder],
        protocol: str = "serial",
    ) -> None:
        self._name = name
        self._link = link
        self._times = times
        self._new_decoder = new_decoder
        self._protocol = protocol
        self._tap: Tap | None = None
        self._port: SerialPort | None = None
        self._opening = 0
        self._doubtful = False
        self._last = b""

    async def open(self) -> None:
        """Open the port; opening an open line is allowed."""
        if self._port is None:
            self._port = join_port(self._link, self)
        try:
            await self._port.open()
        except BaseException:
            await self.close()
            raise
        tape = recorder()
        self._tap = None if tape is None else tape.tap(self._name, self._protocol)
        self._doubtful = True  # who spoke before us is unknown

    async def close(self) -> None:
        """Let go of the port; closing twice is allowed."""
        port, self._port = self._port, None
        if port is not None:
            await leave_port(port, self)

    async def ask(
        self,
        request: bytes,
        accept: Callable[[object], T | Unfit],
        mark: Callable[[], Awaitable[object]],
    ) -> T:
        """Send a request and return its answer.

        Parameters
        ----------
        request : bytes
            The frame.
        accept : callable
            Takes a decoder's event; returns the answer, or `Unfit`. It may raise `DriverError` of
            kind "refused", which ends the request: the device did answer.
        mark : callable
            Asks the marker question by `ask_once`.

        Raises
        ------
        DriverError
            Kind "timeout" if nothing came, "framing" if only what is no answer came,
            "unavailable" if the port is closed or hung up.
        """
        port = self._port
        if port is None:
            raise self._gone()
        async with port.lock:
            # Who failed last time gets one try while others wait for the same line.
            patient = self not in port.failing or len(port.members) == 1
            for left in range(self._times.retries if patient else 0, -1, -1):
                try:
                    if not port.usable and self._comes_back:
                        await port.open()
                    again = request == self._last or self._opening != port.openings
                    if self._doubtful or again:
                        self._opening = port.openings
                        await mark()
                    # In doubt until the answer is here: the asker may be cancelled meanwhile.
                    self._doubtful = True
                    self._last = request
                    answer = await self.ask_once(request, accept)
                    self._doubtful = False
                    port.failing.discard(self)
                    return answer
                except DriverError as error:
                    if error.kind not in {"timeout", "framing"} and error.code != LINE_GONE:
                        raise
                    await self._drain(port)
                    if not left:
                        port.failing.add(self)
                        raise
            raise AssertionError("a last try returns or raises")

    async def ask_once(self, request: bytes, accept: Callable[[object], T | Unfit]) -> T:
        """Send a request once and return its answer; the line must be held by `ask`."""
        port = self._port
        if port is None or not port.usable:
            raise self._gone()
        loop = asyncio.get_running_loop()
        decoder = self._new_decoder()
        unfit: list[str] = []
        deadline_s = loop.time() + self._times.timeout_s
        port.write(request, self._tap)
        while True:
            wait_s = deadline_s - loop.time()
            if wait_s <= 0:
                raise self._no_answer(request, unfit)
            if decoder.pending:
                wait_s = min(wait_s, self._times.gap_s)
            heard = await port.heard(wait_s)
            for event in decoder.feed(port.taken()) if heard else decoder.idle():
                answer = accept(event)
                if not isinstance(answer, Unfit):
                    return answer
                if len(unfit) < REASONS_MAX:
                    unfit.append(answer.reason)
            if port.at_end:
                raise self._gone()

    @property
    def _comes_back(self) -> bool:
        """Whether a lost port can come back: a pty's name goes to whoever asks next."""
        return not self._link.path.startswith(PTYS)

    async def _drain(self, port: SerialPort) -> None:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._times.drain_s_max
        while port.usable and loop.time() < deadline_s:
            port.forget()
            if not await port.heard(self._times.quiet_s):
                return

    def _gone(self) -> DriverError:
        return DriverError(
            LINE_GONE,
            "{device}: {path} is closed or hung up",
            kind="unavailable",
            device=self._name,
            path=self._link.path,
        )

    def _no_answer(self, request: bytes, unfit: list[str]) -> DriverError:
        facts = {
            "device": self._name,
            "request": request.hex(" "),
            "timeout_s": self._times.timeout_s,
        }
        if unfit:
            return DriverError(
                "driver.framing",
                "{device}: no answer to {request} within {timeout_s} s, only: {unfit}",
                kind="framing",
                unfit="; ".join(unfit),
                **facts,
            )
        return DriverError(
            "driver.timeout",
            "{device}: no answer to {request} within {timeout_s} s",
            kind="timeout",
            **facts,
        )
