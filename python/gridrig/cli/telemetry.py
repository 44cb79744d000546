"""The command that collects what boxes beside meters tell."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import AddCommand, whole


def add_to(command: AddCommand) -> None:
    """Add it to the command line."""
    collect = command(
        "telemetry",
        "collect what boxes of Glow's and of Arkreen's kind tell, until interrupted",
        "examples:\n  gridrig telemetry boxes.toml\n"
        "  gridrig telemetry boxes.toml --host 192.0.2.7 --udp 35030 --tcp 35031 --rpc 35032\n"
        "The trust file names each box, as for gridrig readings; see docs/telemetry.md.",
    )
    collect.add_argument("keys", type=Path, metavar="TRUST", help="the trust file of the boxes")
    collect.add_argument("--host", default="127.0.0.1", help="where to listen")
    for port, what in (
        ("udp", "reports of slots"),
        ("tcp", "questions of what arrived"),
        ("rpc", "hourly samples"),
    ):
        collect.add_argument(
            f"--{port}", type=whole(0, 65_535), default=0, help=f"port of {what}; 0: any free one"
        )
    collect.add_argument(
        "--server-key", type=Path, default=Path("telemetry-key.pem"), metavar="FILE",
        help="the collector's own key, made at first use",
    )  # fmt: skip
    collect.set_defaults(act=_collect)


def _collect(args: argparse.Namespace) -> int:
    from gridrig.telemetry.command import telemetry_command

    return telemetry_command(
        args.keys, args.server_key, host=args.host, udp=args.udp, tcp=args.tcp, rpc=args.rpc
    )
