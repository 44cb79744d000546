"""Make `ecdsa/openssl.txt`: signatures by the `openssl` program on every curve that is verified.

One a line: scheme, hash, public key as SPKI DER, message, signature as DER. The private keys are
thrown away. `python tests/vectors/make_ecdsa_openssl.py` writes the file anew, with other keys.
"""

import subprocess
import tempfile
from pathlib import Path

VECTORS = Path(__file__).parent / "ecdsa" / "openssl.txt"
KEYS_PER_CURVE = 2
MESSAGES_PER_KEY = 8
CURVES = {
    "ecdsa-p256": ("prime256v1", "sha256"),
    "ecdsa-secp256k1": ("secp256k1", "sha256"),
    "ecdsa-p384": ("secp384r1", "sha256"),
    "ecdsa-brainpool256r1": ("brainpoolP256r1", "sha256"),
    "ecdsa-brainpool384r1": ("brainpoolP384r1", "sha256"),
    "ecdsa-secp192r1": ("prime192v1", "sha256"),
    "ecdsa-secp192k1": ("secp192k1", "sha256"),
}


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=True)
    return done.stdout


def lines() -> list[str]:
    made = [
        f"# Made by make_ecdsa_openssl.py with {openssl('version').decode().strip()}.",
        "# One a line: scheme, hash, SPKI DER, message, DER signature.",
    ]
    with tempfile.TemporaryDirectory() as folder:
        private = str(Path(folder) / "private.pem")
        for scheme, (curve, digest) in CURVES.items():
            for _ in range(KEYS_PER_CURVE):
                openssl("ecparam", "-name", curve, "-genkey", "-noout", "-out", private)
                public = openssl("ec", "-in", private, "-pubout", "-outform", "DER")
                for number in range(MESSAGES_PER_KEY):
                    message = bytes(range(17 * number))
                    signature = openssl("dgst", f"-{digest}", "-sign", private, stdin=message)
                    cells = (public.hex(), message.hex() or "-", signature.hex())
                    made.append(" ".join((scheme, digest, *cells)))
    return made


if __name__ == "__main__":
    VECTORS.write_text("\n".join(lines()) + "\n", encoding="utf-8")
