"""Keccak-256 with the padding from before SHA-3, as Ethereum hashes; slow and plain.

References
----------
.. [1] G. Bertoni, J. Daemen, M. Peeters, G. Van Assche, "The Keccak reference," version 3.0, 2011.
"""

MASK = (1 << 64) - 1
RATE_BYTES = 136


def _round_constants() -> list[int]:
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for place in range(7):
            if register & 1:
                constant |= 1 << ((1 << place) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return constants


def _rotated(word: int, by: int) -> int:
    by %= 64
    return (word << by | word >> (64 - by)) & MASK


def _permuted(lanes: list[int]) -> list[int]:
    """Keccak-f[1600] on 25 lanes, lane (x, y) at x + 5 y."""
    for constant in _round_constants():
        columns = [
            lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
            for x in range(5)
        ]
        theta = [columns[(x - 1) % 5] ^ _rotated(columns[(x + 1) % 5], 1) for x in range(5)]
        lanes = [lane ^ theta[at % 5] for at, lane in enumerate(lanes)]
        moved = [0] * 25
        moved[0], (x, y) = lanes[0], (1, 0)
        for step in range(24):
            moved[y + 5 * ((2 * x + 3 * y) % 5)] = _rotated(
                lanes[x + 5 * y], (step + 1) * (step + 2) // 2
            )
            x, y = y, (2 * x + 3 * y) % 5
        lanes = [
            moved[at] ^ (~moved[at - at % 5 + (at + 1) % 5] & moved[at - at % 5 + (at + 2) % 5])
            for at in range(25)
        ]
        lanes[0] ^= constant
    return lanes


def keccak_256(message: bytes) -> bytes:
    """Return the 32 bytes of Keccak-256."""
    padding = RATE_BYTES - len(message) % RATE_BYTES
    fill = b"\x81" if padding == 1 else b"\x01" + bytes(padding - 2) + b"\x80"
    padded, lanes = message + fill, [0] * 25
    for begin in range(0, len(padded), RATE_BYTES):
        block = padded[begin : begin + RATE_BYTES]
        for at in range(RATE_BYTES // 8):
            lanes[at] ^= int.from_bytes(block[8 * at : 8 * at + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])
