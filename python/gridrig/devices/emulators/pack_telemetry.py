"""What a battery emulator tells of its pack: the truth, or what a mutant or a fault makes of it.

Both change what is said, never what is done: the switches and the limits stay those of the pack.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from gridrig.devices.emulators.fault import Asked, FaultBoard, OnEvent
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


Ranges = dict[str, tuple[float, float]]


def currents(pack: PackState, charge_most: float, discharge_most: float) -> Ranges:
    """Return the nameplate currents and the limits given out, beside the wire's ends. [A]"""
    return {
        "charge_a_max": (max(pack.charge_a_max, pack.charge_limit_a), charge_most),
        "discharge_a_max": (max(pack.discharge_a_max, pack.discharge_limit_a), discharge_most),
    }


def require_carried(device: str, ranges: Ranges) -> None:
    """Refuse a pack that is bigger than its protocol, given each value beside its end.

    Raises
    ------
    DriverError
        `emulator.out_of_range`.
    """
    for key, (found, most) in ranges.items():
        if not 0 <= found <= most:
            raise DriverError(
                "emulator.out_of_range",
                "{device}: {key} is {found}, expected {expected}",
                kind="limit",
                device=device,
                key=key,
                found=found,
                expected=f"0..{most:g}, which its frames carry",
            )


def saturated(on_event: OnEvent, i_a: float, *, steps_per_a: int, low: int, high: int) -> int:
    """Return a current in wire steps; beyond the range it is told as the range's end."""
    wanted = round(i_a * steps_per_a)
    told = max(low, min(high, wanted))
    if told != wanted:
        on_event("saturated", i_a=i_a, told_a=told / steps_per_a)
    return told


class Mutants(Protocol):
    """How an `emulate` table falsifies what is told; see `PackFaceParameters`."""

    @property
    def telemetry(self) -> str:
        """Whether it is live or frozen."""

    @property
    def sign(self) -> int:
        """Put on the current."""

    @property
    def scale(self) -> float:
        """Put on the current."""


class PackTelemetry:
    """Reads the pack's terminal as the emulator tells it.

    Parameters
    ----------
    terminal : PackTerminal
        The pack.
    parameters : Mutants
        Its mutants.
    faults : FaultBoard
        Its faults.
    """

    def __init__(self, terminal: PackTerminal, parameters: Mutants, faults: FaultBoard) -> None:
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
