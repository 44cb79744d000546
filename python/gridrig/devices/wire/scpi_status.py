"""What an IEEE 488.2 instrument says of itself: its error queue, event status and status byte.

Invariants
    The error queue keeps the oldest errors; when it is full the last place becomes -350 and later
    errors are lost. Reading takes one out. `*CLS` empties it. Each error also sets the bit of its
    class in the event status register.

References
----------
.. [1] SCPI Consortium, "Standard Commands for Programmable Instruments," version 1999.0, volume 2,
   21.8 (SYSTem:ERRor).
.. [2] IEEE, "IEEE Std 488.2-1992," clause 11.
"""

from collections.abc import Mapping

from gridrig.devices.wire.scpi_values import ScpiFault

QUEUE_MAX = 20
NO_ERROR = '0,"No error"'
# Event status register bits.
OPERATION_COMPLETE = 0x01
QUERY_ERROR = 0x04
DEVICE_ERROR = 0x08
EXECUTION_ERROR = 0x10
COMMAND_ERROR = 0x20
POWER_ON = 0x80
# Status byte bits.
ERROR_QUEUE = 0x04
EVENT_SUMMARY = 0x20
MASTER_SUMMARY = 0x40

TEXTS: Mapping[int, str] = {
    -100: "Command error",
    -101: "Invalid character",
    -102: "Syntax error",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -112: "Program mnemonic too long",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -123: "Exponent too large",
    -131: "Invalid suffix",
    -138: "Suffix not allowed",
    -141: "Invalid character data",
    -161: "Invalid block data",
    -171: "Invalid expression",
    -200: "Execution error",
    -203: "Command protected",
    -211: "Trigger ignored",
    -212: "Arm ignored",
    -213: "Init ignored",
    -221: "Settings conflict",
    -222: "Data out of range",
    -223: "Too much data",
    -224: "Illegal parameter value",
    -226: "Lists not same length",
    -230: "Data corrupt or stale",
    -240: "Hardware error",
    -241: "Hardware missing",
    -310: "System error",
    -330: "Self-test failed",
    -350: "Queue overflow",
    -410: "Query INTERRUPTED",
    -420: "Query UNTERMINATED",
}


def error_class(number: int) -> int:
    """Return the event status bit of an error number."""
    if -199 <= number <= -100:
        return COMMAND_ERROR
    if -299 <= number <= -200:
        return EXECUTION_ERROR
    if -499 <= number <= -400:
        return QUERY_ERROR
    return DEVICE_ERROR


class Status:
    """The status of one instrument."""

    def __init__(self) -> None:
        self._queue: list[tuple[int, str]] = []
        self.events = POWER_ON
        self.event_enable = 0
        self.service_enable = 0

    def fail(self, fault: ScpiFault) -> None:
        """Queue an error and set the bit of its class."""
        self.events |= error_class(fault.number)
        if len(self._queue) < QUEUE_MAX:
            self._queue.append((fault.number, fault.detail))
        else:
            self._queue[-1] = (-350, "")

    def next_error(self) -> str:
        """Take the oldest error out: `-222,"Data out of range;400 is not 0 to 300"`.

        >>> Status().next_error()
        '0,"No error"'
        """
        if not self._queue:
            return NO_ERROR
        number, detail = self._queue.pop(0)
        text = TEXTS.get(number, "Device-specific error")
        told = f"{text};{detail}" if detail else text
        return f'{number},"{told.translate(_PRINTABLE)[:255]}"'

    @property
    def errors(self) -> int:
        """How many errors wait."""
        return len(self._queue)

    def take_events(self) -> int:
        """Return the event status register and clear it."""
        events, self.events = self.events, 0
        return events

    def byte(self) -> int:
        """Return the status byte."""
        found = ERROR_QUEUE if self._queue else 0
        if self.events & self.event_enable:
            found |= EVENT_SUMMARY
        return found | (MASTER_SUMMARY if found & self.service_enable else 0)

    def clear(self) -> None:
        """Do what `*CLS` does."""
        self._queue.clear()
        self.events = 0


# A string response holds printable ASCII, and a quote in it would end it.
_PRINTABLE = {code: "?" for code in range(256) if not 32 <= code < 127} | {ord('"'): "'"}
