"""The journal: what it keeps, what it refuses, and what it finds changed."""

import sqlite3
from pathlib import Path

import merkle_oracle as oracle
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from street import KEY, PARTICIPANTS, Street, Trade, settled_of

from gridrig.errors import SettlementError
from gridrig.settlement import Correction, Journal, PostedLines
from gridrig.settlement.audit import audit
from gridrig.settlement.balance_sheet import sheets_of, unreconciled
from gridrig.settlement.journal_reader import JournalReader
from gridrig.settlement.leaves import TITLES, records_of, tree_of
from gridrig.settlement.unposted import Unposted

SAID = ("kind", "debit", "credit", "amount_micro", "energy_milliwh", "price_micro_per_kwh")


def filled(path: Path, seed: int = 1, periods: int = 3) -> Journal:
    journal = Journal(path, key=KEY)
    for settled, accepted in Street(seed).posts(journal, periods):
        journal.post(settled, accepted=accepted)
    return journal


def test_the_journal_keeps_every_entry_in_order_and_sums_to_zero(tmp_path: Path) -> None:
    expected = []
    with Journal(tmp_path / "j", key=KEY) as journal:
        for settled, accepted in Street(5).posts(journal, 3):
            journal.post(settled, accepted=accepted)
            expected += [
                (e.period, e.trade_id, *(getattr(e, n) for n in SAID)) for e in settled.entries
            ]
        found = [(e.period, e.trade_id, *(getattr(e, n) for n in SAID)) for e in journal.entries()]
        assert found == expected != []
        assert journal.periods() == [0, 1, 2]
        balances = journal.balances()
        assert list(balances) == sorted(balances)
        assert journal.sum_of_all_micro() == 0
        for account, balance in balances.items():
            rows = list(journal.entries())
            assert balance == sum(e.amount_micro for e in rows if e.credit == account) - sum(
                e.amount_micro for e in rows if e.debit == account
            )


def test_the_same_posts_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        filled(tmp_path / name).close()
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_roots_and_links_are_those_of_the_oracle(tmp_path: Path) -> None:
    filled(tmp_path / "j").close()
    with JournalReader(tmp_path / "j") as journal:
        link, posts = bytes(32), journal.posts()
        assert len(posts) == 3
        for post in posts:
            records = list(records_of(journal, post.period))
            leaves = [oracle.cbor([TITLES[type(one)], *one]) for one in records]
            assert (post.leaf_count, post.root) == (len(leaves), oracle.root(leaves))
            settlements = [cell for row in journal.settlements(post.period) for cell in row]
            readings = oracle.sha256(*journal.readings_of(post.period))
            said = ["gridrig journal link 1", link, *post[:7], 1, *settlements, readings]
            link = oracle.sha256(oracle.cbor(said))
            assert post.link == link
        head = journal.head()
        assert (head.posts, head.link, head.is_signed()) == (3, link, True)
        message = oracle.cbor(["gridrig journal head 1", 3, link])
        KEY.public_key().verify(head.signature or b"", message)


def test_a_root_does_not_depend_on_the_order_of_the_inputs(tmp_path: Path) -> None:
    roots = set()
    for turn in range(2):
        street = Street(4)
        pairs, trades = street.pairs(1), street.trades()
        if turn:
            pairs, trades = dict(reversed(pairs.items())), trades[::-1]
        with Journal(tmp_path / str(turn)) as journal:
            journal.post(settled_of(0, pairs, trades))
            roots.add(tree_of(journal, 0).root())
            assert journal.posts()[0].root in roots
    assert len(roots) == 1


def test_a_journal_is_read_back_and_its_ledger_restores_a_verifier(tmp_path: Path) -> None:
    filled(tmp_path / "j", seed=3).close()
    fresh = Street(3).new_verifier()
    with Journal(tmp_path / "j") as journal:
        fresh.restore(journal.ledger_rows())
        assert sorted(fresh.ledger_rows()) == journal.ledger_rows()
        assert len(journal.ledger_rows()) == 4 * len(PARTICIPANTS)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET amount_micro = amount_micro + 1",
        "DELETE FROM entry WHERE period = 0",
        "INSERT INTO entry SELECT * FROM entry LIMIT 1",
        "INSERT OR REPLACE INTO entry SELECT * FROM entry LIMIT 1",
        "INSERT INTO entry VALUES (0, 0, 9, 0, 9, 9, 9, 1, 2, 1, 1, 1)",
        "REPLACE INTO period SELECT * FROM period LIMIT 1",
        "DELETE FROM period",
        "DELETE FROM reading",
        "UPDATE metered SET account = 2",
        "UPDATE account SET name = 'me' WHERE name = 'alice'",
        "INSERT INTO account VALUES (99, 'me')",
        "UPDATE kind SET word = 'gift'",
        "INSERT INTO settlement SELECT period, 1, 2, 0, 0, 0, 0, 0, 0, '' FROM settlement LIMIT 1",
        "UPDATE head SET link = zeroblob(32)",
        "UPDATE head SET posts = posts + 2",
        "DELETE FROM head",
        "REPLACE INTO head SELECT 1, posts - 1, link, NULL, NULL FROM head",
    ],
)
def test_no_statement_adds_changes_or_removes_a_row(tmp_path: Path, statement: str) -> None:
    filled(tmp_path / "j").close()
    before = (tmp_path / "j").read_bytes()
    stranger = sqlite3.connect(tmp_path / "j")
    with pytest.raises(sqlite3.IntegrityError, match=r"settlement\.(append_only|sealed)"):
        stranger.execute(statement)
    stranger.close()
    assert (tmp_path / "j").read_bytes() == before


def state(journal: Journal) -> tuple[object, ...]:
    return list(journal.entries()), journal.ledger_rows(), journal.posts(), journal.head()


def code_of_post(journal: Journal, *arguments: object, **named: object) -> str:
    before = state(journal)
    with pytest.raises(SettlementError) as refused:
        journal.post(*arguments, **named)  # type: ignore[arg-type]
    assert state(journal) == before
    return str(refused.value.code)


def test_a_post_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    street = Street(9)
    first, second, third = (street.settle(period) for period in range(3))
    with Journal(tmp_path / "j") as journal:
        unposted = Unposted(journal)
        rows = street.verifier.ledger_rows()
        journal.post(second, accepted=unposted.of(rows))
        assert unposted.of(rows) == []
        assert code_of_post(journal, second) == "settlement.already_posted"
        assert code_of_post(journal, first) == "settlement.period_order"
        altered = [(*row[:-1], bytes(32)) for row in rows]
        with pytest.raises(SettlementError, match="another content"):
            unposted.of(altered)

        def refuse(db: sqlite3.Connection, root: bytes) -> None:
            assert len(root) == 32
            raise SettlementError("settlement.test", "no")

        assert code_of_post(journal, third, within=refuse) == "settlement.test"
        journal.post(third)
        assert journal.periods() == [1, 2]


def test_a_number_no_journal_holds_is_refused_by_name(tmp_path: Path) -> None:
    trades = [
        Trade(2**63, 1, "alice", "offer", 1_000, 60_000),
        Trade(2, 2, "bob", "bid", 1_000, 60_000),
    ]
    with Journal(tmp_path / "j") as journal:
        settled = Street(9).settle(0, trades)
        assert code_of_post(journal, settled) == "settlement.journal_refused"


def test_readings_that_cover_settled_time_are_refused(tmp_path: Path) -> None:
    street = Street(9)
    start = dict(street.readings)
    with Journal(tmp_path / "j") as journal:
        journal.post(street.settle(0, []))
        street.readings = dict(start)
        pairs = street.pairs(2)
        both = settled_of(1, pairs, [])
        assert code_of_post(journal, both) == "settlement.readings_overlap"
        # Neither does it help to be absent for a period.
        absent = {name: pair for name, pair in pairs.items() if name != "bob"}
        later = {name: pair.split([pair.from_ms + 900_000])[1] for name, pair in absent.items()}
        journal.post(settled_of(1, later, []))
        street.readings = dict(start)
        assert code_of_post(journal, settled_of(2, street.pairs(3), [])) == (
            "settlement.readings_overlap"
        )


def test_a_name_that_was_taken_out_of_the_file_is_told(tmp_path: Path) -> None:
    filled(tmp_path / "j").close()
    db = sqlite3.connect(tmp_path / "j")
    db.execute("DROP TRIGGER account_no_delete")
    db.execute("DELETE FROM account WHERE account = 2")
    db.commit()
    db.close()
    with pytest.raises(SettlementError, match="table account has") as refused:
        Journal(tmp_path / "j", key=KEY)
    assert refused.value.code == "settlement.journal_unusable"


def test_names_of_a_post_that_was_refused_are_numbered_anew(tmp_path: Path) -> None:
    """Whatever is refused, the file is the one of a writer that never tried."""
    filled(tmp_path / "one").close()
    with Journal(tmp_path / "two", key=KEY) as journal:
        for settled, accepted in Street(1).posts(journal, 3):
            spoilt = [
                (row[0], b"another key id, of 32 bytes.....", *row[2:11], 1.5) for row in accepted
            ]
            with pytest.raises(TypeError):
                journal.post(settled, accepted=spoilt)  # type: ignore[arg-type]
            journal.post(settled, accepted=accepted)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_two_writers_are_told_of_each_other(tmp_path: Path) -> None:
    street = Street(2)
    settled = [street.settle(period) for period in range(2)]
    with Journal(tmp_path / "j") as one, Journal(tmp_path / "j") as other:
        one.post(settled[0])
        assert code_of_post(other, settled[1]) == "settlement.journal_two_writers"


def test_a_file_that_is_no_journal_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is not a database, however long it may be" * 50)
    other = sqlite3.connect(tmp_path / "other")
    other.execute("CREATE TABLE t (x)")
    other.close()
    # A stranger's file whose log is not folded in yet: opening it the usual way would fold it.
    writer = sqlite3.connect(tmp_path / "log", isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE t (x)")
    writer.execute("PRAGMA wal_checkpoint")
    writer.execute("INSERT INTO t VALUES (1)")
    for suffix in ("", "-wal"):
        kept = (tmp_path / f"log{suffix}").read_bytes()
        (tmp_path / f"crashed{suffix}").write_bytes(kept)
    writer.close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for name, code in (("text", "unusable"), ("other", "foreign"), ("crashed", "foreign")):
        for kind in (Journal, JournalReader, audit):
            if kind is not Journal and name == "crashed":
                continue  # a reader of a log writes beside it; the writer has refused it already
            with pytest.raises(SettlementError) as refused:
                kind(tmp_path / name)
            assert refused.value.code == f"settlement.journal_{code}", (name, kind)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_reader_sees_one_state_while_the_writer_goes_on(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        posts = Street(1).posts(journal, 2)
        settled, accepted = next(posts)
        journal.post(settled, accepted=accepted)
        with JournalReader(tmp_path / "j") as reader:
            with reader.snapshot():
                assert reader.periods() == [0]
                settled, accepted = next(posts)
                journal.post(settled, accepted=accepted)
                assert reader.periods() == [0]
                assert reader.head().posts == 1
            assert reader.periods() == [0, 1]


def test_a_journal_that_is_read_while_it_closes_keeps_its_log(tmp_path: Path) -> None:
    journal = filled(tmp_path / "j")
    reader = sqlite3.connect(tmp_path / "j")
    assert reader.execute("SELECT count(*) FROM period").fetchone() == (3,)
    journal.close()
    assert (tmp_path / "j-wal").exists()
    reader.close()
    assert audit(tmp_path / "j") == []


def changed(path: Path, *statements: str) -> list[str]:
    """Change a journal as somebody would who drops its triggers first."""
    filled(path).close()
    db = sqlite3.connect(path)
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        assert db.execute(statement).rowcount > 0
    db.commit()
    db.close()
    return audit(path)


def test_an_audit_finds_nothing_in_an_honest_journal_and_leaves_nothing_beside(
    tmp_path: Path,
) -> None:
    for seed in range(4):
        filled(tmp_path / str(seed), seed).close()
        assert audit(tmp_path / str(seed)) == []
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE entry SET amount_micro = amount_micro + 1 WHERE line = 1", "amount"),
        ("UPDATE entry SET debit = credit, credit = debit WHERE kind = 5", "amount"),
        ("UPDATE reading SET export_milliwh = export_milliwh + 1 WHERE counter = 4", "export"),
        ("UPDATE metered SET export_milliwh = export_milliwh + 1 WHERE period = 1", "export"),
        ("DELETE FROM entry WHERE kind = 8 AND period = 1", "losses"),
        ("DELETE FROM entry WHERE line = 2 AND period = 1", "line 2 is missing"),
        ("DELETE FROM reading WHERE arrival = 5", "no verified reading"),
        ("UPDATE reading SET digest = zeroblob(32) WHERE arrival = 5", "link"),
        ("UPDATE account SET name = 'mallory' WHERE name = 'alice'", "root"),
        (
            "UPDATE entry SET price_micro_per_kwh = 2 * price_micro_per_kwh, "
            "amount_micro = 2 * amount_micro WHERE kind = 8",
            "price",
        ),
        ("UPDATE settlement SET short_price_micro_per_kwh = 400001 WHERE period = 1", "link"),
        ("UPDATE period SET to_ms = to_ms + 1 WHERE period = 2", "link"),
        ("UPDATE period SET link = zeroblob(32) WHERE period = 2", "head"),
        ("DELETE FROM metered WHERE period = 1", "not metered"),
        (
            "INSERT INTO entry SELECT 7, 0, account, kind, trade_id, meter, line, debit, credit, "
            "amount_micro, energy_milliwh, price_micro_per_kwh FROM entry WHERE period = 0",
            "not posted",
        ),
        (
            "UPDATE entry SET energy_milliwh = energy_milliwh + "
            "iif(account = (SELECT account FROM account WHERE name = 'bob'), -1000, 1000), "
            "amount_micro = amount_micro + "
            "iif(account = (SELECT account FROM account WHERE name = 'bob'), -50, 50) "
            "WHERE period = 2 AND kind = 2 AND account IN "
            "(SELECT account FROM account WHERE name IN ('grid', 'bob'))",
            "export of meter grid",
        ),
        ("UPDATE head SET posts = 4", "4 posts stated, 3 found"),
        ("UPDATE head SET public_key = zeroblob(32)", "signature"),
    ],
)
def test_an_audit_finds_what_was_changed(tmp_path: Path, statement: str, told: str) -> None:
    faults = changed(tmp_path / "j", statement)
    assert any(told in fault for fault in faults), faults


CUT = [
    f"DELETE FROM {table} WHERE {column} = 2"
    for table, column in (
        ("entry", "period"),
        ("metered", "period"),
        ("settlement", "period"),
        ("period", "period"),
        ("reading", "posted_in"),
    )
]


def test_a_tail_that_was_cut_is_found_by_the_head(tmp_path: Path) -> None:
    faults = changed(tmp_path / "j", *CUT)
    assert faults == ["head: 3 posts stated, 2 found"]


def test_a_head_that_was_cut_with_the_tail_needs_a_signature(tmp_path: Path) -> None:
    with_head = "UPDATE head SET posts = 2, link = (SELECT link FROM period WHERE period = 1)"
    assert changed(tmp_path / "j", *CUT, with_head) == ["head: the signature is false"]


def test_another_signature_and_an_older_state_are_found_by_a_head_kept_elsewhere(
    tmp_path: Path,
) -> None:
    with filled(tmp_path / "j") as journal:
        noted = journal.head().text()
    with filled(tmp_path / "older", periods=2) as journal:
        assert journal.head().is_signed()
        older = journal.head().text()
    assert audit(tmp_path / "j", head=noted) == audit(tmp_path / "j", head=older) == []
    assert audit(tmp_path / "older", head=noted) == [
        f"head: the journal does not go on from {noted}"
    ]
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    with Journal(tmp_path / "other", key=other) as journal:
        for settled, accepted in Street(1).posts(journal, 3):
            journal.post(settled, accepted=accepted)
        assert journal.head().public_key != KEY.public_key().public_bytes_raw()


def test_a_correction_is_booked_in_a_later_post_and_adds_up(tmp_path: Path) -> None:
    street = Street(6)
    pairs = street.pairs(1)
    sold = [
        Trade(101, 1, "alice", "offer", 500_000, 100_000),
        Trade(102, 2, "bob", "bid", 500_000, 100_000),
    ]
    first, again = settled_of(0, pairs, []), settled_of(0, pairs, sold, revision=1)
    correction = Correction(PostedLines.of(first), again, 1)
    second = street.settle(1)
    with Journal(tmp_path / "j", key=KEY) as journal:
        journal.post(first, accepted=journal.unposted(street.verifier.ledger_rows()))
        assert code_of_post(journal, settled_of(2, pairs, []), corrections=[correction]) == (
            "settlement.booked_elsewhere"
        )
        journal.post(second, corrections=[correction])
        third = street.settle(2)
        twice = Correction(PostedLines.of(first), again, 2)
        assert code_of_post(journal, third, corrections=[twice]) == "settlement.already_posted"
        entries = list(journal.entries_of(0, 1))
        assert entries
        assert {(one.booked_in, one.line > 0) for one in entries} == {(1, True)}
        assert journal.sum_of_all_micro() == 0
        sheets = sheets_of(journal)
        assert list(unreconciled(sheets)) == []
        assert sheets["alice"].sold_milliwh >= 500_000
        anew = Journal(tmp_path / "anew")
        anew.post(settled_of(0, pairs, sold))
        anew.post(second)
        assert journal.balances() == anew.balances()
        anew.close()
    assert [one for one in audit(tmp_path / "j") if "no verified reading" not in one] == []
