"""Commands about what passes on wires: faults, captures, replay."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import AddCommand, whole


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    sniff = command(
        "sniff",
        "show what passed on the wires of a capture, or passes now, decoded",
        "examples:\n  gridrig run sunny-then-storm --rig emulated-street --capture --out runs/c\n"
        "  gridrig sniff runs/c --wire pv-1\n"
        "  gridrig sniff runs/c/capture.jsonl --raw\n"
        "  gridrig sniff runs/c --pcapng c.pcapng     (for Wireshark)\n"
        "  gridrig sniff --tcp 192.0.2.17:502      (prints where to point the client)\n"
        "  gridrig sniff --serial /dev/ttyUSB0 --baudrate 19200",
    )
    sniffed = sniff.add_mutually_exclusive_group(required=True)
    sniffed.add_argument(
        "path", type=Path, nargs="?", metavar="CAPTURE", help="capture file or run directory"
    )
    sniffed.add_argument("--tcp", type=_address, metavar="HOST:PORT", help="stand before it")
    sniffed.add_argument("--serial", metavar="PATH", help="stand before this serial port")
    sniff.add_argument("--baudrate", type=whole(300, 4_000_000), default=9600)
    sniff.add_argument("--kind", help="what is spoken, with --tcp or --serial; default: Modbus")
    sniff.add_argument("--wire", metavar="NAME", help="only this wire")
    sniff.add_argument("--raw", action="store_true", help="bytes, not what they mean")
    sniff.add_argument("--pcapng", type=Path, metavar="FILE", help="write it for Wireshark instead")
    sniff.set_defaults(act=_sniff)

    replay = command(
        "replay",
        "serve a captured device again until interrupted",
        "examples:\n  gridrig replay runs/c --wire pv-1\n"
        "  gridrig replay capture.jsonl --wire battery-3 --baudrate 9600",
    )
    replay.add_argument("path", type=Path, metavar="CAPTURE", help="capture file or run directory")
    replay.add_argument("--wire", metavar="NAME", required=True)
    replay.add_argument("--host", default="127.0.0.1", help="where a TCP wire listens")
    replay.add_argument("--port", type=whole(0, 65_535), default=0, help="0: any free one")
    replay.add_argument("--baudrate", type=whole(300, 4_000_000), default=9600)
    replay.set_defaults(act=_replay)

    faults = command(
        "faults",
        "print the faults that emulated devices can show, with an example of each",
        "examples:\n  gridrig faults\n  gridrig faults --markdown > docs/faults.md",
    )
    faults.add_argument("--markdown", action="store_true", help="as the page of the documentation")
    faults.add_argument("--json", action="store_true", help="as JSON")
    faults.set_defaults(act=_faults)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected HOST:PORT")
    return host, int(port)


def _sniff(args: argparse.Namespace) -> int:
    from gridrig.campaign.captures import listen_command, sniff_command

    if args.path is not None:
        return sniff_command(args.path, wire=args.wire, raw=args.raw, pcapng=args.pcapng)
    return listen_command(
        tcp=args.tcp, serial=args.serial, baudrate=args.baudrate, kind=args.kind, raw=args.raw
    )


def _replay(args: argparse.Namespace) -> int:
    from gridrig.campaign.captures import replay_command

    return replay_command(
        args.path, wire=args.wire, host=args.host, port=args.port, baudrate=args.baudrate
    )


def _faults(args: argparse.Namespace) -> int:
    from gridrig.campaign.faults_page import faults_command

    return faults_command(markdown=args.markdown, as_json=args.json)
