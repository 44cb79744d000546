"""A computer at its plug: a load of the plant that draws what it is told to."""

from gridrig.devices.emulators.terminal import TerminalState
from gridrig.plant import World


class Computer:
    """The plug of a computing node.

    In a run, whose ticks hold every power, what it is told acts from the next tick on; on a bench
    that goes on by itself, at once.

    Parameters
    ----------
    world : World
        The plant.
    index : int
        Its terminal, a load.
    """

    def __init__(self, world: World, index: int) -> None:
        self._world, self._index = world, index
        self._told_w = 0.0
        self.is_held = False

    def draw(self, p_w: float) -> None:
        """Draw power from now on, at unity power factor. [W]"""
        self._told_w = p_w
        if not self.is_held:
            self.follow()

    def follow(self) -> None:
        """Do what it was told last."""
        self._world.set_load(self._index, self._told_w, 0.0)

    def state(self) -> TerminalState:
        """Return its terminal now."""
        t = self._world.terminal(self._index)
        return TerminalState(
            t.v_pu, t.f_hz, t.p_w, t.q_var, t.connected, t.status, t.trip_cause, t.limit_w,
            t.import_milliwh, t.export_milliwh,
        )  # fmt: skip
