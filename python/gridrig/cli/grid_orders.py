"""The command about a grid operator's orders over OpenADR."""

import argparse

from gridrig.cli.arguments import AddCommand


def add_to(command: AddCommand) -> None:
    """Add what this topic has."""
    asked = command(
        "fingerprint",
        "print a certificate's OpenADR fingerprint, to tell the other end",
        "example:\n  gridrig fingerprint pki/ven.crt",
    )
    asked.add_argument("certificate", help="file in PEM")
    asked.set_defaults(act=_fingerprint)


def _fingerprint(args: argparse.Namespace) -> int:
    from gridrig.openadr.security import fingerprint_of

    print(fingerprint_of(args.certificate))
    return 0
