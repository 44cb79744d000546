"""SunSpec models 703 and 715 of an emulated inverter: who permits it to run, and how it returns."""

from collections.abc import Mapping

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.inverter_commands import Commands
from gridrig.devices.emulators.register_image import ModelBlock
from gridrig.devices.wire.sunspec_definitions import standard_model

STOP, START = 0, 1  # OpCtl


class Service:
    """Models 703 and 715: who permits the inverter to be connected, and when it returns.

    Parameters
    ----------
    commands : Commands
        Where the permits go.
    f_nominal_hz : float
        Frequency of the grid. [Hz]
    """

    def __init__(self, commands: Commands, f_nominal_hz: float) -> None:
        self._commands = commands
        self.enter = ModelBlock(
            standard_model(703),
            scale={"V_SF": -2, "Hz_SF": -3},
            values={"ES": 1, **self._found(f_nominal_hz)},
            writable=("ES", *ENTER_SERVICE),
            commit=self._enter_service,
        )
        self.control = ModelBlock(
            standard_model(715),
            values={"LocRemCtl": 0, "ControllerHb": 0, "AlarmReset": 0, "OpCtl": START},
            writable=("ControllerHb", "AlarmReset", "OpCtl"),
            commit=self._operate,
        )

    def _found(self, f_nominal_hz: float) -> dict[str, float]:
        found = self._commands.found("enter_service")
        if found is None:
            hertz = {name: ENTER_SERVICE[name] * f_nominal_hz / 60 for name in ("ESHzHi", "ESHzLo")}
            return {**ENTER_SERVICE, **hertz}
        settings = found[1]
        return {
            **{"ESVHi": 100 * settings["v_high_pu"], "ESVLo": 100 * settings["v_low_pu"]},
            **{"ESHzHi": settings["f_high_hz"], "ESHzLo": settings["f_low_hz"]},
            **{"ESDlyTms": settings["delay_s"], "ESRndTms": settings["random_delay_s"]},
            "ESRmpTms": settings["ramp_s"],
        }

    def _enter_service(self, names: frozenset[str]) -> ExcCodes | None:
        block = self.enter
        values = {name: block.value(name) for name in ENTER_SERVICE}
        low_v, high_v = values["ESVLo"], values["ESVHi"]
        low_hz, high_hz = values["ESHzLo"], values["ESHzHi"]
        if (
            block.raw("ES") not in {0, 1}
            or any(value is None for value in values.values())
            or not (low_v or 0) < (high_v or 0)
            or not (low_hz or 0) < (high_hz or 0)
        ):
            return ExcCodes.ILLEGAL_VALUE
        settings = {
            **{"v_low_pu": (low_v or 0) / 100, "v_high_pu": (high_v or 0) / 100},
            **{"f_low_hz": low_hz, "f_high_hz": high_hz, "delay_s": values["ESDlyTms"]},
            **{"random_delay_s": values["ESRndTms"], "ramp_s": values["ESRmpTms"]},
        }
        if names - {"ES"} and not self._commands.function("enter_service", settings):
            return ExcCodes.ILLEGAL_VALUE
        if "ES" in names:
            self._commands.permit("703", block.raw("ES") == 1)
        return None

    def _operate(self, names: frozenset[str]) -> ExcCodes | None:
        if self.control.raw("OpCtl") not in {STOP, START}:
            return ExcCodes.ILLEGAL_VALUE
        if "OpCtl" in names:
            self._commands.permit("715", self.control.raw("OpCtl") == START)
        self.control.set_raw("AlarmReset", 0)  # nothing latches
        return None


# What model 703 shows first if the plant does not say: the defaults of IEEE 1547-2018 (table 4)
# for 60 Hz, in the model's units; `Service` moves the frequencies to the grid's own in proportion.
ENTER_SERVICE: Mapping[str, float] = {
    **{"ESVHi": 105.0, "ESVLo": 91.7, "ESHzHi": 60.1, "ESHzLo": 59.5},
    **{"ESDlyTms": 300, "ESRndTms": 0, "ESRmpTms": 300},
}
