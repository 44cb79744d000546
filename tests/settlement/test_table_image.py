"""Tables laid out by the core, read by SQLite: what is in them, and whether it finds them whole."""

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridrig.settlement import table_image

INTEGERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from(
        [
            sign * 2**bits + off
            for bits in (7, 8, 15, 16, 23, 24, 31, 32, 47, 48, 62)
            for sign in (-1, 1)
            for off in (-1, 0, 1)
        ]
    ),
    st.integers(-2, 2),
)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80)
CELLS = st.one_of(st.none(), INTEGERS, TEXT, st.binary(max_size=200))
LOCAL_MAX, PAGE = 4061, 4096


def read(image: memoryview) -> tuple[list[str], list[tuple[object, ...]]]:
    """Return what SQLite finds wrong with an image, and the rows of its table."""
    db = sqlite3.connect(":memory:")
    try:
        db.deserialize(image)
        found = [text for (text,) in db.execute("PRAGMA integrity_check")]
        return found, db.execute("SELECT * FROM t ORDER BY rowid").fetchall()
    finally:
        db.close()


def columns(count: int) -> str:
    return ", ".join(f"c{number}" for number in range(count))


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 6).flatmap(lambda width: st.lists(st.tuples(*[CELLS] * width))))
def test_prop_sqlite_reads_the_rows_that_were_laid_out(rows: list[tuple[object, ...]]) -> None:
    image = table_image("t", columns(len(rows[0]) if rows else 3), rows)  # type: ignore[arg-type]
    assert read(image.data) == (["ok"], rows)
    assert image.tobytes() == table_image("t", columns(len(rows[0]) if rows else 3), rows).tobytes()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "length",
    [*range(LOCAL_MAX - 12, LOCAL_MAX + 3), 2 * PAGE, 489 + 2 * (PAGE - 4), 1_000_000],
)
def test_a_row_longer_than_a_page_goes_on_in_others(length: int) -> None:
    rows = [(1, bytes([7]) * 10), (2, bytes(range(256)) * (length // 256 + 1)), (3, b"end")]
    rows[1] = (2, rows[1][1][:length])
    assert read(table_image("t", "a, b", rows).data) == (["ok"], rows)


def test_levels_are_laid_out_above_as_many_leaves_as_there_are() -> None:
    # Four rows a leaf, and 272 leaves below a page: one level, then two.
    for count in (0, 1, 4, 5, 4 * 272, 4 * 272 + 1, 4 * 272 * 2 + 1, 110_000):
        width = 950 if count < 10_000 else 30
        rows = [(number, b"x" * width) for number in range(count)]
        faults, found = read(table_image("t", "a, b", rows).data)
        assert faults == ["ok"]
        assert found == rows


def test_a_wide_row_has_a_header_of_two_bytes_more() -> None:
    for count in (125, 126, 127, 128, 300):
        row = tuple(range(count))
        assert read(table_image("t", columns(count), [row]).data) == (["ok"], [row])


def test_a_first_cell_is_put_before_each_row() -> None:
    image = table_image("t", "a, b", [("x",), ("y",)], first=[5, 6])
    assert read(image.data) == (["ok"], [(5, "x"), (6, "y")])
    with pytest.raises(ValueError, match="found 1 first cells, expected 2"):
        table_image("t", "a, b", [("x",), ("y",)], first=[5])


def test_a_cell_that_is_no_cell_is_refused() -> None:
    with pytest.raises(TypeError, match="cell of type float, expected int, str, bytes or None"):
        table_image("t", "a", [(1.5,)])  # type: ignore[list-item]
    with pytest.raises(OverflowError):
        table_image("t", "a", [(2**63,)])
