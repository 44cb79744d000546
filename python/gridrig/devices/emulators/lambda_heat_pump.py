"""An emulated heat pump with Lambda's registers: the energy manager, one pump, one heating circuit.

    emulate = { model = "heat_pump", p_w_max = 3000, p_w_min = 600, cop = 3.2,
        capacity_wh_per_k = 4000, conductance_w_per_k = 150, room_c = 20.5, set_point_c = 21,
        low_c = 19.5, high_c = 22.5, outdoor_c = 2, swing_k = 4, seed = 7 }

It is a face on a pump and a room of the plant (`circuit.heat_pump`). It answers functions 3 and 16
alone. A power in 0102 is followed until `lapse_s` after it was written last; then, and after 0x8000
is written, the pump is its own. Room and outdoors are told as its sensors feel them, and its
thermostats know the room by the same sensor.

Mutants, all in what the table says: `scale`, `sign` and `telemetry` falsify what is told; with
`room_off_k` its sensor is off all the time; with
`follows = false` a power is accepted, told back and not followed; with `lapses = false` it is kept
for ever; with `guards = false` the room is nobody's affair.

Known gaps: a room or outdoor temperature cannot be written; one pump and one circuit; what a point
tells that the model has not (flow temperatures, volumes) is without a value.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.fault import Asked, FaultBoard, FaultSpec, OnEvent, no_log
from gridrig.devices.emulators.fault_spec import FaultParameter
from gridrig.devices.emulators.heating_settings import HeatingSettings
from gridrig.devices.emulators.heating_terminal import HeatingState, HeatingTerminal
from gridrig.devices.emulators.modbus_face import ModbusEmulator, ModbusFaceParameters, require
from gridrig.devices.emulators.modbus_faults import MODBUS_FAULTS
from gridrig.devices.emulators.wire_faults import by_name
from gridrig.devices.links import ModbusLink, ModbusRtuLink, ModbusTcpLink
from gridrig.devices.wire import lambda_registers as layout
from gridrig.devices.wire import modbus_pdu
from gridrig.devices.wire.modbus_units import Reply

FUNCTIONS = (modbus_pdu.READ_HOLDING, modbus_pdu.WRITE_MANY)
MANAGERS = {"automatic": layout.AUTOMATIC, "manual": layout.MANUAL, "off": layout.OFF}
READY, REGULATION = 3, 7  # states of a pump
RUNNING_W = 1.0
ROOM = layout.circuit_at(1) + 4
SET_POINT = layout.circuit_at(1) + 51
CIRCUIT_STATES = {"cold": layout.C_FROST, "warm": layout.C_MAX_TEMP, "fault": layout.C_ERROR}

HEAT_PUMP_FAULTS: Mapping[str, FaultSpec] = by_name(
    (
        FaultSpec(
            "room_sensor_broken",
            "state",
            "the room sensor is broken: it tells none, and its thermostats feel none",
            (),
            'name = "room_sensor_broken", for_s = 3600',
        ),
        FaultSpec(
            "room_sensor_stuck",
            "state",
            "the room sensor stays where it is at the first firing, for its thermostats too",
            (),
            'name = "room_sensor_stuck", for_s = 7200',
            deceives=True,
        ),
        FaultSpec(
            "room_sensor_off",
            "state",
            "the room sensor is off by so much, for its thermostats too",
            (FaultParameter("off_k", float, "what is added to the truth", -30, 30),),
            'name = "room_sensor_off", off_k = 2.0, for_s = 7200',
            deceives=True,
        ),
        FaultSpec(
            "outdoor_sensor_broken",
            "state",
            "the outdoor sensor is broken: it tells none",
            (),
            'name = "outdoor_sensor_broken", for_s = 3600',
        ),
        FaultSpec(
            "power_pretended",
            "state",
            "a power that is written is told back, told as taken, and not followed",
            (),
            'name = "power_pretended", count = 1000',
            deceives=True,
        ),
    )
)


@dataclass(frozen=True, kw_only=True)
class HeatPumpEmulatorParameters(HeatingSettings, ModbusFaceParameters):
    """What the `emulate` table may say of an emulated heat pump, its room and its weather.

    Parameters
    ----------
    room_off_k : float
        By how much its room sensor is off, for its thermostats too. [K]
    lapse_s : float
        How long a power holds that is not written again. [s]
    manager : str
        How the energy manager is set: "automatic", "manual" or "off".
    follows, lapses : bool
        False makes a mutant of it: see the module.
    """

    room_off_k: float = 0.0
    lapse_s: float = float(layout.LAPSES_S)
    manager: str = "automatic"
    follows: bool = True
    lapses: bool = True

    def __post_init__(self) -> None:
        """Refuse what no heat pump can be, or its registers cannot tell."""
        ModbusFaceParameters.__post_init__(self)
        HeatingSettings.__post_init__(self)
        most, set_c = self.p_w_max, self.set_point_c
        low_c, high_c = layout.SET_POINT_RANGE_C
        require("p_w_max", most, most <= layout.POWER_W_MAX, "at most 32767")
        require("set_point_c", set_c, low_c <= set_c <= high_c, f"{low_c:g} to {high_c:g}")
        require("room_off_k", self.room_off_k, -30 <= self.room_off_k <= 30, "-30 to 30")
        require("lapse_s", self.lapse_s, 0.1 <= self.lapse_s <= 86_400, "0.1 to 86400")
        require("manager", self.manager, self.manager in MANAGERS, " or ".join(MANAGERS))


class HeatPumpRegisters:
    """What the registers hold, and what writes do.

    Parameters
    ----------
    terminal : HeatingTerminal
        The pump and its room.
    parameters : HeatPumpEmulatorParameters
        The `emulate` table.
    faults : FaultBoard
        Its faults.
    on_event : OnEvent
        Takes what happens.
    """

    def __init__(
        self,
        terminal: HeatingTerminal,
        parameters: HeatPumpEmulatorParameters,
        faults: FaultBoard,
        on_event: OnEvent,
    ) -> None:
        self._terminal, self._p, self._faults = terminal, parameters, faults
        self._on_event = on_event
        self._told_w: int | None = None
        self._pretends = False
        self._lapse: asyncio.TimerHandle | None = None
        self._first: HeatingState | None = None
        self._stuck_c: float | None = None
        terminal.feel(self._felt_c)

    def read(self, address: int, count: int) -> Sequence[int] | ExcCodes:
        """Return registers; exception 2 if one is none."""
        asked = Asked(modbus_pdu.READ_HOLDING, None, address, count)
        places = range(address, address + count)
        held = self._held(places, asked)
        if not held.keys() >= set(places):
            return ExcCodes.ILLEGAL_ADDRESS
        return [held[place] for place in places]

    def write(self, address: int, values: Sequence[int]) -> ExcCodes | None:
        """Take a power, give it back, or hold another temperature."""
        if len(values) != 1 or address not in (layout.POWER, SET_POINT):
            return ExcCodes.ILLEGAL_ADDRESS
        (value,) = values
        if address == SET_POINT:
            set_c = layout.temperature_c(value, layout.SET_POINT_RANGE_C)
            if set_c is None:
                return ExcCodes.ILLEGAL_VALUE
            self._terminal.hold(set_c)
            self._on_event("set_point", set_point_c=set_c)
        elif value == layout.NO_VALUE:
            self.give_back("given_back")
        else:
            self._take(value)
        return None

    def give_back(self, why: str) -> None:
        """Let the pump be its own again."""
        if self._lapse is not None:
            self._lapse.cancel()
            self._lapse = None
        if self._told_w is not None:
            self._told_w, self._pretends = None, False
            self._terminal.tell(None)
            self._on_event(why)

    def _take(self, p_w: int) -> None:
        asked = Asked(modbus_pdu.WRITE_MANY, None, layout.POWER, 1)
        self._pretends = (
            not self._p.follows or self._faults.fire("power_pretended", asked) is not None
        )
        if p_w != self._told_w:
            self._on_event("told", p_w=p_w)
        self._told_w = p_w
        if MANAGERS[self._p.manager] == layout.AUTOMATIC:
            self._terminal.tell(None if self._pretends else float(p_w))
        if self._lapse is not None:
            self._lapse.cancel()
        if self._p.lapses:
            loop = asyncio.get_running_loop()
            self._lapse = loop.call_later(self._p.lapse_s, self.give_back, "lapsed")

    def _felt_c(self, true_c: float, asked: Asked | None = None) -> float | None:
        """Return the room as its sensor has it; asked on the wire, a fault is spent. [deg C]"""
        off = self._faults.peek("room_sensor_off")
        felt_c = true_c + self._p.room_off_k
        if off is not None:
            felt_c += float(off["off_k"])
        if self._faults.peek("room_sensor_stuck") is None:
            self._stuck_c = None
        elif self._stuck_c is None:
            self._stuck_c = felt_c
        else:
            felt_c = self._stuck_c
        broken = self._faults.peek("room_sensor_broken") is not None
        if asked is not None:
            for name in ("room_sensor_off", "room_sensor_stuck", "room_sensor_broken"):
                self._faults.fire(name, asked)
        return None if broken else felt_c

    def _held(self, places: range, asked: Asked) -> dict[int, int]:
        now = self._now()
        held: dict[int, int] = {}
        for first, values in (
            (layout.AMBIENT, self._ambient(now, places, asked)),
            (layout.MANAGER, layout.encode_manager(self._manager(now))),
            (layout.PUMP, layout.encode_pump(_pump(now, self._taken_w(now)))),
            (layout.circuit_at(1), self._circuit(now, places, asked)),
        ):
            held |= dict(enumerate(values, first))
        set_point = layout.temperature_raw(now.set_point_c, layout.SET_POINT_RANGE_C)
        held |= {SET_POINT - 1: 0, SET_POINT: set_point, SET_POINT + 1: layout.NO_VALUE}
        return held

    def _now(self) -> HeatingState:
        """Return the pump and its room, or how they were first told if it is frozen."""
        live = self._terminal.state()
        if self._first is None:
            self._first = live
        if self._p.telemetry == "frozen":
            first = self._first
            told = {key: getattr(first, key) for key in ("p_w", "heat_w", "room_c", "outdoor_c")}
            return replace(live, **told)
        return live

    def _taken_w(self, now: HeatingState) -> int:
        """Return the power as it tells it, saturated where the register ends. [W]"""
        pretended = self._pretends and self._told_w is not None
        p_w = min(float(self._told_w or 0), self._p.p_w_max) if pretended else now.p_w
        most = layout.POWER_W_MAX
        return min(max(self._p.sign * round(self._p.scale * p_w), -most), most)

    def _manager(self, now: HeatingState) -> layout.Manager:
        state = MANAGERS[self._p.manager]
        if state != layout.AUTOMATIC:
            return layout.Manager(0, state, self._told_w)
        if self._told_w is None:  # it misses its input, and says so
            return layout.Manager(0, layout.ERROR, None)
        wanted_w = min(self._told_w, round(self._p.p_w_max))
        return layout.Manager(0, state, self._told_w, self._taken_w(now), wanted_w)

    def _ambient(self, now: HeatingState, places: range, asked: Asked) -> list[int]:
        seen = layout.AMBIENT + 2 in places
        broken = seen and self._faults.fire("outdoor_sensor_broken", asked) is not None
        outdoor_c = None if broken else now.outdoor_c
        raw = layout.temperature_raw(outdoor_c, layout.OUTDOOR_RANGE_C)
        return [0, layout.AUTOMATIC, raw, raw, raw]

    def _circuit(self, now: HeatingState, places: range, asked: Asked) -> list[int]:
        room_c = self._felt_c(now.room_c, asked if ROOM in places else None)
        heating = layout.C_HEATING if now.p_w > RUNNING_W else layout.C_STANDBY
        state = CIRCUIT_STATES.get("fault" if room_c is None else now.mode, heating)
        if self._pretends:
            state = layout.C_HEATING
        error = int(room_c is None)
        room = layout.temperature_raw(room_c, layout.ROOM_RANGE_C)
        missing = layout.NO_SENSOR
        return [error, state, missing, missing, room, missing, layout.C_AUTOMATIC]


def _pump(now: HeatingState, taken_w: int) -> layout.Pump:
    runs = taken_w > 0
    return layout.Pump(
        kind_of_error=0,
        error=0,
        state=REGULATION if runs else READY,
        operating=layout.HEATING if runs else layout.STANDBY,
        taken_w=taken_w,
        heat_100w=min(round(now.heat_w / 100), layout.POWER_W_MAX),
        cop_100=round(100 * now.heat_w / now.p_w) if now.p_w > RUNNING_W else 0,
        taken_wh=now.import_milliwh // 1000 & 0x7FFFFFFF,
    )


class HeatPumpEmulator(ModbusEmulator):
    """Serves one heat pump with Lambda's registers.

    Parameters
    ----------
    name, link, parameters, on_event
        See `ModbusEmulator`.
    terminal : HeatingTerminal
        The pump and its room.
    """

    kind = "heat_pump"
    PARAMETERS: ClassVar[type[HeatPumpEmulatorParameters]] = HeatPumpEmulatorParameters
    LINKS: ClassVar[tuple[type[ModbusTcpLink] | type[ModbusRtuLink], ...]] = (
        ModbusTcpLink,
        ModbusRtuLink,
    )
    FAULTS: ClassVar[Mapping[str, FaultSpec | tuple[str, ...]]] = {
        **MODBUS_FAULTS,
        **HEAT_PUMP_FAULTS,
    }

    def __init__(
        self,
        name: str,
        link: ModbusLink,
        parameters: HeatPumpEmulatorParameters,
        terminal: HeatingTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        kind = "modbus-rtu" if isinstance(link, ModbusRtuLink) else "modbus-tcp"
        faults = FaultBoard(name, self.faults_on(kind), on_event, seed=parameters.seed)
        self._map = HeatPumpRegisters(terminal, parameters, faults, on_event)
        super().__init__(name, link, parameters, self._map, on_event, faults)

    async def stop(self) -> None:
        """Leave the line; what it was told is forgotten, as when it loses its power."""
        await super().stop()
        self._map.give_back("stopped")

    def reply(self, pdu: bytes) -> Reply | None:
        """Answer one request; functions other than those it has are exception 1."""
        if pdu[0] not in FUNCTIONS:
            self._on_event("refused", function=pdu[0], exception=int(ExcCodes.ILLEGAL_FUNCTION))
            return Reply(modbus_pdu.exception_reply(pdu[0], ExcCodes.ILLEGAL_FUNCTION))
        return super().reply(pdu)
