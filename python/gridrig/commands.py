"""What `gridrig run`, `demo` and `report` do: read the files, run, show, print the verdicts."""

import argparse
import json
import math
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from gridrig.campaign.builtin import RIGS, SCENARIOS, find, next_run_directory
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.progress import show_progress
from gridrig.campaign.renewal_fit import require_renewal
from gridrig.campaign.run import RunResult, run
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.scenario_fit import require_fit
from gridrig.campaign.slicing import slice_scenario
from gridrig.live.picture import Picture
from gridrig.live.serving import served
from gridrig.report.html import build_report
from gridrig.report.junit import write_junit
from gridrig.report.terminal import print_verdicts
from gridrig.rig.description import Rig, load_rig
from gridrig.rig.lease import Owner, take_lease
from gridrig.rig.unattended import require_unattended


def run_command(scenario_name: str, rig_name: str, args: argparse.Namespace) -> int:
    """Run a scenario on a rig as the command line asks and return the exit code."""
    rig = load_rig(find(rig_name, RIGS))
    if args.engine is not None and rig.feeder is not None:
        rig = replace(rig, feeder=replace(rig.feeder, engine=args.engine))
    if args.capture:
        rig = replace(rig, capture=True)
    scenario_path = find(scenario_name, SCENARIOS)
    units = {name: known.unit for name, known in CATALOGUE.items()}
    scenario = load_scenario(scenario_path, units)
    begin_s = args.from_s or 0
    require_fit(
        rig,
        scenario,
        from_s=begin_s,
        to_s=math.inf if args.for_s is None else begin_s + args.for_s,
    )
    if args.from_s is not None or args.for_s is not None or args.tick_s is not None:
        scenario = slice_scenario(scenario, from_s=begin_s, for_s=args.for_s, tick_s=args.tick_s)
    require_renewal(rig, scenario)
    if args.unattended:
        require_unattended(rig)
    what = f"gridrig run {scenario_path.stem}"
    lease = take_lease(rig, what, wait_s=args.wait, on_wait=_tell_wait)
    out = args.out or next_run_directory(scenario_path.stem)
    seed = scenario.seed if args.seed is None else args.seed
    with show_progress(scenario.duration_s) as shown:
        if args.live is None:
            result = run(rig, scenario, out, seed=seed, render=render, progress=shown, lease=lease)
        else:
            picture = Picture(rig, scenario.title, scenario.duration_s)
            with served(picture, shown, port=args.live, tell=_tell_live) as (progress, end):
                result = run(
                    rig, scenario, out, seed=seed, render=render, progress=progress, lease=lease
                )
                end(result.verdicts)
    if args.json:
        print(json.dumps(result.verdicts.to_json(), indent=1))
    else:
        _tell(result, rig, out)
    if result.flaw:
        again = f"gridrig report {out}"
        print(f"the report was not made: {result.flaw}; try again: {again}", file=sys.stderr)
    return result.outcome.exit_code


def _tell_wait(wire: str, owner: Owner | None) -> None:
    print(f"waiting for {wire}, in use by {owner or 'others in line'}", file=sys.stderr)


def _tell_live(address: str) -> None:
    print(f"live view  {address}", file=sys.stderr)


def render(directory: Path) -> None:
    """Write the report and the JUnit file of a run directory."""
    build_report(directory)
    write_junit(directory)


def _tell(result: RunResult, rig: Rig, out: Path) -> None:
    console = Console(file=sys.stdout)
    print_verdicts(result.verdicts, console, emulated=any(d.emulated for d in rig.devices))
    if not result.flaw:
        console.print(f"report  {out / 'report.html'}", soft_wrap=True, highlight=False)
    console.print(f"check   gridrig verify {out}", soft_wrap=True, highlight=False)
