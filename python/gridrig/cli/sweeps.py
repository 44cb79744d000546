"""Commands of campaigns over many points."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import AddCommand, whole
from gridrig.errors import GridrigError


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    sweep = command(
        "sweep",
        "run a scenario over a grid of parameters and seeds",
        "examples:\n  gridrig sweep sunny-then-storm --rig emulated-street --seeds 1..50\n"
        "  gridrig sweep summer-day --rig emulated-street --seeds 1..5 --for-s 3600 \\\n"
        "      --set rig.device.pv-1.emulate.s_va=9000,11000\n"
        "  gridrig sweep storm.toml --rig bench.toml --seeds 1 --jobs 1 "
        "--set scenario.event.opening.at_s=600,1200\n"
        "  gridrig sweep --resume sweeps/summer-day-1\n"
        "  gridrig sweep --resume sweeps/summer-day-1 --redo 7\n"
        "  gridrig sweep summer-day --rig emulated-street --seeds 1..500 "
        "--scheduler tcp://192.0.2.5:8786\n\n"
        "a cluster needs: pip install 'gridrig[dask]'\n"
        "exit code: the worst of all points, 5 if some were not run",
    )
    sweep.add_argument("scenario", nargs="?", metavar="SCENARIO", help="scenario file or name")
    sweep.add_argument("--rig", help="rig file or name")
    sweep.add_argument(
        "--set",
        dest="parameters",
        action="append",
        default=[],
        metavar="KEY=V1,V2",
        help="values of a key of the rig's or the scenario's file; may be given again",
    )
    sweep.add_argument("--seeds", metavar="1..50", help="seeds; default: the scenario's own")
    sweep.add_argument("--from-s", type=whole(0), help="begin at this second of the scenario")
    sweep.add_argument("--for-s", type=whole(1), help="run only so long")
    sweep.add_argument("--tick-s", type=whole(1), help="one tick length throughout")
    sweep.add_argument("--engine", choices=["pandapower", "opendss"], help="solve with this one")
    sweep.add_argument("--out", type=Path, help="the sweep's folder; default: sweeps/NAME-NUMBER")
    sweep.add_argument("--resume", type=Path, metavar="DIR", help="go on with this sweep")
    sweep.add_argument(
        "--redo", type=whole(1), action="append", default=[], metavar="POINT",
        help="run this point once more; what it came to before is kept",
    )  # fmt: skip
    sweep.add_argument("--jobs", type=whole(1, 1024), help="points at a time; default: all cores")
    sweep.add_argument("--scheduler", metavar="tcp://...", help="run on this Dask cluster")
    sweep.add_argument(
        "--within-s", type=whole(1), help="a point that takes longer is ended as ERROR"
    )
    sweep.add_argument("--json", action="store_true", help="print the results as JSON")
    sweep.set_defaults(act=_sweep)

    points = command(
        "points",
        "show the points of a sweep, or write a note on one",
        "examples:\n  gridrig points sweeps/summer-day-1\n"
        "  gridrig points sweeps/summer-day-1 --note 7 'door was open, fan on'",
    )
    points.add_argument("path", type=Path, metavar="DIR")
    points.add_argument("--note", nargs=2, metavar=("POINT", "TEXT"))
    points.add_argument("--json", action="store_true")
    points.set_defaults(act=_points)


def _sweep(args: argparse.Namespace) -> int:
    import os

    from gridrig.campaign.builtin import RIGS, SCENARIOS, find
    from gridrig.campaign.recipe import Recipe
    from gridrig.rig.toml_file import read_toml
    from gridrig.sweep.command import sweep_command
    from gridrig.sweep.parameters import read_parameter
    from gridrig.sweep.place import Place, next_place
    from gridrig.sweep.plan import Plan, read_seeds

    if args.scheduler is not None and args.jobs is not None:
        raise GridrigError("cli.usage", "--jobs is of this machine, --scheduler of another")
    if args.resume is not None:
        plan_words = ("scenario", "rig", "seeds", "from_s", "for_s", "tick_s", "engine", "out")
        given = [word for word in plan_words if getattr(args, word) is not None]
        if given or args.parameters:
            raise GridrigError("cli.usage", "--resume goes on with the plan that is in its folder")
        plan, path = Place(args.resume).plan(), args.resume
    else:
        if args.scenario is None or args.rig is None:
            raise GridrigError("cli.usage", "expected SCENARIO and --rig RIG, or --resume DIR")
        if args.redo:
            raise GridrigError("cli.usage", "--redo goes with --resume DIR")
        scenario = find(args.scenario, SCENARIOS)
        recipe = Recipe(
            read_toml(find(args.rig, RIGS)),
            read_toml(scenario),
            engine=args.engine,
            from_s=args.from_s,
            for_s=args.for_s,
            tick_s=args.tick_s,
        )
        seeds = read_seeds(args.seeds) if args.seeds else (recipe.prepare()[2],)
        plan = Plan(recipe, tuple(map(read_parameter, args.parameters)), seeds)
        path = args.out or next_place(scenario.stem)
    return sweep_command(
        plan,
        path,
        jobs=args.jobs or (os.cpu_count() or 1),
        scheduler=args.scheduler,
        within_s=args.within_s,
        as_json=args.json,
        redo=args.redo,
    )


def _points(args: argparse.Namespace) -> int:
    from gridrig.sweep.command import points_command

    note = None
    if args.note is not None:
        number, text = args.note
        if not number.isdecimal():
            raise GridrigError("cli.usage", f"found {number!r}, expected the number of a point")
        note = (int(number), text)
    return points_command(args.path, note=note, as_json=args.json)
