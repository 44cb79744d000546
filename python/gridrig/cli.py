"""The command line: arguments in, exit code out; the work is done elsewhere."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from gridrig.errors import GridrigError

USAGE_ERROR = 2
SEED_MAX = 2**63 - 1
BENCH_TOPICS = ("devices", "market", "metering")

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
        "  gridrig check bench.toml --dry-run      (shows every write, sends none)",
    )
    check.add_argument("rig", metavar="RIG")
    check.add_argument("--scenario", help="check that this scenario fits the rig")
    check.add_argument("--dry-run", action="store_true", help="show every write, send none")
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
    test.usage = "gridrig test [PATH ...] [--rig RIG] [--mutants] [--allow-skips] [pytest options]"
    test.add_argument("--rig", help="rig file or name; default: the one each procedure names")
    test.add_argument("--mutants", action="store_true", help="run each procedure's mutants too")
    test.add_argument("--allow-skips", action="store_true", help="a missing capability is no fault")
    test.set_defaults(act=_test, rest=[])

    verify = command(
        "verify",
        "check a run directory offline",
        "examples:\n  gridrig verify runs/seven\n  gridrig verify runs/seven --trust lab-key.pem",
    )
    verify.add_argument("path", type=Path, metavar="PATH")
    verify.add_argument("--trust", type=Path, action="append", default=[], metavar="KEY")
    verify.add_argument("--json", action="store_true")
    verify.set_defaults(act=_verify)

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
    return parser


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


def _demo(args: argparse.Namespace) -> int:
    from gridrig.commands import run_command

    return run_command("sunny-then-storm", "emulated-street", args)


def _run(args: argparse.Namespace) -> int:
    from gridrig.commands import run_command

    return run_command(args.scenario, args.rig, args)


def _check(args: argparse.Namespace) -> int:
    from gridrig.campaign.checking import check_command

    return check_command(args.rig, args.scenario, dry_run=args.dry_run)


def _emulate(args: argparse.Namespace) -> int:
    from gridrig.campaign.emulation import emulate_command

    return emulate_command(args.rig, only=args.only, start=args.start, write_rig=args.write_rig)


def _test(args: argparse.Namespace) -> int:
    from gridrig.campaign.procedure_command import test_command

    return test_command(args.rest, rig=args.rig, mutants=args.mutants, allow_skips=args.allow_skips)


def _verify(args: argparse.Namespace) -> int:
    from gridrig.campaign.verification import verify_command

    return verify_command(args.path, trust=args.trust, as_json=args.json)


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
