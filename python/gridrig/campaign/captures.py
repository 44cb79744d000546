"""`gridrig sniff` and `gridrig replay`: a capture shown, and served again."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path

from gridrig.campaign.records import CAPTURE
from gridrig.devices.capture.decoders import lines_of
from gridrig.devices.capture.reader import read_capture
from gridrig.devices.capture.replay import Replay


def _file_of(path: Path) -> Path:
    return path / CAPTURE if path.is_dir() else path


def sniff_command(path: Path, *, wire: str | None, raw: bool) -> int:
    """Print a capture, one line a frame.

    Raises
    ------
    DriverError
        `capture.unreadable`, `capture.line` or `capture.wire_unknown`.
    """
    for line in lines_of(read_capture(_file_of(path)), wire, raw=raw):
        print(line)
    return 0


def replay_command(path: Path, *, wire: str, host: str, port: int, baudrate: int) -> int:
    """Serve a captured wire until interrupted; print where, as one JSON line.

    Raises
    ------
    DriverError
        As `sniff_command`, or `capture.nothing_to_replay`, `emulator.port_busy`.
    """
    replay = Replay(
        read_capture(_file_of(path)),
        wire,
        host=host,
        port=port,
        baudrate=baudrate,
        on_unknown=lambda asked: print(f"never asked: {asked}", file=sys.stderr, flush=True),
    )

    async def serve() -> None:
        where = await replay.start()
        row = {"wire": wire, "kind": replay.kind, "at": where, "exchanges": replay.exchanges}
        print(json.dumps(row), flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            await replay.stop()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
    return 0
