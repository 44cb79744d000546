"""What rows came to: each judged by the criteria of what was executed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gridrig.campaign.outcomes import Outcome, worst
from gridrig.campaign.procedure_summary import Executed, limit_text, value_text
from gridrig.promises.rows import Campaign, Proof, Row

NOT_PROVEN = "NOT PROVEN"


@dataclass(frozen=True)
class Shown:
    """One criterion that carries a row, and what it came to."""

    criterion: str
    measured: str
    limit: str
    outcome: str


@dataclass(frozen=True)
class Result:
    """A row and its verdict: an outcome, or NOT PROVEN."""

    campaign: Campaign
    row: Row
    shown: tuple[Shown, ...]
    verdict: str


def judged(campaign: Campaign, row: Row, found: Mapping[Proof, Shown]) -> Result:
    """Judge a row by its criteria; one that was not executed is an ERROR."""
    if not row.proofs:
        return Result(campaign, row, (), NOT_PROVEN)
    missing = Shown("", "not executed", "", str(Outcome.ERROR))
    shown = tuple(found.get(proof, missing) for proof in row.proofs)
    return Result(campaign, row, shown, str(worst(Outcome(one.outcome) for one in shown)))


def shown_by(executed: Sequence[Executed]) -> Mapping[Proof, Shown]:
    """Return what each criterion came to on the bench's own devices."""
    return {
        Proof(one.tested.name, verdict.criterion.name): Shown(
            verdict.criterion.name,
            value_text(verdict),
            limit_text(verdict.criterion),
            str(verdict.outcome),
        )
        for one in executed
        if one.mutant is None
        for verdict in one.execution.verdicts.verdicts
    }
