"""Campaign 5 for as long as its name says: all 365 days, on demand.

python -m pytest -m soak tests/campaign/test_promise_whole_year.py
"""

from dataclasses import replace

import pytest
from criteria import module_of

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.outcomes import Outcome
from gridrig.campaign.procedures import Procedure, execute
from gridrig.promises.plant_days import whole_year
from gridrig.rig.description import load_rig, override_emulate

FILE = module_of("test_certificate_year")
WHOLE: Procedure = FILE.test_whole_year.procedure
RIG = load_rig(RIGS / "emulated-plants.toml")


@pytest.mark.soak
def test_every_hour_of_a_year_is_certified_once() -> None:
    found = execute(WHOLE, RIG).verdicts
    values = {v.criterion.name: v.value for v in found.verdicts}
    print(values)
    assert found.outcome is Outcome.PASS, found
    assert len(whole_year()) == 365
    # Four other ways to claim each certificate; hours with sun are half of a year, on two plants.
    assert (values["second_claims_tried"] or 0) > 4 * 365 * 24
    assert (values["storage_certified_wh"] or 0) > 365 * 1_000


@pytest.mark.soak
def test_a_meter_that_counts_two_per_cent_too_much_is_found_in_a_year() -> None:
    wrong = override_emulate(RIG, "meter-pv-2", {"scale": 1.02})
    assert execute(WHOLE, wrong).verdicts.outcome is Outcome.FAIL


def test_the_whole_year_is_judged_as_the_twelve_days_are() -> None:
    twelve: Procedure = FILE.test_certificate_year.procedure
    assert WHOLE.criteria == twelve.criteria
    assert WHOLE.mutants == twelve.mutants
    same = replace(
        WHOLE, name=twelve.name, claim=twelve.claim, hazards=twelve.hazards, body=twelve.body
    )
    assert replace(same, start_utc_s=twelve.start_utc_s) == twelve
    assert WHOLE.start_utc_s < whole_year()[0] < twelve.start_utc_s
