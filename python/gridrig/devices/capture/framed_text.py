"""Frames of a wire as text: what each protocol's decoder finds, in the direction it passed.

Whoever speaks next ends what the other side left unfinished, and so does a silence of a second.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from gridrig.devices.capture.reader import Piece
from gridrig.devices.capture.recorder import Way

SILENCE_S = 1.0  # a slow line delivers one frame in pieces that are far apart
WAYS: tuple[Way, Way] = ("out", "in")


class FrameDecoder(Protocol):
    """Finds the frames of one direction."""

    def feed(self, data: bytes) -> Sequence[Any]:
        """Take bytes and return what they completed."""

    def idle(self) -> Sequence[Any]:
        """Give up the frame under way."""


class FramedText:
    """Shows the frames of one wire.

    Parameters
    ----------
    decoders : mapping
        The decoder of each direction.
    dropped : type
        What the decoders say of bytes that are no frame; has `reason` and `data`.
    tell : callable
        Turns a frame and its way into text.
    """

    def __init__(
        self,
        decoders: Mapping[Way, FrameDecoder],
        dropped: type[Any],
        tell: Callable[[Any, Way], str],
    ) -> None:
        self._decoders = decoders
        self._dropped = dropped
        self._tell = tell
        self._last: Piece | None = None

    def feed(self, piece: Piece) -> list[str]:
        """Return the frames that are whole now."""
        told: list[str] = []
        last, self._last = self._last, piece
        if last is not None and (last.way != piece.way or piece.t_s - last.t_s > SILENCE_S):
            told += self._lines(self._decoders[last.way].idle(), last.way)
        return told + self._lines(self._decoders[piece.way].feed(piece.data), piece.way)

    def end(self) -> list[str]:
        """Return what never became whole."""
        return [line for way in WAYS for line in self._lines(self._decoders[way].idle(), way)]

    def _lines(self, events: Sequence[Any], way: Way) -> list[str]:
        lines: list[str] = []
        reason, noise = "", b""
        for event in events:
            if isinstance(event, self._dropped):
                # A decoder drops a false start alone and what follows it as noise: one line.
                reason, noise = reason or event.reason, noise + event.data
                continue
            lines += _noise(reason, noise)
            reason, noise = "", b""
            lines.append(self._tell(event, way))
        return lines + _noise(reason, noise)


def _noise(reason: str, data: bytes) -> list[str]:
    return [f"noise ({reason}): {data.hex(' ')}"] if data else []
