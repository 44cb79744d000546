"""What a battery emulator tells of its pack: the truth, or what a declared mutant makes of it.

Mutants change what is said, never what is done: the switches and the limits stay those of the pack.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

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
    """Reads the pack's terminal as the emulator tells it."""

    def __init__(self, terminal: PackTerminal, parameters: PackFaceParameters) -> None:
        self._terminal = terminal
        self._parameters = parameters
        self._first: PackState | None = None

    def told(self) -> PackState:
        """Return the pack as the mutant options let it be told."""
        live = self._terminal.pack()
        if self._first is None:
            self._first = live
        said = live
        if self._parameters.telemetry == "frozen":
            first = self._first
            said = replace(
                live,
                soc=first.soc,
                v_v=first.v_v,
                i_a=first.i_a,
                cells_mv=first.cells_mv,
                temperature_c=first.temperature_c,
            )
        return replace(said, i_a=self._parameters.sign * self._parameters.scale * said.i_a)


def decikelvin(temperature_c: float) -> int:
    """Return a temperature as both protocols carry it. [0.1 K, 0 deg C is 2731]"""
    return round(temperature_c * 10) + 2731
