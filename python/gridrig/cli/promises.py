"""The command that proves the field's promises, row by row."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import AddCommand


def add_to(command: AddCommand) -> None:
    """Add this command to the command line."""
    promises = command(
        "promises",
        "run the campaigns that prove the field's promises and print the table",
        "examples:\n  gridrig promises --list          # every row, nothing is run\n"
        "  gridrig promises                 # all campaigns: some minutes\n"
        "  gridrig promises 6 M30           # one campaign, and the campaign of one row\n"
        "  gridrig promises 6 --mutants     # and the liars that it must find\n"
        "  gridrig promises --report pages  # pages/index.html, for people\n"
        "A row that nothing proves is printed as NOT PROVEN and makes the exit code 3.",
    )
    promises.add_argument(
        "chosen", nargs="*", metavar="CAMPAIGN|ROW", help="1 to 10, or M1, N6, ...; default: all"
    )
    runs = promises.add_mutually_exclusive_group()
    runs.add_argument("--list", action="store_true", help="print the rows and run nothing")
    runs.add_argument("--report", type=Path, metavar="DIR", help="write pages for people")
    promises.add_argument("--mutants", action="store_true", help="try the wrong devices, too")
    promises.add_argument("--json", action="store_true")
    promises.set_defaults(act=_promises)


def _promises(args: argparse.Namespace) -> int:
    from gridrig.promises.command import promises_command

    return promises_command(
        args.chosen,
        only_list=args.list,
        mutants=args.mutants,
        as_json=args.json,
        report=args.report,
    )
