"""OpenADR over TLS with certificates on both sides: who is let in, who is not, and what is said."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from openleadr import hooks, messaging
from openleadr.messaging import create_message, validate_xml_schema, validate_xml_signature
from openleadr.utils import certificate_fingerprint

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.order_wire import OrderWire
from gridrig.cli import main
from gridrig.clock import Clock, run_virtual
from gridrig.errors import GridrigError, RigError
from gridrig.events import EventLog
from gridrig.openadr.conversation import ANSWER_BYTES_MAX, Conversation
from gridrig.openadr.security import Credentials
from gridrig.openadr.throwaway import ThrowawayAuthority
from gridrig.openadr.ven import Ven
from gridrig.openadr.vtn import VEN_ID, EmulatedVtn
from gridrig.rig.description import load_rig
from gridrig.rig.grid_orders import OpenAdr

START = 1_453_129_200
EMULATED = '{ ven = "gridrig", poll_s = 30, emulate = true, secured = true }'


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a message be as old as a machine at work makes it; that it comes once only stays."""
    monkeypatch.setattr(messaging, "REPLAY_PROTECT_MAX_TIME_DELTA", timedelta(hours=1))


@pytest.fixture
def authority(tmp_path: Path) -> ThrowawayAuthority:
    return ThrowawayAuthority(tmp_path)


def registering(vtn: EmulatedVtn, credentials: Credentials | None) -> GridrigError | None:
    """Try to register and poll, and return the error if there is one."""
    failed: list[GridrigError] = []

    async def body(_: Clock) -> None:
        ven = Ven(await vtn.open(), "gridrig", credentials)
        try:
            await ven.open()
            await ven.poll()
        except GridrigError as error:
            failed.append(error)
        finally:
            await ven.close()
            await vtn.close()

    run_virtual(body, start_utc_s=START)
    return failed[0] if failed else None


@pytest.mark.parametrize("signs", [False, True])
def test_a_run_hears_its_orders_over_tls_and_says_why_it_opts_out(signs: bool) -> None:
    said: list[Mapping[str, Any]] = []

    async def listen(kind: str, payload: Mapping[str, Any]) -> None:
        if kind == "oadrCreatedEvent":
            said.extend(payload["event_responses"])

    async def body(clock: Clock) -> None:
        table = OpenAdr(poll_s=60.0, emulate=True, secured=True, signs=signs)
        events = EventLog(clock, [])
        wire = OrderWire(
            table, clock, events, lambda heard: None if heard.targets == ("ours",) else "whose?"
        )
        await wire.open()
        assert wire.vtn is not None
        wire.issue("ours", from_s=7200, duration_s=1800, p_w=1e3)
        wire.issue("theirs", from_s=7200, duration_s=1800, p_w=1e3)
        for t_s in (0.0, 10.0, 20.0, 30.0):
            await clock.sleep_until(t_s)
            wire.hear(t_s)
        assert wire.vtn.answers == {"order-1": "optIn", "order-2": "optOut"}
        await wire.close()

    hooks.register("before_handle", listen)
    try:
        run_virtual(body, start_utc_s=START)
    finally:
        hooks.HOOKS["before_handle"].remove(listen)
    told = [(one["opt_type"], one["response_code"], one["response_description"]) for one in said]
    assert told == [("optIn", 200, "OK"), ("optOut", 462, "whose?")]


def test_a_fingerprint_is_what_openleadr_calls_one(
    authority: ThrowawayAuthority, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = authority.issue("ven")
    expected = certificate_fingerprint(Path(ours.certfile).read_text())
    assert ours.fingerprint == expected
    assert main(["fingerprint", ours.certfile]) == 0
    assert capsys.readouterr().out == f"{expected}\n"
    assert main(["fingerprint", ours.keyfile]) == 2
    assert "a certificate in PEM" in capsys.readouterr().err


def test_a_ven_of_another_fingerprint_is_not_registered_and_named(
    authority: ThrowawayAuthority,
) -> None:
    known, stranger = authority.issue("known"), authority.issue("stranger")
    error = registering(EmulatedVtn(30.0, authority.issue("vtn"), known.fingerprint), stranger)
    assert error is not None
    assert error.code == "openadr.not_registered"
    assert stranger.fingerprint in str(error)


def test_who_uses_the_name_of_another_is_refused_with_both_fingerprints(
    authority: ThrowawayAuthority,
) -> None:
    known, thief = authority.issue("known"), authority.issue("thief")
    vtn = EmulatedVtn(30.0, authority.issue("vtn"), known.fingerprint)

    async def body(_: Clock) -> None:
        talk = Conversation(await vtn.open(), thief)
        await talk.open()
        with pytest.raises(GridrigError, match=r"openadr\.refused") as refused:
            await talk.ask("OadrPoll", "oadrPoll", ven_id=VEN_ID)
        assert known.fingerprint in str(refused.value)
        assert thief.fingerprint in str(refused.value)
        await talk.close()
        await vtn.close()

    run_virtual(body, start_utc_s=START)


def test_a_certificate_of_another_authority_opens_nothing(
    authority: ThrowawayAuthority, tmp_path: Path
) -> None:
    other = ThrowawayAuthority(tmp_path, "other")
    ours, theirs = authority.issue("ven"), other.issue("foreign")
    # The VTN does not know who signed ours.
    vtn = EmulatedVtn(30.0, authority.issue("vtn"), theirs.fingerprint)
    error = registering(vtn, replace(theirs, cafile=authority.cafile))
    assert error is not None
    # It may close without a word, and whether the reason still comes is chance.
    assert error.code in ("openadr.ven_not_trusted", "openadr.no_answer")
    assert theirs.fingerprint in str(error)
    # We do not know who signed the VTN's.
    vtn = EmulatedVtn(30.0, replace(other.issue("vtn"), cafile=authority.cafile), ours.fingerprint)
    error = registering(vtn, ours)
    assert error is not None
    assert error.code == "openadr.vtn_not_trusted"
    # Nobody is heard without any.
    error = registering(EmulatedVtn(30.0, authority.issue("vtn"), ours.fingerprint), None)
    assert error is not None


def test_a_vtn_that_says_why_it_closes_is_quoted(
    authority: ThrowawayAuthority, tmp_path: Path
) -> None:
    ours, vtn = ThrowawayAuthority(tmp_path, "other").issue("foreign"), authority.issue("vtn")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # By TLS 1.2 the certificate is judged within the handshake.
    context.maximum_version, context.verify_mode = ssl.TLSVersion.TLSv1_2, ssl.CERT_REQUIRED
    context.load_verify_locations(authority.cafile)
    context.load_cert_chain(vtn.certfile, vtn.keyfile)

    def serve(listening: socket.socket) -> None:
        with pytest.raises(ssl.SSLError), listening.accept()[0] as plain:
            context.wrap_socket(plain, server_side=True)

    async def body() -> GridrigError:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = asyncio.create_task(asyncio.to_thread(serve, listening))
            url = f"https://127.0.0.1:{listening.getsockname()[1]}"
            ven = Ven(url, "v", replace(ours, cafile=authority.cafile))
            with pytest.raises(GridrigError) as refused:
                await ven.open()
            await ven.close()
            await server
            return refused.value

    error = asyncio.run(body())
    assert error.code == "openadr.ven_not_trusted"
    assert ours.fingerprint in str(error)


def test_a_vtn_of_another_fingerprint_is_told_nothing(authority: ThrowawayAuthority) -> None:
    ours, right, wrong = (authority.issue(name) for name in ("ven", "right", "wrong"))
    pinned = replace(ours, vtn_fingerprint=right.fingerprint)
    assert registering(EmulatedVtn(30.0, right, ours.fingerprint), pinned) is None
    error = registering(EmulatedVtn(30.0, wrong, ours.fingerprint), pinned)
    assert error is not None
    assert error.code == "openadr.vtn_not_trusted"
    assert right.fingerprint in str(error)
    assert wrong.fingerprint in str(error)


def test_messages_have_to_be_signed_by_whom_was_named(authority: ThrowawayAuthority) -> None:
    signing, right = replace(authority.issue("ven"), signs=True), authority.issue("right")
    pinned = replace(signing, vtn_fingerprint=right.fingerprint)
    signed = EmulatedVtn(30.0, replace(right, signs=True), signing.fingerprint)
    assert registering(signed, pinned) is None
    for vtn, cause in (
        (right, "does not sign"),
        (replace(authority.issue("wrong"), signs=True), "fingerprint"),
    ):
        error = registering(EmulatedVtn(30.0, vtn, signing.fingerprint), pinned)
        assert error is not None
        assert error.code == "openadr.signature"
        assert cause in str(error)
    # A VTN that wants signatures believes none that are not there; openleadr's fails on them.
    error = registering(
        EmulatedVtn(30.0, replace(right, signs=True), signing.fingerprint),
        replace(signing, signs=False),
    )
    assert error is not None
    assert "HTTP 500" in str(error)


def test_signatures_of_nobody_in_particular_are_not_begun_with(
    authority: ThrowawayAuthority,
) -> None:
    signing = replace(authority.issue("ven"), signs=True)
    vtn = replace(authority.issue("vtn"), signs=True)
    error = registering(EmulatedVtn(30.0, vtn, signing.fingerprint), signing)
    assert error is not None
    assert error.code == "openadr.no_fingerprint"


def wrapped(signed: str) -> str:
    """Return a message whose signature is good, of a message put aside; another is in its place."""
    of_signatures = 'xmlns{}="http://www.w3.org/2000/09/xmldsig#"'
    named, default = of_signatures.format(":ds"), of_signatures.format("")
    begin, end = signed.index("<oadr:oadrSignedObject"), signed.rindex("</oadr:oadrPayload>")
    original = signed[begin:end].strip()
    forged = original.replace("<ei:venID>ven-1", "<ei:venID>ven-2")
    forged = forged.replace(' oadr:Id="oadrSignedObject"', "")
    aside = original.replace("<oadr:oadrSignedObject ", '<oadr:oadrSignedObject xmlns="" ')
    signature = signed[:begin]
    # The signature's own name space leaves the scope of what it names, so that digests stay.
    for tag, keys in (("SignedInfo", "xmlns=''"), ("SignatureValue", ""), ("KeyInfo", "")):
        signature = signature.replace(f"<ds:{tag}>", f"<ds:{tag} {named} {keys}>")
    signature = signature.replace("<ds:Object ", f"<ds:Object {named} xmlns='' ")
    signature = signature.replace(f"<ds:Signature {named}", f"<Signature {default}")
    signature = signature.replace("</ds:Signature>", f"<Object>{aside}</Object></Signature>")
    return f"{signature}{forged}{signed[end:]}"


def test_the_wrapped_message_is_one_that_the_library_believes(
    authority: ThrowawayAuthority,
) -> None:
    tree = validate_xml_schema(wrapped(signed_by(authority.issue("vtn"))))
    validate_xml_signature(tree)
    assert tree.findtext("{*}oadrSignedObject/{*}oadrResponse/{*}venID") == "ven-2"


def signed_by(vtn: Credentials) -> str:
    pem = {name: Path(getattr(vtn, f"{name}file")).read_bytes() for name in ("cert", "key")}
    response = {"response_code": 200, "response_description": "OK", "request_id": "r"}
    return str(create_message("oadrResponse", **pem, response=response, ven_id="ven-1"))


def test_an_answer_that_was_altered_led_elsewhere_or_without_end_is_not_believed(
    authority: ThrowawayAuthority,
) -> None:
    ours, vtn = authority.issue("ven"), authority.issue("vtn")
    signed, other = signed_by(vtn), signed_by(vtn)
    altered = signed.replace("<ei:venID>ven-1", "<ei:venID>ven-2")
    assert altered != signed
    head, payload = signed.split("<oadr:oadrPayload", 1)
    body_of = signed[signed.index("<oadr:oadrSignedObject") : signed.rindex("</oadr:oadrPayload>")]
    entity = f'{head}<!DOCTYPE a [<!ENTITY e "ven-2">]><oadr:oadrPayload{payload}'
    again = other[other.index("<ds:Object ") : other.index("</ds:Signature>")]
    again = again.replace("prop", "more").replace("myid", "another")
    answers: dict[str, dict[str, Any]] = {
        "/Wrapped": {"text": wrapped(other)},
        "/Renewed": {"text": signed.replace("<ds:Object ", f"{again}<ds:Object ", 1)},
        "/Entity": {"text": entity.replace("<ei:venID>ven-1", "<ei:venID>&e;")},
        "/Bare": {"text": body_of},
        "/OadrPoll": {"text": signed},
        "/EiEvent": {"text": altered},
        "/EiReport": {"status": 307, "headers": {"Location": "/OadrPoll"}},
        "/EiRegisterParty": {"body": bytes(ANSWER_BYTES_MAX + 1)},
    }

    async def answer(request: web.Request) -> web.Response:
        return web.Response(**answers[request.path])

    async def body(_: Clock) -> None:
        runner = web.AppRunner(app)
        await runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(vtn.certfile, vtn.keyfile)
        await web.TCPSite(runner, host="127.0.0.1", port=0, ssl_context=context).start()
        believing = replace(ours, signs=True, vtn_fingerprint=vtn.fingerprint)
        talk = Conversation(f"https://127.0.0.1:{runner.addresses[0][1]}", believing)
        await talk.open()
        assert (await talk.ask("OadrPoll", "oadrPoll", ven_id="ven-1"))[0] == "oadrResponse"
        for service, code in (
            # The same once more is a replay.
            ("OadrPoll", "signature"),
            ("Renewed", "signature"),
            ("Wrapped", "signature"),
            ("Entity", "not_understood"),
            ("Bare", "not_understood"),
            ("EiEvent", "signature"),
            ("EiReport", "refused"),
            ("EiRegisterParty", "not_understood"),
        ):
            with pytest.raises(GridrigError, match=rf"openadr\.{code}"):
                await talk.ask(service, "oadrPoll", ven_id="ven-1")
        await talk.close()
        await runner.cleanup()

    app = web.Application()
    app.router.add_post("/{service}", answer)
    run_virtual(body, start_utc_s=START)


def test_each_file_that_cannot_be_used_is_named_with_its_reason(
    authority: ThrowawayAuthority, tmp_path: Path
) -> None:
    ours, other = authority.issue("ven"), authority.issue("other")
    text, locked, edwards = (tmp_path / name for name in ("text", "locked.key", "edwards.key"))
    text.write_text("not a certificate")
    key = serialization.load_pem_private_key(Path(ours.keyfile).read_bytes(), None)
    for path, one, lock in (
        (locked, key, serialization.BestAvailableEncryption(b"secret")),
        (edwards, ed25519.Ed25519PrivateKey.generate(), serialization.NoEncryption()),
    ):
        kind = serialization.PrivateFormat.PKCS8
        path.write_bytes(one.private_bytes(serialization.Encoding.PEM, kind, lock))  # type: ignore[union-attr]
    for key_name, path, cause in (
        ("cafile", "absent", "No such file"),
        ("cafile", str(text), "a certificate in PEM"),
        ("certfile", ours.keyfile, "a certificate in PEM"),
        ("keyfile", ours.certfile, "a private key in PEM"),
        ("keyfile", other.keyfile, "another key"),
        ("keyfile", str(locked), "passphrase"),
        ("keyfile", str(edwards), "ECDSA or RSA"),
    ):
        with pytest.raises(GridrigError, match=r"openadr\.file") as refused:
            replace(ours, **{key_name: path}).check()
        assert f"{key_name} {path}" in str(refused.value)
        assert cause in str(refused.value)


def test_a_rig_file_names_its_certificates_whole_or_is_told_what_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (RIGS / "emulated-programme.toml").read_text().replace('"virtual"', '"wall"', 1)
    path = tmp_path / "rig.toml"
    vtn, files = 'url = "https://127.0.0.1:1/"', 'cafile = "a", certfile = "b", keyfile = "c"'
    ten = "AB:CD:EF:01:23:45:67:89:AB:CD"
    for wire, keys in (
        (f"{vtn}", ["cafile", "certfile", "keyfile"]),
        (f'{vtn}, cafile = "a", keyfile = "c"', ["certfile"]),
        (f'{vtn}, {files}, vtn_fingerprint = "AB:CD"', ["vtn_fingerprint"]),
        (f"{vtn}, {files}, signs = true", ["vtn_fingerprint"]),
        (f"{vtn}, {files}, secured = true", ["secured"]),
        (f'url = "http://127.0.0.1:1/", {files}', ["url"]),
        (f'url = "127.0.0.1:1", {files}', ["url"]),
        (f"emulate = true, {files}", ["cafile", "certfile", "keyfile"]),
        ("emulate = true, signs = true", ["signs"]),
    ):
        path.write_text(text.replace(EMULATED, f"{{ {wire} }}"))
        with pytest.raises(RigError) as refused:
            load_rig(path)
        found = [issue.key for issue in refused.value.issues]
        assert found == [f"aggregator.openadr.{key}" for key in keys], wire
    path.write_text(
        text.replace(EMULATED, f'{{ {vtn}, {files}, signs = true, vtn_fingerprint = "{ten}" }}')
    )
    load_rig(path)
    assert main(["check", str(path)]) == 2  # before anything opens
    assert f"cafile {tmp_path / 'a'}: No such file" in capsys.readouterr().err
