"""Commands that a bench is set up and tested with."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gridrig.cli.arguments import AddCommand
from gridrig.errors import GridrigError


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    check = command(
        "check",
        "validate a rig, identify and read every device, leave it safe",
        "examples:\n  gridrig check emulated-street\n"
        "  gridrig check bench.toml --scenario storm.toml\n"
        "  gridrig check bench.toml --dry-run      (shows every write, sends none)\n"
        "  gridrig check emulated-bench --energise --yes\n"
        "  gridrig check bench.toml --json         (identities, readings, how it was left)\n"
        "exit codes: 0 all answer and are safe, 1 the wiring is wrong, 2 usage or file wrong,\n"
        "4 a device does not answer, 5 stopped, 6 rig left unsafe",
    )
    check.add_argument("rig", metavar="RIG")
    check.add_argument("--scenario", help="check that this scenario fits the rig")
    check.add_argument("--dry-run", action="store_true", help="show every write, send none")
    check.add_argument(
        "--energise", action="store_true", help="prove the wiring, step by step with a prompt"
    )
    check.add_argument("--yes", action="store_true", help="answer every prompt with yes")
    check.add_argument(
        "--json", action="store_true", help="print identities, readings, writes and issues as JSON"
    )
    check.set_defaults(act=_check)

    enrol = command(
        "enrol",
        "read the public key of every meter of a rig and print its [[key]] tables",
        "example:\n  gridrig enrol bench.toml >> bench.toml",
    )
    enrol.add_argument("rig", metavar="RIG")
    enrol.set_defaults(act=_enrol)

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
        "  gridrig test hil/islanding --rig my-bench.toml --junitxml out.xml\n"
        "  gridrig test --evidence campaign-1       (signed; gridrig verify campaign-1)\n"
        "  gridrig test -v -k limit                 (every option of pytest works)\n"
        "  gridrig test -m soak                     (the long ones, left out otherwise)\n\n"
        "exit codes: 0 pass, 1 fail or a mutant lives, 2 usage or nothing collected,\n"
        "3 inconclusive or skipped, 4 error, 5 aborted, 6 rig left unsafe",
    )
    # Paths and pytest's options go to pytest as they are; only it can tell one from the other.
    test.usage = "gridrig test [PATH ...] [--rig RIG] [--mutants] [--allow-skips] "
    test.usage += "[--every-criterion] [--repetitions N] [--results FILE] "
    test.usage += "[--captures DIR] [--bundles DIR] [--report DIR] [--evidence DIR] [--json] "
    test.usage += "[--unattended] [pytest options]"
    test.add_argument("--rig", help="rig file or name; default: the one each procedure names")
    test.add_argument("--mutants", action="store_true", help="run each procedure's mutants too")
    test.add_argument("--allow-skips", action="store_true", help="a missing capability is no fault")
    test.add_argument(
        "--every-criterion", action="store_true", help="fail if no mutant needs a criterion"
    )
    test.add_argument("--repetitions", metavar="N", help="try N times what is to be repeated")
    test.add_argument("--results", metavar="FILE", help="write settings and criteria as CSV")
    test.add_argument("--captures", metavar="DIR", help="record every wire, a file a procedure")
    test.add_argument("--bundles", metavar="DIR", help="save what makes a failure again")
    test.add_argument("--unattended", action="store_true", help="nobody stands beside the bench")
    test.add_argument(
        "--report",
        metavar="DIR",
        type=Path,
        help="write a page for each procedure, and index.html over all",
    )
    test.add_argument(
        "--evidence",
        metavar="DIR",
        type=Path,
        help="keep inputs, events, recordings, pages, JUnit and bundles in a new directory, signed",
    )
    test.add_argument("--json", action="store_true", help="print all verdicts as JSON")
    test.set_defaults(act=_test, rest=[])


def _check(args: argparse.Namespace) -> int:
    from gridrig.campaign.checking import check_command

    if args.energise and args.dry_run:
        raise GridrigError("cli.usage", "--energise and --dry-run exclude each other")

    async def yes(what: str) -> bool:
        print(f"next: {what}", file=sys.stderr if args.json else sys.stdout)
        return True

    return check_command(
        args.rig,
        args.scenario,
        dry_run=args.dry_run,
        energise=args.energise,
        ask=yes if args.yes else None,
        as_json=args.json,
    )


def _enrol(args: argparse.Namespace) -> int:
    from gridrig.campaign.checking import enrol_command

    return enrol_command(args.rig)


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
        every_criterion=args.every_criterion,
        repetitions=args.repetitions,
        results=args.results,
        captures=args.captures,
        bundles=args.bundles,
        evidence=args.evidence and str(args.evidence),
        unattended=args.unattended,
        report=_pages([folder for folder in (args.report, args.evidence) if folder is not None]),
        as_json=args.json,
    )


def _pages(folders: Sequence[Path]) -> Callable[[Sequence[Any]], object] | None:
    if not folders:
        return None
    from gridrig.report.campaign_page import write_campaign

    def write(executed: Sequence[Any]) -> None:
        for folder in folders:
            print(f"report  {write_campaign(folder, executed)}")

    return write
