"""Questions of a VEN and a VTN's answers: one HTTP request each, checked before it is believed.

Messages are written, read and signed by openleadr; asked, timed and refused here, since its own
client only logs what went wrong and goes on.

References
----------
.. [1] OpenADR Alliance, "OpenADR 2.0 Profile Specification, B Profile," 2013: a requestID matches
       up a request and its response.
"""

import ssl
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature

from gridrig.errors import GridrigError
from gridrig.openadr.library import openleadr
from gridrig.openadr.message_shape import check_covered, check_document
from gridrig.openadr.security import Credentials

CONNECT_S, READ_S, ANSWER_S = 5, 10, 60  # to connect, to the next bytes, to the last
ANSWER_BYTES_MAX = 1_000_000
OK = 200
REGISTRATION, REREGISTRATION = "oadrCreatePartyRegistration", "oadrRequestReregistration"
HTTP_OF_ITS_OWN = 500  # from here on the VTN fails, whatever it is asked


class Conversation:
    """A VEN's way to its VTN.

    Parameters
    ----------
    url : str
        Of the VTN, "https://HOST:PORT/OpenADR2/Simple/2.0b", or "http:" without credentials.
    credentials : Credentials or None
        What TLS is made with.
    """

    def __init__(self, url: str, credentials: Credentials | None = None) -> None:
        self.url, self.credentials = url.rstrip("/"), credentials
        self._session: Any = None
        self._signed_with: dict[str, Any] = {}

    async def open(self) -> None:
        """Read what is needed; nothing is asked yet.

        Raises
        ------
        GridrigError
            `openadr.not_installed`, `openadr.file`; `openadr.no_fingerprint`, of signatures that
            nobody vouches for: a message brings its own certificate, which `cafile` does not judge.
        """
        openleadr()
        import aiohttp

        secured: dict[str, Any] = {}
        if self.credentials is not None:
            self.credentials.check()
            if self.credentials.signs and not self.credentials.vtn_fingerprint:
                raise GridrigError(
                    "openadr.no_fingerprint",
                    "messages of {url} are to be signed, expected its vtn_fingerprint",
                    url=self.url,
                )
            secured = {"ssl": self.credentials.client_context()}
            if self.credentials.signs:
                for name in ("cert", "key"):
                    with open(getattr(self.credentials, f"{name}file"), "rb") as file:
                        self._signed_with[name] = file.read()
        self._session = aiohttp.ClientSession(
            # A connection for each request: none is closed for being idle by another clock.
            connector=aiohttp.TCPConnector(force_close=True, **secured),
            headers={"content-type": "application/xml"},
            timeout=aiohttp.ClientTimeout(ANSWER_S, sock_connect=CONNECT_S, sock_read=READ_S),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def ask(self, service: str, kind: str, **payload: Any) -> tuple[str, Mapping[str, Any]]:
        """Send a message, and return the kind and payload of the answer.

        Parameters
        ----------
        service : str
            "EiRegisterParty", "EiEvent", "EiReport" or "OadrPoll".
        kind : str
            Of the message, "oadrPoll" and so on.

        Returns
        -------
        tuple of str and mapping
            As openleadr reads them; an empty answer is "".

        Raises
        ------
        GridrigError
            `openadr.no_answer`; `openadr.vtn_not_trusted`, by its certificate;
            `openadr.ven_not_trusted`, by ours; `openadr.signature`; `openadr.not_understood`;
            `openadr.refused`; `openadr.mismatched`, of an answer to another message or VEN.
        """
        from openleadr.messaging import create_message

        message = create_message(kind, **self._signed_with, **payload)
        content = await self._post(f"{self.url}/{service}", kind, message)
        if not content:
            return "", {}
        answer, said = self._believed(content)
        response = said.get("response") or {}
        code = response.get("response_code", OK)
        if code != OK:
            raise self._failed(
                "refused",
                f"refuses {kind} with {code}: {response.get('response_description', '')}",
            )
        self._check_matches(kind, payload, answer, said)
        return answer, said

    def _check_matches(
        self, kind: str, asked: Mapping[str, Any], answer: str, said: Mapping[str, Any]
    ) -> None:
        """Refuse an answer that was meant for another message, or for another VEN.

        Messages with a requestID are answered with the same one [1]_; a poll and the answer to an
        event have none. Whom a VTN registers gets the venID that it says.
        """
        pairs = []
        if "request_id" in asked and answer != REREGISTRATION:
            echoed = (said.get("response") or {}).get("request_id")
            pairs.append(("requestID", echoed or "", asked["request_id"]))
        if asked.get("ven_id") and said.get("ven_id") and kind != REGISTRATION:
            pairs.append(("venID", said["ven_id"], asked["ven_id"]))
        for name, found, expected in pairs:
            if str(found) != str(expected):
                cause = f"answers {kind} with {name} {str(found)!r}, expected {str(expected)!r}"
                raise self._failed("mismatched", cause)

    async def _post(self, url: str, kind: str, message: str) -> bytes:
        import aiohttp

        try:
            async with self._session.post(url, data=message, allow_redirects=False) as answer:
                content = bytearray()
                async for chunk in answer.content.iter_chunked(1 << 16):
                    content += chunk
                    if len(content) > ANSWER_BYTES_MAX:
                        cause = f"answers {kind} with more than {ANSWER_BYTES_MAX} bytes"
                        raise self._failed("not_understood", cause)
                if answer.status != OK:
                    text = f"answers {kind} with HTTP {answer.status} "
                    text += content.decode("utf-8", "replace")[:200]
                    broken = answer.status >= HTTP_OF_ITS_OWN
                    raise self._failed("no_answer" if broken else "refused", text)
                return bytes(content)
        except aiohttp.ClientConnectorCertificateError as error:
            cause = str(error.certificate_error)
            raise self._failed("vtn_not_trusted", f"is not trusted: {cause}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            alert, cause = _alert(error), str(error) or type(error).__name__
            shown = self.credentials.fingerprint if self.credentials is not None else ""
            if alert is not None and shown:
                text = f"does not trust the VEN's certificate {shown}: {alert}"
                raise self._failed("ven_not_trusted", text) from error
            if shown:  # Many servers say no more to whom they do not trust.
                cause = f"{cause}; the VEN's certificate is {shown}"
            raise self._failed("no_answer", f"does not answer: {alert or cause}") from error

    def _believed(self, content: bytes) -> tuple[str, Mapping[str, Any]]:
        from openleadr.errors import FingerprintMismatch
        from openleadr.messaging import parse_message, validate_xml_schema, validate_xml_signature

        try:
            check_document(content)
            tree = validate_xml_schema(content)
            answer, said = parse_message(content)
        except (SyntaxError, ValueError) as error:  # lxml's own is a SyntaxError
            cause = f"answers what is not OpenADR 2.0b: {getattr(error, 'msg', error)}"
            raise self._failed("not_understood", cause) from error
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            cause = f"answers what is not OpenADR 2.0b: {error!r}"
            raise self._failed("not_understood", cause) from error
        if self.credentials is not None and self.credentials.signs:
            if tree.find(".//{http://www.w3.org/2000/09/xmldsig#}X509Certificate") is None:
                raise self._failed("signature", "does not sign its messages")
            try:
                check_covered(tree)
                validate_xml_signature(tree, self.credentials.vtn_fingerprint or None)
            except (InvalidSignature, FingerprintMismatch, ValueError) as error:
                cause = f"signs what is not believed: {error}"
                raise self._failed("signature", cause) from error
        return str(answer), said

    def _failed(self, code: str, cause: str) -> GridrigError:
        return GridrigError(
            f"openadr.{code}", "the VTN at {url} {cause}", url=self.url, cause=cause
        )


def _alert(error: BaseException) -> str | None:
    """Return what TLS says of a failed connection, None if it is not TLS that failed."""
    at: BaseException | None = error
    while at is not None:
        # aiohttp's own errors of TLS have the one of the ssl module within.
        for one in (getattr(at, "os_error", None), at):
            if isinstance(one, ssl.SSLError) and getattr(one, "reason", None):
                return str(one.reason)
        at = at.__cause__ or at.__context__
    return None
