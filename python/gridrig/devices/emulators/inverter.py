"""Emulated inverters, PV and storage: two generations of SunSpec on one terminal of the plant.

    emulate = { s_va = 11000, seed = 7 }                                  # PV
    emulate = { s_va = 5000, p_charge_max_w = 5000 }                      # storage
    emulate = { s_va = 5000, generation = "legacy", end_model = false }   # an older map, no end

| models | what they do | room |
|---|---|---|
| 1 | identity | here |
| 101 to 103 or 111 to 113, 120 to 122 | the older generation | `inverter_legacy` |
| 123, 124 | its controls, 124 for storage | `inverter_legacy_controls` |
| 701, 702, 713, 714, 802 | measurement, ratings; the battery of a storage | `inverter_telemetry` |
| 703, 715 | permit, enter service | `inverter_service` |
| 704 | limit, set-points, reversion | `inverter_controls` |
| 705 to 712 | curves and their adoption | `inverter_curves` |

A point that is not spoken of there is "not implemented" and refuses writes with exception 2; a
value out of range is exception 3. How a map differs from vendor to vendor is said by
`MapParameters`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from gridrig.clock import stream
from gridrig.devices.emulators.fault import FaultBoard, FaultSpec, OnEvent, no_log
from gridrig.devices.emulators.inverter_commands import Commands
from gridrig.devices.emulators.inverter_controls import AcControls, Ratings
from gridrig.devices.emulators.inverter_curve_kinds import KINDS
from gridrig.devices.emulators.inverter_curves import ADOPTION_FAULTS, CurveModel
from gridrig.devices.emulators.inverter_legacy import (
    measurement_block,
    nameplate_block,
    settings_block,
    status_block,
)
from gridrig.devices.emulators.inverter_legacy_controls import LegacyControls, LegacyStorage
from gridrig.devices.emulators.inverter_service import Service
from gridrig.devices.emulators.inverter_telemetry import (
    ABNORMAL,
    NORMAL,
    Capacity,
    Measurement,
    Storage,
    array_block,
)
from gridrig.devices.emulators.inverter_view import Reporter
from gridrig.devices.emulators.makers_register import DetectionSwitch, WithMakersRegister
from gridrig.devices.emulators.modbus_face import require
from gridrig.devices.emulators.modbus_faults import MODBUS_FAULTS
from gridrig.devices.emulators.register_image import ModelBlock
from gridrig.devices.emulators.sunspec_face import MapParameters, SunSpecEmulator, common_block
from gridrig.devices.emulators.terminal import InverterTerminal, PackState, PackTerminal
from gridrig.devices.links import ModbusLink

NUMBERS = ("scaled", "float")
GENERATIONS = ("both", "ieee-1547", "legacy")
ALARM_WAYS = ("live", "none", "latched")


@dataclass(frozen=True, kw_only=True)
class InverterParameters(MapParameters):
    """What the `emulate` table may say of an emulated inverter.

    Parameters
    ----------
    s_va : float
        Nameplate apparent power. [VA]
    p_max_w : float or None
        Nameplate active power, None for s_va. [W]
    v_nominal_v : float
        Nominal voltage: line to line, or line to neutral on a single phase. [V]
    f_nominal_hz : float
        Nominal frequency. [Hz]
    phases : {3, 1, 2}
        Three-phase, single-phase, or split-phase: models 103, 101, 102.
    generation : {"both", "ieee-1547", "legacy"}
        Whether it speaks models 701 to 715, 101 to 124, or both.
    scale_factors : {"fixed", "live"}
        Live ones follow the values of model 701.
    numbers : {"scaled", "float"}
        Models 101 to 103, or their siblings in floats, 111 to 113.
    adopt_s : float
        How long it takes to adopt a curve. [s]
    reversion : bool
        Whether the controls of model 704 have reversion timers.
    keeps : tuple of str
        Settings of the plant's functions that it reads back as written and leaves as they are.
    category, normal_category : str
        Categories of abnormal and normal operation, as its nameplate shows them.
    q_scale, v_scale, f_scale : float
        Factors on the reactive power, voltage and frequency that it reports.
    alarms : {"live", "none", "latched"}
        Whether it never raises one, or keeps every one that it raised.
    says_connected : bool
        Whether it reports to be connected whatever it is.
    detection_register : int or None
        Holding register outside its map that switches island detection: 1 on, 0 off.
    """

    s_va: float
    p_max_w: float | None = None
    v_nominal_v: float = 400.0
    f_nominal_hz: float = 50.0
    phases: int = 3
    generation: str = "both"
    scale_factors: str = "fixed"
    numbers: str = "scaled"
    adopt_s: float = 0.2
    reversion: bool = True
    keeps: tuple[str, ...] = ()
    category: str = "III"
    normal_category: str = "B"
    q_scale: float = 1.0
    v_scale: float = 1.0
    f_scale: float = 1.0
    alarms: str = "live"
    says_connected: bool = False
    detection_register: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no inverter can be."""
        super().__post_init__()
        require("s_va", self.s_va, 0 < self.s_va <= 1e8, "> 0, at most 1e8")
        if self.p_max_w is not None:
            require("p_max_w", self.p_max_w, 0 < self.p_max_w <= self.s_va, "> 0, at most s_va")
        require("v_nominal_v", self.v_nominal_v, 0 < self.v_nominal_v <= 6000, "> 0, at most 6000")
        require("f_nominal_hz", self.f_nominal_hz, self.f_nominal_hz in {50.0, 60.0}, "50 or 60")
        require("phases", self.phases, self.phases in {1, 2, 3}, "1, 2 or 3")
        require("generation", self.generation, self.generation in GENERATIONS, _one(GENERATIONS))
        scales = ("fixed", "live")
        require("scale_factors", self.scale_factors, self.scale_factors in scales, _one(scales))
        require("numbers", self.numbers, self.numbers in NUMBERS, _one(NUMBERS))
        require("adopt_s", self.adopt_s, 0 <= self.adopt_s <= 600, "0 to 600")
        categories = self.category in ABNORMAL and self.normal_category in NORMAL
        found = f"{self.category}, {self.normal_category}"
        require("category", found, categories, f"{_one(ABNORMAL)}; normal {_one(NORMAL)}")
        for key in ("q_scale", "v_scale", "f_scale"):
            require(key, getattr(self, key), getattr(self, key) > 0, "> 0")
        require("alarms", self.alarms, self.alarms in ALARM_WAYS, _one(ALARM_WAYS))


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


def _one(of: Sequence[str]) -> str:
    return " or ".join(of)


class InverterEmulator(SunSpecEmulator):
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
    FAULTS: ClassVar[Mapping[str, FaultSpec | tuple[str, ...]]] = {
        **MODBUS_FAULTS,
        **ADOPTION_FAULTS,
    }

    def __init__(
        self,
        name: str,
        link: ModbusLink,
        parameters: InverterParameters,
        terminal: InverterTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        p = self._parameters = parameters
        self._commands = Commands(terminal, on_event)
        self._reporter = Reporter(terminal.state, p)
        nameplate, stores = self._nameplate(), self.kind == "storage_inverter"
        self._capacity = Capacity(
            *(nameplate, p.v_nominal_v, terminal.functions, p.phases, self._reapply),
            stores=stores,
            categories=(p.normal_category, p.category),
        )
        ratings = self._capacity.ratings
        self.controls = AcControls(
            ratings,
            self._commands,
            on_event,
            stores=stores,
            timed=p.reversion,
            detection_writable=p.detection_register is None,
        )
        self.legacy = LegacyControls(
            ratings, self._commands, on_event, stream(p.seed, f"{name}/windows")
        )
        self.service = Service(self._commands, p.f_nominal_hz)
        self.curves = [
            CurveModel(kind, self._commands, on_event, self._fault_board, p.adopt_s)
            for kind in KINDS
        ]
        super().__init__(name, link, p, self._blocks(name, nameplate, stores), on_event)
        if p.detection_register is not None:
            switch = DetectionSwitch(self._commands)
            self._registers = WithMakersRegister(self._image, p.detection_register, switch)

    async def stop(self) -> None:
        """Leave the line; no timer of the device acts any more."""
        self.controls.stop()
        self.legacy.stop()
        for curve in self.curves:
            curve.stop()
        await super().stop()

    def _nameplate(self) -> Ratings:
        p = self._parameters
        w_max = p.p_max_w or p.s_va
        return Ratings(w_max, p.s_va, p.s_va, 0.0, w_max)

    def _blocks(self, name: str, nameplate: Ratings, stores: bool) -> list[ModelBlock]:
        p, view = self._parameters, self._reporter.view
        amperes = p.s_va / ((math.sqrt(3) if p.phases == 3 else 1.0) * p.v_nominal_v)
        common = [common_block(p, name)]
        old = [
            measurement_block(view, p.phases, p.s_va, floats=p.numbers == "float"),
            nameplate_block(nameplate, amperes, stores=stores),
            settings_block(nameplate, p.v_nominal_v),
            status_block(view, stores=stores),
            self.legacy.block,
        ]
        live = p.scale_factors == "live"
        new = [
            Measurement(view, p.phases, p.s_va, live_scale=live, alarms=p.alarms).block,
            self._capacity.block,
            self.service.enter,
            self.controls.block,
            *(curve.block for curve in self.curves),
            *self._direct_current(),
            self.service.control,
        ]
        chosen = {"both": old + new, "legacy": old, "ieee-1547": new}
        return common + chosen[p.generation]

    def _direct_current(self) -> list[ModelBlock]:
        return [array_block(self._reporter.view, self._parameters.s_va)]

    def _reapply(self) -> None:
        self.controls.apply()
        self.legacy.apply()
        w_max, rated_w = self._capacity.ratings().w_max, self._nameplate().w_max
        self._commands.limit_w("702", w_max if w_max < rated_w else None)

    def _fault_board(self) -> FaultBoard:
        return self._faults


class StorageInverterEmulator(InverterEmulator):
    """A storage inverter: WSet is signed, positive while discharging.

    Parameters
    ----------
    pack : PackTerminal or None
        Whose charge models 713, 714 and 802 report; None leaves it "not implemented".
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
        self._frozen_pack: PackState | None = None
        w_max = parameters.p_max_w or parameters.s_va
        charge_w, discharge_w = parameters.p_charge_max_w, parameters.p_discharge_max_w
        self._charge_w = w_max if charge_w is None else charge_w
        self._discharge_w = w_max if discharge_w is None else discharge_w
        super().__init__(name, link, parameters, terminal, on_event)

    def _nameplate(self) -> Ratings:
        p = self._parameters
        w_max = p.p_max_w or p.s_va
        return Ratings(w_max, p.s_va, p.s_va, self._charge_w, self._discharge_w)

    def _blocks(self, name: str, nameplate: Ratings, stores: bool) -> list[ModelBlock]:
        storage = Storage(self._seen_pack, self._charge_w, self._discharge_w)
        older = LegacyStorage(self._charge_w, self._discharge_w, self._commands, self._seen_pack)
        blocks = super()._blocks(name, nameplate, stores)
        if self._parameters.generation != "ieee-1547":
            blocks.append(older.block)
        if self._parameters.generation != "legacy":
            blocks += [storage.capacity, storage.dc]
        return sorted([*blocks, storage.battery], key=lambda block: block.model.id)

    def _direct_current(self) -> list[ModelBlock]:
        return []  # that of its pack, which `_blocks` adds

    def _seen_pack(self) -> PackState | None:
        pack = None if self._pack is None else self._pack.pack()
        if self._parameters.telemetry == "frozen":
            pack = self._frozen_pack = self._frozen_pack or pack
        return pack
