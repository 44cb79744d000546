"""Devices that are lost and asked again, less and less often, until they are back or away too long.

Without a time in which they may come back, a lost device ends the run at once, as does one that
nobody may wait for: an instrument, or what forms an island that is there.

Each is asked by a task of its own, beside the control of the others; it counts as back from the
next reading on. Limits: after `FIRST_ASK_S`, and as often once it said who it is and the rest
failed; otherwise doubling to `ASK_S_MAX`.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gridrig.errors import CampaignError, DriverError
from gridrig.events import Event, EventLog
from gridrig.rig.guarded import OTHER_DEVICE
from gridrig.rig.take_back import NOT_SAFE, TAKEN_BACK

FIRST_ASK_S = 5.0
ASK_S_MAX = 300.0
CANCEL_S = 1.0  # from one word to end asking to the next
TOLD = frozenset({OTHER_DEVICE, NOT_SAFE, "rig.limit"})  # why one that answers stays lost


@dataclass
class _Away:
    since_s: float
    cause: str
    asking: asyncio.Task[None]


class LostDevices:
    """Who is lost, since when, and is asked again.

    Parameters
    ----------
    drivers : mapping of name to driver
        Guarded by the bench.
    take_back : callable
        Takes a name; returns the settings that were written again, or raises `DriverError`.
    events : EventLog
        Told `device_lost`, `device_refused` and `device_back`.
    away_s_max : float
        How long a device may be away; 0 for not at all. [s]
    """

    def __init__(
        self,
        drivers: Mapping[str, Any],
        take_back: Callable[[str], Awaitable[Collection[str]]],
        events: EventLog,
        away_s_max: float,
    ) -> None:
        self._drivers = drivers
        self._take_back = take_back
        self._events = events
        self._away_s_max = away_s_max
        self._away: dict[str, _Away] = {}

    @property
    def names(self) -> frozenset[str]:
        """Who is away."""
        return frozenset(self._away)

    def lose(self, name: str, error: DriverError, in_a_row: int, needed: Collection[str]) -> None:
        """Count a device as lost; `needed` as in `look`.

        Raises
        ------
        CampaignError
            `campaign.device_lost`, if it may not be away.
        """
        cause = f"device {name} did not answer {in_a_row} times in a row: {error}"
        may_be_away = self._drivers[name].capability in TAKEN_BACK and name not in needed
        away_s_max = self._away_s_max if may_be_away else 0.0
        self._events.record(
            "device_lost",
            name,
            code=error.code,
            failure=error.kind,
            in_a_row=in_a_row,
            away_s_max=away_s_max,
        )
        if not away_s_max:
            why = "; the island cannot do without it" if self._away_s_max and name in needed else ""
            raise _ended(name, f"{cause}{why}") from error
        self._drivers[name].lost, self._drivers[name].answers = True, False
        now_s = asyncio.get_running_loop().time()
        asking = asyncio.create_task(self._ask(name, now_s), name=f"{name} is asked again")
        self._away[name] = _Away(now_s, cause, asking)

    def look(self, needed: Collection[str]) -> None:
        """Forget who is back, and end the run for who is away too long.

        Parameters
        ----------
        needed : collection of str
            Devices that cannot be done without now.

        Raises
        ------
        CampaignError
            `campaign.device_lost`.
        """
        now_s = asyncio.get_running_loop().time()
        for name, away in list(self._away.items()):
            if away.asking.done():
                away.asking.result()  # what no driver should raise ends the run
                del self._away[name]
            elif name in needed:
                raise _ended(name, f"{away.cause}; the island cannot do without it")
            elif now_s - away.since_s > self._away_s_max:
                raise _ended(name, f"{away.cause}; it was not back within {self._away_s_max:g} s")

    def finish(self) -> None:
        """End a run in which somebody is still away.

        Raises
        ------
        CampaignError
            `campaign.device_lost`.
        """
        self.look(())
        for name, away in self._away.items():
            raise _ended(name, f"{away.cause}; it was not back when the run ended")

    async def end(self) -> None:
        """Ask nobody any more; who is away stays marked as lost."""
        for name, away in self._away.items():
            if not away.asking.done():
                self._drivers[name].end()  # what is under way permits nothing any more
        while asking := [away.asking for away in self._away.values() if not away.asking.done()]:
            for one in asking:
                one.cancel()  # again, if what it awaited ended at that moment
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(asking, timeout=CANCEL_S)
        for away in self._away.values():
            if not away.asking.cancelled():
                away.asking.exception()  # is looked at: the bench is made safe whatever it says

    async def _ask(self, name: str, since_s: float) -> None:
        wait_s, asked, told = FIRST_ASK_S, 0, None
        while True:
            await asyncio.sleep(wait_s)
            asked += 1
            try:
                rewritten = await self._take_back(name)
            except DriverError as error:
                # One that is there, on a wire that is still bad, is worth another try at once.
                answers = self._drivers[name].answers
                wait_s = FIRST_ASK_S if answers else min(2 * wait_s, ASK_S_MAX)
                # What the wire said names ports, which no two runs share; it is not told.
                cause = str(getattr(error, "wrong", error))
                if error.code in TOLD and error.kind != "unavailable" and cause != told:
                    told = cause
                    self._events.record("device_refused", name, code=error.code, cause=told)
                continue
            away_s = round(asyncio.get_running_loop().time() - since_s, 3)
            self._events.record(
                "device_back", name, away_s=away_s, asked=asked, rewritten=list(rewritten)
            )
            return


def away_findings(events: Iterable[Event]) -> list[str]:
    """Return who was lost in a run, how often, and for how long it was known to be away."""
    lost, back_s = Counter[str](), dict[str, list[float]]()
    for event in events:
        if event.kind == "device_lost":
            lost[event.device] += 1
        elif event.kind == "device_back":
            back_s.setdefault(event.device, []).append(event.data["away_s"])
    found = []
    for name, times in lost.items():
        away_s = back_s.get(name, [])
        until = f"{sum(away_s):.0f} s in all until it was taken back" if away_s else ""
        last = "" if times == len(away_s) else "and not taken back"
        said = ", ".join(filter(None, (f"{name} was lost {_times(times)}", until, last)))
        found.append(said)
    return found


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def nobody_lost(drivers: Mapping[str, Any], events: EventLog) -> LostDevices:
    """Return what ends the run for whoever is lost."""

    async def never(name: str) -> Collection[str]:
        raise AssertionError(f"{name} ends the run and is not asked again")

    return LostDevices(drivers, never, events, 0.0)


def _ended(device: str, cause: str) -> CampaignError:
    return CampaignError("campaign.device_lost", "{cause}", device=device, cause=cause)
