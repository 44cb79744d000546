"""Commands that certify drivers, show the catalogue, and take certificates back."""

import argparse
import json
import sys
from pathlib import Path

from gridrig.cli.arguments import AddCommand, whole

CERTIFY_EXAMPLES = """examples:
  gridrig certify sunspec --rig one-inverter --device pv-1 --key lab.pem --out certified/sunspec
  gridrig certify acme-powercell --rig acme-bench.toml --device cell-1 --out c2 --since c1
  gridrig certify jbd --rig emulated-street --device battery-a --out try --only fault.late_reply

The driver runs in a process of its own. A key is made with
  openssl genpkey -algorithm ed25519 -out lab.pem && chmod 600 lab.pem
exit codes: 0 certified, 1 refused, 2 usage or file wrong, 3 only a part of the cases was run,
5 stopped before the end"""


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    certify = command("certify", "try a driver on the catalogue and certify it", CERTIFY_EXAMPLES)
    certify.add_argument("driver", metavar="DRIVER", help="name its package registers")
    certify.add_argument("--rig", required=True, help="rig file, or a built-in's name")
    certify.add_argument("--device", required=True, metavar="NAME", help="which of the rig")
    certify.add_argument("--out", required=True, type=Path, metavar="DIR", help="a new directory")
    certify.add_argument(
        "--key", type=Path, help="the lab's private key, PEM; default: this machine's"
    )
    certify.add_argument(
        "--since", type=Path, metavar="DIR", help="an earlier certificate: run only what changed"
    )
    certify.add_argument("--only", action="append", default=[], metavar="CASE", help="repeatable")
    certify.add_argument("--lanes", type=whole(1, 32), default=4, help="cases at once; default 4")
    certify.add_argument("--days", type=whole(1, 3650), default=365, help="until it expires")
    certify.add_argument("--json", action="store_true", help="print the certificate's content")
    certify.set_defaults(act=_certify)

    catalogue = command(
        "catalogue",
        "print the catalogue of driver tests",
        "examples:\n  gridrig catalogue\n  gridrig catalogue --json",
    )
    catalogue.add_argument("--json", action="store_true", help="print the cases as JSON")
    catalogue.set_defaults(act=_catalogue)

    revoke = command(
        "revoke",
        "take a certificate back: add it to the lab's signed list",
        "examples:\n  gridrig revoke c1/certificate.json --list revoked.json --key lab.pem "
        "--reason 'firmware 2.1 withdrawn'\n"
        "  gridrig revoke --list revoked.json --key lab.pem      (say again what stands)",
    )
    revoke.add_argument("certificate", nargs="?", type=Path, metavar="CERTIFICATE")
    revoke.add_argument("--list", required=True, type=Path, dest="listed", metavar="LIST")
    revoke.add_argument("--key", required=True, type=Path)
    revoke.add_argument("--reason", default="", help="why; needed with a certificate")
    revoke.add_argument("--days", type=whole(1, 365), default=30, help="until the next is due")
    revoke.set_defaults(act=_revoke)


def _certify(args: argparse.Namespace) -> int:
    from gridrig.conformance.certifying import Order, certify_command
    from gridrig.report.certificate_page import write_certificate_page

    order = Order(
        args.driver,
        args.rig,
        args.device,
        args.out,
        args.key,
        args.since,
        tuple(args.only),
        args.lanes,
        args.days,
    )
    return certify_command(order, as_json=args.json, render=write_certificate_page)


def _catalogue(args: argparse.Namespace) -> int:
    from gridrig.conformance.catalogue_page import catalogue_json, catalogue_page

    text = json.dumps(catalogue_json(), indent=1) + "\n" if args.json else catalogue_page()
    sys.stdout.write(text)
    return 0


def _revoke(args: argparse.Namespace) -> int:
    from gridrig.conformance.revocation import revoke_command

    return revoke_command(
        args.listed,
        args.key,
        certificate=args.certificate,
        reason=args.reason,
        days=args.days,
    )
