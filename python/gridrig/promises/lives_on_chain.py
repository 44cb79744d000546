"""The life of certificates in a registry on a chain, every step tried in every state.

The rule is written down here as two tables, for whom a step is and for who has no business with it;
the contract has to keep to them, by the names of its errors. What became of a certificate is read
from the node by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gridrig._core import MeterPeriod
from gridrig.promises.bench_chains import BenchChain
from gridrig.promises.chain_reader import FROZEN, RETIRED_BY, UNITS_OF, ChainReader
from gridrig.settlement.certificates import certificate_key
from gridrig.settlement.chain import Call, Certificate, calls, certificates

REGISTRY = "CertificateRegistry"
ISSUER, RIVAL, OWNER, FRIEND, STRANGER = "issuer", "other-issuer", "owner", "friend", "stranger"
WAY_TO: dict[str, tuple[str, ...]] = {
    "free": (),
    "held": ("issue",),
    "passed on": ("issue", "transfer"),
    "retired": ("issue", "retire"),
    "frozen": ("issue", "freeze"),
}
STEPS = ("issue", "transfer", "retire", "freeze")
HOURS_NEEDED = len(WAY_TO) * len(STEPS)

NO_UNITS, NO_ROLE = "ERC1155InsufficientBalance", "AccessControlUnauthorizedAccount"
NOT_ALLOWED, NOT_ITS_OWN = "ERC1155MissingApprovalForAll", "NotIssuer"
TAKEN, IS_FROZEN = "QuantumTaken", "Frozen"
BY_RIGHT: dict[str, tuple[str, str, str, str]] = {
    # in state      issue    transfer     retire     freeze
    "free": ("held", NO_UNITS, NO_UNITS, NOT_ITS_OWN),
    "held": (TAKEN, "passed on", "retired", "frozen"),
    "passed on": (TAKEN, "held", "retired by friend", "passed on, frozen"),
    "retired": (TAKEN, NO_UNITS, NO_UNITS, "retired, frozen"),
    "frozen": (TAKEN, IS_FROZEN, IS_FROZEN, "frozen"),
}
"""What a step comes to, by who is to make it: the next state, or the error that refuses it."""
BY_STRANGER: dict[str, tuple[str, str, str, str]] = {
    "free": (NO_ROLE, NOT_ALLOWED, NO_UNITS, NO_ROLE),
    "held": (NO_ROLE, NOT_ALLOWED, NO_UNITS, NO_ROLE),
    "passed on": (NO_ROLE, NOT_ALLOWED, NO_UNITS, NO_ROLE),
    "retired": (NO_ROLE, NOT_ALLOWED, NO_UNITS, NO_ROLE),
    "frozen": (NO_ROLE, NOT_ALLOWED, IS_FROZEN, NO_ROLE),
}
"""By which error everybody else is refused."""
STANDS: dict[str, tuple[int, int, int, int, bool]] = {
    "free": (0, 0, 0, 0, False),
    "held": (1, 0, 0, 0, False),
    "passed on": (0, 1, 0, 0, False),
    "passed on, frozen": (0, 1, 0, 0, True),
    "retired": (0, 0, 1, 0, False),
    "retired by friend": (0, 0, 0, 1, False),
    "retired, frozen": (0, 0, 1, 0, True),
    "frozen": (1, 0, 0, 0, True),
}
"""Of all units: what owner and friend hold, what each of them retired, and whether it is frozen."""


@dataclass
class Lives:
    """How many steps were tried, and which came to something else than the tables say."""

    tried: int = 0
    unlike: list[str] = field(default_factory=list)


async def build_registry(chain: BenchChain) -> bytes:
    """Deploy a registry with two issuers, and return where it is."""
    admin = chain.account(ISSUER)
    where = await chain.deploy(ISSUER, REGISTRY, admin, admin)
    role = chain.node.call(where, calls.call("role", where, REGISTRY, "ISSUER").data)
    grant = calls.call("grant", where, REGISTRY, "grantRole", role, chain.account(RIVAL))
    await chain.finish(ISSUER, grant)
    return where


async def lives_on_chain(
    chain: BenchChain, registry: bytes, asset: bytes, hours: Sequence[MeterPeriod]
) -> Lives:
    """Try each step in each state, by everybody else first and then by whose step it is.

    Parameters
    ----------
    asset : bytes, shape (32,)
        Pseudonym of the connection point, of which nothing is issued in `registry` yet.
    hours : sequence of MeterPeriod
        Signed ones with energy, one a trial: at least `HOURS_NEEDED`.
    """
    lives = Lives()
    chain.next_block_at(max(hour.to_ms for hour in hours) // 1000)  # all is metered by then
    trials = [(state, place) for state in WAY_TO for place in range(len(STEPS))]
    for (state, place), hour in zip(trials, hours, strict=False):
        one = _Life(chain, registry, asset, hour, label=f"{asset.hex()}/{state}/{STEPS[place]}")
        for step in WAY_TO[state]:
            await one.take(step, one.whose(step))
        for who, error in _strangers(state, place):
            found = await one.take(STEPS[place], who)
            lives.tried += 1
            if found != error or one.stands() != STANDS[state]:
                lives.unlike.append(f"{state}: {STEPS[place]} by {who}: {found or 'done'}")
        expected = BY_RIGHT[state][place]
        whose = one.whose(STEPS[place])
        found = await one.take(STEPS[place], whose)
        lives.tried += 1
        done = expected in STANDS
        after = STANDS[expected if done else state]
        if found != ("" if done else expected) or one.stands() != after:
            lives.unlike.append(f"{state}: {STEPS[place]} by {whose}: {found or 'done'}")
    return lives


def _strangers(state: str, place: int) -> list[tuple[str, str]]:
    """Return who else tries a step in a state, and what they should meet."""
    others = [(STRANGER, BY_STRANGER[state][place])]
    if STEPS[place] == "freeze":
        others.append((RIVAL, NOT_ITS_OWN))
    if state == "passed on" and STEPS[place] in ("transfer", "retire"):
        others.append((OWNER, BY_STRANGER[state][place]))  # it is theirs no longer
    return others


class _Life:
    """One certificate, led through some steps."""

    def __init__(
        self, chain: BenchChain, registry: bytes, asset: bytes, hour: MeterPeriod, *, label: str
    ) -> None:
        self._chain, self._registry, self._label = chain, registry, label
        self._reader = ChainReader(chain.url)
        first, quanta = certificates.quanta_of(hour.from_ms // 1000, hour.to_ms // 1000)
        self._certificate = Certificate(
            asset=asset,
            direction="export",
            first_quantum=first,
            quanta=quanta,
            owner=chain.account(OWNER),
            energy_wh=hour.export_milliwh // 1000,
            chain_id=chain.chain_id,
            registry=registry,
        )
        self._number = int.from_bytes(certificate_key(asset, first, "export"), "big")
        self._holder, self._taken = OWNER, 0

    def whose(self, step: str) -> str:
        """Return who is to make a step now."""
        return ISSUER if step in ("issue", "freeze") else self._holder

    async def take(self, step: str, by: str) -> str:
        """Let somebody make a step with all units; return the error that refuses it."""
        self._taken += 1
        found = await self._chain.attempt(by, REGISTRY, self._call(step, by))
        if step == "transfer" and not found:
            self._holder = FRIEND if self._holder == OWNER else OWNER
        return found

    def _call(self, step: str, by: str) -> Call:
        subject = f"{self._label}/{self._taken} by {by}"
        if step == "issue":
            issue = certificates.issue(self._certificate)
            return Call(subject, issue.target, issue.data, issue.gas_max)
        number, energy_wh = self._number, self._certificate.energy_wh
        holder = self._chain.account(self._holder)
        to = self._chain.account(FRIEND if self._holder == OWNER else OWNER)
        given: dict[str, tuple[str, tuple[object, ...]]] = {
            "transfer": ("safeTransferFrom", (holder, to, number, energy_wh, b"")),
            "retire": ("retire", (number, energy_wh, "use")),
            "freeze": ("freeze", (number,)),
        }
        function, arguments = given[step]
        return calls.call(subject, self._registry, REGISTRY, function, *arguments)

    def stands(self) -> tuple[float, float, float, float, bool]:
        """Return where the certificate stands, as shares of its energy."""
        number, registry = self._number, self._registry
        owner, friend = (self._chain.account(name) for name in (OWNER, FRIEND))
        units = [self._reader.word(registry, UNITS_OF, who, number) for who in (owner, friend)]
        units += [self._reader.word(registry, RETIRED_BY, number, who) for who in (owner, friend)]
        held, passed, retired, by_friend = (one / self._certificate.energy_wh for one in units)
        is_frozen = bool(self._reader.word(registry, FROZEN, number))
        return held, passed, retired, by_friend, is_frozen
