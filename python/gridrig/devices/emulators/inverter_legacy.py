"""SunSpec models 101 to 103 and 120 to 122 of an emulated inverter: the generation before 701."""

import math
from collections.abc import Callable

from gridrig.devices.emulators.inverter_controls import Ratings
from gridrig.devices.emulators.inverter_telemetry import alarm_bits, power_scale
from gridrig.devices.emulators.inverter_view import View
from gridrig.devices.emulators.register_image import ModelBlock
from gridrig.devices.wire.sunspec_definitions import standard_model

MODEL_OF = {1: 101, 2: 102, 3: 103}  # phases
FLOAT_MODEL_OF = {1: 111, 2: 112, 3: 113}
STATES = {
    **{"off": 1, "sleeping": 2, "starting": 3, "running": 4, "throttled": 5},
    **{"shutting_down": 6, "tripped": 7, "standby": 8},
}
PV, PV_WITH_STORAGE = 4, 82  # DERTyp
CONNECTED_AVAILABLE_OPERATING = 0b111


def measurement_block(
    view: Callable[[], View], phases: int, rating_va: float, *, floats: bool = False
) -> ModelBlock:
    """Return model 101, 102 or 103; in floats 111, 112 or 113."""
    scale = power_scale(rating_va)

    def measure(block: ModelBlock) -> None:
        seen = view()
        state = seen.state
        neutral_v = seen.v_v if phases == 1 else seen.v_v / (2 if phases == 2 else math.sqrt(3))
        phase_a = seen.s_va / phases / neutral_v if neutral_v > 0 else 0.0
        for name, value in {
            **{"A": phases * phase_a, "W": state.p_w, "VA": seen.s_va, "VAr": state.q_var},
            **{"PF": 100 * seen.pf, "Hz": state.f_hz},
        }.items():
            block.set_value(name, value)
        for phase in ("A", "B", "C")[:phases]:
            block.set_value(f"Aph{phase}", phase_a)
            block.set_value(f"PhVph{phase}", neutral_v)
        for pair in {1: (), 2: ("AB",), 3: ("AB", "BC", "CA")}[phases]:
            block.set_value(f"PPVph{pair}", seen.v_v)
        if floats:
            block.set_value("WH", state.export_milliwh / 1000)
        else:
            block.set_raw("WH", state.export_milliwh // 1000 & 0xFFFFFFFF)  # acc32 rolls over
        block.set_raw("St", STATES.get(state.status, STATES["standby"]))
        block.set_raw("Evt1", alarm_bits(state))

    if floats:
        model = standard_model(FLOAT_MODEL_OF[phases])
        return ModelBlock(model, values={"Evt2": 0}, refresh=measure)
    return ModelBlock(
        standard_model(MODEL_OF[phases]),
        scale={
            **{"A_SF": -1, "V_SF": -1, "Hz_SF": -2, "PF_SF": -2, "WH_SF": 0, "Tmp_SF": 0},
            **{"W_SF": scale, "VA_SF": scale, "VAr_SF": scale},
        },
        values={"Evt2": 0},
        refresh=measure,
    )


def nameplate_block(ratings: Ratings, amperes: float, *, stores: bool) -> ModelBlock:
    """Return model 120."""
    scale = power_scale(ratings.va_max)
    block = ModelBlock(
        standard_model(120),
        scale={
            **dict.fromkeys(("WRtg_SF", "VARtg_SF", "VArRtg_SF"), scale),
            **dict.fromkeys(("MaxChaRte_SF", "MaxDisChaRte_SF"), scale),
            **{"ARtg_SF": -1, "PFRtg_SF": -2},
        },
        values={
            **{"DERTyp": PV_WITH_STORAGE if stores else PV, "WRtg": ratings.w_max},
            **{"VARtg": ratings.va_max, "ARtg": amperes},
            **{f"VArRtgQ{q}": ratings.var_max * (1 if q < 3 else -1) for q in (1, 2, 3, 4)},
            **{f"PFRtgQ{q}": 0.0 for q in (1, 2, 3, 4)},
        },
    )
    if stores:
        block.set_value("MaxChaRte", ratings.charge_w)
        block.set_value("MaxDisChaRte", ratings.discharge_w)
    return block


def settings_block(ratings: Ratings, v_nominal_v: float) -> ModelBlock:
    """Return model 121; on this device its settings are read-only."""
    scale = power_scale(ratings.va_max)
    return ModelBlock(
        standard_model(121),
        scale={
            **dict.fromkeys(("WMax_SF", "VAMax_SF", "VArMax_SF"), scale),
            **{"VRef_SF": -1, "VRefOfs_SF": -1},
        },
        values={
            **{"WMax": ratings.w_max, "VRef": v_nominal_v, "VRefOfs": 0, "VAMax": ratings.va_max},
            **{"VArMaxQ1": ratings.var_max, "VArMaxQ4": -ratings.var_max},
        },
    )


def status_block(view: Callable[[], View], *, stores: bool) -> ModelBlock:
    """Return model 122."""

    def report(block: ModelBlock) -> None:
        state = view().state
        running = CONNECTED_AVAILABLE_OPERATING if state.connected else 0
        block.set_raw("PVConn", 0 if stores else running)
        block.set_raw("StorConn", running if stores else 0)
        block.set_raw("ECPConn", int(state.connected))
        block.set_raw("ActWh", state.export_milliwh // 1000)

    return ModelBlock(standard_model(122), refresh=report)
