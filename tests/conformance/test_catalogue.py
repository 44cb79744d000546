"""The catalogue: its page, its versions, and what a case must say of itself."""

import json
from pathlib import Path

from gridrig.conformance.case import EVERY, NODE
from gridrig.conformance.catalogue import STATED
from gridrig.conformance.catalogue_page import catalogue_page
from gridrig.conformance.code_blocks import digests

ROOT = Path(__file__).parents[2]
VERSIONS = Path(__file__).with_name("versions.json")


def test_the_page_is_the_catalogue() -> None:
    page = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
    assert page == catalogue_page(), "gridrig catalogue > docs/catalogue.md"


def test_every_case_says_what_it_is_and_can_fail() -> None:
    assert len(STATED) >= 35
    assert len({case.id for case in STATED}) == len(STATED)
    for case in STATED:
        assert case.limits, case.id
        assert set(case.of) <= {*EVERY, *NODE}
        for text in (case.title, case.why, case.stimulus, case.not_covered):
            assert len(text) >= 14, case.id


def test_a_case_that_changed_has_a_new_version() -> None:
    """Whoever changes a case gives it the next version, and writes both into `versions.json`."""
    known = json.loads(VERSIONS.read_text())
    now = {case.id: [case.version, case.digest] for case in STATED}
    changed = {name: pair for name, pair in now.items() if known.get(name) != pair}
    assert changed == {}, f"new version? then write into {VERSIONS.name}: {json.dumps(changed)}"
    assert set(known) == set(now)


def test_a_block_changes_with_its_code_and_with_nothing_else() -> None:
    source = "class A:\n    x = 1\n\n    def f(self):\n        return 1\n\n"
    source += "    def g(self):\n        return 2\n"
    was = digests(source)
    assert set(was) == {"<module>", "A.f", "A.g"}
    other = digests(source.replace("return 1", "return 3"))
    assert {name for name in was if was[name] != other[name]} == {"A.f"}
    signature = digests(source.replace("g(self)", "g(self, y=2)"))
    assert {name for name in was if was[name] != signature[name]} == {"<module>"}
    assert digests(source.replace("x = 1", "x = 1  # one")) == was
    added = digests(source + "\n    def h(self):\n        return 4\n")
    assert added["<module>"] != was["<module>"]
