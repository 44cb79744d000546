"""An emulated EV charger: it comes to the rig's management system over OCPP 1.6 or 2.0.1.

    emulate = { model = "ev_charger", soc = 0.3, capacity_wh = 60000, target_soc = 0.8 }

It honours charging profiles, tells its status and its meter, and keeps what it could not tell while
it was offline, in order, with the times at which it was true. It charges only: neither version has
discharge.

Limits: it tries to connect again after `BACK_OFF_S`, the last wait for ever.
"""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import Mapping
from typing import ClassVar

from ocpp.exceptions import OCPPError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from gridrig.clock import stream
from gridrig.devices.emulators.charge_point import ChargePoint, EvChargerParameters
from gridrig.devices.emulators.fault import (
    FaultBoard,
    FaultSpec,
    FaultValue,
    OnEvent,
    no_log,
)
from gridrig.devices.emulators.fault_spec import FaultParameter
from gridrig.devices.emulators.ocpp_sessions import SESSIONS, Session
from gridrig.devices.emulators.ocpp_wire import OCPP_WIRE_FAULTS, FaultyConnection
from gridrig.devices.emulators.vehicle_terminal import VehicleTerminal
from gridrig.devices.emulators.wire_faults import by_name
from gridrig.devices.links import OcppLink

BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
ANSWER_S = 10.0
DAY_S = 86_400.0
SUBPROTOCOLS = {v: Subprotocol(f"ocpp{v}") for v in ("1.6", "2.0.1", "2.1")}
LOST = (OSError, TimeoutError, WebSocketException, OCPPError)

_FAULTS = (
    FaultSpec(
        "offline",
        "connection",
        "the connection is lost and comes back so much later",
        (FaultParameter("offline_s", float, "how much later", 0, DAY_S),),
        'name = "offline", offline_s = 60',
    ),
    FaultSpec("unplug", "connection", "it loses its power for good", (), 'name = "unplug"'),
    FaultSpec("refuse", "semantics", "a charging profile is rejected", (), 'name = "refuse"'),
    FaultSpec(
        "ignore_profile",
        "semantics",
        "a charging profile is accepted and not honoured",
        (),
        'name = "ignore_profile"',
        deceives=True,
    ),
    FaultSpec("plug_in", "state", "the vehicle is plugged in", (), 'name = "plug_in"'),
    FaultSpec("plug_out", "state", "the vehicle is plugged out", (), 'name = "plug_out"'),
)


class EvChargerEmulator:
    """A charger with one plug, and its way to the management system.

    Parameters
    ----------
    name, link, parameters, on_event
        As of every emulator; port 0 is any free one, on which the rig shall then listen.
    terminal : VehicleTerminal
        The vehicle at its plug.
    """

    kind = "ev_charger"
    PARAMETERS: ClassVar[type[EvChargerParameters]] = EvChargerParameters
    LINKS: ClassVar[tuple[type[OcppLink]]] = (OcppLink,)
    FAULTS: ClassVar[Mapping[str, FaultSpec]] = {**OCPP_WIRE_FAULTS, **by_name(_FAULTS)}

    def __init__(
        self,
        name: str,
        link: OcppLink,
        parameters: EvChargerParameters,
        terminal: VehicleTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        self.name = name
        self._link, self._p, self._terminal, self._on_event = link, parameters, terminal, on_event
        self._faults = FaultBoard(name, self.FAULTS, on_event, seed=parameters.seed)
        self._noise = stream(parameters.seed, f"{name}/connection")
        self._charger = ChargePoint(parameters, terminal, self._faults, on_event)
        self._port = link.port
        self._reserved: socket.socket | None = None
        self._offline_until_s = 0.0
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where the rig must listen for it."""
        return {
            "device": self.name,
            "kind": "ocpp",
            "host": self._link.host,
            "port": self._port,
            "charge_point": self._link.charge_point,
            "version": self._link.version,
        }

    @property
    def endpoint_link(self) -> OcppLink:
        """The link a driver opens to be found by it."""
        return OcppLink(self._link.host, self._port, self._link.charge_point, self._link.version)

    async def start(self) -> None:
        """Switch it on; it looks for its management system from now on."""
        if self._tasks:
            return
        if self._port == 0:
            # Held until the end: a port that is free now would be anybody's by the time the rig
            # listens, which it still may, as both allow the address to be used again.
            self._reserved = socket.socket()
            self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._reserved.bind((self._link.host, 0))
            self._port = int(self._reserved.getsockname()[1])
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._control(), name=f"{self.name} control"),
            loop.create_task(self._live(), name=f"{self.name} connection"),
        ]

    async def stop(self) -> None:
        """Switch it off; stopping twice is allowed."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    def unplug(self) -> None:
        """Lose the power at once."""
        if self._tasks:
            self._on_event("unplugged")
        for task in self._tasks:
            task.cancel()
        self._terminal.offer(0.0)

    def arm(self, fault: str, *, count: int | None = None, **params: FaultValue) -> None:
        """Arm a fault; those of the plug and of the connection act now.

        Raises
        ------
        DriverError
            `emulator.fault_unknown` or `emulator.fault_parameter`.
        """
        self._faults.arm(fault, count=count, **params)
        if fault in ("plug_in", "plug_out"):
            self._faults.fire(fault)
            self._terminal.plug(fault == "plug_in")
        elif fault == "unplug":
            self._faults.fire(fault)
            self.unplug()
        elif fault == "offline":
            fired = self._faults.fire(fault) or {}
            now_s = asyncio.get_running_loop().time()
            self._offline_until_s = now_s + float(fired.get("offline_s", 0.0))
            if self._socket is not None:
                self._socket.transport.abort()

    async def _control(self) -> None:
        while True:
            self._charger.look()
            await asyncio.sleep(self._p.control_s)

    async def _live(self) -> None:
        """Come to the management system again and again."""
        failures = 0
        while True:
            wait_s = self._offline_until_s - asyncio.get_running_loop().time()
            await asyncio.sleep(max(0.0, wait_s))
            url = f"ws://{self._link.host}:{self._port}/{self._link.charge_point}"
            try:
                async with connect(
                    url,
                    subprotocols=[SUBPROTOCOLS[self._link.version]],
                    ping_interval=None,
                    open_timeout=ANSWER_S,
                    close_timeout=1.0,
                    compression=None,
                ) as self._socket:
                    failures = 0
                    await self._serve(self._socket)
            except LOST as error:
                self._on_event("disconnected", cause=type(error).__name__)
            finally:
                self._socket = None
            await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
            failures += 1

    async def _serve(self, connection: ClientConnection) -> None:
        """Speak on one connection until it is lost."""
        session = SESSIONS[self._link.version](
            self._link.charge_point,
            FaultyConnection(connection, self._faults, self._noise),
            self._charger,
            ANSWER_S,
        )
        numbers = itertools.count(1)
        session._unique_id_generator = lambda: next(numbers)
        session.transaction = self._charger.name_of_transaction
        listening = asyncio.create_task(session.start(), name=f"{self.name} listens")
        telling = asyncio.create_task(self._talk(session), name=f"{self.name} tells")
        try:
            done, _ = await asyncio.wait((listening, telling), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (listening, telling):
                task.cancel()
            await asyncio.gather(listening, telling, return_exceptions=True)

    async def _talk(self, session: Session) -> None:
        p, charger = self._p, self._charger
        while True:
            serial = p.serial or self.name
            boot = await session.boot(p.manufacturer, p.product, serial, p.firmware)
            charger.set_clock(boot.time)
            if boot.accepted:
                break
            await asyncio.sleep(max(1, boot.interval_s))
        self._on_event("accepted", waiting=len(charger.queue))
        while True:
            while charger.queue:
                telling = charger.queue[0]
                await session.tell(telling)
                charger.queue.remove(telling)  # only what was taken is forgotten
                charger.name_of_transaction = session.transaction
            charger.news.clear()
            try:
                async with asyncio.timeout(max(1, boot.interval_s)):
                    await charger.news.wait()
            except TimeoutError:
                await session.heartbeat()
