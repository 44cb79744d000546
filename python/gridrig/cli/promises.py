"""The command that proves the field's promises, row by row."""

import argparse

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
        "A row that nothing proves is printed as NOT PROVEN and makes the exit code 3.",
    )
    promises.add_argument(
        "chosen", nargs="*", metavar="CAMPAIGN|ROW", help="1 to 10, or M1, N6, ...; default: all"
    )
    promises.add_argument("--list", action="store_true", help="print the rows and run nothing")
    promises.add_argument("--mutants", action="store_true", help="try the wrong devices, too")
    promises.add_argument("--json", action="store_true")
    promises.set_defaults(act=_promises)


def _promises(args: argparse.Namespace) -> int:
    from gridrig.promises.command import promises_command

    return promises_command(args.chosen, only_list=args.list, mutants=args.mutants,
                            as_json=args.json)  # fmt: skip
