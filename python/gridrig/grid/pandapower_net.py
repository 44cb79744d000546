"""Turn a pandapower net into the engine-independent description, or say what stands against it."""

from collections.abc import Iterator
from math import isnan
from typing import Any

from gridrig.errors import GridError
from gridrig.grid.network import (
    Coupling,
    Generator,
    Line,
    Load,
    Network,
    Sgen,
    Source,
    Storage,
    Transformer,
)
from gridrig.grid.pandapower_phases import phase_loads, require_zero_sequence
from gridrig.grid.pandapower_repairs import join_switches, name_all, unsupported
from gridrig.grid.points import Point

_REFUSED = ("ward", "xward", "dcline", "motor", "svc", "tcsc", "ssc", "vsc")
_BEYOND_OPENDSS = ("gen", "shunt", "impedance", "trafo3w")


def describe(
    net: Any, *, name: str, profile_code: str | None = None, tap_changer: str | None = None
) -> Network:
    """Describe a pandapower net; the net itself is repaired in place.

    Parameters
    ----------
    net : pandapower net
    name : str
        What the rig file calls it.
    profile_code : str, optional
        Simbench code of its profiles.
    tap_changer : str, optional
        Changer type to set where a tap stands off neutral and pandapower would ignore it;
        without it such a tap is an error.

    Returns
    -------
    Network

    Raises
    ------
    GridError
        `grid.element_unsupported`, `grid.tap_ignored`, `grid.source_count`,
        `grid.zero_sequence_missing`.
    """
    repairs: list[str] = []
    for kind in _REFUSED:
        if kind in net and len(net[kind]):
            raise unsupported(name, kind, net[kind])
    differ = bool(len(net.asymmetric_load) or len(net.asymmetric_sgen))
    name_all(net, repairs)
    join_switches(net, name, repairs)
    _repair_taps(net, name, tap_changer, repairs)
    _tell_load_models(net, repairs)
    sources = net.ext_grid[net.ext_grid.in_service]
    if not len(sources):
        raise GridError(
            "grid.source_count",
            "{network} has no external grid in service, expected at least 1",
            network=name,
        )
    buses = dict(zip(net.bus.index, net.bus["name"], strict=True))
    points = [Point(bus, bus, (1, 2, 3)) for bus in buses.values()]
    loads = [_load(row, buses) for row in _rows(net.load) if row["in_service"]]
    sgens = [_sgen(row, buses) for row in _rows(net.sgen) if row["in_service"]]
    if differ:
        require_zero_sequence(net, name)
        phased, single = phase_loads(net, name, buses)
        loads += phased
        points += single
    return Network(
        name=name,
        f_hz=float(net.f_hz),
        buses=tuple(buses.values()),
        v_nominal_v=tuple(1e3 * float(v) for v in net.bus.vn_kv),
        sources=tuple(
            Source(str(row["name"]), buses[row["bus"]], float(row["vm_pu"]), row["va_degree"])
            for row in _rows(sources)
        ),
        lines=tuple(_line(row, buses) for row in _rows(net.line)),
        transformers=tuple(_transformer(row, buses) for row in _rows(net.trafo)),
        loads=tuple(loads),
        sgens=tuple(sgens),
        storages=tuple(_storage(row, buses) for row in _rows(net.storage) if row["in_service"]),
        repairs=tuple(repairs),
        profile_code=profile_code,
        net=net,
        generators=tuple(
            Generator(row["name"], buses[row["bus"]], _units(row["p_mw"] * row["scaling"]))
            for row in _rows(net.gen)
            if row["in_service"]
        ),
        couplings=tuple(_couplings(net, buses)),
        phases_differ=differ,
        points=tuple(points),
        beyond_opendss=_beyond_opendss(net),
    )


def _beyond_opendss(net: Any) -> str:
    """Return what of a net only pandapower solves."""
    for kind in _BEYOND_OPENDSS:
        if len(net[kind]):
            return f"{len(net[kind])} elements of kind {kind!r}"
    for row in _rows(net.line):
        if _number(row.get("g_us_per_km")):
            return f"a shunt conductance at line {row['name']!r}"
    for row in _rows(net.trafo):
        if _number(row.get("tap_step_degree")) and _steps(row):
            return f"a phase-shifting tap at transformer {row['name']!r}"
        if _number(row.get("tap2_pos")) - _number(row.get("tap2_neutral")):
            return f"a second tap changer at transformer {row['name']!r}"
    return ""


def _couplings(net: Any, buses: dict[int, str]) -> Iterator[Coupling]:
    for row in _rows(net.impedance):
        if row["in_service"]:
            yield Coupling(row["name"], buses[row["from_bus"]], buses[row["to_bus"]])
    for row in _rows(net.trafo3w):
        if row["in_service"]:
            for side in ("mv_bus", "lv_bus"):
                yield Coupling(row["name"], buses[row["hv_bus"]], buses[row[side]])


def _tell_load_models(net: Any, repairs: list[str]) -> None:
    """State which loads follow the voltage in pandapower and do not here."""
    columns = [column for column in net.load.columns if column.startswith("const_")]
    follows = net.load[columns].fillna(0.0).any(axis=1)
    repairs += [
        f"load {name!r}: its shares of constant impedance or current are taken as constant power"
        for name in net.load["name"][follows]
    ]


def _rows(table: Any) -> Iterator[dict[str, Any]]:
    return iter(table.to_dict("records"))


def _repair_taps(net: Any, name: str, tap_changer: str | None, repairs: list[str]) -> None:
    """Make every tap off neutral count, or refuse it; pandapower skips one without a type."""
    kinds = net.trafo["tap_changer_type"].astype(object)
    for index, row in net.trafo.iterrows():
        steps = _steps(row)
        kind = kinds.at[index]
        if kind in ("Ratio", "Symmetrical", "Ideal") or steps == 0:
            continue
        empty = not isinstance(kind, str) or kind == ""
        if not empty or tap_changer is None or not _number(row["tap_step_percent"]):
            raise GridError(
                "grid.tap_ignored",
                "transformer {transformer!r} of {network} stands {steps:g} steps off neutral "
                "with tap_changer_type {kind!r}: pandapower would ignore the tap; expected "
                "'Ratio', 'Symmetrical' or 'Ideal'",
                network=name,
                transformer=str(row["name"]),
                steps=steps,
                kind=kind,
            )
        kinds.at[index] = tap_changer
        repairs.append(
            f"transformer {row['name']!r}: its tap changer type is empty and pandapower would "
            f"ignore tap {steps:+g} x {row['tap_step_percent']:g} % on the {row['tap_side']} "
            f"side; set to {tap_changer!r}"
        )
    net.trafo["tap_changer_type"] = kinds


def _steps(row: Any) -> float:
    return _number(row["tap_pos"]) - _number(row["tap_neutral"])


def _number(value: Any) -> float:
    """Return a float, 0 for an empty cell."""
    number = float("nan") if value is None else float(value)
    return 0.0 if isnan(number) else number


def _units(mega: Any) -> float:
    """Return W, var, VA or Wh from a value in millions of them, free of 7900.000000000001."""
    return round(1e6 * float(mega), 3)


def _line(row: dict[str, Any], buses: dict[int, str]) -> Line:
    parallel = int(row["parallel"])
    return Line(
        name=str(row["name"]),
        from_bus=buses[row["from_bus"]],
        to_bus=buses[row["to_bus"]],
        length_km=float(row["length_km"]),
        r_ohm_per_km=float(row["r_ohm_per_km"]),
        x_ohm_per_km=float(row["x_ohm_per_km"]),
        c_nf_per_km=float(row["c_nf_per_km"]),
        parallel=parallel,
        max_i_a=1e3 * float(row["max_i_ka"]) * float(row["df"]) * parallel,
        in_service=bool(row["in_service"]),
        r0_ohm_per_km=_number(row.get("r0_ohm_per_km")),
        x0_ohm_per_km=_number(row.get("x0_ohm_per_km")),
        c0_nf_per_km=_number(row.get("c0_nf_per_km")),
    )


def _transformer(row: dict[str, Any], buses: dict[int, str]) -> Transformer:
    parallel = int(row["parallel"])
    side = str(row["tap_side"])
    return Transformer(
        name=str(row["name"]),
        hv_bus=buses[row["hv_bus"]],
        lv_bus=buses[row["lv_bus"]],
        s_va=_units(row["sn_mva"]) * parallel,
        derating=float(row["df"]),
        v_hv_v=1e3 * float(row["vn_hv_kv"]),
        v_lv_v=1e3 * float(row["vn_lv_kv"]),
        vk_percent=float(row["vk_percent"]),
        vkr_percent=float(row["vkr_percent"]),
        iron_loss_w=1e3 * float(row["pfe_kw"]) * parallel,
        i0_percent=float(row["i0_percent"]),
        shift_deg=float(row["shift_degree"]),
        tap_side=side if side in ("hv", "lv") else "hv",
        tap_steps=_steps(row),
        tap_step_percent=_number(row["tap_step_percent"]),
        in_service=bool(row["in_service"]),
    )


def _load(row: dict[str, Any], buses: dict[int, str]) -> Load:
    scaling = float(row["scaling"])
    return Load(
        name=str(row["name"]),
        bus=buses[row["bus"]],
        draw_w=_units(row["p_mw"]) * scaling,
        draw_var=_units(row["q_mvar"]) * scaling,
        profile=_text(row.get("profile")),
    )


def _sgen(row: dict[str, Any], buses: dict[int, str]) -> Sgen:
    return Sgen(
        name=str(row["name"]),
        bus=buses[row["bus"]],
        rating_w=_units(row["p_mw"]) * float(row["scaling"]),
        kind=str(row.get("type")),
        profile=_text(row.get("profile")),
    )


def _storage(row: dict[str, Any], buses: dict[int, str]) -> Storage:
    power = _number(row.get("sn_mva")) or abs(float(row["p_mw"]))
    return Storage(
        name=str(row["name"]),
        bus=buses[row["bus"]],
        rating_w=_units(power),
        energy_wh=_units(_number(row.get("max_e_mwh"))),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
