"""The chain of posts and its signed head.

Each post has a link: a hash of the link before it and of everything the post says. The head is the
number of posts and the last link, signed with the rig's key. A row that was changed, added or taken
away anywhere breaks a link; a tail that was cut off no longer reaches the head.

What no file can tell is that it was put back whole to an earlier state, head included: compare its
head with one that was kept elsewhere (the manifest of a run, an anchored root, `gridrig audit
--head`).
"""

import hashlib
import re
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gridrig._core import canonical_bytes
from gridrig.errors import SettlementError

GENESIS = bytes(32)
"""The link before the first post."""

_NOTED = re.compile(r"([0-9]{1,10}):([0-9a-fA-F]{64})")


class Head(NamedTuple):
    """How far a journal goes, and who says so.

    Parameters
    ----------
    posts : int
        How many posts there are.
    link : bytes, shape (32,)
        The last link; `GENESIS` if there is none.
    public_key, signature : bytes or None
        The Ed25519 key of the rig, and its signature; None in a journal that nobody signs.
    """

    posts: int
    link: bytes
    public_key: bytes | None = None
    signature: bytes | None = None

    def message(self) -> bytes:
        """Return what is signed."""
        return canonical_bytes(["gridrig journal head 1", self.posts, self.link])

    def signed(self, key: Ed25519PrivateKey | None) -> "Head":
        """Return the head with the signature of a key; without one if there is no key."""
        if key is None:
            return self._replace(public_key=None, signature=None)
        public = key.public_key().public_bytes_raw()
        return self._replace(public_key=public, signature=key.sign(self.message()))

    def is_signed(self) -> bool:
        """Tell whether the signature is there and true."""
        if self.public_key is None or self.signature is None:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(
                self.signature, self.message()
            )
        except (InvalidSignature, ValueError):
            return False
        return True

    def text(self) -> str:
        """Return count and link as they are noted elsewhere: `12:` and 64 hex digits."""
        return f"{self.posts}:{self.link.hex()}"

    @classmethod
    def read(cls, text: str) -> "Head":
        """Return the head that `text` wrote, without its signature.

        Raises
        ------
        SettlementError
            `settlement.head_malformed`.
        """
        noted = _NOTED.fullmatch(text.strip())
        if noted is None:
            raise SettlementError(
                "settlement.head_malformed",
                "found {found!r}, expected a count of posts, a colon and 64 hex digits, as "
                "`gridrig audit` prints them",
                found=text,
            )
        return cls(int(noted[1]), bytes.fromhex(noted[2]))


class Post(NamedTuple):
    """What a link binds of a post, besides the link before it.

    Parameters
    ----------
    arrival_last, trade_last : int
        Highest number of a reading and of a trade up to here; -1 without a trade.
    settlements : tuple of tuple
        Rows of the table `settlement` booked in it, by period.
    readings_digest : bytes, shape (32,)
        SHA-256 over the digests of the readings posted, by arrival.
    """

    period: int
    from_ms: int
    to_ms: int
    arrival_last: int
    trade_last: int
    leaf_count: int
    root: bytes
    settlements: tuple[tuple[int | str, ...], ...]
    readings_digest: bytes

    def link(self, previous: bytes) -> bytes:
        """Return the link of the post."""
        flat = [item for row in self.settlements for item in row]
        record = ["gridrig journal link 1", previous, *self[:7], len(self.settlements), *flat]
        return hashlib.sha256(canonical_bytes([*record, self.readings_digest])).digest()
