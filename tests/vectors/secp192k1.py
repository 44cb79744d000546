"""ECDSA on secp192k1, which `cryptography` does not have: affine, slow and plain.

References
----------
.. [1] Certicom Research, "SEC 2: Recommended Elliptic Curve Domain Parameters," version 2.0, 2010,
       clause 2.2.1.
"""

import hashlib

P = 2**192 - 2**32 - 4553
N = 0xFFFFFFFFFFFFFFFFFFFFFFFE26F2FC170F69466A74DEFD8D
G = (
    0xDB4FF10EC057E9AE26B07D0280B7F4341DA5D1B1EAE06C7D,
    0x9B2F2F6D9C5628A7844163D015BE86344082AA88D95E2F9D,
)
SPKI_HEAD = bytes.fromhex("3046301006072a8648ce3d020106052b8104001f03320004")
"""SubjectPublicKeyInfo of a key on this curve, up to its coordinates."""

Point = tuple[int, int] | None


def add(a: Point, b: Point) -> Point:
    """Add two points; None is the one at infinity."""
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(scalar: int, point: Point) -> Point:
    """Double and add."""
    total: Point = None
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


def _prehash(message: bytes) -> int:
    return int.from_bytes(hashlib.sha256(message).digest()[:24], "big")


def sign(private: int, message: bytes) -> tuple[int, int]:
    """Sign SHA-256; the nonce is a hash of key and message, which is good enough for tests."""
    material = private.to_bytes(24, "big") + message
    nonce = int.from_bytes(hashlib.sha512(material).digest(), "big") % (N - 1) + 1
    point = multiply(nonce, G)
    assert point is not None
    r = point[0] % N
    return r, pow(nonce, -1, N) * (_prehash(message) + r * private) % N


def verify(public: tuple[int, int], message: bytes, r: int, s: int) -> bool:
    """Tell whether a signature is right."""
    if not (0 < r < N and 0 < s < N):
        return False
    inverse = pow(s, -1, N)
    point = add(multiply(_prehash(message) * inverse % N, G), multiply(r * inverse % N, public))
    return point is not None and point[0] % N == r


def public_key_der(public: tuple[int, int]) -> bytes:
    """Write a key as SubjectPublicKeyInfo."""
    return SPKI_HEAD + b"".join(coordinate.to_bytes(24, "big") for coordinate in public)
