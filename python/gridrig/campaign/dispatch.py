"""From trades to set-points: what a storage inverter is told, within what its battery allows now.

The battery's own limits win at once over the schedule: when a battery management system lowers what
it accepts, the next set-point is already below it, before any switch in the battery has to open.
"""

from dataclasses import dataclass

from gridrig.devices.capabilities import BmsReading
from gridrig.devices.pack_protections import CHARGE_ONLY, DISCHARGE_ONLY
from gridrig.rig.device import BmsLimits
from gridrig.rig.guard import DC_MARGIN

RAMP_PU_PER_S = 0.2  # a rising power is ramped; a falling one is not


@dataclass(frozen=True)
class Bounds:
    """Powers a storage inverter may take now, both not negative. [W]"""

    charge_w: float
    discharge_w: float

    def clamp(self, p_w: float) -> float:
        """Return the power nearest to `p_w` inside the bounds; + is discharge. [W]"""
        return min(max(p_w, -self.charge_w), self.discharge_w)


NOTHING = Bounds(0.0, 0.0)


def battery_bounds(bms: BmsReading | None, *, p_w_max: float, limits: BmsLimits) -> Bounds:
    """Return what a battery allows an inverter to do.

    Parameters
    ----------
    bms : BmsReading or None
        The latest reading; None when there is none to trust, which allows nothing.
    p_w_max : float
        Declared limit of the inverter. [W]
    limits : BmsLimits
        Declared limits of the battery, whatever it would allow itself.
    """
    if bms is None:
        return NOTHING
    # Not every manager lowers its limits or opens a switch for what it tells.
    acting = set(bms.protections)
    may_charge = bms.charge_fet and bms.soc < limits.soc_max and not acting & CHARGE_ONLY
    may_discharge = bms.discharge_fet and bms.soc > limits.soc_min and not acting & DISCHARGE_ONLY
    charge_a = min(bms.charge_limit_a, limits.i_charge_a_max) if may_charge else 0.0
    discharge_a = min(bms.discharge_limit_a, limits.i_discharge_a_max) if may_discharge else 0.0
    volts = bms.v_v * DC_MARGIN
    return Bounds(min(charge_a * volts, p_w_max), min(discharge_a * volts, p_w_max))


def next_set_point(
    wanted_w: float, last_w: float, bounds: Bounds, *, p_w_max: float, dt_s: float
) -> float:
    """Return the next set-point: ramped towards the schedule, never outside the bounds. [W]"""
    step_w = RAMP_PU_PER_S * p_w_max * dt_s
    target_w = bounds.clamp(wanted_w)
    if abs(target_w) > abs(last_w) or target_w * last_w < 0:
        target_w = min(max(target_w, last_w - step_w), last_w + step_w)
    return bounds.clamp(target_w)
