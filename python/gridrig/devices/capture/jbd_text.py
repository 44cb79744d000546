"""What a JBD pack is asked and answers, as text. Currents are positive while charging."""

from gridrig.devices.capture.framed_text import FramedText
from gridrig.devices.capture.pack_words import celsius, closed, hex_of, listed, malformed
from gridrig.devices.capture.recorder import Way
from gridrig.devices.wire import jbd, jbd_registers
from gridrig.devices.wire.jbd_settings import (
    ENTER,
    LEAVE,
    LEAVE_AND_SAVE,
    REG_FACTORY_ENTER,
    REG_FACTORY_LEAVE,
    REGISTERS,
)
from gridrig.devices.wire.pack_frames import Dropped, Malformed

NAMES = {
    jbd.REG_BASIC: "basic information",
    jbd.REG_CELLS: "cell voltages",
    jbd.REG_HARDWARE: "hardware",
    jbd.REG_FETS: "switches",
    REG_FACTORY_ENTER: "factory mode",
    REG_FACTORY_LEAVE: "end of factory mode",
    **{number: f"setting {one.name}" for number, one in REGISTERS.items()},
}
WORDS = {ENTER: "enter", LEAVE: "leave", LEAVE_AND_SAVE: "leave and save"}


def jbd_text() -> FramedText:
    """Show JBD."""
    return FramedText({"out": jbd.Decoder("request"), "in": jbd.Decoder("reply")}, Dropped, _told)


def _told(frame: jbd.Request | jbd.Reply, way: Way) -> str:
    if isinstance(frame, jbd.Request):
        what = _register(frame.register)
        return f"write {what}: {_word(frame)}" if frame.write else f"read {what}"
    if frame.register in (jbd.READ, jbd.WRITE):  # see the codec's known gaps
        return f"echo of a request of {_register(frame.status)}"
    what = _register(frame.register)
    if frame.status != jbd.STATUS_OK:
        return f"{what}: refused, status {frame.status:02x}"
    return f"{what}: {_content(frame.register, frame.payload)}"


def _register(number: int) -> str:
    return f"{NAMES.get(number, 'register')} ({number:02x})"


def _word(frame: jbd.Request) -> str:
    if frame.register in (REG_FACTORY_ENTER, REG_FACTORY_LEAVE):
        return WORDS.get(frame.payload, hex_of(frame.payload))
    if frame.register == jbd.REG_FETS and len(frame.payload) == 2:
        open_ = frame.payload[1]  # a set bit opens
        charge = not open_ & jbd_registers.FET_CHARGE
        return f"closed: {closed(charge, not open_ & jbd_registers.FET_DISCHARGE)}"
    return _content(frame.register, frame.payload)


def _content(register: int, payload: bytes) -> str:
    if not payload:
        return "done"
    if register in REGISTERS and len(payload) == 2:
        return f"{REGISTERS[register].from_wire(int.from_bytes(payload, 'big')):g}"
    if register == jbd.REG_HARDWARE:
        return payload.decode("ascii", "backslashreplace")
    if register == jbd.REG_CELLS:
        cells = jbd_registers.parse_cells(payload)
        if isinstance(cells, Malformed):
            return malformed(cells.reason, payload)
        return f"{listed(cells)} mV"
    if register == jbd.REG_BASIC:
        info = jbd_registers.parse_basic(payload)
        if isinstance(info, Malformed):
            return malformed(info.reason, payload)
        fets = info.fets
        return (
            f"{info.v_10mv / 100:.2f} V, {info.i_charge_10ma / 100:.2f} A (+ charges), "
            f"{info.soc_percent} %, {info.remaining_10mah / 100:.2f} of "
            f"{info.nominal_10mah / 100:.2f} Ah, {info.cells} cells, "
            f"{celsius(info.temperatures_dk)} deg C, closed: "
            f"{closed(fets & jbd_registers.FET_CHARGE, fets & jbd_registers.FET_DISCHARGE)}, "
            f"protections: {listed(jbd_registers.protection_names(info.protection))}"
        )
    return hex_of(payload)
