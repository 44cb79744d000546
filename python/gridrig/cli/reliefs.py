"""Commands on what of a market stayed local."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import AddCommand


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    relief = command(
        "relief",
        "show what of the metered trades stayed within its zone, and what is financial only",
        "examples:\n  gridrig relief runs/seven\n"
        "  gridrig relief journal.sqlite --network zones.toml --out matches.csv",
    )
    relief.add_argument("path", type=Path, metavar="RUN_OR_JOURNAL")
    relief.add_argument(
        "--network",
        type=Path,
        metavar="FILE",
        help="zones and who is in them; default: those of the run's rig",
    )
    relief.add_argument("--out", type=Path, metavar="FILE", help="who delivered to whom, as CSV")
    relief.add_argument("--json", action="store_true")
    relief.set_defaults(act=_relief)


def _relief(args: argparse.Namespace) -> int:
    from gridrig.campaign.relief_command import relief_command

    return relief_command(args.path, args.network, out=args.out, as_json=args.json)
