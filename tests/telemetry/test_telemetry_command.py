"""`gridrig telemetry` as a process: a box of another program reports, and is printed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from gridrig.metering.keccak_signing import KeccakSigner, glow_report, glow_slot
from gridrig.telemetry.sync_reply import decode_sync

GRIDRIG = Path(sys.executable).parent / "gridrig"
BOX = KeccakSigner.from_seed(1, "box")
TRUST = f"""
[[key]]
meter = "roof"
serial = "7"
algorithm = "ecdsa-secp256k1"
public_key = "{BOX.public_key_x.hex()}"
key_form = "even-x"
format = "glow"
valid_from = "2023-01-01T00:00:00Z"
export_power_w_max = 10000
"""


def test_a_report_is_printed_and_a_sync_says_that_it_arrived(tmp_path: Path) -> None:
    (tmp_path / "boxes.toml").write_text(TRUST)
    process = subprocess.Popen(
        [str(GRIDRIG), "telemetry", "boxes.toml"], cwd=tmp_path, text=True, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        listens = json.loads(process.stdout.readline())
        slot = glow_slot(int(time.time())) - 1
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(b"not a report", ("127.0.0.1", listens["udp"]))
            udp.sendto(glow_report(BOX, 7, slot, 41_667), ("127.0.0.1", listens["udp"]))
        told = json.loads(process.stdout.readline())
        assert told == {"meter": "roof", "slot": slot, "energy_milliwh": 41_667}
        with socket.create_connection(("127.0.0.1", listens["tcp"]), 10) as tcp:
            tcp.sendall((7).to_bytes(4, "little"))
            reply = b""
            while part := tcp.recv(4096):
                reply += part
        heard = decode_sync(reply, bytes.fromhex(listens["server_key"]))
        assert heard.heard(slot)
        assert not heard.heard(slot - 1)
        process.send_signal(signal.SIGINT)
        ended = json.loads(process.stdout.readline())
        assert ended["glow"] == {"metering.format": 1, "stored": 1}
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    key = tmp_path / "telemetry-key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    os.chmod(key, 0o644)
    done = subprocess.run(
        [str(GRIDRIG), "telemetry", "boxes.toml"], cwd=tmp_path, text=True, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "telemetry.server_key" in done.stderr
