"""A run on a feeder that is an OpenDSS file beside the rig: houses and roofs on single phases."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from small_street import rig_file, scenario_file

from gridrig.campaign.assembly import make_street
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.flow import Physics
from gridrig.campaign.manifest import verify
from gridrig.campaign.rig_grid import load_grid
from gridrig.campaign.run import run
from gridrig.campaign.scenario import load_scenario, units
from gridrig.errors import RigError
from gridrig.rig.description import load_rig

FILES = {
    "Master.dss": """
clear
set defaultbasefrequency=50
new circuit.village basekv=20 pu=1.0 phases=3 bus1=mv mvasc3=200 mvasc1=210
redirect parts/lines.dss
redirect parts/loads.dss
set voltagebases=[20 0.4]
calcvoltagebases
""",
    "parts/lines.dss": """
new transformer.station phases=3 windings=2 buses=[mv lv] conns=[delta wye] kvs=[20 0.4]
~ kvas=[100 100] xhl=4 %rs=[0.7 0.7]
new line.near phases=3 bus1=lv bus2=near r1=0.03 x1=0.01 r0=0.09 x0=0.03 c1=0 c0=0 normamps=200
new line.far phases=3 bus1=near bus2=far r1=0.05 x1=0.02 r0=0.15 x0=0.06 c1=0 c0=0 normamps=100
new line.drop phases=1 bus1=far.2 bus2=hut.2 r1=0.05 x1=0.02 c1=0 c0=0 normamps=60
""",
    "parts/loads.dss": """
new loadshape.home npts=8 interval=3 mult=[.3 .3 .7 .6 .8 .7 1 .5]
new loadshape.sun npts=8 interval=3 mult=[0 .1 .4 .7 .7 .4 .1 0]
new load.house phases=1 bus1=near.1 kv=0.23 kw=4 kvar=1 daily=home
new load.hut phases=1 bus1=hut.2 kv=0.23 kw=2 kvar=0.5 model=2 daily=home
new load.shop phases=3 bus1=far kv=0.4 kw=6 kvar=2
new pvsystem.roof phases=1 bus1=far.3 kv=0.23 kva=7 pmpp=7 daily=sun
""",
}
AT = {
    "pv-3": "far", "pv-4": "far.3", "storage-a": "lv", "storage-b": "near",
    "meter-bus-3": "load.house", "meter-bus-12": "load.hut",
}  # fmt: skip


def on_village(table: dict[str, Any]) -> None:
    table["feeder"] = {"engine": "opendss", "network": "Master.dss", "pcc": "trafo:station"}
    for device in table["device"]:
        if device["name"] in AT:
            device["bus"] = AT[device["name"]]
        if device["name"].startswith("pv-"):
            device["emulate"]["profile"] = "roof"


@pytest.fixture
def village(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_village_runs_through_an_island_on_its_own_file(village: Path) -> None:
    rig = load_rig(rig_file(village, on_village))
    scenario = load_scenario(scenario_file(village), units(CATALOGUE))
    result = run(rig, scenario, village / "run", seed=1, render=lambda _: None)
    assert result.verdicts.cause == ""
    assert result.verdicts.outcome.name == "PASS"
    trace = pq.read_table(village / "run" / "trace.parquet").to_pydict()
    assert set(trace) >= {"bus.far.v_pu", "bus.far.3.v_pu", "bus.load.hut.v_pu"}
    assert min(trace["bus.far.v_pu"]) > 0.9
    roof = [a - b for a, b in zip(trace["bus.far.3.v_pu"], trace["bus.far.v_pu"], strict=True)]
    assert max(map(abs, roof)) > 1e-4  # its phase is not the others'


def test_run_keeps_the_files_of_its_feeder_and_verify_notices_a_change(village: Path) -> None:
    (village / "parts" / "home.csv").write_text("0.3\n0.7\n")
    with (village / "parts" / "loads.dss").open("a") as file:
        file.write("new loadshape.two npts=2 interval=1 mult=(file=home.csv) ! from a file\n")
    (village / "parts" / "unused.dss").write_text("! nobody redirects to it\n")
    rig = load_rig(rig_file(village, on_village))
    scenario = load_scenario(scenario_file(village, duration_s=60), units(CATALOGUE))
    path = run(rig, scenario, village / "run", seed=1, render=lambda _: None).path
    kept = {
        str(x.relative_to(path / "feeder")) for x in (path / "feeder").rglob("*") if x.is_file()
    }
    assert kept == {"Master.dss", "parts/lines.dss", "parts/loads.dss", "parts/home.csv"}
    assert (path / "feeder/Master.dss").read_text() == FILES["Master.dss"]
    assert verify(path).intact
    with (path / "feeder/parts/lines.dss").open("a") as file:
        file.write("! a word more\n")
    assert [(p.file, p.kind) for p in verify(path).problems] == [
        ("feeder/parts/lines.dss", "changed")
    ]


def test_place_that_the_file_lacks_is_named_with_the_near_miss(village: Path) -> None:
    def misplaced(table: dict[str, Any]) -> None:
        on_village(table)
        for device in table["device"]:
            if device["name"] == "pv-4":
                device["bus"] = "hut.3"  # the hut has phase 2 only

    rig = load_rig(rig_file(village, misplaced))
    with pytest.raises(RigError, match=r"hut\.3") as caught:
        load_grid(rig, 1_467_206_100, 60)
    assert [issue.found for issue in caught.value.issues] == ['"hut.3"']


def test_sun_and_frequency_that_the_file_lacks_are_named_at_once(village: Path) -> None:
    def mistaken(table: dict[str, Any]) -> None:
        on_village(table)
        table["rig"]["nominal"]["f_hz"] = 60
        for device in table["device"]:
            if device["name"] == "pv-3":
                device["emulate"]["profile"] = "rof"

    with pytest.raises(RigError) as caught:
        load_grid(load_rig(rig_file(village, mistaken)), 1_467_206_100, 60)
    assert [(issue.found, issue.near_miss) for issue in caught.value.issues] == [
        ("60", None),
        ('"rof"', "roof"),
    ]


def test_load_that_follows_its_voltage_is_metered_as_it_drew(village: Path) -> None:
    rig = load_rig(rig_file(village, on_village))
    start_s = 1_467_206_100  # 2016-06-29T13:15:00Z, when homes draw 0.8 of their rating
    grid = load_grid(rig, start_s, 60)
    street = make_street(rig, grid, seed=1)
    grid.feeder.source_v_pu = 0.93
    physics = Physics(street, grid.feeder)
    for tick in range(3):
        street.follow_profiles(start_s)
        flow = physics.step(float(tick), 1.0)
        physics.finish(1.0)
    v_pu = flow.solution.v_at("load.hut")
    assert v_pu < 0.95
    drawn_w = 2000 * 0.8 * (v_pu * 400 / 3**0.5 / 230) ** 2
    hut = street.world.terminal(street.loads["load.hut"])
    assert hut.p_w == pytest.approx(-drawn_w, rel=1e-6)
    assert hut.import_milliwh == pytest.approx(3 * drawn_w / 3.6, rel=1e-3)


def test_what_is_at_one_phase_has_the_voltage_of_that_phase_in_an_island(village: Path) -> None:
    rig = load_rig(rig_file(village, on_village))
    grid = load_grid(rig, 1_467_206_100, 60)
    street = make_street(rig, grid, seed=1)
    street.follow_profiles(1_467_206_100)
    physics = Physics(street, grid.feeder)
    for tick in range(30):
        if tick == 2:
            physics.open_pcc(2.0)
        flow = physics.step(float(tick), 1.0)
        physics.finish(1.0)
    street.world.island_tick(30.0, 1.0, 0.0, record_every=0)
    modelled = {bus: street.world.terminal(k).v_pu for k, bus in enumerate(street.buses)}
    solved = {bus: flow.solution.v_at(bus) for bus in modelled}
    # The plant's former has a reactance in each phase, the feeder's holds its terminals balanced.
    for bus, v_pu in solved.items():
        assert modelled[bus] == pytest.approx(v_pu, abs=0.012), bus
    assert modelled["load.house"] < modelled["near"] - 0.003 > solved["load.house"]
    assert modelled["far.3"] > modelled["far"] + 0.01 < solved["far.3"]
