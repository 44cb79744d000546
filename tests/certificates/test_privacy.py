"""What is public says nothing; what is opened is proven; no difference gives a home away."""

import hashlib
import hmac
import itertools
import json
import secrets
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridrig.cli import main
from gridrig.errors import SettlementError
from gridrig.settlement.privacy import (
    LeafOpening,
    Opening,
    commitment_salt,
    committed_tree,
    new_secret,
    read_secret,
)
from gridrig.settlement.privacy_aggregates import AggregatePublisher, Release, smallest_cell


def commitment_oracle(secret: bytes, leaf_id: str, payload: bytes) -> bytes:
    name = leaf_id.encode()
    salt = hmac.new(secret, name, hashlib.sha256).digest()
    head = b"gridrig.commitment.1\0" + len(name).to_bytes(8, "big")
    return hashlib.sha256(head + name + salt + payload).digest()


@given(
    secret=st.binary(min_size=32, max_size=32).filter(any),
    leaf=st.text("az/09é☀", min_size=1, max_size=60),
    payload=st.binary(max_size=200),
)
@settings(max_examples=40, deadline=None, database=None, derandomize=True)
def test_a_commitment_is_that_of_the_standard_library(
    secret: bytes, leaf: str, payload: bytes
) -> None:
    opening = Opening(leaf, commitment_salt(secret, leaf), payload)
    assert opening.commitment == commitment_oracle(secret, leaf, payload)
    assert opening.open(opening.commitment) == payload


def test_one_leaf_is_opened_and_no_other_follows_from_it() -> None:
    secret = secrets.token_bytes(32)
    loads = {f"meter-1/{n}": str(n % 3).encode() for n in range(37)}
    published = [commitment_oracle(secret, leaf, load) for leaf, load in loads.items()]
    tree, ordered = committed_tree(published)
    assert ordered == sorted(published)
    root = tree.root()
    for leaf, load in loads.items():
        opening = LeafOpening.of(secret, leaf, load, published)
        assert LeafOpening.from_json(opening.to_json()) == opening
        assert opening.check(root) == load
    # Equal payloads have different commitments, and guessing needs the salt of the very leaf.
    assert len(set(published)) == 37
    opened = LeafOpening.of(secret, "meter-1/0", b"0", published)
    for guess in (b"0", b"1", b"2"):
        assert Opening("meter-1/3", opened.salt, guess).commitment not in published


@pytest.mark.parametrize("change", ["payload", "salt", "leaf_id", "path", "index", "leaf_count"])
def test_an_altered_opening_does_not_lead_to_the_root(change: str) -> None:
    secret = b"s" * 32
    published = [commitment_oracle(secret, f"leaf-{n}", b"7") for n in range(9)]
    opening = LeafOpening.of(secret, "leaf-4", b"7", published)
    root = committed_tree(published)[0].root()
    fields = json.loads(opening.to_json())
    fields[change] = {
        "payload": b"8".hex(),
        "salt": "00" * 32,
        "leaf_id": "leaf-5",
        "path": ["00" * 32, *fields["path"][1:]],
        "index": (fields["index"] + 1) % 9,
        "leaf_count": 10,
    }[change]
    altered = LeafOpening.from_json(json.dumps(fields))
    with pytest.raises(SettlementError, match="merkle_"):
        altered.check(root)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "gridrig.leaf-opening.1"}', "nonsense", "1" * 5_000_000]
)
def test_a_malformed_opening_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettlementError, match="opening_malformed"):
        LeafOpening.from_json(text)


def test_a_secret_is_its_owner_s_and_never_in_a_run_or_beside_a_rig(tmp_path: Path) -> None:
    path = tmp_path / "mine.secret"
    new_secret(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(read_secret(path)) == 32
    with pytest.raises(SettlementError, match="secret_unwritable"):
        new_secret(path)
    path.chmod(0o600)
    path.write_text("12 34")
    with pytest.raises(SettlementError, match="secret_unreadable"):
        read_secret(path)
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text("{}")
    rig = tmp_path / "rig"
    rig.mkdir()
    (rig / "bench.toml").write_text('[rig]\nname = "x"\n')
    for place in (run, rig, run / "deeper"):
        with pytest.raises(SettlementError, match="secret_misplaced"):
            new_secret(place / "s")
    assert list(tmp_path.rglob("s")) == []


def test_a_leaf_is_hidden_published_opened_and_checked_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: object, code: int = 0) -> str:
        assert main(["disclose", *map(str, arguments)]) == code
        return capsys.readouterr().out

    names = ("ann", "ben")
    for name in names:
        run("secret", tmp_path / f"{name}.secret")
        rows = "".join(f"{name}/{n},load {n} mWh\n" for n in range(5))
        (tmp_path / f"{name}.csv").write_text("leaf_id,payload\n" + rows)
        public = run("commit", tmp_path / f"{name}.csv", "--secret", tmp_path / f"{name}.secret")
        (tmp_path / f"{name}.txt").write_text(public)
        secret = (tmp_path / f"{name}.secret").read_text().strip()
        salts = [commitment_salt(bytes.fromhex(secret), f"{name}/{n}").hex() for n in range(5)]
        for hidden in (secret, *salts, name, "mWh"):
            assert hidden not in public
    published = [tmp_path / f"{name}.txt" for name in names]
    root = run("root", *published).strip()
    assert root == run("root", *reversed(published)).strip()
    opening = tmp_path / "opening.json"
    opening.write_text(
        run(
            "open",
            "ann/3",
            "--leaves",
            tmp_path / "ann.csv",
            "--secret",
            tmp_path / "ann.secret",
            *published,
        )
    )
    assert run("check", opening, "--root", root) == "proven: ann/3 is load 3 mWh\n"
    assert json.loads(run("check", opening, "--root", root, "--json"))["payload"] == "load 3 mWh"
    run("check", opening, "--root", "00" * 32, code=1)
    for wrong in (
        ("open", "ann/9", "--leaves", tmp_path / "ann.csv", "--secret", tmp_path / "ann.secret"),
        ("open", "ann/3", "--leaves", tmp_path / "ann.csv", "--secret", tmp_path / "ben.secret"),
    ):
        run(*wrong, *published, code=2)
    run("check", opening, "--root", "xyz", code=2)
    run("root", tmp_path / "ann.csv", code=2)
    run("root", published[0], published[0], code=2)


HOMES = [f"home-{n}" for n in range(12)]


def support_min(releases: list[Release]) -> int:
    """Fewest homes that any small combination of releases tells of, by trying them all."""
    segments = sorted({edge for r in releases for edge in (r.from_s, r.to_s)})
    least = len(HOMES)
    for factors in itertools.product((-2, -1, 0, 1, 2), repeat=len(releases)):
        told = set()
        for home in HOMES:
            for begin in segments[:-1]:
                weight = sum(
                    f
                    for f, r in zip(factors, releases, strict=True)
                    if home in r.homes and r.from_s <= begin < r.to_s
                )
                if weight:
                    told.add(home)
        if told:
            least = min(least, len(told))
    return least


@given(
    asked=st.lists(
        st.tuples(
            st.sets(st.sampled_from(HOMES), min_size=1), st.integers(0, 2), st.integers(1, 2)
        ),
        min_size=1,
        max_size=10,
    )
)
@settings(max_examples=30, deadline=None, database=None, derandomize=True)
def test_no_combination_of_what_is_published_is_of_fewer_than_k_homes(
    asked: list[tuple[set[str], int, int]],
) -> None:
    given_out: list[Release] = []
    for number, (homes, begin, length) in enumerate(asked):
        release = Release(str(number), "import", begin, begin + length, frozenset(homes), 0)
        if len(homes) >= 3 and smallest_cell(release, given_out, 3) is None:
            given_out.append(release)
    if given_out:
        assert support_min(given_out[:4]) >= 3


def test_a_cell_of_three_releases_is_found_where_every_two_are_harmless() -> None:
    def of(name: str, *numbers: int) -> Release:
        return Release(name, "import", 0, 1, frozenset(HOMES[n] for n in numbers), 0)

    one, two = of("one", 0, 1, 2, 3, 4, 5), of("two", 3, 4, 5, 6, 7, 8)
    asked = of("asked", 0, 1, 3, 6, 7, 9)
    assert smallest_cell(two, [one], 3) is None
    assert smallest_cell(asked, [one], 3) is None
    assert smallest_cell(asked, [two], 3) is None
    found = smallest_cell(asked, [one, two], 3)
    assert found is not None
    assert found[0] < 3


def test_a_difference_attack_is_refused_and_names_the_earlier_release(tmp_path: Path) -> None:
    values = {home: 1_000 + n for n, home in enumerate(HOMES)}
    publisher = AggregatePublisher(tmp_path / "releases.db", k=5)
    hour = {"from_s": 0, "to_s": 3_600}

    def refused(code: str, name: str, homes: list[str], **span: int) -> SettlementError:
        with pytest.raises(SettlementError) as refusal:
            publisher.publish(name, "import_milliwh", {h: values[h] for h in homes}, **span)
        assert refusal.value.code == f"settlement.{code}"
        return refusal.value

    assert publisher.publish("street", "import_milliwh", values, **hour) == sum(values.values())
    assert publisher.publish("street", "import_milliwh", values, **hour) == sum(values.values())
    # Everybody but the first: the difference is the first one's load.
    attack = refused("aggregate_difference", "all but one", HOMES[1:], **hour)
    assert (attack.earlier.name, attack.homes) == ("street", 1)
    refused("aggregate_small", "four", HOMES[:4], **hour)
    # Half an hour of all but four, against the hour of all.
    refused("aggregate_difference", "half", HOMES[4:], from_s=900, to_s=2_700)
    publisher.publish("seven", "import_milliwh", {h: values[h] for h in HOMES[:7]}, **hour)
    # Two releases whose sum less the street is of two homes: no pair alone gives it away.
    attack = refused("aggregate_difference", "overlap", HOMES[5:], **hour)
    assert attack.earlier.name in ("seven", "street")
    refused("aggregate_name", "street", HOMES[:6], **hour)
    refused("aggregate_span", "backwards", HOMES, from_s=1, to_s=1)
    # Another quantity is no other matter; another time is.
    with pytest.raises(SettlementError, match="aggregate_difference"):
        publisher.publish("export", "export_milliwh", dict.fromkeys(HOMES[1:], 1), **hour)
    publisher.publish("later", "import_milliwh", values, from_s=3_600, to_s=7_200)
    publisher.close()
    # What was published before is remembered, and k is not lowered.
    publisher = AggregatePublisher(tmp_path / "releases.db", k=5)
    refused("aggregate_difference", "all but one", HOMES[1:], **hour)
    assert [r.name for r in publisher.releases()] == ["later", "seven", "street"]
    publisher.close()
    with pytest.raises(SettlementError, match="aggregate_file") as refusal:
        AggregatePublisher(tmp_path / "releases.db", k=2)
    # Nor is the file held open by whoever keeps the refusal.
    held = [fd for fd in Path("/proc/self/fd").iterdir() if "releases.db" in str(fd.resolve())]
    assert held == [], refusal.value
