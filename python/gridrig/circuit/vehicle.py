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
        Its terminal, a storage that is asked for negative power only.
    target_soc : float
        Where it ends charging, 0..1.
    p_w_max : float
        The most it takes. [W]
    plugged : bool
        Whether it is plugged in at the beginning.
    """

    def __init__(
        self, world: World, index: int, *, target_soc: float, p_w_max: float, plugged: bool
    ) -> None:
        self._world, self._index = world, index
        self._target_soc, self._p_w_max = target_soc, p_w_max
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
        )

    def offer(self, p_w: float) -> None:
        """Offer power from now on; it asks for what it wants of it. [W]"""
        self._offered_w = p_w
        self._ask()

    def plug(self, plugged: bool) -> None:
        """Plug it in or out: what its driver does."""
        self._plugged = plugged
        self._ask()

    def _ask(self) -> None:
        wants = self._plugged and self._world.pack(self._index).soc_counted < self._target_soc
        asks_w = min(self._offered_w, self._p_w_max) if wants else 0.0
        if asks_w != self._asked_w:
            self._asked_w = asks_w
            self._world.set_power_w(self._index, 0.0 - asks_w)
