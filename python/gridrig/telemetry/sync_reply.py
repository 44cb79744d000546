"""What a collector answers an equipment that asks what of its reports arrived.

    u16 length | key 32 | u32 offset | bitmap 504 | 36 zeros | servers | 64 zeros | u64 time | r s

Numbers least significant octet first; the signature is the collector's over all between length and
itself. The zeros stand where an order to follow another owner would. An equipment that is not known
gets one zero octet.

Known gaps: the list of servers is empty and orders are not written; an answer with either is read.

References
----------
.. [1] Glow, gca-backend (MIT), read for facts.
"""

import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from gridrig.errors import MeteringError
from gridrig.metering.keccak_signing import KeccakSigner, keccak_256
from gridrig.telemetry.slot_table import SLOTS

UNKNOWN = b"\0"
LENGTH = struct.Struct("<H")
_HEAD = struct.Struct(f"<32sI{SLOTS // 8}s")
_NO_ORDER, _NO_SIGNATURE, _SIGNATURE_BYTES = bytes(36), bytes(64), 64
_TIME = struct.Struct("<Q")
_BODY_MIN = _HEAD.size + len(_NO_ORDER) + len(_NO_SIGNATURE) + _TIME.size


@dataclass(frozen=True)
class SyncReply:
    """An answer: whose slots, from which on, which were heard, and when it was said. [UTC s]"""

    key_x: bytes
    offset: int
    bitmap: bytes
    time_s: int

    def heard(self, slot: int) -> bool:
        """Tell whether a slot's report arrived; False outside the bitmap."""
        place = slot - self.offset
        return 0 <= place < SLOTS and bool(self.bitmap[place // 8] >> place % 8 & 1)

    def encode(self, signer: KeccakSigner) -> bytes:
        """Return the answer as it goes over the wire."""
        head = _HEAD.pack(self.key_x, self.offset, self.bitmap)
        body = head + _NO_ORDER + _NO_SIGNATURE + _TIME.pack(self.time_s)
        return LENGTH.pack(len(body) + _SIGNATURE_BYTES) + body + signer.sign(body)


def decode_sync(reply: bytes, server_key_x: bytes) -> SyncReply:
    """Read an answer and check that the collector signed it.

    Raises
    ------
    MeteringError
        `telemetry.sync_unknown` from a collector that does not know the equipment,
        `telemetry.sync_format`, `telemetry.sync_signature`.
    """
    if reply == UNKNOWN:
        raise MeteringError("telemetry.sync_unknown", "the collector does not know this equipment")
    body, signature = reply[LENGTH.size : -_SIGNATURE_BYTES], reply[-_SIGNATURE_BYTES:]
    if len(body) < _BODY_MIN or LENGTH.unpack_from(reply)[0] != len(reply) - LENGTH.size:
        raise MeteringError(
            "telemetry.sync_format", "{found} octets are no answer to a sync", found=len(reply)
        )
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), b"\x02" + server_key_x)
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
    try:
        key.verify(
            encode_dss_signature(r, s), keccak_256(body), ec.ECDSA(Prehashed(hashes.SHA256()))
        )
    except InvalidSignature:
        raise MeteringError(
            "telemetry.sync_signature", "the answer to a sync is not signed by this collector"
        ) from None
    key_x, offset, bitmap = _HEAD.unpack_from(body)
    return SyncReply(key_x, offset, bitmap, _TIME.unpack(body[-_TIME.size :])[0])
