"""Commands on certificates, and on what stays private."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import PERIOD_MAX, WH_MAX, AddCommand, whole


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    certificates = command(
        "certificates",
        "mint energy certificates from a run's signed readings, list, transfer, retire",
        "examples:\n  gridrig certificates mint runs/seven --register certificates.db\n"
        "  gridrig certificates list --register certificates.db\n"
        "  gridrig certificates transfer 3 --holder pv-1 --to alice --wh 500 "
        "--register certificates.db\n"
        "  gridrig certificates retire 3 --holder alice --wh 500 --purpose 'June' "
        "--register certificates.db\n"
        "exit codes: 0 done, 1 a period was claimed already, 2 refused",
    )
    _certificate_options(certificates)

    disclose = command(
        "disclose",
        "hide readings behind a public root, open one to an auditor, check what was opened",
        "examples:\n  gridrig disclose secret mine.secret\n"
        "  gridrig disclose leaves runs/seven --of house-12 --period 3 > leaves.csv\n"
        "  gridrig disclose commit leaves.csv --secret mine.secret > mine.txt\n"
        "  gridrig disclose root mine.txt theirs.txt\n"
        "  gridrig disclose open entry/3/0/13 --leaves leaves.csv --secret mine.secret "
        "mine.txt theirs.txt > opening.json\n"
        "  gridrig disclose check opening.json --root HEX\n"
        "leaves.csv has the columns leaf_id,payload",
    )
    _disclosure_options(disclose)


def _certificate_options(parser: argparse.ArgumentParser) -> None:
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    mint = steps.add_parser("mint", help="mint what the producers of a run generated")
    mint.add_argument("path", type=Path, metavar="RUN")
    mint.add_argument("--issuer", default="gridrig", help="who issues; default: gridrig")
    listed = steps.add_parser("list", help="show claims, lots and supply")
    listed.add_argument("--json", action="store_true")
    transfer = steps.add_parser("transfer", help="give watt-hours to another holder")
    transfer.add_argument("--to", required=True, metavar="NAME")
    retire = steps.add_parser("retire", help="use watt-hours up, for good")
    retire.add_argument("--purpose", required=True)
    retire.add_argument("--beneficiary", help="in whose name; default: the holder's")
    for step in (transfer, retire):
        step.add_argument("certificate", type=whole(1, WH_MAX), metavar="CERTIFICATE")
        step.add_argument("--holder", required=True, metavar="NAME")
        step.add_argument(
            "--from-wh", type=whole(0, WH_MAX), default=0, help="number of the first Wh"
        )
        step.add_argument("--wh", type=whole(1, WH_MAX), required=True, help="how many")
    for step in (mint, listed, transfer, retire):
        step.add_argument("--register", type=Path, required=True, metavar="FILE")
    parser.set_defaults(act=_certificates)


def _disclosure_options(parser: argparse.ArgumentParser) -> None:
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    secret = steps.add_parser("secret", help="make a participant's secret")
    secret.add_argument("path", type=Path, metavar="FILE")
    leaves = steps.add_parser("leaves", help="print what an account has in a period of a run")
    leaves.add_argument("path", type=Path, metavar="RUN")
    leaves.add_argument("--of", required=True, metavar="ACCOUNT")
    leaves.add_argument("--period", type=whole(0, PERIOD_MAX), required=True, metavar="N")
    commit = steps.add_parser("commit", help="print the commitments of one's leaves")
    commit.add_argument("leaves", type=Path, metavar="LEAVES.csv")
    root = steps.add_parser("root", help="print the root over everybody's commitments")
    opened = steps.add_parser("open", help="print what opens one leaf, for an auditor")
    opened.add_argument("leaf_id", metavar="LEAF")
    opened.add_argument("--leaves", type=Path, required=True, metavar="LEAVES.csv")
    for step in (commit, opened):
        step.add_argument("--secret", type=Path, required=True, metavar="FILE")
    for step in (root, opened):
        step.add_argument("commitments", type=Path, nargs="+", metavar="COMMITMENTS")
    check = steps.add_parser("check", help="check an opened leaf with the root alone")
    check.add_argument("opening", type=Path, metavar="OPENING")
    check.add_argument("--root", required=True, metavar="HEX")
    check.add_argument("--json", action="store_true")
    parser.set_defaults(act=_disclose)


def _certificates(args: argparse.Namespace) -> int:
    from gridrig.campaign import certificates_command as commands

    register: Path = args.register
    if args.step == "mint":
        return commands.mint_command(args.path, register, issuer=args.issuer)
    if args.step == "list":
        return commands.list_command(register, as_json=args.json)
    lot = {"from_wh": args.from_wh, "energy_wh": args.wh, "holder": args.holder}
    if args.step == "transfer":
        return commands.transfer_command(register, args.certificate, to=args.to, **lot)
    beneficiary = args.beneficiary or args.holder
    return commands.retire_command(
        register, args.certificate, purpose=args.purpose, beneficiary=beneficiary, **lot
    )


def _disclose(args: argparse.Namespace) -> int:
    from gridrig.settlement import privacy_command as commands

    if args.step == "secret":
        return commands.secret_command(args.path)
    if args.step == "leaves":
        return commands.leaves_command(args.path, args.of, args.period)
    if args.step == "commit":
        return commands.commit_command(args.leaves, args.secret)
    if args.step == "root":
        return commands.root_command(args.commitments)
    if args.step == "open":
        return commands.open_command(
            args.leaf_id,
            leaves=args.leaves,
            secret=args.secret,
            commitments=args.commitments,
        )
    return commands.check_command(args.opening, args.root, as_json=args.json)
