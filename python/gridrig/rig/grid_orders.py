"""`[aggregator] openadr`: where a grid operator's orders come from, and by which certificates."""

from dataclasses import dataclass
from typing import Annotated

from gridrig.openadr.reports import LONGEST_S
from gridrig.openadr.security import FINGERPRINT
from gridrig.rig.issues import At, Issues, shown
from gridrig.rig.schema import Name, Positive, between

FILES = ("cafile", "certfile", "keyfile")


@dataclass(frozen=True)
class OpenAdr:
    """Where orders come from over OpenADR 2.0b.

    Parameters
    ----------
    url : str or None
        Of the VTN, "https://HOST:PORT/OpenADR2/Simple/2.0b"; None with an emulated one.
    ven : str
        The name by which the rig registers.
    poll_s : float
        From one poll to the next. [s]
    report_s : int
        From one reading of the fleets' meters to the next, which the VTN may ask to be told. [s]
    cafile, certfile, keyfile : str or None
        Who may have signed the VTN's certificate, and the rig's own; PEM, relative to the rig file.
    vtn_fingerprint : str or None
        Of the certificate by which the VTN signs its messages or, unless `signs`, answers TLS.
    signs : bool
        Whether messages are signed, which is the profile's high security.
    emulate : bool
        Whether the rig has a VTN of its own, which tells what the scenario orders.
    secured : bool
        Whether the emulated VTN and the rig talk over TLS, with certificates made for the run.
    """

    url: Name | None = None
    ven: Name = "gridrig"
    poll_s: Positive = 30.0
    report_s: Annotated[int, between(1, LONGEST_S)] = 900
    cafile: Name | None = None
    certfile: Name | None = None
    keyfile: Name | None = None
    vtn_fingerprint: Name | None = None
    signs: bool = False
    emulate: bool = False
    secured: bool = False


def check_openadr(wire: OpenAdr, at: At, clock: str | None, issues: Issues) -> None:
    """Check that an address, its certificates and the clock go together."""
    if (wire.url is None) != wire.emulate:
        found = "neither url nor emulate" if wire.url is None else "url and emulate"
        issues.add(at, found, "the url of a VTN, or emulate = true")
    elif wire.url is not None and clock == "virtual":
        expected = 'clock = "wall", since this VTN is outside'
        issues.add(at.key("url"), shown(wire.url), expected)
    given = [key for key in FILES if getattr(wire, key) is not None]
    if wire.emulate:
        _check_emulated(wire, given, at, issues)
    elif wire.url is not None:
        _check_outside(wire, wire.url, given, at, issues)
    printed = wire.vtn_fingerprint
    if printed is not None and not FINGERPRINT.fullmatch(printed):
        issues.add(at.key("vtn_fingerprint"), shown(printed), "ten bytes as AB:CD:...")


def _check_emulated(wire: OpenAdr, given: list[str], at: At, issues: Issues) -> None:
    for key in (*given, *(["vtn_fingerprint"] if wire.vtn_fingerprint else [])):
        issues.add(at.key(key), shown(getattr(wire, key)), "none: secured = true makes its own")
    if wire.signs and not wire.secured:
        issues.add(at.key("signs"), "signatures without certificates", "secured = true")


def _check_outside(wire: OpenAdr, url: str, given: list[str], at: At, issues: Issues) -> None:
    if not url.startswith(("http://", "https://")):
        issues.add(at.key("url"), shown(url), "https://HOST:PORT/OpenADR2/Simple/2.0b")
    elif url.startswith("https://"):
        for key in FILES:
            if key not in given:
                issues.add(at.key(key), "none", "a file in PEM: OpenADR's TLS has two sides")
    elif given or wire.signs or wire.vtn_fingerprint:
        found = f"{shown(url)} with certificates or fingerprint"
        issues.add(at.key("url"), found, "https://, which they are for")
    if wire.signs and wire.vtn_fingerprint is None:
        issues.add(at.key("vtn_fingerprint"), "none", "whose signatures are believed")
    if wire.secured:
        issues.add(at.key("secured"), "true", "none: it is the emulated VTN's")
