"""The life of a battery emulator on a serial line: start, endpoint, faults, unplug, stop.

The protocols differ in `hear`, `asked`, `answer`, `spoil`, `mislength` and `ranges`; everything
else is here.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Generic, TypeVar

from gridrig.devices.emulators.fault import (
    Asked,
    FaultBoard,
    FaultSpec,
    FaultValue,
    OnEvent,
    no_log,
)
from gridrig.devices.emulators.pack_faults import PACK_FAULTS, require_sticking
from gridrig.devices.emulators.pack_telemetry import (
    PackFaceParameters,
    PackTelemetry,
    Ranges,
    require_carried,
    saturated,
)
from gridrig.devices.emulators.serial_face import HANG_UP, LINE_FAULTS, SerialFace
from gridrig.devices.emulators.terminal import PackState, PackTerminal
from gridrig.devices.emulators.wire_faults import BIT_FLIP, LENGTH_FAULTS, OUTAGE
from gridrig.devices.links import SerialLink

P = TypeVar("P", bound=PackFaceParameters)


class SerialPackEmulator(ABC, Generic[P]):
    """Serves one pack of the plant on a pty.

    Parameters
    ----------
    name : str
        Device name.
    link : SerialLink
        Its speed and address; `auto:NAME` is a bus that packs share, the pty is made at the start.
    parameters : PackFaceParameters
        The `emulate` table.
    terminal : PackTerminal
        The pack.
    on_event : OnEvent
        Takes what happens; the caller stamps the time.
    """

    FAULTS: ClassVar[Mapping[str, FaultSpec]] = {
        **LINE_FAULTS,
        **LENGTH_FAULTS,
        **BIT_FLIP,
        **OUTAGE,
        **PACK_FAULTS,
    }

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
        self._on_event = on_event
        self._faults = FaultBoard(name, self.FAULTS, on_event, seed=parameters.seed)
        self._telemetry = PackTelemetry(terminal, parameters, self._faults)
        self._face = SerialFace(
            name,
            self,
            baudrate=link.baudrate,
            reply_delay_s=parameters.reply_delay_s,
            seed=parameters.seed,
            faults=self._faults,
            on_event=on_event,
            asked=self.asked,
            mislength=self.mislength,
            bus=None if link.path == "auto" else link.path,
        )

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where a driver finds it."""
        own = {} if self._link.address is None else {"address": self._link.address}
        return {
            "device": self.name,
            "kind": "serial",
            "port": self._face.path,
            "baudrate": self._link.baudrate,
            **own,
        }

    @property
    def endpoint_link(self) -> SerialLink:
        """The link a driver opens to reach this device."""
        return SerialLink(self._face.path, self._link.baudrate, self._link.address)

    async def start(self) -> None:
        """Open the pty.

        Raises
        ------
        DriverError
            `emulator.out_of_range`, if the pack is bigger than the protocol.
        """
        require_carried(self.name, self.ranges(self._terminal.pack()))
        self._face.start()

    async def stop(self) -> None:
        """Hang up; stopping twice is allowed."""
        await self._face.stop()

    def unplug(self) -> None:
        """Hang up at once, as a pulled plug does."""
        self._face.unplug()

    def arm(self, fault: str, *, count: int | None = None, **params: FaultValue) -> None:
        """Let a fault fire on its occasions, by default the next.

        "unplug" and "outage" fire now.

        Raises
        ------
        DriverError
            `emulator.fault_unknown` or `emulator.fault_parameter`.
        """
        require_sticking(self.name, fault, params)
        self._faults.arm(fault, count=count, **params)
        if fault == HANG_UP:
            self._faults.fire(fault)
            self.unplug()
        elif fault == "outage" and (lost := self._faults.fire(fault)) is not None:
            self._face.outage(float(lost["down_s"]))

    @abstractmethod
    def ranges(self, pack: PackState) -> Ranges:
        """Return what the wire must carry and the most that it can, by the key of the rig file."""

    @abstractmethod
    def hear(self, data: bytes, *, after_silence: bool) -> list[bytes]:
        """Take bytes and return the raw requests they completed."""

    @abstractmethod
    def asked(self, request: bytes) -> Asked:
        """Return what a request is, so that faults can choose by it."""

    @abstractmethod
    def answer(self, request: bytes) -> bytes | None:
        """Return the frame that answers a request, or None for silence."""

    @abstractmethod
    def spoil(self, reply: bytes) -> bytes:
        """Return the reply with a wrong checksum."""

    @abstractmethod
    def mislength(self, reply: bytes) -> bytes:
        """Return the reply with a wrong length and a right checksum."""

    def _current(self, i_a: float, *, steps_per_a: int, low: int, high: int) -> int:
        return saturated(self._on_event, i_a, steps_per_a=steps_per_a, low=low, high=high)
