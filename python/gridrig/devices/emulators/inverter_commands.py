"""What all the control models of an inverter together ask of its terminal.

Two generations of SunSpec controls reach one inverter (704 and 123, 703 and 715). Here their wishes
meet: every permit must be given, the lowest limit holds, the newer model's set-point goes before
the older one's. The terminal is told of every wish that is stated, changed or not, and of every
wish that is taken back; each is an event at its time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from gridrig.devices.emulators.fault import OnEvent
from gridrig.devices.emulators.plant_functions import REACTIVE
from gridrig.devices.emulators.terminal import InverterTerminal
from gridrig.errors import PlantError

Settings = Mapping[str, Any]
Wish = TypeVar("Wish")


@dataclass(frozen=True)
class Reactive:
    """A set-point of reactive power.

    Parameters
    ----------
    q_var : float
        Positive into the grid. [var]
    of_available : float or None
        A share, -1..1, of what active power leaves of the rating, instead of `q_var`.
    """

    q_var: float = 0.0
    of_available: float | None = None


NO_REACTIVE = Reactive()


class Commands:
    """Wishes by source, merged into commands.

    Parameters
    ----------
    terminal : InverterTerminal
        What is commanded.
    on_event : OnEvent
        Gets every command.
    """

    def __init__(self, terminal: InverterTerminal, on_event: OnEvent) -> None:
        self._terminal = terminal
        self._on_event = on_event
        self._permits: dict[str, bool] = {}
        self._limits_w: dict[str, float | None] = {}
        self._bounds_w: dict[str, tuple[float, float]] = {}
        self._powers_w: dict[str, float | None] = {}
        self._reactive: dict[str, Reactive | None] = {}
        self._limit_w: float | None = None
        self._power_w = 0.0
        self._set_reactive = NO_REACTIVE
        self._functions: dict[str, Settings] = {}

    def permit(self, source: str, on: bool) -> None:
        """Give or withdraw one permit to be connected."""
        self._permits[source] = on
        connect = all(self._permits.values())
        self._terminal.set_connect(connect)
        self._on_event("set_connect", on=connect)

    def limit_w(self, source: str, p_w: float | None) -> None:
        """State one limit of active power, None for none. [W]"""
        self._limits_w[source] = p_w
        limits = [limit for limit in self._limits_w.values() if limit is not None]
        limit_w = min(limits, default=None)
        if p_w is not None or limit_w != self._limit_w:
            self._limit_w = limit_w
            self._terminal.set_limit_w(limit_w)
            self._on_event("set_limit_w", p_w=limit_w)

    def power_w(self, source: str, p_w: float | None) -> None:
        """State one set-point of a storage's power, None for none. [W]"""
        self._powers_w[source] = p_w
        self._set_power(stated=p_w is not None)

    def bound_w(self, source: str, low_w: float, high_w: float) -> None:
        """State between what a storage's power must lie. [W]"""
        self._bounds_w[source] = (low_w, high_w)
        self._set_power(stated=False)

    def reactive(self, source: str, wish: Reactive | None) -> None:
        """State one set-point of reactive power, None for none."""
        self._reactive[source] = wish
        first = _first(self._reactive) or NO_REACTIVE
        if wish is not None or first != self._set_reactive:
            self._set_reactive = first
            if first.of_available is None:
                self._terminal.set_q_var(first.q_var)
                self._on_event("set_q_var", q_var=first.q_var)
            else:
                share = {"of_available": first.of_available}
                self._terminal.set_function("reactive_share", share)
                self._on_event("set_q_share", **share)
        if wish is None:
            self._resume_reactive()

    def has(self, function: str) -> bool:
        """Return whether the plant has a function."""
        return function in self._terminal.functions

    def function(self, name: str, settings: Settings | None) -> bool:
        """Enable a grid-support function with its settings, or disable it.

        A function that the plant does not have is held as a setting, and the event says so.

        Returns
        -------
        bool
            False if the plant has it and cannot do that; then nothing has changed.
        """
        if self._functions.get(name) == settings:
            return True
        known = self.has(name)
        if known:
            try:
                self._terminal.set_function(name, settings)
            except PlantError as error:
                self._on_event("function_refused", function=name, cause=str(error))
                return False
        self._functions.pop(name, None)
        if settings is not None:
            self._functions[name] = settings
        self._on_event("set_function", function=name, on=settings is not None, in_plant=known)
        return True

    def found(self, name: str) -> tuple[bool, Settings] | None:
        """Return a function as the plant has it from the start; what is on counts as enabled."""
        state = self._terminal.function(name)
        if state is not None and state[0]:
            self._functions[name] = state[1]
        return state

    def _resume_reactive(self) -> None:
        """Give reactive power back to the function enabled last, which a set-point went before."""
        if _first(self._reactive) is not None:
            return
        for name in reversed(self._functions):
            if name in REACTIVE and name in self._terminal.functions:
                self._terminal.set_function(name, self._functions[name])
                return

    def _set_power(self, *, stated: bool) -> None:
        power_w = _first(self._powers_w) or 0.0
        for low_w, high_w in self._bounds_w.values():
            power_w = min(max(power_w, low_w), high_w)
        if stated or power_w != self._power_w:
            self._power_w = power_w
            self._terminal.set_power_w(power_w)
            self._on_event("set_power_w", p_w=power_w)


def _first(wishes: Mapping[str, Wish | None]) -> Wish | None:
    """Return the wish of the newest model that has one, which its name sorts last."""
    stated = [wishes[source] for source in sorted(wishes, reverse=True)]
    return next((wish for wish in stated if wish is not None), None)
