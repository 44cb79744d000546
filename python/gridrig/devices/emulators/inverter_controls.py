"""SunSpec model 704 of an emulated inverter: limit, set-points, reversion.

Each control of model 704 has an enable, a set-point and a reversion: while it is enabled and its
`RvrtTms` is not zero, a timer counts down from the last write to the control; when it ends, the
enable becomes `EnaRvrt` and the set-point the `Rvrt` set-point, and stays so until written again.
(The models' descriptions leave open what `EnaRvrt` enables; this reading makes every combination
mean something.)

`WRmp` bounds the rise of active power alone, as its description says, in percent a second of
`WMax`, or of the apparent power for a share of `AMax` (at nominal voltage they are the same);
`VarRmp` bounds reactive power both ways, in percent of `VarMax`. A 0 in either is no ramp, which is
our reading.
`AntiIslEna` switches the plant's island detectors.

Refused with exception 3: a value out of range or not implemented, half of a power factor, and what
the plant has no means for.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.fault import OnEvent
from gridrig.devices.emulators.inverter_commands import Commands, Reactive, Settings
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
RAMPS: Mapping[str, int] = {"WRmp": 0, "WRmpRef": 1, "VarRmp": 0}
OF_A_MAX, OF_MAXIMUM_W = 0, 1  # WRmpRef
DETECTION = "AntiIslEna"


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
    detection_writable : bool
        Whether `AntiIslEna` switches island detection; else something of the maker's does.
    """

    def __init__(
        self,
        ratings: Callable[[], Ratings],
        commands: Commands,
        on_event: OnEvent,
        *,
        stores: bool,
        timed: bool = True,
        detection_writable: bool = True,
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
            **{"VarSetPct": 0, "VarSetPctRvrt": 0, DETECTION: int(self._detects())},
            **self._ramps_found(),
        }
        writable = {name for c in CONTROLS for name in c.points if self._has(name)} | {*RAMPS}
        self.block = ModelBlock(
            standard_model(704),
            scale={
                **{"PF_SF": -3, "WMaxLimPct_SF": -2, "WSet_SF": 0},
                **{"WSetPct_SF": -2, "VarSet_SF": 0, "VarSetPct_SF": -2},
            },
            values={name: value for name, value in values.items() if self._has(name)},
            writable=writable | ({DETECTION} if detection_writable else set()),
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
        self._apply_ramps()

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
        right = not names & RAMPS.keys() or self._apply_ramps()
        if DETECTION in names:
            right = right and self._switch_detection()
        return None if right else ExcCodes.ILLEGAL_VALUE

    def _detects(self) -> bool:
        found = self._commands.found("island_detection")
        return found is None or found[0]

    def _switch_detection(self) -> bool:
        on = self.block.raw(DETECTION)
        return on in {0, 1} and self._commands.function("island_detection", {"on": on == 1})

    def _ramps_found(self) -> dict[str, float | str]:
        """Return the ramps as the plant has them from the start."""
        found, ratings = self._commands.found("ramps"), self._ratings()
        if found is None:
            return {**RAMPS}
        up, reactive = found[1]["up_w_per_s"], found[1]["reactive_pu_per_s"]
        percent = {
            "WRmp": round(100 * up / ratings.w_max),
            "VarRmp": round(100 * reactive * ratings.va_max / ratings.var_max),
        }
        return {**RAMPS, **percent}

    def _apply_ramps(self) -> bool:
        """Tell the ramps; False if one is none, or the plant cannot do it."""
        rise, reference, reactive = (self.block.raw(name) for name in RAMPS)
        if not isinstance(rise, int) or not isinstance(reactive, int):
            return False
        if reference not in {OF_A_MAX, OF_MAXIMUM_W}:
            return False
        ratings = self._ratings()
        whole_w = ratings.w_max if reference == OF_MAXIMUM_W else ratings.va_max
        per_s = {"up_w_per_s": rise / 100 * whole_w}
        per_s["reactive_pu_per_s"] = reactive / 100 * ratings.var_max / ratings.va_max
        return self._commands.function("ramps", per_s)

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
            block.raw("VarSetMod") not in self._reactive_modes()
            or block.raw("VarSetPri") not in {0, 1, 2}
        ):
            return False
        points = [*control.set_points, *control.set_points.values()]
        return all(self._is_within(point) for point in points if self._has(point))

    def _reactive_modes(self) -> set[int]:
        available = {OF_VAR_AVAILABLE} if self._commands.has("reactive_share") else set()
        return {OF_W_MAX, OF_VAR_MAX, OF_VA_MAX, VARS} | available

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
            self._commands.reactive("704", self._reactive() if on else None)
        else:
            factor = self._power_factor(control) if on else None
            return self._commands.function(FUNCTIONS_704[control.enable], factor)
        return True

    def _power_w(self) -> float:
        if self.block.raw("WSetMod") == WATTS:
            return self._value("WSet")
        return self._value("WSetPct") / 100 * self._ratings().w_max

    def _reactive(self) -> Reactive:
        if self.block.raw("VarSetMod") == OF_VAR_AVAILABLE:
            return Reactive(of_available=self._value("VarSetPct") / 100)
        return Reactive(self._q_var())

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
