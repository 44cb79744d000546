"""Every criterion of the promises can fail: by a wrong device, or by a test that alters something.

Read from the sources: a mutant names the criterion that catches it, and a tampering test names the
criteria in its calls of `assert_fails` and `assert_fails_alone`.
"""

import ast
import contextlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from criteria import NAMES, Unpassed, assert_fails_alone, meant_by, procedure_of

from gridrig.campaign.outcomes import Outcome
from gridrig.promises.campaigns import CAMPAIGNS

TESTS = Path(__file__).parents[1]
FIRST_NAME = 1  # of the arguments, after the value or what was found
CANNOT_FAIL = {
    ("test_privacy", "accounts_linkable"): "a count that is reported, and carries no row",
    ("test_privacy", "told_on_wires"): "a count that is reported, and carries no row",
}
"""Criteria whose lack alone is judged, and why. One that carries a row cannot be here."""


def named_in(source: str) -> Iterator[str]:
    """Yield the criteria that the tests of a file see fail."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="assert_fails" | "assert_fails_alone"), args=args):
                for arg in args[FIRST_NAME:]:
                    match arg:
                        case ast.Constant(value=str(name)):
                            yield name
                        case ast.Name() | ast.Subscript():  # `beside`, of assert_fails_alone
                            pass
                        case _:
                            raise AssertionError(f"line {arg.lineno}: name the criterion itself")


@cache
def named() -> tuple[tuple[str, str], ...]:
    """Return the criteria that tests see fail, each with the name of its file."""
    sources = {path.name: path.read_text() for path in TESTS.rglob("test_*.py")}
    return tuple(
        (file, name)
        for file, source in sources.items()
        if "assert_fails" in source
        for name in named_in(source)
    )


def tampered_with() -> set[tuple[str, str]]:
    found = {
        (procedure, criterion.name)
        for _, name in named()
        for procedure, criterion in meant_by(name)
    }
    assert len(found) > 150, "the tampering tests are not where they were"
    return found


def test_every_criterion_is_failed_by_a_mutant_or_by_a_tampering_test() -> None:
    tested = [procedure_of(name) for name in NAMES]
    criteria = {(one.name, criterion.name) for one in tested for criterion in one.criteria}
    mutants = {(one.name, mutant.caught_by) for one in tested for mutant in one.mutants}
    assert len(criteria) > 200
    assert sorted(criteria - mutants - tampered_with()) == sorted(CANNOT_FAIL)


def test_what_cannot_fail_carries_no_row() -> None:
    rows = [row for campaign in CAMPAIGNS for row in campaign.rows]
    carrying = {(proof.procedure, proof.criterion) for row in rows for proof in row.proofs}
    assert carrying
    assert not carrying & CANNOT_FAIL.keys()


def test_a_tampering_test_names_a_criterion_that_is_there() -> None:
    for file, name in named():
        assert list(meant_by(name)), f"{file}: {name}"


def test_a_criterion_is_seen_to_fail_of_the_procedure_that_judged_it_only() -> None:
    found = Unpassed("test_night_compute", ())
    found["soc_min"] = Outcome.FAIL
    for name, is_meant in (
        ("test_night_compute.soc_min", True),
        ("test_round_the_clock.soc_min", False),  # has one of that name too
        ("soc_min", False),
    ):
        with contextlib.nullcontext() if is_meant else pytest.raises(AssertionError):
            assert_fails_alone(found, name)
