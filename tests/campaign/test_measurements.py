"""Verdicts: what passes, what fails, what cannot be told, and the exit code of it all."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridrig.campaign.measurements import Criterion, Measurement, Outcome, judge, judge_all, worst
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.errors import CampaignError

TRIP = Criterion("trip_time_s", "s", max=2.0, source="IEEE 1547-2018 8.1")
finite = st.floats(-1e9, 1e9) | st.integers(-(10**15), 10**15)
spreads = st.floats(0, 1e6)


def exactly(value):
    return Fraction(str(value))


@pytest.mark.parametrize(
    ("value", "uncertainty", "outcome"),
    [
        (1.9, 0.05, Outcome.PASS),
        (1.95, 0.05, Outcome.PASS),  # the far end of the interval is the limit, which is allowed
        (1.96, 0.05, Outcome.INCONCLUSIVE),
        (2.0, 0.0, Outcome.PASS),
        (2.0, 0.01, Outcome.INCONCLUSIVE),
        (2.05, 0.05, Outcome.INCONCLUSIVE),
        (2.06, 0.05, Outcome.FAIL),
        (2.0000000001, 0.0, Outcome.FAIL),
        (math.inf, 0.0, Outcome.FAIL),
        (-math.inf, 0.0, Outcome.PASS),
        (None, 0.0, Outcome.INCONCLUSIVE),
        (math.nan, 0.0, Outcome.INCONCLUSIVE),
        (1.0, math.inf, Outcome.INCONCLUSIVE),
        (9.0, math.nan, Outcome.INCONCLUSIVE),
    ],
)
def test_a_value_is_judged_with_its_uncertainty_against_an_upper_limit(value, uncertainty, outcome):
    assert judge(TRIP, Measurement("trip_time_s", "s", value, uncertainty)).outcome is outcome


def test_a_band_is_judged_at_both_of_its_ends():
    band = Criterion("f_hz", "Hz", min=49.5, max=50.5, source="s", uncertainty=0.01)
    values = (49.48, 49.5, 49.51, 50.0, 50.49, 50.5, 50.52)
    found = [str(judge(band, Measurement("f_hz", "Hz", value)).outcome) for value in values]
    undecided = "INCONCLUSIVE"
    assert found == ["FAIL", undecided, "PASS", "PASS", "PASS", undecided, "FAIL"]


def test_limits_are_compared_as_the_decimals_they_print_as():
    # 0.1 + 0.2 > 0.3 in binary; in the decimals of the report it is equal, so it passes.
    limit = Criterion("x", "V", max=0.3, source="s")
    assert judge(limit, Measurement("x", "V", 0.1, 0.2)).outcome is Outcome.PASS


def test_integers_beyond_the_precision_of_floats_are_judged_exactly():
    zero = Criterion("sum", "millionths", max=10**17, source="s")
    assert judge(zero, Measurement("sum", "millionths", 10**17 + 1)).outcome is Outcome.FAIL


def test_numpy_numbers_are_taken_for_what_they_hold():
    found = judge(TRIP, Measurement("trip_time_s", "s", np.float64(1.5), np.float64(0.1)))
    assert found.outcome is Outcome.PASS
    assert type(found.value) is float


def test_another_unit_or_name_is_an_error_of_the_procedure():
    assert judge(TRIP, Measurement("trip_time_s", "ms", 1.0)).outcome is Outcome.ERROR
    assert judge(TRIP, Measurement("trip_time", "s", 1.0)).outcome is Outcome.ERROR


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({}, "campaign.criterion_without_limit"),
        ({"max": math.nan}, "campaign.limit_not_finite"),
        ({"min": math.inf}, "campaign.limit_not_finite"),
        ({"min": 2, "max": 1}, "campaign.criterion_empty_range"),
        ({"max": True}, "campaign.not_a_number"),
        ({"max": "2"}, "campaign.not_a_number"),
        ({"max": 1, "uncertainty": -1.0}, "campaign.uncertainty_negative"),
        ({"max": 1, "uncertainty": math.nan}, "campaign.uncertainty_negative"),
    ],
)
def test_a_criterion_that_could_not_fail_or_not_be_met_is_refused(limits, code):
    with pytest.raises(CampaignError) as caught:
        Criterion("x", "V", source="s", **limits)
    assert caught.value.code == code


def test_a_negative_uncertainty_is_refused():
    with pytest.raises(CampaignError, match="uncertainty_negative"):
        Measurement("x", "V", 1.0, -0.1)


def test_what_is_missing_has_the_outcome_of_the_run_that_broke_off():
    late = Criterion("late", "s", max=1, source="s")
    measured = [Measurement("trip_time_s", "s", 2.5)]
    for ended in (Outcome.ERROR, Outcome.ABORTED):
        found = judge_all([TRIP, late], measured, ended=ended, cause="SIGTERM")
        assert [verdict.outcome for verdict in found] == [Outcome.FAIL, ended]
        assert found[1].note == "SIGTERM"
    found = judge_all([TRIP, late], measured)
    assert found[1].outcome is Outcome.INCONCLUSIVE


def test_a_name_measured_twice_is_an_error():
    twice = [Measurement("trip_time_s", "s", 1.0), Measurement("trip_time_s", "s", 1.1)]
    assert judge_all([TRIP], twice)[0].outcome is Outcome.ERROR


def test_exit_codes_are_the_stated_ones_and_the_worst_decides():
    order = [Outcome.UNSAFE, Outcome.ABORTED, Outcome.ERROR, Outcome.FAIL, Outcome.INCONCLUSIVE,
             Outcome.PASS]  # fmt: skip
    assert [outcome.exit_code for outcome in order] == [6, 5, 4, 1, 3, 0]
    for rank, outcome in enumerate(order):
        assert worst(reversed(order[rank:])) is outcome


def test_no_criterion_at_all_is_an_error():
    assert worst([]) is Outcome.ERROR
    assert RunVerdicts("t", ()).exit_code == 4


def test_a_rig_left_unsafe_outranks_a_pass():
    verdicts = judge_all([TRIP], [Measurement("trip_time_s", "s", 1.0)])
    assert RunVerdicts("t", verdicts).exit_code == 0
    assert RunVerdicts("t", verdicts, left_unsafe=("pv-1",)).exit_code == 6
    assert RunVerdicts("t", verdicts, Outcome.ABORTED, "SIGINT").exit_code == 5


@pytest.mark.parametrize("value", [1.25, 3, None, math.inf, -math.inf])
def test_verdicts_read_back_are_the_ones_written(value):
    import json

    from gridrig.campaign.formats import json_bytes

    measured = [Measurement("trip_time_s", "s", value, 0.002)]
    written = RunVerdicts("t", judge_all([TRIP], measured), findings=("one",))
    text = json_bytes(written.to_json())
    read = RunVerdicts.from_json(json.loads(text))
    assert json_bytes(read.to_json()) == text
    assert read.verdicts[0].margin == written.verdicts[0].margin


def test_verdicts_whose_outcome_was_edited_are_refused():
    content = RunVerdicts("t", judge_all([TRIP], [])).to_json()
    content["outcome"], content["exit_code"] = "PASS", 0
    with pytest.raises(CampaignError, match="verdicts_disagree"):
        RunVerdicts.from_json(content)


@given(finite, spreads, finite, finite)
def test_prop_pass_means_inside_and_fail_means_outside_whatever_the_true_value(
    value, spread, one, other
):
    low, high = sorted((one, other))
    criterion = Criterion("x", "V", low, high, "s")
    outcome = judge(criterion, Measurement("x", "V", value, spread)).outcome
    ends = (exactly(value) - exactly(spread), exactly(value) + exactly(spread))
    inside = [exactly(low) <= end <= exactly(high) for end in ends]
    assert (outcome is Outcome.PASS) == all(inside)
    if outcome is Outcome.FAIL:
        assert ends[1] < exactly(low) or ends[0] > exactly(high)
    else:
        assert ends[1] >= exactly(low)
        assert ends[0] <= exactly(high)


@given(finite, spreads, spreads, finite)
def test_prop_more_uncertainty_never_decides_more(value, spread, more, limit):
    criterion = Criterion("x", "V", max=limit, source="s")
    before = judge(criterion, Measurement("x", "V", value, spread)).outcome
    after = judge(criterion, Measurement("x", "V", value, spread + more)).outcome
    assert after in (before, Outcome.INCONCLUSIVE)


@given(finite, finite, st.none() | finite)
def test_prop_margin_has_the_sign_of_the_verdict(value, one, other):
    limits = sorted(limit for limit in (one, other) if limit is not None)
    criterion = Criterion("x", "V", limits[0], limits[-1] if len(limits) > 1 else None, "s")
    verdict = judge(criterion, Measurement("x", "V", value))
    assert verdict.margin is not None
    assert (verdict.margin < 0) == (verdict.outcome is Outcome.FAIL)


@given(st.lists(st.sampled_from(Outcome), min_size=1))
def test_prop_the_worst_does_not_depend_on_order_and_is_one_of_them(outcomes):
    assert worst(outcomes) is worst(sorted(outcomes))
    assert worst(outcomes) in outcomes
    assert worst([*outcomes, Outcome.UNSAFE]) is Outcome.UNSAFE
