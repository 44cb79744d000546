"""The two switches of a pack: never opened under load, seen after a command, restored as found."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from gridrig.devices.as_found import AsFound
from gridrig.errors import DriverError

SWITCHES = ("charge", "discharge")
Fets = tuple[bool, bool]


@dataclass(frozen=True, kw_only=True)
class SwitchTimes:
    """How a driver switches.

    Parameters
    ----------
    fet_open_a_max : float
        Largest current under which a switch may be opened. [A]
    readback_s : float
        Longest time until a switch must show its new state. [s]
    poll_s : float
        Pause between looks at a state that must change. [s]
    safe_wait_s : float
        Longest wait of `make_safe` for the current to fall. [s]
    """

    fet_open_a_max: float = 2.0
    readback_s: float = 2.0
    poll_s: float = 0.2
    safe_wait_s: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        not_negative = min(self.fet_open_a_max, self.safe_wait_s) >= 0
        if not (0 < self.poll_s <= self.readback_s and not_negative):
            raise DriverError(
                "device.parameter",
                "0 < poll_s <= readback_s, and fet_open_a_max and safe_wait_s not negative, "
                "do not hold in {found}",
                kind="limit",
                found=self,
            )


class PackSwitches:
    """Switches of one pack.

    Parameters
    ----------
    name : str
        Device name, for errors.
    times : SwitchTimes
        Limits and waits.
    look : callable
        Returns the switches (charge, discharge) as shown and the current [A].
    command : callable
        Sends what sets both switches, given what they showed before.
    """

    def __init__(
        self,
        name: str,
        times: SwitchTimes,
        look: Callable[[], Awaitable[tuple[Fets, float]]],
        command: Callable[[Fets, Fets], Awaitable[None]],
    ) -> None:
        self._name = name
        self._times = times
        self._look = look
        self._command = command
        self.found = AsFound()  # by switch: whether it was closed

    async def set(self, charge: bool, discharge: bool) -> None:
        """Close (True) or open the switches, and see that it happened.

        Raises
        ------
        DriverError
            Kind "limit" if a switch would open under load, "readback" if the switches do not show
            the new state in time, "refused" if the device says no.
        """
        looked = await self._look()
        await self.found.note(dict(zip(SWITCHES, looked[0], strict=True)))
        await self._set((charge, discharge), *looked)

    async def _set(self, wanted: Fets, found: Fets, i_a: float) -> None:
        """Set the switches, given what they showed and the current. [A]"""
        charge, discharge = wanted
        opens = (found[0] and not charge) or (found[1] and not discharge)
        if opens and abs(i_a) > self._times.fet_open_a_max:
            raise DriverError(
                "bms.fet_under_load",
                "{device}: a switch is not opened at {i_a} A, only up to {most} A",
                kind="limit",
                device=self._name,
                i_a=i_a,
                most=self._times.fet_open_a_max,
            )
        await self._command(wanted, found)
        await self._see(wanted)

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        """Set the switches named in `safe_state` ("charge", "discharge"); others stay.

        The current must fall first: it is waited for, at most `safe_wait_s`. What is named here
        `restore` leaves as it is.
        """
        wrong = {
            k: v for k, v in safe_state.items() if k not in SWITCHES or not isinstance(v, bool)
        }
        if wrong:
            raise DriverError(
                "driver.unsupported",
                "{device}: safe state {wrong} is not true or false for {known}",
                device=self._name,
                wrong=wrong,
                known=SWITCHES,
            )
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._times.safe_wait_s
        (charge, discharge), i_a = await self._look()
        while abs(i_a) > self._times.fet_open_a_max:
            if loop.time() + self._times.poll_s > deadline_s:
                break  # `set` refuses, and says why
            await asyncio.sleep(self._times.poll_s)
            (charge, discharge), i_a = await self._look()
        self.found.drop(safe_state)
        await self._set(_named(safe_state, charge, discharge), (charge, discharge), i_a)

    async def restore(self) -> None:
        """Set the switches as found, but for those made safe; nothing, if none was ever set."""
        found = dict(self.found.items())
        if found:
            looked = await self._look()
            await self._set(_named(found, *looked[0]), *looked)
            self.found.drop(found)

    async def _see(self, wanted: Fets) -> None:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._times.readback_s
        while (seen := (await self._look())[0]) != wanted:
            if loop.time() + self._times.poll_s > deadline_s:
                raise DriverError(
                    "bms.fet_readback",
                    "{device}: switches (charge, discharge) were set to {wanted}, show {seen}",
                    kind="readback",
                    device=self._name,
                    wanted=wanted,
                    seen=seen,
                )
            await asyncio.sleep(self._times.poll_s)


def _named(named: Mapping[str, object], charge: bool, discharge: bool) -> Fets:
    """Return the switches as named, else as given."""
    return bool(named.get("charge", charge)), bool(named.get("discharge", discharge))


class SwitchedPack:
    """What every driver of a pack with two switches offers of them."""

    _switches: PackSwitches

    async def set_fets(self, charge: bool, discharge: bool) -> None:
        """Close (True) or open the charge and discharge switches, and see that it happened."""
        await self._switches.set(charge, discharge)

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        """Set the switches named in `safe_state` ("charge", "discharge"), once the current fell."""
        await self._switches.make_safe(safe_state)

    async def restore(self) -> None:
        """Set the switches as they were found; nothing, if none was ever set."""
        await self._switches.restore()
