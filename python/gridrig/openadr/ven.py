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

from gridrig.errors import GridrigError
from gridrig.openadr.library import KIND, SIGNAL, openleadr

OK = 200
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
        Of the VTN, "http://HOST:PORT/OpenADR2/Simple/2.0b".
    name : str
        By which it registers.
    """

    def __init__(self, url: str, name: str) -> None:
        self._url, self._name = url, name
        self._client: Any = None

    async def open(self) -> None:
        """Register.

        Raises
        ------
        GridrigError
            `openadr.not_installed`, `openadr.no_answer`, `openadr.not_registered`.
        """
        library = openleadr()
        import aiohttp

        self._client = library.OpenADRClient(ven_name=self._name, vtn_url=self._url)
        # A connection for each request: none is closed for being idle by another clock than ours.
        self._client.client_session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True),
            headers={"content-type": "application/xml"},
            timeout=aiohttp.ClientTimeout(sock_connect=5, sock_read=10),
        )
        await self._asked(self._client.query_registration())
        await self._asked(self._client.create_party_registration())
        if self._client.registration_id is None:
            raise GridrigError(
                "openadr.not_registered",
                "the VTN at {url} does not register {name!r}",
                url=self._url,
                name=self._name,
            )

    async def poll(self) -> list[HeardEvent]:
        """Ask for what is new.

        Raises
        ------
        GridrigError
            `openadr.no_answer`.
        """
        kind, payload = await self._asked(self._client.poll())
        if kind != "oadrDistributeEvent":
            return []
        request = str(payload["request_id"])
        return [_heard(event, request) for event in payload.get("events", ())]

    async def answer(self, event: HeardEvent, *, opts_in: bool) -> None:
        """Say whether an event will be followed."""
        await self._client.created_event(
            event.request_id,
            event.event_id,
            "optIn" if opts_in else "optOut",
            event.modification,
        )

    async def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.client_session.close()

    async def _asked(self, question: Any) -> tuple[str, Mapping[str, Any]]:
        answer = await question
        if answer is None or answer[0] is None:
            raise GridrigError(
                "openadr.no_answer",
                "no answer of OpenADR 2.0b from the VTN at {url}",
                url=self._url,
            )
        kind, payload = answer
        return kind, payload


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
