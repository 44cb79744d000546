"""`gridrig consent`: who lets whom read what it used."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import PERIOD_MAX, AddCommand, whole

CONSENTS_MAX = 2**63 - 1


def add_to(command: AddCommand) -> None:
    """Add the command of this topic."""
    consent = command(
        "consent",
        "let somebody read what a participant used, take it back, see who asked",
        "examples:\n  gridrig consent give consents.db --of house-12 --to aggregator "
        "--purpose dispatch --until 2026-12-31T00:00:00Z\n"
        "  gridrig consent read consents.db runs/seven --of house-12 --by aggregator --period 3\n"
        "  gridrig consent revoke consents.db 1 --of house-12\n"
        "  gridrig consent asked consents.db --of house-12",
    )
    steps = consent.add_subparsers(dest="step", required=True, metavar="STEP")
    give = steps.add_parser("give", help="let a reader read from now on")
    revoke = steps.add_parser("revoke", help="take a consent back from now on")
    read = steps.add_parser("read", help="print what an owner has in a period, if it lets you")
    asked = steps.add_parser("asked", help="print who asked for what, and what allowed it")
    for step in (give, revoke, read, asked):
        step.add_argument("book", type=Path, metavar="BOOK")
        step.add_argument("--of", required=True, metavar="OWNER")
    give.add_argument("--to", required=True, metavar="READER")
    give.add_argument("--purpose", required=True)
    give.add_argument("--until", required=True, metavar="TIME", help="ISO 8601 with a zone")
    revoke.add_argument("consent", type=whole(1, CONSENTS_MAX), metavar="CONSENT")
    read.add_argument("run", type=Path, metavar="RUN")
    read.add_argument("--by", required=True, metavar="READER")
    read.add_argument("--period", type=whole(0, PERIOD_MAX), required=True, metavar="N")
    consent.set_defaults(act=_consent)


def _consent(args: argparse.Namespace) -> int:
    from gridrig.settlement import consents_command as commands

    if args.step == "give":
        return commands.give_command(
            args.book, args.of, args.to, purpose=args.purpose, until=args.until
        )
    if args.step == "revoke":
        return commands.revoke_command(args.book, args.of, args.consent)
    if args.step == "read":
        return commands.read_command(args.book, args.run, args.of, args.by, period=args.period)
    return commands.asked_command(args.book, args.of)
