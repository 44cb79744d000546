"""What a disk may hold after the power failed: a recorded run, cut off anywhere.

`write_recorder.c` records a process; `states` replays the record into every state that a disk may
be in afterwards. What was synced is there. What was not yet may be there, may be lost, or may be
there in part, down to single sectors; the last write may be torn.
"""

import random
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SECTOR = 512
APPENDED = 2**64 - 1
_FRAME = struct.Struct("=cHQQ")


@dataclass(frozen=True)
class Step:
    """One call: W write, T truncate, S sync, U unlink, A acknowledge."""

    kind: str
    path: Path
    offset: int
    data: bytes


def build_recorder(folder: Path) -> Path:
    library = folder / "write_recorder.so"
    source = HERE / "write_recorder.c"
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return library


def read_record(log: Path) -> list[Step]:
    record, at, steps = log.read_bytes(), 0, []
    while at < len(record):
        kind, path_length, offset, length = _FRAME.unpack_from(record, at)
        at += _FRAME.size
        path = Path(record[at : at + path_length].decode())
        at += path_length
        length = length if kind in b"WA" else 0
        steps.append(Step(kind.decode(), path, offset, record[at : at + length]))
        at += length
    return steps


class Disk:
    """Files as the process sees them, and as they are certain to be on the disk."""

    def __init__(self) -> None:
        self.seen: dict[Path, bytearray] = {}
        self.certain: dict[Path, bytes] = {}
        self.pending: dict[Path, list[Step]] = {}

    def apply(self, step: Step) -> None:
        path = step.path
        match step.kind:
            case "S" if path in self.seen:
                self.certain[path] = bytes(self.seen[path])
                self.pending[path] = []
            case "S":  # of a folder: what was removed in it is gone for certain
                for gone in self.certain.keys() - self.seen.keys():
                    if gone.parent == path:
                        del self.certain[gone]
            case "U":
                del self.seen[path]
            case "W" | "T":
                change(self.seen.setdefault(path, bytearray()), step)
                self.pending.setdefault(path, []).append(step)

    def all_kept(self, last: Step | None = None, *, torn_at: int = 0) -> dict[Path, bytes]:
        """Every write arrived, the last one only up to a byte."""
        files = {path: bytearray(held) for path, held in self.seen.items()}
        if last is not None and last.kind == "W":
            torn = Step("W", last.path, last.offset, last.data[:torn_at])
            change(files.setdefault(last.path, bytearray()), torn)
        return {path: bytes(held) for path, held in files.items()}

    def only_certain(self) -> dict[Path, bytes]:
        """Nothing arrived but what was synced; what was removed is still there."""
        return dict(self.certain)

    def scattered(self, draw: random.Random) -> dict[Path, bytes]:
        """Of what was not synced, some sectors arrived and some did not."""
        files = {}
        for path in self.seen:
            held = bytearray(self.certain.get(path, b""))
            for step in self.pending.get(path, []):
                if step.kind == "T" and draw.random() < 0.5:
                    change(held, step)
                for at in range(0, len(step.data), SECTOR):
                    if draw.random() < 0.5:
                        part = step.data[at : at + SECTOR]
                        change(held, Step("W", path, step.offset + at, part))
            files[path] = bytes(held)
        return files


def change(held: bytearray, step: Step) -> None:
    if step.kind == "T":
        del held[step.offset :]
        held.extend(bytes(step.offset - len(held)))
        return
    offset = len(held) if step.offset == APPENDED else step.offset
    held.extend(bytes(max(0, offset - len(held))))
    held[offset : offset + len(step.data)] = step.data


def states(
    steps: list[Step], seed: int, *, first_after: int = 0
) -> Iterator[tuple[str, int, dict[Path, bytes]]]:
    """Yield what is lost, how much was acknowledged, and the files, for every place to stop.

    `first_after` leaves out the places before so many acknowledgements.
    """
    disk, acknowledged, draw = Disk(), 0, random.Random(seed)
    for place, step in enumerate(steps):
        if step.kind == "A":
            acknowledged += 1
        elif not step.path.name.endswith("-shm"):  # shared memory: rebuilt, never relied on
            if acknowledged >= first_after and step.kind == "W":
                for torn_at in {len(step.data) // 2, len(step.data) - 1} - {0}:
                    files = disk.all_kept(step, torn_at=torn_at)
                    yield f"{place}: torn at {torn_at}", acknowledged, files
            disk.apply(step)
        if acknowledged >= first_after:
            yield f"{place}: nothing lost", acknowledged, disk.all_kept()
            yield f"{place}: all that was not synced", acknowledged, disk.only_certain()
            yield f"{place}: sectors that were not synced", acknowledged, disk.scattered(draw)
