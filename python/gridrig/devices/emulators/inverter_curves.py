"""SunSpec models 705 to 712 of an emulated inverter: curves, and how one is adopted.

Every model stores a few curves of a few points. Curve 1 is the one in force and read-only; the
others are for clients to write. Writing `AdptCrvReq = n` has curve n looked at and, if it is a
curve, copied over curve 1; `AdptCrvRslt` says in progress, completed or failed, and a failed one
changes nothing. A request while one is in progress is exception 6; a number that is no curve is
exception 3. Where the model has a reversion timer, an adoption starts it, and at its end `RvrtCrv`
is adopted.
"""

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.fault import FaultBoard, FaultSpec, OnEvent
from gridrig.devices.emulators.inverter_commands import Commands, Settings
from gridrig.devices.emulators.inverter_curve_kinds import (
    CURVES,
    REFERENCES,
    REGIONS,
    Kind,
    pairs_of,
)
from gridrig.devices.emulators.register_image import ModelBlock
from gridrig.devices.emulators.reversion import ReversionTimer
from gridrig.devices.emulators.wire_faults import by_name
from gridrig.devices.wire.sunspec_definitions import standard_model

IN_PROGRESS, COMPLETED, FAILED = 0, 1, 2  # AdptCrvRslt
ACTIVE = 1
PRIORITIES = ("active", "reactive", "vendor")
ADOPTION_FAULTS = by_name(
    (
        FaultSpec(
            "adoption_stuck",
            "semantics",
            "a curve that is to be adopted stays in progress for ever",
            example='name = "adoption_stuck"',
        ),
        FaultSpec(
            "adoption_failed",
            "semantics",
            "a good curve that is to be adopted is refused",
            example='name = "adoption_failed"',
        ),
    )
)


def found_curve(kind: Kind, commands: Commands) -> tuple[bool, dict[str, float]]:
    """Return whether a function is on and the curve of it, as the plant has it from the start.

    What the plant does not say, or a curve of this many points cannot hold, is the default, off.
    """
    found = commands.found(kind.function)
    values = dict(kind.defaults)
    if found is None:
        return False, values
    on, settings = found
    if kind.number == 711:
        points = {"DbOf": "db_of_hz", "DbUf": "db_uf_hz", "KOf": "k_of", "KUf": "k_uf"}
        values |= {point: settings[key] for point, key in points.items()}
        return on, {**values, "RspTms": settings["response_s"]}
    x_unit = 1.0 if kind.x == "Hz" else 100.0
    if kind.trips:
        for region, key in REGIONS.items():
            pairs = [(x * x_unit, t_s) for x, t_s in settings[key]][: kind.points]
            named = pairs_of(kind.x, kind.y, *pairs)
            values |= {f"{region}.{name}": value for name, value in named.items()}
        return on, values
    pairs = [(x * x_unit, 100 * y) for x, y in settings["points"]]
    if len(pairs) > kind.points:
        return False, values
    values |= pairs_of(kind.x, kind.y, *pairs)
    values["DeptRef"] = REFERENCES.index(settings["reference"])
    if "RspTms" in values:
        values["RspTms"] = settings["response_s"]
    if "Pri" in values:
        values["Pri"] = 0 if settings["priority"] == "active" else 1
    if "VRef" in values:
        values |= {"VRef": 100 * settings["v_ref_pu"], "VRefAutoTms": settings["v_ref_auto_s"]}
        values["VRefAutoEna"] = int(settings["v_ref_auto"])
    return on, values


class CurveModel:
    """One curve model on one inverter.

    Parameters
    ----------
    kind : Kind
        Which.
    commands : Commands
        Where the function goes.
    on_event : OnEvent
        Gets `curve_adopted`, `curve_refused` and `reverted`.
    faults : FaultBoard
        May keep an adoption from ending, or fail it.
    adopt_s : float
        How long an adoption takes. [s]
    """

    def __init__(
        self,
        kind: Kind,
        commands: Commands,
        on_event: OnEvent,
        faults: Callable[[], FaultBoard],
        adopt_s: float,
    ) -> None:
        self._kind = kind
        self._commands = commands
        self._on_event = on_event
        self._faults = faults
        self._adopt_s = adopt_s
        self._request = f"Adpt{kind.word}Req"
        self._result = f"Adpt{kind.word}Rslt"
        self._pending: asyncio.TimerHandle | None = None
        model = standard_model(kind.number, **kind.counts)
        self._reverts = "RvrtTms" in model.points
        on, first = found_curve(kind, commands)
        curves = {
            f"{kind.word}[{number}].{name}": value
            for number in range(1, CURVES + 1)
            for name, value in first.items()
        }
        access = {f"{kind.word}[{n}].ReadOnly": int(n == ACTIVE) for n in range(1, CURVES + 1)}
        timers = {"RvrtTms": 0, f"Rvrt{kind.word}": ACTIVE} if self._reverts else {}
        self.block = ModelBlock(
            model,
            scale=kind.scale,
            values={
                **{"Ena": int(on), self._request: 0, self._result: COMPLETED},
                **kind.counts,
                **timers,
                **curves,
                **access,
            },
            writable=[
                name
                for name, point in model.points.items()
                if point.writable and not name.startswith(f"{kind.word}[{ACTIVE}]")
            ],
            refresh=self._count_down,
            commit=self._commit,
        )
        self._timer = ReversionTimer(self._revert)

    def stop(self) -> None:
        """Let no timer act any more."""
        self._timer.cancel()
        if self._pending is not None:
            self._pending.cancel()

    def _commit(self, names: frozenset[str]) -> ExcCodes | None:
        block, kind = self.block, self._kind
        if block.raw("Ena") not in {0, 1}:
            return ExcCodes.ILLEGAL_VALUE
        if self._reverts and block.raw(f"Rvrt{kind.word}") not in range(1, CURVES + 1):
            return ExcCodes.ILLEGAL_VALUE
        if self._request in names:
            number = block.raw(self._request)
            if not isinstance(number, int) or not 1 <= number <= CURVES:
                return ExcCodes.ILLEGAL_VALUE
            if self._pending is not None:
                return ExcCodes.DEVICE_BUSY
            self._begin(number)
        if "RvrtTms" in names and self._timer.remaining_s:
            self._start_timer()
        if "Ena" in names and not self._apply():
            return ExcCodes.ILLEGAL_VALUE
        return None

    def _begin(self, number: int) -> None:
        """Take the curve as it is now and decide on it when the device has had its time."""
        curve = self._curve(number)
        self.block.set_raw(self._result, IN_PROGRESS)
        if self._faults().fire("adoption_stuck") is not None:
            return
        right = self._is_right(number) and self._faults().fire("adoption_failed") is None
        loop = asyncio.get_running_loop()
        self._pending = loop.call_later(self._adopt_s, self._end, number, curve, right)

    def _end(self, number: int, curve: Mapping[str, Sequence[int]], right: bool) -> None:
        self._pending = None
        before = self._curve(ACTIVE)
        if right:
            self._put_in_force(curve)
            right = self._apply()
        if not right:
            self._put_in_force(before)
            self.block.set_raw(self._result, FAILED)
            self._on_event("curve_refused", model=self._kind.number, curve=number)
            return
        self.block.set_raw(self._result, COMPLETED)
        self._on_event("curve_adopted", model=self._kind.number, curve=number)
        self._start_timer()

    def _start_timer(self) -> None:
        duration_s = self.block.raw("RvrtTms") if self._reverts else 0
        self._timer.start(duration_s if isinstance(duration_s, int) else 0)

    def _revert(self) -> None:
        number = self.block.raw(f"Rvrt{self._kind.word}")
        assert isinstance(number, int), "a commit refuses what is no curve"
        self._put_in_force(self._curve(number))
        self._on_event("reverted", control=self._kind.function, curve=number)
        self._apply()

    def _curve(self, number: int) -> dict[str, list[int]]:
        """Return the registers of a curve by the names behind its prefix."""
        prefix, registers = f"{self._kind.word}[{number}].", self.block.registers
        return {
            name.removeprefix(prefix): registers[point.offset : point.offset + point.size]
            for name, point in self.block.model.points.items()
            if name.startswith(prefix) and not name.endswith(".ReadOnly")
        }

    def _put_in_force(self, curve: Mapping[str, Sequence[int]]) -> None:
        for name, registers in curve.items():
            point = self.block.model.points[f"{self._kind.word}[{ACTIVE}].{name}"]
            self.block.registers[point.offset : point.offset + point.size] = registers

    def _count_down(self, block: ModelBlock) -> None:
        if self._reverts:
            block.set_raw("RvrtRem", self._timer.remaining_s)

    def _apply(self) -> bool:
        """Tell the function in force; False if the plant cannot do it."""
        on = self.block.raw("Ena") == 1
        return self._commands.function(self._kind.function, self._settings() if on else None)

    def _value(self, number: int, name: str) -> float | None:
        return self.block.value(f"{self._kind.word}[{number}].{name}")

    def _points(self, number: int, region: str = "") -> list[tuple[float, float]] | None:
        """Return the active points of a curve; None if it is none."""
        count = self._value(number, f"{region}ActPt")
        if count is None or not 0 <= count <= self._kind.points:
            return None
        pairs = []
        for index in range(1, int(count) + 1):
            prefix = f"{region}Pt[{index}]."
            x = self._value(number, prefix + self._kind.x)
            y = self._value(number, prefix + self._kind.y)
            if x is None or y is None:
                return None
            pairs.append((x, y))
        return pairs

    def _is_right(self, number: int) -> bool:
        if self._kind.number == 711:
            droops = [self._value(number, name) for name in ("KOf", "KUf")]
            bands = [self._value(number, name) for name in ("DbOf", "DbUf", "RspTms", "PMin")]
            return all(k is not None and k > 0 for k in droops) and None not in bands
        if self._kind.trips:
            regions = [self._points(number, f"{region}.") for region in REGIONS]
            return all(points is not None for points in regions)
        points = self._points(number)
        if points is None or len(points) < 2:
            return False
        rising = all(a[0] <= b[0] for a, b in itertools.pairwise(points))
        return rising and self._value(number, "DeptRef") in self._references()

    def _references(self) -> set[float]:
        """Return what the values of a curve may be shares of: W, var or VA at their most, or var
        available. A share of the active power available is what the plant does not know."""
        if self._kind.number == 706:
            return {0.0}
        return {0.0, 1.0, 2.0, 3.0} if self._commands.has("reactive_share") else {0.0, 1.0, 3.0}

    def _settings(self) -> Settings:
        """Return the curve in force in the plant's terms: per unit, seconds, hertz."""
        kind = self._kind
        if kind.number == 711:
            return {
                "db_of_hz": self._value(ACTIVE, "DbOf"),
                "db_uf_hz": self._value(ACTIVE, "DbUf"),
                "k_of": self._value(ACTIVE, "KOf"),
                "k_uf": self._value(ACTIVE, "KUf"),
                "response_s": self._value(ACTIVE, "RspTms"),
                "p_min_pu": (self._value(ACTIVE, "PMin") or 0.0) / 100,
            }
        if kind.trips:
            x_scale = 100 if kind.x == "V" else 1
            return {
                name: [(x / x_scale, t_s) for x, t_s in self._points(ACTIVE, f"{region}.") or []]
                for region, name in REGIONS.items()
            }
        settings: dict[str, object] = {
            "points": [(x / 100, y / 100) for x, y in self._points(ACTIVE) or []],
            "reference": REFERENCES[int(self._value(ACTIVE, "DeptRef") or 0)],
        }
        if kind.number != 706:
            priority = self._value(ACTIVE, "Pri")
            settings["priority"] = PRIORITIES[int(priority) if priority is not None else 1]
        if kind.number != 712:
            settings["response_s"] = self._value(ACTIVE, "RspTms")
        if kind.number == 705:
            settings["v_ref_pu"] = (self._value(ACTIVE, "VRef") or 100.0) / 100
            settings["v_ref_auto"] = self._value(ACTIVE, "VRefAutoEna") == 1
            settings["v_ref_auto_s"] = self._value(ACTIVE, "VRefAutoTms")
        return settings
