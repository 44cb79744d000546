"""Commands that use or measure one core alone."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import AddCommand, whole

BENCH_TOPICS = (
    "devices",
    "feeder",
    "market",
    "metering",
    "microgrid",
    "plant",
    "settlement",
    "timing",
    "trade",
)


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
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
        "measure gridrig beside its peers, in one run on one core (microgrid: on all)",
        "examples:\n  gridrig bench market\n  gridrig bench market --workload w2 --json\n"
        "  gridrig bench timing --for-s 600\n"
        "  gridrig bench microgrid --weeks all --seeds 1..30 --workers 8\n"
        "peers come with: pip install 'gridrig[bench]'; one that is missing is named",
    )
    bench.add_argument("topic", metavar="TOPIC", choices=BENCH_TOPICS, help="|".join(BENCH_TOPICS))
    bench.add_argument(
        "--workload", metavar="W", action="append", default=[], help="measure only these"
    )
    bench.add_argument("--for-s", type=whole(1), help="how long, for the topic timing")
    bench.add_argument(
        "--weeks",
        metavar="45,136|all",
        help="days of 2016 on which weeks begin, for the topic microgrid",
    )
    bench.add_argument("--seeds", metavar="1..30", help="for the topic microgrid")
    bench.add_argument(
        "--workers", type=whole(1), metavar="N", help="processes of microgrid; default: all cores"
    )
    bench.add_argument("--quick", action="store_true", help="see that it runs; no figures to quote")
    bench.add_argument("--json", action="store_true")
    bench.set_defaults(act=_bench)


def _parameter(text: str) -> tuple[str, object]:
    from gridrig.campaign.clearing_command import parameter

    try:
        return parameter(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected KEY=VALUE") from None


def _readings(args: argparse.Namespace) -> int:
    from gridrig.metering.verification import proofs_command, readings_command

    if args.proofs:
        return proofs_command(args.keys, args.ledger)
    return readings_command(args.file, args.keys, ledger=args.ledger, format=args.format)


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
    from gridrig.bench.weeks import read_weeks
    from gridrig.sweep.plan import read_seeds

    asked = {
        "for_s": args.for_s,
        "weeks": None if args.weeks is None else read_weeks(args.weeks),
        "seeds": None if args.seeds is None else read_seeds(args.seeds),
        "workers": args.workers,
    }
    return bench_command(
        args.topic,
        workloads=args.workload,
        quick=args.quick,
        as_json=args.json,
        options={name: value for name, value in asked.items() if value is not None},
    )
