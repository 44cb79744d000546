"""An electric vehicle at a charging point: what it asks of its terminal of the plant.

Charge, voltage, losses and the taper towards full are those of the plant's battery behind the
terminal; here is only the vehicle's will. What it asks reaches the terminal as any set-point does.
"""

from gridrig.devices.emulators.vehicle_terminal import VehicleState
from gridrig.plant import World


class Vehicle:
    """A vehicle and the meter at its charging point.

    Parameters
    ----------
    world : World
        The plant.
    index : int
        Its terminal, a storage.
    target_soc : float
        Where it ends charging, 0..1.
    p_w_max, discharge_w_max : float
        The most it takes and gives. [W]
    reserve_soc : float
        What its driver wants to keep: below it gives nothing, 0..1.
    plugged : bool
        Whether it is plugged in at the beginning.
    """

    def __init__(
        self,
        world: World,
        index: int,
        *,
        target_soc: float,
        p_w_max: float,
        plugged: bool,
        discharge_w_max: float = 0.0,
        reserve_soc: float = 0.0,
    ) -> None:
        self._world, self._index = world, index
        self._target_soc, self._p_w_max = target_soc, p_w_max
        self._reserve_soc, self._discharge_w_max = reserve_soc, discharge_w_max
        self._plugged = plugged
        self._offered_w = self._asked_w = 0.0

    def state(self) -> VehicleState:
        """Return it as it is now."""
        terminal, pack = self._world.terminal(self._index), self._world.pack(self._index)
        return VehicleState(
            self._plugged,
            self._asked_w,
            0.0 - terminal.p_w,
            pack.soc_counted,
            terminal.import_milliwh,
            terminal.export_milliwh,
        )

    def offer(self, p_w: float) -> None:
        """Offer power from now on, or ask for some; it does what it wants of that. [W]"""
        self._offered_w = p_w
        self._ask()

    def plug(self, plugged: bool) -> None:
        """Plug it in or out: what its driver does."""
        self._plugged = plugged
        self._ask()

    def _ask(self) -> None:
        soc, asks_w = self._world.pack(self._index).soc_counted, 0.0
        if self._plugged and self._offered_w > 0 and soc < self._target_soc:
            asks_w = min(self._offered_w, self._p_w_max)
        elif self._plugged and self._offered_w < 0 and soc > self._reserve_soc:
            asks_w = max(self._offered_w, -self._discharge_w_max)
        if asks_w != self._asked_w:
            self._asked_w = asks_w
            self._world.set_power_w(self._index, 0.0 - asks_w)
