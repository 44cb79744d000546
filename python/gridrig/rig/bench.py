"""A rig opened: emulators serving, drivers behind their limits, and an end that is always safe.

    async with Bench(rig, clock, events.record, terminals) as bench:
        reading = await bench.devices["pv-12"].read()

Leaving the block drives every device to its declared safe state, then closes all wires, also after
an exception or a cancellation, and also if that comes twice. `bench.safe_report` says how each
device was left. Set-up time is bounded by the drivers' own time-outs and `OPEN_S`. If the rig's
safety loop opens in the block, or an island with opened trips goes out of its bounds, `on_abort` is
told, else the task that opened the bench cancelled.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any

from gridrig.clock import Clock
from gridrig.devices.capabilities import Identity
from gridrig.devices.links import Link
from gridrig.errors import DriverError, GridrigError
from gridrig.rig.description import Rig
from gridrig.rig.device import Device
from gridrig.rig.emulated import EmulatedDevices, driver_link
from gridrig.rig.guard import GuardedInverter, guard
from gridrig.rig.guard_instruments import GuardedSwitch, guard_instrument
from gridrig.rig.guarded import Guarded
from gridrig.rig.instruments import INSTRUMENTS
from gridrig.rig.island_guard import IslandGuard
from gridrig.rig.issues import At, Issues
from gridrig.rig.keeping import Keeping, protection_noted
from gridrig.rig.permits import LoopWatch, Permits
from gridrig.rig.registry import DRIVERS, Registry
from gridrig.rig.safe_end import UNREACHABLE, SafeReport, make_safe
from gridrig.rig.safe_order import end_within_s
from gridrig.rig.take_back import follow_control, take_back
from gridrig.rig.toml_file import parse_toml

OPEN_S = 30.0
CLOSE_S = 5.0
CANCELS_MAX = 3
Record = Callable[..., object]


def _no_record(kind: str, device: str = "", **data: object) -> None:
    """Forget what happened: for benches nobody listens to."""


class Bench:
    """The devices of a rig, opened together and left safe.

    Parameters
    ----------
    rig : Rig
        What is on the bench.
    clock : Clock
        The run's.
    on_event : callable
        Takes (kind, device, **data), as `EventLog.record` does.
    terminals : mapping of str to terminal or None
        The plant's terminal of each emulated device; needed if there is one.
    registry : Registry or None
        Where classes are looked up; None for the installed packages.
    dry_run : bool
        Report every write instead of sending it.
    control_period_s : float or None
        Longest time from one reading of a device to the next, which reversion timers follow; None
        if nothing reads again. [s]
    only_to_end : bool
        Whether it is opened to be left again at once: what another process did not restore is then
        restored at the end and not before.
    """

    def __init__(
        self,
        rig: Rig,
        clock: Clock,
        on_event: Record = _no_record,
        terminals: Mapping[str, Any] | None = None,
        *,
        registry: Registry | None = None,
        dry_run: bool = False,
        control_period_s: float | None = None,
        only_to_end: bool = False,
    ) -> None:
        self.rig = rig
        self._clock = clock
        self._on_event = on_event
        self._registry = registry or Registry.installed()
        self._dry_run = dry_run
        self._control_period_s = control_period_s
        self._only_to_end = only_to_end
        self._keeping: dict[str, Keeping] = {}
        self._absent: dict[str, Guarded] = {}
        self._emulated = EmulatedDevices(rig, self._registry, terminals or {}, self._report)
        self._drivers: dict[str, Any] = {}
        self.devices: dict[str, Any] = {}
        self.identities: dict[str, Identity] = {}
        self.safe_report: SafeReport | None = None
        self._leaving = False
        self._untold: Exception | None = None
        self.on_abort: Callable[[str], object] | None = None
        self._permits = Permits(self.devices)
        self._loop_watch: asyncio.Task[None] | None = None
        self._islands = IslandGuard(
            self.devices,
            rig.opened_protection,
            rig.nominal.v_n,
            float(rig.nominal.f_hz),
            self._abort,
        )
        self._task: asyncio.Task[object] | None = None

    @property
    def emulators(self) -> Mapping[str, Any]:
        """The emulators that serve, by device, in rig order."""
        return self._emulated.running

    @property
    def left_over(self) -> list[str]:
        """Devices whose settings a process before this one had not restored, in rig order."""
        return [n for n in self.devices if n in self._keeping and self._keeping[n].left_over]

    def endpoints(self) -> list[dict[str, str | int]]:
        """Return where each emulated device is found, in rig order."""
        return [dict(emulator.endpoint) for emulator in self.emulators.values()]

    def link_of(self, name: str) -> Link:
        """Return where a device is reached; an emulated one has to serve."""
        if name in self.emulators:
            return self._emulated.link_of(name)
        return driver_link(self.rig.device(name).link)

    async def serve(self) -> None:
        """Start the emulators only, and open no driver.

        Raises
        ------
        RigError
            `rig.cannot_serve`, with every busy port.
        """
        issues = Issues(self.rig.path)
        try:
            await self._emulated.start(self._place(), issues)
            issues.raise_if_any("rig.cannot_serve", f"{self.rig.path} cannot be served")
        except BaseException:
            await self.close()
            raise

    async def open(self) -> None:
        """Start the emulators, open every driver and learn who each device is.

        Raises
        ------
        RigError
            `rig.cannot_serve` or `rig.cannot_open`, with an issue for each device;
            `rig.not_as_found` if settings that a run before this one left cannot be restored. What
            was opened has been driven to its safe state and closed.
        """
        self._task = asyncio.current_task()
        await self.serve()
        issues = Issues(self.rig.path)
        place = self._place()
        try:
            results = await asyncio.gather(
                *(self._open(device) for device in self.rig.devices), return_exceptions=True
            )
            for device, failure in zip(self.rig.devices, results, strict=True):
                if isinstance(failure, GridrigError | TimeoutError):
                    if self._only_to_end:
                        self._leave_absent(device)
                    found = str(failure) or f"no end of opening within {OPEN_S:g} s"
                    issues.add(place(device.name).key("link"), found, "a device that answers")
                elif failure is not None:
                    raise failure
            # Rig order, whoever answered first.
            names = [device.name for device in self.rig.devices]
            opened = dict(self.devices)
            self.devices.clear()  # in place: its permits know the same devices
            self.devices.update({name: opened[name] for name in names if name in opened})
            self.identities = {n: self.identities[n] for n in names if n in self.identities}
            issues.raise_if_any("rig.cannot_open", f"the bench of {self.rig.path} does not open")
            await self._restore_left_over(issues)
            if not self._only_to_end and self.rig.of("interlock"):
                watch = LoopWatch(self._permits, self.rig.interlock_poll_s, self._abort)
                self._loop_watch = asyncio.create_task(watch.watch())
        except BaseException:
            await self._leave()
            raise

    async def make_safe(self) -> SafeReport:
        """Drive every device to its safe state; never raises for a device.

        Returns
        -------
        SafeReport
            How each device was left.
        """
        opened: dict[str, Guarded] = {**self.devices, **self._absent}
        already = {name: f"{UNREACHABLE}: it could not be opened" for name in self._absent}
        begin_s = asyncio.get_running_loop().time()
        for keeping in self._keeping.values():
            keeping.leaving = True
        try:
            self.safe_report = await make_safe(
                opened, self.rig.safe_order, self._report, already=already
            )
            for keeping in self._keeping.values():
                await keeping.settle()
            self._report(
                "",
                "made_safe",
                took_s=round(asyncio.get_running_loop().time() - begin_s, 3),
                within_s=end_within_s(self.rig.safe_order),
            )
        finally:
            for keeping in self._keeping.values():
                keeping.leaving = False
        return self.safe_report

    async def close(self) -> None:
        """Close all wires; closing twice is allowed."""
        for name, driver in reversed(self._drivers.items()):
            await self._bounded_close(name, driver.close())
        self._drivers.clear()
        await self._bounded_close("", self._emulated.stop())

    async def __aenter__(self) -> "Bench":
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._leave()

    async def _leave(self) -> None:
        """Make safe and close, even while cancelled: the bench comes before the hurry.

        Whoever cancels `CANCELS_MAX` times is obeyed; `safe_report` is then still None.
        """
        end = asyncio.ensure_future(self._end())
        cancels: list[asyncio.CancelledError] = []
        while not end.done():
            try:
                await asyncio.shield(end)
            except asyncio.CancelledError as again:
                cancels.append(again)
                if len(cancels) >= CANCELS_MAX:
                    end.cancel()
                    break
        if cancels:
            raise cancels[-1]
        end.result()

    def _leave_absent(self, device: Device) -> None:
        """Let an analyser have a word on a device that was in use and does not open."""
        opened = device.name in self.devices
        if not opened and device.capability not in INSTRUMENTS and not protection_noted(device):
            report = partial(self._report, device.name)
            self._absent[device.name] = Guarded(device, None, report, dry_run=self._dry_run)

    def _abort(self, cause: str) -> None:
        self._report("", "aborted", cause=cause)
        if self.on_abort is not None:
            self.on_abort(cause)
        elif self._task is not None:
            self._task.cancel()

    async def _end(self) -> None:
        self._leaving = True
        self._islands.closed()
        if self._loop_watch is not None:
            self._loop_watch.cancel()
        # Again even if it was made safe before: what was written since then is not known here.
        if self.devices:
            for device in self.devices.values():
                device.end()
            self.safe_report = None
            await self.make_safe()
        await self.close()
        if self._untold is not None:
            raise self._untold

    async def _open(self, device: Device) -> None:
        cls: Any = self._registry.load(DRIVERS, device.driver)
        driver = cls(device.name, self.link_of(device.name), device.parameters)

        def report(kind: str, **data: object) -> None:
            self._report(device.name, kind, **data)

        self._drivers[device.name] = driver
        if hasattr(driver, "use_clock"):  # who tells its device the time
            driver.use_clock(self._clock.utc_s)
        async with asyncio.timeout(OPEN_S):
            await driver.open()
            guarded = self.devices[device.name] = self._guarded(device, driver, report)
            identity = self.identities[device.name] = await driver.identify()
            guarded.known = identity
            if not device.emulated and not self._dry_run:
                self._keeping[device.name] = Keeping(self.rig.path, guarded, identity, report)
            if isinstance(guarded, GuardedInverter):
                try:
                    await guarded.protection.look()
                except DriverError as error:
                    report("protection_unread", cause=str(error))
            await follow_control(driver, self._control_period_s, report)

    async def take_back(self, name: str) -> tuple[str, ...]:
        """Take back a device that is marked as lost, if it answers; as `gridrig.rig.take_back`.

        Raises
        ------
        DriverError
            If it does not answer, or is not as it has to be; it stays lost. It has `OPEN_S` besides
            what the safe sequence may take.
        """
        device, within_s = self.devices[name], OPEN_S + end_within_s(self.rig.safe_order)
        try:
            async with asyncio.timeout(within_s):
                return await take_back(
                    device,
                    self.rig.safe_order,
                    self._report,
                    control_period_s=self._control_period_s,
                )
        except TimeoutError:
            if device.answers:  # what it was set to by then is not known
                with contextlib.suppress(DriverError, TimeoutError):
                    async with asyncio.timeout(CLOSE_S):
                        await device.make_safe()
            raise DriverError(
                "driver.timeout",
                "{device}: not taken back within {within_s:g} s",
                kind="timeout",
                device=name,
                within_s=within_s,
            ) from None

    async def _restore_left_over(self, issues: Issues) -> None:
        """Put back what a process before this one changed and did not live to restore.

        The whole safe sequence, because what is connected may depend on what is not.
        """
        left = self.left_over
        if not left or self._only_to_end:
            return
        await self.make_safe()
        place = self._place()
        for name in left:
            if what := self._keeping[name].left:
                expected = "settings restored as found, before anything else is done with it"
                issues.add(place(name), f"{what} not restored since a run ended", expected)
        issues.raise_if_any("rig.not_as_found", f"the bench of {self.rig.path} is not as found")

    def _guarded(self, device: Device, driver: Any, report: Record) -> Guarded:
        if device.capability in INSTRUMENTS:
            guarded = guard_instrument(device, driver, report, dry_run=self._dry_run)
        else:
            guarded = guard(
                device,
                driver,
                report,
                dry_run=self._dry_run,
                utc_s=self._clock.utc_s,
                pack=lambda: self.devices.get(device.bms or ""),
            )
        guarded.permits = self._permits
        if isinstance(guarded, GuardedSwitch):
            islands = self._islands
            guarded.on_moved = lambda on: islands.closed() if on else islands.opened()
        return guarded

    def _place(self) -> Callable[[str], At]:
        at = parse_toml(self.rig.text, self.rig.path).top.key("device")
        index = {device.name: k for k, device in enumerate(self.rig.devices)}
        return lambda name: at.item(index[name], name)

    def _report(self, device: str, kind: str, **data: object) -> None:
        try:
            self._on_event(kind, device, **data)
        except Exception as error:
            if not self._leaving:
                raise
            # A full disk must not keep a device from its safe state; it is told when all are.
            self._untold = self._untold or error

    async def _bounded_close(self, name: str, closing: Any) -> None:
        # A wire that does not close must not keep the others open; it is named.
        try:
            await asyncio.wait_for(closing, CLOSE_S)
        except Exception as error:
            self._report(name, "close_failed", cause=f"{type(error).__name__}: {error}")
