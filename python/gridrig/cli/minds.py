"""Commands of forecasts and of the minds that use them."""

import argparse
from pathlib import Path

from gridrig.cli.arguments import AddCommand, whole
from gridrig.errors import GridrigError

KINDS = ("load", "sun", "price")


def add_to(command: AddCommand) -> None:
    """Add these commands to the command line."""
    forecast = command(
        "forecast",
        "forecast a series and print the skill over persistence",
        "examples:\n  gridrig forecast\n"
        "  gridrig forecast meters.csv --column house_w --zone Europe/Berlin\n"
        "  gridrig forecast roof.csv --column pv_w --kind sun --weather irradiance_w_m2\n"
        "columns: time (ISO 8601 with its zone, equal steps), and one a series, empty if missing;\n"
        "a weather column holds what was said at least a day before. No file: open profiles.",
    )
    forecast.add_argument("file", type=Path, nargs="?", metavar="FILE.csv")
    forecast.add_argument("--column", metavar="NAME", help="what is forecast")
    forecast.add_argument(
        "--weather", metavar="NAME", action="append", default=[], help="may be given again"
    )
    forecast.add_argument("--kind", choices=KINDS, default="load", help="default: load")
    forecast.add_argument("--zone", metavar="AREA/CITY", help="default: Europe/Berlin")
    forecast.add_argument(
        "--days", type=whole(2), default=56, help="length of the test; of a file, its last days"
    )
    forecast.add_argument("--json", action="store_true")
    forecast.set_defaults(act=_forecast)


def _forecast(args: argparse.Namespace) -> int:
    from gridrig.minds.forecast_command import forecast_command

    if (args.file is None) != (args.column is None):
        raise GridrigError("cli.usage", "FILE.csv and --column NAME go together")
    return forecast_command(
        args.file,
        column=args.column,
        weather=args.weather,
        kind=args.kind,
        zone=args.zone,
        days=args.days,
        as_json=args.json,
    )
