"""Emulated inverters, PV and storage: SunSpec models 1, 701, 702, 703, 704 (and 713) on a terminal.

    emulate = { s_va = 11000, seed = 7 }                     # PV
    emulate = { s_va = 5000, p_charge_max_w = 5000 }         # storage

| model | points that work |
|---|---|
| 1 | all |
| 701 | ACType, St, InvSt, ConnSt, Alrm, MnAlrmInfo, W, VA, Var, PF, A, LLV, LNV, Hz |
| 701 | TotWhInj, TotWhAbs: whole Wh |
| 702 | ratings and settings of W, VA, Var, charge and discharge rates, VNom, AMax (read only) |
| 703 | ES, writable: the permit to be connected |
| 704 | WMaxLimPctEna, WMaxLimPct, VarSetEna, VarSetMod (4, vars), VarSet |
| 704 | storage also: WSetEna, WSetMod (1, watts), WSet |
| 713 | SoC, Sta (storage) |

Everything else is "not implemented" and refuses writes with exception 2; a value out of range is
exception 3. A limit is a share of WMax.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.fault import OnEvent, no_log
from gridrig.devices.emulators.modbus_face import ModbusEmulator, ModbusFaceParameters, require
from gridrig.devices.emulators.register_image import ModelBlock, SunSpecImage
from gridrig.devices.emulators.terminal import InverterTerminal, PackTerminal, TerminalState
from gridrig.devices.links import ModbusLink, ModbusRtuLink, ModbusTcpLink
from gridrig.devices.wire.sunspec_definitions import standard_model

THREE_PHASE = 2
SETS_WATTS, SETS_VARS = 1, 4
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


@dataclass(frozen=True, kw_only=True)
class InverterParameters(ModbusFaceParameters):
    """What the `emulate` table may say of an emulated inverter.

    Parameters
    ----------
    s_va : float
        Nameplate apparent power. [VA]
    p_max_w : float or None
        Nameplate active power, None for s_va. [W]
    v_nominal_v : float
        Nominal line-to-line voltage. [V]
    """

    s_va: float
    p_max_w: float | None = None
    v_nominal_v: float = 400.0

    def __post_init__(self) -> None:
        """Refuse what no inverter can be."""
        super().__post_init__()
        require("s_va", self.s_va, 0 < self.s_va <= 1e8, "> 0, at most 1e8")
        if self.p_max_w is not None:
            require("p_max_w", self.p_max_w, 0 < self.p_max_w <= self.s_va, "> 0, at most s_va")
        require("v_nominal_v", self.v_nominal_v, 0 < self.v_nominal_v <= 6000, "> 0, at most 6000")


@dataclass(frozen=True, kw_only=True)
class StorageParameters(InverterParameters):
    """What the `emulate` table may say of an emulated storage inverter.

    Parameters
    ----------
    p_charge_max_w, p_discharge_max_w : float or None
        Largest power either way, None for p_max_w. [W]
    """

    p_charge_max_w: float | None = None
    p_discharge_max_w: float | None = None

    def __post_init__(self) -> None:
        """Refuse rates beyond the nameplate."""
        super().__post_init__()
        for key in ("p_charge_max_w", "p_discharge_max_w"):
            found = getattr(self, key)
            if found is not None:
                require(key, found, 0 <= found <= self.s_va, "0 to s_va")


def power_scale(rating: float) -> int:
    """Return the finest scale factor whose 16-bit signed range holds twice the rating."""
    return max(-2, math.ceil(math.log10(2 * rating / 32767)))


class InverterEmulator(ModbusEmulator):
    """A PV inverter: a face over one terminal.

    Parameters
    ----------
    name, link, parameters, on_event
        See `ModbusEmulator`.
    terminal : InverterTerminal
        What it reads and commands.
    """

    kind = "inverter"
    PARAMETERS: ClassVar[type[InverterParameters]] = InverterParameters
    LINKS: ClassVar[tuple[type[ModbusLink], ...]] = (ModbusTcpLink, ModbusRtuLink)

    def __init__(
        self,
        name: str,
        link: ModbusLink,
        parameters: InverterParameters,
        terminal: InverterTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        self._parameters = parameters
        self._terminal = terminal
        self._w_max = parameters.p_max_w or parameters.s_va
        self._frozen: TerminalState | None = None
        self._scale = power_scale(parameters.s_va)
        self._controls = self._controls_block()
        self._service = ModelBlock(
            standard_model(703), values={"ES": 1}, writable=("ES",), commit=self._set_service
        )
        image = SunSpecImage(self._blocks(name), parameters.base)
        super().__init__(name, link, parameters, image, on_event)

    def _blocks(self, name: str) -> list[ModelBlock]:
        p = self._parameters
        common = {"Mn": p.manufacturer, "Md": p.product, "Vr": p.firmware}
        common["SN"] = p.serial or name
        measured = ModelBlock(
            standard_model(701),
            scale={
                **dict.fromkeys(("W_SF", "VA_SF", "Var_SF"), self._scale),
                **{"A_SF": -1, "V_SF": -1, "Hz_SF": -3, "PF_SF": -3, "TotWh_SF": 0},
            },
            values={"ACType": THREE_PHASE},
            refresh=self._measure,
        )
        capacity = ModelBlock(
            standard_model(702),
            scale={
                **dict.fromkeys(("W_SF", "VA_SF", "Var_SF"), self._scale),
                **{"V_SF": -1, "A_SF": -1},
            },
            values=self._ratings(),
        )
        return [
            ModelBlock(standard_model(1), values=common),
            measured,
            capacity,
            self._service,
            self._controls,
        ]

    def _ratings(self) -> dict[str, float]:
        p = self._parameters
        ratings = {
            "WMax": self._w_max,
            "VAMax": p.s_va,
            "VarMaxInj": p.s_va,
            "VarMaxAbs": p.s_va,
            "VNom": p.v_nominal_v,
            "AMax": p.s_va / (math.sqrt(3) * p.v_nominal_v),
        }
        return {**ratings, **{f"{name}Rtg": value for name, value in ratings.items()}}

    def _controls_block(self) -> ModelBlock:
        return ModelBlock(
            standard_model(704),
            scale={"WMaxLimPct_SF": -2, "WSet_SF": 0, "VarSet_SF": 0},
            values={
                **{"WMaxLimPctEna": 0, "WMaxLimPct": 100.0},
                **{"VarSetEna": 0, "VarSetMod": SETS_VARS, "VarSet": 0},
                **self._power_control(),
            },
            writable=(
                *("WMaxLimPctEna", "WMaxLimPct", "VarSetEna", "VarSetMod", "VarSet"),
                *self._power_control(),
            ),
            commit=self._set_controls,
        )

    def _power_control(self) -> dict[str, float]:
        return {}

    def _state(self) -> TerminalState:
        if self._parameters.telemetry == "frozen":
            if self._frozen is None:
                self._frozen = self._terminal.state()
            return self._frozen
        return self._terminal.state()

    def _measure(self, block: ModelBlock) -> None:
        state = self._state()
        p_w = state.p_w * self._parameters.sign * self._parameters.scale
        s_va = math.hypot(p_w, state.q_var)
        v_v = state.v_pu * self._parameters.v_nominal_v
        block.set_raw("St", 0 if state.status == "off" else 1)
        block.set_raw("InvSt", INVERTER_STATES.get(state.status, INVERTER_STATES["standby"]))
        block.set_raw("ConnSt", int(state.connected))
        block.set_raw("Alrm", self._alarm(state))
        block.set_raw("MnAlrmInfo", (state.trip_cause or "")[:64] or None)
        block.set_value("W", p_w)
        block.set_value("VA", s_va)
        block.set_value("Var", state.q_var)
        block.set_value("PF", p_w / s_va if s_va else 1.0)
        block.set_value("A", s_va / (math.sqrt(3) * v_v) if v_v > 0 else 0.0)
        block.set_value("LLV", v_v)
        block.set_value("LNV", v_v / math.sqrt(3))
        block.set_value("Hz", state.f_hz)
        block.set_raw("TotWhInj", state.export_milliwh // 1000)
        block.set_raw("TotWhAbs", state.import_milliwh // 1000)

    @staticmethod
    def _alarm(state: TerminalState) -> int:
        if state.status != "tripped":
            return 0
        return ALARMS.get((state.trip_cause or "")[:2].lower(), GRID_DISCONNECT)

    def _set_service(self, _: frozenset[str]) -> ExcCodes | None:
        permit = self._service.raw("ES")
        if permit not in {0, 1}:
            return ExcCodes.ILLEGAL_VALUE
        self._terminal.set_connect(permit == 1)
        self._on_event("set_connect", on=permit == 1)
        return None

    def _set_controls(self, names: frozenset[str]) -> ExcCodes | None:
        block = self._controls
        enables = [block.raw(name) for name in ("WMaxLimPctEna", "VarSetEna")]
        share = block.value("WMaxLimPct")
        q_var = block.value("VarSet")
        if (
            any(enable not in {0, 1} for enable in enables)
            or share is None
            or not 0 <= share <= 100
            or block.raw("VarSetMod") != SETS_VARS
            or q_var is None
            or abs(q_var) > self._parameters.s_va
        ):
            return ExcCodes.ILLEGAL_VALUE
        if names & {"WMaxLimPctEna", "WMaxLimPct"}:
            limit_w = share / 100 * self._w_max if enables[0] else None
            self._terminal.set_limit_w(limit_w)
            self._on_event("set_limit_w", p_w=limit_w)
        if names & {"VarSetEna", "VarSetMod", "VarSet"}:
            set_var = q_var if enables[1] else 0.0
            self._terminal.set_q_var(set_var)
            self._on_event("set_q_var", q_var=set_var)
        return None


class StorageInverterEmulator(InverterEmulator):
    """A storage inverter: WSet is signed, positive while discharging.

    Parameters
    ----------
    pack : PackTerminal or None
        Whose state of charge model 713 reports; None leaves it "not implemented".
    """

    kind = "storage_inverter"
    PARAMETERS: ClassVar[type[InverterParameters]] = StorageParameters

    def __init__(
        self,
        name: str,
        link: ModbusLink,
        parameters: StorageParameters,
        terminal: InverterTerminal,
        on_event: OnEvent = no_log,
        *,
        pack: PackTerminal | None = None,
    ) -> None:
        self._pack = pack
        w_max = parameters.p_max_w or parameters.s_va
        charge_w, discharge_w = parameters.p_charge_max_w, parameters.p_discharge_max_w
        self._charge_w = w_max if charge_w is None else charge_w
        self._discharge_w = w_max if discharge_w is None else discharge_w
        self._frozen_soc: float | None = None
        super().__init__(name, link, parameters, terminal, on_event)

    def _blocks(self, name: str) -> list[ModelBlock]:
        capacity = ModelBlock(
            standard_model(713), scale={"Pct_SF": -2}, values={"Sta": 0}, refresh=self._charge
        )
        return [*super()._blocks(name), capacity]

    def _ratings(self) -> dict[str, float]:
        rates = {"WChaRteMax": self._charge_w, "WDisChaRteMax": self._discharge_w}
        return {**super()._ratings(), **rates, **{f"{k}Rtg": v for k, v in rates.items()}}

    def _power_control(self) -> dict[str, float]:
        return {"WSetEna": 0, "WSetMod": SETS_WATTS, "WSet": 0}

    def _charge(self, block: ModelBlock) -> None:
        if self._pack is None:
            return
        soc = self._pack.pack().soc
        if self._parameters.telemetry == "frozen":
            soc = self._frozen_soc = soc if self._frozen_soc is None else self._frozen_soc
        block.set_value("SoC", 100 * soc)

    def _set_controls(self, names: frozenset[str]) -> ExcCodes | None:
        power = {"WSetEna", "WSetMod", "WSet"}
        enable, p_w = self._controls.raw("WSetEna"), self._controls.value("WSet")
        if (
            enable not in {0, 1}
            or self._controls.raw("WSetMod") != SETS_WATTS
            or p_w is None
            or not -self._charge_w <= p_w <= self._discharge_w
        ):
            return ExcCodes.ILLEGAL_VALUE
        refused = super()._set_controls(names)
        if refused is None and names & power:
            set_w = p_w if enable else 0.0
            self._terminal.set_power_w(set_w)
            self._on_event("set_power_w", p_w=set_w)
        return refused
