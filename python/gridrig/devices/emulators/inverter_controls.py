"""SunSpec model 704 of an emulated inverter: limit, set-points, reversion.

Each control of model 704 has an enable, a set-point and a reversion: while it is enabled and its
`RvrtTms` is not zero, a timer counts down from the last write to the control; when it ends, the
enable becomes `EnaRvrt` and the set-point the `Rvrt` set-point, and stays so until written again.
(The models' descriptions leave open what `EnaRvrt` enables; this reading makes every combination
mean something.)

Refused with exception 3: a value out of range or not implemented, a share of the reactive power
available (the face has no physics to know it), and half of a power factor.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.fault import OnEvent
from gridrig.devices.emulators.inverter_commands import Commands, Settings
from gridrig.devices.emulators.register_image import ModelBlock
from gridrig.devices.emulators.reversion import ReversionTimer
from gridrig.devices.wire.sunspec_definitions import standard_model

W_MAX_PCT, WATTS = 0, 1  # WSetMod
OF_W_MAX, OF_VAR_MAX, OF_VAR_AVAILABLE, OF_VA_MAX, VARS = range(5)  # VarSetMod
OVER_EXCITED, UNDER_EXCITED = 0, 1
PRIORITIES = ("active", "reactive", "vendor")
FUNCTIONS_704: Mapping[str, str] = {
    "PFWInjEna": "power_factor_injecting",
    "PFWAbsEna": "power_factor_absorbing",
}


@dataclass(frozen=True)
class Ratings:
    """What set-points are shares of, and what they may not exceed.

    Parameters
    ----------
    w_max, va_max, var_max : float
        Active, apparent and reactive power. [W, VA, var]
    charge_w, discharge_w : float
        Largest power into and out of a storage; no storage charges 0. [W]
    """

    w_max: float
    va_max: float
    var_max: float
    charge_w: float
    discharge_w: float


@dataclass(frozen=True)
class Control:
    """The points of one control of model 704.

    Parameters
    ----------
    stem : str
        What the names of its enable and timers begin with.
    set_points : mapping of str to str
        Set-point, and the set-point it reverts to.
    others : tuple of str
        Points that belong to it and do not revert.
    """

    stem: str
    set_points: Mapping[str, str]
    others: tuple[str, ...] = ()

    @property
    def enable(self) -> str:
        """Name of the enable."""
        return f"{self.stem}Ena"

    @property
    def restarts(self) -> frozenset[str]:
        """Points whose writing renews the control."""
        return frozenset((self.enable, f"{self.stem}RvrtTms", *self.set_points, *self.others))

    @property
    def points(self) -> frozenset[str]:
        """Every writable point."""
        return self.restarts | {f"{self.stem}EnaRvrt", *self.set_points.values()}


LIMIT = Control("WMaxLimPct", {"WMaxLimPct": "WMaxLimPctRvrt"})
POWER = Control("WSet", {"WSet": "WSetRvrt", "WSetPct": "WSetPctRvrt"}, ("WSetMod",))
REACTIVE = Control(
    "VarSet", {"VarSet": "VarSetRvrt", "VarSetPct": "VarSetPctRvrt"}, ("VarSetMod", "VarSetPri")
)
FACTORS = tuple(
    Control(stem, {f"{stem}.{point}": f"{stem}Rvrt.{point}" for point in ("PF", "Ext")})
    for stem in ("PFWInj", "PFWAbs")
)
CONTROLS = (LIMIT, POWER, REACTIVE, *FACTORS)


class AcControls:
    """Model 704 on one inverter.

    Parameters
    ----------
    ratings : callable
        Returns the ratings in force.
    commands : Commands
        Where its wishes go.
    on_event : OnEvent
        Gets `reverted`.
    stores : bool
        Whether it is a storage inverter, whose power can be set both ways.
    timed : bool
        Whether its controls have reversion timers.
    """

    def __init__(
        self,
        ratings: Callable[[], Ratings],
        commands: Commands,
        on_event: OnEvent,
        *,
        stores: bool,
        timed: bool = True,
    ) -> None:
        self._ratings = ratings
        self._commands = commands
        self._on_event = on_event
        self._stores = stores
        self._timed = timed
        off = {
            name: 0
            for control in CONTROLS
            for name in (control.enable, f"{control.stem}EnaRvrt", f"{control.stem}RvrtTms")
        }
        pf = {f"{stem}{rvrt}.PF": 1.0 for stem in ("PFWInj", "PFWAbs") for rvrt in ("", "Rvrt")}
        ext = {f"{stem}{rvrt}.Ext": 0 for stem in ("PFWInj", "PFWAbs") for rvrt in ("", "Rvrt")}
        values: dict[str, float | str] = {
            **off,
            **pf,
            **ext,
            **{"WMaxLimPct": 100.0, "WMaxLimPctRvrt": 100.0},
            **{"WSetMod": WATTS, "WSet": 0, "WSetRvrt": 0, "WSetPct": 0, "WSetPctRvrt": 0},
            **{"VarSetMod": VARS, "VarSetPri": 1, "VarSet": 0, "VarSetRvrt": 0},
            **{"VarSetPct": 0, "VarSetPctRvrt": 0, "AntiIslEna": 1},
        }
        self.block = ModelBlock(
            standard_model(704),
            scale={
                **{"PF_SF": -3, "WMaxLimPct_SF": -2, "WSet_SF": 0},
                **{"WSetPct_SF": -2, "VarSet_SF": 0, "VarSetPct_SF": -2},
            },
            values={name: value for name, value in values.items() if self._has(name)},
            writable={name for c in CONTROLS for name in c.points if self._has(name)},
            refresh=self._count_down,
            commit=self._commit,
        )
        self._timers = {
            control.stem: ReversionTimer(partial(self._revert, control)) for control in CONTROLS
        }

    def stop(self) -> None:
        """Let no timer act any more."""
        for timer in self._timers.values():
            timer.cancel()

    def apply(self) -> None:
        """Tell again what is a share of ratings, which have changed."""
        for control in (LIMIT, POWER, REACTIVE):
            self._apply(control)

    def enabled(self, control: Control) -> bool:
        """Return whether a control is in force."""
        return self.block.raw(control.enable) == 1

    def _has(self, name: str) -> bool:
        """Return whether this device has a point; without timers nothing of them is there."""
        return self._timed or "Rvrt" not in name

    def _commit(self, names: frozenset[str]) -> ExcCodes | None:
        touched = [control for control in CONTROLS if names & control.points]
        if not all(self._is_right(control) for control in touched):
            return ExcCodes.ILLEGAL_VALUE
        for control in touched:
            if not self._apply(control):
                return ExcCodes.ILLEGAL_VALUE
            if names & control.restarts:
                self._renew(control)
        return None

    def _renew(self, control: Control) -> None:
        duration_s = self.block.raw(f"{control.stem}RvrtTms")
        runs = self.enabled(control) and isinstance(duration_s, int)
        self._timers[control.stem].start(int(duration_s) if runs and duration_s is not None else 0)

    def _revert(self, control: Control) -> None:
        block = self.block
        block.set_raw(control.enable, block.raw(f"{control.stem}EnaRvrt"))
        for point, reverted in control.set_points.items():
            block.set_raw(point, block.raw(reverted))
        self._on_event("reverted", control=control.stem, on=self.enabled(control))
        self._apply(control)

    def _count_down(self, block: ModelBlock) -> None:
        if not self._timed:
            return
        for stem, timer in self._timers.items():
            block.set_raw(f"{stem}RvrtRem", timer.remaining_s)

    def _is_right(self, control: Control) -> bool:
        block = self.block
        enables = [name for name in (control.enable, f"{control.stem}EnaRvrt") if self._has(name)]
        if any(block.raw(name) not in {0, 1} for name in enables):
            return False
        if self._timed and block.raw(f"{control.stem}RvrtTms") is None:
            return False
        if control is POWER and block.raw("WSetMod") not in {W_MAX_PCT, WATTS}:
            return False
        if control is REACTIVE and (
            block.raw("VarSetMod") not in {OF_W_MAX, OF_VAR_MAX, OF_VA_MAX, VARS}
            or block.raw("VarSetPri") not in {0, 1, 2}
        ):
            return False
        points = [*control.set_points, *control.set_points.values()]
        return all(self._is_within(point) for point in points if self._has(point))

    def _is_within(self, name: str) -> bool:
        ratings, point = self._ratings(), name.removesuffix("Rvrt")
        if point.endswith(".Ext"):
            return self.block.raw(name) in {OVER_EXCITED, UNDER_EXCITED}
        low, high = {
            "WMaxLimPct": (0.0, 100.0),
            "WSet": (-ratings.charge_w, ratings.discharge_w),
            "WSetPct": (-100.0 if self._stores else 0.0, 100.0),
            "VarSet": (-ratings.var_max, ratings.var_max),
            "VarSetPct": (-100.0, 100.0),
        }.get(point, (0.0, 1.0))
        value = self.block.value(name)
        return value is not None and low <= value <= high

    def _apply(self, control: Control) -> bool:
        """Tell what a control asks for; False if the plant cannot do it."""
        on = self.enabled(control)
        if control is LIMIT:
            share = self._value("WMaxLimPct")
            self._commands.limit_w("704", share / 100 * self._ratings().w_max if on else None)
        elif control is POWER and self._stores:
            self._commands.power_w("704", self._power_w() if on else None)
        elif control is POWER:
            self._commands.limit_w("704 WSet", self._power_w() if on else None)
        elif control is REACTIVE:
            self._commands.q_var("704", self._q_var() if on else None)
        else:
            factor = self._power_factor(control) if on else None
            return self._commands.function(FUNCTIONS_704[control.enable], factor)
        return True

    def _power_w(self) -> float:
        if self.block.raw("WSetMod") == WATTS:
            return self._value("WSet")
        return self._value("WSetPct") / 100 * self._ratings().w_max

    def _q_var(self) -> float:
        ratings, mode = self._ratings(), self.block.raw("VarSetMod")
        if mode == VARS:
            return self._value("VarSet")
        whole = {OF_W_MAX: ratings.w_max, OF_VAR_MAX: ratings.var_max, OF_VA_MAX: ratings.va_max}
        q_var = self._value("VarSetPct") / 100 * next(w for m, w in whole.items() if m == mode)
        return math.copysign(min(abs(q_var), ratings.var_max), q_var)

    def _power_factor(self, control: Control) -> Settings:
        over = self.block.raw(f"{control.stem}.Ext") == OVER_EXCITED
        return {"pf": self._value(f"{control.stem}.PF"), "over_excited": over}

    def _value(self, name: str) -> float:
        value = self.block.value(name)
        assert value is not None, "a commit refuses what is not implemented"
        return value
