"""Commands about feeders."""

import argparse
from datetime import datetime

from gridrig.cli.arguments import AddCommand, whole


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    feeder = command(
        "feeder",
        "print what a network holds, by the names that rigs and scenarios use",
        "examples:\n  gridrig feeder simbench:1-LV-rural1--2-no_sw\n"
        "  gridrig feeder feeder/Master.dss | grep regulator:",
    )
    feeder.add_argument("network", metavar="NETWORK", help="as in [feeder] network")
    feeder.add_argument("--json", action="store_true")
    feeder.set_defaults(act=_feeder)

    switching = command(
        "switching",
        "plan what to switch before a forecast overload comes, or after each outage",
        "examples:\n  gridrig switching ring.json --scale 1.1\n"
        "  gridrig switching ring.json --scale 1.3 --shed 17=1 --shed 31=2 --v-min 0.88\n"
        "  gridrig switching ring.json --outages --json\n"
        "exit codes: 0 limits are kept, 1 by shedding loads, 3 they are not",
    )
    switching.add_argument("network", metavar="NETWORK", help="as in [feeder] network")
    switching.add_argument("--pcc", default="source", help="as in [feeder] pcc; default: source")
    switching.add_argument("--engine", choices=["pandapower", "opendss"], default="pandapower")
    switching.add_argument(
        "--profiles", default="rated", help="rated (default), own, shapes or a table's file"
    )
    switching.add_argument(
        "--from", dest="start", type=_moment, default=0, metavar="TIME", help="ISO 8601, with zone"
    )
    switching.add_argument("--hours", type=whole(1, 48), default=1, help="ahead; default: 1")
    switching.add_argument("--scale", type=float, default=1.0, help="of every load; default: 1")
    switching.add_argument("--v-min", type=float, default=0.9, metavar="PU")
    switching.add_argument("--v-max", type=float, default=1.1, metavar="PU")
    switching.add_argument(
        "--loading-max", type=float, default=100.0, metavar="%", help="of lines and transformers"
    )
    switching.add_argument(
        "--fixed", action="append", default=[], metavar="line:NAME", help="may not be switched"
    )
    switching.add_argument(
        "--shed", action="append", default=[], metavar="POINT=STAGE", help="stage 1 is shed first"
    )
    switching.add_argument("--outages", action="store_true", help="lose each line in turn")
    switching.add_argument("--json", action="store_true")
    switching.set_defaults(act=_switching)


def _feeder(args: argparse.Namespace) -> int:
    from gridrig.grid.contents import contents_command

    return contents_command(args.network, print, to_program=args.json)


def _moment(text: str) -> int:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a time with its zone")
    return int(time.timestamp())


def _switching(args: argparse.Namespace) -> int:
    from gridrig.grid import Limits
    from gridrig.minds.switching_command import switching_command

    limits = Limits(args.v_min, args.v_max, args.loading_max, args.loading_max)
    return switching_command(
        args.network,
        pcc=args.pcc,
        engine=args.engine,
        profiles=args.profiles,
        from_utc_s=args.start,
        hours=args.hours,
        scale=args.scale,
        limits=limits,
        fixed=args.fixed,
        shed=args.shed,
        outages=args.outages,
        as_json=args.json,
    )
