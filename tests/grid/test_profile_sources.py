"""Profiles beside simbench's: tables in CSV and Parquet, shapes of OpenDSS, and bare ratings."""

from pathlib import Path

import pandas as pd
import pytest
from feeder_injections import utc

from gridrig.errors import GridError
from gridrig.grid import Network, load_network, load_profiles

START = utc(2016, 6, 21, 6)
CIRCUIT = """
clear
new circuit.shapes basekv=0.4 bus1=head
new loadshape.day npts=24 interval=1 mult=({day}) qmult=({flat})
new loadshape.kw npts=4 interval=0.25 mult=(1 2 3 4) useactual=yes
new load.house bus1=head kv=0.4 kw=10 kvar=2 daily=day
new load.works bus1=head kv=0.4 kw=10 kvar=5 yearly=kw daily=day
new loadshape.one npts=1 interval=1 mult=(0.5)
new load.pump bus1=head kv=0.4 kw=2 kvar=1 daily=one
new load.lamp bus1=head kv=0.4 kw=1 kvar=0
new pvsystem.roof bus1=head kv=0.4 kva=5 pmpp=5 daily=day
set voltagebases=[0.4]
calcvoltagebases
""".format(day=" ".join(str(hour / 24) for hour in range(24)), flat=" ".join(["0.5"] * 24))


def table(network: Network, rows: int = 8) -> pd.DataFrame:
    """Return rows of 15 minutes from an hour before the start; row k draws 100 k W a load."""
    times = pd.date_range("2016-06-21T05:00:00Z", periods=rows, freq="15min")
    columns: dict[str, object] = {"time": times.strftime("%Y-%m-%dT%H:%M:%SZ")}
    columns |= {f"{x.name}.draw_w": [100.0 * k for k in range(rows)] for x in network.loads}
    columns["roof.fraction"] = [k / rows for k in range(rows)]
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def cigre() -> Network:
    return load_network("cigre_lv")


@pytest.fixture
def shapes(tmp_path: Path) -> Network:
    (tmp_path / "feeder.dss").write_text(CIRCUIT)
    return load_network("feeder.dss", folder=tmp_path)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_table_gives_each_load_its_row(cigre: Network, tmp_path: Path, kind: str) -> None:
    frame = table(cigre)
    load = cigre.loads[0]
    frame[f"{load.name}.draw_var"] = -7.0
    path = tmp_path / f"week.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    else:
        frame["time"] = pd.to_datetime(frame["time"])
        frame.to_parquet(path)
    profiles = load_profiles(cigre, START, START + 1800, source=path.name, folder=tmp_path)
    # 06:00 is row 4, 06:15 row 5; what has no column of its own keeps its power factor.
    assert profiles.load(load.bus, START) == (pytest.approx(-400.0), pytest.approx(7.0))
    other = cigre.loads[1]
    p_w, q_var = profiles.load(other.bus, START + 900)
    assert p_w == pytest.approx(-500.0)
    assert q_var == pytest.approx(-500.0 * other.draw_var / other.draw_w)
    assert profiles.sgens == ("roof",)
    assert profiles.sgen_fraction("roof", START + 899) == pytest.approx(4 / 8)


def test_end_of_a_table_may_be_the_end_of_a_run(cigre: Network, tmp_path: Path) -> None:
    table(cigre, rows=6).to_csv(tmp_path / "t.csv", index=False)
    held = load_profiles(cigre, START, START + 1799, source="t.csv", folder=tmp_path)
    assert held.load(cigre.loads[0].bus, START + 1799)[0] == pytest.approx(-500.0)
    with pytest.raises(GridError, match="do not cover the run") as caught:
        load_profiles(cigre, START, START + 3600, source="t.csv", folder=tmp_path)
    assert caught.value.code == "grid.profile_time"


def spoil(frame: pd.DataFrame, how: str, load: str) -> pd.DataFrame:
    """Return a table with one thing wrong in it."""
    column = f"{load}.draw_w"
    match how:
        case "misspelt":
            return frame.rename(columns={column: f"{load}.draw_W"})
        case "stranger":
            return frame.assign(temperature=1.0)
        case "word":
            frame[column] = frame[column].astype(object)
            frame.loc[2, column] = "much"
        case "zone":
            frame["time"] = frame["time"].str.removesuffix("Z")
        case "gap":
            return frame.drop(index=3)
        case "share":
            frame.loc[1, "roof.fraction"] = 1.5
    return frame


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("misspelt", r"no column 'Load R1\.draw_w'.*did you mean 'Load R1\.draw_W'"),
        ("stranger", "a column 'temperature'"),
        ("word", r"row 3, Load R1\.draw_w: found much, expected a number"),
        ("zone", "row 1, time: found 2016-06-21T05:00:00, expected a time with its zone"),
        ("gap", "row 4, time: found 2016-06-21T06:00:00Z, expected rows of one whole length"),
        ("share", r"row 2, roof\.fraction: found 1\.5, expected a share from 0 to 1"),
    ],
)
def test_table_that_is_wrong_is_refused_at_the_place(
    cigre: Network, tmp_path: Path, how: str, words: str
) -> None:
    spoil(table(cigre), how, "Load R1").to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(GridError, match=words):
        load_profiles(cigre, START, START + 900, source="t.csv", folder=tmp_path)


def test_table_that_is_not_there_is_named(cigre: Network, tmp_path: Path) -> None:
    with pytest.raises(GridError, match=r"nowhere\.csv.*'rated', 'shapes'"):
        load_profiles(cigre, START, START, source="nowhere.csv", folder=tmp_path)


def test_shape_gives_each_hour_its_point(shapes: Network) -> None:
    profiles = load_profiles(shapes, START, START + 7200)
    # The first point holds until 01:00, so at 06:00 it is the seventh, and its Q has its own.
    assert profiles.load("load.house", START) == (
        pytest.approx(-10e3 * 6 / 24),
        pytest.approx(-1e3),
    )
    assert profiles.load("load.house", START + 3600)[0] == pytest.approx(-10e3 * 7 / 24)
    # A yearly shape goes before a daily one; its points are kW, and OpenDSS then has no kvar.
    assert profiles.load("load.works", START + 900) == (pytest.approx(-2e3), 0.0)
    assert profiles.load("load.pump", START) == (pytest.approx(-1e3), pytest.approx(-500.0))
    assert profiles.load("load.lamp", START) == (pytest.approx(-1e3), pytest.approx(0.0))
    assert profiles.sgen_fraction("roof", START) == pytest.approx(6 / 24)


def test_shape_of_a_day_is_what_opendss_itself_solves_in_its_daily_mode(shapes: Network) -> None:
    from dss import DSS

    bare = DSS.NewContext()
    bare.AllowChangeDir = False
    bare.Text.Command = f'redirect "{shapes.dss_file}"'
    circuit = bare.ActiveCircuit
    bare.Text.Command = "set mode=daily stepsize=1h number=1 hour=6"
    circuit.Solution.Solve()  # the step that ends at 07:00
    circuit.SetActiveElement("load.house")
    drawn_kw = sum(circuit.ActiveCktElement.Powers[::2])
    profiles = load_profiles(shapes, START, START + 3600)
    assert -profiles.load("load.house", START)[0] == pytest.approx(1e3 * drawn_kw, rel=1e-3)


def test_ratings_hold_all_the_time(cigre: Network) -> None:
    profiles = load_profiles(cigre, START, START + 86_400, source="rated")
    total_w = profiles.loads(START + 50_000).p_w.sum()
    assert total_w == pytest.approx(-sum(x.draw_w for x in cigre.loads))


def test_shapes_of_what_is_no_opendss_file_are_refused(cigre: Network) -> None:
    with pytest.raises(GridError, match="cigre_lv is no OpenDSS file"):
        load_profiles(cigre, START, START, source="shapes")
