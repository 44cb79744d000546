"""What devices that follow trades are told, and what they had of it in the present period."""

from dataclasses import dataclass, field

from gridrig.quantity import SECONDS_PER_HOUR


@dataclass
class ToldPowers:
    """Follows what each device was told; what is told at a tick acts from the next one on.

    `power_w` is what each was told last, negative while it takes, None if it is left to itself. [W]
    """

    power_w: dict[str, float | None] = field(default_factory=dict)
    _had_wh: dict[str, float] = field(default_factory=dict)  # within the present period

    def pass_time(self, dt_s: float) -> None:
        """Count what was told over the time in which it acted. [s]"""
        for name, p_w in self.power_w.items():
            had_wh = self._had_wh.get(name, 0.0)
            self._had_wh[name] = had_wh + (p_w or 0.0) * dt_s / SECONDS_PER_HOUR

    def begin_period(self) -> None:
        """Count anew: a delivery period begins."""
        self._had_wh.clear()

    def in_bursts(self, name: str, p_w: float, *, least_w: float, traded_wh: float) -> float:
        """Return a power that a device can take: its least until it has had what was traded.

        Parameters
        ----------
        p_w : float
            Asked for, negative to be taken. [W]
        least_w : float
            Below which it takes nothing. [W]
        traded_wh : float
            In the whole period, negative to be taken. [Wh]
        """
        if not -least_w < p_w < 0:
            return p_w
        return 0.0 if self._had_wh.get(name, 0.0) <= traded_wh else -least_w
