"""Random streams: one for each name under a seed, so that adding a device moves no other's."""

import hashlib
import random


def stream(seed: int, name: str) -> random.Random:
    """Return the random stream of `name` under `seed`.

    Parameters
    ----------
    seed : int
        Seed of the run or of the device.
    name : str
        What the stream belongs to; equal names give equal streams.
    """
    digest = hashlib.sha256(f"{seed}\x00{name}".encode()).digest()
    return random.Random(int.from_bytes(digest, "big"))
