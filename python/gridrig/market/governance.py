"""Who may change the rules of a market, and when a change takes effect.

A change is announced, voted on, and takes effect after a delay, unless one who may veto it does.
What is decided is a function of what was said before the change would take effect: nobody can vote,
or take a vote back, afterwards. An emergency stop needs no vote and no delay; it only stops.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Code = Literal["", "governance.delay_short", "governance.vetoed", "governance.quorum_short"]
"""Why a change has no effect, in the order in which the reasons are looked for; empty if it has."""


@dataclass(frozen=True)
class Governance:
    """Who decides what.

    Parameters
    ----------
    delay_s : int
        Least time from announcement to effect. [s]
    voters : tuple of str
        Who may vote for a change, each once.
    quorum : int
        How many of them have to.
    veto : tuple of str
        Each of whom can stop a change before it takes effect.
    safety : tuple of str
        Each of whom can stop trading at once.
    """

    delay_s: int
    voters: tuple[str, ...]
    quorum: int
    veto: tuple[str, ...] = ()
    safety: tuple[str, ...] = ()


@dataclass(frozen=True)
class Said:
    """A vote or a veto: by whom, and when. [s]"""

    by: str
    at_s: float


@dataclass(frozen=True)
class Proposal:
    """A change that is asked for.

    Parameters
    ----------
    name : str
        What people call it.
    announced_s, effective_s : float
        When everybody could know of it, and when it is to take effect. [s]
    votes, vetoes : tuple of Said
        In any order.
    """

    name: str
    announced_s: float
    effective_s: float
    votes: tuple[Said, ...] = ()
    vetoes: tuple[Said, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What became of a proposal.

    Parameters
    ----------
    code : str
        Why it has no effect; empty if it has.
    reason : str
        The same as a sentence.
    in_favour : tuple of str
        Whose votes counted, by name.
    """

    proposal: Proposal
    code: Code
    reason: str
    in_favour: tuple[str, ...]

    @property
    def enacted(self) -> bool:
        """Tell whether the change takes effect."""
        return not self.code


def decide(governance: Governance, proposal: Proposal) -> Decision:
    """Decide on a change by what was said from its announcement until it would take effect.

    Examples
    --------
    >>> rules = Governance(delay_s=3600, voters=("ann", "ben", "cem"), quorum=2, veto=("dee",))
    >>> votes = (Said("ann", 10), Said("ben", 20))
    >>> decide(rules, Proposal("dearer", 0, 3600, votes)).enacted
    True
    >>> decide(rules, Proposal("dearer", 0, 3600, votes, (Said("dee", 3599),))).code
    'governance.vetoed'
    """

    def counted(said: Iterable[Said], entitled: Iterable[str]) -> tuple[str, ...]:
        in_time = {
            one.by for one in said if proposal.announced_s <= one.at_s < proposal.effective_s
        }
        return tuple(sorted(in_time & set(entitled)))

    in_favour = counted(proposal.votes, governance.voters)
    against = counted(proposal.vetoes, governance.veto)
    waited_s = proposal.effective_s - proposal.announced_s
    code: Code = ""
    reason = f"{len(in_favour)} of {governance.quorum} votes, announced {waited_s:g} s before"
    if waited_s < governance.delay_s:
        code = "governance.delay_short"
        reason = f"announced {waited_s:g} s before it, expected {governance.delay_s} s"
    elif against:
        code, reason = "governance.vetoed", f"vetoed by {', '.join(against)}"
    elif len(in_favour) < governance.quorum:
        code = "governance.quorum_short"
        reason = f"{len(in_favour)} votes counted, expected {governance.quorum}"
    return Decision(proposal, code, reason, in_favour)
