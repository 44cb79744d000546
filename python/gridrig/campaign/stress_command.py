"""`gridrig stress`: rewards beside fees, over the assumptions of a file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from rich.console import Console
from rich.table import Table

from gridrig.rig.issues import Issues
from gridrig.rig.schema import Name, above, at_least, between, read_draft, read_drafts
from gridrig.rig.toml_file import read_toml
from gridrig.settlement.reward_stress import DISCLAIMER, Assumed, Stress, stress

WEEKS_MAX = 1_040
COUNT_MAX = 10**9
MICRO = 1_000_000
FILE_WIDTH = 120  # of what is no terminal

Count = Annotated[int, between(0, COUNT_MAX)]


@dataclass(frozen=True, kw_only=True)
class _Assumed(Assumed):
    name: Name
    devices: Count
    growth_permille_per_week: Annotated[int, between(-999, 999)]
    wh_per_device_week: Count
    fee_micro_per_kwh: Count
    weeks: Annotated[int, between(1, WEEKS_MAX)]
    pool_micro: Annotated[int, at_least(0)]
    reward_micro_per_kwh: Count = 0
    reward_micro_per_week: Annotated[int, above(-1)] = 0


@dataclass(frozen=True)
class _Top:
    scenario: tuple[dict[str, Any], ...]


def read_assumptions(path: Path | str) -> list[Assumed]:
    """Read a file of assumptions.

    Raises
    ------
    RigError
        `rig.unreadable` or `settlement.stress_file`, with every issue of the file.
    """
    file = read_toml(path)
    issues = Issues(file.path)
    top = read_draft(_Top, file.table, file.top, issues)
    drafts = read_drafts(_Assumed, "scenario", top, issues)
    if top.get("scenario") == ():
        issues.add(file.top.key("scenario"), "none", "at least one [[scenario]]")
    issues.raise_if_any("settlement.stress_file", file.path)
    return [draft.build() for draft in drafts]


def stress_command(path: Path, *, as_json: bool) -> int:
    """Print what comes of each assumption, and what it is not.

    Raises
    ------
    RigError
        As `read_assumptions`.
    """
    found = [stress(assumed) for assumed in read_assumptions(path)]
    if as_json:
        print(
            json.dumps({"note": DISCLAIMER, "scenarios": [asdict(one) for one in found]}, indent=1)
        )
    else:
        _print(found)
    return 0


def _print(found: list[Stress]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("assumed")
    for title in ("weeks", "fees", "rewards", "fees of rewards", "pool left", "empty in week"):
        table.add_column(title, justify="right")
    for one in found:
        share = one.fees_micro / one.rewards_micro if one.rewards_micro else None
        table.add_row(
            one.assumed.name,
            str(one.assumed.weeks),
            *(f"{amount // MICRO}" for amount in (one.fees_micro, one.rewards_micro)),
            "-" if share is None else f"{share:.0%}",
            f"{one.pool_micro // MICRO}",
            str(one.empty_week or "-"),
        )
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=FILE_WIDTH, highlight=False)
    console.print(table)
    console.print(f"\n{DISCLAIMER}")
