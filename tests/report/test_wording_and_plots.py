"""Numbers as they are shown, and lines as they are thinned."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridrig.report.plots import thinned
from gridrig.report.wording import count, duration, fixed, kwh, moment, money, number, printable


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "—"), (0, "0"), (0.0, "0"), (-0.0, "0"), (1.5, "1.5"), (0.962, "0.962"),
        (100.0, "100"), (123456, "123\u202f456"), (-1234567, "−1\u202f234\u202f567"),
        (9100, "9100"), (100000.0, "100\u202f000"), (1e-7, "1e−07"), (1.0000004, "1"),
        (math.inf, "∞"), (-math.inf, "−∞"), (math.nan, "not a number"), (10**20 + 1,
        "100\u202f000\u202f000\u202f000\u202f000\u202f000\u202f001"),
    ],
)  # fmt: skip
def test_numbers_are_shown_in_groups_and_without_needless_digits(value, shown):
    assert number(value) == shown


@given(st.floats(-1e8, 1e8), st.floats(-1e8, 1e8))
def test_prop_a_shown_value_is_on_the_side_of_the_limit_it_was_judged_on(value, limit):
    shown = number(value, apart_from=(limit,)).replace("\u202f", "").replace("−", "-")
    read = float(shown)
    assert (read > limit) == (value > limit)
    assert (read < limit) == (value < limit)


@given(st.integers(-(10**18), 10**18))
def test_prop_money_is_shown_to_the_last_millionth(amount_micro):
    shown = money(amount_micro).replace("\u202f", "").replace("−", "-").replace(".", "")
    assert int(shown) == amount_micro


def test_quantities_read_as_people_write_them():
    assert kwh(1_250_000) == "1.250"
    assert fixed(-0.0004, 3) == "0.000"
    assert duration(14_400) == "4 h"
    assert duration(5_405) == "1 h 30 min 5 s"
    assert moment(1_468_152_000 + 6_300) == "13:45:00"
    assert (count(1, "bus", "buses"), count(2, "bus", "buses")) == ("1 bus", "2 buses")


def test_characters_that_break_a_page_are_shown_as_escapes():
    assert printable("a\x00\x1b[31m\udcff\tb\n") == "a\\x00\\x1b[31m\\xff\tb\n"


@given(
    st.lists(st.floats(-10, 10) | st.just(math.nan), min_size=1, max_size=400),
    st.integers(4, 80),
)
def test_prop_a_thinned_line_keeps_its_ends_extremes_and_order(values, points):
    y = np.array(values)
    x = np.arange(len(y), dtype=np.float64)
    thin_x, thin_y = thinned(x, y, points)
    assert len(thin_x) <= max(points * 3 // 2 + 3, 4)
    assert thin_x[0] == x[0]
    assert thin_x[-1] == x[-1]
    assert (np.diff(thin_x) > 0).all()
    if np.isfinite(y).any():
        assert np.nanmax(thin_y) == np.nanmax(y)
        assert np.nanmin(thin_y) == np.nanmin(y)
