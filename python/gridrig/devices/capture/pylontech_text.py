"""What Pylontech modules are asked and answer, as text. Currents are positive while charging."""

from gridrig.devices.capture.framed_text import FramedText
from gridrig.devices.capture.pack_words import celsius, hex_of, listed, malformed
from gridrig.devices.capture.recorder import Way
from gridrig.devices.wire import pylontech, pylontech_info
from gridrig.devices.wire.pack_frames import Dropped, Malformed
from gridrig.devices.wire.pylontech_alarm import parse_alarms

NAMES = {
    pylontech.CID2_ANALOG: "analog values",
    pylontech.CID2_ALARM: "alarms",
    pylontech.CID2_SYSTEM: "system parameters",
    pylontech.CID2_VERSION: "protocol version",
    pylontech.CID2_MANUFACTURER: "manufacturer",
    pylontech.CID2_MANAGEMENT: "charge and discharge limits",
    pylontech.CID2_SERIAL: "serial number",
}
_CHARGING_NOW = pylontech_info.STATUS_CHARGE_NOW_1 | pylontech_info.STATUS_CHARGE_NOW_2
STATUS_WORDS = {
    pylontech_info.STATUS_CHARGE: "charge",
    pylontech_info.STATUS_DISCHARGE: "discharge",
    _CHARGING_NOW: "charge now",
    pylontech_info.STATUS_FULL_CHARGE: "full charge",
}


def pylontech_text() -> FramedText:
    """Show Pylontech; a reply does not say what it answers, so the request before it does."""
    teller = _Teller()
    decoders = {"out": pylontech.Decoder(), "in": pylontech.Decoder()}
    return FramedText(decoders, Dropped, teller.tell)  # type: ignore[arg-type]


class _Teller:
    def __init__(self) -> None:
        self._asked: pylontech.Frame | None = None

    def tell(self, frame: pylontech.Frame, way: Way) -> str:
        head = f"module {frame.address}  "
        if way == "out":
            self._asked = frame
            what = NAMES.get(frame.code, "command")
            data = f": {hex_of(frame.info)}" if frame.info else ""
            return f"{head}ask {what} ({frame.code:02x}){data}"
        if frame == self._asked:
            return f"{head}echo of the request"
        if frame.code != pylontech.RTN_OK:
            reason = pylontech.RETURN_CODES.get(frame.code, "unknown")
            return f"{head}refused, return code {frame.code:02x} ({reason})"
        asked = self._asked
        if asked is None:
            return f"{head}answers: {hex_of(frame.info)}"
        what = NAMES.get(asked.code, f"command {asked.code:02x}")
        return f"{head}{what}: {_content(asked, frame.info)}"


def _content(asked: pylontech.Frame, info: bytes) -> str:
    number = asked.info[0] if asked.info else pylontech_info.ALL_MODULES
    match asked.code:
        case pylontech.CID2_ANALOG:
            analog = pylontech_info.parse_analog(info, number)
            if isinstance(analog, Malformed):
                return malformed(analog.reason, info)
            return "; ".join(map(_module, analog.modules))
        case pylontech.CID2_MANAGEMENT:
            return _limits(info)
        case pylontech.CID2_MANUFACTURER:
            maker = pylontech_info.parse_manufacturer(info)
            if isinstance(maker, Malformed):
                return malformed(maker.reason, info)
            major, minor = maker.software
            return f"{maker.manufacturer}, {maker.device}, software {major}.{minor}"
        case pylontech.CID2_SERIAL:
            serial = pylontech_info.parse_serial(info)
            if isinstance(serial, Malformed):
                return malformed(serial.reason, info)
            return serial.serial
        case pylontech.CID2_ALARM:
            alarms = parse_alarms(info, number)
            if isinstance(alarms, Malformed):
                return malformed(alarms.reason, info)
            return listed(alarms.protections)
    return hex_of(info)


def _module(module: pylontech_info.Module) -> str:
    return (
        f"{module.v_mv / 1000:.3f} V, {module.i_charge_100ma / 10:.1f} A (+ charges), "
        f"{module.remaining_mah} of {module.total_mah} mAh, cells {listed(module.cells_mv)} mV, "
        f"{celsius(module.temperatures_dk)} deg C, {module.cycles} cycles"
    )


def _limits(info: bytes) -> str:
    limits = pylontech_info.parse_management(info)
    if isinstance(limits, Malformed):
        return malformed(limits.reason, info)
    status = tuple(word for bits, word in STATUS_WORDS.items() if limits.status & bits)
    return (
        f"{limits.discharge_v_mv / 1000:.3f} to {limits.charge_v_mv / 1000:.3f} V, "
        f"{limits.discharge_i_100ma / 10:.1f} to {limits.charge_i_100ma / 10:.1f} A (+ charges), "
        f"allowed: {', '.join(status) or 'nothing'}"
    )
