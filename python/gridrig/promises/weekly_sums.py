"""Weekly buckets over a year of signed energy, against sums by the text of the records."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import pairwise

from gridrig._core import ClaimProof, MeterPeriod
from gridrig.errors import SettlementError
from gridrig.promises.register_text import registers
from gridrig.settlement.profiles_weekly import WEEK_S, WeeklyBuckets, WeeklyRule

BUCKET_UNITS = 175_000_000_003  # no number of accounts parts it evenly
CONTRACT = b"\x77" * 20
FINAL_AFTER_S = 2 * WEEK_S  # of the week: reports a week, then a week to finality


def by_week(rule: WeeklyRule, records: list[bytes]) -> dict[int, int]:
    """Return the whole watt-hours of each hour by week, from the text. [Wh]"""
    found: defaultdict[int, int] = defaultdict(int)
    for (from_s, _, opening), (to_s, _, closing) in pairwise(map(registers, records)):
        if to_s - from_s == 3600:
            found[(from_s - rule.start_s) // WEEK_S] += (closing - opening) // 1000
    return found


def weekly_unlike_rule(year: Sequence[tuple[str, list[MeterPeriod], list[bytes]]]) -> int:
    """Pay out every week of a year and count what is not as the rule has it.

    Each meter is a farm of its own; the last two pay into one account, which has one leaf. Of each
    bucket: a replay counts once, another weight by the same reading is refused, so are a claim
    before finality, a claim of more, a second claim; each account gets its exact part to less than
    a unit, and all together the bucket but for less than a unit an account.
    """
    first_ms = min(hours[0].from_ms for _, hours, _ in year)
    buckets = WeeklyBuckets(
        WeeklyRule(first_ms // 1000 // WEEK_S * WEEK_S, BUCKET_UNITS),
        chain_id=31_337,
        contract=CONTRACT,
    )
    weights: defaultdict[int, defaultdict[bytes, int]]
    weights = defaultdict(lambda: defaultdict(int))
    wrong = 0
    for place, (meter, hours, records) in enumerate(year):
        account = bytes([1 + min(place, max(0, len(year) - 2))]) * 20
        for hour in hours:
            wrong += _report(buckets, meter, account, hour)
        for bucket, energy_wh in by_week(buckets.rule, records).items():
            weights[bucket][account] += energy_wh
    return wrong + sum(_paid_wrongly(buckets, bucket, due) for bucket, due in weights.items())


def _report(buckets: WeeklyBuckets, farm: str, account: bytes, hour: MeterPeriod) -> int:
    """Report an hour, the same again, and another weight by its reading; count what is wrong."""
    energy_wh = _whole(hour)
    if not energy_wh or hour.closing is None:
        return 0
    at_s = hour.to_ms // 1000
    report = partial(
        buckets.report, farm, account, time_s=hour.from_ms // 1000, digest=hour.closing.digest
    )
    report(energy_wh=energy_wh, at_s=at_s)
    report(energy_wh=energy_wh, at_s=at_s)
    more = partial(report, energy_wh=energy_wh + 1, at_s=at_s)
    late_s = buckets.rule.reports_end_s(buckets.rule.bucket_of(hour.from_ms // 1000))
    late = partial(report, energy_wh=energy_wh, at_s=late_s)
    return (_code(more) != "settlement.weekly_conflict") + (_code(late) != "settlement.weekly_late")


def _whole(hour: MeterPeriod) -> int:
    return hour.export_milliwh // 1000


def _paid_wrongly(buckets: WeeklyBuckets, bucket: int, due: Mapping[bytes, int]) -> int:
    week_end_s = buckets.rule.start_s + (bucket + 1) * WEEK_S
    final_s = week_end_s + FINAL_AFTER_S
    tree = buckets.tree(bucket, at_s=week_end_s + WEEK_S)
    total, wrong, paid = sum(due.values()), 0, 0
    wrong += {account for account, _ in tree.claims()} != {a for a, w in due.items() if w}
    for account, _ in tree.claims():
        proof = tree.proof(account)
        early = partial(buckets.claim, proof, at_s=final_s - 1)
        more = partial(buckets.claim, _altered(proof, tree.total), at_s=final_s)
        wrong += _code(early) != "settlement.weekly_not_final"
        wrong += _code(more) != "settlement.claim_root_mismatch"
        try:
            got = buckets.claim(proof, at_s=final_s)
        except SettlementError:
            wrong += 1
            continue
        wrong += _code(partial(buckets.claim, proof, at_s=final_s + 1)) != (
            "settlement.weekly_claimed"
        )
        wrong += abs(got - Fraction(BUCKET_UNITS * due.get(account, 0), total)) >= 1
        paid += got
    return wrong + (not 0 <= BUCKET_UNITS - paid < max(1, len(due)))


def _altered(proof: ClaimProof, total: int) -> ClaimProof:
    return ClaimProof(
        chain_id=proof.chain_id,
        contract=proof.contract,
        bucket=proof.bucket,
        leaf_count=proof.leaf_count,
        total=total,
        index=proof.index,
        account=proof.account,
        amount=proof.amount + 1 if proof.amount < total else proof.amount - 1,
        path=proof.path,
    )


def _code(act: Callable[[], object]) -> str:
    """Return the code by which something is refused; nothing if it is not."""
    try:
        act()
    except SettlementError as refusal:
        return refusal.code
    return ""
