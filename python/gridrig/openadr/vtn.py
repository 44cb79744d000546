"""An emulated VTN, as a grid operator has one: takes one VEN, and gives it what it is told to.

A server on a real socket. The status and creation time in its messages follow the machine's clock
where the library writes them; the times of orders follow the rig's.
"""

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gridrig.openadr.library import KIND, PATH, SIGNAL, openleadr
from gridrig.openadr.security import Credentials

VEN_ID = "ven-1"


@dataclass(frozen=True)
class Figure:
    """What a VEN told of an interval: in W or Wh, NaN for nothing, and how good it is.

    Parameters
    ----------
    confidence : int
        Share of the meters that it is of. [%]
    """

    value: float
    quality: str
    confidence: int


class EmulatedVtn:
    """A virtual top node on a free port of this machine.

    Parameters
    ----------
    poll_s : float
        How often it wants to be asked. [s]
    credentials : Credentials or None
        What TLS is made with, and signatures if it signs.
    ven_fingerprint : str
        Of the certificate that its VEN has to show.
    report_s : int
        At which granularity it wants every report that it is offered; 0 for none. [s]
    """

    def __init__(
        self,
        poll_s: float,
        credentials: Credentials | None = None,
        ven_fingerprint: str = "",
        report_s: int = 0,
    ) -> None:
        self._poll_s, self._report_s = poll_s, report_s
        self._credentials, self._ven_fingerprint = credentials, ven_fingerprint
        self.waiting: list[dict[str, Any]] = []
        """Events that the VEN has not fetched yet."""
        self._runner: Any = None
        self.answers: dict[str, str] = {}
        """What the VEN answered to each event: "optIn" or "optOut"."""
        self.wanted: list[dict[str, Any]] = []
        """Requests for reports that the VEN has not fetched yet."""
        self.agreed: list[str] = []
        """Requests that the VEN said it will tell."""
        self.figures: dict[tuple[str, int], Figure] = {}
        """What it was told, by data point and beginning of the interval. [s since 1970]"""

    async def open(self) -> str:
        """Serve, and return the URL."""
        library = openleadr()
        from aiohttp import web

        secured: dict[str, Any] = {}
        if (files := self._credentials) is not None:
            secured |= {
                "http_cert": files.certfile, "http_key": files.keyfile,
                "http_ca_file": files.cafile, "verify_message_signatures": files.signs,
            }  # fmt: skip
            if files.signs:
                secured |= {"cert": files.certfile, "key": files.keyfile}
        with warnings.catch_warnings():
            # How the library keeps its server in aiohttp's application is not ours to change.
            warnings.simplefilter("ignore", web.NotAppKeyWarning)
            server = library.OpenADRServer(
                vtn_id="emulated-vtn",
                requested_poll_freq=timedelta(seconds=self._poll_s),
                ven_lookup=self._known,
                show_fingerprint=False,
                **secured,
            )
        server.add_handler("on_poll", self._polled)
        server.add_handler("on_created_event", self._answered)
        server.add_handler("on_create_party_registration", self._registered)
        server.add_handler("on_register_report", self._offered)
        server.add_handler("on_created_report", self._agreed)
        server.add_handler("on_update_report", self._told)
        self._runner = web.AppRunner(server.app)
        await self._runner.setup()
        await web.TCPSite(
            self._runner, host="127.0.0.1", port=0, ssl_context=server.ssl_context
        ).start()
        scheme = "http" if self._credentials is None else "https"
        return f"{scheme}://127.0.0.1:{self._runner.addresses[0][1]}{PATH}"

    def issue(
        self, event_id: str, target: str | None, *, from_utc_s: float, duration_s: float, p_w: float
    ) -> None:
        """Order something of a resource, or of all: the VEN hears it when it asks next.

        Parameters
        ----------
        p_w : float
            Power into the grid; on the wire it is a change of load, the other way round. [W]
        """
        measurement = asdict(openleadr().enums.MEASUREMENTS.REAL_POWER)
        begins = datetime.fromtimestamp(from_utc_s, UTC)
        lasts = timedelta(seconds=duration_s)
        signal = {
            "signal_name": SIGNAL,
            "signal_type": KIND,
            "signal_id": f"{event_id}-signal",
            "measurement": measurement,
            "intervals": [{"dtstart": begins, "duration": lasts, "signal_payload": 0.0 - p_w}],
        }
        self.waiting.append(
            {
                "event_descriptor": {
                    "event_id": event_id,
                    "modification_number": 0,
                    "modification_date_time": begins,
                    "priority": 0,
                    "market_context": "http://gridrig.invalid/emulated",
                    "created_date_time": begins,
                    "event_status": "far",
                    "test_event": False,
                },
                "active_period": {"dtstart": begins, "duration": lasts},
                "event_signals": [signal],
                "targets": [{"resource_id": target} if target else {"ven_id": VEN_ID}],
                "response_required": "always",
            }
        )

    async def close(self) -> None:
        """Stop serving."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _known(self, ven_id: str) -> Mapping[str, str] | None:
        if ven_id != VEN_ID:
            return None
        known = {"ven_id": VEN_ID, "registration_id": "registration-1"}
        return known | {"fingerprint": self._ven_fingerprint}

    def _registered(self, payload: Mapping[str, Any]) -> tuple[str, str] | bool:
        if self._credentials is not None and payload["fingerprint"] != self._ven_fingerprint:
            return False
        return VEN_ID, "registration-1"

    def _polled(self, ven_id: str) -> tuple[str, dict[str, Any]] | None:
        if ven_id != VEN_ID:
            return None
        if self.wanted:
            return "oadrCreateReport", {"report_requests": [self.wanted.pop(0)]}
        if not self.waiting:
            return None
        events, self.waiting = self.waiting, []
        return "oadrDistributeEvent", {"events": events}

    def _answered(self, ven_id: str, event_id: str, opt_type: str) -> None:
        if ven_id == VEN_ID:
            self.answers[event_id] = opt_type

    def _offered(self, report: Mapping[str, Any]) -> None:
        if not self._report_s:
            return
        interval = timedelta(seconds=self._report_s)
        points = [
            {"r_id": one["r_id"], "reading_type": one["reading_type"]}
            for one in report["report_descriptions"]
        ]
        specifier = {
            "report_specifier_id": report["report_specifier_id"],
            "granularity": interval,
            "report_back_duration": interval,
            "specifier_payloads": points,
        }
        self.wanted.append({"report_request_id": "report-1", "report_specifier": specifier})

    def _agreed(self, payload: Mapping[str, Any]) -> None:
        self.agreed += [one["report_request_id"] for one in payload["pending_reports"]]

    def _told(self, report: Mapping[str, Any]) -> None:
        for interval in report["intervals"]:
            said = interval["report_payload"]
            place = (str(said["r_id"]), int(interval["dtstart"].timestamp()))
            value, quality = float(said["value"]), str(said["data_quality"])
            self.figures[place] = Figure(value, quality, int(said["confidence"]))
