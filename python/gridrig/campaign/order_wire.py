"""Orders by OpenADR in a run: the VEN polls beside the control loop, which never waits for it.

What a poll brought is taken at the beginning of a tick, so that on the virtual clock, which stands
still while anything is on the wire, the same tick always sees the same orders.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from gridrig.clock import Clock
from gridrig.errors import GridrigError
from gridrig.events import EventLog
from gridrig.openadr.security import Credentials
from gridrig.openadr.throwaway import ThrowawayAuthority
from gridrig.openadr.ven import HeardEvent, Ven
from gridrig.openadr.vtn import EmulatedVtn
from gridrig.rig.grid_orders import OpenAdr

Answers = tuple[tuple[HeardEvent, str], ...]


class OrderWire:
    """The rig's VEN, and the emulated VTN if the rig has one.

    Parameters
    ----------
    table : OpenAdr
        What the rig file says.
    take : callable
        Takes an event, and returns why it will not be followed; None if it will.
    credentials : Credentials or None
        By which a VTN outside is talked to.
    """

    def __init__(
        self,
        table: OpenAdr,
        clock: Clock,
        events: EventLog,
        take: Callable[[HeardEvent], str | None],
        credentials: Credentials | None = None,
    ) -> None:
        self._table, self._clock, self._events, self._take = table, clock, events, take
        self._credentials = credentials
        self._folder: TemporaryDirectory[str] | None = None
        self.vtn = self._emulated() if table.emulate else None
        self._ven: Ven | None = None
        self._talk: asyncio.Task[list[HeardEvent]] | None = None
        self._answers: Answers = ()
        self._next_s = 0.0
        self._lost = False
        self._issued = 0

    async def open(self) -> None:
        """Register with the VTN.

        Raises
        ------
        GridrigError
            As `Ven.open`.
        """
        url = await self.vtn.open() if self.vtn is not None else str(self._table.url)
        self._ven = Ven(url, self._table.ven, self._credentials)
        await self._ven.open()

    async def close(self) -> None:
        """Close; who is talking is interrupted."""
        if self._talk is not None:
            self._talk.cancel()
            await asyncio.gather(self._talk, return_exceptions=True)
            self._talk = None
        if self._ven is not None:
            await self._ven.close()
        if self.vtn is not None:
            await self.vtn.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _emulated(self) -> EmulatedVtn:
        """Return a VTN of this rig's own, both ends with certificates of the day if it says so."""
        if not self._table.secured:
            return EmulatedVtn(self._table.poll_s)
        self._folder = TemporaryDirectory(prefix="gridrig-openadr-")
        authority = ThrowawayAuthority(Path(self._folder.name))
        vtn = replace(authority.issue("vtn"), signs=self._table.signs)
        ven = authority.issue("ven")
        self._credentials = replace(ven, vtn_fingerprint=vtn.fingerprint, signs=self._table.signs)
        return EmulatedVtn(self._table.poll_s, vtn, ven.fingerprint)

    def issue(self, target: str | None, *, from_s: float, duration_s: float, p_w: float) -> None:
        """Let the emulated VTN order something; the VEN hears it when it asks next. [s, W]"""
        assert self.vtn is not None
        self._issued += 1
        self.vtn.issue(
            f"order-{self._issued}",
            target,
            from_utc_s=self._clock.start_utc_s + from_s,
            duration_s=duration_s,
            p_w=p_w,
        )

    def hear(self, t_s: float) -> None:
        """Take what the last poll brought, and poll again when it is time. [s]"""
        if self._talk is not None and not self._talk.done():
            return
        if self._talk is not None:
            self._collect(self._talk)
            self._talk = None
        if self._answers or t_s >= self._next_s:
            self._talk = asyncio.create_task(self._ask(self._answers))
            self._answers, self._next_s = (), t_s + self._table.poll_s

    async def _ask(self, answers: Answers) -> list[HeardEvent]:
        assert self._ven is not None
        for event, refusal in answers:
            await self._ven.answer(event, refusal)
        return await self._ven.poll()

    def _collect(self, talk: asyncio.Task[list[HeardEvent]]) -> None:
        try:
            heard: Sequence[HeardEvent] = talk.result()
        except GridrigError as error:
            if not self._lost:
                self._events.record("vtn_lost", code=error.code)
            self._lost = True
            return
        if self._lost:
            self._events.record("vtn_back")
        self._lost = False
        answers = []
        for event in heard:
            refusal = event.refusal or self._take(event) or ""
            kind = "order_refused" if refusal else "order_heard"
            self._events.record(kind, order=event.event_id, cause=refusal)
            answers.append((event, refusal))
        self._answers = tuple(answers)
