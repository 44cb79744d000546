"""Which campaigns and rows are asked for, and what has to be run for them."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from gridrig.errors import GridrigError
from gridrig.promises.campaigns import CAMPAIGNS
from gridrig.promises.rows import Campaign, Row
from gridrig.suggestions import near_miss


def chosen_rows(chosen: Sequence[str]) -> list[tuple[Campaign, Row]]:
    """Return the rows of campaigns by number and rows by name, in order; all if none is named.

    Raises
    ------
    GridrigError
        `promises.unknown`, with the near miss.
    """
    everything = [(campaign, row) for campaign in CAMPAIGNS for row in campaign.rows]
    known = {row.name for _, row in everything} | {str(one.number) for one in CAMPAIGNS}
    for word in chosen:
        if word not in known:
            near = word.upper() if word.upper() in known else near_miss(word, known)
            raise GridrigError(
                "promises.unknown",
                "no campaign or row {word!r}, expected 1 to 10, M1 to M34 or N1 to N14{hint}",
                word=word,
                hint=f" (did you mean {near!r}?)" if near else "",
            )
    return [
        (campaign, row)
        for campaign, row in everything
        if not chosen or row.name in chosen or str(campaign.number) in chosen
    ]


def suites_of(rows: Sequence[tuple[Campaign, Row]]) -> list[str]:
    """Return what has to be run for rows, each once, as pytest names it."""
    needed: dict[str, None] = {}
    for campaign, row in rows:
        files = {PurePosixPath(suite).stem: suite for suite in campaign.suites}
        for proof in row.proofs:
            needed[f"{files[proof.procedure]}::{proof.procedure}"] = None
    return list(needed)
