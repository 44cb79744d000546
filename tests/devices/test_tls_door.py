"""Who knocks at a device on a secured wire: what is refused, by which name, and when."""

import asyncio
import random
import shutil
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from modbus_bench import Run, Terminal, mbap, pv, read_pdu

from gridrig.devices.emulators.inverter import InverterEmulator
from gridrig.devices.links import ModbusTlsLink
from gridrig.devices.wire.modbus_authority import (
    DEVICE,
    EXPIRED,
    WITHOUT_ROLE,
    files_of,
    make_keys,
)
from gridrig.devices.wire.sunspec_roles import GRID_SERVICE, READ_ONLY, ROLES
from gridrig.devices.wire.tls_door import HALF_OPEN_MAX, HANDSHAKE_S
from gridrig.errors import DriverError

HELLO = bytes.fromhex("1603010200010001fc0303")  # the beginning of a ClientHello, and no more
REQUEST = mbap(1, 1, read_pdu(40000, 2))
SUNS = b"SunS"
Refusals = list[str]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys") / "lab"
    make_keys(folder, ["127.0.0.1", "inverter.lab"], name="a lab", days=2)
    make_keys(folder / "foreign", ["127.0.0.1"], name="another lab", days=2)
    return folder


def served(keys: Path, refusals: Refusals, **options: Any) -> InverterEmulator:
    def note(kind: str, **data: object) -> None:
        if kind == "tls_refused":
            refusals.append(str(data["cause"]))

    cafile, certfile, keyfile = files_of(keys, DEVICE)
    link = ModbusTlsLink("127.0.0.1", 0, 1, *files_of(keys, GRID_SERVICE), GRID_SERVICE)
    of_server = {"tls_cafile": cafile, "tls_certfile": certfile, "tls_keyfile": keyfile}
    return pv(link, Terminal(), note, **of_server, **options)


def credentials(keys: Path, file: str | None, folder: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(keys / "ca.crt"))
    if file is not None:
        context.load_cert_chain(*files_of(keys / folder, file)[1:])
    return context


async def asked(port: int, context: ssl.SSLContext | None) -> bytes:
    """Connect, ask for the first registers and return what comes; nothing if it is refused."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(REQUEST)
        async with asyncio.timeout(2 * HANDSHAKE_S):
            return await reader.read(100)
    except OSError:
        return b""
    finally:
        if "writer" in locals():
            writer.transport.abort()


def at_the_door(
    run: Run,
    keys: Path,
    act: Callable[[int], Awaitable[Any]],
    **options: Any,
) -> tuple[Any, Refusals]:
    refusals: Refusals = []

    async def main() -> Any:
        emulator = served(keys, refusals, **options)
        await emulator.start()
        try:
            return await act(int(emulator.endpoint["port"]))
        finally:
            await emulator.stop()

    return run(main), refusals


@pytest.mark.parametrize("role", ROLES)
def test_a_certificate_with_a_role_opens_the_door(run: Run, keys: Path, role: str) -> None:
    found, refusals = at_the_door(run, keys, lambda port: asked(port, credentials(keys, role)))
    assert SUNS in found
    assert refusals == []


@pytest.mark.parametrize(
    ("file", "folder", "cause"),
    [
        (None, "", "peer did not return a certificate"),
        (EXPIRED, "", "the client's certificate: certificate has expired"),
        (
            GRID_SERVICE,
            "foreign",
            "the client's certificate: unable to get local issuer certificate",
        ),
        (DEVICE, "", "the client's certificate: unsuitable certificate purpose"),
    ],
)
def test_who_has_no_good_certificate_is_refused_by_its_name(
    run: Run, keys: Path, file: str | None, folder: str, cause: str
) -> None:
    context = credentials(keys, file, folder)
    found, refusals = at_the_door(run, keys, lambda port: asked(port, context))
    assert (found, refusals) == (b"", [cause])


def test_a_certificate_without_a_role_is_let_in_and_obeyed_in_nothing(run: Run, keys: Path) -> None:
    context = credentials(keys, WITHOUT_ROLE)
    found, refusals = at_the_door(run, keys, lambda port: asked(port, context))
    assert found == mbap(1, 1, b"\x83\x01")
    assert refusals == []


def test_plain_modbus_is_not_answered(run: Run, keys: Path) -> None:
    found, refusals = at_the_door(run, keys, lambda port: asked(port, None))
    assert SUNS not in found
    assert len(refusals) == 1


def test_what_is_no_tls_never_ends_the_server(run_fast: Run, keys: Path) -> None:
    chance = random.Random(3)

    async def act(port: int) -> bytes:
        for _ in range(60):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(chance.choice((b"", HELLO)) + chance.randbytes(chance.randrange(1, 80)))
            await asyncio.sleep(0.05)
            writer.close()
        return await asked(port, credentials(keys, READ_ONLY))

    found, refusals = at_the_door(run_fast, keys, act)
    assert SUNS in found
    assert len(refusals) == 60


def test_a_half_open_handshake_is_ended_after_its_time(run_fast: Run, keys: Path) -> None:
    async def act(port: int) -> float:
        begin_s = asyncio.get_running_loop().time()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HELLO)
        assert await reader.read(100) == b""
        writer.close()
        return asyncio.get_running_loop().time() - begin_s

    waited_s, refusals = at_the_door(run_fast, keys, act)
    assert waited_s == pytest.approx(HANDSHAKE_S)
    assert refusals == ["no end of the handshake within 5 s"]


def test_half_open_handshakes_keep_nobody_out(run_fast: Run, keys: Path) -> None:
    async def act(port: int) -> bytes:
        writers = []
        for _ in range(HALF_OPEN_MAX + 10):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HELLO)
            writers.append(writer)
        await asyncio.sleep(1.0)
        found = await asked(port, credentials(keys, READ_ONLY))
        for writer in writers:
            writer.transport.abort()
        return found

    found, refusals = at_the_door(run_fast, keys, act)
    assert SUNS in found
    assert refusals.count("pushed out by newer handshakes") == 11


def test_a_record_that_was_changed_on_its_way_ends_the_connection(run: Run, keys: Path) -> None:
    async def act(port: int) -> bytes:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=credentials(keys, GRID_SERVICE)
        )
        writer.write(REQUEST)
        assert SUNS in await reader.read(100)
        # Behind the back of TLS, on the same socket: a record that nobody encrypted.
        writer.transport._ssl_protocol._transport.write(b"\x17\x03\x03\x00\x20" + bytes(32))
        with pytest.raises(ssl.SSLError, match=r"(?i)alert"):
            await reader.read(100)
        writer.transport.abort()
        return await asked(port, credentials(keys, READ_ONLY))

    found, refusals = at_the_door(run, keys, act)
    assert SUNS in found
    assert len(refusals) == 1
    assert "bad record mac" in refusals[0] or "decryption failed" in refusals[0]


def test_who_says_goodbye_is_let_go_at_once(run_fast: Run, keys: Path) -> None:
    async def act(port: int) -> float:
        loop = asyncio.get_running_loop()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=credentials(keys, READ_ONLY)
        )
        writer.write(REQUEST)
        assert SUNS in await reader.read(100)
        begin_s = loop.time()
        writer.close()
        await writer.wait_closed()
        return loop.time() - begin_s

    waited_s, refusals = at_the_door(run_fast, keys, act)
    assert waited_s < HANDSHAKE_S
    assert refusals == []


def test_who_is_inside_and_talks_noise_is_closed_and_was_not_refused(run: Run, keys: Path) -> None:
    async def act(port: int) -> bytes:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=credentials(keys, READ_ONLY)
        )
        writer.write(mbap(1, 1, bytes(900)) + bytes(20_000))
        try:
            return await reader.read(100)
        except OSError:  # a reset may overtake the end
            return b""
        finally:
            writer.transport.abort()

    assert at_the_door(run, keys, act) == (b"", [])


@pytest.mark.parametrize(
    ("options", "file"),
    [
        ({"tls_asks": "nothing"}, None),
        ({"tls_asks": "certificate"}, WITHOUT_ROLE),
    ],
)
def test_a_device_that_is_wrong_on_purpose_lets_them_in(
    run: Run, keys: Path, options: dict[str, Any], file: str | None
) -> None:
    context = credentials(keys, file)
    found, _ = at_the_door(run, keys, lambda port: asked(port, context), **options)
    assert SUNS in found


def test_a_device_that_answers_in_plain_answers_in_tls_too(run: Run, keys: Path) -> None:
    async def act(port: int) -> tuple[bytes, bytes]:
        return await asked(port, None), await asked(port, credentials(keys, READ_ONLY))

    (plain, secured), _ = at_the_door(run, keys, act, tls_plain=True)
    assert SUNS in plain
    assert SUNS in secured


def test_a_device_that_goes_deaf_stays_so(run: Run, keys: Path) -> None:
    async def act(port: int) -> list[bool]:
        found = []
        for context in (None, credentials(keys, READ_ONLY), None, credentials(keys, READ_ONLY)):
            found.append(SUNS in await asked(port, context))
        return found

    assert at_the_door(run, keys, act, tls_failures_max=2)[0] == [False, True, False, False]


def test_keys_are_made_once_and_are_for_their_owner_only(keys: Path) -> None:
    with pytest.raises(DriverError) as caught:
        make_keys(keys, ["127.0.0.1"], name="again", days=2)
    assert caught.value.code == "modbus.keys_there"
    for file in keys.glob("*.key"):
        assert file.stat().st_mode & 0o077 == 0, file


def test_an_authority_whose_key_is_in_a_safe_gets_no_second_one(tmp_path: Path) -> None:
    make_keys(tmp_path / "pki", ["127.0.0.1"], name="a lab", days=2)
    (tmp_path / "pki" / "ca.key").rename(tmp_path / "safe.key")
    with pytest.raises(DriverError, match=r"keys_there.*already"):
        make_keys(tmp_path / "pki", ["127.0.0.1"], name="again", days=2)
    assert not (tmp_path / "pki" / "ca.key").exists()


@pytest.mark.parametrize(
    ("host", "name", "code"),
    [
        ("", "a lab", "host"),
        ("192.0.2.7:802", "a lab", "host"),
        ("wechselrichter-süd", "a lab", "host"),
        ("127.0.0.1", "", "name"),
        ("127.0.0.1", "x" * 65, "name"),
    ],
)
def test_what_no_certificate_can_say_is_named_and_makes_no_folder(
    tmp_path: Path, host: str, name: str, code: str
) -> None:
    with pytest.raises(DriverError, match=rf"modbus\.keys_{code}.*expected"):
        make_keys(tmp_path / "pki", [host], name=name, days=2)
    assert not (tmp_path / "pki").exists()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
@pytest.mark.parametrize(
    ("file", "purpose", "right"),
    [
        (DEVICE, "sslserver", True),
        (DEVICE, "sslclient", False),
        (READ_ONLY, "sslclient", True),
        (READ_ONLY, "sslserver", False),
        (EXPIRED, "sslclient", False),
    ],
)
def test_openssl_takes_what_was_issued_for_what_it_is(
    keys: Path, file: str, purpose: str, right: bool
) -> None:
    ca, certificate, _ = files_of(keys, file)
    command = ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", ca]
    done = subprocess.run([*command, certificate], capture_output=True, timeout=20, check=False)
    assert (done.returncode == 0) == right, done.stderr


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_openssl_reads_the_role_and_the_hosts(keys: Path) -> None:
    def text(file: str) -> str:
        command = ["openssl", "x509", "-noout", "-text", "-in", files_of(keys, file)[1]]
        return subprocess.run(command, capture_output=True, timeout=20, check=True).stdout.decode()

    # A UTF8String of 16 octets.
    assert "1.3.6.1.4.1.50316.802.1: \n                ..ReadOnlySunSpec" in text(READ_ONLY)
    assert "IP Address:127.0.0.1, DNS:inverter.lab" in text(DEVICE)
    assert "50316" not in text(WITHOUT_ROLE)
