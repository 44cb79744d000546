"""What every emulated meter has: a connection point, its registers, a clock, and what can go wrong.

A meter integrates what its transformers show it, so a reversed one puts energy into the wrong
register from that moment on. It reports and signs what it believes: `sign`, `scale` and `telemetry`
of the `emulate` table are wrong from the start, the faults here from the moment they come.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from gridrig.devices.emulators.fault import FaultSpec, FaultValue, OnEvent
from gridrig.devices.emulators.fault_spec import FaultParameter
from gridrig.devices.emulators.modbus_face import require
from gridrig.devices.emulators.modbus_faults import MODBUS_FAULTS
from gridrig.devices.emulators.register_image import ModelBlock
from gridrig.devices.emulators.sunspec_face import MapParameters, SunSpecEmulator
from gridrig.devices.emulators.terminal import MeterTerminal, TerminalState
from gridrig.devices.emulators.wire_faults import by_name
from gridrig.devices.links import ModbusLink
from gridrig.devices.wire.sunspec_definitions import standard_model

PHASES = 3
WIRINGS: Mapping[str, int] = {"single": 201, "split": 202, "wye": 203, "delta": 204}
FLOATS: Mapping[str, int] = {wiring: model + 10 for wiring, model in WIRINGS.items()}
NUMBERS = ("scaled", "float")
PHASES_OF: Mapping[str, int] = {"single": 1, "split": 2, "wye": 3, "delta": 3}
ACC32 = 0xFFFFFFFF
REBOOT_KEEPS_NOTHING = ("nothing", "counter", "clock", "registers")

METER_FAULTS = by_name(
    (
        FaultSpec(
            "reversed_ct",
            "state",
            "current transformers are reversed from now on; again turns them back",
            (FaultParameter("phases", int, "on how many phases of three", 1, 3, 3),),
            'name = "reversed_ct", phases = 1',
        ),
        FaultSpec(
            "unit_slip",
            "state",
            "its energy registers are in another unit from now on, by this factor",
            (FaultParameter("factor", float, "what they are multiplied by", 1e-6, 1e6, 0.001),),
            'name = "unit_slip", factor = 0.001',
        ),
        FaultSpec(
            "clock_drift",
            "state",
            "its clock runs away from now on",
            (FaultParameter("ppm", float, "how fast [1e-6]", -1e5, 1e5),),
            'name = "clock_drift", ppm = 500',
        ),
        FaultSpec(
            "reboot",
            "state",
            "it restarts, is silent for a while and has lost something",
            (
                FaultParameter(
                    "loses", str, "nothing, counter, clock or registers", default="clock"
                ),
                FaultParameter("boot_s", float, "how long it is silent [s]", 0, 3600, 2.0),
            ),
            'name = "reboot", loses = "counter"',
        ),
    )
)


@dataclass(frozen=True, kw_only=True)
class MeterFaceParameters(MapParameters):
    """What the `emulate` table may say of any emulated meter.

    Parameters
    ----------
    v_nominal_v : float
        Nominal line-to-line voltage, or line to neutral on a single phase. [V]
    p_max_w : float
        Power its SunSpec model can show. [W]
    wiring : {"wye", "delta", "single", "split"}
        Model 203, 204, 201 or 202.
    numbers : {"scaled", "float"}
        Those models, or their siblings in floats, 213, 214, 211 or 212.
    sign_s : float
        How long it takes to sign. [s]
    clock_drift_ppm : float
        How fast its clock runs away. [1e-6]
    import_start_wh, export_start_wh : int
        What its registers showed at the start. [Wh]
    """

    v_nominal_v: float = 400.0
    p_max_w: float = 100_000.0
    wiring: str = "wye"
    numbers: str = "scaled"
    sign_s: float = 0.2
    clock_drift_ppm: float = 0.0
    import_start_wh: int = 0
    export_start_wh: int = 0

    def __post_init__(self) -> None:
        """Refuse what no meter can be."""
        super().__post_init__()
        require("v_nominal_v", self.v_nominal_v, 0 < self.v_nominal_v <= 6000, "> 0, at most 6000")
        require("p_max_w", self.p_max_w, 0 < self.p_max_w <= 1e9, "> 0, at most 1e9")
        require("wiring", self.wiring, self.wiring in WIRINGS, " or ".join(WIRINGS))
        require("numbers", self.numbers, self.numbers in NUMBERS, " or ".join(NUMBERS))
        require("sign_s", self.sign_s, 0 <= self.sign_s <= 60, "0 to 60")
        for key in ("import_start_wh", "export_start_wh"):
            found = getattr(self, key)
            require(key, found, 0 <= found < 1 << 50, "0 to 2^50")


@dataclass(frozen=True)
class Believed:
    """What a meter believes of its connection point now.

    Parameters
    ----------
    v_v, f_hz : float
        Line-to-line voltage and frequency. [V, Hz]
    p_w, q_var : float
        Power with the wire's sign: from grid to customer. [W, var]
    import_milliwh, export_milliwh : int
        Its registers. [mWh]
    """

    v_v: float
    f_hz: float
    p_w: float
    q_var: float
    import_milliwh: int
    export_milliwh: int


class MeterFace(SunSpecEmulator):
    """An emulated meter: a face over one connection point.

    Parameters
    ----------
    name, link, parameters, on_event
        See `ModbusEmulator`.
    terminal : MeterTerminal
        The connection point it measures.
    blocks : list of ModelBlock
        Its map, the common model first.
    """

    kind = "meter"
    FAULTS: ClassVar[Mapping[str, FaultSpec | tuple[str, ...]]] = {**MODBUS_FAULTS, **METER_FAULTS}

    def __init__(
        self,
        name: str,
        link: ModbusLink,
        parameters: MeterFaceParameters,
        terminal: MeterTerminal,
        blocks: list[ModelBlock],
        on_event: OnEvent,
    ) -> None:
        self._parameters = parameters
        self._terminal = terminal
        self._frozen: TerminalState | None = None
        self._seen: TerminalState | None = None
        self._import_milliwh = parameters.import_start_wh * 1000
        self._export_milliwh = parameters.export_start_wh * 1000
        self._reversed_phases = 0
        self._unit_factor = 1.0
        self._drift_ppm = parameters.clock_drift_ppm
        self._clock_set: tuple[float, float] | None = None  # epoch [s], loop time [s]
        self._pagination = 0
        super().__init__(name, link, parameters, blocks, on_event)

    def arm(self, fault: str, *, count: int | None = None, **params: FaultValue) -> None:
        """Let a fault fire; the meter's own states change now.

        Raises
        ------
        DriverError
            `emulator.fault_unknown` or `emulator.fault_parameter`.
        """
        loses = params.get("loses", "clock")
        if fault == "reboot":
            words = " or ".join(REBOOT_KEEPS_NOTHING)
            require("loses", loses, loses in REBOOT_KEEPS_NOTHING, words)
        super().arm(fault, count=count, **params)
        if fault not in METER_FAULTS or (values := self._faults.fire(fault)) is None:
            return
        self._observe()
        if fault == "reversed_ct":
            self._reversed_phases = 0 if self._reversed_phases else int(values["phases"])
        elif fault == "unit_slip":
            self._unit_factor = float(values["factor"])
        elif fault == "clock_drift":
            self._rebase_clock()
            self._drift_ppm = float(values["ppm"])
        else:
            self._reboot(str(values["loses"]), float(values["boot_s"]))

    def _reboot(self, loses: str, boot_s: float) -> None:
        if loses == "counter":
            self._pagination = 0
        elif loses == "clock":
            self._clock_set = None
        elif loses == "registers":
            self._import_milliwh = self._export_milliwh = 0
        if boot_s:
            self._faults.arm("no_reply", for_s=boot_s)

    def _observe(self) -> TerminalState:
        """Take over what has flowed since the last look, as the transformers show it."""
        state = self._terminal.state()
        if self._parameters.telemetry == "frozen":
            state = self._frozen = self._frozen or state
        last = self._seen
        taken = state.import_milliwh - (0 if last is None else last.import_milliwh)
        given = state.export_milliwh - (0 if last is None else last.export_milliwh)
        if self._parameters.sign == -1:
            taken, given = given, taken
        if self._reversed_phases:
            # Of three equal phases so many count the other way: the net of them, one way or other.
            net = (taken - given) * (PHASES - 2 * self._reversed_phases) // PHASES
            taken, given = max(net, 0), max(-net, 0)
        self._import_milliwh += taken
        self._export_milliwh += given
        self._seen = state
        return state

    def _believed(self) -> Believed:
        state, p = self._observe(), self._parameters
        turned = (PHASES - 2 * self._reversed_phases) / PHASES
        factor = p.scale * self._unit_factor

        def register(milliwh: int) -> int:
            return milliwh if factor == 1.0 else int(milliwh * factor)

        return Believed(
            v_v=state.v_pu * p.v_nominal_v,
            f_hz=state.f_hz,
            p_w=-state.p_w * p.sign * p.scale * turned,
            q_var=-state.q_var * turned,
            import_milliwh=register(self._import_milliwh),
            export_milliwh=register(self._export_milliwh),
        )

    def _clock_s(self) -> int:
        return math.floor(self._clock())

    def _clock(self) -> float:
        if self._clock_set is None:
            return 0.0
        epoch_s, set_at_s = self._clock_set
        rate = 1 + self._drift_ppm * 1e-6
        return epoch_s + (asyncio.get_running_loop().time() - set_at_s) * rate

    def _set_clock(self, epoch_s: int) -> None:
        self._clock_set = (epoch_s, asyncio.get_running_loop().time())
        self._on_event("clock_set", utc_s=epoch_s)

    def _rebase_clock(self) -> None:
        if self._clock_set is not None:
            self._clock_set = (self._clock(), asyncio.get_running_loop().time())

    def _measurement(self) -> ModelBlock:
        """Return its SunSpec meter model, 201 to 204 or 211 to 214."""
        p = self._parameters
        if p.numbers == "float":
            model = standard_model(FLOATS[p.wiring])
            return ModelBlock(model, values={"Evt": 0}, refresh=self._measure)
        scale = max(0, math.ceil(math.log10(p.p_max_w / 32767)))
        return ModelBlock(
            standard_model(WIRINGS[p.wiring]),
            scale={
                **dict.fromkeys(("W_SF", "VA_SF", "VAR_SF"), scale),
                **{"A_SF": -1, "V_SF": -1, "Hz_SF": -2, "TotWh_SF": 0, "PF_SF": -2},
            },
            values={"Evt": 0},
            refresh=self._measure,
        )

    def _measure(self, block: ModelBlock) -> None:
        seen, n = self._believed(), PHASES_OF[self._parameters.wiring]
        floats = self._parameters.numbers == "float"
        neutral_v = seen.v_v if n == 1 else seen.v_v / (2 if n == 2 else math.sqrt(3))
        s_va = math.hypot(seen.p_w, seen.q_var)
        phase_a = s_va / n / neutral_v if neutral_v > 0 else 0.0
        pf = 100 * seen.p_w / s_va if s_va else 100.0
        powers = {"W": seen.p_w, "VAR": seen.q_var, "VA": s_va, "A": n * phase_a}
        for name, value in powers.items():
            block.set_value(name, value)
            for phase in "ABC"[:n]:
                part = f"Aph{phase}" if name == "A" else f"{name}ph{phase}"
                block.set_value(part, value / n)
        for name in ("PF", *(f"PFph{phase}" for phase in "ABC"[:n])):
            block.set_value(name, pf)
        block.set_value("Hz", seen.f_hz)
        block.set_value("PPV", seen.v_v)
        for pair in {1: (), 2: ("AB",), 3: ("AB", "BC", "CA")}[n]:
            block.set_value(f"{'PPV' if floats else 'PhV'}ph{pair}", seen.v_v)
        if self._parameters.wiring != "delta":
            for name in ("PhV", *(f"PhVph{phase}" for phase in "ABC"[:n])):
                block.set_value(name, neutral_v)
        registers = {"TotWhImp": seen.import_milliwh, "TotWhExp": seen.export_milliwh}
        for name, milliwh in registers.items():
            if floats:
                block.set_value(name, milliwh / 1000)
            else:
                block.set_raw(name, milliwh // 1000 & ACC32)  # acc32 rolls over
