"""A file of zones and links, as `gridrig clear` and `gridrig relief` read it.

main_grid = "grid"                      # optional: the participant that is connected to every zone

[[zone]]
name = "north"
export_milliwh_max = 5000000            # optional, as import_milliwh_max
participants = ["roof-1", "house-2"]    # optional: who is connected there

[[link]]
between = ["north", "south"]            # forward is from the first to the second
limit_milliwh = 4000000                 # each way, unless back_limit_milliwh says otherwise
fee_micro_per_kwh = 20000               # the same for back_fee_micro_per_kwh
financial = true                        # optional: a contract between two networks, no wire

[[link]]
between = ["grid", "north"]             # the main grid's own; without it, no limit and no fee
fee_micro_per_kwh = 30000
"""

from pathlib import Path

from gridrig.errors import MarketError, RigError
from gridrig.market.zones import Network
from gridrig.rig.issues import Issues
from gridrig.rig.network_tables import NetworkTables, check_network
from gridrig.rig.schema import read_draft
from gridrig.rig.toml_file import read_toml


def read_zones(path: str | Path, *, tick_micro_per_kwh: int | None = None) -> Network:
    """Read a file of zones and links.

    Parameters
    ----------
    path : str or Path
    tick_micro_per_kwh : int or None
        Of the market that clears in them, whose multiples all fees are; None if none does.
        [millionths/kWh]

    Raises
    ------
    RigError
        `rig.unreadable` or `market.zone_file`, with every issue found.
    """
    file = read_toml(path)
    issues = Issues(file.path)
    top = read_draft(NetworkTables, file.table, file.top, issues)
    tables = top.build()
    if {"zone", "link"} <= top.values.keys():
        check_network(tables, file.top, issues, tick_micro_per_kwh=tick_micro_per_kwh)
    issues.raise_if_any("market.zone_file", f"{file.path} is no network of zones")
    try:
        return tables.network()
    except MarketError as error:  # too much of something
        issues.add(file.top, error.message, "a network that a market takes")
        raise RigError("market.zone_file", str(error), issues=issues.sorted()) from error


def place_of_zones(path: str | Path) -> str:
    """Return where a file names its participants, as `file:line`; the file alone if nowhere."""
    file = read_toml(path)
    at = file.top.key("zone").item(0).key("participants")
    return file.path if at.line() is None else f"{file.path}:{at.line()}"
