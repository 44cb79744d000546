"""Orders and reports by OpenADR in a run: the VEN talks beside the control loop, which never waits.

What a poll brought is taken at the beginning of a tick, so that on the virtual clock, which stands
still while anything is on the wire, the same tick always sees the same orders.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gridrig.campaign.fleet_reports import FleetReports
from gridrig.clock import Clock
from gridrig.errors import GridrigError
from gridrig.events import EventLog
from gridrig.openadr.reports import offered
from gridrig.openadr.security import Credentials
from gridrig.openadr.throwaway import ThrowawayAuthority
from gridrig.openadr.ven import Heard, HeardEvent, Ven
from gridrig.openadr.vtn import EmulatedVtn
from gridrig.rig.grid_orders import OpenAdr

OUTBOX_MAX = 1000
Message = Callable[[Ven], Awaitable[None]]


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
    reports : FleetReports or None
        What it may ask to be told.
    """

    def __init__(
        self,
        table: OpenAdr,
        clock: Clock,
        events: EventLog,
        take: Callable[[HeardEvent], str | None],
        credentials: Credentials | None = None,
        reports: FleetReports | None = None,
    ) -> None:
        self._table, self._clock, self._events, self._take = table, clock, events, take
        self._credentials, self._reports = credentials, reports
        self._folder: TemporaryDirectory[str] | None = None
        self.vtn = self._emulated() if table.emulate else None
        self._ven: Ven | None = None
        self._talk: asyncio.Task[Heard] | None = None
        self._outbox: deque[Message] = deque()
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
        offer = self._offer if self._reports is not None and self._reports.points() else None
        self._ven = Ven(url, self._table.ven, self._credentials, offer)
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

    def _offer(self) -> dict[str, Any]:
        assert self._reports is not None
        utc_s = self._clock.start_utc_s + self._clock.now_s()
        return offered(self._reports.points(), self._reports.interval_s, utc_s)

    def _emulated(self) -> EmulatedVtn:
        """Return a VTN of this rig's own, both ends with certificates of the day if it says so."""
        if not self._table.secured:
            return EmulatedVtn(self._table.poll_s, report_s=self._table.report_s)
        self._folder = TemporaryDirectory(prefix="gridrig-openadr-")
        authority = ThrowawayAuthority(Path(self._folder.name))
        vtn = replace(authority.issue("vtn"), signs=self._table.signs)
        ven = authority.issue("ven")
        self._credentials = replace(ven, vtn_fingerprint=vtn.fingerprint, signs=self._table.signs)
        return EmulatedVtn(self._table.poll_s, vtn, ven.fingerprint, self._table.report_s)

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
        """Take what the last poll brought, and talk again when there is something to. [s]"""
        utc_s = self._clock.start_utc_s + t_s
        if self._reports is not None:
            for request, samples in self._reports.due(utc_s):
                self._send(partial(Ven.tell, request=request, samples=samples, utc_s=utc_s))
        if self._talk is not None and not self._talk.done():
            return
        if self._talk is not None:
            self._collect(self._talk, utc_s)
            self._talk = None
        if (self._outbox and not self._lost) or t_s >= self._next_s:
            self._talk = asyncio.create_task(self._converse())
            self._next_s = t_s + self._table.poll_s

    def _send(self, message: Message) -> None:
        if len(self._outbox) == OUTBOX_MAX:
            self._outbox.popleft()
            self._events.record("vtn_told_not", cause=f"{OUTBOX_MAX} messages wait")
        self._outbox.append(message)

    async def _converse(self) -> Heard:
        """Send what waits, and poll; what was not taken stays for the next time."""
        assert self._ven is not None
        while self._outbox:
            message = self._outbox[0]
            try:
                await message(self._ven)
            except GridrigError as error:
                if error.code != "openadr.refused":
                    raise
                self._events.record("vtn_told_not", cause=error.cause)
            if self._outbox and self._outbox[0] is message:
                self._outbox.popleft()
        return await self._ven.poll()

    def _collect(self, talk: asyncio.Task[Heard], utc_s: float) -> None:
        try:
            heard = talk.result()
        except GridrigError as error:
            if not self._lost:
                self._events.record("vtn_lost", code=error.code)
            self._lost = True
            return
        if self._lost:
            self._events.record("vtn_back")
        self._lost = False
        for event in heard.events:
            refusal = event.refusal or self._take(event) or ""
            kind = "order_refused" if refusal else "order_heard"
            self._events.record(kind, order=event.event_id, cause=refusal)
            self._send(partial(Ven.answer, event=event, refusal=refusal))
        if self._reports is not None:
            self._arrange(self._reports, heard, utc_s)

    def _arrange(self, reports: FleetReports, heard: Heard, utc_s: float) -> None:
        """Begin and end reports as the VTN wants them."""
        if heard.anew:
            reports.forget()
        why = ""
        for request in heard.wanted:
            refusal = reports.take(request, utc_s)
            kind = "report_refused" if refusal else "report_wanted"
            self._events.record(kind, report=request.request_id, cause=refusal)
            why = why or refusal
        for request_id in heard.unwanted:
            if reports.cancel(request_id):
                self._events.record("report_ended", report=request_id)
        running = reports.running()
        if heard.wanted:
            agreed = [one.request_id for one in heard.wanted if one.request_id in running]
            self._send(partial(Ven.agree, request_id=heard.request_id, agreed=agreed, refusal=why))
        if heard.unwanted:
            self._send(partial(Ven.end, request_id=heard.request_id, running=running))
