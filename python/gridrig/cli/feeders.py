"""Commands about feeders."""

import argparse

from gridrig.cli.arguments import AddCommand


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    feeder = command(
        "feeder",
        "print what a network holds, by the names that rigs and scenarios use",
        "examples:\n  gridrig feeder simbench:1-LV-rural1--2-no_sw\n"
        "  gridrig feeder feeder/Master.dss | grep regulator:",
    )
    feeder.add_argument("network", metavar="NETWORK", help="as in [feeder] network")
    feeder.set_defaults(act=_feeder)


def _feeder(args: argparse.Namespace) -> int:
    from gridrig.grid.contents import contents_command

    return contents_command(args.network, print)
