"""`gridrig sniff` and `gridrig replay`: what passes or passed is shown, and served again."""

import asyncio
import json
import sys
from pathlib import Path

from gridrig.campaign.records import CAPTURE
from gridrig.campaign.stopping import stop_asked
from gridrig.clock import Clock, run_wall
from gridrig.devices.capture.decoders import DECODERS, LiveText, lines_of
from gridrig.devices.capture.pcapng import write_pcapng
from gridrig.devices.capture.proxy import SerialProxy, TcpProxy
from gridrig.devices.capture.reader import read_capture
from gridrig.devices.capture.recorder import Way
from gridrig.devices.capture.replay import Replay
from gridrig.errors import DriverError
from gridrig.suggestions import near_miss, one_of


def _file_of(path: Path) -> Path:
    return path / CAPTURE if path.is_dir() else path


def sniff_command(path: Path, *, wire: str | None, raw: bool, pcapng: Path | None = None) -> int:
    """Print a capture, one line a frame, or write it as pcapng.

    Raises
    ------
    DriverError
        `capture.unreadable`, `capture.line`, `capture.wire_unknown` or `capture.unwritable`.
    """
    if pcapng is not None:
        packets = write_pcapng(read_capture(_file_of(path)), pcapng, wire)
        print(f"{packets} packets in {pcapng}")
        return 0
    for line in lines_of(read_capture(_file_of(path)), wire, raw=raw):
        print(line)
    return 0


def listen_command(
    *, tcp: tuple[str, int] | None, serial: str | None, baudrate: int, kind: str | None, raw: bool
) -> int:
    """Stand between a client and a device, and print what passes, until interrupted.

    Parameters
    ----------
    tcp : (str, int) or None
        Host and port of the device.
    serial : str or None
        Its serial port, if it has no socket.
    baudrate : int
        Speed of that port. [Bd]
    kind : str or None
        What is spoken; None for Modbus.
    raw : bool
        Show the bytes, not what they mean.

    Raises
    ------
    DriverError
        `capture.kind_unknown`, `serial.open`, `capture.proxy_port`.
    """
    spoken = kind or ("modbus-rtu" if serial else "modbus-tcp")
    if spoken not in DECODERS and not raw:
        raise DriverError(
            "capture.kind_unknown",
            "found kind {found!r}, expected {expected} (near miss: {near_miss}), or --raw",
            found=spoken,
            expected=one_of(DECODERS),
            near_miss=near_miss(spoken, DECODERS),
        )

    async def listen(clock: Clock) -> None:
        live = LiveText(spoken, clock.now_s, raw=raw)

        def on_piece(wire: str, way: Way, data: bytes) -> None:
            for line in live.feed(wire, way, data):
                print(line, flush=True)

        def on_trouble(why: str) -> None:
            print(f"gridrig sniff: {why}", file=sys.stderr, flush=True)

        proxy: TcpProxy | SerialProxy
        if tcp:
            proxy = TcpProxy(*tcp, on_piece, on_trouble)
        else:
            proxy = SerialProxy(serial or "", baudrate, on_piece, on_trouble)
        where = await proxy.start()
        print(json.dumps({"connect_to": where, "kind": spoken}), flush=True)
        try:
            await stop_asked().wait()
        finally:
            await proxy.stop()

    run_wall(listen, start_utc_s=0)
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
            await stop_asked().wait()
        finally:
            await replay.stop()

    asyncio.run(serve())
    return 0
