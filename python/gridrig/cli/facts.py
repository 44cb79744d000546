"""Commands on facts: signed records under one root."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import AddCommand, whole


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    facts = command(
        "facts",
        "put the signed readings of a run under one root, show that one is there or is not",
        "examples:\n  gridrig facts root runs/seven\n"
        "  gridrig facts prove runs/seven --line 12 > receipt.json\n"
        "  gridrig facts check receipt.json --root HEX\n"
        "exit codes of check: 0 it is so, 1 it is not shown",
    )
    steps = facts.add_subparsers(dest="step", required=True, metavar="STEP")
    root = steps.add_parser("root", help="print the root over what verifies")
    prove = steps.add_parser("prove", help="print a receipt of one line of readings.jsonl")
    for step in (root, prove):
        step.add_argument("path", type=Path, metavar="RUN")
    prove.add_argument("--line", type=whole(1), required=True, help="of readings.jsonl")
    check = steps.add_parser("check", help="check a receipt with the root alone")
    check.add_argument("path", type=Path, metavar="RECEIPT")
    check.add_argument("--root", required=True, metavar="HEX")
    facts.set_defaults(act=_facts)


def _facts(args: argparse.Namespace) -> int:
    from gridrig.campaign.facts_command import check_command, prove_command, root_command

    if args.step == "root":
        return root_command(args.path)
    if args.step == "prove":
        return prove_command(args.path, args.line)
    return check_command(args.path, args.root)
