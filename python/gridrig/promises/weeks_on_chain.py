"""Weekly buckets of signed energy, paid by the escrow contract on a chain.

The energy of a week is reported for a week after it, then the root of the bucket and its money go
to the contract, which pays from a week after that on: on the fourteenth day after the week. What
accounts got is read from the node by itself, and what they should have from the text of records.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from gridrig._core import ClaimTree, MeterPeriod
from gridrig.clock import Clock
from gridrig.promises.bench_chains import BenchChain
from gridrig.promises.chain_reader import BALANCE_OF, ChainReader
from gridrig.promises.weekly_sums import by_week
from gridrig.quantity import DAY_S
from gridrig.settlement.chain import Call, calls
from gridrig.settlement.profiles_weekly import WEEK_S, WeeklyBuckets, WeeklyRule

ESCROW, TOKEN = "ClaimEscrow", "SettlementToken"
ADMIN, SETTLER, STRANGER = "admin", "settler", "stranger"
BUCKET_MICRO = 175_000_003  # no number of accounts parts it evenly
PAID_FROM_S = 14 * DAY_S  # of the end of the week
CLAIM_WINDOW_S = 30 * WEEK_S
EARLY, REPEATED, UNPROVEN = "ClaimTooEarly", "ClaimRepeated", "ClaimUnproven"
TAKEN, NO_ROLE = "BucketTaken", "AccessControlUnauthorizedAccount"

Farm = tuple[str, list[MeterPeriod], list[bytes]]


@dataclass
class PaidWeeks:
    """What the buckets of some weeks came to.

    Parameters
    ----------
    buckets : int
        How many were opened.
    early_micro : int
        Paid before the fourteenth day after a week.
    again_micro : int
        Paid for second and false claims.
    unlike_energy : int
        Accounts that got another part of a bucket than theirs of the week's energy, by a unit.
    unpaid_micro : int
        By how much all parts of a bucket are not the bucket.
    refused_otherwise : list of str
        False claims and openings that were not refused by their error.
    tried : int
        False claims and openings.
    """

    buckets: int = 0
    early_micro: int = 0
    again_micro: int = 0
    unlike_energy: int = 0
    unpaid_micro: int = 0
    refused_otherwise: list[str] = field(default_factory=list)
    tried: int = 0


async def pay_weeks(
    chain: BenchChain, clock: Clock, farms: Sequence[Farm], *, delay_s: int = WEEK_S
) -> PaidWeeks:
    """Report what farms signed, and have each week of it paid by a contract.

    Parameters
    ----------
    clock : Clock
        Of the bench; the chain's blocks come by it.
    farms : sequence of (str, list of MeterPeriod, list of bytes)
        Meter, its hours, and their records as received. In every other week the last two farms are
        of one account, which then has one leaf.
    delay_s : int
        From the root to the first payment, by the contract. [s]
    """
    start_s = min(hours[0].from_ms for _, hours, _ in farms) // 1000 // WEEK_S * WEEK_S
    token = await chain.deploy(
        ADMIN, TOKEN, "Money", "MON", 6, chain.account(ADMIN), chain.account(ADMIN)
    )
    parties = (chain.account(ADMIN), chain.account(SETTLER), chain.account(ADMIN))
    escrow = await chain.deploy(ADMIN, ESCROW, token, *parties, delay_s, CLAIM_WINDOW_S)
    buckets = WeeklyBuckets(
        WeeklyRule(start_s, BUCKET_MICRO), chain_id=chain.chain_id, contract=escrow
    )
    weights: defaultdict[int, defaultdict[bytes, int]]
    weights = defaultdict(lambda: defaultdict(int))
    for place, (farm, hours, records) in enumerate(farms):
        for hour in hours:
            assert hour.closing is not None
            account = _account(chain, buckets.rule.bucket_of(hour.from_ms // 1000), place, farms)
            buckets.report(
                farm,
                account,
                time_s=hour.from_ms // 1000,
                energy_wh=hour.export_milliwh // 1000,
                digest=hour.closing.digest,
                at_s=hour.to_ms // 1000,
            )
        for bucket, energy_wh in by_week(buckets.rule, records).items():
            weights[bucket][_account(chain, bucket, place, farms)] += energy_wh
    paying = {n: _Bucket(chain, token, buckets, n, due) for n, due in weights.items()}
    total = BUCKET_MICRO * len(paying)
    mint = calls.call("mint", token, TOKEN, "mint", chain.account(SETTLER), total)
    await chain.finish(ADMIN, mint)
    await chain.finish(SETTLER, calls.call("fund", token, TOKEN, "approve", escrow, total))
    found = PaidWeeks(len(paying))
    for at_s, _, bucket, act in sorted(step for one in paying.values() for step in one.steps()):
        await clock.sleep_until(float(at_s - clock.start_utc_s))
        await getattr(paying[bucket], act)(at_s, found)
    return found


def _account(chain: BenchChain, bucket: int, place: int, farms: Sequence[Farm]) -> bytes:
    last = len(farms) - 1
    return chain.account(f"farm-{last - 1 if bucket % 2 and place == last else place}")


class _Bucket:
    """The money of a week: opened, claimed falsely and early, and claimed."""

    def __init__(
        self,
        chain: BenchChain,
        token: bytes,
        buckets: WeeklyBuckets,
        number: int,
        weights: dict[bytes, int],
    ) -> None:
        self._chain, self._token, self._number, self._weights = chain, token, number, weights
        self._reader = ChainReader(chain.url)
        self._week_end_s = buckets.rule.start_s + (number + 1) * WEEK_S
        self._root_s = self._week_end_s + WEEK_S
        self._tree: ClaimTree = buckets.tree(number, at_s=self._root_s)
        claimants = {account for account, _ in self._tree.claims()}
        self._accounts = sorted(weights.keys() | claimants | {chain.account(STRANGER)})
        self._tried = 0

    def steps(self) -> list[tuple[int, int, int, str]]:
        """Return what happens when: time, its turn at that time, the bucket, and what. [s]"""
        paid_s = self._week_end_s + PAID_FROM_S
        last_s = paid_s - len(self._tree.claims())  # a second for each account, the last one's last
        early_s = (self._root_s + 1, self._root_s + 6 * DAY_S, last_s)
        return [
            (self._root_s, 0, self._number, "open"),
            *((at_s, 1, self._number, "claim_early") for at_s in early_s),
            (paid_s, 2, self._number, "claim"),
        ]

    def _paid(self) -> dict[bytes, int]:
        """Return what every account of the bucket has, and who claims falsely. [millionths]"""
        return {who: self._reader.word(self._token, BALANCE_OF, who) for who in self._accounts}

    async def _false(self, found: PaidWeeks, who: str, call: Call, error: str) -> None:
        """Send what has to be refused, and note under which name it was not."""
        self._tried += 1
        found.tried += 1
        subject = f"{self._number}/{self._tried}"
        got = await self._chain.attempt(
            who, ESCROW, Call(subject, call.target, call.data, call.gas_max)
        )
        if got != error:
            found.refused_otherwise.append(f"{call.subject}: {got or 'taken'}, not {error}")

    async def open(self, at_s: int, found: PaidWeeks) -> None:
        """Fix the root on the chain, with all its money."""
        _, opening = calls.open_bucket(self._tree, self._token)
        self._chain.next_block_at(at_s)
        await self._chain.attempt(SETTLER, ESCROW, opening)
        await self._false(found, STRANGER, opening, NO_ROLE)
        await self._false(found, SETTLER, opening, TAKEN)

    async def claim_early(self, at_s: int, found: PaidWeeks) -> None:
        """Claim every part, a second after the other, before the bucket is final."""
        before = self._paid()
        for place, (account, _) in enumerate(self._tree.claims()):
            self._chain.next_block_at(at_s + place)
            await self._false(found, STRANGER, calls.pay_claim(self._tree, account), EARLY)
        found.early_micro += sum(self._paid().values()) - sum(before.values())

    async def claim(self, at_s: int, found: PaidWeeks) -> None:
        """Claim every part falsely, rightly and again."""
        before = self._paid()
        self._chain.next_block_at(at_s)
        for account, _ in self._tree.claims():
            for false in self._false_claims(account):
                await self._false(found, STRANGER, false, UNPROVEN)
        false_micro = sum(self._paid().values()) - sum(before.values())
        for account, _ in self._tree.claims():
            call = calls.pay_claim(self._tree, account)
            await self._chain.attempt(STRANGER, ESCROW, call)
        once = self._paid()
        for account, _ in self._tree.claims():
            await self._false(found, STRANGER, calls.pay_claim(self._tree, account), REPEATED)
        found.again_micro += sum(self._paid().values()) - sum(once.values()) + false_micro
        total = sum(self._weights.values())
        got = {account: once[account] - before[account] for account in self._accounts}
        found.unlike_energy += sum(
            abs(units - Fraction(BUCKET_MICRO * self._weights.get(account, 0), total)) >= 1
            for account, units in got.items()
        )
        found.unpaid_micro += abs(BUCKET_MICRO - sum(got.values()))

    def _false_claims(self, account: bytes) -> list[Call]:
        """Return the claim of more, and of the same by somebody else."""
        proof = self._tree.proof(account)
        more = (proof.bucket, proof.index, account, proof.amount + 1)
        other = (proof.bucket, proof.index, self._chain.account(STRANGER), proof.amount)
        return [
            calls.call("a false claim", proof.contract, ESCROW, "claim", claim, proof.path)
            for claim in (more, other)
        ]
