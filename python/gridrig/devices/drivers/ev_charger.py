"""Driver of an EV charger: the rig is its OCPP management system, the charger comes to it.

    driver = "ocpp"
    link = { kind = "ocpp", host = "192.0.2.1", port = 9000, charge_point = "CP-1", version = "1.6"
    }

The charger's URL is `ws://<host>:<port>/<charge_point>`. A limit is a charging profile for the
whole station (`ChargePointMaxProfile`, in 2.0.1 `ChargingStationMaxProfile`), read back as the
composite schedule. OCPP 2.1 also sets power, either way, as the set-point of a transaction
("CentralSetpoint"); the versions before have no discharge: asking for it is `driver.unsupported`.

In a run a limit or set-point lasts `revert_s`, or three control periods, unless readings renew it:
it is a profile with an end at the upper stack level, and below it lies one of 0 W. A bench that
falls silent leaves no vehicle charging.

Every message carries an identifier that its answer repeats, so no late answer is taken for
another's. Readings are asked for (`TriggerMessage`); one that does not come in time is a named
error, never an old value.

References
----------
.. [1] Open Charge Alliance, "Open Charge Point Protocol 1.6," edition 2, 2017.
.. [2] Open Charge Alliance, "OCPP 2.0.1," 2020.
.. [3] Open Charge Alliance, "OCPP 2.1," 2025, part 2, block Q (bidirectional power transfer).
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ocpp.exceptions import OCPPError
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from gridrig.devices.as_found import AsFound
from gridrig.devices.capabilities import Identity
from gridrig.devices.capture.recorder import recorder
from gridrig.devices.charger_capability import EvChargerReading
from gridrig.devices.drivers.ocpp_stations import ACCEPTED, BASE, STATIONS, UPPER, Station
from gridrig.devices.drivers.ocpp_system import RecordedConnection, system_at
from gridrig.devices.drivers.ocpp_view import View
from gridrig.devices.drivers.reversion import TIMER_S_MAX, ReversionTime
from gridrig.devices.links import OcppLink
from gridrig.errors import DriverError

LIMIT, POWER = "limit", "power"
PROFILE = "profile"
LIMIT_TOLERANCE_W = 1.0  # profiles are written in whole watts
UNPLUGGED = frozenset({"Available", "Unavailable", "Faulted", ""})


@dataclass(frozen=True, kw_only=True)
class OcppParameters:
    """What the `parameters` table may say of a charger's driver.

    Parameters
    ----------
    connect_s : float
        How long it may take until the charger has come. [s]
    timeout_s : float
        From a message to its answer, and from asking for meter values to having them. [s]
    revert_s : int or None
        Time after which a limit or set-point falls to 0 W unless `read` renews it; 0 for never,
        None is what `use_control_period` makes of it. [s]
    """

    connect_s: float = 25.0
    timeout_s: float = 10.0
    revert_s: int | None = None

    def __post_init__(self) -> None:
        """Refuse waits that cannot work."""
        if not (0 < self.connect_s <= 600 and 0 < self.timeout_s <= 120):
            raise DriverError(
                "device.parameter",
                "waits {found} must be above 0, connect_s at most 600, timeout_s at most 120",
                kind="limit",
                found=self,
            )
        if not 0 <= (self.revert_s or 0) <= TIMER_S_MAX:
            raise DriverError(
                "device.parameter",
                "revert_s {found} must be from 0 to {most}",
                kind="limit",
                found=self.revert_s,
                most=TIMER_S_MAX,
            )


@dataclass(frozen=True)
class Held:
    """A limit or power that falls back unless it is renewed, and when it was written. [W, s]"""

    p_w: float
    written_s: float


class OcppCharger:
    """An EV charger.

    Parameters
    ----------
    name : str
        Device name.
    link : OcppLink
        Where the charger comes to.
    parameters : OcppParameters or None
        Waits.
    """

    capability = "ev_charger"
    PARAMETERS: ClassVar[type[OcppParameters]] = OcppParameters
    LINK: ClassVar[type[OcppLink]] = OcppLink

    def __init__(self, name: str, link: OcppLink, parameters: OcppParameters | None = None) -> None:
        self.name = name
        self._link, self._times = link, parameters or OcppParameters()
        self._view = View()
        self._station: Station | None = None
        self.found = AsFound()  # that there was no profile of ours
        self._reversion = ReversionTime(self._times.revert_s)
        self._held: dict[str, Held] = {}  # what falls back unless it is renewed
        self._open = False
        self._utc_s: Callable[[], int] = lambda: 0
        self._lost = asyncio.Event()  # of the connection that counts

    async def open(self) -> None:
        """Listen, and wait until the charger has come and said who it is."""
        if self._open:
            return
        link = self._link
        await system_at(link.host, link.port).expect(link.charge_point, link.version, self._serve)
        self._open = True
        await self._until(lambda v: v.booted, self._times.connect_s, "come")

    async def close(self) -> None:
        """Let the charger go; closing twice is allowed."""
        if self._open:
            self._open = False
            await system_at(self._link.host, self._link.port).forget(self._link.charge_point)

    async def identify(self) -> Identity:
        """Return who the charger said it is."""
        v = self._view
        return Identity(v.manufacturer, v.model, v.serial, v.firmware)

    async def use_control_period(self, control_period_s: float) -> Mapping[str, object]:
        """Let limits and set-points last some control periods; return how they do. [s]"""
        return {
            "revert_s": self._reversion.follow(control_period_s),
            "stated": self._reversion.stated,
            "set_points": [LIMIT, POWER] if self._link.sets_power else [LIMIT],
        }

    async def read(self) -> EvChargerReading:
        """Return what the charger reports, asked for now, and renew what would fall back."""
        asked_s = asyncio.get_running_loop().time()
        await self._ask("meter values", lambda s: s.trigger())
        await self._until(lambda v: v.told_s >= asked_s, self._times.timeout_s, "tell its meter")
        allowed_w = await self._call(lambda s: s.composite_w())
        await self._renew()
        v = self._view
        return EvChargerReading(
            plugged=v.status not in UNPLUGGED,
            charging=v.status == "Charging",
            status=v.status or "unknown",
            p_w=0.0 - v.p_w,
            import_milliwh=v.energy_milliwh,
            soc=v.soc,
            export_milliwh=v.exported_milliwh,
            allowed_w=allowed_w,
        )

    async def set_limit_w(self, p_w: float | None) -> None:
        """Limit charging; None removes the limit. [W]

        Raises
        ------
        DriverError
            Kind "limit" for a limit that is none, "refused" if the charger rejects the profile,
            "readback" if its composite schedule allows more.
        """
        await self._set_limit(p_w, reverts=True)

    async def _set_limit(self, p_w: float | None, *, reverts: bool) -> None:
        if p_w is None:
            self._held.pop(LIMIT, None)
            for level in (UPPER, BASE):
                await self._unlimit(level)  # "Unknown" says that there was none
            self.found.drop([PROFILE])
            return
        if not 0 <= p_w < 1e9:
            raise self._error("limit", "{device}: a limit of {found} W is none", found=p_w)
        await self.found.note({PROFILE: None})
        if reverts and self._reversion.seconds:
            await self._hold(LIMIT, p_w)
        else:
            await self._write(LIMIT, p_w, BASE)
            self._held.pop(LIMIT, None)
            if self._reversion.seconds:  # also what a failed attempt left there
                await self._unlimit(UPPER)
        shown = await self._call(lambda s: s.composite_w())
        if shown is None or shown > p_w + LIMIT_TOLERANCE_W:
            raise self._error(
                "readback",
                "{device}: allows {found} W, expected at most {expected} W as written",
                found=shown,
                expected=p_w,
            )

    async def set_power_w(self, p_w: float) -> None:
        """Set power, positive while discharging, for this transaction; OCPP 2.1 only. [W]

        Raises
        ------
        DriverError
            `driver.unsupported` for the versions before, kind "limit" for a power that is none,
            "refused" without a transaction or if the charger rejects it, "readback" if its
            composite schedule sets something else.
        """
        if not self._link.sets_power:
            raise self._no_power(p_w)
        if not abs(p_w) < 1e9:
            raise self._error("limit", "{device}: a power of {found} W is none", found=p_w)
        if not self._view.transaction:
            raise self._error("refused", "{device}: a power is set in a transaction, none runs")
        if self._reversion.seconds:
            await self._hold(POWER, 0.0 - p_w)
        else:
            await self._write(POWER, 0.0 - p_w, BASE)
        shown = await self._call(lambda s: s.composite_setpoint_w())
        if shown is None or abs(shown + p_w) > LIMIT_TOLERANCE_W:
            raise self._error(
                "readback",
                "{device}: is set to take {found} W, expected {expected} W as written",
                found=shown,
                expected=0.0 - p_w,
            )

    async def _hold(self, what: str, p_w: float) -> None:
        """Write what lasts a while first, then what it falls back to: there is no gap between."""
        await self._write(what, p_w, UPPER)
        if what not in self._held:
            await self._write(what, 0.0, BASE)
        self._held[what] = Held(p_w, asyncio.get_running_loop().time())

    async def _write(self, what: str, p_w: float, level: int) -> None:
        """Write what is taken from the grid: the upper level lasts the reversion time. [W]"""
        lasts_s = self._reversion.seconds if level == UPPER else None
        if what == LIMIT:
            await self._ask("the charging profile", lambda s: s.limit(p_w, level, lasts_s))
        else:
            await self._ask("the set-point", lambda s: s.set_power(p_w, level, lasts_s))

    async def _unlimit(self, level: int) -> None:
        await self._call(lambda s: s.unlimit(level))

    async def _renew(self) -> None:
        if not self._view.transaction:
            self._held.pop(POWER, None)  # it ended with its transaction
        for what, held in list(self._held.items()):
            now_s = asyncio.get_running_loop().time()
            if not self._reversion.is_due(now_s - held.written_s):
                continue
            if now_s - held.written_s >= self._reversion.seconds:
                del self._held[what]
                raise DriverError(
                    "driver.reverted",
                    "{device}: a {what} of {p_w:g} W was not renewed in {revert_s} s, it is over",
                    kind="readback",
                    device=self.name,
                    what=what,
                    p_w=held.p_w,
                    revert_s=self._reversion.seconds,
                )
            await self._write(what, held.p_w, UPPER)
            self._held[what] = Held(held.p_w, now_s)

    def _no_power(self, p_w: float) -> DriverError:
        return DriverError(
            "driver.unsupported",
            "{device}: OCPP {version} sets no power: it limits charging and has no discharge",
            kind="other",
            device=self.name,
            version=self._link.version,
            p_w=p_w,
        )

    async def begin_transaction(self) -> None:
        """Begin a transaction and wait, bounded, until it runs."""
        await self._ask("a transaction", lambda s: s.begin())
        await self._until(lambda v: bool(v.transaction), self._times.timeout_s, "begin")

    async def end_transaction(self) -> None:
        """End the transaction, if there is one, and wait, bounded, until it is over."""
        if self._view.transaction:
            await self._ask("an end", lambda s: s.end())
            await self._until(lambda v: not v.transaction, self._times.timeout_s, "end")

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        """End charging and limit it to nothing, or leave it (`charge = true`)."""
        if set(safe_state) != {"charge"} or not isinstance(safe_state["charge"], bool):
            raise DriverError(
                "driver.safe_state",
                "{device}: safe state {found}, expected charge = true or false",
                kind="limit",
                device=self.name,
                found=dict(safe_state),
            )
        if not safe_state["charge"]:
            await self._set_limit(0.0, reverts=False)
            await self.end_transaction()
            self.found.drop([PROFILE])

    async def restore(self) -> None:
        """Remove the rig's own profile; the charger's others were never touched."""
        if self.found:
            await self.set_limit_w(None)

    async def _serve(self, connection: ServerConnection) -> None:
        """Listen to one connection of the charger until it ends."""
        tape = recorder()
        wire = connection if tape is None else RecordedConnection(connection, tape, self.name)
        station: Any = STATIONS[self._link.version](
            self._link.charge_point, wire, self._view, self._utc_s, self._times.timeout_s
        )
        numbers = itertools.count(1)
        station._unique_id_generator = lambda: next(numbers)
        before, self._lost = self._lost, asyncio.Event()
        before.set()
        mine = self._lost
        self._station = station
        try:
            await station.start()
        except ConnectionClosed:
            pass
        finally:
            mine.set()
            if self._station is station:
                self._station = None
            self._view.changed()

    def use_clock(self, utc_s: Callable[[], int]) -> None:
        """Take the rig's clock, which chargers are told the time by. [s since 1970-01-01 UTC]"""
        self._utc_s = utc_s

    async def _ask(self, what: str, asking: Callable[[Station], Awaitable[str]]) -> None:
        answer = await self._call(asking)
        if answer != ACCEPTED:
            raise self._error(
                "refused", "{device}: {what} was answered {found}", what=what, found=answer
            )

    async def _call(self, asking: Callable[[Station], Awaitable[Any]]) -> Any:
        station = self._station
        if station is None:
            raise self._error("unavailable", "{device} is not connected")
        answer = asyncio.ensure_future(asking(station))
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            # An answer on a lost connection never comes: that is known at once.
            await asyncio.wait((answer, lost), return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise self._error("unavailable", "{device}: the connection was lost")
            return answer.result()
        except ConnectionClosed as error:
            raise self._error("unavailable", "{device}: the connection was lost") from error
        except TimeoutError as error:
            raise self._error(
                "timeout",
                "{device}: no answer within {timeout_s} s",
                timeout_s=self._times.timeout_s,
            ) from error
        except OCPPError as error:
            raise self._error(
                "refused", "{device}: {cause}", cause=f"{type(error).__name__}: {error}"
            ) from error
        finally:
            answer.cancel()
            lost.cancel()

    async def _until(self, true: Callable[[View], bool], within_s: float, what: str) -> None:
        try:
            async with asyncio.timeout(within_s):
                while not true(self._view):
                    self._view.news.clear()
                    await self._view.news.wait()
        except TimeoutError:
            raise self._error(
                "timeout",
                "{device}: did not {what} within {within_s:g} s",
                what=what,
                within_s=within_s,
            ) from None

    def _error(self, kind: str, message: str, **facts: object) -> DriverError:
        return DriverError(f"driver.{kind}", message, kind=kind, device=self.name, **facts)  # type: ignore[arg-type]
