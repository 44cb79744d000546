"""Driver of the Acme PowerCell on RS485, 19200 8N1; the wire's power is positive while charging.

Config
    capability = "storage", driver = "acme-powercell", bms = "pack-1",
    link = { kind = "serial", port = "/dev/ttyUSB0", baudrate = 19200 }
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gridrig.devices.capabilities import Identity, InverterReading
from gridrig.devices.drivers.serial_line import LineTimes, SerialLine, Unfit
from gridrig.devices.links import SerialLink
from gridrig.errors import DriverError

from gridrig_acme.wire import Decoder, Dropped, Frame, encode

NONE = "-"
READBACK_W = 1.0


@dataclass(frozen=True, kw_only=True)
class PowerCellParameters(LineTimes):
    """What the rig file may say: the waits of a serial line."""


@dataclass(frozen=True)
class _State:
    """Answer to RD; powers as the wire has them, positive while charging. [W]"""

    p_w: float
    q_var: float
    v_v: float
    f_hz: float
    state: str
    connect: bool
    limit_w: float | None
    set_point_w: float


class PowerCell:
    """One PowerCell as a storage inverter."""

    capability = "storage_inverter"
    PARAMETERS = PowerCellParameters
    LINK = SerialLink

    def __init__(self, name: str, link: SerialLink, parameters: PowerCellParameters) -> None:
        self.name = name
        self._line = SerialLine(name, link, parameters, Decoder)
        self._number = 0
        self._identity: tuple[Identity, float] | None = None
        self._as_found: dict[str, float | bool | None] = {}
        # Setting is writing and reading back: what came between would be taken for one's own.
        self._one_at_a_time = asyncio.Lock()

    async def open(self) -> None:
        """Open the port and learn who the device is; no setting is written."""
        await self._line.open()
        await self._state()

    async def close(self) -> None:
        """Close the port; closing twice is allowed."""
        await self._line.close()

    async def identify(self) -> Identity:
        """Return who the device says it is."""
        return (await self._who())[0]

    async def read(self) -> InverterReading:
        """Return what the inverter reports now."""
        state, w_max = await self._state(), (await self._who())[1]
        return InverterReading(
            p_w=-state.p_w,
            q_var=state.q_var,
            v_v=state.v_v,
            f_hz=state.f_hz,
            connected=state.connect,
            state=state.state,
            limit_w=state.limit_w,
            w_max=w_max,
        )

    async def set_power_w(self, p_w: float) -> None:
        """Set active power, positive while discharging. [W]"""
        await self._check(abs(p_w), "power_w")
        async with self._one_at_a_time:
            before = await self._state()
            self._as_found.setdefault("power_w", -before.set_point_w)
            await self._ask(Frame(0, "SP", (f"{-p_w:.1f}",)), 1)
            found = -(await self._state()).set_point_w
        self._see("power_w", p_w, found, abs(found - p_w) <= READBACK_W)

    async def set_limit_w(self, p_w: float | None) -> None:
        """Limit active power both ways; None removes the limit. [W]"""
        if p_w is not None:
            await self._check(p_w, "limit_w")
        async with self._one_at_a_time:
            self._as_found.setdefault("limit_w", (await self._state()).limit_w)
            await self._ask(Frame(0, "LM", (NONE if p_w is None else f"{p_w:.1f}",)), 1)
            found = (await self._state()).limit_w
        same = found is p_w or (None not in {found, p_w} and abs(found - p_w) <= READBACK_W)  # type: ignore[operator]
        self._see("limit_w", p_w, found, same)

    async def set_connect(self, on: bool) -> None:
        """Permit or withdraw connection to the grid."""
        async with self._one_at_a_time:
            self._as_found.setdefault("connect", (await self._state()).connect)
            await self._ask(Frame(0, "CN", (str(int(on)),)), 1)
            found = (await self._state()).connect
        self._see("connect", on, found, found == on)

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        """Drive the device to the declared safe state: power first, connection last."""
        known = {"power_w", "limit_w", "connect"}
        if unknown := sorted(set(safe_state) - known):
            raise DriverError(
                "driver.unsupported",
                "{device}: safe state has {unknown}, known are {known}",
                device=self.name,
                unknown=unknown,
                known=sorted(known),
            )
        power_w, limit_w = safe_state.get("power_w"), safe_state.get("limit_w")
        try:
            if isinstance(power_w, int | float):
                await self.set_power_w(float(power_w))
            if isinstance(limit_w, int | float):
                await self.set_limit_w(float(limit_w))
            if isinstance(safe_state.get("connect"), bool):
                await self.set_connect(safe_state["connect"] is True)
        finally:
            # Restoring what was made safe would connect the inverter again.
            for key in safe_state:
                self._as_found.pop(key, None)

    async def restore(self) -> None:
        """Write the settings back as found, but for those made safe."""
        found = self._as_found
        if "limit_w" in found:
            await self.set_limit_w(found["limit_w"])
        if "power_w" in found:
            await self.set_power_w(float(found["power_w"] or 0.0))
        if "connect" in found:
            await self.set_connect(bool(found["connect"]))

    async def _check(self, magnitude_w: float, what: str) -> None:
        w_max = (await self._who())[1]
        if not 0 <= magnitude_w <= w_max:
            raise DriverError(
                "acme.limit",
                "{device}: {what} of {found} W is not within {w_max} W; nothing was sent",
                kind="limit",
                device=self.name,
                what=what,
                found=magnitude_w,
                w_max=w_max,
            )

    async def _who(self) -> tuple[Identity, float]:
        if self._identity is None:
            maker, model, serial, firmware, w_max = await self._ask(Frame(0, "ID"), 5)
            self._identity = Identity(maker, model, serial, firmware), float(w_max)
        return self._identity

    async def _state(self) -> _State:
        p_w, q_var, v_v, f_hz, state, connect, limit_w, set_point_w = await self._ask(
            Frame(0, "RD"), 8
        )
        return _State(
            float(p_w),
            float(q_var),
            float(v_v),
            float(f_hz),
            state,
            connect == "1",
            None if limit_w == NONE else float(limit_w),
            float(set_point_w),
        )

    async def _ask(self, frame: Frame, count: int) -> tuple[str, ...]:
        numbered = self._numbered(frame)
        return await self._line.ask(encode(numbered), self._acceptor(numbered, count), self._mark)

    async def _mark(self) -> None:
        """Ask anything: the number tells its answer from every older one."""
        request = self._numbered(Frame(0, "ID"))
        await self._line.ask_once(encode(request), self._acceptor(request, 5))

    def _numbered(self, frame: Frame) -> Frame:
        self._number = self._number + 1 & 0xFF
        return Frame(self._number, frame.word, frame.values)

    def _acceptor(self, request: Frame, count: int) -> Callable[[object], tuple[str, ...] | Unfit]:
        def accept(event: object) -> tuple[str, ...] | Unfit:
            if isinstance(event, Dropped):
                return Unfit(event.reason)
            if not isinstance(event, Frame) or event.number != request.number:
                return Unfit(f"not number {request.number:02X}: {event}")
            if event.word == "ER":
                raise DriverError(
                    "acme.refused",
                    "{device} refuses {word}: {reason}",
                    kind="refused",
                    device=self.name,
                    word=request.word,
                    reason=" ".join(event.values),
                )
            if event == request and request.word in {"ID", "RD"}:
                return Unfit("echo")
            if event.word != request.word or len(event.values) != count:
                return Unfit(f"not an answer to {request.word}: {event}")
            return event.values

        return accept

    def _see(self, what: str, wanted: object, found: object, same: bool) -> None:
        if not same:
            raise DriverError(
                "acme.readback",
                "{device}: {what} was set to {wanted} and shows {found}",
                kind="readback",
                device=self.name,
                what=what,
                wanted=wanted,
                found=found,
            )
