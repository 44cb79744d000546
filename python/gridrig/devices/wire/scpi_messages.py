"""Messages of IEEE 488.2: bytes in, program messages or response messages out; no I/O, no clock.

A message ends with LF (a CR before it belongs to it). Inside a definite-length block LF is data; a
string that is not closed ends with it. A program message holds units joined by `;`, each a header
and its parameters; a response message holds fields joined by `;` and `,`.

Limits
    A program message has at most `PROGRAM_BYTES_MAX` bytes and `UNITS_MAX` units, a response
    `RESPONSE_BYTES_MAX`; what is longer is thrown away up to its end and told once.

References
----------
.. [1] IEEE, "IEEE Std 488.2-1992," clauses 7 (listening) and 8 (talking).
"""

import re
from dataclasses import dataclass

from gridrig.devices.wire.scpi_values import BLOCK_BYTES_MAX, ScpiFault, block_size

PROGRAM_BYTES_MAX = 64 * 1024
RESPONSE_BYTES_MAX = BLOCK_BYTES_MAX + 64 * 1024
UNITS_MAX = 64
_HEADER = re.compile(r"(\*[A-Za-z]+|:?[A-Za-z]\w*(?::[A-Za-z]\w*)*)(\??)(?:\s+(.*))?", re.DOTALL)
_QUOTES = b"\"'"


@dataclass(frozen=True)
class Unit:
    """One command or query.

    Parameters
    ----------
    header : str
        As written, such as `:VOLT` or `*IDN`, without the question mark.
    query : bool
        Whether it asks.
    parameters : tuple of str
        Texts between commas; a block's bytes are Latin-1 characters.
    """

    header: str
    query: bool
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Message:
    """The bytes of one message without their terminator."""

    data: bytes


@dataclass(frozen=True)
class Dropped:
    """Bytes that were thrown away, and why: "too long" or "block"."""

    reason: str


class MessageDecoder:
    """Splits a stream into messages; no bytes make it raise.

    Parameters
    ----------
    limit : int
        Longest message. [bytes]
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._at = 0  # scanned so far
        self._quote = 0
        self._block_end = 0
        self._fresh = True  # a block can begin here: only behind a separator
        self._skipping = False

    @property
    def pending(self) -> bytes:
        """The beginning of a message that waits for its end."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> list[Message | Dropped]:
        """Take bytes and return what they completed, in order."""
        self._buffer += data
        events: list[Message | Dropped] = []
        while (event := self._next()) is not None:
            if event is not _SKIPPED:
                events.append(event)
        return events

    def _next(self) -> Message | Dropped | None:
        if self._skipping:
            stop = self._buffer.find(b"\n")
            self._skipping = stop < 0
            self._restart(len(self._buffer) if stop < 0 else stop + 1)
            return None if stop < 0 else _SKIPPED
        try:
            end = self._scan()
        except ScpiFault:
            self._skipping = True
            return Dropped("block")
        if max(len(self._buffer) if end is None else end, self._at) > self._limit:
            # Its end is already here, or is looked for in what follows.
            if end is None:
                self._skipping = True
            else:
                self._restart(end + 1)
            return Dropped("too long")
        if end is None:
            return None
        data = bytes(self._buffer[:end])
        # A block's last byte may look like the CR of a line's end.
        message = Message(data if end == self._block_end else data.removesuffix(b"\r"))
        self._restart(end + 1)
        return message

    def _restart(self, size: int) -> None:
        del self._buffer[:size]
        self._at, self._quote, self._block_end, self._fresh = 0, 0, 0, True

    def _scan(self) -> int | None:
        """Return where the message's LF is, None if it is not here yet."""
        data = self._buffer
        while self._at < len(data):
            byte = data[self._at]
            if self._quote:
                if byte == self._quote:
                    self._quote = 0
                elif byte == 0x0A:  # a string never closed must not swallow the stream
                    return self._at
            elif byte == 0x0A:
                return self._at
            elif byte in _QUOTES:
                self._quote, self._fresh = byte, False
            elif byte == 0x23 and self._fresh and len(data) - self._at > 1:
                if 0x31 <= data[self._at + 1] <= 0x39:
                    size = block_size(bytes(data[self._at : self._at + 11]), 0)
                    if size is None or len(data) - self._at < size:
                        return None
                    self._at += size
                    self._block_end = self._at
                    self._fresh = False
                    continue
                self._fresh = False
            elif byte == 0x23 and self._fresh:
                return None
            else:
                self._fresh = byte in b",; \t"
            self._at += 1
        return None


_SKIPPED = Dropped("skipped")


def split(data: bytes, separator: bytes) -> list[bytes]:
    """Return the parts of a message at a separator that is outside strings, blocks and brackets.

    Raises
    ------
    ScpiFault
        -161 for a block that is none.

    Examples
    --------
    >>> split(b'1;"a;b";#13;;;', b";")
    [b'1', b'"a;b"', b'#13;;;']
    """
    parts, start, at, quote, depth, fresh = [], 0, 0, 0, 0, True
    while at < len(data):
        byte = data[at]
        if quote:
            quote = 0 if byte == quote else quote
        elif byte in _QUOTES:
            quote, fresh = byte, False
        elif byte == 0x23 and fresh and 0x31 <= (data[at + 1] if at + 1 < len(data) else 0) <= 0x39:
            size = block_size(data, at)
            if size is None or at + size > len(data):
                raise ScpiFault(-161, "block is cut short")
            at += size
            fresh = False
            continue
        elif byte in b"()":
            depth += 1 if byte == 0x28 else -1
        elif byte == separator[0] and depth <= 0:
            parts.append(data[start:at])
            start = at + 1
        fresh = byte in b",; \t" and not quote
        at += 1
    parts.append(data[start:])
    return parts


def bare(part: bytes) -> bytes:
    """Return a part without the blanks around it; a block's last bytes may look like blanks.

    >>> bare(b" 12 "), bare(b" #12a ")
    (b'12', b'#12a ')
    """
    part = part.lstrip()
    return part if part.startswith(b"#") else part.rstrip()


def parse_response(data: bytes) -> list[bytes]:
    """Return the fields of a response message; one that cannot be parted is a single field.

    >>> parse_response(b'37;2.3E2; 37')
    [b'37', b'2.3E2', b'37']
    """
    try:
        return [bare(field) for field in split(data, b";")]
    except ScpiFault:
        return [data]


def parse_program(data: bytes) -> list[Unit | ScpiFault]:
    """Return the units of a program message in order; the first fault ends the message.

    Raises
    ------
    nothing
        A fault is the last element: what stood before it has been understood.

    Examples
    --------
    >>> [u.header for u in parse_program(b"VOLT 230;:OUTP ON")]
    ['VOLT', ':OUTP']
    """
    units: list[Unit | ScpiFault] = []
    try:
        parts = split(data, b";")
    except ScpiFault as fault:
        return [fault]
    if len(parts) > UNITS_MAX:
        return [ScpiFault(-223, f"{len(parts)} units, at most {UNITS_MAX}")]
    for part in parts:
        text = part.decode("latin-1").lstrip()
        if not text:
            continue  # an empty unit is allowed
        try:
            units.append(_unit(text))
        except ScpiFault as fault:
            units.append(fault)
            break
    return units


def _unit(text: str) -> Unit:
    found = _HEADER.fullmatch(text)
    if found is None:
        number = -102 if text[0] in ":*" or text[0].isalpha() else -101
        raise ScpiFault(number, text[:40])
    header, mark, rest = found[1], found[2], found[3]
    if any(len(word) > 12 for word in header.lstrip("*:").split(":")):
        raise ScpiFault(-112, text[:40])
    parameters: tuple[str, ...] = ()
    if rest is not None and rest.strip():
        raw = split(rest.encode("latin-1"), b",")
        parameters = tuple(bare(part).decode("latin-1") for part in raw)
        if not all(parameters):
            raise ScpiFault(-104, "an empty parameter")
    return Unit(header, bool(mark), parameters)
