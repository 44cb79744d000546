"""Commands on the journal of settlements."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import PERIOD_MAX, AddCommand, whole


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    prove = command(
        "prove",
        "prove one entry, or what one meter counted, to whoever has the root of its period",
        "examples:\n  gridrig prove runs/seven --period 3 --line 12 --out proof.json\n"
        "  gridrig prove runs/seven --period 3 --meter meter-pv-1",
    )
    prove.add_argument("path", type=Path, metavar="RUN_OR_JOURNAL")
    prove.add_argument("--period", type=whole(0, PERIOD_MAX), required=True)
    prove.add_argument(
        "--revision", type=whole(0, PERIOD_MAX), default=0, help="0, or of a correction"
    )
    what = prove.add_mutually_exclusive_group(required=True)
    what.add_argument("--line", type=whole(1), help="number of the entry in its settlement")
    what.add_argument("--meter", help="its energy, and the digests of the readings behind it")
    prove.add_argument("--out", type=Path, metavar="FILE", help="default: print it")
    prove.set_defaults(act=_prove)

    audit = command(
        "audit",
        "recompute a journal from its readings and entries, name the first thing that is wrong",
        "examples:\n  gridrig audit runs/seven\n  gridrig audit journal.sqlite --head 96:3c41...\n"
        "exit codes: 0 all holds, 1 something does not",
    )
    audit.add_argument("path", type=Path, metavar="RUN_OR_JOURNAL")
    audit.add_argument("--head", metavar="POSTS:HEX", help="noted before: it has to go on from it")
    audit.add_argument("--json", action="store_true")
    audit.set_defaults(act=_audit)

    balance = command(
        "balance",
        "print the balance sheet of every account, reconciled with the meters",
        "example:\n  gridrig balance runs/seven --json",
    )
    balance.add_argument("path", type=Path, metavar="RUN_OR_JOURNAL")
    balance.add_argument("--json", action="store_true")
    balance.set_defaults(act=_balance)

    export = command(
        "export",
        "write the tables of a journal as Parquet or CSV",
        "example:\n  gridrig export runs/seven --out tables --format csv",
    )
    export.add_argument("path", type=Path, metavar="RUN_OR_JOURNAL")
    export.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    export.add_argument("--format", choices=["parquet", "csv"], default="parquet")
    export.set_defaults(act=_export)

    bills = command(
        "bills",
        "show every participant's bill of a run beside a utility's alone, and who loses",
        "example:\n  gridrig bills runs/seven --tariff tariff.toml\n\n"
        "tariff.toml:\n  [utility]\n  import_micro_per_kwh = 300000   (or 24, by hour)\n"
        "  export_micro_per_kwh = 80000\n  network_micro_per_kwh = 70000\n"
        "  [market]\n  network_micro_per_kwh = 70000",
    )
    bills.add_argument("path", type=Path, metavar="RUN")
    bills.add_argument("--tariff", type=Path, required=True, metavar="FILE")
    bills.add_argument("--json", action="store_true")
    bills.set_defaults(act=_bills)

    statement = command(
        "statement",
        "write the page of one participant: energy, prices, bill, profit, carbon",
        "example:\n  gridrig statement runs/seven --of house-1 --tariff tariff.toml "
        "--carbon rates.csv --zone Europe/Berlin\n\n"
        "rates.csv:\n  from,to,g_per_mwh\n  2016-06-29T12:00:00Z,2016-06-29T13:00:00Z,410000",
    )
    statement.add_argument("path", type=Path, metavar="RUN_OR_JOURNAL")
    statement.add_argument("--of", required=True, metavar="PARTICIPANT")
    statement.add_argument("--tariff", type=Path, metavar="FILE", help="as for `gridrig bills`")
    statement.add_argument("--carbon", type=Path, metavar="FILE", help="emission rates of the grid")
    statement.add_argument(
        "--zone", help="of the clock; default: the tariff's, else the market's, else UTC"
    )
    statement.add_argument(
        "--network", type=Path, metavar="FILE", help="network zones; default: the rig's, if any"
    )
    statement.add_argument(
        "--out", type=Path, metavar="FILE", help="default: statement-PARTICIPANT.html"
    )
    statement.add_argument("--json", action="store_true")
    statement.set_defaults(act=_statement)


def _prove(args: argparse.Namespace) -> int:
    from gridrig.settlement.journal_commands import prove_command

    return prove_command(
        args.path,
        period=args.period,
        revision=args.revision,
        line=args.line,
        meter=args.meter,
        out=args.out,
    )


def _audit(args: argparse.Namespace) -> int:
    if args.path.is_dir():
        from gridrig.campaign.run_audit import audit_run_command

        return audit_run_command(args.path, head=args.head, as_json=args.json)
    from gridrig.settlement.journal_commands import audit_command

    return audit_command(args.path, head=args.head, as_json=args.json)


def _balance(args: argparse.Namespace) -> int:
    from gridrig.settlement.journal_commands import balance_command

    return balance_command(args.path, as_json=args.json)


def _export(args: argparse.Namespace) -> int:
    from gridrig.settlement.journal_commands import export_command

    return export_command(args.path, out=args.out, form=args.format)


def _bills(args: argparse.Namespace) -> int:
    from gridrig.campaign.bills_command import bills_command

    return bills_command(args.path, args.tariff, as_json=args.json)


def _statement(args: argparse.Namespace) -> int:
    from gridrig.report.statement_command import statement_command

    return statement_command(
        args.path,
        args.of,
        tariff=args.tariff,
        rates=args.carbon,
        zone=args.zone,
        network=args.network,
        out=args.out,
        as_json=args.json,
    )
