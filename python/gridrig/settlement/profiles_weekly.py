"""Profile: weekly buckets of rewards by energy, claimed once after a delay, as Glow pays.

The behaviour is modelled, not the contracts: those who test a deployment bring its contracts.
Energy reported in a week makes one weight per account; the bucket of the week is parted by weight
to the last unit, and claimed by proof. Times are of the clock and are given with every call.

    reported   in the week, and until the report window after it is over
    final      a finalisation delay after that
    vetoed     once at most, before it is final: then final so much later
    claimed    when final, once per account, by whoever brings the proof

Invariants: a bucket pays its sum, to the unit, and never more; a root is fixed when the report
window ends; an account has one leaf however many farms pay into it.

References
----------
.. [1] Glow Labs, "glow" smart contracts (weekly buckets, one claim per wallet and bucket), public
   repository, read in 2026.
"""

from dataclasses import dataclass, field

from gridrig._core import ClaimProof, ClaimTree, largest_remainder
from gridrig.errors import SettlementError

WEEK_S = 604_800


@dataclass(frozen=True)
class WeeklyRule:
    """The numbers of the profile.

    Parameters
    ----------
    start_s : int
        Beginning of bucket 0. [s since 1970]
    bucket_units : int
        What each bucket pays, in the smallest unit of its token.
    report_s, finalisation_s, veto_s : int
        From the end of a week to the end of reports; from there to final; by how much a veto puts
        that off. [s]
    """

    start_s: int
    bucket_units: int
    report_s: int = WEEK_S
    finalisation_s: int = WEEK_S
    veto_s: int = 13 * WEEK_S

    def bucket_of(self, time_s: int) -> int:
        """Return the bucket of a time."""
        return (time_s - self.start_s) // WEEK_S

    def reports_end_s(self, bucket: int) -> int:
        """Return when a bucket takes no more reports. [s since 1970]"""
        return self.start_s + (bucket + 1) * WEEK_S + self.report_s


@dataclass
class _Bucket:
    weights: dict[bytes, int] = field(default_factory=dict)
    reports: dict[tuple[str, bytes], int] = field(default_factory=dict)
    claimed: set[bytes] = field(default_factory=set)
    vetoed: bool = False
    tree: ClaimTree | None = None


class WeeklyBuckets:
    """The buckets of one programme on one contract.

    Parameters
    ----------
    rule : WeeklyRule
        Its numbers.
    chain_id : int
        EIP-155 number of the chain that its leaves are bound to.
    contract : bytes, shape (20,)
        Address that they are bound to.
    """

    def __init__(self, rule: WeeklyRule, *, chain_id: int, contract: bytes) -> None:
        self.rule, self._chain_id, self._contract = rule, chain_id, contract
        self._buckets: dict[int, _Bucket] = {}

    def report(
        self, farm: str, account: bytes, *, time_s: int, energy_wh: int, digest: bytes, at_s: int
    ) -> int:
        """Count the energy of a verified reading towards its week; return the bucket.

        Parameters
        ----------
        farm : str
            Whose meter.
        account : bytes, shape (20,)
            Who is paid.
        time_s : int
            When the energy flowed. [s since 1970]
        energy_wh : int
            How much, not negative. [Wh]
        digest : bytes, shape (32,)
            SHA-256 of the reading; the same reading again counts once.
        at_s : int
            Now. [s since 1970]

        Raises
        ------
        SettlementError
            `settlement.weekly_late`, `settlement.weekly_report`; `settlement.weekly_conflict` if
            the reading was reported with another energy.
        """
        bucket = self.rule.bucket_of(time_s)
        if bucket < 0 or energy_wh < 0 or time_s > at_s:
            raise SettlementError(
                "settlement.weekly_report",
                "{farm} reports {energy_wh} Wh at {time_s} s: expected no negative energy, between "
                "{start_s} s and now",
                farm=farm,
                energy_wh=energy_wh,
                time_s=time_s,
                start_s=self.rule.start_s,
            )
        self._require_time(
            at_s < self.rule.reports_end_s(bucket),
            "settlement.weekly_late",
            "bucket {bucket} takes no more reports since {moment_s} s",
            bucket,
            self.rule.reports_end_s(bucket),
        )
        held = self._buckets.setdefault(bucket, _Bucket())
        standing = held.reports.get((farm, digest))
        if standing is not None and standing != energy_wh:
            raise SettlementError(
                "settlement.weekly_conflict",
                "{farm} reports {energy_wh} Wh by a reading of which {standing} Wh were reported",
                farm=farm,
                energy_wh=energy_wh,
                standing=standing,
            )
        if standing is None:
            held.reports[farm, digest] = energy_wh
            held.weights[account] = held.weights.get(account, 0) + energy_wh
        return bucket

    def tree(self, bucket: int, *, at_s: int) -> ClaimTree:
        """Return the claims of a bucket, fixed once its reports have ended.

        Raises
        ------
        SettlementError
            `settlement.weekly_open`, `settlement.weekly_empty`.
        """
        held = self._buckets.get(bucket, _Bucket())
        self._require_time(
            at_s >= self.rule.reports_end_s(bucket),
            "settlement.weekly_open",
            "bucket {bucket} takes reports until {moment_s} s",
            bucket,
            self.rule.reports_end_s(bucket),
        )
        if held.tree is None:
            accounts = sorted(account for account, weight in held.weights.items() if weight)
            if not accounts:
                raise SettlementError(
                    "settlement.weekly_empty",
                    "nothing was reported in bucket {bucket}",
                    bucket=bucket,
                )
            parts = largest_remainder(
                self.rule.bucket_units, [held.weights[account] for account in accounts]
            )
            paid = [(a, part) for a, part in zip(accounts, parts, strict=True) if part]
            held.tree = ClaimTree(
                chain_id=self._chain_id,
                contract=self._contract,
                bucket=bucket,
                accounts=[account for account, _ in paid],
                amounts=[part for _, part in paid],
            )
        return held.tree

    def veto(self, bucket: int, *, at_s: int) -> None:
        """Put a bucket off, once, before it is final.

        Raises
        ------
        SettlementError
            `settlement.weekly_vetoed`, `settlement.weekly_final`.
        """
        held = self._buckets.setdefault(bucket, _Bucket())
        if held.vetoed:
            raise SettlementError(
                "settlement.weekly_vetoed", "bucket {bucket} was vetoed before", bucket=bucket
            )
        final_s = self.final_s(bucket)
        self._require_time(
            at_s < final_s,
            "settlement.weekly_final",
            "bucket {bucket} is final since {moment_s} s",
            bucket,
            final_s,
        )
        held.vetoed = True

    def final_s(self, bucket: int) -> int:
        """Return when a bucket can be claimed. [s since 1970]"""
        held = self._buckets.get(bucket, _Bucket())
        final_s = self.rule.reports_end_s(bucket) + self.rule.finalisation_s
        return final_s + (self.rule.veto_s if held.vetoed else 0)

    def claim(self, proof: ClaimProof, *, at_s: int) -> int:
        """Pay a claim to its account; return how much. [smallest unit]

        Raises
        ------
        SettlementError
            `settlement.weekly_not_final`, `settlement.weekly_claimed`, and those of
            `ClaimProof.verify` for a proof that does not lead to the bucket's root.
        """
        bucket = proof.bucket
        final_s = self.final_s(bucket)
        self._require_time(
            at_s >= final_s,
            "settlement.weekly_not_final",
            "bucket {bucket} is final at {moment_s} s",
            bucket,
            final_s,
        )
        verified = proof.verify(self.tree(bucket, at_s=at_s).root)
        held = self._buckets[bucket]
        if verified.account in held.claimed:
            raise SettlementError(
                "settlement.weekly_claimed",
                "account {account} has claimed bucket {bucket} before",
                account=verified.account.hex(),
                bucket=bucket,
            )
        held.claimed.add(verified.account)
        return verified.amount

    @staticmethod
    def _require_time(holds: bool, code: str, message: str, bucket: int, moment_s: int) -> None:
        if not holds:
            raise SettlementError(code, message, bucket=bucket, moment_s=moment_s)
