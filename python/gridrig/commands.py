"""What `gridrig run`, `demo` and `report` do: read the files, run, show, print the verdicts."""

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from gridrig.campaign.builtin import RIGS, SCENARIOS, find, next_run_directory
from gridrig.campaign.bundle import Bundle, digests, read_bundle
from gridrig.campaign.outcomes import Outcome
from gridrig.campaign.progress import show_progress
from gridrig.campaign.recipe import Recipe
from gridrig.campaign.records import BUNDLE
from gridrig.campaign.run import RunResult, run
from gridrig.campaign.run_written import versions
from gridrig.live.picture import Picture
from gridrig.live.serving import served
from gridrig.report.html import build_report
from gridrig.report.junit import write_junit
from gridrig.report.terminal import print_verdicts
from gridrig.rig.description import Rig
from gridrig.rig.lease import Owner, take_lease
from gridrig.rig.toml_file import read_toml
from gridrig.rig.unattended import require_unattended


def run_command(scenario_name: str, rig_name: str, args: argparse.Namespace) -> int:
    """Run a scenario on a rig as the command line asks and return the exit code."""
    scenario_path = find(scenario_name, SCENARIOS)
    recipe = Recipe(
        read_toml(find(rig_name, RIGS)),
        read_toml(scenario_path),
        seed=args.seed,
        engine=args.engine,
        from_s=args.from_s,
        for_s=args.for_s,
        tick_s=args.tick_s,
        capture=args.capture,
    )
    rig, scenario, seed = recipe.prepare()
    if args.unattended:
        require_unattended(rig)
    what = f"gridrig run {scenario_path.stem}"
    lease = take_lease(rig, what, wait_s=args.wait, on_wait=_tell_wait)
    out = args.out or next_run_directory(scenario_path.stem)
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


def rerun_command(path: Path, *, out: Path | None, as_json: bool) -> int:
    """Make a run again from its bundle or directory and compare; return the exit code.

    0: on the virtual clock every file is the same, byte for byte; on a wall clock every verdict. 1:
    something differs; it is named.
    """
    with TemporaryDirectory(prefix="gridrig-rerun-") as files:
        bundle = read_bundle(path, Path(files))
        rig, scenario, seed = bundle.recipe.prepare()
        folder = out or next_run_directory("rerun")
        with show_progress(scenario.duration_s) as progress:
            lease = take_lease(rig, f"gridrig rerun {path}")
            again = run(
                rig, scenario, folder, seed=seed, render=render, progress=progress, lease=lease
            )
    differ = _differences(bundle, again)
    if as_json:
        facts = {"outcome": str(again.outcome), "clock": bundle.clock, "differ": differ}
        print(json.dumps(facts | {"run": str(folder), "files": len(bundle.expected)}, indent=1))
        return 1 if differ else 0
    outcome = bundle.verdicts.outcome
    if not differ:
        what = f"{len(bundle.expected)} files byte for byte"
        if bundle.clock == "wall":
            what = "every verdict (on a wall clock bytes differ by nature)"
        print(f"the same {outcome}: {what}")
    for line in differ:
        print(f"differs: {line}")
    print(f"run     {folder}")
    return 1 if differ else 0


def _differences(bundle: Bundle, again: RunResult) -> list[str]:
    """Name what the second run did not give again."""
    was = {v.criterion.name: v.outcome for v in bundle.verdicts.verdicts}
    now = {v.criterion.name: v.outcome for v in again.verdicts.verdicts}
    found = [
        f"{name}: {was[name]}, now {now.get(name)}" for name in was if was[name] != now.get(name)
    ]
    if bundle.verdicts.outcome != again.verdicts.outcome:
        found.append(f"outcome: {bundle.verdicts.outcome}, now {again.verdicts.outcome}")
    if bundle.clock == "virtual":
        files = digests(again.path)
        names = sorted(bundle.expected.keys() | files.keys())
        found += [name for name in names if bundle.expected.get(name) != files.get(name)]
    if found:
        here = versions()
        found += [
            f"version of {name}: {was_version}, here {here.get(name)}"
            for name, was_version in bundle.versions.items()
            if here.get(name) != was_version
        ]
    return found


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
    if result.verdicts.outcome is not Outcome.PASS:
        console.print(f"again   gridrig rerun {out / BUNDLE}", soft_wrap=True, highlight=False)
    console.print(f"check   gridrig verify {out}", soft_wrap=True, highlight=False)
