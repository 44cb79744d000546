"""Questions and commands to a SCPI instrument, so that no answer is ever taken for another's.

Rules
    SCPI answers carry no sign of what was asked. So every message begins and ends with the event
    enable mask set to a number of its own and read back, with the error queue last:

        *ESE 37;*ESE?;:VOLT?;*ESE?;:SYST:ERR?        ->  37;2.30E+02;37;0,"No error"

    An answer counts only if it has the message's number at both ends and as many fields as were
    asked for. Late, doubled, cut and foreign answers have not. The mask has no other use: service
    requests stay disabled. The answers' fields of one message come in one response message, which
    IEEE 488.2 demands.
    A serial line has no checksum, so there each question stands twice in its message and both
    answers must be the same; what may change between them must be latched first.
    After a failed try a socket is opened anew; a serial line is drained until it is quiet.
Limits
    A response has at most `RESPONSE_BYTES_MAX` bytes. A failing call takes at most (retries + 1) x
    (2 x timeout_s + quiet_s), with `open_s` for each socket that does not open.

References
----------
.. [1] IEEE, "IEEE Std 488.2-1992," 8.4 (response message), 10.12 and 11.5.1 (event enable).
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gridrig.clock import ptys
from gridrig.devices.capture.recorder import Tap, recorder
from gridrig.devices.links import SerialLink, SocketLink
from gridrig.devices.wire.scpi_messages import (
    RESPONSE_BYTES_MAX,
    Dropped,
    MessageDecoder,
    parse_response,
)
from gridrig.devices.wire.scpi_status import QUEUE_MAX
from gridrig.errors import DriverError

READ_BYTES = 65536
BITS_PER_CHARACTER = 10
NUMBERS = 254  # 1 to 254; 0 and 255 are what an instrument or another client may have left
REASONS_MAX = 8
PTYS = "/dev/pts/"
TRIED_AGAIN = frozenset({"timeout", "framing", "unavailable"})


@dataclass(frozen=True, kw_only=True)
class ScpiTimes:
    """How long a driver waits on its instrument.

    Parameters
    ----------
    timeout_s : float
        From a message to the end of its answer. [s]
    retries : int
        Further tries of what may be tried again.
    open_s : float
        To open a socket. [s]
    quiet_s : float
        Silence after which a serial line counts as drained. [s]
    """

    timeout_s: float = 2.0
    retries: int = 2
    open_s: float = 5.0
    quiet_s: float = 0.2

    def __post_init__(self) -> None:
        """Refuse waits that cannot work."""
        sane = 0 < self.timeout_s <= 600 and 0 < self.open_s <= 600
        if not sane or not 0 < self.quiet_s <= self.timeout_s or not 0 <= self.retries <= 10:
            raise DriverError(
                "device.parameter",
                "waits {found} must have 0 < timeout_s and open_s <= 600, "
                "0 < quiet_s <= timeout_s and 0 <= retries <= 10",
                kind="limit",
                found=self,
            )


class _Writer(Protocol):
    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class ScpiLine:
    """The host's end of a wire to one instrument.

    Parameters
    ----------
    name : str
        Device name, for errors.
    link : SocketLink or SerialLink
        Where it is.
    times : ScpiTimes
        Waits and tries.
    """

    def __init__(self, name: str, link: SocketLink | SerialLink, times: ScpiTimes) -> None:
        self._name, self._link, self._times = name, link, times
        self._reader: asyncio.StreamReader | None = None
        self._writer: _Writer | None = None
        self._number = 0
        self._wanted = False
        self._doubtful = False
        self._lock = asyncio.Lock()
        self._tap: Tap | None = None
        self._copies = 2 if isinstance(link, SerialLink) else 1

    async def open(self) -> None:
        """Open the wire and empty the error queue; opening an open one is allowed.

        Raises
        ------
        DriverError
            Kind "unavailable" or "timeout".
        """
        if self._writer is not None:
            return
        self._wanted = True
        tape = recorder()
        link = "socket" if isinstance(self._link, SocketLink) else "serial"
        self._tap = None if tape is None else tape.tap(self._name, "scpi", link=link)
        await self._connect()
        await self.command("*CLS")

    async def close(self) -> None:
        """Close the wire; closing twice is allowed."""
        self._wanted = False
        self._disconnect()

    async def ask(self, *questions: str, expected_bytes: int = 0) -> list[bytes]:
        """Return the answers to questions that one message carries.

        Parameters
        ----------
        *questions : str
            Queries from the root, such as `:VOLT?`.
        expected_bytes : int
            Size of a long answer, to which a serial line is given its time.

        Raises
        ------
        DriverError
            Kind "refused" if the instrument queued an error, "timeout", "framing" if only what is
            no answer came, "unavailable".
        """
        longer_s = 0.0
        if isinstance(self._link, SerialLink):
            longer_s = self._copies * expected_bytes * BITS_PER_CHARACTER / self._link.baudrate
        return await self._exchange(questions, (), again=True, longer_s=longer_s)

    async def command(self, *commands: str, again: bool = True) -> None:
        """Send commands in one message and see that no error was queued.

        Parameters
        ----------
        *commands : str
            From the root, such as `:VOLT 230`.
        again : bool
            Whether they may be sent a second time if the answer does not come.

        Raises
        ------
        DriverError
            As `ask`. After "timeout" it is not known whether the instrument acted.
        """
        await self._exchange((), commands, again=again)

    async def text(self, question: str) -> str:
        """Return one answer as text."""
        (answer,) = await self.ask(question)
        return answer.decode("latin-1")

    async def numbers(self, *questions: str) -> list[float]:
        """Return answers as numbers.

        Raises
        ------
        DriverError
            As `ask`; kind "framing" for an answer that is no number.
        """
        answers = await self.ask(*questions)
        return [self.number_of(q, a) for q, a in zip(questions, answers, strict=True)]

    def number_of(self, question: str, answer: bytes) -> float:
        """Return an answer as a number; 9.91E37, the standard's not-a-number, is none."""
        try:
            value = float(answer)
        except ValueError:
            value = float("nan")
        if not abs(value) < 9.9e37:
            raise self._error(
                "framing",
                "{device}: {question} was answered {answer!r}, no number",
                question=question,
                answer=answer[:40].decode("latin-1"),
            )
        return value

    async def _exchange(
        self,
        questions: Sequence[str],
        commands: Sequence[str],
        *,
        again: bool,
        longer_s: float = 0.0,
    ) -> list[bytes]:
        async with self._lock:
            for left in range(self._times.retries if again else 0, -1, -1):
                try:
                    if self._writer is None:
                        await self._connect()
                    return await self._once(questions, commands, longer_s)
                except DriverError as error:
                    if error.kind not in TRIED_AGAIN:
                        raise
                    if self._gone_for_good or not left:
                        raise
            raise AssertionError("a last try returns or raises")

    async def _once(
        self, questions: Sequence[str], commands: Sequence[str], longer_s: float
    ) -> list[bytes]:
        if self._doubtful and isinstance(self._link, SerialLink):
            await self._drain()
        self._doubtful = True  # until the answer is here: the asker may be cancelled meanwhile
        units = [*commands, *(q for q in questions for _ in range(self._copies))]
        answers = await self._answers(units, longer_s)
        if len(answers) < 3 or answers[-2] != answers[0]:
            cause = (await self._answers([]))[-1]
            if cause.split(b",")[0] not in (b"0", b"+0"):
                self._doubtful = False
                raise await self._refused(cause, [*commands, *questions])
            raise self._no_answer([b";".join(answers).decode("latin-1")], [*commands, *questions])
        if answers[-1].split(b",")[0] not in (b"0", b"+0"):
            self._doubtful = False
            raise await self._refused(answers[-1], [*commands, *questions])
        if len(answers) != 3 + self._copies * len(questions):
            raise self._no_answer([f"{len(answers)} fields"], [*commands, *questions])
        self._doubtful = False
        found = answers[1:-2]
        pairs = [found[k : k + self._copies] for k in range(0, len(found), self._copies)]
        for question, same in zip(questions, pairs, strict=True):
            if same[0] != same[-1]:
                raise self._no_answer([f"{same[0]!r} and {same[-1]!r}"], [question])
        return [same[0] for same in pairs]

    async def _answers(self, units: Sequence[str], longer_s: float = 0.0) -> list[bytes]:
        """Send one numbered message; return its answer's fields, numbers and error included.

        A message that the instrument does not understand ends there: its answer then has the first
        number only.
        """
        self._number = self._number % NUMBERS + 1
        number = str(self._number)
        parts = [f"*ESE {number}", "*ESE?", *units, "*ESE?", ":SYST:ERR?"]
        message = ";".join(parts).encode("latin-1") + b"\n"
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._times.timeout_s + longer_s
        reader, writer = self._reader, self._writer
        assert reader is not None, "only a connected line is asked"
        assert writer is not None, "only a connected line is asked"
        decoder = MessageDecoder(RESPONSE_BYTES_MAX)
        unfit: list[str] = []
        try:
            if self._tap is not None:
                self._tap("out", message)
            writer.write(message)
            while True:
                async with asyncio.timeout_at(deadline_s):
                    data = await self._heard(reader)
                if not data:
                    raise ConnectionResetError("closed by the instrument")
                for event in decoder.feed(data):
                    if isinstance(event, Dropped):
                        unfit.append(event.reason)
                        continue
                    fields = parse_response(event.data)
                    if fields[0] == number.encode():
                        return fields
                    unfit.append(event.data[:40].decode("latin-1"))
        except TimeoutError:
            self._lost()
            raise self._no_answer(unfit, units) from None
        except DriverError:  # the port hung up before
            self._lost()
            raise
        except OSError as error:
            self._lost()
            raise self._error("unavailable", "{device}: {cause}", cause=str(error)) from error

    async def _refused(self, first: bytes, units: Sequence[str]) -> DriverError:
        errors = [first.decode("latin-1")]
        for _ in range(QUEUE_MAX):
            more = (await self._answers([]))[-1].decode("latin-1")
            if more.split(",")[0] in ("0", "+0"):
                break
            errors.append(more)
        return self._error(
            "refused",
            "{device}: {request} was refused: {found}",
            request="; ".join(units),
            found="; ".join(errors),
            number=_error_number(errors[0]),
        )

    async def _connect(self) -> None:
        if not self._wanted:
            raise self._error("unavailable", "{device} is closed")
        link = self._link
        if isinstance(link, SerialLink):
            self._reader, self._writer = await ptys.open_serial(link.path, link.baudrate)
            self._doubtful = True  # who spoke before us is unknown
            return
        try:
            async with asyncio.timeout(self._times.open_s):
                self._reader, self._writer = await asyncio.open_connection(
                    link.host, link.port, limit=READ_BYTES
                )
        except (OSError, TimeoutError) as error:
            raise self._error(
                "unavailable",
                "{device}: {host}:{port} does not open: {cause}",
                host=link.host,
                port=link.port,
                cause=str(error) or "no answer in time",
            ) from error

    def _lost(self) -> None:
        """Forget a socket that failed: what is still on it can never reach the next question.

        A serial port is forgotten if it hung up, so that it is opened anew.
        """
        if isinstance(self._link, SocketLink) or (self._hung_up and not self._gone_for_good):
            self._disconnect()

    def _disconnect(self) -> None:
        writer, self._writer, self._reader = self._writer, None, None
        if writer is not None:
            writer.close()

    @property
    def _gone_for_good(self) -> bool:
        """Whether the port is lost and must not be opened anew: a pty's name goes to the next."""
        link = self._link
        return isinstance(link, SerialLink) and self._hung_up and link.path.startswith(PTYS)

    @property
    def _hung_up(self) -> bool:
        return self._reader is not None and self._reader.at_eof()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._times.timeout_s
        assert self._reader is not None, "only a connected line is drained"
        with contextlib.suppress(TimeoutError):
            while loop.time() < deadline_s:
                async with asyncio.timeout(self._times.quiet_s):
                    if not await self._heard(self._reader):
                        return

    async def _heard(self, reader: asyncio.StreamReader) -> bytes:
        data = await reader.read(READ_BYTES)
        if self._tap is not None and data:
            self._tap("in", data)
        return data

    def _no_answer(self, unfit: Sequence[str], units: Sequence[str]) -> DriverError:
        request = "; ".join(units)
        if unfit:
            return self._error(
                "framing",
                "{device}: no answer to {request} within {timeout_s} s, only: {unfit}",
                request=request,
                timeout_s=self._times.timeout_s,
                unfit="; ".join(unfit[:REASONS_MAX]),
            )
        return self._error(
            "timeout",
            "{device}: no answer to {request} within {timeout_s} s",
            request=request,
            timeout_s=self._times.timeout_s,
        )

    def _error(self, kind: str, message: str, **facts: object) -> DriverError:
        return DriverError(f"driver.{kind}", message, kind=kind, device=self._name, **facts)  # type: ignore[arg-type]


def _error_number(text: str) -> int:
    number = text.partition(",")[0]
    return int(number) if number.lstrip("+-").isdigit() else 0
