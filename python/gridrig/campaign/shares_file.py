"""The holders of an asset as a file: who is paid what it earns.

```toml
[asset]
participant = "roof-1"              # whose entries are the revenue
cost_micro_per_span = 2_000_000     # of running it; nothing unless stated
zone = "Europe/Berlin"              # of calendar months; UTC unless stated
span_s = 7_200                      # in place of calendar months

[[holder]]
name = "ann"
shares = 3

[[transfer]]                        # parts its span by time
at = "2016-06-20T05:00:00Z"
holder = "ann"
to = "ben"
shares = 2
```
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from gridrig.clock.zones import zone_of
from gridrig.rig.issues import Issues, shown
from gridrig.rig.schema import Name, above, at_least, read_draft, read_drafts
from gridrig.rig.toml_file import read_toml
from gridrig.rig.utc import read_utc
from gridrig.settlement.payouts import Transfer

Whole = Annotated[int, above(0)]


@dataclass(frozen=True)
class _Asset:
    participant: Name
    cost_micro_per_span: Annotated[int, at_least(0)] = 0
    zone: Name = "UTC"
    span_s: Whole | None = None


@dataclass(frozen=True)
class _Holder:
    name: Name
    shares: Whole


@dataclass(frozen=True)
class _Transfer:
    at: str
    holder: Name
    to: Name
    shares: Whole


@dataclass(frozen=True)
class _Top:
    asset: dict[str, Any]
    holder: tuple[dict[str, Any], ...]
    transfer: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Shares:
    """A shares file that holds: the asset, its founders and what moved.

    Parameters
    ----------
    participant : str
        Whose entries are the revenue.
    cost_micro : int
        Of each span. [millionths]
    zone : ZoneInfo
        Of calendar months.
    span_s : int or None
        Length of every span; None for calendar months. [s]
    """

    participant: str
    cost_micro: int
    zone: ZoneInfo
    span_s: int | None
    founders: tuple[tuple[str, int], ...]
    transfers: tuple[Transfer, ...]


def read_shares(path: Path | str) -> Shares:
    """Read and check a shares file.

    Raises
    ------
    RigError
        `rig.unreadable` or `settlement.shares_file`, with every issue of the file.
    """
    file = read_toml(path)
    issues = Issues(file.path)
    top = read_draft(_Top, file.table, file.top, issues)
    asset = read_draft(_Asset, top.get("asset") or {}, file.top.key("asset"), issues)
    zone = zone_of(asset.text("zone") or "")
    if zone is None and asset.text("zone") is not None:
        at = asset.at.key("zone")
        issues.add(at, shown(asset.text("zone")), "a name such as 'Europe/Berlin', or 'UTC'")
    holders = read_drafts(_Holder, "holder", top, issues)
    moved = read_drafts(_Transfer, "transfer", top, issues)
    if top.get("holder") == ():
        issues.add(file.top.key("holder"), "nobody", "at least one [[holder]]")
    at_s = [read_utc(draft.text("at"), draft.at.key("at"), issues) for draft in moved]
    issues.raise_if_any("settlement.shares_file", file.path)
    read = asset.build()
    assert zone is not None, "a zone that there is not is an issue"
    return Shares(
        read.participant,
        read.cost_micro_per_span,
        zone,
        read.span_s,
        tuple((one.name, one.shares) for one in (draft.build() for draft in holders)),
        tuple(
            Transfer(1000 * (when or 0), one.holder, one.to, one.shares)
            for when, one in zip(at_s, (draft.build() for draft in moved), strict=True)
        ),
    )
