"""`gridrig facts`: a root over the signed readings of a run, and receipts that need nothing else.

Every record is verified anew, from the bytes received and under the keys of the rig file that the
run holds. What does not verify is no fact, and its absence can be shown as well.
"""

import json
from pathlib import Path

from gridrig._core import Verifier
from gridrig.campaign import records
from gridrig.campaign.received_readings import received_readings
from gridrig.errors import CampaignError, MeteringError, SettlementError
from gridrig.metering import enrol_all
from gridrig.rig.description import load_rig
from gridrig.settlement.fact_file import fact_json, read_fact
from gridrig.settlement.facts import FactTree, Receipt

ROOT_HEX = 64


def root_command(run: Path) -> int:
    """Print the root over the facts of a run, and how many there are."""
    tree, lines = _facts(run)
    print(f"{tree.root().hex()}  {len(tree)} facts of {len(lines)} records")
    return 0


def prove_command(run: Path, line: int) -> int:
    """Print what shows that the record of a line is among the facts of a run, or is not.

    Raises
    ------
    CampaignError
        `campaign.facts_line` if there is no such line.
    """
    tree, lines = _facts(run)
    if line not in lines:
        raise CampaignError(
            "campaign.facts_line",
            "{path} has no record in line {line}, expected 1 to {last}",
            path=str(run / records.READINGS),
            line=line,
            last=max(lines, default=0),
        )
    record = lines[line]
    shown = tree.receipt(record) if record in tree else tree.absence(record)
    print(json.dumps(fact_json(shown), indent=1))
    return 0


def check_command(path: Path, root: str) -> int:
    """Check a receipt with the root alone; print what it shows, return 1 if it shows nothing.

    Raises
    ------
    SettlementError
        `settlement.fact_malformed`, also for a root that is none.
    """
    shown = read_fact(path)
    try:
        if len(root) != ROOT_HEX:
            raise ValueError(f"{len(root)} digits")
        digest = bytes.fromhex(root)
    except ValueError as fault:
        raise SettlementError(
            "settlement.fact_malformed",
            "root {found!r}, expected {expected} hex digits",
            found=root,
            expected=ROOT_HEX,
        ) from fault
    try:
        shown.verify(digest)
    except SettlementError as refusal:
        print(f"not shown: {refusal}")
        return 1
    print("present" if isinstance(shown, Receipt) else "absent, if the leaves are in order")
    return 0


def _facts(run: Path) -> tuple[FactTree, dict[int, bytes]]:
    """Return the tree of what verifies, and every record by its line."""
    verifier = Verifier()
    enrol_all(verifier, load_rig(run / records.RIG).keys)
    lines: dict[int, bytes] = {}
    facts = []
    for received in received_readings(run):
        lines[received.line] = received.record
        try:
            verifier.verify(received.record, at_s=received.received_s, meter=received.meter)
        except MeteringError:
            continue
        facts.append(received.record)
    return FactTree(facts), lines
