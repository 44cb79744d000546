"""The work of a job: two backends against each other, and against a product worked out by hand."""

import random

import pytest

from gridrig.computing.work import BACKENDS, PRIME, Work, by_integers, by_numpy, result_hash
from gridrig.errors import GridrigError

KEPT = "031e5461f95c877d7b060253b79119f1ffb1157471faecb90307dd847822abd8"


@pytest.mark.parametrize("seed", range(20))
def test_backends_agree_on_every_entry(seed: int) -> None:
    sizes = random.Random(seed)
    work = Work(sizes.randrange(2**32), sizes.randint(1, 24), sizes.randint(1, 12))
    assert by_numpy(work) == by_integers(work)
    assert max(by_numpy(work)) < PRIME


def test_one_by_one_is_a_chain_of_products() -> None:
    start = by_integers(Work(5, 1, 1))[0]
    second = by_integers(Work(5, 1, 2))[0]
    factor = next(f for f in range(PRIME) if (start * f + 1) % PRIME == second)
    assert by_numpy(Work(5, 1, 3)) == [(second * factor + 2) % PRIME]


def test_hash_is_kept_and_any_other_work_has_another() -> None:
    work = Work(7, 16, 40)
    assert {result_hash(work, backend) for backend in BACKENDS} == {KEPT}
    others = (Work(8, 16, 40), Work(7, 17, 40), Work(7, 16, 41))
    assert KEPT not in {result_hash(other, "numpy") for other in others}


def test_spelling_comes_back() -> None:
    assert Work.read(str(Work(7, 16, 40))) == Work(7, 16, 40)


@pytest.mark.parametrize(
    "text", ["", "7x16", "7x64x39", "7x65x1", "4294967296x2x1", "7x0x1", "-1x2x3", "٧x2x3"]
)
def test_what_is_no_work_is_refused(text: str) -> None:
    with pytest.raises(GridrigError) as caught:
        Work.read(text)
    assert caught.value.code == "computing.work"
