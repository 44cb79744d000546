"""Commands on what holders of an asset are paid, and on what rewards a pool can pay."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import AddCommand


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    payouts = command(
        "payouts",
        "pay the holders of an asset out of what it earned in a run",
        "example:\n  gridrig payouts runs/seven --shares shares.toml\n"
        "shares.toml names the participant, its costs, its holders and what they transferred\n"
        "(docs/certificates.md, Shares)",
    )
    payouts.add_argument("path", type=Path, metavar="RUN")
    payouts.add_argument("--shares", type=Path, required=True, metavar="FILE.toml")
    payouts.add_argument("--json", action="store_true")
    payouts.set_defaults(act=_payouts)

    stress = command(
        "stress",
        "add up rewards beside fees, over assumptions",
        "example:\n  gridrig stress assumptions.toml\n"
        "what comes of it is arithmetic, not a price forecast (docs/certificates.md, Stress)",
    )
    stress.add_argument("path", type=Path, metavar="FILE.toml")
    stress.add_argument("--json", action="store_true")
    stress.set_defaults(act=_stress)


def _payouts(args: argparse.Namespace) -> int:
    from gridrig.campaign.payouts_command import payouts_command

    return payouts_command(args.path, args.shares, as_json=args.json)


def _stress(args: argparse.Namespace) -> int:
    from gridrig.campaign.stress_command import stress_command

    return stress_command(args.path, as_json=args.json)
