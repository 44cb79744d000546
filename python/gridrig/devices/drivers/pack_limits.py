"""Current limits of a pack whose manager tells none: the stated rule, and nothing but the rule.

Charging may take, the smallest of
- 0, if the charge switch is open or a protection acts that concerns charging (one without a known
  meaning concerns both directions);
- 0, if any sensor is outside the charging temperature window;
- a line from `charge_a_max` at `charge_taper_mv` down to 0 at `charge_stop_mv`, read at the highest
  cell voltage;
- `charge_a_max`.
Discharging mirrors it at the lowest cell voltage. Both ends of a window are inside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gridrig.devices.pack_protections import CHARGE_ONLY, DISCHARGE_ONLY
from gridrig.errors import DriverError


@dataclass(frozen=True, kw_only=True)
class PackRule:
    """Nameplate and tapers of one pack.

    Parameters
    ----------
    charge_a_max, discharge_a_max : float
        Nameplate currents. [A]
    charge_taper_mv, charge_stop_mv : int
        Highest cell voltage at which charging begins to fall, and ends. [mV]
    discharge_taper_mv, discharge_stop_mv : int
        Lowest cell voltage at which discharging begins to fall, and ends. [mV]
    charge_c_min, charge_c_max, discharge_c_min, discharge_c_max : float
        Temperature windows. [deg C]
    """

    charge_a_max: float
    discharge_a_max: float
    charge_taper_mv: int = 3450
    charge_stop_mv: int = 3600
    discharge_taper_mv: int = 3000
    discharge_stop_mv: int = 2800
    charge_c_min: float = 0.0
    charge_c_max: float = 45.0
    discharge_c_min: float = -20.0
    discharge_c_max: float = 60.0

    def __post_init__(self) -> None:
        """Refuse a rule that cannot be meant."""
        rising = (
            self.discharge_stop_mv < self.discharge_taper_mv,
            self.discharge_taper_mv <= self.charge_taper_mv,
            self.charge_taper_mv < self.charge_stop_mv,
            self.charge_c_min < self.charge_c_max,
            self.discharge_c_min < self.discharge_c_max,
            0 < self.charge_a_max < float("inf"),
            0 < self.discharge_a_max < float("inf"),
        )
        if not all(rising):
            raise DriverError(
                "device.parameter",
                "{found}: currents must be positive, and cell voltages rise from discharge_stop_mv "
                "over discharge_taper_mv and charge_taper_mv to charge_stop_mv",
                kind="limit",
                found=self,
            )

    def limits_a(
        self,
        *,
        cells_mv: Sequence[int],
        temperatures_c: Sequence[float],
        charge_fet: bool,
        discharge_fet: bool,
        protections: Sequence[str],
    ) -> tuple[float, float]:
        """Return the largest charge and discharge current allowed now. [A]

        >>> rule = PackRule(charge_a_max=100, discharge_a_max=120)
        >>> rule.limits_a(cells_mv=(3300, 3525), temperatures_c=(20,), charge_fet=True,
        ...               discharge_fet=True, protections=())
        (50.0, 120.0)
        """
        acting = set(protections)
        coldest, warmest = min(temperatures_c), max(temperatures_c)
        charge = (
            charge_fet
            and not acting - DISCHARGE_ONLY
            and self.charge_c_min <= coldest
            and warmest <= self.charge_c_max
        )
        discharge = (
            discharge_fet
            and not acting - CHARGE_ONLY
            and self.discharge_c_min <= coldest
            and warmest <= self.discharge_c_max
        )
        charge_share = (self.charge_stop_mv - max(cells_mv)) / (
            self.charge_stop_mv - self.charge_taper_mv
        )
        discharge_share = (min(cells_mv) - self.discharge_stop_mv) / (
            self.discharge_taper_mv - self.discharge_stop_mv
        )
        return (
            self.charge_a_max * _within_one(charge_share) if charge else 0.0,
            self.discharge_a_max * _within_one(discharge_share) if discharge else 0.0,
        )


def _within_one(share: float) -> float:
    return max(0.0, min(1.0, share))
