"""Commands that run a scenario or look at what a run left."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import SEED_MAX, AddCommand, whole

RUN_EXAMPLES = """examples:
  gridrig demo
  gridrig run sunny-then-storm --rig emulated-street --seed 7 --out runs/seven
  gridrig run my-scenario.toml --rig my-bench.toml
  gridrig run sunny-then-storm --rig emulated-street --live      (prints the page's address)

A name without a path is looked up among the rigs and scenarios that come with gridrig.
exit codes: 0 pass, 1 fail, 2 usage or file wrong, 3 inconclusive, 4 error, 5 aborted,
6 rig left unsafe (the worst of what happened)"""


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    demo = command("demo", "run the built-in rig and scenario", RUN_EXAMPLES)
    _run_options(demo)
    demo.set_defaults(act=_demo)

    run = command("run", "run a scenario on a rig", RUN_EXAMPLES)
    run.add_argument("scenario", metavar="SCENARIO", help="scenario file, or a built-in's name")
    run.add_argument("--rig", required=True, help="rig file, or a built-in's name")
    _run_options(run)
    run.set_defaults(act=_run)

    rerun = command(
        "rerun",
        "make a run or a procedure again from its bundle or its directory, and compare",
        "examples:\n  gridrig rerun runs/storm-3/bundle.zip    (a run that fails saves one)\n"
        "  gridrig rerun bundles/test_volt_var-my-bench.zip    (`gridrig test --bundles bundles`)\n"
        "  gridrig rerun runs/storm-3\n"
        "exit codes: 0 the same (bytes, or on a wall clock verdicts), 1 something differs",
    )
    rerun.add_argument("path", type=Path, metavar="BUNDLE")
    rerun.add_argument("--out", type=Path, help="run directory; default: runs/rerun-NUMBER")
    rerun.add_argument("--json", action="store_true")
    rerun.set_defaults(act=_rerun)

    report = command(
        "report", "rebuild the report of a run directory", "example:\n  gridrig report runs/seven"
    )
    report.add_argument("path", type=Path, metavar="RUN")
    report.add_argument("--out", type=Path, help="where to; default: RUN/report.html")
    report.set_defaults(act=_report)

    verify = command(
        "verify",
        "check a run directory, a driver's certificate, or a proof of one record, offline",
        "examples:\n  gridrig verify runs/seven\n  gridrig verify runs/seven --trust lab-key.pem\n"
        "  gridrig verify c1/certificate.json --trust lab.pub --revoked revoked.json\n"
        "  gridrig verify proof.json --root 8f0c...    (what `gridrig prove` wrote)",
    )
    verify.add_argument("path", type=Path, metavar="PATH")
    verify.add_argument("--trust", type=Path, action="append", default=[], metavar="KEY")
    verify.add_argument("--root", metavar="HEX", help="of the period that a proof is checked for")
    verify.add_argument("--revoked", type=Path, metavar="LIST", help="the lab's revocation list")
    verify.add_argument("--evidence", type=Path, metavar="DIR", help="that a certificate names")
    verify.add_argument("--at", metavar="TIME", help="judge a certificate for this time, not now")
    verify.add_argument("--json", action="store_true")
    verify.set_defaults(act=_verify)


def _run_options(parser: argparse.ArgumentParser) -> None:
    seed = whole(0, SEED_MAX)
    parser.add_argument("--seed", type=seed, help="seed of all randomness; default: the scenario's")
    parser.add_argument("--out", type=Path, help="run directory; default: runs/NAME-NUMBER")
    parser.add_argument("--from-s", type=whole(0), help="begin at this second of the scenario")
    parser.add_argument("--for-s", type=whole(1), help="run only so long")
    parser.add_argument("--tick-s", type=whole(1), help="one tick length throughout")
    parser.add_argument("--engine", choices=["pandapower", "opendss"], help="solve with this one")
    parser.add_argument(
        "--capture", action="store_true", help="record every wire into RUN/capture.jsonl"
    )
    parser.add_argument(
        "--live",
        type=whole(0, 65_535),
        nargs="?",
        const=0,
        metavar="PORT",
        help="serve a page that shows the run, on this machine; default: any free port",
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


def _rerun(args: argparse.Namespace) -> int:
    from gridrig.campaign.procedure_bundle import is_procedure_bundle

    if is_procedure_bundle(args.path):
        from gridrig.campaign.procedure_command import rerun_procedure_command

        return rerun_procedure_command(args.path, as_json=args.json)
    from gridrig.commands import rerun_command

    return rerun_command(args.path, out=args.out, as_json=args.json)


def _report(args: argparse.Namespace) -> int:
    from gridrig.report.html import build_report

    print(build_report(args.path, out=args.out))
    return 0


def _verify(args: argparse.Namespace) -> int:
    from gridrig.conformance.signed_document import is_document

    if args.path.is_file() and is_document(args.path):
        from gridrig.conformance.verification import verify_certificate_command

        return verify_certificate_command(
            args.path,
            trust=args.trust,
            revoked=args.revoked,
            evidence=args.evidence,
            at=args.at,
            as_json=args.json,
        )
    if args.path.is_file():
        from gridrig.settlement.journal_commands import verify_proof_command

        return verify_proof_command(args.path, root=args.root, as_json=args.json)
    from gridrig.campaign.verification import verify_command

    return verify_command(args.path, trust=args.trust, as_json=args.json)
