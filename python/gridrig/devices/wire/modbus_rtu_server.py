"""A Modbus RTU bus for emulated devices: many units on the master side of one pseudo-terminal.

A frame for somebody else is never answered; a broadcast is carried out in silence. A frame ends by
its length or by 3.5 characters of silence, after which whatever good frame the noise left is still
found. The line's speed is kept by calculation: a reply comes when its last character would have
come, and the line carries one at a time. A client at another speed hears, and is heard as, what a
UART makes of it.

Limits: 64 requests waiting for a unit, further ones are lost, as on a bus; 512 bytes waiting for
the end of a frame. Known gaps: no parity, no break; replies queue where a bus would collide.

References
----------
.. [1] Modbus Organization, "Modbus over Serial Line V1.02," 2006, cl. 2.
"""

import asyncio

from gridrig.devices.wire.modbus_framing import Noise, RtuDecoder, RtuFrame, rtu_frame
from gridrig.devices.wire.modbus_units import BROADCAST, Reply, Turns, UnitTable
from gridrig.devices.wire.named_pty import NamedPty
from gridrig.devices.wire.steps import Step
from gridrig.devices.wire.uart import line_time_s, misheard

SILENCE_CHARACTERS = 3.5
SILENCE_FLOOR_S = 0.005  # 1.75 ms by the standard; a pty's writer may be scheduled away


class ModbusRtuServer(UnitTable, asyncio.Protocol):
    """Modbus RTU on the master side of a pseudo-terminal.

    Parameters
    ----------
    baudrate : int
        Line speed, 8N1. [Bd]
    paced : bool
        Whether replies take the time their characters would take.
    """

    def __init__(self, baudrate: int, *, paced: bool = True) -> None:
        super().__init__()
        self.baudrate = baudrate
        self._paced = paced
        self.silence_s = max(line_time_s(SILENCE_CHARACTERS, baudrate), SILENCE_FLOOR_S)
        self._decoder = RtuDecoder("request")
        self._silence: asyncio.TimerHandle | None = None
        self._turns: dict[int, Turns[RtuFrame]] = {}
        self._line_free_at_s = 0.0
        self._pty = NamedPty(self)

    @property
    def path(self) -> str:
        """Path that a client opens; it stays the same over an outage."""
        return self._pty.path

    async def start(self) -> None:
        """Open the pseudo-terminal."""
        self._pty.open()

    async def stop(self) -> None:
        """Hang up."""
        self.unplug()

    def unplug(self) -> None:
        """Kill the wire at once: the client sees a hang-up."""
        self._pty.unplug()
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        self._decoder.idle()

    def outage(self, down_s: float) -> None:
        """Hang up, and be back under the same name after a time. [s]"""
        self.unplug()
        self._pty.outage(down_s)

    def data_received(self, data: bytes) -> None:
        """Take what the client sent: whole frames at once, the rest after a silence."""
        for frame in self._decoder.feed(misheard(data, self._pty.client_baudrate, self.baudrate)):
            self._take(frame)
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if self._decoder.pending:
            loop = asyncio.get_running_loop()
            self._silence = loop.call_later(self.silence_s, self._line_fell_silent)

    def _line_fell_silent(self) -> None:
        self._silence = None
        for frame in self._decoder.idle():
            self._take(frame)

    def _take(self, frame: RtuFrame | Noise) -> None:
        if isinstance(frame, Noise):
            return
        self.requests += 1
        if frame.unit == BROADCAST:
            self.broadcast(frame.pdu)
            return
        unit = self.unit_for(frame.unit)
        if unit is None:
            return
        turns = self._turns.get(frame.unit)
        if turns is None or turns.unit is not unit:
            turns = Turns(frame.unit, unit, _encoded, self._wait_s, self._send)
            self._turns[frame.unit] = turns
        turns.take(frame)

    def _wait_s(self, frame: RtuFrame, step: Step, first: bool) -> float:
        """Return when the step's last character is through; the line carries one at a time. [s]"""
        if not self._paced:
            return step.wait_s
        now_s = asyncio.get_running_loop().time()
        begin_s = now_s + step.wait_s
        if first:
            begin_s += line_time_s(len(frame.pdu) + 3 + SILENCE_CHARACTERS, self.baudrate)
        begin_s = max(begin_s, self._line_free_at_s)
        self._line_free_at_s = begin_s + line_time_s(len(step.data), self.baudrate)
        return self._line_free_at_s - now_s

    def _send(self, turns: Turns[RtuFrame], step: Step) -> None:
        if self._pty.up and step.data and self.holds(turns.number, turns.unit):
            self._pty.write(misheard(step.data, self.baudrate, self._pty.client_baudrate))


def _encoded(frame: RtuFrame, reply: Reply) -> bytes:
    return rtu_frame(frame.unit if reply.unit is None else reply.unit, reply.pdu)
