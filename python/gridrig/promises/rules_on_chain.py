"""The changes of a scenario, said again to a contract at the same times, and what it decides."""

import hashlib
from dataclasses import dataclass

from gridrig.campaign.rule_book import RuleTables
from gridrig.clock import Clock
from gridrig.promises.bench_chains import local_chains
from gridrig.settlement.chain import calls

CONTRACT = "RuleTimelock"
CHAIN_ID = 31_337
OPERATOR = "operator"
LEAD_S = 1_000  # from the deployment to what the scenario calls its beginning


@dataclass(frozen=True)
class _Deed:
    """Something that somebody does at a time of the scenario. [s]"""

    at_s: float
    by: str
    function: str
    given: tuple[object, ...] = ()


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def _deeds(tables: RuleTables, begin_s: int) -> list[_Deed]:
    """Return everything that a scenario has people do, by time; enacting comes last of its time."""
    assert tables.governance is not None
    deeds = []
    for change in tables.changes:
        one, digest = change.proposal, _digest(change.proposal.name)
        effective_s = begin_s + int(one.effective_s)
        announcer = tables.governance.voters[0]
        deeds.append(_Deed(one.announced_s, announcer, "announce", (digest, effective_s)))
        deeds += [_Deed(said.at_s, said.by, "vote", (digest,)) for said in one.votes]
        deeds += [_Deed(said.at_s, said.by, "veto", (digest,)) for said in one.vetoes]
        deeds.append(_Deed(one.effective_s, OPERATOR, "enact", (digest,)))
    deeds += [_Deed(stop.at_s, stop.by, "stop") for stop in tables.stops]
    order = ("announce", "vote", "veto", "stop", "enact")
    return sorted(deeds, key=lambda deed: (deed.at_s, order.index(deed.function)))


async def decided_on_chain(tables: RuleTables, clock: Clock) -> dict[str, bool]:
    """Return which changes a contract enacts, and, by who ordered it, which stops stop.

    Raises
    ------
    SettlementError
        `settlement.chain_node_missing` where no node is installed.
    """
    governance = tables.governance
    assert governance is not None
    decided: dict[str, bool] = {}
    with local_chains(clock, CHAIN_ID) as (chain,):
        contract = await chain.deploy(
            OPERATOR,
            CONTRACT,
            chain.account(OPERATOR),
            [chain.account(name) for name in governance.voters],
            governance.quorum,
            [chain.account(name) for name in governance.veto],
            [chain.account(name) for name in governance.safety],
            governance.delay_s,
            bytes(32),
        )
        begin_s = chain.now_s() + LEAD_S
        for number, deed in enumerate(_deeds(tables, begin_s)):
            chain.next_block_at(begin_s + int(deed.at_s))
            subject, function = f"deed/{number}", deed.function
            call = calls.call(subject, contract, CONTRACT, function, *deed.given)
            if function == "stop":
                decided[deed.by] = not chain.refuses(deed.by, call)
            chain.sign(deed.by, call)
            await chain.include(deed.by)
        for change in tables.changes:
            digest = _digest(change.proposal.name)
            asked = calls.call("", contract, CONTRACT, "changes", digest)
            answer = chain.node.call(contract, asked.data)
            *_, enacted = calls.decode(CONTRACT, "changes", answer)
            decided[change.proposal.name] = bool(enacted)
    return decided
