"""What a device says it is rated for, what it may be set down to, and what alarms it raises."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class NameplateReading:
    """Ratings as a device reports them, None for what it does not.

    Parameters
    ----------
    p_w, s_va : float or None
        Active and apparent power. [W, VA]
    q_inject_var, q_absorb_var : float or None
        Reactive power, both positive. [var]
    v_v : float or None
        Nominal voltage, line to line. [V]
    normal, abnormal : str or None
        Categories of normal ("A", "B") and abnormal ("I", "II", "III") operating performance.
    p_set_w : float or None
        The active power it is set to be capable of, at most `p_w`. [W]

    References
    ----------
    .. [1] IEEE, "IEEE Std 1547-2018," 2018, table 28: nameplate information.
    """

    p_w: float | None
    s_va: float | None
    q_inject_var: float | None
    q_absorb_var: float | None
    v_v: float | None
    normal: str | None
    abnormal: str | None
    p_set_w: float | None


@runtime_checkable
class Interoperable(Protocol):
    """An inverter whose nameplate, configuration and alarms can be read."""

    async def read_nameplate(self) -> NameplateReading:
        """Return what it says it is rated for."""

    async def set_rated_w(self, p_w: float) -> None:
        """Set the active power it is capable of, at most its rating. [W]"""

    async def read_alarms(self) -> tuple[str, ...]:
        """Return the names of the alarms it raises now."""
