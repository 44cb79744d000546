"""Meters that sign, a verifier that believes them, and the periods between their readings."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from gridrig._core import MeterPeriod, VerifiedReading, Verifier
from gridrig.metering import EnrolledKey, OcmfSigner, enrol_all

QUARTER_S = 900
T0 = 1_466_424_900  # 2016-06-20, 12:15 UTC: an edge of quarters of an hour


class Meters:
    """A verifier and the signers of some meters."""

    def __init__(self, names: Sequence[str], *, seed: int = 1) -> None:
        self.signers = {name: OcmfSigner.from_seed(seed, name, name) for name in names}
        self.verifier = Verifier()
        enrol_all(
            self.verifier,
            [
                EnrolledKey(name, name, "ecdsa-p256", signer.public_key_der, 0)
                for name, signer in self.signers.items()
            ],
        )
        self.counter = dict.fromkeys(names, 0)

    def read(
        self, name: str, time_s: int, import_milliwh: int, export_milliwh: int
    ) -> VerifiedReading:
        self.counter[name] += 1
        signer = self.signers[name]
        record = signer.sign(self.counter[name], time_s, import_milliwh, export_milliwh)
        return self.verifier.verify(record, at_s=time_s)

    def exports(
        self, name: str, energies_milliwh: Sequence[int], *, start_milliwh: int = 0, t0: int = T0
    ) -> list[MeterPeriod]:
        """Return quarters of an hour in which a meter exported so much."""
        register = start_milliwh
        readings = [self.read(name, t0, 0, register)]
        for n, energy in enumerate(energies_milliwh, start=1):
            register += energy
            readings.append(self.read(name, t0 + QUARTER_S * n, 0, register))
        return [MeterPeriod(f"owner of {name}", one, other) for one, other in pairwise(readings)]

    def loads(self, name: str, load_of: Mapping[int, int]) -> list[MeterPeriod]:
        """Return the periods of a meter that took so much in the quarters that begin then. [s]"""
        periods, register, last = [], 0, None
        for time_s, energy in sorted(load_of.items()):
            if last is None or last.time_s != time_s:
                last = self.read(name, time_s, register, 0)
            register += energy
            closing = self.read(name, time_s + QUARTER_S, register, 0)
            periods.append(MeterPeriod(name, last, closing))
            last = closing
        return periods
