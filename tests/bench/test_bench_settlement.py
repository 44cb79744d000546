"""The settlement benchmark runs, keeps what it says it keeps, and names its goals."""

from gridrig.bench import settlement


def test_a_row_without_a_bound_has_no_goal_to_reach() -> None:
    received = settlement.measure(["100k"], True).rows[2]
    assert received.goal is None


def test_a_quick_run_measures_its_workload() -> None:
    measured = settlement.measure(["1m"], True)
    total, post, verified = measured.rows
    assert total.ours < verified.ours
    assert post.ours < total.ours
    assert post.peer_figure is not None
    assert all(row.goal is not None for row in measured.rows)
    entries = int(total.note.split()[0].replace(",", ""))
    assert entries >= 4 * settlement.QUICK_METERS
