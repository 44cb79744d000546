"""Make `ecdsa/fips_186_3.txt` from the files that the package `cryptography-vectors` carries.

One a line: scheme, hash, public key as x || y, message, signature as r || s, and P or F.
`python tests/vectors/make_ecdsa_fips.py` writes the file anew. SHA-1 is left out: a digest of its
length is refused before any arithmetic.
"""

import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import cryptography_vectors

ECDSA = "asymmetric/ECDSA"
VECTORS = Path(__file__).parent / "ecdsa" / "fips_186_3.txt"
SCHEMES = {
    "P-192": ("ecdsa-secp192r1", 48),
    "P-256": ("ecdsa-p256", 64),
    "P-384": ("ecdsa-p384", 96),
    "K-256": ("ecdsa-secp256k1", 64),
}
HASHES = {"SHA-224": "sha224", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def cases(path: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    with cryptography_vectors.open_vector_file(f"{ECDSA}/{path}", "r") as file:
        text = file.read()
    for section in re.split(r"^\[", text, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("]")
        curve, _, digest = heading.partition(",")
        for block in body.split("\n\n"):
            fields = dict(re.findall(r"^(\w+) = (\S+)", block, re.MULTILINE))
            if "Msg" in fields:
                yield curve, digest, fields


def lines() -> list[str]:
    made = [
        f"# From cryptography-vectors {version('cryptography-vectors')}, {ECDSA}, Apache-2.0 OR"
        " BSD-3-Clause:",
        "# FIPS_186-3/SigVer.rsp by NIST CAVS 11.0, and SECP256K1/SigGen.txt.",
        "# One a line: scheme, hash, x || y, message, r || s, P or F.",
    ]
    for path in ("FIPS_186-3/SigVer.rsp", "SECP256K1/SigGen.txt"):
        for curve, digest, fields in cases(path):
            if curve not in SCHEMES or digest not in HASHES:
                continue
            # 225 signatures a hash: one hash is enough to read.
            if curve == "K-256" and digest != "SHA-256":
                continue
            scheme, digits = SCHEMES[curve]
            pairs = (
                "".join(fields[name].zfill(digits) for name in names)
                for names in (("Qx", "Qy"), ("R", "S"))
            )
            key, signature = pairs
            cells = (key, fields["Msg"], signature, fields.get("Result", "P"))
            made.append(" ".join((scheme, HASHES[digest], *cells)))
    return made


if __name__ == "__main__":
    VECTORS.write_text("\n".join(lines()) + "\n", encoding="utf-8")
