"""The life of an emulated SCPI instrument on its wire: a TCP socket, or a pty of its own."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol

from gridrig.devices.emulators.fault import FaultBoard, FaultSpec, FaultValue, OnEvent
from gridrig.devices.emulators.scpi_instrument import Instrument, ScpiParameters
from gridrig.devices.emulators.scpi_socket import SocketFace, asked_of
from gridrig.devices.emulators.serial_face import SerialFace
from gridrig.devices.emulators.wire_faults import LINE_FAULTS, OUTAGE, TCP_FAULTS
from gridrig.devices.links import SerialLink, SocketLink
from gridrig.devices.wire.scpi_messages import PROGRAM_BYTES_MAX, Dropped, MessageDecoder
from gridrig.devices.wire.scpi_values import ScpiFault

SOCKET_FAULTS: Mapping[str, FaultSpec] = {**TCP_FAULTS, **OUTAGE}
WIRE_FAULTS: Mapping[str, FaultSpec] = {**SOCKET_FAULTS, **LINE_FAULTS}  # of either link


class ScpiFace(Protocol):
    """A wire that serves one instrument."""

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where a driver finds it."""

    async def start(self) -> None:
        """Begin to listen."""

    async def stop(self) -> None:
        """Stop; stopping twice is allowed."""

    def unplug(self) -> None:
        """Be gone at once."""

    def outage(self, down_s: float) -> None:
        """Be gone at once, and back after a time. [s]"""


class PtyFace:
    """Serves an instrument on a pty of its own; pacing and line faults are the serial face's."""

    def __init__(
        self,
        name: str,
        link: SerialLink,
        instrument: Instrument,
        *,
        reply_delay_s: float,
        seed: int,
        faults: FaultBoard,
        on_event: OnEvent,
    ) -> None:
        self._name, self._link = name, link
        self._instrument = instrument
        self._decoder = MessageDecoder(PROGRAM_BYTES_MAX)
        self._line = SerialFace(
            name,
            self,
            baudrate=link.baudrate,
            reply_delay_s=reply_delay_s,
            seed=seed,
            faults=faults,
            on_event=on_event,
            asked=asked_of,
        )

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where a driver finds it."""
        return {
            "device": self._name,
            "kind": "serial",
            "port": self._line.path,
            "baudrate": self._link.baudrate,
        }

    async def start(self) -> None:
        """Open the pty."""
        self._line.start()

    async def stop(self) -> None:
        """Hang up; stopping twice is allowed."""
        await self._line.stop()

    def unplug(self) -> None:
        """Hang up at once."""
        self._line.unplug()

    def outage(self, down_s: float) -> None:
        """Hang up, and be back after a time. [s]"""
        self._line.outage(down_s)

    def hear(self, data: bytes, *, after_silence: bool) -> list[bytes]:
        """Take bytes and return the messages they completed; silence ends no SCPI message."""
        found = []
        for event in self._decoder.feed(data):
            if isinstance(event, Dropped):
                self._instrument.fail(ScpiFault(-223, event.reason))
            else:
                found.append(event.data)
        return found

    def answer(self, request: bytes) -> bytes | None:
        """Return the response message, None for silence."""
        return self._instrument.execute(request)

    def spoil(self, reply: bytes) -> bytes:
        """Return the answer with a digit changed: SCPI has no checksum that would tell."""
        at = next((k for k, byte in enumerate(reply) if 0x30 <= byte <= 0x38), 0)
        return reply[:at] + bytes((reply[at] + 1,)) + reply[at + 1 :]


class ScpiEmulator:
    """The life of an emulated instrument: start, endpoint, faults, unplug, stop.

    Parameters
    ----------
    name : str
        Device name.
    link : SocketLink or SerialLink
        TCP port 0 is any free one; of a serial link only the speed counts.
    parameters : ScpiParameters
        The `emulate` table.
    make_instrument : callable
        Makes what answers, once faults can be armed.
    on_event : OnEvent
        Takes what happens; the caller stamps the time.
    """

    LINKS: ClassVar[tuple[type[SocketLink], type[SerialLink]]] = (SocketLink, SerialLink)
    FAULTS: ClassVar[Mapping[str, FaultSpec]] = WIRE_FAULTS

    def __init__(
        self,
        name: str,
        link: SocketLink | SerialLink,
        parameters: ScpiParameters,
        make_instrument: Callable[[], Instrument],
        on_event: OnEvent,
    ) -> None:
        self.name = name
        wire = {**LINE_FAULTS, **OUTAGE} if isinstance(link, SerialLink) else SOCKET_FAULTS
        own = {name: spec for name, spec in self.FAULTS.items() if name not in WIRE_FAULTS}
        self._faults = FaultBoard(name, {**wire, **own}, on_event, seed=parameters.seed)
        self._on_event = on_event
        self.instrument = make_instrument()
        more = {
            "reply_delay_s": parameters.reply_delay_s,
            "seed": parameters.seed,
            "faults": self._faults,
            "on_event": on_event,
        }
        self._face: ScpiFace
        if isinstance(link, SerialLink):
            self._face = PtyFace(name, link, self.instrument, **more)  # type: ignore[arg-type]
        else:
            self._face = SocketFace(name, link, self.instrument, **more)  # type: ignore[arg-type]

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where a driver finds it."""
        return self._face.endpoint

    @property
    def endpoint_link(self) -> SocketLink | SerialLink:
        """The link a driver opens to reach it."""
        where = self.endpoint
        if where["kind"] == "serial":
            return SerialLink(str(where["port"]), int(where["baudrate"]))
        return SocketLink(str(where["host"]), int(where["port"]))

    async def start(self) -> None:
        """Begin to listen."""
        await self._face.start()

    async def stop(self) -> None:
        """Stop; stopping twice is allowed."""
        await self._face.stop()

    def unplug(self) -> None:
        """Be gone at once, as a pulled plug."""
        self._face.unplug()

    def arm(self, fault: str, *, count: int | None = None, **params: FaultValue) -> None:
        """Let a fault fire at the next `count` answers it concerns; "unplug" and "outage" now.

        Raises
        ------
        DriverError
            `emulator.fault_unknown` or `emulator.fault_parameter`.
        """
        self._faults.arm(fault, count=count, **params)
        if fault == "unplug":
            self._faults.fire(fault)
            self.unplug()
        elif fault == "outage" and (lost := self._faults.fire(fault)) is not None:
            self._face.outage(float(lost["down_s"]))
        elif fault == "close_idle" and isinstance(self._face, SocketFace):
            self._face.watch_idleness()
