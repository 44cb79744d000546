"""Signing meters at the homes of a fleet: their keys, their registers, and their verifier.

A register is that of the home's terminal in the plant; before the run, what the home recorded then.
"""

import numpy as np

from gridrig._core import VerifiedReading, Verifier
from gridrig.circuit.heated_homes import QUARTER_S, HeatedHomes, History
from gridrig.metering import EnrolledKey, OcmfSigner, enrol_all
from gridrig.minds.series import IntArray

MILLIWH_PER_WS = 1000 / 3600


class FleetMeters:
    """The meters of a fleet.

    Parameters
    ----------
    name : str
        Of the fleet; its homes are "NAME/0", "NAME/1" and so on.
    homes : HeatedHomes
        The fleet.
    past : History
        What the homes took before the run.
    """

    def __init__(self, name: str, homes: HeatedHomes, past: History) -> None:
        self.names = tuple(f"{name}/{place}" for place in range(homes.count))
        self._scale = homes.meter_scale
        self._signers = [OcmfSigner.from_seed(homes.seed, one, one) for one in self.names]
        self.verifier = Verifier()
        enrol_all(
            self.verifier,
            [
                EnrolledKey(one, one, "ecdsa-p256", signer.public_key_der, 0)
                for one, signer in zip(self.names, self._signers, strict=True)
            ],
        )
        energy = np.rint(past.p_w * QUARTER_S * MILLIWH_PER_WS * self._scale)
        before = np.vstack([np.zeros((1, homes.count)), np.cumsum(energy, axis=0)]).astype(np.int64)
        self.before: dict[int, IntArray] = {
            past.first_utc_s + QUARTER_S * k: row for k, row in enumerate(before)
        }
        self._opening: IntArray = before[-1]
        self._counters = [0] * homes.count

    def register(self, since: IntArray) -> IntArray:
        """Return the registers after so much was taken since the run began. [mWh]"""
        register: IntArray = self._opening + np.floor(since * self._scale).astype(np.int64)
        return register

    def record(self, home: int, utc_s: int, register: int) -> bytes:
        """Return what a meter signs. [s since 1970, mWh]"""
        self._counters[home] += 1
        return self._signers[home].sign(self._counters[home], utc_s, register, 0)

    def verified(self, home: int, utc_s: int, register: int) -> VerifiedReading:
        """Let a meter sign, and return what the verifier believes of the bytes."""
        record = self.record(home, utc_s, register)
        return self.verifier.verify(record, at_s=utc_s, meter=self.names[home])
