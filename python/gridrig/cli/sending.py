"""Options of the commands that send signed transactions."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import whole

GWEI_MAX = 10**9


def add_sending(step: argparse.ArgumentParser, *, finality: str) -> None:
    """Add what a step that sends needs; `finality` says what decides unless it is stated."""
    step.add_argument("--keystore", type=Path, required=True, metavar="FILE")
    step.add_argument(
        "--outbox", type=Path, required=True, metavar="FILE", help="of signed transactions; kept"
    )
    step.add_argument(
        "--fee-gwei-max",
        type=whole(1, GWEI_MAX),
        default=100,
        metavar="GWEI",
        help="most that is paid for gas; default 100",
    )
    step.add_argument(
        "--confirmations",
        type=whole(1),
        metavar="N",
        help=f"blocks until it is final; default: {finality}",
    )
    step.add_argument(
        "--allow-public", action="store_true", help="insist on a chain known to be public"
    )
    step.add_argument(
        "--wait-s", type=whole(0), default=1800, metavar="S", help="for finality; default 1800"
    )
    step.add_argument("--json", action="store_true")
