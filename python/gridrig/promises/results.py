"""What rows came to: each judged by what was executed, and by figures of this machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gridrig.campaign.outcomes import Outcome, worst
from gridrig.campaign.procedure_summary import Executed, limit_text, value_text
from gridrig.promises.rows import Campaign, Figure, Proof, Row

NOT_PROVEN = "NOT PROVEN"
TOLD = ""


@dataclass(frozen=True)
class Shown:
    """One criterion or figure of a row, and what it came to; TOLD if nothing judges it.

    `machine` is what measured a figure, and what it remarked.
    """

    criterion: str
    measured: str
    limit: str
    outcome: str
    machine: str = ""


@dataclass(frozen=True)
class Result:
    """A row and its verdict: an outcome, or NOT PROVEN."""

    campaign: Campaign
    row: Row
    shown: tuple[Shown, ...]
    verdict: str

    @property
    def machine(self) -> str:
        """Whose figures it shows, empty if it shows none."""
        return next((one.machine for one in self.shown if one.machine), "")


def judged(
    campaign: Campaign,
    row: Row,
    found: Mapping[Proof, Shown],
    figures: Mapping[Figure, Shown] = MappingProxyType({}),
) -> Result:
    """Judge a row by its criteria and figures; what was not executed or measured is an ERROR."""
    if not row.is_carried:
        return Result(campaign, row, (), NOT_PROVEN)
    missing = Shown("", "not executed", "", str(Outcome.ERROR))
    shown = [found.get(proof, missing) for proof in row.proofs]
    shown += [figures.get(figure, unmeasured(figure)) for figure in row.figures]
    outcomes = [Outcome(one.outcome) for one in shown if one.outcome != TOLD]
    return Result(campaign, row, tuple(shown), str(worst(outcomes)))


def unmeasured(figure: Figure, why: str = "not measured") -> Shown:
    """Return what a figure that there is none of comes to: an ERROR, if it would be judged."""
    outcome = str(Outcome.ERROR) if figure.is_judged else TOLD
    return Shown(figure.task, why, "", outcome)


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
