"""What judges row N10 finds wrong trees and receipts, and a command shows the facts of a run."""

import json
from pathlib import Path
from random import Random

import pytest
from criteria import assert_fails

from gridrig._core import MerkleTree, Verifier
from gridrig.campaign import records
from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.facts_command import check_command, prove_command, root_command
from gridrig.campaign.run import run
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.slicing import slice_scenario
from gridrig.errors import SettlementError
from gridrig.promises import facts
from gridrig.rig.description import load_rig
from gridrig.settlement.facts import Absence, FactTree, Receipt, fact_digest

START_S = 1_466_424_000


def small(verifier: Verifier) -> tuple[list[bytes], list[bytes]]:
    return facts.fleet_facts(verifier, Random(3), meters=4, each=10, false=6, start_utc_s=START_S)


def test_false_facts_are_refused_and_all_others_are_taken() -> None:
    verifier = Verifier()
    records_, false = small(verifier)
    found = facts.tried(
        verifier, records_, false, Random(1), at_s=START_S + 86_400, receipts=34, changed=34
    )
    assert found == facts.Tried(34, False, 0, 0, 0, 0)


def test_a_tree_that_takes_false_facts_is_seen() -> None:
    records_, false = small(Verifier())
    tree = FactTree(records_)
    assert len(tree) == 40
    assert not any(facts.holds(lambda r=r: tree.absence(r)) for r in false)  # type: ignore[misc]


def test_a_tree_out_of_order_has_another_root() -> None:
    records_, _ = small(Verifier())
    leaves = sorted(map(fact_digest, records_))
    assert MerkleTree(leaves).root() == facts.root_by_hand(records_)
    unlike = MerkleTree(leaves[::-1]).root() != facts.root_by_hand(records_)
    assert_fails(int(unlike), "test_facts.root_unlike_by_hand")


def test_receipts_that_show_too_little_or_too_much_are_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def tried() -> facts.Tried:
        verifier = Verifier()
        records_, false = small(verifier)
        at_s = START_S + 86_400
        return facts.tried(verifier, records_, false, Random(1), at_s=at_s, receipts=34, changed=34)

    def refuses(*_: object) -> None:
        raise SettlementError("settlement.merkle_root_mismatch", "no root is right")

    with monkeypatch.context() as patch:
        patch.setattr(Receipt, "verify", refuses)
        patch.setattr(Absence, "verify", refuses)
        found = tried()
    assert_fails(found.not_shown, "test_facts.receipts_not_shown")
    assert_fails(found.not_absent, "test_facts.false_facts_not_absent")
    monkeypatch.setattr(Receipt, "verify", lambda *_: None)
    monkeypatch.setattr(Absence, "verify", lambda *_: None)
    found = tried()
    assert_fails(found.changed_shown, "test_facts.changed_receipts_shown")
    assert_fails(found.present_absent, "test_facts.facts_shown_absent")


def test_run_has_a_root_and_each_line_its_receipt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = load_scenario(SCENARIOS / "promise-9-night-compute.toml")
    part = slice_scenario(scenario, from_s=0, for_s=900, tick_s=None)
    rig = load_rig(RIGS / "emulated-compute-node.toml")
    path = run(rig, part, tmp_path / "run", seed=1, render=lambda _: None).path
    rows = [json.loads(line) for line in (path / records.READINGS).read_text().splitlines()]
    assert len(rows) == 8  # four meters, twice
    rows.append(rows[0] | {"record": rows[0]["record"].replace("GR-0401", "GR-0402")})
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (path / records.READINGS).write_text(text)

    assert root_command(path) == 0
    root, said = capsys.readouterr().out.split(maxsplit=1)
    assert said == "8 facts of 9 records\n"
    for line, expected in ((1, "present"), (8, "present"), (9, "absent, if the leaves")):
        assert prove_command(path, line) == 0
        receipt = tmp_path / "receipt.json"
        receipt.write_text(capsys.readouterr().out)
        assert check_command(receipt, root) == 0
        assert capsys.readouterr().out.startswith(expected)
    other = ("0" if root[0] != "0" else "1") + root[1:]
    assert check_command(receipt, other) == 1
    assert capsys.readouterr().out.startswith("not shown: settlement.merkle_root_mismatch")
