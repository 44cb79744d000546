"""Grid-support functions over SunSpec models 705 to 712: curves read, written and adopted.

The curve in force is the first and read-only. A new one is written into the first slot that takes
writes, read back, adopted, and what is then in force is compared with what was asked for; only then
is the function enabled. The curve as found is kept, and `restore` adopts it again, before the slot
gets back what it held.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gridrig.devices.drivers.sunspec_map import SunSpecDevice
from gridrig.devices.grid_support import (
    CurveSettings,
    DroopSettings,
    FunctionSettings,
    FunctionState,
    Points,
    Priority,
    Reference,
    TripSettings,
)
from gridrig.devices.wire.sunspec import ModelRegisters, Raw, to_raw
from gridrig.errors import DriverError

REFERENCES: tuple[Reference, ...] = ("w_max", "var_max", "var_available", "va_max")
PRIORITIES: tuple[Priority, ...] = ("active", "reactive", "vendor")
IN_PROGRESS, COMPLETED = 0, 1
POLL_S = 0.1


@dataclass(frozen=True)
class Function:
    """Where a function's curves are.

    Parameters
    ----------
    model : int
        Its model.
    x, y : str
        Names of a point's two values; empty for the droop, which has no points.
    x_pu, y_pu : float
        What one per unit is in the model's units.
    """

    model: int
    x: str = ""
    y: str = ""
    x_pu: float = 100.0
    y_pu: float = 100.0

    @property
    def word(self) -> str:
        """Ctl or Crv, as the model's points are named."""
        return "Crv" if self.x else "Ctl"


FUNCTIONS: Mapping[str, Function] = {
    "volt_var": Function(705, "V", "Var"),
    "volt_watt": Function(706, "V", "W"),
    "low_voltage_trip": Function(707, "V", "Tms", y_pu=1),
    "high_voltage_trip": Function(708, "V", "Tms", y_pu=1),
    "low_frequency_trip": Function(709, "Hz", "Tms", 1, 1),
    "high_frequency_trip": Function(710, "Hz", "Tms", 1, 1),
    "frequency_droop": Function(711),
    "watt_var": Function(712, "W", "Var"),
}
REGIONS = {
    "MustTrip": "must_trip",
    "MayTrip": "may_trip",
    "MomCess": "momentary_cessation",
}
TRIP = "_trip"  # what the names of functions that protect end in
DROOP = {"DbOf": "db_of_hz", "DbUf": "db_uf_hz", "KOf": "k_of", "KUf": "k_uf"}


class Curves:
    """The functions of one device.

    Parameters
    ----------
    device : SunSpecDevice
        Where the models are.
    adopt_timeout_s : float
        From the request to adopt a curve to its result. [s]
    """

    def __init__(self, device: SunSpecDevice, adopt_timeout_s: float) -> None:
        self._device = device
        self._timeout_s = adopt_timeout_s

    @property
    def names(self) -> tuple[str, ...]:
        """The functions the device has."""
        return tuple(name for name, f in FUNCTIONS.items() if self._device.has(f.model))

    async def read(self, name: str) -> FunctionState:
        """Return a function as it is in force."""
        function = self._function(name)
        model = await self._device.read(function.model)
        return FunctionState(model.raw("Ena") == 1, self._settings(name, function, model))

    async def write(self, name: str, settings: FunctionSettings, *, on: bool) -> None:
        """Put settings in force, then enable or disable the function.

        Raises
        ------
        DriverError
            `driver.limit` if they do not fit the device's curves, before anything is sent;
            `sunspec.adoption` if the device refuses them or takes too long; kind "readback" if
            other settings are in force afterwards.
        """
        function = self._function(name)
        model = await self._device.read(function.model)
        slot = self._slot(function, model)
        now = self._active(function, model)
        # What the settings do not state stays as it is in force, whatever the free slot holds.
        raw = now | self._raw(name, function, model, settings)
        await self._device.found.note({name: now})
        await self._device.write(
            function.model, {f"{function.word}[{slot}].{key}": v for key, v in raw.items()}
        )
        await self._adopt(name, function, slot)
        after = await self._device.read(function.model)
        found = self._active(function, after)
        wrong = {key: found.get(key) for key, value in raw.items() if found.get(key) != value}
        if wrong:
            raise DriverError(
                "driver.readback",
                "{device}: {function} adopted, but {found} is in force, expected {expected}",
                kind="readback",
                device=self._device.name,
                function=name,
                found=wrong,
                expected={key: raw[key] for key in wrong},
            )
        await self._device.write(function.model, {"Ena": int(on)})

    async def read_trips(self) -> dict[str, dict[str, int]]:
        """Return each trip function in force, as raw values: its curve and whether it is on."""
        found: dict[str, dict[str, int]] = {}
        for name in self.names:
            if name.endswith(TRIP):
                function = FUNCTIONS[name]
                points = (await self._device.model(function.model)).points
                # Up to the end of the curve in force: the others do not act.
                end = max(p.offset + p.size for n, p in points.items() if n.startswith("Crv[1]."))
                model = await self._device.read(function.model, 0, end)
                found[name] = {**self._active(function, model), "Ena": model.number("Ena") or 0}
        return found

    async def restore(self) -> None:
        """Adopt every curve as it was found; the first failure is raised at the end."""
        failures: list[DriverError] = []
        for name, raw in self._device.found.items():
            if name not in FUNCTIONS:
                continue  # a register, which is restored as such
            function = FUNCTIONS[name]
            try:
                model = await self._device.read(function.model)
                if self._active(function, model) != raw:
                    slot = self._slot(function, model)
                    named = {f"{function.word}[{slot}].{key}": v for key, v in raw.items()}
                    await self._device.write(function.model, named)
                    await self._adopt(name, function, slot)
                self._device.found.drop([name])
            except DriverError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    async def _adopt(self, name: str, function: Function, slot: int) -> None:
        device, loop = self._device, asyncio.get_running_loop()
        request, result = f"Adpt{function.word}Req", f"Adpt{function.word}Rslt"
        await device.write_unsaved(function.model, {request: slot}, device.patience)
        deadline_s = loop.time() + self._timeout_s
        while True:
            point = (await device.model(function.model)).points[result]
            status = await device.read(function.model, point.offset, point.size)
            found = status.raw(result)
            if found == COMPLETED:
                return
            if found != IN_PROGRESS or loop.time() >= deadline_s:
                raise DriverError(
                    "sunspec.adoption",
                    "{device}: {function} is not adopted: {cause}",
                    kind="timeout" if found == IN_PROGRESS else "refused",
                    device=device.name,
                    function=name,
                    cause="still in progress" if found == IN_PROGRESS else f"result {found}",
                )
            await asyncio.sleep(POLL_S)

    def _function(self, name: str) -> Function:
        function = FUNCTIONS.get(name)
        if function is None or not self._device.has(function.model):
            raise DriverError(
                "driver.unsupported",
                "{device} has no function {function!r}, only {known}",
                device=self._device.name,
                function=name,
                known=list(self.names),
            )
        return function

    def _slot(self, function: Function, model: ModelRegisters) -> int:
        number = 1
        while f"{function.word}[{number}].ReadOnly" in model.model.points:
            if number > 1 and model.raw(f"{function.word}[{number}].ReadOnly") == 0:
                return number
            number += 1
        raise DriverError(
            "driver.unsupported",
            "{device}: model {model} has no curve that takes writes",
            device=self._device.name,
            model=function.model,
        )

    def _active(self, function: Function, model: ModelRegisters) -> dict[str, int]:
        """Return the writable raw values of the curve in force, by the names behind its prefix."""
        prefix = f"{function.word}[1]."
        found: dict[str, int] = {}
        for name, point in model.model.points.items():
            raw: Raw | None = (
                model.raw(name) if name.startswith(prefix) and point.writable else None
            )
            if isinstance(raw, int):
                found[name.removeprefix(prefix)] = raw
        return found

    def _settings(self, name: str, function: Function, model: ModelRegisters) -> FunctionSettings:
        prefix = f"{function.word}[1]."
        if function.model == 711:
            values = {key: self._value(model, prefix + point) for point, key in DROOP.items()}
            return DroopSettings(**values, response_s=self._value(model, f"{prefix}RspTms"))
        if name.endswith(TRIP):
            regions = {
                key: self._points(function, model, f"{prefix}{region}.")
                for region, key in REGIONS.items()
            }
            return TripSettings(**regions)
        points = model.model.points
        reference, priority = model.number(f"{prefix}DeptRef"), None
        if f"{prefix}Pri" in points:
            priority = model.number(f"{prefix}Pri")
        return CurveSettings(
            self._points(function, model, prefix),
            REFERENCES[reference] if reference is not None and reference < 4 else "w_max",
            model.value(f"{prefix}RspTms") if f"{prefix}RspTms" in points else None,
            PRIORITIES[priority] if priority is not None and priority < 3 else None,
            **self._reference_voltage(model, prefix),
        )

    def _reference_voltage(self, model: ModelRegisters, prefix: str) -> dict[str, Any]:
        """Return what volt-var says of its reference voltage; nothing of another function."""
        if f"{prefix}VRef" not in model.model.points:
            return {}
        v_ref, auto = model.value(f"{prefix}VRef"), model.raw(f"{prefix}VRefAutoEna")
        return {
            "v_ref_pu": None if v_ref is None else v_ref / 100,
            "v_ref_auto": None if auto is None else auto == 1,
            "v_ref_auto_s": model.value(f"{prefix}VRefAutoTms"),
        }

    def _points(self, function: Function, model: ModelRegisters, prefix: str) -> Points:
        count = model.number(f"{prefix}ActPt") or 0
        pairs = []
        for number in range(1, count + 1):
            x = self._value(model, f"{prefix}Pt[{number}].{function.x}")
            y = self._value(model, f"{prefix}Pt[{number}].{function.y}")
            pairs.append((x / function.x_pu, y / function.y_pu))
        return tuple(pairs)

    def _value(self, model: ModelRegisters, name: str) -> float:
        value = model.value(name) if name in model.model.points else None
        if value is None:
            raise DriverError(
                "driver.unsupported",
                "{device} does not implement {point}",
                device=self._device.name,
                point=name,
            )
        return value

    def _raw(
        self, name: str, function: Function, model: ModelRegisters, settings: FunctionSettings
    ) -> dict[str, int]:
        wanted: dict[str, float] = {}
        match settings:
            case DroopSettings() if function.model == 711:
                wanted = {point: getattr(settings, key) for point, key in DROOP.items()}
                wanted["RspTms"] = settings.response_s
            case TripSettings() if name.endswith(TRIP):
                for region, key in REGIONS.items():
                    if (points := getattr(settings, key)) is not None:
                        wanted |= self._wanted_points(function, points, f"{region}.")
            case CurveSettings() if function.x and not name.endswith(TRIP):
                wanted = self._wanted_points(function, settings.points, "")
                wanted["DeptRef"] = REFERENCES.index(settings.reference)
                if settings.response_s is not None:
                    wanted["RspTms"] = settings.response_s
                if settings.priority is not None:
                    wanted["Pri"] = PRIORITIES.index(settings.priority)
                if settings.v_ref_pu is not None:
                    wanted["VRef"] = 100 * settings.v_ref_pu
                if settings.v_ref_auto is not None:
                    wanted["VRefAutoEna"] = int(settings.v_ref_auto)
                if settings.v_ref_auto_s is not None:
                    wanted["VRefAutoTms"] = settings.v_ref_auto_s
            case _:
                raise self._limit(name, f"settings of another kind: {type(settings).__name__}")
        raw: dict[str, int] = {}
        for key, value in wanted.items():
            point = model.model.points.get(f"{function.word}[1].{key}")
            scale = None if point is None else model.scale_factor(point.name)
            if point is None or scale is None:
                raise self._limit(name, f"{key}, which the device does not have")
            raw[key] = to_raw(value, scale)
            low, high = point.bounds
            if not low <= raw[key] <= high:
                raise self._limit(name, f"{key} = {value:g}, beyond its register")
        return raw

    def _wanted_points(self, function: Function, points: Points, prefix: str) -> dict[str, float]:
        wanted: dict[str, float] = {f"{prefix}ActPt": len(points)}
        for number, (x, y) in enumerate(points, 1):
            wanted[f"{prefix}Pt[{number}].{function.x}"] = x * function.x_pu
            wanted[f"{prefix}Pt[{number}].{function.y}"] = y * function.y_pu
        return wanted

    def _limit(self, name: str, cause: str) -> DriverError:
        return DriverError(
            "driver.limit",
            "{device}: {function} cannot take {cause}",
            kind="limit",
            device=self._device.name,
            function=name,
            cause=cause,
        )
