"""What a run or procedure was found to be: its criteria, how it ended, and what it left behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gridrig.campaign.measurements import Verdict
from gridrig.campaign.outcomes import Outcome, worst
from gridrig.errors import CampaignError


@dataclass(frozen=True)
class RunVerdicts:
    """Everything a run was found to be: the content of `verdicts.json`.

    Parameters
    ----------
    title : str
        Of the run.
    verdicts : tuple of Verdict
        One a criterion; none at all makes the run an ERROR.
    ended, cause
        How the procedure itself ended (PASS, ERROR, ABORTED), and why if not PASS.
    devices_end : mapping of str to str
        Device name to the state it was left in.
    left_unsafe : tuple of str
        Devices not known to be in their safe state; any makes the run UNSAFE.
    findings : tuple of str
        What a reader must know that no criterion says.
    invalid : tuple of str
        Why no criterion can be believed, such as missed deadlines; INCONCLUSIVE at best.
    """

    title: str
    verdicts: tuple[Verdict, ...]
    ended: Outcome = Outcome.PASS
    cause: str = ""
    devices_end: Mapping[str, str] = field(default_factory=dict)
    left_unsafe: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """The worst of what happened."""
        judged = worst(verdict.outcome for verdict in self.verdicts)
        doubt = [Outcome.INCONCLUSIVE] if self.invalid else []
        return worst([judged, self.ended, *doubt, *(Outcome.UNSAFE for _ in self.left_unsafe)])

    @property
    def exit_code(self) -> int:
        """Exit code of the run."""
        return self.outcome.exit_code

    def to_json(self) -> dict[str, Any]:
        """Return the content of `verdicts.json`."""
        return {
            "title": self.title,
            "outcome": str(self.outcome),
            "exit_code": self.exit_code,
            "ended": str(self.ended),
            "cause": self.cause,
            "criteria": [verdict.to_json() for verdict in self.verdicts],
            "devices_end": dict(self.devices_end),
            "left_unsafe": list(self.left_unsafe),
            "invalid": list(self.invalid),
            "findings": list(self.findings),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "RunVerdicts":
        """Read `verdicts.json` back.

        Raises
        ------
        CampaignError
            If the outcome written is not the one its criteria come to.
        """
        verdicts = cls(
            content["title"],
            tuple(Verdict.from_json(entry) for entry in content["criteria"]),
            Outcome(content.get("ended", "PASS")),
            content.get("cause", ""),
            dict(content.get("devices_end", {})),
            tuple(content.get("left_unsafe", ())),
            tuple(content.get("findings", ())),
            tuple(content.get("invalid", ())),
        )
        if content["outcome"] != verdicts.outcome or content["exit_code"] != verdicts.exit_code:
            raise CampaignError(
                "campaign.verdicts_disagree",
                "verdicts say {found}, their criteria come to {expected}",
                found=content["outcome"],
                expected=str(verdicts.outcome),
            )
        return verdicts
