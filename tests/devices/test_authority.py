"""The two makers of certificates for an afternoon, before a verifier that takes RFC 5280 strictly.

Python verifies so by default from 3.13 on.
"""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from gridrig.devices.wire.modbus_authority import DEVICE, files_of, make_keys
from gridrig.devices.wire.sunspec_roles import GRID_SERVICE
from gridrig.openadr.throwaway import ThrowawayAuthority

HOST = "127.0.0.1"
Files = tuple[str, str, str]  # of the authority; certificate and key of an end


def for_openadr(folder: Path) -> tuple[Files, Files]:
    authority = ThrowawayAuthority(folder)
    vtn, ven = authority.issue("vtn"), authority.issue("ven")
    return (vtn.cafile, vtn.certfile, vtn.keyfile), (ven.cafile, ven.certfile, ven.keyfile)


def for_modbus(folder: Path) -> tuple[Files, Files]:
    make_keys(folder, [HOST], name="bench", days=1)
    return files_of(folder, DEVICE), files_of(folder, GRID_SERVICE)


def strict(protocol: int, files: Files) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(files[0])
    context.load_cert_chain(*files[1:])
    return context


@pytest.mark.parametrize("made", [for_openadr, for_modbus])
def test_what_is_issued_passes_a_strict_verifier_at_both_ends(
    made: Callable[[Path], tuple[Files, Files]], tmp_path: Path
) -> None:
    server, client = made(tmp_path)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    listening = strict(ssl.PROTOCOL_TLS_SERVER, server)
    calling = strict(ssl.PROTOCOL_TLS_CLIENT, client)
    ends = [
        calling.wrap_bio(down, up, server_hostname=HOST),
        listening.wrap_bio(up, down, server_side=True),
    ]
    waiting = list(ends)
    for _ in range(10):  # flights of a handshake: three in TLS 1.3
        for end in tuple(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                pass  # the other end has the word
    assert waiting == []
    assert all(end.getpeercert() for end in ends)
