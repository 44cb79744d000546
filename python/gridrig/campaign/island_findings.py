"""What went wrong in the islands of a run, for a reader of its findings."""

from collections.abc import Iterable, Sequence

from gridrig.campaign.island_watch import IslandRecord
from gridrig.plant import Event

NAMED_MAX = 10
"""Devices that a line names."""


def island_findings(records: Iterable[IslandRecord]) -> list[str]:
    """Return of each island what tripped in it, which former met a limit, and if it died."""
    return [
        f"the island of {record.opened_s:g} s: {'; '.join(said)}"
        for record in records
        if (said := _of(record.troubles))
    ]


def _of(troubles: Sequence[Event]) -> list[str]:
    if all(event.kind == "limit" for event in troubles):
        return []  # a former that meets its opening at its limit, and holds, is no news
    first: dict[tuple[str, str, str], float] = {}
    for event in troubles:
        first.setdefault((event.kind, event.name, event.detail), event.t_s)
    named = [_text(*key, t_s) for key, t_s in list(first.items())[:NAMED_MAX]]
    left = len(first) - len(named)
    return [*named, f"and {left} more"] if left else named


def _text(kind: str, name: str, detail: str, t_s: float) -> str:
    match kind:
        case "tripped":
            return f"{name} tripped ({detail}) at {t_s:.2f} s"
        case "limit":
            return f"{name} reached its limit of {detail} at {t_s:.2f} s"
        case _:
            return f"it lost its voltage at {t_s:.2f} s"
