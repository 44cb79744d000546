"""Regulators of an OpenDSS file: they act, are held, and are told another voltage."""

from pathlib import Path

import pytest

from gridrig.errors import GridError
from gridrig.grid import Feeder, load_network, make_feeder

# 12.47 kV, ten kilometres to a regulator that holds 60 x 122 V within 60 x 1 V behind it.
FILE = """
clear
new circuit.c basekv=12.47 phases=3 bus1=src mvasc3=1000 mvasc1=1000
new line.near phases=3 bus1=src bus2=a r1=0.3 x1=0.6 r0=0.9 x0=1.8 c1=0 c0=0 length=10 units=km
new transformer.reg phases=3 windings=2 buses=[a b] conns=[wye wye] kvs=[12.47 12.47]
~ kvas=[5000 5000] xhl=0.1 %loadloss=0.001 maxtap=1.1 mintap=0.9 numtaps=32
new regcontrol.creg transformer=reg winding=2 vreg=122 band=2 ptratio=60
new line.far phases=3 bus1=b bus2=c r1=0.3 x1=0.6 r0=0.9 x0=1.8 c1=0 c0=0 length=2 units=km
new load.mill phases=3 bus1=c kv=12.47 kw=2000 kvar=500
set voltagebases=[12.47]
calcvoltagebases
"""
BASE_V = 12470 / 3**0.5 / 60
HEAVY, LIGHT = ({"load.mill": -2e6}, {"load.mill": -5e5}), ({"load.mill": -2e5}, {})


@pytest.fixture
def regulated(tmp_path: Path) -> Feeder:
    (tmp_path / "mill.dss").write_text(FILE)
    return make_feeder("opendss", load_network("mill.dss", folder=tmp_path), "source")


def behind_v(feeder: Feeder, injections: tuple[dict[str, float], dict[str, float]]) -> float:
    """Return what the regulator measures. [V]"""
    return feeder.solve(*injections).v_at("b") * BASE_V


def test_regulator_that_acts_keeps_its_band_and_one_that_is_held_does_not(
    regulated: Feeder,
) -> None:
    assert abs(behind_v(regulated, HEAVY) - 122) <= 1
    steps = regulated.tap_steps("reg")
    assert steps == pytest.approx(14)
    regulated.set_regulator("creg", acts=False)
    assert behind_v(regulated, LIGHT) > 125
    assert regulated.tap_steps("reg") == pytest.approx(steps)
    regulated.set_regulator("creg", acts=True)
    assert abs(behind_v(regulated, LIGHT) - 122) <= 1


def test_regulator_told_another_voltage_holds_that_until_the_feeder_is_as_loaded(
    regulated: Feeder,
) -> None:
    regulated.set_regulator("creg", vreg_v=118)
    assert abs(behind_v(regulated, HEAVY) - 118) <= 1
    regulated.as_loaded()
    assert abs(behind_v(regulated, HEAVY) - 122) <= 1


def test_held_tap_outlives_a_solution_that_was_not_believed(regulated: Feeder) -> None:
    # After a failure the file is read anew, where the tap is neutral.
    behind_v(regulated, HEAVY)
    regulated.set_regulator("creg", acts=False)
    with pytest.raises(GridError):
        regulated.solve({"load.mill": -9e7}, {})
    behind_v(regulated, HEAVY)
    assert regulated.tap_steps("reg") == pytest.approx(14)


def test_tap_that_a_regulator_would_move_back_is_refused_until_it_is_held(
    regulated: Feeder,
) -> None:
    with pytest.raises(GridError, match=r"regulator:creg moves the tap .* held first") as caught:
        regulated.set_tap("reg", 0)
    assert caught.value.code == "grid.tap_regulated"
    regulated.set_regulator("creg", acts=False)
    regulated.set_tap("reg", 0)
    neutral_v = behind_v(regulated, HEAVY)
    regulated.set_tap("reg", 8)
    assert behind_v(regulated, HEAVY) / neutral_v == pytest.approx(1.05, abs=1e-3)


def test_twin_takes_over_a_held_tap(regulated: Feeder) -> None:
    twin = make_feeder("opendss", regulated.network, "source")
    behind_v(regulated, HEAVY)
    regulated.set_regulator("creg", acts=False)
    twin.same_state_as(regulated)
    assert twin.solve(*LIGHT).v_at("c") == pytest.approx(regulated.solve(*LIGHT).v_at("c"))


def test_regulator_that_is_not_there_is_named_with_the_near_miss(regulated: Feeder) -> None:
    with pytest.raises(GridError, match="did you mean 'creg'"):
        regulated.set_regulator("cregg", acts=False)
