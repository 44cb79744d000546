"""The plant's benchmark runs, compares with its peer, and its map is the closed form."""

import numpy as np
import pytest

from gridrig.bench import plant
from gridrig.bench.plant_worlds import closed_form_zone, map_loads, map_world


@pytest.mark.parametrize("workload", plant.WORKLOADS)
def test_a_quick_run_measures_its_workload(workload: str) -> None:
    measured = plant.measure([workload], True)
    assert measured.rows
    assert measured.missing == []
    for row in measured.rows:
        assert row.ours > 0
    if workload == "functions":
        assert measured.rows[0].peer == "opender"


def test_the_map_is_the_closed_form_away_from_its_edges() -> None:
    loads, dp, dq = map_loads(13)
    blind = np.isnan(map_world().run_on_times(loads, 1.0)).reshape(13, 13)
    zone = closed_form_zone(dp, dq)
    assert 20 < zone.sum() < 100
    assert (blind == zone).mean() > 0.98
