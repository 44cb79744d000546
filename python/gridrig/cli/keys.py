"""The command that makes keys for devices on secured wires."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import AddCommand, whole


def add_to(command: AddCommand) -> None:
    """Add this command to the command line."""
    keys = command(
        "modbus-keys",
        "make an authority, and certificates with roles, for Modbus over TLS",
        "example:\n  gridrig modbus-keys pki --host 192.0.2.7 --host inverter.lab\n"
        "device.crt, device.key and ca.crt go to the device or the gateway before it,\n"
        "GridServiceSunSpec.* and ca.crt to the bench, ca.key into a safe (docs/secured_modbus.md)",
    )
    keys.add_argument("folder", type=Path, metavar="FOLDER", help="without an authority so far")
    keys.add_argument(
        "--host",
        action="append",
        required=True,
        metavar="HOST",
        help="address or name at which the device is reached; may be repeated",
    )
    keys.add_argument("--name", default="gridrig lab", help="of the authority, for people")
    keys.add_argument("--days", type=whole(1, 3650), default=365, help="how long all is valid")
    keys.set_defaults(act=_keys)


def _keys(args: argparse.Namespace) -> int:
    from gridrig.devices.wire.modbus_authority import make_keys

    make_keys(args.folder, args.host, name=args.name, days=args.days)
    for file in sorted(args.folder.glob("*.crt")):
        print(file)
    return 0
