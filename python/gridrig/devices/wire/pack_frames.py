"""What the frames of battery managers share: how one is found, and what is none. Sans-IO."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

F = TypeVar("F")


@dataclass(frozen=True)
class Dropped:
    """Bytes that are no frame, and why; each protocol names its reasons, "noise" among them."""

    reason: str
    data: bytes


@dataclass(frozen=True)
class Malformed:
    """A content whose frame was right and that cannot be meant, and why."""

    reason: str


class StartByteDecoder(ABC, Generic[F]):
    """Finds frames that begin with one byte in a stream; no bytes make it raise.

    A start byte whose frame turns out wrong is dropped alone and the search goes on behind it, so a
    good frame inside a bad one is still found. A false start in noise can claim a whole frame: call
    `idle` when the line has been silent for longer than a pause inside a frame.

    Parameters
    ----------
    start : int
        The byte.
    frame_bytes_max : int
        The longest frame; noise is told in pieces of about as many bytes.
    """

    def __init__(self, start: int, frame_bytes_max: int) -> None:
        self._start = start
        self._frame_bytes_max = frame_bytes_max
        self._buffer = b""
        self._noise = bytearray()

    @abstractmethod
    def _frame_at(self, data: bytes) -> tuple[F | Dropped | None, int]:
        """Return what begins at this start byte, and how many bytes it takes.

        Without an event the bytes are noise, or, if they are none, the frame is not whole yet.
        """

    @property
    def pending(self) -> bool:
        """Whether the beginning of a frame waits for the rest."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[F | Dropped]:
        """Take bytes and return what they completed, in order."""
        self._buffer += data
        return self._scan()

    def idle(self) -> list[F | Dropped]:
        """Give up the frame under way, because silence ends a frame; rescan what is behind it."""
        events: list[F | Dropped] = []
        while self._buffer:
            events.append(Dropped("truncated", self._buffer[:1]))
            self._buffer = self._buffer[1:]
            events += self._scan()
        return events

    def _scan(self) -> list[F | Dropped]:
        events: list[F | Dropped] = []
        data, at = self._buffer, 0
        while at < len(data):
            if data[at] != self._start:
                start = data.find(self._start, at)
                start = len(data) if start < 0 else start
                self._noise += data[at:start]
                at = start
                if len(self._noise) >= self._frame_bytes_max:
                    self._end_noise(events)
                continue
            event, size = self._frame_at(data[at : at + self._frame_bytes_max])
            if event is not None:
                self._end_noise(events)
                events.append(event)
            elif size:
                self._noise += data[at : at + size]
            else:
                break
            at += size
        self._end_noise(events)
        self._buffer = data[at:]
        return events

    def _end_noise(self, events: list[F | Dropped]) -> None:
        if self._noise:
            events.append(Dropped("noise", bytes(self._noise)))
            self._noise.clear()
