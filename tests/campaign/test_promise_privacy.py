"""What judges privacy finds what leaks: loads and names in clear, shared secrets, lax books."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from criteria import assert_fails

from gridrig.promises import published
from gridrig.promises.published import Published
from gridrig.settlement.consents import ConsentBook
from gridrig.settlement.privacy_aggregates import AggregatePublisher

HOMES = [f"house-{n}" for n in range(7)]
LOAD = 123_456


def hidden() -> Published:
    out = Published()
    out.secrets = {home: bytes([n + 1]) * 32 for n, home in enumerate(HOMES)}
    for home in HOMES:
        leaf = (f"metered/0/0/{home}", f"{home} took {LOAD}".encode())
        out.leaves[home, 0] = [leaf]
        commitment = published._commitment(out.secrets[home], *leaf)
        out.commitments.setdefault(0, []).append(commitment)
    return out


@pytest.mark.parametrize(
    "leak", [str(LOAD).encode(), LOAD.to_bytes(32, "big"), b"HOUSE-3", b"house-3"]
)
def test_a_load_or_a_name_in_anything_published_is_found(leak: bytes) -> None:
    out = hidden()
    out.chain.append(b"\x12\x34" * 40)
    needles = [str(LOAD).encode(), LOAD.to_bytes(32, "big"), b"house-3"]
    assert out.in_clear(needles) == 0
    out.sums.append(b"{" + leak + b"}")
    found = out.in_clear(needles)
    assert found == 1
    assert_fails(found, "test_privacy.loads_in_clear", "test_privacy.names_in_clear")


def test_an_account_is_linked_by_its_second_payment() -> None:
    out = hidden()
    for period in range(2):
        published._pay(out, period, {b"\x01" * 20: 5_000_000})
    published._pay(out, 2, {b"\x02" * 20: 5_000_000})
    assert out.linked_accounts() == 1


def test_secrets_that_homes_share_open_what_is_not_theirs() -> None:
    out = hidden()
    assert published.opened_wrongly(out, HOMES) == 0
    out.secrets["house-1"] = out.secrets["house-2"]
    leaf = out.leaves["house-1", 0][0]
    out.commitments[0][1] = published._commitment(out.secrets["house-1"], *leaf)
    wrongly = published.opened_wrongly(out, HOMES)
    assert wrongly == 1
    assert_fails(wrongly, "test_privacy.opened_wrongly")


@pytest.mark.parametrize("lax", ["everybody", "deaf"])
def test_a_book_that_lets_too_much_pass_is_found(
    lax: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(name: str) -> int:
        return published.reads_without_consent(hidden(), HOMES, tmp_path / name, now_s=1_000)

    assert count("strict") == 0
    if lax == "everybody":
        monkeypatch.setattr(ConsentBook, "require", lambda *_args, **_more: 1)
    else:
        monkeypatch.setattr(ConsentBook, "revoke", lambda *_args, **_more: None)
    without = count(lax)
    assert without >= len(HOMES)
    assert_fails(without, "test_privacy.reads_without_consent")


def test_sums_that_give_a_home_away_or_are_wrong_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meters = [
        SimpleNamespace(participant=home, import_milliwh=LOAD + n, quality="measured")
        for n, home in enumerate(HOMES)
    ]
    settled = SimpleNamespace(period=0, from_ms=0, to_ms=900_000, meters=meters)
    loop: Any = SimpleNamespace(account=SimpleNamespace(settled=[settled]))
    loads = {(home, 0): LOAD + n for n, home in enumerate(HOMES)}

    def told(name: str) -> tuple[int, int]:
        out = Published()
        published.add_aggregates(out, loads, HOMES, tmp_path / name, loop)
        return out.aggregates_unlike_milliwh, out.aggregates_too_narrow

    assert told("strict") == (0, 0)
    loads["house-0", 0] += 7
    assert told("wrong") == (7, 0)
    assert_fails(told("wrong again")[0], "test_privacy.aggregates_unlike_milliwh")
    loads["house-0", 0] -= 7
    publish = AggregatePublisher._is_new
    monkeypatch.setattr(AggregatePublisher, "_is_new", lambda self, asked: True)
    assert told("lax") == (0, 2)
    assert_fails(told("lax again")[1], "test_privacy.aggregates_too_narrow")
    monkeypatch.setattr(AggregatePublisher, "_is_new", publish)
