"""An emulated safety loop, read by a SCPI digital input.

    emulate = { model = "interlock" }

`INPut:STATe?` answers 1 while the loop is closed. When it breaks, the AC source's output relay
drops in hardware; nothing software says can hold it. Faults `open_interlock` and `close_interlock`
are the person at the door.
"""

from collections.abc import Mapping
from typing import ClassVar

from gridrig.devices.emulators.bench_terminal import InterlockTerminal
from gridrig.devices.emulators.fault import FaultSpec, FaultValue, OnEvent, no_log
from gridrig.devices.emulators.scpi_face import WIRE_FAULTS, ScpiEmulator
from gridrig.devices.emulators.scpi_instrument import Instrument, ScpiParameters
from gridrig.devices.links import SerialLink, SocketLink

LOOP_FAULTS: Mapping[str, FaultSpec] = {
    name: FaultSpec(name, "state", meaning, (), f'name = "{name}"')
    for name, meaning in (
        ("open_interlock", "somebody breaks the safety loop"),
        ("close_interlock", "somebody closes the safety loop again"),
    )
}


class InterlockEmulator(ScpiEmulator):
    """A digital input on the safety loop.

    Parameters
    ----------
    name, link, parameters, on_event
        See `ScpiEmulator`.
    terminal : InterlockTerminal
        The loop.
    """

    kind = "interlock"
    PARAMETERS: ClassVar[type[ScpiParameters]] = ScpiParameters
    FAULTS: ClassVar[Mapping[str, FaultSpec]] = {**WIRE_FAULTS, **LOOP_FAULTS}

    def __init__(
        self,
        name: str,
        link: SocketLink | SerialLink,
        parameters: ScpiParameters,
        terminal: InterlockTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        self._p, self._terminal = parameters, terminal
        super().__init__(name, link, parameters, self._instrument, on_event)

    def _instrument(self) -> Instrument:
        return Instrument(
            self.name,
            self._p,
            "interlock input",
            self._terminal.now_s,
            {},
            {"INPut:STATe": lambda: str(int(self._terminal.interlock_closed()))},
            reset=lambda: None,
            trigger=None,
            on_event=self._on_event,
        )

    def arm(self, fault: str, *, count: int | None = None, **params: FaultValue) -> None:
        """Arm a fault; the two of the loop itself act now."""
        super().arm(fault, count=count, **params)
        if fault in LOOP_FAULTS:
            self._faults.fire(fault)
            self._terminal.set_interlock(fault == "close_interlock")
