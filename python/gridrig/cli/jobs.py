"""Commands on computing jobs."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import AddCommand


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    jobs = command(
        "jobs",
        "show how the computing jobs of a run ended, and retire certificates for what they took",
        "examples:\n"
        "  gridrig run promise-9-night-compute --rig emulated-compute-node --out runs/night\n"
        "  gridrig jobs runs/night\n"
        "  gridrig certificates mint runs/night --register certificates.db\n"
        "  gridrig jobs runs/night --register certificates.db --holder roof",
    )
    jobs.add_argument("path", type=Path, metavar="RUN")
    jobs.add_argument("--json", action="store_true")
    jobs.add_argument("--register", type=Path, metavar="FILE", help="certificates to retire from")
    jobs.add_argument("--holder", metavar="NAME", help="whose certificates; with --register")
    jobs.set_defaults(act=lambda args: _jobs(jobs, args))


def _jobs(parser: argparse.ArgumentParser, args: argparse.Namespace) -> int:
    from gridrig.campaign.jobs_command import jobs_command

    if (args.register is None) != (args.holder is None):
        parser.error("--register and --holder go together")
    return jobs_command(args.path, register=args.register, holder=args.holder, as_json=args.json)
