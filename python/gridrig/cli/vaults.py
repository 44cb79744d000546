"""`gridrig vault`: what deposits that paid for a run's sites are worth."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import AddCommand


def add_to(command: AddCommand) -> None:
    """Add the command of this topic."""
    vault = command(
        "vault",
        "show what a vault that paid for a run's sites is worth after what they signed",
        "example:\n  gridrig vault runs/seven --book vault.toml",
    )
    vault.add_argument("path", type=Path, metavar="RUN")
    vault.add_argument("--book", type=Path, required=True, metavar="FILE")
    vault.add_argument("--json", action="store_true")
    vault.set_defaults(act=_vault)


def _vault(args: argparse.Namespace) -> int:
    from gridrig.campaign.vault_command import vault_command

    return vault_command(args.path, args.book, as_json=args.json)
