"""What the homes of a fleet counted, read after a run by quarter-hours and verified.

Every reading is signed by the meter's own key and goes through the verifier as received bytes.
"""

from collections.abc import Sequence

from gridrig._core import MeterPeriod, VerifiedReading
from gridrig.campaign.aggregating import Aggregating
from gridrig.campaign.fleet_meters import FleetMeters
from gridrig.circuit.heated_homes import QUARTER_S, HeatedHomes


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
        self._meters = FleetMeters(name, homes, aggregating.history[name])
        self.names, self.verifier = self._meters.names, self._meters.verifier
        counted = aggregating.registers[name]
        self._registers = self._meters.before | {
            start_utc_s + int(t_s): self._meters.register(register - counted[0.0])
            for t_s, register in counted.items()
        }

    def record(self, home: int, utc_s: int, more_milliwh: int = 0) -> bytes:
        """Return what a meter signs at a quarter-hour; `more_milliwh` was counted beside. [mWh]"""
        return self._meters.record(home, utc_s, self._register(home, utc_s) + more_milliwh)

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
        return self._meters.verified(home, utc_s, self._register(home, utc_s) + more_milliwh)

    def _register(self, home: int, utc_s: int) -> int:
        return int(self._registers[utc_s][home])
