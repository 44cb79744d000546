"""Turn a pandapower net into the engine-independent description, or say what stands against it."""

from collections.abc import Iterator
from math import isnan
from typing import Any

from gridrig.errors import GridError
from gridrig.grid.network import (
    Line,
    Load,
    Network,
    Sgen,
    Source,
    Storage,
    Transformer,
)

_REFUSED = (
    "gen", "shunt", "ward", "xward", "impedance", "dcline", "trafo3w", "motor", "svc", "tcsc",
    "ssc", "vsc", "asymmetric_load", "asymmetric_sgen",
)  # fmt: skip


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
        `grid.element_unsupported`, `grid.open_switch`, `grid.tap_ignored`, `grid.tap_kind`,
        `grid.name_repeated`, `grid.source_count`, `grid.line_conductance`.
    """
    repairs: list[str] = []
    for kind in _REFUSED:
        if kind in net and len(net[kind]):
            raise GridError(
                "grid.element_unsupported",
                "{network} has {count} elements of kind {kind!r}, which are not modelled",
                network=name,
                kind=kind,
                count=len(net[kind]),
            )
    _close_switches(net, name, repairs)
    _repair_taps(net, name, tap_changer, repairs)
    sources = net.ext_grid[net.ext_grid.in_service]
    if len(sources) != 1:
        raise GridError(
            "grid.source_count",
            "{network} has {count} external grids in service, expected 1",
            network=name,
            count=len(sources),
        )
    buses = dict(zip(net.bus.index, net.bus["name"].astype(str), strict=True))
    source = next(_rows(sources))
    network = Network(
        name=name,
        f_hz=float(net.f_hz),
        buses=tuple(buses.values()),
        v_nominal_v=tuple(1e3 * float(v) for v in net.bus.vn_kv),
        source=Source(
            name=str(source["name"]),
            bus=buses[source["bus"]],
            v_pu=float(source["vm_pu"]),
            angle_deg=float(source["va_degree"]),
        ),
        lines=tuple(_line(row, buses) for row in _rows(net.line)),
        transformers=tuple(_transformer(row, buses) for row in _rows(net.trafo)),
        loads=tuple(_load(row, buses) for row in _rows(net.load) if row["in_service"]),
        sgens=tuple(_sgen(row, buses) for row in _rows(net.sgen) if row["in_service"]),
        storages=tuple(_storage(row, buses) for row in _rows(net.storage) if row["in_service"]),
        repairs=tuple(repairs),
        profile_code=profile_code,
        net=net,
    )
    _check_names(network)
    return network


def _rows(table: Any) -> Iterator[dict[str, Any]]:
    return iter(table.to_dict("records"))


def _close_switches(net: Any, name: str, repairs: list[str]) -> None:
    """Fuse buses joined by closed switches; an open branch switch has no place in the model."""
    if not len(net.switch):
        return
    from pandapower.toolbox import fuse_buses

    opened = net.switch[~net.switch.closed & (net.switch.et != "b")]
    if len(opened):
        raise GridError(
            "grid.open_switch",
            "{network} has an open branch switch {switch!r}, which is not modelled: take the "
            "branch out of service instead",
            network=name,
            switch=str(opened["name"].iloc[0]),
        )
    couplers = net.switch[net.switch.closed & (net.switch.et == "b")]
    for one, other in zip(couplers.bus, couplers.element, strict=True):
        if {one, other} <= set(net.bus.index):
            keep, drop = net.bus.at[one, "name"], net.bus.at[other, "name"]
            repairs.append(f"closed bus switch: bus {drop!r} is part of bus {keep!r}")
            fuse_buses(net, one, other)
    net.switch = net.switch.drop(net.switch.index)


def _repair_taps(net: Any, name: str, tap_changer: str | None, repairs: list[str]) -> None:
    """Make every tap off neutral count, or refuse it; pandapower skips one without a type."""
    kinds = net.trafo["tap_changer_type"].astype(object)
    for index, row in net.trafo.iterrows():
        steps = _steps(row)
        kind = kinds.at[index]
        if kind in ("Ratio", "Symmetrical") or steps == 0:
            if steps and _number(row.get("tap_step_degree")):
                raise GridError(
                    "grid.tap_kind",
                    "transformer {transformer!r} shifts the phase with its tap, which is not "
                    "modelled",
                    transformer=str(row["name"]),
                )
            continue
        empty = not isinstance(kind, str) or kind == ""
        if not empty or tap_changer is None or not _number(row["tap_step_percent"]):
            raise GridError(
                "grid.tap_ignored" if empty else "grid.tap_kind",
                "transformer {transformer!r} of {network} stands {steps:g} steps off neutral "
                "with tap_changer_type {kind!r}: pandapower would ignore the tap or shift a "
                "phase; expected 'Ratio'",
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
    if _number(row.get("g_us_per_km")):
        raise GridError(
            "grid.line_conductance",
            "line {line!r} has a shunt conductance, which is not modelled",
            line=str(row["name"]),
        )
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


def _check_names(network: Network) -> None:
    """Refuse a name that two elements of a kind share: names are how the rig speaks of them."""
    for kind, names in (
        ("bus", network.buses),
        ("line", tuple(x.name for x in network.lines)),
        ("transformer", tuple(x.name for x in network.transformers)),
        ("load", tuple(x.name for x in network.loads)),
        ("sgen", tuple(x.name for x in network.sgens)),
        ("storage", tuple(x.name for x in network.storages)),
    ):
        seen: set[str] = set()
        for name in names:
            if name in seen or name in ("", "None", "nan"):
                raise GridError(
                    "grid.name_repeated",
                    "{network} has no or several {kind} elements called {element!r}; each needs "
                    "its own name",
                    network=network.name,
                    kind=kind,
                    element=name,
                )
            seen.add(name)
