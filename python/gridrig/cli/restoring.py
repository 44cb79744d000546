"""The command that puts a bench back as it was found."""

import argparse

from gridrig.cli.arguments import AddCommand


def add_to(command: AddCommand) -> None:
    """Add this command to the command line."""
    restore = command(
        "restore",
        "put back what a run that was killed had changed on a bench, and leave it safe",
        "examples:\n  gridrig restore bench.toml\n"
        "  gridrig restore bench.toml --forget inverter-1    (it was set by hand)\n"
        "`gridrig check`, `run` and `test` do it too, before anything else.\n"
        "exit codes: 0 restored, or nothing to restore, 2 the bench is in use, 4 a device\n"
        "does not open, 5 stopped, 6 rig left unsafe",
    )
    restore.add_argument("rig", metavar="RIG")
    restore.add_argument("--forget", metavar="DEVICE", help="give up what was kept of a device")
    restore.add_argument(
        "--wait", type=float, default=0.0, metavar="S", help="wait so long for a bench in use"
    )
    restore.add_argument("--json", action="store_true", help="print what was restored as JSON")
    restore.set_defaults(act=_restore)


def _restore(args: argparse.Namespace) -> int:
    from gridrig.campaign.restoring import restore_command

    return restore_command(args.rig, give_up=args.forget, wait_s=args.wait, as_json=args.json)
