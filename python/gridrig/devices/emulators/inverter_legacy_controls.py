"""SunSpec models 123 and 124 of an emulated inverter: the controls of the generation before 704.

Model 123's controls act at once or, with `WinTms`, after a time drawn from that window, and fall
back after `RvrtTms`: the limit, power factor and reactive power are disabled, the connection is
made again. Ramp times are stored and not acted on. Model 124 bounds a storage's power:
`StorCtl_Mod` says which of `InWRte` (into the storage) and `OutWRte` (out of it) holds, as a share
of `WChaMax`; a negative rate demands the other direction.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.fault import OnEvent
from gridrig.devices.emulators.inverter_commands import Commands, Reactive
from gridrig.devices.emulators.inverter_controls import Ratings
from gridrig.devices.emulators.inverter_telemetry import charge_state, power_scale
from gridrig.devices.emulators.register_image import ModelBlock
from gridrig.devices.emulators.reversion import ReversionTimer
from gridrig.devices.emulators.terminal import PackState
from gridrig.devices.wire.sunspec_definitions import standard_model

OF_W_MAX, OF_VAR_MAX = 1, 2  # VArPct_Mod
CHARGES, DISCHARGES = 1, 2  # StorCtl_Mod


@dataclass(frozen=True)
class Wish:
    """One control of model 123: its points and what falls back.

    Parameters
    ----------
    stem : str
        What the names of its times begin with.
    enable : str
        The point that puts it in force.
    fallback : int
        What the enable becomes when the time is over.
    points : tuple of str
        Its set-points and mode.
    """

    stem: str
    enable: str
    fallback: int
    points: tuple[str, ...]

    @property
    def times(self) -> tuple[str, ...]:
        """Its window, reversion and, but for the connection, ramp time."""
        window = (f"{self.stem}_WinTms", f"{self.stem}_RvrtTms")
        return window if self.stem == "Conn" else (*window, f"{self.stem}_RmpTms")


WISHES = (
    Wish("Conn", "Conn", 1, ()),
    Wish("WMaxLimPct", "WMaxLim_Ena", 0, ("WMaxLimPct",)),
    Wish("OutPFSet", "OutPFSet_Ena", 0, ("OutPFSet",)),
    Wish("VArPct", "VArPct_Ena", 0, ("VArWMaxPct", "VArMaxPct", "VArPct_Mod")),
)


class LegacyControls:
    """Model 123 on one inverter.

    Parameters
    ----------
    ratings : callable
        Returns the ratings in force.
    commands : Commands
        Where its wishes go.
    on_event : OnEvent
        Gets `reverted`.
    random : Random
        Draws from the windows.
    """

    def __init__(
        self,
        ratings: Callable[[], Ratings],
        commands: Commands,
        on_event: OnEvent,
        random: Random,
    ) -> None:
        self._ratings = ratings
        self._commands = commands
        self._on_event = on_event
        self._random = random
        self._pending: dict[Wish, asyncio.TimerHandle] = {}
        times = {name: 0.0 for wish in WISHES for name in wish.times}
        self.block = ModelBlock(
            standard_model(123),
            scale={"WMaxLimPct_SF": -2, "OutPFSet_SF": -3, "VArPct_SF": -2},
            values={
                **times,
                **{"Conn": 1, "WMaxLimPct": 100.0, "WMaxLim_Ena": 0},
                **{"OutPFSet": 1.0, "OutPFSet_Ena": 0},
                **{"VArWMaxPct": 0, "VArMaxPct": 0, "VArPct_Mod": OF_VAR_MAX, "VArPct_Ena": 0},
            },
            writable=[name for w in WISHES for name in (w.enable, *w.points, *w.times)],
            commit=self._commit,
        )
        self._timers = {wish: ReversionTimer(partial(self._revert, wish)) for wish in WISHES}

    def stop(self) -> None:
        """Let no timer act any more."""
        for timer in self._timers.values():
            timer.cancel()
        for waiting in self._pending.values():
            waiting.cancel()

    def apply(self) -> None:
        """Tell again what is a share of ratings, which have changed."""
        for wish in WISHES:
            if wish.stem in {"WMaxLimPct", "VArPct"}:
                self._apply(wish)

    def _commit(self, names: frozenset[str]) -> ExcCodes | None:
        block = self.block
        if any(block.raw(wish.enable) not in {0, 1} for wish in WISHES):
            return ExcCodes.ILLEGAL_VALUE
        if any(block.raw(time) is None for wish in WISHES for time in wish.times):
            return ExcCodes.ILLEGAL_VALUE
        bounds = {"WMaxLimPct": (0, 100), "OutPFSet": (-1, 1)}
        bounds |= dict.fromkeys(("VArWMaxPct", "VArMaxPct"), (-100, 100))
        for name, (low, high) in bounds.items():
            value = block.value(name)
            if value is None or not low <= value <= high:
                return ExcCodes.ILLEGAL_VALUE
        if block.raw("VArPct_Mod") not in {0, OF_W_MAX, OF_VAR_MAX}:
            return ExcCodes.ILLEGAL_VALUE
        for wish in WISHES:
            if names & {wish.enable, *wish.points, *wish.times}:
                self._renew(wish)
        return None

    def _renew(self, wish: Wish) -> None:
        if (waiting := self._pending.pop(wish, None)) is not None:
            waiting.cancel()
        window_s = self.block.raw(f"{wish.stem}_WinTms")
        if isinstance(window_s, int) and window_s:
            loop = asyncio.get_running_loop()
            delay_s = self._random.uniform(0.0, window_s)
            self._pending[wish] = loop.call_later(delay_s, self._begin, wish)
        else:
            self._begin(wish)

    def _begin(self, wish: Wish) -> None:
        self._pending.pop(wish, None)
        holds = self.block.raw(wish.enable) != wish.fallback
        duration_s = self.block.raw(f"{wish.stem}_RvrtTms")
        self._timers[wish].start(duration_s if holds and isinstance(duration_s, int) else 0)
        self._apply(wish)

    def _revert(self, wish: Wish) -> None:
        self.block.set_raw(wish.enable, wish.fallback)
        self._on_event("reverted", control=wish.stem, on=bool(wish.fallback))
        self._apply(wish)

    def _apply(self, wish: Wish) -> None:
        on = self.block.raw(wish.enable) == 1
        ratings = self._ratings()
        if wish.stem == "Conn":
            self._commands.permit("123", on)
        elif wish.stem == "WMaxLimPct":
            share = self._value("WMaxLimPct")
            self._commands.limit_w("123", share / 100 * ratings.w_max if on else None)
        elif wish.stem == "OutPFSet":
            pf = self._value("OutPFSet")
            # By IEEE's sign of the power factor, as the model has it: positive is under-excited.
            settings = {"pf": abs(pf), "over_excited": pf < 0}
            self._commands.function("power_factor", settings if on else None)
        else:
            self._commands.reactive("123", Reactive(self._q_var(ratings)) if on else None)

    def _q_var(self, ratings: Ratings) -> float:
        if self.block.raw("VArPct_Mod") == OF_W_MAX:
            return self._value("VArWMaxPct") / 100 * ratings.w_max
        if self.block.raw("VArPct_Mod") == OF_VAR_MAX:
            return self._value("VArMaxPct") / 100 * ratings.var_max
        return 0.0

    def _value(self, name: str) -> float:
        value = self.block.value(name)
        assert value is not None, "a commit refuses what is not implemented"
        return value


class LegacyStorage:
    """Model 124 on one storage inverter.

    Parameters
    ----------
    charge_w, discharge_w : float
        Largest power either way. [W]
    commands : Commands
        Where its bounds go.
    pack : callable
        Returns the pack as it is reported now, None if there is none to ask.
    """

    def __init__(
        self,
        charge_w: float,
        discharge_w: float,
        commands: Commands,
        pack: Callable[[], PackState | None],
    ) -> None:
        self._charge_w = charge_w
        self._discharge_w = discharge_w
        self._commands = commands
        self._pack = pack
        self.block = ModelBlock(
            standard_model(124),
            scale={
                **{"WChaMax_SF": power_scale(max(charge_w, discharge_w, 1.0))},
                **{"WChaDisChaGra_SF": 0, "ChaState_SF": -2, "InBatV_SF": -1, "InOutWRte_SF": -2},
                "StorAval_SF": 0,
            },
            values={
                **{"WChaMax": charge_w, "WChaGra": 100, "WDisChaGra": 100, "StorCtl_Mod": 0},
                **{"OutWRte": 100.0, "InWRte": 100.0},
            },
            writable=("StorCtl_Mod", "OutWRte", "InWRte"),
            refresh=self._report,
            commit=self._commit,
        )

    def _report(self, block: ModelBlock) -> None:
        pack = self._pack()
        if pack is None:
            return
        block.set_value("ChaState", 100 * pack.soc)
        block.set_value("StorAval", pack.capacity_ah * pack.soc)
        block.set_value("InBatV", pack.v_v)
        block.set_raw("ChaSt", charge_state(pack))

    def _commit(self, _: frozenset[str]) -> ExcCodes | None:
        mode = self.block.raw("StorCtl_Mod")
        into, out = self.block.value("InWRte"), self.block.value("OutWRte")
        if not isinstance(mode, int) or mode > CHARGES | DISCHARGES or into is None or out is None:
            return ExcCodes.ILLEGAL_VALUE
        if max(abs(into), abs(out)) > 100:
            return ExcCodes.ILLEGAL_VALUE
        low_w = -into / 100 * self._charge_w if mode & CHARGES else -self._charge_w
        high_w = out / 100 * self._discharge_w if mode & DISCHARGES else self._discharge_w
        if low_w > high_w:
            return ExcCodes.ILLEGAL_VALUE
        self._commands.bound_w("124", low_w, high_w)
        return None
