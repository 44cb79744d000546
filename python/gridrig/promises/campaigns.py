"""The ten campaigns, and the file of each procedure that carries a row."""

from collections.abc import Sequence

from gridrig.errors import GridrigError
from gridrig.promises.rows import ROWS, Row
from gridrig.suggestions import near_miss

TITLES = {
    1: "sunny afternoon",
    2: "storm with the ledger down",
    3: "evening EV peak",
    4: "virtual power plant",
    5: "certificate year",
    6: "liars",
    7: "bad network",
    8: "stressed feeder",
    9: "night compute",
    10: "two regions, two chains, a rule change",
}
SUITES = {
    "test_sunny_afternoon": "hil/promises/test_sunny_afternoon.py",
    "test_guarded_minds": "hil/promises/test_guarded_minds.py",
    "test_storm": "hil/promises/test_storm.py",
    "test_liars": "hil/promises/test_liars.py",
    "test_intentional_islanding": "hil/islanding/test_intentional_islanding.py",
    "test_unintentional_islanding": "hil/islanding/test_unintentional_islanding.py",
}


def chosen_rows(chosen: Sequence[str]) -> list[Row]:
    """Return the rows of campaigns by number and rows by name, in order; all if none is named.

    Raises
    ------
    GridrigError
        `promises.unknown`, with the near miss.
    """
    known = {one.name for one in ROWS} | {str(number) for number in TITLES}
    for word in chosen:
        if word not in known:
            raise GridrigError(
                "promises.unknown",
                "no campaign or row {word!r}, expected 1 to 10, M1 to M34 or N1 to N14 "
                "(near miss: {near})",
                word=word,
                near=near_miss(word, known),
            )
    return [
        one
        for one in sorted(ROWS, key=lambda row: row.campaign)
        if not chosen or one.name in chosen or str(one.campaign) in chosen
    ]


def suites_of(rows: Sequence[Row]) -> list[str]:
    """Return what has to be run for rows, each once, as pytest names it."""
    procedures = dict.fromkeys(proof.procedure for row in rows for proof in row.proofs)
    return [f"{SUITES[name]}::{name}" for name in procedures]
