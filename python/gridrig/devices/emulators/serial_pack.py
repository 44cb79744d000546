"""The life of a battery emulator on a serial line: start, endpoint, faults, unplug, stop.

The protocols differ in `hear`, `answer`, `spoil` and `ranges`; everything else is here.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Generic, TypeVar

from gridrig.devices.emulators.fault import (
    FaultBoard,
    FaultSpec,
    FaultValue,
    OnEvent,
    no_log,
)
from gridrig.devices.emulators.pack_telemetry import PackFaceParameters, PackTelemetry
from gridrig.devices.emulators.serial_face import HANG_UP, SerialFace
from gridrig.devices.emulators.terminal import PackState, PackTerminal
from gridrig.devices.links import SerialLink
from gridrig.errors import DriverError

P = TypeVar("P", bound=PackFaceParameters)


class SerialPackEmulator(ABC, Generic[P]):
    """Serves one pack of the plant on a new pty.

    Parameters
    ----------
    name : str
        Device name.
    link : SerialLink
        Only its speed counts; the pty is made at the start.
    parameters : PackFaceParameters
        The `emulate` table.
    terminal : PackTerminal
        The pack.
    on_event : OnEvent
        Takes what happens; the caller stamps the time.
    """

    FAULTS: ClassVar[Mapping[str, FaultSpec | tuple[str, ...]]]

    def __init__(
        self,
        name: str,
        link: SerialLink,
        parameters: P,
        terminal: PackTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        self.name = name
        self._link = link
        self._parameters = parameters
        self._terminal = terminal
        self._telemetry = PackTelemetry(terminal, parameters)
        self._on_event = on_event
        self._faults = FaultBoard(name, self.FAULTS, on_event, seed=parameters.seed)
        self._face = SerialFace(
            name,
            self,
            baudrate=link.baudrate,
            reply_delay_s=parameters.reply_delay_s,
            seed=parameters.seed,
            faults=self._faults,
            on_event=on_event,
        )

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where a driver finds it."""
        return {
            "device": self.name,
            "kind": "serial",
            "port": self._face.path,
            "baudrate": self._link.baudrate,
        }

    @property
    def endpoint_link(self) -> SerialLink:
        """The link a driver opens to reach this device."""
        return SerialLink(self._face.path, self._link.baudrate)

    async def start(self) -> None:
        """Open the pty.

        Raises
        ------
        DriverError
            `emulator.out_of_range`, if the pack is bigger than the protocol.
        """
        for key, (found, most) in self.ranges(self._terminal.pack()).items():
            if not 0 <= found <= most:
                raise DriverError(
                    "emulator.out_of_range",
                    "{device}: {key} is {found}, its frames carry 0..{most}",
                    kind="limit",
                    device=self.name,
                    key=key,
                    found=found,
                    most=most,
                )
        self._face.start()

    async def stop(self) -> None:
        """Hang up; stopping twice is allowed."""
        await self._face.stop()

    def unplug(self) -> None:
        """Hang up at once, as a pulled plug does."""
        self._face.unplug()

    def arm(self, fault: str, *, count: int | None = None, **params: FaultValue) -> None:
        """Let a fault fire on its occasions, by default the next; "unplug" fires now.

        Raises
        ------
        DriverError
            `emulator.fault_unknown` or `emulator.fault_parameter`.
        """
        self._faults.arm(fault, count=count, **params)
        if fault == HANG_UP:
            self._faults.fire(fault)
            self.unplug()

    @abstractmethod
    def ranges(self, pack: PackState) -> dict[str, tuple[float, float]]:
        """Return what the wire must carry and the most that it can, by name."""

    @abstractmethod
    def hear(self, data: bytes, *, after_silence: bool) -> list[bytes]:
        """Take bytes and return the raw requests they completed."""

    @abstractmethod
    def answer(self, request: bytes) -> bytes | None:
        """Return the frame that answers a request, or None for silence."""

    @abstractmethod
    def spoil(self, reply: bytes) -> bytes:
        """Return the reply with a wrong checksum."""

    def _current(self, i_charge_a: float, *, steps_per_a: int, most: int) -> int:
        """Return a charge current in wire steps; beyond the range it is told as the range's end."""
        wanted = round(i_charge_a * steps_per_a)
        told = max(-most, min(most, wanted))
        if told != wanted:
            self._on_event("saturated", i_charge_a=i_charge_a, told_a=told / steps_per_a)
        return told
