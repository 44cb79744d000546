"""The rig's end of OpenADR 2.0b: registers with a VTN, polls it, and answers each event.

Understood is the signal LOAD_DISPATCH of the type delta: by how much load is to change, negative
for less. Ours is the other way round, power into the grid. Whether an event is near, active or over
is judged by the rig's clock, never by the status it carries: the library that speaks has no other
clock than the machine's.

References
----------
.. [1] OpenADR Alliance, "OpenADR 2.0 Profile Specification, B Profile," 2013.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from gridrig.errors import GridrigError
from gridrig.openadr.conversation import OK, Conversation
from gridrig.openadr.library import KIND, SIGNAL
from gridrig.openadr.security import Credentials

SIGNAL_NOT_SUPPORTED, TARGET_MISMATCH = 460, 462
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
        0 at first; a later one takes the place of an earlier one.
    cancelled : bool
        Whether it takes the event back.
    targets : tuple of str
        Resources it is for; empty for all.
    intervals : tuple of Interval
        What is ordered; empty if it is not understood.
    refusal : str
        Why it is not understood; empty if it is.
    """

    event_id: str
    request_id: str
    modification: int
    cancelled: bool
    targets: tuple[str, ...]
    intervals: tuple[Interval, ...]
    refusal: str = ""


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
    """

    def __init__(self, url: str, name: str, credentials: Credentials | None = None) -> None:
        self._talk, self._name = Conversation(url, credentials), name
        self._ven_id: str | None = None

    async def open(self) -> None:
        """Register.

        Raises
        ------
        GridrigError
            `openadr.not_registered`; and as `Conversation.open` and `.ask`.
        """
        await self._talk.open()
        await self._register()

    async def poll(self) -> list[HeardEvent]:
        """Ask for what is new; a VTN that forgot this VEN is registered with again.

        Raises
        ------
        GridrigError
            As `Conversation.ask`.
        """
        kind, payload = await self._talk.ask("OadrPoll", "oadrPoll", ven_id=self._ven_id)
        if kind == "oadrRequestReregistration":
            await self._register()
        if kind != "oadrDistributeEvent":
            return []
        request = str(payload["request_id"])
        return [_heard(event, request) for event in payload.get("events", ())]

    async def answer(self, event: HeardEvent, refusal: str = "") -> None:
        """Say that an event will be followed or, with the reason, that it will not.

        Raises
        ------
        GridrigError
            As `Conversation.ask`.
        """
        code = OK
        if refusal:
            code = SIGNAL_NOT_SUPPORTED if event.refusal else TARGET_MISMATCH
        response = {
            "response_code": code,
            "response_description": refusal or "OK",
            "request_id": event.request_id,
        }
        decision = {
            "event_id": event.event_id,
            "modification_number": event.modification,
            "opt_type": "optOut" if refusal else "optIn",
        }
        await self._talk.ask(
            "EiEvent",
            "oadrCreatedEvent",
            ven_id=self._ven_id,
            response=response | {"response_code": OK, "response_description": "OK"},
            event_responses=[response | decision],
        )

    async def close(self) -> None:
        """Close the connection."""
        await self._talk.close()

    async def _register(self) -> None:
        asked = await self._talk.ask(
            "EiRegisterParty", "oadrQueryRegistration", request_id=str(uuid4())
        )
        request_id = (asked[1].get("response") or {}).get("request_id") or str(uuid4())
        credentials = self._talk.credentials
        _, said = await self._talk.ask(
            "EiRegisterParty",
            "oadrCreatePartyRegistration",
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
            lasts_s = interval["duration"].total_seconds()
            if scale is not None and lasts_s > 0:
                p_w = 0.0 - float(interval["signal_payload"]) * scale
                intervals.append(Interval(begins_s, lasts_s, p_w))
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
    )
