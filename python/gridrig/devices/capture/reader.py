"""A capture file read back: its wires, and what passed on them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridrig.devices.capture.recorder import VERSION, Way
from gridrig.errors import DriverError
from gridrig.suggestions import near_miss, one_of


@dataclass(frozen=True)
class Piece:
    """Bytes that passed at one moment in one direction.

    Parameters
    ----------
    t_s : float
        Since the run began. [s]
    wire : str
        Which wire.
    way : {"out", "in"}
        "out" is from the host to the device.
    data : bytes
        What passed.
    """

    t_s: float
    wire: str
    way: Way
    data: bytes


@dataclass
class Capture:
    """A whole capture file.

    Parameters
    ----------
    facts : dict
        Its first line.
    kinds : dict
        What is spoken on each wire.
    links : dict
        "socket" for a wire that is one though its kind may be spoken on a serial line too.
    pieces : list of Piece
        In file order, which is the order of time.
    full : bool
        Whether recording ended at its bound.
    """

    facts: dict[str, Any]
    kinds: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)
    full: bool = False

    def on(self, wire: str) -> Iterator[Piece]:
        """Return what passed on one wire.

        Raises
        ------
        DriverError
            `capture.wire_unknown`, with the near miss.
        """
        if wire not in self.kinds:
            raise DriverError(
                "capture.wire_unknown",
                "no wire {wire!r} in the capture, expected {expected} (near miss: {near_miss})",
                wire=wire,
                expected=one_of(self.kinds),
                near_miss=near_miss(wire, self.kinds),
            )
        return (piece for piece in self.pieces if piece.wire == wire)


def read_capture(path: Path) -> Capture:
    """Read a capture file; a last line that was cut off is left out.

    Raises
    ------
    DriverError
        `capture.unreadable`, or `capture.line` with the line's number.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DriverError(
            "capture.unreadable", "{path}: {cause}", path=str(path), cause=str(error)
        ) from error
    capture: Capture | None = None
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            if capture is None:
                if row["capture"] != VERSION:
                    raise ValueError(f"version {row['capture']}, expected {VERSION}")
                capture = Capture(row)
            else:
                _take(capture, row)
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines) and capture is not None and not line.endswith("}"):
                break  # a run that was killed
            raise DriverError(
                "capture.line",
                "{path}:{line}: found {found!r:.60}, expected a line of a capture ({cause})",
                path=str(path),
                line=number,
                found=line,
                cause=f"{type(error).__name__}: {error}",
            ) from error
    if capture is None:
        raise DriverError("capture.unreadable", "{path}: it is empty", path=str(path))
    return capture


def _take(capture: Capture, row: dict[str, Any]) -> None:
    if row.get("full"):
        capture.full = True
    elif "kind" in row:
        capture.kinds[row["wire"]] = row["kind"]
        if "link" in row:
            capture.links[row["wire"]] = row["link"]
    else:
        if row["way"] not in ("out", "in"):
            raise ValueError(f"way {row['way']!r}")
        data = bytes.fromhex(row["data"])
        capture.pieces.append(Piece(float(row["t_s"]), str(row["wire"]), row["way"], data))
