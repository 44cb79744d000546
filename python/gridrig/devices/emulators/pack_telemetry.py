"""What a battery emulator tells of its pack: the truth, or what a mutant or a fault makes of it.

Both change what is said, never what is done: the switches and the limits stay those of the pack.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from gridrig.devices.emulators.fault import Asked, FaultBoard
from gridrig.devices.emulators.pack_faults import STICKING
from gridrig.devices.emulators.terminal import PackState, PackTerminal
from gridrig.errors import DriverError


@dataclass(frozen=True, kw_only=True)
class PackFaceParameters:
    """What the `emulate` table may say of any battery emulator.

    Parameters
    ----------
    seed : int
        Seed of the noise on the line.
    reply_delay_s : float
        From the end of a request to the beginning of its reply. [s]
    telemetry : str
        "live", or "frozen": voltages, current, charge and temperature stay as first told.
    sign : int
        -1 tells the current with the wrong sign.
    scale : float
        Factor on the current told.
    """

    seed: int = 0
    reply_delay_s: float = 0.005
    telemetry: Literal["live", "frozen"] = "live"
    sign: int = 1
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no emulator can show."""
        require(0 <= self.reply_delay_s <= 60, "reply_delay_s", self.reply_delay_s, "0..60 s")
        require(self.telemetry in {"live", "frozen"}, "telemetry", self.telemetry, "live or frozen")
        require(self.sign in {1, -1}, "sign", self.sign, "1 or -1")
        require(math.isfinite(self.scale) and self.scale >= 0, "scale", self.scale, "at least 0")


def require(holds: bool, key: str, found: object, expected: str) -> None:
    """Raise `DriverError` "emulator.parameter" unless a parameter is within its range."""
    if not holds:
        raise DriverError(
            "emulator.parameter",
            "{key} = {found!r}, expected {expected}",
            key=key,
            found=found,
            expected=expected,
        )


class PackTelemetry:
    """Reads the pack's terminal as the emulator tells it.

    Parameters
    ----------
    terminal : PackTerminal
        The pack.
    parameters : PackFaceParameters
        Its mutants.
    faults : FaultBoard
        Its faults.
    """

    def __init__(
        self, terminal: PackTerminal, parameters: PackFaceParameters, faults: FaultBoard
    ) -> None:
        self._terminal = terminal
        self._parameters = parameters
        self._faults = faults
        self._first: PackState | None = None
        self._stuck: dict[str, Any] = {}

    def told(self, asked: Asked, shows: Callable[[str], bool] = lambda _: True) -> PackState:
        """Return the pack as mutants and faults let a request be answered.

        Parameters
        ----------
        asked : Asked
            The request.
        shows : callable
            Whether the reply shows a field of `PackState`; a fault fires where its field is shown.
        """
        fire = self._faults.fire
        if shows("soc") and (jump := fire("soc_jump", asked)) is not None:
            self._terminal.set_counted_soc(float(jump["soc"]))
        live = self._terminal.pack()
        if self._first is None:
            self._first = live
        said = live
        if self._parameters.telemetry == "frozen":
            said = replace(live, **{field: getattr(self._first, field) for field in STICKING})
        said = replace(said, i_a=self._parameters.sign * self._parameters.scale * said.i_a)
        if self._faults.quiet:
            self._stuck.clear()
            return said
        return self._disturbed(said, asked, shows)

    def _disturbed(self, said: PackState, asked: Asked, shows: Callable[[str], bool]) -> PackState:
        fire, peek = self._faults.fire, self._faults.peek
        stuck = peek("stuck_value", asked)
        if stuck is None:
            self._stuck.clear()
        elif shows(str(stuck["field"])):
            field = str(stuck["field"])
            fire("stuck_value", asked)
            value = self._stuck.setdefault(field, getattr(said, field))
            said = replace(said, **{field: value})
        if shows("i_a") and (over := fire("over_range_current", asked)) is not None:
            said = replace(said, i_a=float(over["i_a"]))
        if shows("cycles") and fire("counter_rollover", asked) is not None:
            said = replace(said, cycles=said.cycles + 0xFFFF)
        if shows("protections") and (alarm := fire("alarm", asked)) is not None:
            said = replace(said, protections=(*said.protections, str(alarm["protection"])))
        return said


def decikelvin(temperature_c: float) -> int:
    """Return a temperature as JBD and Pylontech carry it. [0.1 K, 0 deg C is 2731]"""
    return round(temperature_c * 10) + 2731
