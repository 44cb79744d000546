"""An emulated Pylontech battery: commands 42, 47, 4F, 51, 92 and 93 of one module, on a pty.

    emulate = { address = 2, serial = "GRIDRIG000000001" }

It is a face on one pack of the plant. It answers only requests to its own address, except 4F and
51, which hosts also send to address 0. A frame it cannot check is met with silence, because on a
shared bus nobody knows to whom it went. FETs cannot be switched over this wire.
"""

from dataclasses import dataclass
from typing import ClassVar

from gridrig.devices.emulators.fault import OnEvent, no_log
from gridrig.devices.emulators.pack_telemetry import (
    PackFaceParameters,
    decikelvin,
    require,
)
from gridrig.devices.emulators.serial_face import LINE_FAULTS
from gridrig.devices.emulators.serial_pack import SerialPackEmulator
from gridrig.devices.emulators.terminal import PackState, PackTerminal
from gridrig.devices.links import SerialLink
from gridrig.devices.wire import pylontech as wire
from gridrig.devices.wire import pylontech_info as content

BROADCAST_ADDRESS = 0
ANALOG_FLAG = 0x10


@dataclass(frozen=True, kw_only=True)
class PylontechEmulatorParameters(PackFaceParameters):
    """What the `emulate` table may say of a Pylontech emulator.

    Parameters
    ----------
    address : int
        Module address, 2 for the first of group 0.
    serial : str
        Serial number, up to 16 ASCII characters.
    device : str
        Device name, up to 10 ASCII characters.
    sensors : int
        Temperature sensors including the board's, 2..16; all tell the pack's temperature.
    cell_high_mv, cell_low_mv : int
        Highest and lowest cell voltage allowed; times the cells, the pack's voltage limits. [mV]
    cell_under_mv : int
        Cell voltage at which the pack switches off. [mV]
    """

    address: int = 2
    serial: str = "GRIDRIG000000001"
    device: str = "US5000"
    sensors: int = 5
    cell_high_mv: int = 3550
    cell_low_mv: int = 2900
    cell_under_mv: int = 2700

    def __post_init__(self) -> None:
        """Refuse what the wire cannot carry."""
        super().__post_init__()
        require(1 <= self.address <= 0xFE, "address", self.address, "1..254")
        fits = self.serial.isascii() and 0 < len(self.serial) <= 16
        require(fits, "serial", self.serial, "1..16 ASCII characters")
        fits = self.device.isascii() and 0 < len(self.device) <= 10
        require(fits, "device", self.device, "1..10 ASCII characters")
        require(2 <= self.sensors <= 16, "sensors", self.sensors, "2..16")
        rising = 0 < self.cell_under_mv < self.cell_low_mv < self.cell_high_mv < 0x8000
        cells = (self.cell_under_mv, self.cell_low_mv, self.cell_high_mv)
        require(rising, "cell_under_mv, cell_low_mv, cell_high_mv", cells, "rising, below 32768")


class PylontechEmulator(SerialPackEmulator[PylontechEmulatorParameters]):
    """Serves one pack as a Pylontech module."""

    PARAMETERS = PylontechEmulatorParameters
    LINK = SerialLink
    FAULTS: ClassVar = {**LINE_FAULTS, "exception": ("code",)}

    def __init__(
        self,
        name: str,
        link: SerialLink,
        parameters: PylontechEmulatorParameters,
        terminal: PackTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        super().__init__(name, link, parameters, terminal, on_event)
        self._decoder = wire.Decoder()

    def ranges(self, pack: PackState) -> dict[str, tuple[float, float]]:
        """Return what the wire must carry and the most that it can, by name."""
        return {
            "charge_limit_a": (pack.charge_limit_a, content.I_100MA_MAX / 10),
            "discharge_limit_a": (pack.discharge_limit_a, content.I_100MA_MAX / 10),
            "capacity_ah": (pack.capacity_ah, 16777.215),
            "v_v": (pack.v_v, 65.535),
            "cell_high_mv": (len(pack.cells_mv) * self._parameters.cell_high_mv, 65535),
        }

    def hear(self, data: bytes, *, after_silence: bool) -> list[bytes]:
        """Take bytes and return the raw requests they completed."""
        events = [*(self._decoder.idle() if after_silence else ()), *self._decoder.feed(data)]
        return [wire.encode(event) for event in events if isinstance(event, wire.Frame)]

    def answer(self, request: bytes) -> bytes | None:
        """Return the frame that answers a request, or None if it went to somebody else."""
        (frame,) = wire.Decoder().feed(request)
        assert isinstance(frame, wire.Frame)
        ours = {self._parameters.address}
        if frame.code in {wire.CID2_VERSION, wire.CID2_MANUFACTURER}:
            ours.add(BROADCAST_ADDRESS)
        if frame.kind != wire.CID1_BATTERY or frame.address not in ours:
            return None
        fault = self._faults.fire("exception")
        code, info = self._act(frame) if fault is None else (int(fault["code"]), b"")
        return wire.encode(wire.Frame(frame.address, code, info))

    def spoil(self, reply: bytes) -> bytes:
        """Return the reply with a wrong checksum."""
        last = int(reply[-2:-1], 16)
        return reply[:-2] + f"{last ^ 5:X}".encode() + reply[-1:]

    def _act(self, request: wire.Frame) -> tuple[int, bytes]:
        address = self._parameters.address
        pack = self._telemetry.told()
        asked = request.info[0] if len(request.info) == 1 else None
        match request.code:
            case wire.CID2_ANALOG if asked in {address, content.ALL_MODULES}:
                number = address if asked == address else 1
                info = content.encode_analog(
                    content.Analog(ANALOG_FLAG, number, (self._module(pack),))
                )
            case wire.CID2_MANAGEMENT if asked == address:
                info = content.encode_management(self._management(pack))
            case wire.CID2_SYSTEM if asked in {address, None}:
                info = content.encode_system(self._system(pack))
            case wire.CID2_SERIAL if asked in {address, None}:
                info = content.encode_serial(content.Serial(address, self._parameters.serial))
            case wire.CID2_MANUFACTURER:
                maker = content.Manufacturer(self._parameters.device, (2, 8), "Pylon")
                info = content.encode_manufacturer(maker)
            case wire.CID2_VERSION:
                info = b""
            case wire.CID2_ANALOG | wire.CID2_MANAGEMENT | wire.CID2_SYSTEM | wire.CID2_SERIAL:
                return self._refuse(request, wire.RTN_DATA)
            case _:
                return self._refuse(request, wire.RTN_COMMAND)
        return wire.RTN_OK, info

    def _refuse(self, request: wire.Frame, code: int) -> tuple[int, bytes]:
        self._on_event("refused", command=request.code, return_code=code)
        return code, b""

    def _module(self, pack: PackState) -> content.Module:
        total = round(pack.capacity_ah * 1000)
        return content.Module(
            cells_mv=pack.cells_mv,
            temperatures_dk=(decikelvin(pack.temperature_c),) * self._parameters.sensors,
            i_charge_100ma=self._current(-pack.i_a, steps_per_a=10, most=content.I_100MA_MAX),
            v_mv=round(pack.v_v * 1000),
            remaining_mah=round(pack.soc * total),
            total_mah=total,
            cycles=pack.cycles & 0xFFFF,
            wide=total >= 0xFFFF,
        )

    def _management(self, pack: PackState) -> content.Management:
        cells = len(pack.cells_mv)
        status = (
            content.STATUS_CHARGE * pack.charge_fet | content.STATUS_DISCHARGE * pack.discharge_fet
        )
        return content.Management(
            number=self._parameters.address,
            charge_v_mv=cells * self._parameters.cell_high_mv,
            discharge_v_mv=cells * self._parameters.cell_low_mv,
            # Cut, never rounded up: a limit told must not exceed the limit meant.
            charge_i_100ma=int(pack.charge_limit_a * 10),
            discharge_i_100ma=-int(pack.discharge_limit_a * 10),
            status=status,
        )

    def _system(self, pack: PackState) -> content.SystemParameters:
        cells, own = len(pack.cells_mv), self._parameters
        return content.SystemParameters(
            flag=own.address,
            cell_high_mv=own.cell_high_mv,
            cell_low_mv=own.cell_low_mv,
            cell_under_mv=own.cell_under_mv,
            charge_high_dk=decikelvin(50),
            charge_low_dk=decikelvin(0),
            charge_i_100ma=int(pack.charge_limit_a * 10),
            module_high_mv=cells * own.cell_high_mv,
            module_low_mv=cells * own.cell_low_mv,
            module_under_mv=cells * own.cell_under_mv,
            discharge_high_dk=decikelvin(50),
            discharge_low_dk=decikelvin(-10),
            discharge_i_100ma=-int(pack.discharge_limit_a * 10),
        )
