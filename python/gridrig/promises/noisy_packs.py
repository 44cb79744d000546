"""Batteries whose frames are damaged: what the control loop made of them, against the cells.

The loop's own parts read the packs and keep their inverters, by the loop's rules; each reading that
they may use is compared with what the modelled pack is at that moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gridrig.campaign.control import Control
from gridrig.campaign.lab import Lab
from gridrig.campaign.sensing import Sensing
from gridrig.devices.capabilities import BmsReading
from gridrig.plant import Pack

PERIOD_S = 10.0
POLLS = 120
SHARE = 0.05  # of the frames are damaged
DAMAGES = ("bit_flip", "truncate", "noise")
SILENT_S = 15.0  # two readings in a row; a third would give the device up
ALARM_S = 60.0
OVER_VOLTAGE = "cell_over_voltage"
OF_PACK = {"pylontech": "pack_over_voltage"}  # its protections do not tell of single cells

# What a manager may be beside its cells: its shunt, its cells' measurement, the last digit.
I_SHARE, I_STEP_A, V_SHARE, CELL_MV, TEMPERATURE_C, SOC = 0.004, 0.2, 0.004, 4, 1.0, 0.006


@dataclass
class Found:
    """What an hour of noise, a silence and an alarm came to.

    Powers are the set-points of storage inverters, and what they gave. [W]
    """

    damaged: int = 0
    used: int = 0
    wrong: int = 0
    without_reading_w: float = 0.0
    silences: int = 0
    charged_before_alarm_w: float = 0.0
    charged_in_alarm_w: float = 0.0


async def noisy_hours(lab: Lab) -> Found:
    """Drive every storage of a bench while the frames of its pack are damaged."""
    found = Found()
    packs = [device.name for device in lab.rig.of("bms")]
    names = packs + [device.name for device in lab.rig.of("storage")]
    sensing = Sensing({name: lab.driver(name) for name in names}, {}, lab.events)
    control = Control(lab.rig, lab.bench.devices, lab.events)
    for share, name in zip((SHARE * 0.8, SHARE * 0.1, SHARE * 0.1), DAMAGES, strict=True):
        more = {"n_bytes": 5} if name == "noise" else {}
        for pack in packs:
            lab.bench.emulators[pack].arm(name, probability=share, for_s=PERIOD_S * POLLS, **more)
    for number in range(POLLS):
        # The power changes with each period, so what was true before is not true again.
        await _period(lab, sensing, control, found, share=0.7 * (-1) ** number)
    for pack in packs:
        lab.bench.emulators[pack].arm("no_reply", for_s=SILENT_S)
    while silent := await _period(lab, sensing, control, found, share=0.7):
        found.silences += silent
    for _ in range(3):
        await _period(lab, sensing, control, found, share=-0.4)
    found.charged_before_alarm_w = min(-p_w for p_w in _given_w(sensing))
    for device in lab.rig.of("bms"):
        told = OF_PACK.get(device.driver, OVER_VOLTAGE)
        lab.bench.emulators[device.name].arm("alarm", protection=told, for_s=ALARM_S)
    for number in range(int(ALARM_S / PERIOD_S) - 1):
        await _period(lab, sensing, control, found, share=-0.4)
        charged_w = [-p_w for p_w in control.set_points.values()]
        if number:  # what was given when the alarm was first read is that of before
            charged_w += [-p_w for p_w in _given_w(sensing)]
        found.charged_in_alarm_w = max(found.charged_in_alarm_w, *charged_w)
    found.damaged = sum(
        event.kind == "fault_fired" and event.data["fault"] in DAMAGES
        for event in lab.events.ordered()
    )
    return found


async def _period(
    lab: Lab, sensing: Sensing, control: Control, found: Found, *, share: float
) -> int:
    """Read, judge, control and let time pass; return how many packs gave no reading."""
    telemetry = await sensing.read()
    silent = 0
    control.look(telemetry)
    wanted_w = {}
    for storage in lab.rig.of("storage"):
        wanted_w[storage.name] = share * storage.limits.p_w_max  # type: ignore[union-attr]
        reading = telemetry.batteries.get(str(storage.bms))
        if reading is None:
            silent += 1
            continue
        found.used += 1
        pack = lab.world.pack(lab.street.pack_index(str(storage.bms)))
        found.wrong += is_wrong(reading, pack)
    await control.step(wanted_w, PERIOD_S)
    for storage in lab.rig.of("storage"):
        if str(storage.bms) not in telemetry.batteries:
            p_w = abs(control.set_points[storage.name])
            found.without_reading_w = max(found.without_reading_w, p_w)
    await lab.pass_time(PERIOD_S, step_s=1.0)
    return silent


def _given_w(sensing: Sensing) -> list[float]:
    return [reading.p_w for reading in sensing.latest.inverters.values()]


def is_wrong(reading: BmsReading, pack: Pack) -> bool:
    """Tell whether a reading is not that of its pack, within what a manager may be beside it."""
    cells = pack.cells_mv
    beside: Mapping[str, float] = {
        "v": abs(reading.v_v - pack.v_v) / (V_SHARE * pack.v_v),
        "i": abs(reading.i_a - pack.i_a) / (I_SHARE * abs(pack.i_a) + I_STEP_A),
        "soc": abs(reading.soc - pack.soc_counted) / SOC,
        "t": abs(reading.temperature_c - pack.temperature_c) / TEMPERATURE_C,
    }
    same_cells = len(reading.cells_mv) == len(cells) and all(
        abs(told - true) <= CELL_MV for told, true in zip(reading.cells_mv, cells, strict=True)
    )
    switches = (reading.charge_fet, reading.discharge_fet) == (pack.charge_fet, pack.discharge_fet)
    return max(beside.values()) > 1 or not same_cells or not switches
