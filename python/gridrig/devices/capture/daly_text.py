"""What a Daly pack is asked and answers, as text. Currents are positive while discharging."""

from collections.abc import Callable, Mapping

from gridrig.devices.capture.framed_text import FramedText
from gridrig.devices.capture.pack_words import closed, hex_of, listed, malformed
from gridrig.devices.capture.recorder import Way
from gridrig.devices.wire import daly, daly_data
from gridrig.devices.wire.pack_frames import Dropped, Malformed

NAMES = {
    daly.CMD_RESTART: "restart",
    daly.CMD_SET_SOC: "set state of charge",
    daly.CMD_RATED: "rated capacity",
    daly.CMD_MADE: "date of manufacture",
    daly.CMD_CODE: "battery code",
    daly.CMD_PACK: "pack",
    daly.CMD_CELL_RANGE: "cell range",
    daly.CMD_TEMPERATURE_RANGE: "temperature range",
    daly.CMD_SWITCHES: "switches",
    daly.CMD_SETUP: "setup",
    daly.CMD_CELLS: "cells",
    daly.CMD_TEMPERATURES: "temperatures",
    daly.CMD_BALANCING: "balancing",
    daly.CMD_ALARMS: "alarms",
    daly.CMD_DISCHARGE_FET: "discharge switch",
    daly.CMD_CHARGE_FET: "charge switch",
}


def daly_text() -> FramedText:
    """Show Daly."""
    return FramedText({"out": daly.Decoder(), "in": daly.Decoder()}, Dropped, _told)


def _told(frame: daly.Frame, way: Way) -> str:
    what = f"{NAMES.get(frame.command, 'command')} ({frame.command:02x})"
    asked = daly.reply_address(frame.address)
    if asked is not None:
        echo = "echo of " if way == "in" else ""
        data = f": {hex_of(frame.data)}" if any(frame.data) else ""
        return f"{echo}pack {asked}  ask {what}{data}"
    tell = CONTENTS.get(frame.command, hex_of)
    return f"pack {frame.address}  {what}: {tell(frame.data)}"


def _pack(data: bytes) -> str:
    pack = daly_data.parse_pack(data)
    if isinstance(pack, Malformed):
        return malformed(pack.reason, data)
    return (
        f"{pack.v_100mv / 10:.1f} V, {pack.i_discharge_100ma / 10:.1f} A (+ discharges), "
        f"{pack.soc_permille / 10:.1f} %"
    )


def _cell_range(data: bytes) -> str:
    found = daly_data.parse_cell_range(data)
    if isinstance(found, Malformed):
        return malformed(found.reason, data)
    return (
        f"{found.low_mv} mV (cell {found.low_number}) to {found.high_mv} mV "
        f"(cell {found.high_number})"
    )


def _temperature_range(data: bytes) -> str:
    return f"{data[2] - daly_data.T_OFFSET_C} to {data[0] - daly_data.T_OFFSET_C} deg C"


def _switches(data: bytes) -> str:
    found = daly_data.parse_switches(data)
    if isinstance(found, Malformed):
        return malformed(found.reason, data)
    state = ("idle", "charging", "discharging")[found.state]
    switches = closed(found.charge_fet, found.discharge_fet)
    return f"{state}, closed: {switches}, {found.remaining_mah} mAh left"


def _setup(data: bytes) -> str:
    found = daly_data.parse_setup(data)
    if isinstance(found, Malformed):
        return malformed(found.reason, data)
    return f"{found.cells} cells, {found.sensors} sensors, {found.cycles} cycles"


def _cells(data: bytes) -> str:
    number, cells = daly_data.parse_cells(data)
    return f"frame {number}, {listed(cells)} mV"


def _temperatures(data: bytes) -> str:
    number, sensors = daly_data.parse_temperatures(data)
    return f"frame {number}, {listed(sensors)} deg C"


def _rated(data: bytes) -> str:
    capacity_mah, cell_mv = daly_data.parse_rated(data)
    return f"{capacity_mah} mAh, cells of {cell_mv} mV"


CONTENTS: Mapping[int, Callable[[bytes], str]] = {
    daly.CMD_RATED: _rated,
    daly.CMD_CODE: lambda data: (
        f"frame {data[0]}, {data[1:].decode('ascii', 'backslashreplace')!r}"
    ),
    daly.CMD_PACK: _pack,
    daly.CMD_CELL_RANGE: _cell_range,
    daly.CMD_TEMPERATURE_RANGE: _temperature_range,
    daly.CMD_SWITCHES: _switches,
    daly.CMD_SETUP: _setup,
    daly.CMD_CELLS: _cells,
    daly.CMD_TEMPERATURES: _temperatures,
    daly.CMD_ALARMS: lambda data: listed(daly_data.parse_alarms(data)),
}
