"""Commands that put the roots of a journal on a chain, and compare them with it."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import PERIOD_MAX, AddCommand, whole
from gridrig.cli.sending import add_sending


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    anchor = command(
        "anchor",
        "put the hidden roots of a run's periods on a chain, open one, check one",
        "examples:\n  gridrig disclose secret lab.secret\n"
        "  gridrig anchor send runs/seven --endpoint http://127.0.0.1:8545 --keystore key.json "
        "--secret lab.secret --outbox anchors.db\n"
        "  gridrig anchor open runs/seven --period 3 --secret lab.secret > opening.json\n"
        "  gridrig anchor check opening.json --endpoint http://127.0.0.1:8545 --contract 0x...\n"
        "The password of the keystore is asked for, or read from standard input.\n"
        "exit codes: 0 done, 1 a transaction failed or a root is another, 2 refused, "
        "3 not final yet: send again",
    )
    steps = anchor.add_subparsers(dest="step", required=True, metavar="STEP")
    send = steps.add_parser("send", help="anchor every period, each once and in order")
    send.add_argument("path", type=Path, metavar="RUN_OR_JOURNAL")
    send.add_argument("--secret", type=Path, required=True, metavar="FILE", help="hides the roots")
    add_sending(send, finality="as the chain says")
    opened = steps.add_parser("open", help="print what opens the root of one period")
    opened.add_argument("path", type=Path, metavar="RUN_OR_JOURNAL")
    opened.add_argument("--period", type=whole(0, PERIOD_MAX), required=True, metavar="N")
    opened.add_argument("--secret", type=Path, required=True, metavar="FILE")
    check = steps.add_parser("check", help="compare an opened root with the chain")
    check.add_argument("opening", type=Path, metavar="OPENING")
    check.add_argument("--contract", required=True, metavar="ADDRESS")
    for step in (send, check):
        step.add_argument("--endpoint", required=True, metavar="URL", help="JSON-RPC of a node")
    anchor.set_defaults(act=_anchor)


def _anchor(args: argparse.Namespace) -> int:
    from gridrig.settlement.chain import anchor_commands as commands

    if args.step == "open":
        return commands.open_command(args.path, period=args.period, secret=args.secret)
    if args.step == "check":
        return commands.check_command(args.opening, endpoint=args.endpoint, contract=args.contract)
    return commands.send_command(
        args.path,
        endpoint=args.endpoint,
        keystore=args.keystore,
        secret=args.secret,
        outbox=args.outbox,
        fee_gwei_max=args.fee_gwei_max,
        confirmations=args.confirmations,
        allow_public=args.allow_public,
        wait_s=args.wait_s,
        as_json=args.json,
    )
