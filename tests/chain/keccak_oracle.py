"""Keccak-256 and claim trees in plain Python, from their definitions and not from our Rust.

Keccak follows FIPS 202 with the padding of the original submission (first bit 1, last bit 1, no
domain bits), as Ethereum uses it; trees and paths follow the recursions of RFC 9162, sections 2.1.1
and 2.1.3.1.
"""

from collections.abc import Sequence

RATE = 136
LANE = (1 << 64) - 1


def _rotate(lane: int, by: int) -> int:
    by %= 64
    return ((lane << by) | (lane >> (64 - by))) & LANE


def _round_constants() -> list[int]:
    constants, state = [], 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            constant |= (state & 1) << ((1 << j) - 1)
            state = (state << 1) ^ (0x171 if state & 0x80 else 0)
        constants.append(constant)
    return constants


ROUND_CONSTANTS = _round_constants()


def _permute(a: list[list[int]]) -> list[list[int]]:
    for constant in ROUND_CONSTANTS:
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        d = [c[x - 1] ^ _rotate(c[(x + 1) % 5], 1) for x in range(5)]
        a = [[a[x][y] ^ d[x] for y in range(5)] for x in range(5)]
        x, y, moved = 1, 0, a[1][0]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            moved, a[x][y] = a[x][y], _rotate(moved, (t + 1) * (t + 2) // 2)
        a = [
            [a[x][y] ^ (~a[(x + 1) % 5][y] & a[(x + 2) % 5][y]) for y in range(5)] for x in range(5)
        ]
        a[0][0] ^= constant
    return a


def keccak(message: bytes) -> bytes:
    padded = bytearray(message) + bytes(RATE - len(message) % RATE)
    padded[len(message)] ^= 0x01
    padded[-1] ^= 0x80
    a = [[0] * 5 for _ in range(5)]
    for block in range(0, len(padded), RATE):
        for i in range(RATE // 8):
            a[i % 5][i // 5] ^= int.from_bytes(padded[block + 8 * i : block + 8 * i + 8], "little")
        a = _permute(a)
    return b"".join(a[i][0].to_bytes(8, "little") for i in range(4))


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def leaf(
    chain_id: int, contract: bytes, bucket: int, index: int, account: bytes, amount: int
) -> bytes:
    place = word(bucket) + word(index)
    return keccak(b"\x00" + word(chain_id) + contract + place + account + word(amount))


def _split(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1


def top(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return keccak(b"\x01" + top(leaves[:k]) + top(leaves[k:]))


def path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), top(leaves[k:])]
    return [*path(index - k, leaves[k:]), top(leaves[:k])]


def root(leaf_count: int, total: int, top_node: bytes) -> bytes:
    return keccak(b"\x02" + word(leaf_count) + word(total) + top_node)


def contract_address(sender: bytes, nonce: int) -> bytes:
    """Return where a transaction deploys to, for nonces below 2^56 (RLP written out)."""
    number = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    if len(number) != 1 or number[0] >= 0x80:
        number = bytes([0x80 + len(number)]) + number
    body = b"\x94" + sender + number
    return keccak(bytes([0xC0 + len(body)]) + body)[12:]
