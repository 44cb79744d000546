"""Signing meters at the homes of a fleet: what they counted, as readings that were verified.

A register is that of the home's terminal in the plant; before the run, what the home recorded then.
Every reading is signed by the meter's own key and goes through the verifier as received bytes.
"""

from collections.abc import Sequence

import numpy as np

from gridrig._core import MeterPeriod, VerifiedReading, Verifier
from gridrig.campaign.aggregating import Aggregating
from gridrig.circuit.heated_homes import QUARTER_S, HeatedHomes
from gridrig.metering import EnrolledKey, OcmfSigner, enrol_all
from gridrig.minds.series import IntArray

MILLIWH_PER_WS = 1000 / 3600


class HomeMeters:
    """The meters of a fleet after a run.

    Parameters
    ----------
    name : str
        Of the fleet; its homes are "NAME/0", "NAME/1" and so on.
    homes : HeatedHomes
        The fleet.
    aggregating : Aggregating
        Which kept what the homes took before the run, and their registers in it.
    start_utc_s : int
        When the run began. [s since 1970]
    """

    def __init__(
        self, name: str, homes: HeatedHomes, aggregating: Aggregating, start_utc_s: int
    ) -> None:
        self.names = tuple(f"{name}/{place}" for place in range(homes.count))
        self._signers = [OcmfSigner.from_seed(homes.seed, one, one) for one in self.names]
        self.verifier = Verifier()
        enrol_all(
            self.verifier,
            [
                EnrolledKey(one, one, "ecdsa-p256", signer.public_key_der, 0)
                for one, signer in zip(self.names, self._signers, strict=True)
            ],
        )
        past = aggregating.history[name]
        energy = np.rint(past.p_w * QUARTER_S * MILLIWH_PER_WS * homes.meter_scale)
        before = np.vstack([np.zeros((1, homes.count)), np.cumsum(energy, axis=0)]).astype(np.int64)
        self._registers: dict[int, IntArray] = {
            past.first_utc_s + QUARTER_S * k: row for k, row in enumerate(before)
        }
        counted = aggregating.registers[name]
        for t_s, register in counted.items():
            since = np.floor((register - counted[0.0]) * homes.meter_scale).astype(np.int64)
            self._registers[start_utc_s + int(t_s)] = before[-1] + since
        self._counters = [0] * homes.count

    def record(self, home: int, utc_s: int, more_milliwh: int = 0) -> bytes:
        """Return what a meter signs at a quarter-hour; `more_milliwh` was counted beside. [mWh]"""
        self._counters[home] += 1
        register = int(self._registers[utc_s][home]) + more_milliwh
        return self._signers[home].sign(self._counters[home], utc_s, register, 0)

    def periods(
        self, home: int, starts: Sequence[int], *, inflated_milliwh: Sequence[int] = ()
    ) -> list[MeterPeriod]:
        """Return the verified quarter-hours that begin at given times, which rise.

        Parameters
        ----------
        home : int
            Which meter.
        starts : sequence of int
            When they begin. [s since 1970]
        inflated_milliwh : sequence of int
            What was taken beside in each; nothing if empty. [mWh]
        """
        owner, periods = self.names[home], []
        last: VerifiedReading | None = None
        more = 0
        for start, extra in zip(starts, inflated_milliwh or [0] * len(starts), strict=True):
            if last is None or last.time_ms != 1000 * start:
                last = self._verified(home, start, more)
            more += extra
            closing = self._verified(home, start + QUARTER_S, more)
            periods.append(MeterPeriod(owner, last, closing))
            last = closing
        return periods

    def _verified(self, home: int, utc_s: int, more_milliwh: int) -> VerifiedReading:
        record = self.record(home, utc_s, more_milliwh)
        return self.verifier.verify(record, at_s=utc_s, meter=self.names[home])
