"""Both feeder engines on the same injections, at every tick of one run through an island."""

from pathlib import Path

import numpy as np
import pytest

import gridrig.campaign.run as run_module
from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.rig_grid import load_grid
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.slicing import slice_scenario
from gridrig.grid.engines import make_feeder
from gridrig.grid.feeder import Feeder
from gridrig.rig.description import load_rig

pytestmark = pytest.mark.slow

AGREE_PU = 1e-4


class Twin:
    """A feeder that asks a second engine every question and keeps the differences."""

    def __init__(self, first: Feeder, second: Feeder) -> None:
        object.__setattr__(self, "first", first)
        object.__setattr__(self, "second", second)
        object.__setattr__(self, "differences", [])

    def __getattr__(self, name):
        return getattr(self.first, name)

    def __setattr__(self, name, value):
        setattr(self.first, name, value)
        setattr(self.second, name, value)

    def open_pcc(self, *args, **kwargs):
        self.second.open_pcc(*args, **kwargs)
        self.first.open_pcc(*args, **kwargs)

    def close_pcc(self):
        self.second.close_pcc()
        self.first.close_pcc()

    def solve(self, p_w, q_var):
        one, two = self.first.solve(p_w, q_var), self.second.solve(p_w, q_var)
        self.differences.append(float(np.abs(one.v_pu - two.v_pu).max()))
        return one


def test_both_engines_give_the_same_voltages_at_every_tick_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twins: list[Twin] = []

    def load_both(rig, start_utc_s, duration_s):
        grid = load_grid(rig, start_utc_s, duration_s)
        assert rig.feeder is not None
        twins.append(Twin(grid.feeder, make_feeder("opendss", grid.network, rig.feeder.pcc)))
        grid.feeder = twins[0]
        return grid

    monkeypatch.setattr(run_module, "load_grid", load_both)
    rig = load_rig(RIGS / "emulated-street.toml")
    units = {name: known.unit for name, known in CATALOGUE.items()}
    scenario = load_scenario(SCENARIOS / "sunny-then-storm.toml", units)
    # From a minute before the first opening until it is closed again.
    part = slice_scenario(scenario, from_s=2700, for_s=900, tick_s=4)
    result = run_module.run(rig, part, tmp_path / "run", seed=1, render=lambda _: None)
    assert result.verdicts.cause == ""
    assert len(twins[0].differences) >= 200
    assert max(twins[0].differences) <= AGREE_PU
    assert max(twins[0].differences) > 0.0  # two engines, not one asked twice
