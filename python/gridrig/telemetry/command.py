"""What `gridrig telemetry` does: collect what real boxes tell, and print it, a line each."""

import asyncio
import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gridrig.clock import Clock, run_wall
from gridrig.clock.wall_time import utc_now
from gridrig.errors import MeteringError
from gridrig.metering.keccak_signing import KeccakSigner, even_key
from gridrig.metering.trust_file import load_keys
from gridrig.stop_signals import hand_to
from gridrig.telemetry.glow_collector import GlowCollector
from gridrig.telemetry.miner_collector import MinerCollector


def telemetry_command(
    keys: Path, server_key: Path, *, host: str, udp: int, tcp: int, rpc: int
) -> int:
    """Listen until interrupted; print what counts as JSON lines, and at the end how all was judged.

    Returns
    -------
    int
        0.

    Raises
    ------
    RigError
        If the trust file is wrong.
    MeteringError
        `telemetry.server_key` if the collector's own key cannot be used.
    """
    enrolled = load_keys(keys)
    signer = load_server_key(server_key)

    def tell(meter: str, **facts: int | None) -> None:
        print(json.dumps({"meter": meter, **facts}), flush=True)

    async def main(clock: Clock) -> None:
        stop = asyncio.Event()
        hand_to(asyncio.get_running_loop(), lambda _: stop.set())
        glow = GlowCollector(
            enrolled, signer, clock,
            lambda meter, slot, energy: tell(meter, slot=slot, energy_milliwh=energy),
        )  # fmt: skip
        miners = MinerCollector(
            enrolled, clock,
            lambda meter, time_s, energy: tell(meter, time_s=time_s, energy_milliwh=energy),
        )  # fmt: skip
        try:
            await glow.start(host, udp=udp, tcp=tcp)
            await miners.server.start(host, rpc)
            listens = {
                "udp": glow.udp_address[1],
                "tcp": glow.tcp_address[1],
                "rpc": miners.server.address[1],
            }
            print(json.dumps({"server_key": signer.public_key_x.hex(), **listens}), flush=True)
            await stop.wait()
        finally:
            await glow.stop()
            await miners.server.stop()
        aside = [{"meter": m, "time_s": t, "findings": f} for m, t, f in miners.set_aside]
        print(json.dumps({"glow": glow.outcomes, "arkreen": miners.outcomes, "set_aside": aside}))

    run_wall(main, start_utc_s=int(datetime.fromisoformat(utc_now()).timestamp()))
    return 0


def load_server_key(path: Path) -> KeccakSigner:
    """Load the collector's key, a PEM file; make it at first use, readable by its owner alone.

    Raises
    ------
    MeteringError
        `telemetry.server_key`.
    """
    with suppress(FileExistsError):
        made = even_key(ec.generate_private_key(ec.SECP256K1()))
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        key = None
    right = isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256K1)
    if not right or path.stat().st_mode & 0o077:
        raise MeteringError(
            "telemetry.server_key",
            "{path} is not a private key on secp256k1, in PEM, that only its owner may read",
            path=str(path),
        )
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return KeccakSigner(even_key(key))
