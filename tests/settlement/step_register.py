"""Takes steps of a register until it is killed or done: `step_register.py FOLDER STEPS [PRAGMA]`.

Goes on where the register in the folder ends. A connection point is named and a meter enrolled;
then each quarter of an hour is minted, and of its watt-hours some are given away and some retired.
Each step that is answered is acknowledged by a line in the file `ack`.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from gridrig.metering import OcmfSigner, VerifiedReading, Verifier
from gridrig.settlement import MeterPeriod
from gridrig.settlement.certificates import CertificateStore

T0, QUARTER_S = 1_466_424_900, 900
ASSET = b"\x5a" * 32


class Steps:
    """The steps by their numbers, each of which is one event of the register."""

    def __init__(self, store: CertificateStore) -> None:
        self.store = store
        self.signer = OcmfSigner.from_seed(1, "pv", "pv")
        self.verifier = Verifier()
        self.verifier.enrol(
            "pv", serial="pv", public_key=self.signer.public_key_der, valid_from_s=0
        )
        self.readings: list[VerifiedReading] = []

    def reading(self, n: int) -> VerifiedReading:
        while len(self.readings) <= n:
            at_s = T0 + QUARTER_S * len(self.readings)
            record = self.signer.sign(len(self.readings) + 1, at_s, 0, 10_000 * len(self.readings))
            self.readings.append(self.verifier.verify(record, at_s=at_s))
        return self.readings[n]

    def take(self, number: int) -> None:
        """Take the step of a number, from 0."""
        store = self.store
        if number == 0:
            store.name("point", ASSET)
        elif number == 1:
            store.enrol("pv", "pv", asset=ASSET)
        else:
            quarter, kind = divmod(number - 2, 3)
            certificate = 3 * quarter + 3  # numbered by the event that minted it
            act: tuple[Callable[[], object], ...] = (
                lambda: store.mint(
                    MeterPeriod("ann", self.reading(quarter), self.reading(quarter + 1)),
                    holder="ann",
                    issuer="us",
                ),
                lambda: store.transfer(certificate, 0, 4, "ann", "ben"),
                lambda: store.retire(certificate, 1, 2, "ben", purpose="tea", beneficiary="ben"),
            )
            act[kind]()


if __name__ == "__main__":
    folder, steps = Path(sys.argv[1]), int(sys.argv[2])
    ack = os.open(folder / "ack", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with CertificateStore(folder / "register") as register:
        for pragma in sys.argv[3:]:
            register._db.execute(f"PRAGMA {pragma}")
        taken = Steps(register)
        for step in range(register._core.events, steps):
            taken.take(step)
            os.write(ack, b"%d\n" % step)
