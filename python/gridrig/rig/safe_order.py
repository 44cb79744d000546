"""The order in which a bench is driven to its safe state, each step bounded in time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from gridrig.rig.instruments import ON_THE_FEEDER
from gridrig.rig.schema import Name, Positive, above, between

PROTECTION_S = 5.0  # to read how the protection of all devices is left, after the steps
StepName = Literal[
    "power-zero",
    "settle",
    "cease",
    "open-switch",
    "ac-off",
    "dc-off",
    "open-fets",
    "load-off",
    "restore",
    "prove",
]


@dataclass(frozen=True)
class SafeStep:
    """One step on the way to the safe state.

    Parameters
    ----------
    do : str
        "power-zero": storage inverters to 0 W, other inverters limited to 0 W;
        "settle": wait until they report less than `below_w`;
        "cease": inverters, storages, chargers, heat pumps and computing nodes into their declared
        safe state;
        "open-switch", "ac-off", "dc-off", "load-off": contactors, AC sources, DC sources and load
        banks into theirs, in this order;
        "open-fets": packs into theirs, a switch only below `below_a`;
        "restore": settings written back as found, then at once the safe state again;
        "prove": the analyser on the terminal of a device behind an AC source reads less than
        `proved_v` and `proved_a`.
    devices : tuple of str
        Whom it concerns, all at the same time; empty is every device that can do it.
    within_s : float
        Bound on the step. [s]
    below_w : float
        Power that counts as none. [W]
    below_a : float
        Current below which a pack's switches may open. [A]
    proved_v, proved_a : float
        Voltage and current that an analyser may still read of a device without power. [V, A]
    """

    do: StepName
    devices: tuple[Name, ...] = ()
    within_s: Annotated[float, above(0), between(0, 600)] = 5.0
    below_w: Positive = 100.0
    below_a: Positive = 2.0
    proved_v: Positive = 50.0
    proved_a: Positive = 0.5


TOLD = ("ev_charger", "heat_pump")  # what was told is taken back; a job is only forgotten
CAPABILITIES_OF: dict[StepName, tuple[str, ...]] = {
    "power-zero": ("inverter", "storage"),
    "settle": ("inverter", "storage"),
    "cease": ("inverter", "storage", *ON_THE_FEEDER),
    "open-switch": ("switch",),
    "ac-off": ("ac_source",),
    "dc-off": ("dc_source",),
    "open-fets": ("bms",),
    "load-off": ("load_bank",),
    "restore": ("inverter", "storage", "ac_source", "dc_source", "load_bank", *TOLD),
    "prove": ("inverter", "storage"),
}
# The steps that bring a device of each capability into its declared safe state.
FINAL_STEP: dict[str, StepName] = {
    "inverter": "cease",
    "storage": "cease",
    "bms": "open-fets",
    "switch": "open-switch",
    "ac_source": "ac-off",
    "dc_source": "dc-off",
    "load_bank": "load-off",
    "ev_charger": "cease",
    "heat_pump": "cease",
    "compute_node": "cease",
}
DEFAULT_SAFE_ORDER: tuple[SafeStep, ...] = (
    SafeStep("power-zero"),
    SafeStep("settle"),
    SafeStep("cease"),
    SafeStep("open-switch"),
    SafeStep("ac-off"),
    SafeStep("dc-off"),
    SafeStep("open-fets"),
    SafeStep("load-off"),
    SafeStep("restore"),
    SafeStep("prove"),
)


def end_within_s(steps: Iterable[SafeStep]) -> float:
    """Return how long the way to the safe state takes at most. [s]"""
    return sum(step.within_s for step in steps) + PROTECTION_S
