"""The unintentional-islanding test, step by step, and what it comes to.

Every result that fails ends it: what fails is given no more.

References
----------
.. [1] IEEE, "IEEE Std 1547-2018," 2018, clauses 8.1 and 4.10.
.. [2] Sandia National Laboratories, svp_1547.1, Apache-2.0: `UI.py`, steps c) to e) of clause
   5.10.2 of IEEE 1547.1-2020.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gridrig.campaign.anti_islanding_bench import (
    BALANCE_PU,
    TIME_U_S,
    AntiIslandingBench,
)
from gridrig.campaign.anti_islanding_cases import SOURCE, Case, disputed
from gridrig.campaign.anti_islanding_sweep import SWEEP_PERCENT, Sweep
from gridrig.campaign.measurements import Criterion

CLEARING_MAX_S = 2.0
ALIVE_MIN_S = 10.0
RETURN_S = 300.0
RETURNED_MIN_S = 0.985 * RETURN_S  # as for entering service otherwise
RETURN_WATCHED_S = 400.0
FEEDS_PU = 0.005  # power at which it is taken to feed again

ALIVE = Criterion("alive_undetected_s", "s", min=ALIVE_MIN_S, source=f"{SOURCE}, step d)")
BALANCED = Criterion("imbalance_pu", "pu", max=BALANCE_PU, source=f"{SOURCE}, step c)")
CLEARED = Criterion(
    "clearing_time_s", "s", max=CLEARING_MAX_S, source=f"IEEE 1547-2018 8.1; {SOURCE}, step e)"
)
REPORTED = Criterion(
    "misreports", "1", max=0, source="IEEE 1547-2018 10.5: active power as measured"
)
TRIPPED = Criterion(
    "still_connected", "1", max=0, source="IEEE 1547-2018 8.1: trips, and does not cease only"
)
RETURNED = Criterion(
    "return_to_service_s",
    "s",
    min=RETURNED_MIN_S,
    source="IEEE 1547-2018 4.10.3: 300 s",
)


@dataclass
class Trial:
    """One bench being tried.

    Parameters
    ----------
    bench : AntiIslandingBench
        With its inverters connected.
    """

    bench: AntiIslandingBench
    alive_s: list[tuple[float, str]] = field(default_factory=list)
    imbalances_pu: list[tuple[float, str]] = field(default_factory=list)
    cleared_s: list[tuple[float, str]] = field(default_factory=list)
    misreports: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    unbounded: list[str] = field(default_factory=list)
    returned_s: float | None = None

    @property
    def failed(self) -> bool:
        """Whether something failed already."""
        return (
            any(alive_s < ALIVE_MIN_S for alive_s, _ in self.alive_s)
            or any(time_s > CLEARING_MAX_S for time_s, _ in self.cleared_s)
            or any(pu > BALANCE_PU for pu, _ in self.imbalances_pu)
            or bool(self.misreports or self.connected)
            or (self.returned_s is not None and self.returned_s < RETURNED_MIN_S)
        )

    async def prove_bench(self, case: Case) -> None:
        """Let islands live without detection, at balance and at both ends of the sweep.

        The standard asks for one load. At the ends frequency is far off: there a trip setting that
        was not opened would end the island, and later be taken for detection.
        """
        bench = self.bench
        if not bench.detection_switchable:
            return
        await bench.set_detection(False)
        await bench.apply(case)
        load = await bench.balance()
        for percent in (100, SWEEP_PERCENT[0], SWEEP_PERCENT[-1]):
            island = await bench.island(load, percent, watched_s=ALIVE_MIN_S + 1.0)
            where = self._where(case, percent)
            self.alive_s.append((island.died_s, where))
            self.imbalances_pu.append((island.imbalance_pu, f"{where}, detection off"))
            if self.failed:
                break
            await bench.reclose(case)
        await bench.end_island()
        await bench.set_detection(True)
        await bench.close()

    async def try_cases(self, cases: Sequence[Case], *, returns: bool = False) -> None:
        """Open S3 on every load of every case; once, see when the inverters feed again."""
        for case in cases:
            if self.failed:
                return
            await self._try_case(case, returns=returns and self.returned_s is None)

    async def _try_case(self, case: Case, *, returns: bool) -> None:
        bench, sweep = self.bench, Sweep(self.bench.lab.repetitions)
        await bench.apply(case)
        load = await bench.balance()
        for percent in sweep.points():
            island = await bench.island(load, percent)
            time_s, where = island.cleared_s, self._where(case, percent)
            sweep.take(percent, time_s, rose=island.rose(bench.units[0].f_n))
            self.imbalances_pu.append((island.imbalance_pu, where))
            self.misreports += [f"{said}, {where}" for said in island.misreports]
            if time_s <= CLEARING_MAX_S:
                self.connected += [f"{name} after {where}" for name in island.connected]
            if time_s > CLEARING_MAX_S or self.failed:
                break  # no further island is made
            if returns and self.returned_s is None:
                self.returned_s = await self._return_s()
                if self.failed:
                    break
            await bench.reclose(case)
        told = f"{self._where(case)}, {sweep}"
        if words := disputed(case, bench.units[0].categories.abnormal):
            told += f"; disputed: {words}"
        self.cleared_s.append((sweep.longest_s, told))
        if sweep.rises_at is not None and not sweep.enough:
            self.unbounded.append(f"{self._where(case)} still rises at {sweep.rises_at} %")

    def _where(self, case: Case, percent: int | None = None) -> str:
        """Return in words what is tried."""
        count = len(self.bench.units)
        words = [f"case {case.name}"]
        words += [f"{percent} %"] if percent is not None else []
        words += [f"{count} inverters"] if count > 1 else []
        return ", ".join(words)

    async def _return_s(self) -> float:
        """Return how long after the grid's return the first inverter feeds again. [s]"""
        bench = self.bench
        for unit, found in zip(bench.units, bench.enter_service, strict=True):
            delayed = replace(found, delay_s=RETURN_S, random_s=0.0)
            await bench.lab.driver(unit.name).write_enter_service(delayed)
        await bench.close()
        unit = bench.units[0]
        began_s = (await unit.measure()).time_s
        while True:
            await unit.hold(1.0, step_s=1.0)
            reading = await unit.measure()
            lasted_s = reading.time_s - began_s
            if lasted_s > RETURN_WATCHED_S:
                return math.inf
            for one in bench.units:
                if bench.gives_w(one, reading) > FEEDS_PU * one.rated_w:
                    return lasted_s

    def record(self) -> None:
        """Record what it came to."""
        lab, units = self.bench.lab, self.bench.units
        if self.alive_s:
            alive_s, where = min(self.alive_s)
            lab.record(ALIVE.name, ALIVE.unit, alive_s, TIME_U_S, where)
        elif not self.bench.detection_switchable:
            why = "island detection cannot be switched off: nothing proves that the bench sustains"
            lab.record(ALIVE.name, ALIVE.unit, None, note=f"{why} an island")
        if self.imbalances_pu:
            imbalance_pu, where = max(self.imbalances_pu)
            u_pu = max(unit.uncertainty_pu()[2] for unit in units)
            lab.record(BALANCED.name, BALANCED.unit, imbalance_pu, u_pu, where)
        if self.cleared_s:
            time_s = max(time_s for time_s, _ in self.cleared_s)
            told = "; ".join(f"{time_s:.3f} s in {told}" for time_s, told in self.cleared_s)
            if self.unbounded and time_s <= CLEARING_MAX_S:
                told = f"longest not found, {'; '.join(self.unbounded)}; {told}"
                lab.record(CLEARED.name, CLEARED.unit, None, note=told)
            else:
                lab.record(CLEARED.name, CLEARED.unit, time_s, TIME_U_S, told)
            for criterion, found in ((REPORTED, self.misreports), (TRIPPED, self.connected)):
                lab.record(criterion.name, criterion.unit, len(found), note="; ".join(found))
        if self.returned_s is not None:
            lab.record(RETURNED.name, RETURNED.unit, self.returned_s, 1.0)
