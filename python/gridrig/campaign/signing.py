"""The key a rig signs its evidence with, and the keys a reader trusts.

The private key lives in one PEM file of the machine (`GRIDRIG_KEY`, or
`~/.config/gridrig/signing-key.pem`), readable by its owner only, and never in a run directory.
"""

import hashlib
import os
import re
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from gridrig.errors import CampaignError

KEY_VARIABLE = "GRIDRIG_KEY"
TRUST_BYTES_MAX = 1_000_000
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


def signing_key_path() -> Path:
    """Return where this machine keeps its signing key."""
    stated = os.environ.get(KEY_VARIABLE)
    return Path(stated) if stated else Path.home() / ".config" / "gridrig" / "signing-key.pem"


def load_signing_key(path: Path | None = None) -> Ed25519PrivateKey:
    """Load the signing key, making it at first use.

    Parameters
    ----------
    path : Path or None
        PEM file, PKCS #8 without a password; None for `signing_key_path()`.

    Raises
    ------
    CampaignError
        If the file is no Ed25519 key, or others than its owner may read it.
    """
    path = path or signing_key_path()
    if not path.exists():
        _make_key(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise CampaignError(
            "campaign.key_exposed",
            "{path} has mode {mode:o}: others can use this signing key; chmod 600 it",
            path=path,
            mode=mode,
        )
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise CampaignError(
            "campaign.key_unusable",
            "{path} is not an Ed25519 private key in PEM without a password",
            path=path,
        )
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """Return the short name of a key: the first 16 hex digits of its SHA-256."""
    return "ed25519:" + hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def load_trusted_keys(path: Path) -> list[Ed25519PublicKey]:
    """Read the public keys a reader trusts.

    Parameters
    ----------
    path : Path
        Text with PEM public keys, or one key a line in hex; the rest of a line after the key, and
        lines that start with `#`, are comments.

    Raises
    ------
    CampaignError
        If a line is no key, a key is not Ed25519, or there is none.
    """
    text = path.read_bytes()[:TRUST_BYTES_MAX].decode("utf-8", "replace")
    keys = [_public_from_pem(path, block) for block in _PEM.findall(text)]
    for number, line in enumerate(_PEM.sub("", text).splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            keys.append(Ed25519PublicKey.from_public_bytes(bytes.fromhex(words[0])))
        except ValueError:
            raise CampaignError(
                "campaign.trust_malformed",
                "{path}: {word!r} is not a public key of 64 hex digits (item {number})",
                path=path,
                word=words[0][:80],
                number=number,
            ) from None
    if not keys:
        raise CampaignError("campaign.trust_empty", "{path} holds no public key", path=path)
    return keys


def _public_from_pem(path: Path, block: str) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(block.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise CampaignError(
            "campaign.trust_malformed", "{path}: a PEM block is no Ed25519 public key", path=path
        )
    return key


def _make_key(path: Path) -> None:
    """Write a new key; if two runs do it at once, both use the one that came first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        # A link fails if the name exists, so nobody ever sees a key half written or replaced.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
