"""SunSpec models 701, 702, 713, 714 and 802 of an emulated inverter: what it measures and is rated.

A terminal is one positive-sequence connection: on three phases each phase reports a third of the
power at the same voltage. What the plant does not know (temperatures, energy by phase, reactive
energy, volts and amperes of a PV array) is "not implemented".
"""

import asyncio
import math
from collections.abc import Callable, Mapping

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.inverter_controls import Ratings
from gridrig.devices.emulators.inverter_view import View
from gridrig.devices.emulators.register_image import ModelBlock
from gridrig.devices.emulators.terminal import PackState, TerminalState
from gridrig.devices.wire.sunspec_definitions import standard_model

INVERTER_STATES: Mapping[str, int] = {
    "off": 0,
    "sleeping": 1,
    "starting": 2,
    "running": 3,
    "throttled": 4,
    "shutting_down": 5,
    "tripped": 6,
    "standby": 7,
}
GRID_DISCONNECT = 1 << 4
ALARMS: Mapping[str, int] = {"of": 1 << 8, "uf": 1 << 9, "ov": 1 << 10, "uv": 1 << 11}
GRID_FOLLOWING = 1
AC_TYPES = {1: 0, 2: 1, 3: 2}  # phases: ACType
NORMAL, ABNORMAL = ("A", "B"), ("I", "II", "III")  # NorOpCat, AbnOpCat
# CtrlModes, by the function of the plant that a bit needs; None is what every plant takes.
MODES: Mapping[int, str | None] = {
    **{0: None, 1: None, 2: None, 3: "power_factor_injecting", 4: "volt_var"},
    **{5: "frequency_droop", 7: "low_voltage_trip", 8: "high_voltage_trip", 9: "watt_var"},
    **{10: "volt_watt", 12: "low_frequency_trip", 13: "high_frequency_trip"},
}
LIMITED_BY_W = 1  # ThrotSrc
PV_PORT, BATTERY_PORT, LITHIUM = 0, 1, 4
FULL, EMPTY = 0.995, 0.005  # of the charge, where ChaSt says so
IDLE_A = 0.1
CELL_NOMINAL_V = 3.2  # lithium iron phosphate, as the plant's cells are


def power_scale(rating: float) -> int:
    """Return the finest scale factor whose 16-bit signed range holds twice the rating."""
    return max(-2, math.ceil(math.log10(2 * rating / 32767)))


def alarm_bits(state: TerminalState) -> int:
    """Return the alarms of models 701 and 103, which share their first bits."""
    if state.status != "tripped":
        return 0
    return ALARMS.get((state.trip_cause or "")[:2].lower(), GRID_DISCONNECT)


def charge_state(pack: PackState) -> int:
    """Return ChaSt of models 124 and 802: empty, discharging, charging, full or holding."""
    if pack.i_a > IDLE_A:
        return 3
    if pack.i_a < -IDLE_A:
        return 4
    return 5 if pack.soc >= FULL else 2 if pack.soc <= EMPTY else 6


def rated_wh(pack: PackState) -> float:
    """Return a pack's rated energy: its charge at the nominal voltage of its cells. [Wh]"""
    return pack.capacity_ah * len(pack.cells_mv) * CELL_NOMINAL_V


class Measurement:
    """Model 701.

    Parameters
    ----------
    view : callable
        Returns what is reported now.
    phases : int
        1, 2 (split) or 3.
    rating_va : float
        Nameplate, for the scale factors. [VA]
    live_scale : bool
        Whether scale factors follow the values, as some devices' do.
    alarms : str
        "live", "none" if it raises none, "latched" if it keeps them.
    """

    def __init__(
        self,
        view: Callable[[], View],
        phases: int,
        rating_va: float,
        *,
        live_scale: bool,
        alarms: str = "live",
    ) -> None:
        self._alarms, self._raised = alarms, 0
        self._view = view
        self._phases = phases
        self._live_scale = live_scale
        self.block = ModelBlock(
            standard_model(701),
            scale={
                **dict.fromkeys(("W_SF", "VA_SF", "Var_SF"), power_scale(rating_va)),
                **{"A_SF": -1, "V_SF": -1, "Hz_SF": -3, "PF_SF": -3, "TotWh_SF": 0},
            },
            values={"ACType": AC_TYPES[phases], "DERMode": GRID_FOLLOWING},
            refresh=self._measure,
        )

    def _measure(self, block: ModelBlock) -> None:
        view = self._view()
        state = view.state
        if self._live_scale:
            for name, value in (("W", state.p_w), ("VA", view.s_va), ("Var", state.q_var)):
                block.set_scale(f"{name}_SF", power_scale(max(abs(value), 1.0)))
        block.set_raw("St", 0 if state.status == "off" else 1)
        block.set_raw("InvSt", INVERTER_STATES.get(state.status, INVERTER_STATES["standby"]))
        block.set_raw("ConnSt", int(state.connected))
        block.set_raw("Alrm", self._alarm_bits(state))
        block.set_raw("MnAlrmInfo", (state.trip_cause or "")[:64] or None)
        block.set_value("Hz", state.f_hz)
        block.set_raw("TotWhInj", state.export_milliwh // 1000)
        block.set_raw("TotWhAbs", state.import_milliwh // 1000)
        throttled = state.status == "throttled" and state.limit_w is not None
        block.set_raw("ThrotSrc", LIMITED_BY_W if throttled else 0)
        self._powers(block, view)

    def _alarm_bits(self, state: TerminalState) -> int:
        if self._alarms == "none":
            return 0
        bits = alarm_bits(state)
        self._raised |= bits
        return self._raised if self._alarms == "latched" else bits

    def _powers(self, block: ModelBlock, view: View) -> None:
        n, p_w, q_var = self._phases, view.state.p_w, view.state.q_var
        neutral_v = view.v_v if n == 1 else view.v_v / (2 if n == 2 else math.sqrt(3))
        phase_a = view.s_va / n / neutral_v if neutral_v > 0 else 0.0
        for name, value in {
            **{"W": p_w, "VA": view.s_va, "Var": q_var, "PF": view.pf, "A": n * phase_a},
            **{"LNV": neutral_v, "LLV": view.v_v},
        }.items():
            block.set_value(name, value)
        following = {"1": "2", "2": "3", "3": "1"}
        for phase in ("1", "2", "3")[:n]:
            for name, value in {"W": p_w / n, "VA": view.s_va / n, "Var": q_var / n}.items():
                block.set_value(f"{name}L{phase}", value)
            block.set_value(f"PFL{phase}", view.pf)
            block.set_value(f"AL{phase}", phase_a)
            block.set_value(f"VL{phase}", neutral_v)
            if n == 3 or (n == 2 and phase == "1"):
                block.set_value(f"VL{phase}L{following[phase]}", view.v_v)


class Capacity:
    """Model 702: ratings, and the settings below them that a client may choose.

    Parameters
    ----------
    ratings : Ratings
        Nameplate.
    v_nominal_v : float
        Nominal line-to-line voltage. [V]
    functions : collection of str
        Functions the plant has.
    phases : int
        1, 2 (split) or 3.
    on_change : callable
        Called when a setting changed.
    stores : bool
        Whether it is a storage inverter.
    categories : (str, str)
        Of normal and of abnormal operation.
    """

    def __init__(
        self,
        ratings: Ratings,
        v_nominal_v: float,
        functions: frozenset[str],
        phases: int,
        on_change: Callable[[], None],
        *,
        stores: bool,
        categories: tuple[str, str],
    ) -> None:
        self._rated = ratings
        normal, abnormal = categories
        self._on_change = on_change
        scale = power_scale(ratings.va_max)
        lines = math.sqrt(3) if phases == 3 else 1.0
        settings = {
            "WMax": ratings.w_max,
            "VAMax": ratings.va_max,
            "VarMaxInj": ratings.var_max,
            "VarMaxAbs": ratings.var_max,
            "VNom": v_nominal_v,
            "AMax": ratings.va_max / (lines * v_nominal_v),
        }
        if stores:
            settings |= {"WChaRteMax": ratings.charge_w, "WDisChaRteMax": ratings.discharge_w}
        modes = sum(1 << bit for bit, name in MODES.items() if name is None or name in functions)
        self.block = ModelBlock(
            standard_model(702),
            scale={
                **dict.fromkeys(("W_SF", "VA_SF", "Var_SF"), scale),
                **{"V_SF": -1, "A_SF": -1},
            },
            values={
                **settings,
                **{f"{name}Rtg": value for name, value in settings.items()},
                **{"NorOpCatRtg": NORMAL.index(normal), "AbnOpCatRtg": ABNORMAL.index(abnormal)},
            },
            writable=("WMax",),
            commit=self._commit,
        )
        self.block.set_raw("CtrlModes", modes)

    def ratings(self) -> Ratings:
        """Return the ratings in force."""
        rated, w_max = self._rated, self.block.value("WMax")
        assert w_max is not None, "a commit refuses what is not implemented"
        return Ratings(w_max, rated.va_max, rated.var_max, rated.charge_w, rated.discharge_w)

    def _commit(self, _: frozenset[str]) -> ExcCodes | None:
        w_max, rated = self.block.value("WMax"), self.block.value("WMaxRtg")
        if w_max is None or rated is None or not 0 < w_max <= rated:
            return ExcCodes.ILLEGAL_VALUE
        self._on_change()
        return None


def array_block(view: Callable[[], View], s_va: float) -> ModelBlock:
    """Return model 714 of a PV inverter: one port, whose power is what goes out.

    The plant's inverters lose nothing, so DC power is AC power.
    """

    def refresh(block: ModelBlock) -> None:
        p_w = view().state.p_w
        for name in ("DCW", "Prt[1].DCW"):
            block.set_value(name, p_w)

    return ModelBlock(
        standard_model(714, NPrt=1),
        scale={"DCW_SF": power_scale(s_va)},
        values={"PrtAlrms": 0, "NPrt": 1, "Prt[1].PrtTyp": PV_PORT, "Prt[1].ID": 1},
        refresh=refresh,
    )


class Storage:
    """Models 713, 714 and 802: the battery behind a storage inverter.

    Parameters
    ----------
    pack : callable
        Returns the pack as it is reported now, None if there is none to ask.
    charge_w, discharge_w : float
        Largest power either way. [W]
    """

    def __init__(
        self, pack: Callable[[], PackState | None], charge_w: float, discharge_w: float
    ) -> None:
        self._pack = pack
        self.capacity = ModelBlock(
            standard_model(713),
            scale={"Pct_SF": -2, "WH_SF": 0},
            values={"Sta": 0},
            refresh=self._charge,
        )
        self.dc = ModelBlock(
            standard_model(714, NPrt=1),
            scale={"DCA_SF": -1, "DCV_SF": -1, "DCW_SF": 0},
            values={"PrtAlrms": 0, "NPrt": 1, "Prt[1].PrtTyp": BATTERY_PORT, "Prt[1].ID": 1},
            refresh=self._direct_current,
        )
        rate_scale = max(0, power_scale(max(charge_w, discharge_w, 1.0)))
        self.battery = ModelBlock(
            standard_model(802),
            scale={
                **{"AHRtg_SF": 0, "WHRtg_SF": 0, "WChaDisChaMax_SF": rate_scale, "SoC_SF": -1},
                **{"DoD_SF": -1, "V_SF": -1, "CellV_SF": -3, "A_SF": -1, "AMax_SF": -1},
                "W_SF": rate_scale,
            },
            values={
                **{"WChaRteMax": charge_w, "WDisChaRteMax": discharge_w, "LocRemCtl": 0},
                **{"AlmRst": 0, "Typ": LITHIUM, "State": 3, "Evt1": 0, "Evt2": 0},
                **{"EvtVnd1": 0, "EvtVnd2": 0, "SetOp": 1, "SetInvState": 3},
            },
            refresh=self._describe,
        )

    def _charge(self, block: ModelBlock) -> None:
        pack = self._pack()
        if pack is None:
            return
        nominal_wh = rated_wh(pack)
        block.set_value("SoC", 100 * pack.soc)
        block.set_value("WHRtg", nominal_wh)
        block.set_value("WHAvail", nominal_wh * pack.soc)
        block.set_raw("Sta", 1 if pack.protections else 0)

    def _direct_current(self, block: ModelBlock) -> None:
        pack = self._pack()
        if pack is None:
            return
        for name, value in (("DCA", pack.i_a), ("DCW", pack.i_a * pack.v_v)):
            block.set_value(name, value)
            block.set_value(f"Prt[1].{name}", value)
        block.set_value("Prt[1].DCV", pack.v_v)

    def _describe(self, block: ModelBlock) -> None:
        block.set_raw("Hb", int(asyncio.get_running_loop().time()) & 0x7FFF)
        pack = self._pack()
        if pack is None:
            return
        cells = pack.cells_mv
        for name, value in {
            **{"AHRtg": pack.capacity_ah, "WHRtg": rated_wh(pack)},
            **{"SoC": 100 * pack.soc, "DoD": 100 * (1 - pack.soc)},
            **{"V": pack.v_v, "A": pack.i_a, "W": pack.i_a * pack.v_v},
            **{"AChaMax": pack.charge_limit_a, "ADisChaMax": pack.discharge_limit_a},
            **{"CellVMax": max(cells) / 1000, "CellVMin": min(cells) / 1000},
            "CellVAvg": sum(cells) / len(cells) / 1000,
        }.items():
            block.set_value(name, value)
        block.set_raw("NCyc", pack.cycles)
        block.set_raw("ChaSt", charge_state(pack))
