"""A book of consents: a read needs one that holds now, and every asking is kept."""

import sqlite3
from pathlib import Path

import pytest

from gridrig.errors import SettlementError
from gridrig.settlement.consents import Asking, ConsentBook

NOW_S = 1_466_424_000


def refused(code: str, act: object, *args: object, **more: object) -> None:
    with pytest.raises(SettlementError) as refusal:
        act(*args, **more)  # type: ignore[operator]
    assert refusal.value.code == f"settlement.{code}"


def test_a_consent_holds_in_its_span_until_it_is_revoked_and_outlives_the_process(
    tmp_path: Path,
) -> None:
    path = tmp_path / "consents.db"
    with ConsentBook(path) as book:
        refused("consent_span", book.give, "ann", "vpp", purpose="", from_s=0, until_s=1)
        refused("consent_span", book.give, "ann", "vpp", purpose="x", from_s=1, until_s=1)
        number = book.give("ann", "vpp", purpose="dispatch", from_s=NOW_S, until_s=NOW_S + 100)
        for at_s, reader in ((NOW_S - 1, "vpp"), (NOW_S + 100, "vpp"), (NOW_S, "eve")):
            refused("consent_refused", book.require, "ann", reader, at_s=at_s, what="load")
        refused("consent_refused", book.require, "ben", "vpp", at_s=NOW_S, what="load")
        assert book.require("ann", "vpp", at_s=NOW_S + 99, what="load") == number
        refused("consent_unknown", book.revoke, number, owner="ben", at_s=NOW_S)
        book.revoke(number, owner="ann", at_s=NOW_S + 50)
        book.revoke(number, owner="ann", at_s=NOW_S + 90)  # later than what was said
    with ConsentBook(path) as book:
        assert book.require("ann", "vpp", at_s=NOW_S + 49, what="load") == number
        refused("consent_refused", book.require, "ann", "vpp", at_s=NOW_S + 50, what="load")
        book.revoke(number, owner="ann", at_s=NOW_S + 10)  # and now from an earlier moment on
        refused("consent_refused", book.require, "ann", "vpp", at_s=NOW_S + 49, what="load")
        assert book.require("ann", "vpp", at_s=NOW_S + 9, what="meter") == number
        asked = book.askings("ann")
        assert [one.consent for one in asked] == [*[None] * 3, number, number, None, None, number]
        assert asked[-1] == Asking("vpp", NOW_S + 9, "meter", number)
    db = sqlite3.connect(path)
    for table in ("consent", "revocation", "asking"):
        with pytest.raises(sqlite3.IntegrityError, match="append_only"):
            db.execute(f"DELETE FROM {table}")
    db.close()
    (tmp_path / "other").write_text("no database, and long enough to be looked at" * 100)
    refused("consent_file", ConsentBook, tmp_path / "other")
