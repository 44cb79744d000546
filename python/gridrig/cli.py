"""The command line: arguments in, exit code out; the work is done elsewhere."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from gridrig.errors import GridrigError

USAGE_ERROR = 2
SEED_MAX = 2**63 - 1
PERIOD_MAX = 2**32 - 1  # of periods and of their revisions
WH_MAX = 2**62  # in a certificate, and certificates
BENCH_TOPICS = ("devices", "market", "metering", "plant", "settlement")

RUN_EXAMPLES = """examples:
  gridrig demo
  gridrig run sunny-then-storm --rig emulated-street --seed 7 --out runs/seven
  gridrig run my-scenario.toml --rig my-bench.toml

A name without a path is looked up among the rigs and scenarios that come with gridrig.
exit codes: 0 pass, 1 fail, 2 usage or file wrong, 3 inconclusive, 4 error, 5 aborted,
6 rig left unsafe (the worst of what happened)"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gridrig",
        description="Hardware-in-the-loop testbed for decentralised energy.",
        epilog="Begin with: gridrig demo",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, epilog: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    demo = command("demo", "run the built-in rig and scenario", RUN_EXAMPLES)
    _run_options(demo)
    demo.set_defaults(act=_demo)

    run = command("run", "run a scenario on a rig", RUN_EXAMPLES)
    run.add_argument("scenario", metavar="SCENARIO", help="scenario file, or a built-in's name")
    run.add_argument("--rig", required=True, help="rig file, or a built-in's name")
    _run_options(run)
    run.set_defaults(act=_run)

    check = command(
        "check",
        "validate a rig, identify and read every device, leave it safe",
        "examples:\n  gridrig check emulated-street\n"
        "  gridrig check bench.toml --scenario storm.toml\n"
        "  gridrig check bench.toml --dry-run      (shows every write, sends none)\n"
        "  gridrig check emulated-bench --energise --yes",
    )
    check.add_argument("rig", metavar="RIG")
    check.add_argument("--scenario", help="check that this scenario fits the rig")
    check.add_argument("--dry-run", action="store_true", help="show every write, send none")
    check.add_argument(
        "--energise", action="store_true", help="prove the wiring, step by step with a prompt"
    )
    check.add_argument("--yes", action="store_true", help="answer every prompt with yes")
    check.set_defaults(act=_check)

    emulate = command(
        "emulate",
        "serve a rig's emulated devices until interrupted",
        "examples:\n  gridrig emulate emulated-street --write-rig outside.toml\n"
        "  gridrig run sunny-then-storm --rig outside.toml --for-s 60 --tick-s 1   (elsewhere)\n"
        "  gridrig emulate emulated-street --only pv-1 --only meter-pv-1",
    )
    emulate.add_argument("rig", metavar="RIG")
    emulate.add_argument("--only", metavar="DEVICE", action="append", help="serve only these")
    emulate.add_argument("--start", metavar="UTC", help="time of the profiles at the beginning")
    emulate.add_argument(
        "--write-rig", type=Path, metavar="FILE", help="write a rig that points at these devices"
    )
    emulate.set_defaults(act=_emulate)

    test = command(
        "test",
        "run test procedures on a rig",
        "examples:\n  gridrig test                             (all that come with gridrig)\n"
        "  gridrig test --mutants                   (prove that each procedure can fail)\n"
        "  gridrig test hil/islanding --rig one-inverter --junitxml out.xml\n"
        "  gridrig test -v -k limit                 (every option of pytest works)\n\n"
        "exit codes: 0 pass, 1 fail or a mutant lives, 2 usage or nothing collected,\n"
        "3 inconclusive or skipped, 4 error, 5 aborted, 6 rig left unsafe",
    )
    # Paths and pytest's options go to pytest as they are; only it can tell one from the other.
    test.usage = "gridrig test [PATH ...] [--rig RIG] [--mutants] [--allow-skips] "
    test.usage += "[--captures DIR] [pytest options]"
    test.add_argument("--rig", help="rig file or name; default: the one each procedure names")
    test.add_argument("--mutants", action="store_true", help="run each procedure's mutants too")
    test.add_argument("--allow-skips", action="store_true", help="a missing capability is no fault")
    test.add_argument("--captures", metavar="DIR", help="record every wire, a file a procedure")
    test.set_defaults(act=_test, rest=[])

    verify = command(
        "verify",
        "check a run directory, or a proof of one record, offline",
        "examples:\n  gridrig verify runs/seven\n  gridrig verify runs/seven --trust lab-key.pem\n"
        "  gridrig verify proof.json --root 8f0c...    (what `gridrig prove` wrote)",
    )
    verify.add_argument("path", type=Path, metavar="PATH")
    verify.add_argument("--trust", type=Path, action="append", default=[], metavar="KEY")
    verify.add_argument("--root", metavar="HEX", help="of the period that a proof is checked for")
    verify.add_argument("--json", action="store_true")
    verify.set_defaults(act=_verify)

    prove = command(
        "prove",
        "prove one entry, or what one meter counted, to whoever has the root of its period",
        "examples:\n  gridrig prove runs/seven --period 3 --line 12 --out proof.json\n"
        "  gridrig prove runs/seven --period 3 --meter meter-pv-1",
    )
    prove.add_argument("path", type=Path, metavar="RUN_OR_JOURNAL")
    prove.add_argument("--period", type=_whole(0, PERIOD_MAX), required=True)
    prove.add_argument(
        "--revision", type=_whole(0, PERIOD_MAX), default=0, help="0, or of a correction"
    )
    what = prove.add_mutually_exclusive_group(required=True)
    what.add_argument("--line", type=_whole(1), help="number of the entry in its settlement")
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

    readings = command(
        "readings",
        "verify a file of signed readings, one verdict a line",
        "examples:\n  gridrig readings received.txt --keys keys.toml --ledger readings.db\n"
        "  gridrig readings --proofs --keys keys.toml --ledger readings.db\n"
        "exit codes: 0 all true, 1 a false one, 3 one that could not be decided",
    )
    readings.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="one signed record a line, a binary one in hex; or proofs that --proofs printed",
    )
    readings.add_argument("--keys", type=Path, required=True, help="[[key]] tables, as in a rig")
    readings.add_argument("--ledger", type=Path, help="replay ledger, kept from call to call")
    readings.add_argument("--format", help="wire format of every record; default: detect each")
    readings.add_argument(
        "--proofs",
        action="store_true",
        help="print what two payloads under one counter prove, from the ledger",
    )
    readings.set_defaults(act=_readings)

    clear = command(
        "clear",
        "clear a file of orders; trades as CSV",
        "examples:\n  gridrig clear orders.csv --mechanism pay-as-bid --set ties=pro-rata\n"
        "  gridrig clear orders.csv --mechanism zonal --network zones.toml\n"
        "columns: order_id,participant,side,energy_milliwh,price_micro_per_kwh and, with\n"
        "--network, zone",
    )
    clear.add_argument("orders", type=Path, metavar="ORDERS.csv")
    clear.add_argument("--mechanism", default="pay-as-clear", help="any that is installed")
    clear.add_argument("--network", type=Path, metavar="ZONES.toml", help="zones and links")
    clear.add_argument("--lot-milliwh", type=int, default=1_000)
    clear.add_argument("--tick-micro", type=int, default=1_000)
    clear.add_argument(
        "--set",
        dest="parameters",
        type=_parameter,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a parameter of the mechanism",
    )
    clear.set_defaults(act=_clear)

    bench = command(
        "bench",
        "measure gridrig beside its peers, in one run on one core",
        "examples:\n  gridrig bench market\n  gridrig bench market --workload w2 --json\n"
        "peers come with: pip install 'gridrig[bench]'; one that is missing is named",
    )
    bench.add_argument("topic", metavar="TOPIC", choices=BENCH_TOPICS, help="|".join(BENCH_TOPICS))
    bench.add_argument(
        "--workload", metavar="W", action="append", default=[], help="measure only these"
    )
    bench.add_argument("--quick", action="store_true", help="see that it runs; no figures to quote")
    bench.add_argument("--json", action="store_true")
    bench.set_defaults(act=_bench)

    report = command(
        "report", "rebuild the report of a run directory", "example:\n  gridrig report runs/seven"
    )
    report.add_argument("path", type=Path, metavar="RUN")
    report.add_argument("--out", type=Path, help="where to; default: RUN/report.html")
    report.set_defaults(act=_report)

    sniff = command(
        "sniff",
        "show what passed on the wires of a capture, or passes now, decoded",
        "examples:\n  gridrig run sunny-then-storm --rig emulated-street --capture --out runs/c\n"
        "  gridrig sniff runs/c --wire pv-1\n"
        "  gridrig sniff runs/c/capture.jsonl --raw\n"
        "  gridrig sniff --tcp 192.0.2.17:502      (prints where to point the client)\n"
        "  gridrig sniff --serial /dev/ttyUSB0 --baudrate 19200",
    )
    sniffed = sniff.add_mutually_exclusive_group(required=True)
    sniffed.add_argument(
        "path", type=Path, nargs="?", metavar="CAPTURE", help="capture file or run directory"
    )
    sniffed.add_argument("--tcp", type=_address, metavar="HOST:PORT", help="stand before it")
    sniffed.add_argument("--serial", metavar="PATH", help="stand before this serial port")
    sniff.add_argument("--baudrate", type=_whole(300, 4_000_000), default=9600)
    sniff.add_argument("--kind", help="what is spoken, with --tcp or --serial; default: Modbus")
    sniff.add_argument("--wire", metavar="NAME", help="only this wire")
    sniff.add_argument("--raw", action="store_true", help="bytes, not what they mean")
    sniff.set_defaults(act=_sniff)

    replay = command(
        "replay",
        "serve a captured device again until interrupted",
        "examples:\n  gridrig replay runs/c --wire pv-1\n"
        "  gridrig replay capture.jsonl --wire battery-3 --baudrate 9600",
    )
    replay.add_argument("path", type=Path, metavar="CAPTURE", help="capture file or run directory")
    replay.add_argument("--wire", metavar="NAME", required=True)
    replay.add_argument("--host", default="127.0.0.1", help="where a TCP wire listens")
    replay.add_argument("--port", type=_whole(0, 65_535), default=0, help="0: any free one")
    replay.add_argument("--baudrate", type=_whole(300, 4_000_000), default=9600)
    replay.set_defaults(act=_replay)

    faults = command(
        "faults",
        "print the faults that emulated devices can show, with an example of each",
        "examples:\n  gridrig faults\n  gridrig faults --markdown > docs/faults.md",
    )
    faults.add_argument("--markdown", action="store_true", help="as the page of the documentation")
    faults.set_defaults(act=_faults)

    enrol = command(
        "enrol",
        "read the public key of every meter of a rig and print its [[key]] tables",
        "example:\n  gridrig enrol bench.toml >> bench.toml",
    )
    enrol.add_argument("rig", metavar="RIG")
    enrol.set_defaults(act=_enrol)

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
    return parser


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
        step.add_argument("certificate", type=_whole(1, WH_MAX), metavar="CERTIFICATE")
        step.add_argument("--holder", required=True, metavar="NAME")
        step.add_argument(
            "--from-wh", type=_whole(0, WH_MAX), default=0, help="number of the first Wh"
        )
        step.add_argument("--wh", type=_whole(1, WH_MAX), required=True, help="how many")
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
    leaves.add_argument("--period", type=_whole(0, PERIOD_MAX), required=True, metavar="N")
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


def _whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return a type of argument: whole numbers within bounds, both included."""

    def whole(text: str) -> int:
        number = int(text)
        if number < least or (most is not None and number > most):
            bound = f"at least {least}" if number < least else f"at most {most}"
            raise argparse.ArgumentTypeError(f"{number} is not {bound}")
        return number

    whole.__name__ = "whole number"
    return whole


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected HOST:PORT")
    return host, int(port)


def _run_options(parser: argparse.ArgumentParser) -> None:
    seed = _whole(0, SEED_MAX)
    parser.add_argument("--seed", type=seed, help="seed of all randomness; default: the scenario's")
    parser.add_argument("--out", type=Path, help="run directory; default: runs/NAME-NUMBER")
    parser.add_argument("--from-s", type=_whole(0), help="begin at this second of the scenario")
    parser.add_argument("--for-s", type=_whole(1), help="run only so long")
    parser.add_argument("--tick-s", type=_whole(1), help="one tick length throughout")
    parser.add_argument("--engine", choices=["pandapower", "opendss"], help="solve with this one")
    parser.add_argument(
        "--capture", action="store_true", help="record every wire into RUN/capture.jsonl"
    )
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    parser.add_argument(
        "--wait", type=float, default=0.0, metavar="S", help="wait so long for a bench in use"
    )
    parser.add_argument(
        "--unattended",
        action="store_true",
        help="refuse a bench that would not come to rest with its host dead",
    )


def _demo(args: argparse.Namespace) -> int:
    from gridrig.commands import run_command

    return run_command("sunny-then-storm", "emulated-street", args)


def _run(args: argparse.Namespace) -> int:
    from gridrig.commands import run_command

    return run_command(args.scenario, args.rig, args)


def _check(args: argparse.Namespace) -> int:
    from gridrig.campaign.checking import check_command

    if args.energise and args.dry_run:
        raise GridrigError("cli.usage", "--energise and --dry-run exclude each other")

    async def yes(what: str) -> bool:
        print(f"next: {what}")
        return True

    return check_command(
        args.rig,
        args.scenario,
        dry_run=args.dry_run,
        energise=args.energise,
        ask=yes if args.yes else None,
    )


def _emulate(args: argparse.Namespace) -> int:
    from gridrig.campaign.emulation import emulate_command

    return emulate_command(args.rig, only=args.only, start=args.start, write_rig=args.write_rig)


def _test(args: argparse.Namespace) -> int:
    from gridrig.campaign.procedure_command import test_command

    return test_command(
        args.rest,
        rig=args.rig,
        mutants=args.mutants,
        allow_skips=args.allow_skips,
        captures=args.captures,
    )


def _verify(args: argparse.Namespace) -> int:
    if args.path.is_file():
        from gridrig.settlement.journal_commands import verify_proof_command

        return verify_proof_command(args.path, root=args.root, as_json=args.json)
    from gridrig.campaign.verification import verify_command

    return verify_command(args.path, trust=args.trust, as_json=args.json)


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


def _readings(args: argparse.Namespace) -> int:
    from gridrig.metering.verification import proofs_command, readings_command

    if args.proofs:
        return proofs_command(args.keys, args.ledger)
    return readings_command(args.file, args.keys, ledger=args.ledger, format=args.format)


def _parameter(text: str) -> tuple[str, object]:
    from gridrig.campaign.clearing_command import parameter

    try:
        return parameter(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected KEY=VALUE") from None


def _clear(args: argparse.Namespace) -> int:
    from gridrig.campaign.clearing_command import clear_command

    steps = {"lot_milliwh": args.lot_milliwh, "tick_micro_per_kwh": args.tick_micro}
    return clear_command(
        args.orders,
        mechanism=args.mechanism,
        network=args.network,
        parameters=steps | dict(args.parameters),
    )


def _bench(args: argparse.Namespace) -> int:
    from gridrig.bench.command import bench_command

    return bench_command(args.topic, workloads=args.workload, quick=args.quick, as_json=args.json)


def _report(args: argparse.Namespace) -> int:
    from gridrig.report.html import build_report

    print(build_report(args.path, out=args.out))
    return 0


def _sniff(args: argparse.Namespace) -> int:
    from gridrig.campaign.captures import listen_command, sniff_command

    if args.path is not None:
        return sniff_command(args.path, wire=args.wire, raw=args.raw)
    return listen_command(
        tcp=args.tcp, serial=args.serial, baudrate=args.baudrate, kind=args.kind, raw=args.raw
    )


def _replay(args: argparse.Namespace) -> int:
    from gridrig.campaign.captures import replay_command

    return replay_command(
        args.path, wire=args.wire, host=args.host, port=args.port, baudrate=args.baudrate
    )


def _faults(args: argparse.Namespace) -> int:
    from gridrig.campaign.faults_page import faults_command

    return faults_command(markdown=args.markdown)


def _enrol(args: argparse.Namespace) -> int:
    from gridrig.campaign.checking import enrol_command

    return enrol_command(args.rig)


def _bills(args: argparse.Namespace) -> int:
    from gridrig.campaign.bills_command import bills_command

    return bills_command(args.path, args.tariff, as_json=args.json)


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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if rest and args.command != "test":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    args.rest = rest
    act: Callable[[argparse.Namespace], int] = args.act
    try:
        return act(args)
    except GridrigError as error:
        print(f"gridrig {args.command}: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print(f"gridrig {args.command}: interrupted", file=sys.stderr)
        return 5
    except BrokenPipeError:
        return 0
