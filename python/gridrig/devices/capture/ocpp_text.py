"""What an EV charger and its management system say, as text, a line a message.

A capture holds OCPP's messages as they are, one JSON array behind the other. What a proxy hears is
the websocket around them: its opening and its frames are taken off, and control frames named.

Limits: a message of more than 256 KiB ends a direction's text, and is told.

References
----------
.. [1] Open Charge Alliance, "OCPP-J 1.6 Specification," clause 4 (RPC framework).
.. [2] I. Fette and A. Melnikov, "The WebSocket Protocol," RFC 6455, clause 5.
"""

import json
from collections.abc import Generator
from typing import Any

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.streams import StreamReader

from gridrig.devices.capture.reader import Piece
from gridrig.devices.capture.recorder import Way

MESSAGE_BYTES_MAX = 256 * 1024
HTTP_BYTES_MAX = 16 * 1024


class OcppText:
    """Shows OCPP 1.6 and 2.0.1 over JSON."""

    def __init__(self) -> None:
        # Number and action of each side's last call: a side has one open at most, and both sides
        # may use the same numbers.
        self._asked: dict[Way, tuple[str, str]] = {}
        self._ways: dict[Way, _Direction] = {"out": _Direction(), "in": _Direction()}

    def feed(self, piece: Piece) -> list[str]:
        """Return the messages that are whole now."""
        return [self._told(item, piece.way) for item in self._ways[piece.way].feed(piece.data)]

    def end(self) -> list[str]:
        """Return what never became whole."""
        rests = (one.rest for one in self._ways.values())
        return [f"without an end: {rest!r}" for rest in rests if rest]

    def _told(self, item: Any, way: Way) -> str:
        if isinstance(item, str):
            return item
        asker: Way = "in" if way == "out" else "out"
        match item:
            case [2, str(number), str(action), payload]:
                self._asked[way] = (number, action)
                return f"call {action} {_json(payload)}"
            case [3, str(number), payload]:
                return f"result of {self._action(asker, number)} {_json(payload)}"
            case [4, str(number), code, said, details]:
                action = self._action(asker, number)
                return f"error of {action}: {code}, {said!r} {_json(details)}"
        return f"no OCPP message: {_json(item)}"

    def _action(self, asker: Way, number: str) -> str:
        asked, action = self._asked.get(asker, ("", ""))
        return action if asked == number else f"call {number}"


class _Direction:
    """What one side sends: messages (parsed JSON), and lines about what is none."""

    def __init__(self) -> None:
        self._reader = StreamReader()
        self._found: list[Any] = []
        self._websocket: Generator[None, None, None] | None = None

    def feed(self, data: bytes) -> list[Any]:
        """Take bytes and return what they completed."""
        if self._websocket is None and data.startswith((b"GET ", b"HTTP/")):
            self._websocket = self._parse()
        if self._websocket is None:
            self._messages(data)
        else:
            self._reader.feed_data(data)
            next(self._websocket)
        found, self._found = self._found, []
        return found

    @property
    def rest(self) -> bytes:
        """What waits for its end."""
        return bytes(self._reader.buffer)

    def _messages(self, data: bytes) -> None:
        text = data.decode("utf-8", "backslashreplace")
        while text:
            try:
                message, at = json.JSONDecoder().raw_decode(text)
            except ValueError:
                self._found.append(f"no OCPP message: {text!r}")
                return
            self._found.append(message)
            text = text[at:].lstrip()

    def _parse(self) -> Generator[None, None, None]:
        try:
            masked = yield from self._opening()
            message = b""
            while True:
                frame = yield from Frame.parse(
                    self._reader.read_exact, mask=masked, max_size=MESSAGE_BYTES_MAX
                )
                if frame.opcode not in DATA_OPCODES:
                    self._found.append(f"websocket {Opcode(frame.opcode).name.lower()}")
                    continue
                message += frame.data
                if len(message) > MESSAGE_BYTES_MAX:
                    raise PayloadTooBig(len(message), MESSAGE_BYTES_MAX)
                if frame.fin:
                    self._messages(message)
                    message = b""
        except (ProtocolError, PayloadTooBig, RuntimeError) as error:
            self._found.append(f"not readable from here on: {error}")
        while True:  # nothing behind it can be told apart
            self._reader.discard()
            yield

    def _opening(self) -> Generator[None, None, bool]:
        """Tell the opening of the websocket; return whether this side masks, as clients do."""
        first = yield from self._reader.read_line(HTTP_BYTES_MAX)
        self._found.append(f"websocket: {first.decode('latin-1').strip()}")
        size = len(first)
        while (line := (yield from self._reader.read_line(HTTP_BYTES_MAX))).strip():
            size += len(line)
            if size > HTTP_BYTES_MAX:
                raise RuntimeError(f"an opening of more than {HTTP_BYTES_MAX} bytes")
        return first.startswith(b"GET ")


def _json(payload: Any) -> str:
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
