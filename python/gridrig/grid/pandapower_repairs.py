"""What is put right in a pandapower net before it is described; each thing is stated in words."""

from typing import Any

from gridrig.errors import GridError

_NAMED = (
    "bus", "line", "trafo", "load", "sgen", "storage", "gen", "ext_grid", "asymmetric_load",
    "asymmetric_sgen", "impedance", "trafo3w", "switch",
)  # fmt: skip


def unsupported(network: str, kind: str, table: Any) -> GridError:
    """Return the error for elements of a kind that no engine here models."""
    return GridError(
        "grid.element_unsupported",
        "{network} has {count} elements of kind {kind!r}, the first {element!r}, which are not "
        "modelled",
        network=network,
        kind=kind,
        count=len(table),
        element=str(table["name"].iloc[0]),
    )


def name_all(net: Any, repairs: list[str]) -> None:
    """Give every element a name of its own: names are how a rig speaks of them.

    An element without one becomes `<kind> <index>`; of several with one name, each gets its index
    after it, so that none is taken for another.
    """
    for kind in _NAMED:
        table = net[kind]
        if not len(table):
            continue
        names = [
            "" if missing else str(name).strip()
            for name, missing in zip(table["name"], table["name"].isna(), strict=True)
        ]
        repeated = (
            {name for name in names if name and names.count(name) > 1}
            if len(set(names)) < len(names)
            else set()
        )
        unnamed = names.count("")
        table["name"] = [
            f"{kind} {index}" if not name else f"{name} #{index}" if name in repeated else name
            for index, name in zip(table.index, names, strict=True)
        ]
        if unnamed:
            repairs.append(
                f"{unnamed} of {len(names)} {kind} elements have no name: called '{kind} <index>'"
            )
        repairs += [
            f"several {kind} elements are called {name!r}: their index follows the name"
            for name in sorted(repeated)
        ]


def join_switches(net: Any, network: str, repairs: list[str]) -> None:
    """Turn switches into what they do: buses that are one, lines that end in the open.

    A line with one switch open stays energised from its other end and ends at a bus of its own
    there, as pandapower itself solves it; with both open it is out of service. A transformer with
    an open switch is out of service.
    """
    import pandapower
    from pandapower.toolbox import fuse_buses

    switches, net.switch = net.switch, net.switch.iloc[:0]
    if not len(switches):
        return
    strange = switches[~switches.et.isin(["b", "l", "t"]) | (switches.z_ohm.fillna(0.0) > 0)]
    strange = strange[strange.closed | (strange.et == "t3")]
    if len(strange):
        raise unsupported(network, "switch with an impedance or of a three-winding trafo", strange)
    for index in switches.index[~switches.closed & (switches.et == "t")]:
        trafo = switches.at[index, "element"]
        net.trafo.loc[trafo, "in_service"] = False
        repairs.append(f"open switch: transformer {net.trafo.at[trafo, 'name']!r} is out")
    opened = switches[~switches.closed & (switches.et == "l")]
    for line, ends in opened.groupby("element"):
        name = net.line.at[line, "name"]
        if ends.bus.nunique() > 1:
            net.line.loc[line, "in_service"] = False
            repairs.append(f"open switches at both ends: line {name!r} is out of service")
            continue
        bus = ends.bus.iloc[0]
        side = "from_bus" if net.line.at[line, "from_bus"] == bus else "to_bus"
        own = pandapower.create_bus(net, net.bus.at[bus, "vn_kv"], name=f"{name} open end")
        net.line.loc[line, side] = own
        repairs.append(f"open switch: line {name!r} ends in the open, at {name + ' open end'!r}")
    couplers = switches[switches.closed & (switches.et == "b")]
    for one, other in zip(couplers.bus, couplers.element, strict=True):
        if {one, other} <= set(net.bus.index):
            keep, drop = net.bus.at[one, "name"], net.bus.at[other, "name"]
            repairs.append(f"closed bus switch: bus {drop!r} is part of bus {keep!r}")
            fuse_buses(net, one, other)
