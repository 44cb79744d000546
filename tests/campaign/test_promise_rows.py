"""Every row names criteria that are there; its verdict is never better than theirs."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from gridrig.campaign.builtin import PROCEDURES
from gridrig.campaign.procedures import Procedure
from gridrig.errors import GridrigError
from gridrig.promises.campaigns import CAMPAIGNS
from gridrig.promises.choice import chosen_rows, suites_of
from gridrig.promises.results import NOT_PROVEN, Shown, judged
from gridrig.promises.rows import Campaign, Proof, Row

ROWS = [row for campaign in CAMPAIGNS for row in campaign.rows]
SUITES = {Path(suite).stem: suite for campaign in CAMPAIGNS for suite in campaign.suites}


def procedure_of(name: str) -> Procedure:
    path = PROCEDURES / Path(SUITES[name]).relative_to("hil")
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Procedure = vars(module)[name].procedure
    return found


def test_there_are_all_rows_each_in_a_campaign_and_said_to_be_proven_or_why_not() -> None:
    names = {*(f"N{k}" for k in range(1, 15)), *(f"M{k}" for k in range(1, 35))}
    assert {row.name for row in ROWS} == names
    assert len(ROWS) == len(names)
    assert [campaign.number for campaign in CAMPAIGNS] == list(range(1, 11))
    assert [row.name for row in ROWS if not row.is_carried and not row.missing] == []


@pytest.mark.parametrize("name", SUITES)
def test_every_proof_is_a_criterion_of_its_procedure(name: str) -> None:
    criteria = {criterion.name for criterion in procedure_of(name).criteria}
    carried = {p.criterion for row in ROWS for p in row.proofs if p.procedure == name}
    assert carried
    assert carried <= criteria


def test_suites_are_run_once_each_and_a_word_that_is_no_row_is_refused() -> None:
    rows = chosen_rows(["N6", "M3", "6"])
    assert [row.name for _, row in rows] == ["M3", "N1", "N6", "N7"]
    assert suites_of(rows) == [
        "hil/promises/test_sunny_afternoon.py::test_sunny_afternoon",
        "hil/promises/test_liars.py::test_liars",
        "hil/promises/test_telemetry.py::test_telemetry",
    ]
    with pytest.raises(GridrigError, match="did you mean 'M"):
        chosen_rows(["M35"])
    with pytest.raises(GridrigError, match=r"did you mean 'M5'\?"):
        chosen_rows(["m5"])


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_a_row_asked_for_alone_finds_every_procedure_that_carries_it(name: str) -> None:
    (chosen,) = chosen_rows([name])
    carrying = {proof.procedure for proof in chosen[1].proofs}
    assert {suite.rpartition("::")[2] for suite in suites_of([chosen])} == carrying


def test_a_row_is_as_good_as_its_worst_criterion_and_not_proven_without_any() -> None:
    proofs = (Proof("p", "a"), Proof("p", "b"))
    row = Row("M1", "claim", proofs)
    campaign = Campaign(1, "title", (row,))
    shown = {proof: Shown(proof.criterion, "0", "at most 0", "PASS") for proof in proofs}
    assert judged(campaign, row, shown).verdict == "PASS"
    for outcome in ("FAIL", "INCONCLUSIVE", "ERROR"):
        worse = shown | {proofs[1]: Shown("b", "1", "at most 0", outcome)}
        assert judged(campaign, row, worse).verdict == outcome
    assert judged(campaign, row, {proofs[0]: shown[proofs[0]]}).verdict == "ERROR"
    assert judged(campaign, Row("M1", "claim"), shown).verdict == NOT_PROVEN
