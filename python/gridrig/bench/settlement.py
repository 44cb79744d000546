"""The settlement benchmark: signed readings and trades to a durable journal, beside SQLite's floor.

Every meter gives and takes, has sold and has bought: four entries a meter, besides those of the
feeder. What is timed is the settlement by the core and the post: rows, leaves, root, signed head,
commit, synced. The floor is what SQLite alone needs for the same rows of the same tables: copied
from memory by `INSERT ... SELECT` into a file of the same settings, without triggers, hashes or
names, committed and synced.

What a rig does once is done before and not timed: the keys are enrolled and numbered, names are
numbered, and each key's table is computed, which it is when the key first signs. Every meter has a
key of its own, as the trust store wants it; so 100,000 meters take a minute of processor time and
7 GB before anything is measured, and 1,000,000 some ten minutes and 16 GB: they are measured only
when they are named. What is being prepared is said on standard error.

Beside each time stands the processor's, of all threads: on a machine that does other work as well,
that is what can be compared.
"""

import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gridrig.bench.cores import OnCores
from gridrig.bench.rows import Goal, Measured, Row
from gridrig.clock.stopwatch import now_ns
from gridrig.errors import BenchError
from gridrig.market.auction import Trade
from gridrig.metering import Authenticated, EnrolledKey, VerifiedReading, Verifier, enrol_all
from gridrig.metering.cose_signing import CoseSigner
from gridrig.settlement import Journal, MeterPeriod, Settled, SettlementRules, settle_period
from gridrig.settlement.journal import CACHE_KIB
from gridrig.settlement.journal_schema import PAGE_BYTES
from gridrig.settlement.unposted import NumberedRow

WORKLOADS = ("100k", "1m")
ONLY_WHEN_NAMED = frozenset({"1m"})
METERS = {"100k": 100_000, "1m": 1_000_000}
GOALS_S = {"100k": 1.0, "1m": 10.0}
VERIFIED_GOAL_S = {"1m": 20.0}
QUICK_METERS = 300
BATCH = 65_536
FLOOR_RATIO = 0.5  # of our speed to the floor's: at most twice its time
T0_S = 1_466_424_900
PERIOD_S = 900
NS_PER_S = 1e9
TABLES = ("settlement", "metered", "reading", "entry")
RULES = SettlementRules(long_price_micro_per_kwh=50_000, short_price_micro_per_kwh=400_000)


@dataclass(frozen=True)
class Records:
    """What a rig receives at the end of a period: records, keys to believe, and trades."""

    keys: list[EnrolledKey]
    records: list[bytes]
    trades: list[Trade]

    @classmethod
    def of(cls, meters: int) -> "Records":
        """Let every meter sign its first reading since it was mounted, the feeder head as well."""
        keys, records = [], []
        for number in range(meters + 1):
            name = "head" if number == meters else f"meter-{number:07}"
            signer = CoseSigner.from_seed(number, name, name)
            keys.append(
                EnrolledKey(
                    name, name, "ed25519", signer.public_key_der, T0_S, start_milliwh=(0, 0)
                )
            )
            taken, given = (0, 0) if number == meters else (3_000, 5_000)
            record = signer.record(
                sequence=1,
                time_ms=1000 * (T0_S + PERIOD_S),
                import_milliwh=taken,
                export_milliwh=given,
            )
            records.append(record)
        return cls(keys, records, list(_trades(meters)))


def _trades(meters: int) -> Iterator[Trade]:
    """Every home sells 2 Wh and buys 1 Wh; it gives 5 and takes 3."""
    for number in range(meters):
        home = f"home-{number:07}"
        yield Trade(2 * number, 2 * number, home, "offer", 1_000, 120_000)
        yield Trade(2 * number + 1, 2 * number + 1, home, "bid", 1_000, 120_000)


class Spent:
    """Takes the time of a step, and the processor time of all threads in it.

    It has read `elapsed_s` and `busy_s` when the step is over. [s]
    """

    def __enter__(self) -> Self:
        self._times, self._began = os.times(), now_ns()
        return self

    def __exit__(self, *_: object) -> None:
        self.elapsed_s = (now_ns() - self._began) / NS_PER_S
        used = os.times()
        self.busy_s = used.user + used.system - self._times.user - self._times.system

    def text(self) -> str:
        """Say both."""
        return f"{self.elapsed_s:.2f} s ({self.busy_s:.2f} s busy)"


def _prepare(what: str) -> None:
    print(f"preparing {what}", file=sys.stderr, flush=True)


def measure(workloads: Sequence[str], quick: bool) -> Measured:
    """Measure the chosen workloads, in the order asked for."""
    measured = Measured()
    for workload in workloads:
        meters = QUICK_METERS if quick else METERS[workload]
        _prepare(f"the keys and the signed records of {meters:,} meters")
        with OnCores(2) as cores:
            measured.rows += _settlement(workload, meters, cores, Records.of(meters))
    return measured


def _settlement(workload: str, meters: int, cores: int, given: Records) -> Iterator[Row]:
    verified, rows, verification = _verify(given)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        key = Ed25519PrivateKey.from_private_bytes(bytes(32))
        with Journal(path, key=key) as journal:
            homes = [f"home-{number:07}" for number in range(meters)]
            journal.enrol(
                accounts=[*homes, "grid"],
                meters=[one.meter for one in given.keys],
                keys=[key_id for _, key_id, *_ in rows],
            )
            with Spent() as settlement:
                settled = _settle(meters, verified, given.trades)
            with Spent() as post:
                journal.post(settled, accepted=rows)
        floor, entries = _floor(path, Path(folder) / "floor")
    verify_s, settle_s, post_s = (one.elapsed_s for one in (verification, settlement, post))
    note = (
        f"{entries:,} entries and {meters + 1:,} readings; settlement {settlement.text()}, post "
        f"{post.text()}, verification {verification.text()}, SQLite alone {floor.text()}"
    )
    size = f"{meters:,} meters, one period, {cores} cores"
    yield Row(
        task="verified readings and trades to a durable journal",
        workload=size,
        ours=settle_s + post_s,
        unit="s",
        goal=Goal(ours=GOALS_S[workload]),
        less_is_better=True,
        note=note,
    )
    yield Row(
        task="post of a settled period",
        workload=size,
        ours=post_s,
        unit="s",
        peer="SQLite, same rows, INSERT ... SELECT",
        peer_figure=floor.elapsed_s,
        goal=Goal(ratio=FLOOR_RATIO),
        less_is_better=True,
        note="ours: numbers for names, rows, leaves, root and signed head, first post of the file",
    )
    yield Row(
        task="received records and trades to a durable journal",
        workload=f"{size}, {meters + 1:,} Ed25519 records under as many keys",
        ours=verify_s + settle_s + post_s,
        unit="s",
        goal=Goal(ours=VERIFIED_GOAL_S[workload]) if workload in VERIFIED_GOAL_S else None,
        less_is_better=True,
    )


def _verify(given: Records) -> tuple[list[VerifiedReading], list[NumberedRow], Spent]:
    """Verify every record and apply the replay ledger; return readings, rows and the time taken."""
    _prepare("the trust store")
    verifier = Verifier()
    enrol_all(verifier, given.keys)
    batches = [given.records[at : at + BATCH] for at in range(0, len(given.records), BATCH)]

    def authenticated(records: list[bytes]) -> Authenticated:
        return verifier.authenticate(records, at_s=T0_S + PERIOD_S, threads=2)

    # A key's table is computed when it first signs: once, so not in what is timed.
    _prepare("the tables of the keys")
    for records in batches:
        authenticated(records)
    readings = []
    # The signatures of a batch are verified while the ledger takes the one before it.
    with Spent() as taken, ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(authenticated, batches[0])
        for following in [*batches[1:], None]:
            staged = verifier.stage(coming.result())
            if following is not None:
                coming = ahead.submit(authenticated, following)
            verifier.commit()
            readings += [staged.outcome(place) for place in range(len(staged))]
        rows = [(arrival, *row) for arrival, row in enumerate(verifier.ledger_rows(), 1)]
    verified = [one for one in readings if isinstance(one, VerifiedReading)]
    if len(verified) != len(readings):
        refused = next(one for one in readings if not isinstance(one, VerifiedReading))
        raise BenchError("bench.refused", "a record is refused: {reason}", reason=str(refused))
    return verified, rows, taken


def _settle(meters: int, verified: list[VerifiedReading], trades: list[Trade]) -> Settled:
    from_ms = 1000 * T0_S
    *homes, head = MeterPeriod.all_since_mounted(
        [*(f"home-{number:07}" for number in range(meters)), "grid"], from_ms, verified
    )
    return settle_period(
        0, homes, trades, from_ms=from_ms, to_ms=from_ms + 1000 * PERIOD_S, rules=RULES, head=head
    )


def _floor(journal: Path, path: Path) -> tuple[Spent, int]:
    """Return what SQLite alone takes for the rows of a journal, and how many entries those are."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in (
            f"page_size = {PAGE_BYTES}",
            "journal_mode = WAL",
            "synchronous = FULL",
            f"cache_size = -{CACHE_KIB}",
            "wal_autocheckpoint = 0",
            "temp_store = MEMORY",
        ):
            db.execute(f"PRAGMA {pragma}")
        db.execute("ATTACH ? AS journal", (str(journal),))
        for table in TABLES:
            (made,) = db.execute(
                "SELECT sql FROM journal.sqlite_schema WHERE name = ?", (table,)
            ).fetchone()
            db.execute(made)
            db.execute(f"CREATE TEMP TABLE {table}_rows AS SELECT * FROM journal.{table}")
        (entries,) = db.execute("SELECT count(*) FROM entry_rows").fetchone()
        db.execute("DETACH journal")
        with Spent() as taken:
            db.execute("BEGIN IMMEDIATE")
            for table in TABLES:
                db.execute(f"INSERT INTO main.{table} SELECT * FROM {table}_rows")
            db.execute("COMMIT")
        return taken, entries
    finally:
        db.close()
