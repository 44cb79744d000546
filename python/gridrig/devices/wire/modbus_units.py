"""The units of a Modbus server, and the turns in which each answers.

A unit is asked one request at a time on each wire and answers in order, however slow it is. How
its reply goes out, in which pieces and with what delays, its `wire` says; without one it goes out
whole.

Limits: 64 requests waiting for a unit.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from gridrig.devices.wire import modbus_pdu
from gridrig.devices.wire.modbus_framing import RtuFrame, TcpFrame
from gridrig.devices.wire.steps import ConnectionBoard, ReplyWire, Step

WAITING_MAX = 64
BROADCAST = 0
F = TypeVar("F", TcpFrame, RtuFrame)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a unit answers.

    Parameters
    ----------
    pdu : bytes
        Function code and data.
    delay_s : float
        From request to reply. [s]
    unit : int or None
        Under which number; None for its own.
    transaction, protocol : int
        Put on those of the request by exclusive or, on TCP; 0 is right.
    """

    pdu: bytes
    delay_s: float = 0.0
    unit: int | None = None
    transaction: int = 0
    protocol: int = 0


class Unit(Protocol):
    """One device behind a Modbus server."""

    @property
    def wire(self) -> ReplyWire | None:
        """How its replies go out; None: whole, after their delay."""

    def reply(self, pdu: bytes) -> Reply | None:
        """Carry out a request and return the answer; None is silence."""

    def answers_for(self, unit: int) -> bool:
        """Return whether it answers for a unit that is not there, as only a broken one does."""


@dataclass(frozen=True)
class RegisterUnit:
    """The plainest unit: a register map that answers at once."""

    registers: modbus_pdu.RegisterMap
    wire: ReplyWire | None = None

    def reply(self, pdu: bytes) -> Reply | None:
        """Return the answer of the register map."""
        return Reply(modbus_pdu.answer(self.registers, pdu))

    def answers_for(self, unit: int) -> bool:
        """Answer for nobody else."""
        return False


class UnitTable:
    """Units by number, and how many requests came."""

    def __init__(self) -> None:
        self.units: dict[int, Unit] = {}
        self.boards: list[ConnectionBoard] = []
        self.requests = 0

    def unit_for(self, number: int) -> Unit | None:
        """Return who answers for a number; None if nobody does."""
        unit = self.units.get(number)
        if unit is None:
            unit = next((one for one in self.units.values() if one.answers_for(number)), None)
        return unit

    def holds(self, number: int, unit: Unit) -> bool:
        """Return whether a unit is still there, asked by the number it answered for."""
        if self.units.get(number) is unit:
            return True
        return any(one is unit for one in self.units.values())

    def broadcast(self, pdu: bytes) -> None:
        """Let every unit carry out a write; nobody answers."""
        if modbus_pdu.is_write(pdu):
            for unit in self.units.values():
                unit.reply(pdu)


class Turns(Generic[F]):
    """Requests to one unit on one wire.

    Parameters
    ----------
    number : int
        What the requests call it.
    unit : Unit
        Who answers.
    encode : callable
        Makes the reply's frame of the request's and the reply.
    wait_s : callable
        Takes the request, a step and whether it is the reply's first; returns the time until the
        step is done on this wire. [s]
    send : callable
        Puts a step that is due on the wire.
    """

    def __init__(
        self,
        number: int,
        unit: Unit,
        encode: Callable[[F, Reply], bytes],
        wait_s: Callable[[F, Step, bool], float],
        send: Callable[["Turns[F]", Step], None],
    ) -> None:
        self.number = number
        self.unit = unit
        self._encode: Callable[[F, Reply], bytes] = encode
        self._wait_s: Callable[[F, Step, bool], float] = wait_s
        self._send: Callable[[Turns[F], Step], None] = send
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[F] = deque()
        self._steps: deque[Step] = deque()
        self._busy = False

    def take(self, frame: F) -> bool:
        """Take one request; False if too many wait."""
        if len(self._waiting) >= WAITING_MAX:
            return False
        self._waiting.append(frame)
        if not self._busy:
            self._run()
        return True

    def _run(self) -> None:
        while self._waiting:
            frame = self._waiting.popleft()
            self._steps.extend(self._planned(frame))
            if self._go(frame, first=True):
                return

    def _planned(self, frame: F) -> list[Step]:
        reply = self.unit.reply(frame.pdu)
        raw = None if reply is None else self._encode(frame, reply)
        delay_s = 0.0 if reply is None else reply.delay_s
        wire = self.unit.wire
        if wire is None:
            return [] if raw is None else [Step(raw, delay_s)]
        return wire.plan(
            frame.raw,
            raw,
            now_s=self._loop.time(),
            asked=modbus_pdu.asked(frame.pdu),
            delay_s=delay_s,
        )

    def _go(self, frame: F, *, first: bool) -> bool:
        """Send what is due; return whether something is left to wait for."""
        while self._steps:
            step = self._steps.popleft()
            wait_s = self._wait_s(frame, step, first)
            first = False
            if wait_s > 0:
                self._busy = True
                self._loop.call_later(wait_s, self._resume, frame, step)
                return True
            self._send(self, step)
        self._busy = False
        return False

    def _resume(self, frame: F, step: Step) -> None:
        self._send(self, step)
        if not self._go(frame, first=False):
            self._run()
