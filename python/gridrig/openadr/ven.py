"""The rig's end of OpenADR 2.0b: registers with a VTN, polls it, and answers each event.

Understood is the signal LOAD_DISPATCH of the type delta: by how much load is to change, negative
for less. Ours is the other way round, power into the grid. Whether an event is near, active or over
is judged by the rig's clock, never by the status it carries: the library that speaks has no other
clock than the machine's.

References
----------
.. [1] OpenADR Alliance, "OpenADR 2.0 Profile Specification, B Profile," 2013.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from gridrig.errors import GridrigError
from gridrig.openadr.conversation import OK, REGISTRATION, REREGISTRATION, Conversation
from gridrig.openadr.library import KIND, SIGNAL
from gridrig.openadr.reports import ReportRequest, Sample, requested, told
from gridrig.openadr.security import Credentials

OUT_OF_SEQUENCE = 450
SIGNAL_NOT_SUPPORTED, REPORT_NOT_SUPPORTED, TARGET_MISMATCH = 460, 461, 462
SCALES = {"none": 1.0, "k": 1e3, "M": 1e6}


@dataclass(frozen=True)
class Interval:
    """One interval of an event. [s since 1970, s, W into the grid]"""

    from_utc_s: float
    duration_s: float
    p_w: float


@dataclass(frozen=True)
class HeardEvent:
    """An event of the VTN.

    Parameters
    ----------
    event_id, request_id : str
        By which it is answered.
    modification : int
        0 at first; a higher one takes the place of a lower one, and never the other way round.
    cancelled : bool
        Whether it takes the event back.
    targets : tuple of str
        Resources it is for; empty for all.
    intervals : tuple of Interval
        What is ordered; empty if it is not understood.
    refusal : str
        Why it cannot be followed, whoever it is for; empty if it can.
    code : int
        The response code of that.
    """

    event_id: str
    request_id: str
    modification: int
    cancelled: bool
    targets: tuple[str, ...]
    intervals: tuple[Interval, ...]
    refusal: str = ""
    code: int = OK


@dataclass(frozen=True)
class Heard:
    """What a poll brought.

    Parameters
    ----------
    events : tuple of HeardEvent
        Orders.
    wanted : tuple of ReportRequest
        Reports that the VTN wants from now on.
    unwanted : tuple of str
        Requests for reports that it takes back.
    request_id : str
        By which requests are answered.
    anew : bool
        Whether the VTN had forgotten this VEN, and what it wanted before.
    """

    events: tuple[HeardEvent, ...] = ()
    wanted: tuple[ReportRequest, ...] = ()
    unwanted: tuple[str, ...] = ()
    request_id: str = ""
    anew: bool = False


class Ven:
    """A virtual end node.

    Parameters
    ----------
    url : str
        Of the VTN, "https://HOST:PORT/OpenADR2/Simple/2.0b" or, without credentials, "http:".
    name : str
        By which it registers.
    credentials : Credentials or None
        What TLS is made with.
    offer : callable or None
        Returns the report that is offered now, as `reports.offered` does; None if there is none.
    """

    def __init__(
        self,
        url: str,
        name: str,
        credentials: Credentials | None = None,
        offer: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        self._talk, self._name = Conversation(url, credentials), name
        self._offer = offer
        self._ven_id: str | None = None
        self._first = Heard()
        self._modifications: dict[str, int] = {}

    async def open(self) -> None:
        """Register, and offer the report.

        Raises
        ------
        GridrigError
            `openadr.not_registered`; and as `Conversation.open` and `.ask`.
        """
        await self._talk.open()
        await self._register()

    async def poll(self) -> Heard:
        """Ask for what is new; a VTN that forgot this VEN is registered with again.

        Raises
        ------
        GridrigError
            As `open`.
        """
        first, self._first = self._first, Heard()
        if first.wanted:
            return first
        kind, payload = await self._talk.ask("OadrPoll", "oadrPoll", ven_id=self._ven_id)
        if kind == REREGISTRATION:
            await self._register()
            again, self._first = self._first, Heard()
            return replace(again, anew=True)
        try:
            heard = _understood(kind, payload)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise GridrigError(
                "openadr.not_understood",
                "the VTN at {url} sends {kind} in which something lacks: {cause}",
                url=self._talk.url,
                kind=kind,
                cause=repr(error),
            ) from error
        return replace(heard, events=tuple(map(self._in_sequence, heard.events)))

    def _in_sequence(self, event: HeardEvent) -> HeardEvent:
        """Refuse an event that has been modified since; the same again is no later one."""
        latest = self._modifications.setdefault(event.event_id, event.modification)
        if event.modification < latest:
            refusal = f"modification {event.modification}, {latest} was heard before"
            return replace(event, intervals=(), refusal=refusal, code=OUT_OF_SEQUENCE)
        self._modifications[event.event_id] = event.modification
        return event

    async def answer(self, event: HeardEvent, refusal: str = "") -> None:
        """Say that an event will be followed or, with the reason, that it will not.

        Raises
        ------
        GridrigError
            As `Conversation.ask`.
        """
        code = OK
        if refusal:
            code = event.code if event.refusal else TARGET_MISMATCH
        decision = {
            "event_id": event.event_id,
            "modification_number": event.modification,
            "opt_type": "optOut" if refusal else "optIn",
        }
        await self._say(
            "EiEvent",
            "oadrCreatedEvent",
            response=_response(OK, event.request_id),
            event_responses=[_response(code, event.request_id, refusal) | decision],
        )

    async def agree(self, request_id: str, agreed: Sequence[str], refusal: str = "") -> None:
        """Say which reports will come and, if one will not, why.

        Raises
        ------
        GridrigError
            As `Conversation.ask`.
        """
        await self._say(
            "EiReport",
            "oadrCreatedReport",
            response=_response(REPORT_NOT_SUPPORTED if refusal else OK, request_id, refusal),
            pending_reports=[{"report_request_id": one} for one in agreed],
        )

    async def end(self, request_id: str, running: Sequence[str]) -> None:
        """Say that a report was ended, and which still come.

        Raises
        ------
        GridrigError
            As `Conversation.ask`.
        """
        await self._say(
            "EiReport",
            "oadrCanceledReport",
            response=_response(OK, request_id),
            pending_reports=[{"report_request_id": one} for one in running],
        )

    async def tell(self, request: ReportRequest, samples: Sequence[Sample], utc_s: float) -> None:
        """Send the figures of a report.

        Raises
        ------
        GridrigError
            As `Conversation.ask`.
        """
        await self._say(
            "EiReport",
            "oadrUpdateReport",
            request_id=str(uuid4()),
            reports=[told(request, samples, utc_s)],
        )

    async def close(self) -> None:
        """Close the connection."""
        await self._talk.close()

    async def _say(self, service: str, kind: str, **payload: Any) -> None:
        answer, _ = await self._talk.ask(service, kind, ven_id=self._ven_id, **payload)
        if answer == REREGISTRATION:  # what the next poll does
            raise GridrigError(
                "openadr.refused",
                "the VTN at {url} {cause}",
                url=self._talk.url,
                cause=f"takes no {kind} of a VEN that it does not know",
            )

    async def _register(self) -> None:
        asked = await self._talk.ask(
            "EiRegisterParty", "oadrQueryRegistration", request_id=str(uuid4())
        )
        request_id = (asked[1].get("response") or {}).get("request_id") or str(uuid4())
        credentials = self._talk.credentials
        _, said = await self._talk.ask(
            "EiRegisterParty",
            REGISTRATION,
            request_id=request_id,
            ven_name=self._name,
            ven_id=self._ven_id,
            registration_id=None,
            profile_name="2.0b",
            transport_name="simpleHttp",
            transport_address=None,
            report_only=False,
            xml_signature=credentials is not None and credentials.signs,
            http_pull_model=True,
        )
        if not said.get("registration_id") or not said.get("ven_id"):
            shown = f", certificate {credentials.fingerprint}" if credentials else ""
            raise GridrigError(
                "openadr.not_registered",
                "the VTN at {url} does not register {name!r}{shown}",
                url=self._talk.url,
                name=self._name,
                shown=shown,
            )
        self._ven_id = str(said["ven_id"])
        if self._offer is not None:
            _, said = await self._talk.ask(
                "EiReport",
                "oadrRegisterReport",
                ven_id=self._ven_id,
                request_id=str(uuid4()),
                reports=[self._offer()],
            )
            request_id = str((said.get("response") or {}).get("request_id", ""))
            self._first = Heard(wanted=tuple(requested(said)), request_id=request_id)


def _response(code: int, request_id: str, refusal: str = "") -> dict[str, Any]:
    return {
        "response_code": code,
        "response_description": refusal or "OK",
        "request_id": request_id,
    }


def _understood(kind: str, payload: Mapping[str, Any]) -> Heard:
    request_id = str(payload.get("request_id", ""))
    if kind == "oadrDistributeEvent":
        events = tuple(_heard(event, request_id) for event in payload.get("events", ()))
        return Heard(events, request_id=request_id)
    if kind == "oadrCreateReport":
        return Heard(wanted=tuple(requested(payload)), request_id=request_id)
    if kind == "oadrCancelReport":
        unwanted = payload["report_request_id"]
        several = unwanted if isinstance(unwanted, list) else [unwanted]
        return Heard(unwanted=tuple(map(str, several)), request_id=request_id)
    return Heard()


def _heard(event: Mapping[str, Any], request_id: str) -> HeardEvent:
    descriptor, signals = event["event_descriptor"], event["event_signals"]
    intervals: list[Interval] = []
    refusal = ""
    kinds = [(signal["signal_name"], signal["signal_type"]) for signal in signals]
    if kinds == [(SIGNAL, KIND)]:
        measurement = signals[0].get("measurement") or {}
        scale = SCALES.get(str(measurement.get("scale", "none")))
        begins_s = event["active_period"]["dtstart"].timestamp()
        for interval in signals[0]["intervals"]:
            lasts_s, payload = interval["duration"].total_seconds(), interval["signal_payload"]
            # XML's numbers have INF and NaN, which no device can follow.
            p_w = math.nan if scale is None else 0.0 - float(payload) * scale
            if math.isfinite(p_w) and lasts_s > 0:
                intervals.append(Interval(begins_s, lasts_s, p_w))
            elif scale is not None and lasts_s > 0:
                refusal = f"an interval of {payload}, expected a power"
            else:
                refusal = f"an interval of {lasts_s:g} s in {measurement.get('scale')!r}"
            begins_s += lasts_s
    else:
        refusal = f"signals {kinds}, expected one of {SIGNAL} {KIND}"
    targets = tuple(
        str(target["resource_id"])
        for target in event.get("targets") or ()
        if target.get("resource_id")
    )
    return HeardEvent(
        str(descriptor["event_id"]),
        request_id,
        int(descriptor["modification_number"]),
        descriptor["event_status"] == "cancelled",
        targets,
        () if refusal else tuple(intervals),
        refusal,
        SIGNAL_NOT_SUPPORTED if refusal else OK,
    )
