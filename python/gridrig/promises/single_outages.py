"""What the loss of one device did to a run, beside the same run without it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gridrig.campaign.loop import Loop
from gridrig.campaign.scenario import Scenario
from gridrig.campaign.scenario_events import TARGET_CAPABILITIES, Fault, ScenarioEvent
from gridrig.quantity import SECONDS_PER_HOUR
from gridrig.rig.device import Device

IMBALANCE = frozenset({"shortfall", "surplus", "untaken", "excess"})
RUNNING_W = 500.0  # a device above it is in service
LOST_SHARE = 0.5  # of its power without the loss, below which another device is lost, too


@dataclass(frozen=True)
class Loss:
    """One device lost.

    Parameters
    ----------
    device : str
        Which.
    v_change_pu : float
        Largest change of any bus's voltage. [pu]
    unserved_wh : float
        Of loads at dead buses. [Wh]
    imbalance_wh : float
        Traded and not kept, more than without the loss, by all but the main grid. [Wh]
    own_wh : float
        What the device itself gave or took in that time without the loss. [Wh]
    others : tuple of str
        Devices that went with it.
    tripped : bool
        Whether it carried power; else it fell silent, and its energy is there all the same.
    """

    device: str
    v_change_pu: float
    unserved_wh: float
    imbalance_wh: float
    own_wh: float
    others: tuple[str, ...]
    tripped: bool

    @property
    def unlike_own_wh(self) -> float:
        """Imbalance that the device's own energy does not explain. [Wh]"""
        if self.tripped:
            return abs(self.imbalance_wh - self.own_wh)
        return max(0.0, abs(self.imbalance_wh) - self.own_wh)

    def text(self) -> str:
        """Return it as one line for people."""
        return (
            f"{self.device}: {self.v_change_pu:.4f} pu, {self.unserved_wh:.0f} Wh unserved, "
            f"{self.imbalance_wh:.0f} Wh imbalance"
        )


def losing(scenario: Scenario, device: Device, at_s: float) -> Scenario:
    """Return a scenario in which a device is lost from a time on. [s]

    What carries power trips; what only speaks falls silent for the rest of the run.
    """
    if device.capability in TARGET_CAPABILITIES["trip"]:
        event = ScenarioEvent(at_s, "trip", device.name, {})
        return replace(scenario, events=(*scenario.events, event))
    silence = Fault(device.name, at_s, "no_reply", {"for_s": scenario.duration_s - at_s + 30.0})
    return replace(scenario, faults=(*scenario.faults, silence))


def loss(base: Loop, lost: Loop, device: Device, at_s: float) -> Loss:
    """Compare a run in which a device was lost at a time with one in which it was not. [s]"""
    whole, less = base.trace.columns(), lost.trace.columns()
    times = whole["t_s"]
    after = [at for at, t_s in enumerate(times) if t_s >= at_s]
    hours = [whole["dt_s"][at] / SECONDS_PER_HOUR for at in range(len(times))]

    def energy_wh(columns: Mapping[str, list[float]], name: str) -> float:
        return sum(abs(columns[name][at]) * hours[at] for at in after)

    change, unserved = 0.0, 0.0
    for name in whole:
        if name.startswith("bus."):
            change = max(change, *(abs(whole[name][at] - less[name][at]) for at in after))
        if name.startswith("load."):
            dead = f"bus.{name[5:-4]}.v_pu"
            unserved += sum(abs(whole[name][at]) * hours[at] for at in after if not less[dead][at])
    street = lost.physics.street
    carriers = {*street.devices, *street.outside}
    behind = {d.bms: d.name for d in street.rig.of("storage")}
    own = behind.get(device.name, str(device.measures or device.name))
    own_wh = energy_wh(whole, f"device.{own}.p_w") if own in carriers else 0.0
    if device.measures == "load":
        own_wh = energy_wh(whole, f"load.{device.bus}.p_w")
    others = tuple(
        name
        for name in sorted(carriers - {own})
        if _served(whole, name, after[-1]) and not _served(less, name, after[-1], whole)
    )
    imbalance = (_imbalance_milliwh(lost, at_s) - _imbalance_milliwh(base, at_s)) / 1000
    tripped = device.capability in TARGET_CAPABILITIES["trip"]
    return Loss(device.name, change, unserved, imbalance, own_wh, others, tripped)


def _served(
    columns: Mapping[str, list[float]],
    name: str,
    at: int,
    beside: Mapping[str, list[float]] | None = None,
) -> bool:
    key = f"device.{name}.p_w"
    least_w = RUNNING_W if beside is None else LOST_SHARE * abs(beside[key][at])
    return abs(columns[key][at]) > least_w


def _imbalance_milliwh(loop: Loop, from_s: float) -> int:
    """Return the imbalance of the periods that end after a time. [mWh]"""
    head = loop.account.meter_of.get(loop.account.head)
    from_ms = 1000 * (loop.account.start_utc_s + from_s)
    return sum(
        entry.energy_milliwh
        for settled in loop.account.settled
        if settled.to_ms > from_ms
        for entry in settled.entries
        if entry.kind in IMBALANCE and entry.meter != head
    )
