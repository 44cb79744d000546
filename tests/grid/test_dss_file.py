"""Any OpenDSS file: what it describes, what it solves to, and what is refused by name."""

import os
from pathlib import Path

import numpy as np
import pytest

from gridrig.errors import GridError
from gridrig.grid import Feeder, Network, Solution, load_network, make_feeder

MASTER = Path(__file__).parent / "ieee13" / "Master.dss"
# Voltages of the published solution, phases a, b and c [pu]: W. H. Kersting, IEEE PES test feeders.
PUBLISHED_PU = {
    "rg60": (1.0625, 1.0500, 1.0687),
    "632": (1.0210, 1.0420, 1.0174),
    "633": (1.0180, 1.0401, 1.0148),
    "634": (0.9940, 1.0218, 0.9960),
    "645": (None, 1.0329, 1.0155),
    "646": (None, 1.0311, 1.0134),
    "671": (0.9900, 1.0529, 0.9778),
    "684": (0.9881, None, 0.9758),
    "611": (None, None, 0.9738),
    "652": (0.9825, None, None),
    "675": (0.9835, 1.0553, 0.9758),
}
DELTA = """
clear
new circuit.delta basekv=4.8 pu=1.0 phases=3 bus1=head isc3=1e8 isc1=1e8
new transformer.sub phases=3 windings=2 buses=[head 701] conns=[delta delta] kvs=[4.8 4.8]
~ kvas=[2500 2500] %rs=[0.5 0.5] xhl=4 ppm_antifloat=0
new line.701702 phases=3 bus1=701 bus2=702 r1=0.3 x1=0.2 r0=0.6 x0=0.4 c1=0 c0=0 length=1
new load.702 bus1=702 phases=3 conn=delta kv=4.8 kw=600 kvar=300
set voltagebases=[4.8]
calcvoltagebases
"""


def as_drawn(network: Network, scale: float = 1.0) -> tuple[dict[str, float], dict[str, float]]:
    """Return P [W] and Q [var] by point with every load at its rating."""
    p_w, q_var = {}, {}
    for load in network.loads:
        p_w[load.bus], q_var[load.bus] = -scale * load.draw_w, -scale * load.draw_var
    return p_w, q_var


def written(folder: Path, text: str) -> Network:
    (folder / "feeder.dss").write_text(text)
    return load_network("feeder.dss", folder=folder)


@pytest.fixture(scope="module")
def ieee13() -> Network:
    network = load_network(str(MASTER))
    return network.with_points(f"{bus}.{phase}" for bus in network.buses for phase in (1, 2, 3))


@pytest.fixture
def feeder(ieee13: Network) -> Feeder:
    return make_feeder("opendss", ieee13, "source")


@pytest.fixture
def solved(feeder: Feeder, ieee13: Network) -> Solution:
    return feeder.solve(*as_drawn(ieee13))


def test_thirteen_node_feeder_has_its_published_voltages(solved: Solution, ieee13: Network) -> None:
    for bus, phases in PUBLISHED_PU.items():
        for phase, published in enumerate(phases, start=1):
            if published is not None:
                name = f"{bus}.{phase}"
                assert solved.v_at(name) == pytest.approx(published, abs=1.2e-3), name
    # The published total is 3577.191 kW, of which 111.063 kW are lost.
    assert solved.head_p_w == pytest.approx(3577.191e3, rel=2e-4)
    assert solved.losses_w == pytest.approx(111.063e3, rel=6e-3)
    assert solved.mismatch_va < 0.1


def test_file_alone_solves_to_the_same_voltages(solved: Solution) -> None:
    from dss import DSS

    bare = DSS.NewContext()
    bare.AllowChangeDir = False
    bare.Text.Command = f'redirect "{MASTER}"'
    circuit = bare.ActiveCircuit
    circuit.Solution.Solve()
    circuit.SetActiveBus("675")
    volts = circuit.ActiveBus.puVmagAngle[::2]
    here = [solved.v_at(f"675.{phase}") for phase in (1, 2, 3)]
    # The bare load at 611 follows its voltage as ours does; tolerances differ.
    assert here == pytest.approx(volts, abs=2e-4)


def test_loadings_of_a_file_are_those_that_opendss_tells(solved: Solution) -> None:
    from dss import DSS

    bare = DSS.NewContext()
    bare.AllowChangeDir = False
    bare.Text.Command = f'redirect "{MASTER}"'
    elements = bare.ActiveCircuit.PDElements
    bare.ActiveCircuit.Solution.Solve()
    told = dict(zip(elements.AllNames, elements.AllPctNorm(False).tolist(), strict=True))
    lines = [told[f"Line.{name}"] for name in solved.lines]
    transformers = [told[f"Transformer.{name}"] for name in solved.transformers]
    assert max(lines) > 50.0
    assert solved.line_loading_percent == pytest.approx(lines, rel=2e-3, abs=1e-3)
    assert solved.trafo_loading_percent == pytest.approx(transformers, rel=2e-3, abs=1e-3)


def test_load_keeps_its_model_and_what_it_took_is_told(solved: Solution) -> None:
    def took(load: str) -> float:
        return -solved.p_w[solved.buses.index(f"load.{load}")]

    v_pu = {load: solved.v_at(f"load.{load}") for load in ("652", "611", "671")}
    rated = 4160 / 3**0.5 / 2400  # nominal of the bus over that of the load
    assert took("652") == pytest.approx(128e3 * (v_pu["652"] * rated) ** 2, rel=1e-6)  # impedance
    assert took("611") == pytest.approx(170e3 * v_pu["611"] * rated, rel=1e-6)  # current
    assert took("671") == pytest.approx(1155e3, rel=1e-6)  # constant power
    assert solved.losses_w == pytest.approx(solved.head_p_w + solved.p_w.sum(), abs=1.0)


def test_single_phase_device_moves_its_own_phase(feeder: Feeder, ieee13: Network) -> None:
    p_w, q_var = as_drawn(ieee13)
    before = feeder.solve(p_w, q_var)
    after = feeder.solve(p_w | {"675.1": 200e3}, q_var)
    own, other = (after.v_at(f"675.{phase}") - before.v_at(f"675.{phase}") for phase in (1, 2))
    assert own > 0.01
    assert other < 0.0  # by the coupling of the lines
    assert after.head_p_w - before.head_p_w == pytest.approx(-200e3, rel=0.1)
    assert after.mismatch_va < 1.0


def test_voltages_of_a_bus_are_judged_by_its_worst_phase(solved: Solution) -> None:
    at = solved.buses.index("675")
    assert solved.v_low_pu[at] == pytest.approx(solved.v_at("675.3"), abs=1e-9)
    assert solved.v_high_pu[at] == pytest.approx(solved.v_at("675.2"), abs=1e-9)
    assert solved.v_low_pu[at] < solved.v_at("675") < solved.v_high_pu[at]


def test_overload_is_an_error_and_the_next_solve_is_sound(
    feeder: Feeder, ieee13: Network, solved: Solution
) -> None:
    with pytest.raises(GridError) as caught:
        feeder.solve(*as_drawn(ieee13, 20.0))
    assert caught.value.code in ("grid.not_converged", "grid.voltage_range")
    again = feeder.solve(*as_drawn(ieee13))
    assert again.v_pu == pytest.approx(solved.v_pu, abs=1e-7)


def test_lost_section_is_dead_and_takes_no_power(
    feeder: Feeder, ieee13: Network, solved: Solution
) -> None:
    feeder.switch("line:671692", closed=False)
    cut = feeder.solve(*as_drawn(ieee13))
    assert set(cut.dead) == {
        "692", "675", "load.692", "load.675a", "load.675b", "load.675c",
        *(f"{bus}.{phase}" for bus in ("692", "675") for phase in (1, 2, 3)),
    }  # fmt: skip
    assert cut.v_at("675") == 0.0
    assert cut.p_w[cut.buses.index("load.675a")] == 0.0
    assert cut.mismatch_va < 1.0
    feeder.switch("line:671692", closed=True)
    assert feeder.solve(*as_drawn(ieee13)).v_pu == pytest.approx(solved.v_pu, abs=1e-7)


def test_island_of_a_feeder_is_held_by_its_former(ieee13: Network) -> None:
    feeder = make_feeder("opendss", ieee13, "line:650632")
    assert "650" not in feeder.buses
    assert "632" in feeder.buses
    connected = feeder.solve(*as_drawn(ieee13))
    assert connected.head_p_w == pytest.approx(3.47e6, rel=0.02)
    feeder.open_pcc("671", former_v_pu=1.01)
    island = feeder.solve(*as_drawn(ieee13))
    assert island.v_at("671") == pytest.approx(1.01, abs=1e-6)
    assert island.head_p_w == 0.0
    assert island.former_p_w == pytest.approx(island.losses_w - island.p_w.sum(), abs=1.0)
    with pytest.raises(GridError, match="needs all three"):
        feeder.open_pcc("611")
    feeder.close_pcc()
    assert feeder.solve(*as_drawn(ieee13)).v_pu == pytest.approx(connected.v_pu, abs=1e-7)


def test_ungrounded_delta_feeder_is_that_of_its_closed_form(tmp_path: Path) -> None:
    network = written(tmp_path, DELTA)
    feeder = make_feeder("opendss", network, "source")
    solution = feeder.solve(*as_drawn(network))
    # Balanced, so one phase: v (v* - e*) / z* = -s, solved as the textbook's quadratic.
    base_ohm = 4800.0**2 / 2.5e6
    z = 0.01 + 0.04j + (0.3 + 0.2j) / base_ohm
    s = (0.6 + 0.3j) / 2.5
    half = 0.5 - (z.real * s.real + z.imag * s.imag)
    v_pu = np.sqrt(half + np.sqrt(half**2 - abs(z * s) ** 2))
    assert solution.v_at("702") == pytest.approx(v_pu, abs=1e-6)
    assert solution.v_at("load.702") == pytest.approx(v_pu, abs=1e-6)


def test_bus_without_earth_is_judged_line_to_line_and_has_no_single_phase(tmp_path: Path) -> None:
    # A load between two phases and one phase's stray capacitance make the neutral wander.
    stray = "new capacitor.stray bus1=702.1 phases=1 kv=2.77 kvar=1\n"
    one = "new load.one bus1=702.1.2 phases=1 conn=delta kv=4.8 kw=300\nset voltagebases"
    network = written(tmp_path, DELTA.replace("set voltagebases", stray + one))
    named = network.with_points(["702.1", "702.2.3"])
    feeder = make_feeder("opendss", named, "source")
    assert "702.2.3" in feeder.buses
    assert "702.1" not in feeder.buses
    solution = feeder.solve(*as_drawn(network))
    at = solution.buses.index("702")
    assert 0.9 < solution.v_low_pu[at] < solution.v_high_pu[at] < 1.0
    assert solution.v_low_pu[at] == pytest.approx(solution.v_at("load.one"), abs=1e-6)


def test_regulator_of_a_file_acts_and_its_tap_can_be_moved(tmp_path: Path) -> None:
    text = """
    new circuit.reg basekv=4.16 pu=0.97 phases=3 bus1=head isc3=1e8 isc1=1e8
    new transformer.reg phases=3 windings=2 buses=[head far] conns=[wye wye] kvs=[4.16 4.16]
    ~ kvas=[5000 5000] xhl=0.1
    {control}
    new load.far bus1=far kv=4.16 kw=100
    set voltagebases=[4.16]
    calcvoltagebases
    """
    control = "new regcontrol.c transformer=reg winding=2 vreg=122 band=2 ptratio=20"
    network = written(tmp_path, text.format(control=control))
    held = make_feeder("opendss", network, "source").solve(*as_drawn(network))
    assert held.v_at("far") == pytest.approx(122 * 20 / (4160 / 3**0.5), abs=0.0085)
    free = make_feeder("opendss", written(tmp_path, text.format(control="")), "source")
    assert free.solve(*as_drawn(network)).v_at("far") == pytest.approx(0.97, abs=1e-3)
    free.set_tap("reg", 4)
    assert free.solve(*as_drawn(network)).v_at("far") == pytest.approx(0.97 * 1.025, abs=1e-3)


def test_generators_of_a_file_are_places_and_stated(tmp_path: Path) -> None:
    devices = (
        "new generator.g bus1=702 kv=4.8 kw=100\n"
        "new pvsystem.roof bus1=702 kv=4.8 kva=50 pmpp=40\n"
        "new storage.box bus1=702 kv=4.8 kwrated=30 kwhrated=90\nset voltagebases"
    )
    network = written(tmp_path, DELTA.replace("set voltagebases", devices))
    assert [(x.name, round(x.rating_w)) for x in network.sgens] == [
        ("g", 100_000),
        ("roof", 40_000),
    ]
    assert [(x.name, x.rating_w, x.energy_wh) for x in network.storages] == [("box", 30e3, 90e3)]
    assert any("pvsystem.roof: put aside" in text for text in network.repairs)
    solution = make_feeder("opendss", network, "source").solve({}, {})
    assert solution.head_p_w == pytest.approx(0.0, abs=100.0)  # nothing of the file feeds in


def test_load_multiplier_of_a_file_scales_what_is_not_fixed(tmp_path: Path) -> None:
    more = "new load.fixed bus1=702 kv=4.8 kw=10 status=fixed\nset loadmult=0.5\nset voltagebases"
    network = written(tmp_path, DELTA.replace("set voltagebases", more))
    assert [x.draw_w for x in network.loads] == [300e3, 10e3]


def test_file_is_read_where_it_is_and_the_process_stays_where_it_was() -> None:
    here = Path.cwd()
    load_network("Master.dss", folder=MASTER.parent)
    assert Path.cwd() == here
    assert os.environ.get("PWD") in (None, str(here))


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("redirect parts/lines.dss", "grid.network_unreadable", r"parts/lines\.dss.*line: 1"),
        ("new circuit.a\nnew line.l1 bus3=x", "grid.network_unreadable", r"feeder\.dss"),
        ("! nothing", "grid.network_unreadable", "makes no circuit"),
        ("new circuit.a basekv=4.16\nnew load.l bus1=sourcebus kv=4.16", "grid.voltage_base",
         "'sourcebus' has no nominal"),
        (DELTA + "new isource.i bus1=702", "grid.element_unsupported", r"isource\.i"),
    ],
)  # fmt: skip
def test_file_that_cannot_be_is_refused_by_name(
    tmp_path: Path, text: str, code: str, words: str
) -> None:
    with pytest.raises(GridError, match=words) as caught:
        written(tmp_path, text)
    assert caught.value.code == code


def test_pandapower_says_that_it_cannot_solve_a_file(ieee13: Network) -> None:
    with pytest.raises(GridError, match="engine 'opendss' solves it") as caught:
        make_feeder("pandapower", ieee13, "source")
    assert caught.value.code == "grid.engine_unfit"


def test_bank_of_regulators_is_no_pcc_by_one_of_its_phases(ieee13: Network) -> None:
    with pytest.raises(GridError, match="'reg1' leaves bus 'rg60' connected"):
        make_feeder("opendss", ieee13, "trafo:reg1")
