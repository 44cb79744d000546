"""`[[fleet]]`: many devices of one kind that an aggregator dispatches, and the aggregator.

A fleet's devices hang on the buses of the feeder's loads in turn, each with a terminal of its own
in the plant. They are emulated; real ones come as devices with drivers of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from gridrig.rig.device_reading import DeviceDraft
from gridrig.rig.grid_orders import OpenAdr, check_openadr
from gridrig.rig.issues import At, Issues, near_miss, one_of, shown
from gridrig.rig.schema import Draft, Name, NotNegative, Positive, Share, at_least, between

FLEET_MAX = 10_000
Celsius = Annotated[float, between(-60, 60)]


@dataclass(frozen=True)
class HeatPumps:
    """Homes with heat pumps; `gridrig.circuit.heated_homes` says what each value is."""

    model: Literal["heat_pump"]
    count: Annotated[int, between(1, FLEET_MAX)]
    seed: Annotated[int, at_least(0)] = 0
    p_w_max: Positive = 1500.0
    conductance_w_per_k: tuple[Positive, Positive] = (40.0, 90.0)
    capacity_wh_per_k: tuple[Positive, Positive] = (1000.0, 4000.0)
    cop: Positive = 3.0
    set_point_c: Celsius = 21.0
    low_c: Celsius = 20.0
    high_c: Celsius = 22.0
    gain_w_max: NotNegative = 200.0
    thermostat_w_per_k: Positive = 500.0
    outdoor_c: Celsius = 2.0
    swing_k: NotNegative = 3.0
    spread_k: NotNegative = 1.0
    response_s: NotNegative = 0.0
    follows: Share = 1.0
    follows_s: NotNegative = 1e9
    meter_scale: Positive = 1.0
    heard: Share = 0.99
    inflates_w: NotNegative = 0.0
    lets_go: bool = True
    guards_comfort: bool = True


@dataclass(frozen=True)
class Fleet:
    """One fleet.

    Parameters
    ----------
    name : str
        By which a scenario knows it.
    emulate : HeatPumps
        What its devices are.
    """

    name: Name
    emulate: HeatPumps


@dataclass(frozen=True)
class AggregatorTable:
    """What is dispatched beside the fleets.

    Parameters
    ----------
    storages : tuple of str
        Batteries that close the gap which the fleets leave.
    openadr : OpenAdr or None
        None takes orders from the scenario alone.
    """

    storages: tuple[Name, ...] = ()
    openadr: OpenAdr | None = None


def check_fleets(
    fleets: Sequence[Draft[Fleet]],
    aggregator: AggregatorTable | None,
    at: At,
    devices: Sequence[DeviceDraft],
    feeder: object,
    clock: str | None,
    issues: Issues,
) -> None:
    """Check names, bands and references of fleets and aggregator."""
    taken = {device.label for device in devices}
    for fleet in fleets:
        name = fleet.text("name")
        if feeder is None:
            issues.add(fleet.at, "a fleet", "a [feeder] for it to hang on")
        if name is not None and name in taken:
            issues.add(fleet.at.key("name"), f"{shown(name)} twice", "a name of its own")
        taken |= {name} if name is not None else set()
        homes = fleet.get("emulate")
        if homes is None:
            continue
        place = fleet.at.key("emulate")
        if not homes.low_c < homes.set_point_c < homes.high_c:
            found = f"{homes.low_c:g}, {homes.set_point_c:g}, {homes.high_c:g}"
            issues.add(place.key("set_point_c"), found, "low_c < set_point_c < high_c")
        for key in ("conductance_w_per_k", "capacity_wh_per_k"):
            low, high = getattr(homes, key)
            if low > high:
                issues.add(place.key(key), shown([low, high]), "the smaller one first")
    storages = [device.label for device in devices if device.capability == "storage"]
    for index, name in enumerate(aggregator.storages if aggregator else ()):
        if name not in storages:
            where = at.key("storages").item(index)
            issues.add(where, shown(name), one_of(storages), near_miss(name, storages))
    if aggregator is not None and aggregator.openadr is not None:
        check_openadr(aggregator.openadr, at.key("openadr"), clock, issues)
        if not fleets:
            issues.add(at.key("openadr"), "orders by wire", "a [[fleet]] to follow them")
