"""The limit layer between minds and market: what a participant may order, and what is cut off.

A mind is software that may be wrong. What its devices, its battery above the reserve and its
connection can deliver or take in a delivery period is worked out here, from the rig and from what
the bench read, never from what the mind says; orders beyond it are cut to it and told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from gridrig.market.agents import CarView, Intent, Side, View
from gridrig.quantity import whole_lots
from gridrig.rig.description import Device
from gridrig.rig.device import HEAD, LOAD


@dataclass(frozen=True)
class Right:
    """The most that may be ordered on one side in one period, and what sets it. [mWh]"""

    energy_milliwh: int
    why: str


@dataclass(frozen=True)
class Clamped:
    """An order that was cut to what its participant may ask for. [mWh]"""

    participant: str
    side: Side
    asked_milliwh: int
    allowed_milliwh: int
    why: str


def rights_of(measures: str, device: Device | None, view: View) -> Mapping[Side, Right]:
    """Return what may be ordered behind a meter.

    Parameters
    ----------
    measures : str
        What the meter measures: "load", "head" or a device.
    device : Device or None
        That device.
    view : View
        What its participant may look at; of a battery, from its telemetry.
    """
    lot, hours = view.tariff.lot_milliwh, view.period.hours
    link = Right(whole_lots(view.link_wh, lot), "the connection to the main grid")
    if measures == HEAD:
        return {"bid": link, "offer": link}
    if measures == LOAD or device is None:
        return {"bid": link, "offer": Right(0, "a load delivers nothing")}
    most = float(getattr(device.limits, "p_w_max", 0.0))
    rating = Right(whole_lots(most * hours, lot), f"the limit of {device.name}, {most:g} W")
    if device.capability == "inverter":
        return {"bid": Right(0, f"{device.name} takes nothing"), "offer": rating}
    if device.capability == "heat_pump":
        held = Right(0, f"{device.name} is not readable or under manual control")
        return {
            "bid": held if view.missing else rating,
            "offer": Right(0, f"{device.name} gives nothing"),
        }
    its = f"the battery of {device.name}"
    if isinstance(view.battery, CarView):
        its = f"the car at {device.name}"
    elif device.capability in ("ev_charger", "heat_pump", "compute_node"):
        return {"bid": rating, "offer": rating}
    if view.battery is None:
        nothing = Right(0, f"{its} is not readable or under manual control")
        return {"bid": nothing, "offer": nothing}
    can = view.battery
    return {
        "bid": Right(
            whole_lots(min(can.charge_w * hours, can.room_wh), lot),
            f"what {its} may take",
        ),
        "offer": Right(
            whole_lots(min(can.discharge_w * hours, can.stored_wh), lot),
            f"what {its} holds above its reserve and may give",
        ),
    }


def within_rights(
    participant: str, intents: Iterable[Intent], rights: Mapping[Side, Right], lot_milliwh: int
) -> tuple[list[Intent], list[Clamped]]:
    """Cut orders, in their order, to what is left of a participant's rights.

    Returns
    -------
    allowed : list of Intent
        What may go to the market.
    clamped : list of Clamped
        What was cut, one for each order.
    """
    left = {side: right.energy_milliwh for side, right in rights.items()}
    allowed, clamped = [], []
    for intent in intents:
        may = min(intent.energy_milliwh, left[intent.side]) // lot_milliwh * lot_milliwh
        left[intent.side] -= may
        if may < intent.energy_milliwh:
            why = rights[intent.side].why
            clamped.append(Clamped(participant, intent.side, intent.energy_milliwh, may, why))
        if may > 0:
            allowed.append(replace(intent, energy_milliwh=may))
    return allowed, clamped
