"""The command line: arguments in, exit code out; the work is done elsewhere.

A file of this package holds the commands of one topic: what they are called with, and which
function of another room does the work, imported only when it is asked for.
"""

import argparse
import sys
from collections.abc import Callable, Sequence

from gridrig.cli import (
    anchors,
    benches,
    bridges,
    certify,
    claims,
    consents,
    cores,
    facts,
    feeders,
    grid_orders,
    holders,
    jobs,
    keys,
    ledgers,
    minds,
    promises,
    reliefs,
    restoring,
    runs,
    sweeps,
    telemetry,
    vaults,
    wires,
)
from gridrig.errors import GridrigError

USAGE_ERROR = 2
ERROR = 4
ABORTED = 5


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gridrig",
        description="Hardware-in-the-loop testbed for decentralised energy.",
        epilog="Begin with: gridrig demo",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, epilog: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    topics = (
        runs,
        sweeps,
        benches,
        restoring,
        certify,
        wires,
        keys,
        ledgers,
        claims,
        anchors,
        cores,
        feeders,
        grid_orders,
        jobs,
        minds,
        promises,
        telemetry,
        bridges,
        holders,
        consents,
        vaults,
        facts,
        reliefs,
    )
    for topic in topics:
        topic.add_to(command)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if rest and args.command != "test":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    args.rest = rest
    act: Callable[[argparse.Namespace], int] = args.act
    try:
        return act(args)
    except GridrigError as error:
        print(f"gridrig {args.command}: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print(f"gridrig {args.command}: interrupted", file=sys.stderr)
        return ABORTED
    except BrokenPipeError:
        return 0
    except OSError as error:  # a full disk, a folder that nobody may write
        print(f"gridrig {args.command}: {error}", file=sys.stderr)
        return ERROR
