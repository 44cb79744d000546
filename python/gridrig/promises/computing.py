"""Computing jobs of a run, judged by sums and rules that the compute market does not use.

Energy comes from the readings as they were received, verified once more with keys enrolled anew;
results are computed again by the backend that the market does not check with; the certificates for
the jobs are minted, retired and counted in a register of its own.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from gridrig._core import Verifier
from gridrig.campaign.loop import Loop
from gridrig.computing.job import Ended
from gridrig.computing.work import result_hash
from gridrig.metering.keys import enrol_all
from gridrig.rig.description import Rig
from gridrig.settlement.certificates import new_asset
from gridrig.settlement.certificates_store import CertificateStore
from gridrig.settlement.retiring import retire_for

EFFICIENCY = 0.96  # of the storage inverter, one way, as its maker states it
ISSUER, HOLDER = "promises", "place"
PERCENT = 100.0


@dataclass
class Registers:
    """What each meter's customer had taken and given when it signed, by second and meter. [mWh]"""

    took: dict[tuple[float, str], int] = field(default_factory=dict)
    gave: dict[tuple[float, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, rig: Rig, loop: Loop) -> "Registers":
        """Verify what was received in a run."""
        verifier, found = Verifier(), cls()
        enrol_all(verifier, rig.keys)
        for row in loop.rounds.received:
            if row.outcome == "verified" and row.received_s is not None:
                reading = verifier.verify(row.record, at_s=row.received_s, meter=row.meter)
                at = float(row.received_s - loop.clock.start_utc_s), row.meter
                found.took[at] = reading.import_milliwh or 0
                found.gave[at] = reading.export_milliwh or 0
        return found

    def edges(self) -> list[float]:
        """Return when was signed. [s]"""
        return sorted({at_s for at_s, _ in self.took})

    def net_wh(self, meter: str) -> float:
        """Return what a meter's customer gave less what it took, over all that was signed. [Wh]"""
        first, *_, last = self.edges()
        gave = self.gave[last, meter] - self.gave[first, meter]
        return (gave - self.took[last, meter] + self.took[first, meter]) / 1000


def unlike_expected(loop: Loop, expected: Mapping[str, tuple[str, str]]) -> int:
    """Return how many jobs ended otherwise than expected, or with a result that is not theirs.

    Parameters
    ----------
    expected : mapping of str to (str, str)
        Ending and reason, by the name of a job.
    """
    found = {ended.job.name: ended for ended in loop.computing.ended}
    unlike = len(set(found) ^ set(expected)) + len(loop.computing.ended) - len(found)
    for name in set(found) & set(expected):
        ended = found[name]
        wrong = (ended.ending, ended.why) != expected[name]
        if ended.ending == "paid":
            wrong |= ended.result != result_hash(ended.job.work, "numpy")
        unlike += wrong
    return unlike


def energy_unlike_registers_milliwh(loop: Loop, registers: Registers) -> int | None:
    """Return the worst difference of a job's energy from the registers around it. [mWh]

    None if no job was begun.
    """
    worst = None
    for ended, opened_s, closed_s in _metered(loop, registers):
        place = loop.computing.places[ended.job.node]
        sides = []
        for names, register in (
            ([place.node], registers.took),
            ([place.storage, *place.sources], registers.gave),
        ):
            meters = [place.meter_of[name] for name in names]
            sides.append(sum(register[closed_s, m] - register[opened_s, m] for m in meters))
        worst = max(worst or 0, abs(ended.energy_milliwh - min(sides)))
    return worst


def _metered(loop: Loop, registers: Registers) -> Iterator[tuple[Ended, float, float]]:
    """Yield each job that was begun, with the signings before its begin and after its end. [s]"""
    over_s = {
        event.data["job"]: event.t_s
        for event in loop.events.ordered()
        if event.kind in ("job_done", "job_given_up")
    }
    for ended in loop.computing.ended:
        if ended.begun_s is not None and ended.job.name in over_s:
            opened_s = max(at_s for at_s in registers.edges() if at_s <= ended.begun_s)
            closed_s = min(at_s for at_s in registers.edges() if at_s > over_s[ended.job.name])
            yield ended, opened_s, closed_s


def paid_unlike_agreed_micro(loop: Loop) -> int:
    """Return by how much payments differ from price and energy, or accounts from empty escrows.

    In whole numbers, from the entries: a job that was paid costs its price and its energy, half a
    unit rounded up, at most its deposit; any other costs nothing; no escrow keeps anything.
    """
    moved: dict[str, int] = {}
    for entry in loop.computing.escrow.entries:
        moved[entry.debit] = moved.get(entry.debit, 0) - entry.amount_micro
        moved[entry.credit] = moved.get(entry.credit, 0) + entry.amount_micro
    unlike = abs(sum(moved.values()))
    unlike += sum(abs(amount) for name, amount in moved.items() if name.startswith("escrow/"))
    earned = dict.fromkeys((name for name in moved if name.startswith("node/")), 0)
    for ended in loop.computing.ended:
        if ended.ending == "paid":
            twice = 2 * ended.energy_milliwh * ended.job.energy_price_micro_per_kwh
            cost = ended.job.price_micro + (twice + 1_000_000) // 2_000_000
            node = f"node/{ended.job.node}"
            earned[node] = earned.get(node, 0) + min(cost, ended.deposit_micro)
    return unlike + sum(abs(moved.get(node, 0) - amount) for node, amount in earned.items())


def retired_short_wh(loop: Loop) -> int | None:
    """Certify what the sources gave, retire it for the paid jobs, and return what is missing. [Wh]

    Counts above and below alike; None if nothing was paid.
    """
    paid = [ended for ended in loop.computing.ended if ended.ending == "paid"]
    if not paid:
        return None
    sources = {p.meter_of[s] for p in loop.computing.places.values() for s in p.sources}
    with tempfile.TemporaryDirectory() as folder, CertificateStore(Path(folder) / "c") as store:
        for settled in loop.account.settled:
            for period in settled.meters:
                first = period.opening
                if period.meter not in sources or first is None:
                    continue
                if store.asset_of(period.meter) is None:
                    store.name(period.meter, asset := new_asset())
                    start = first.export_milliwh or 0
                    store.enrol(first.meter, first.serial, asset=asset, start_milliwh=start)
                store.mint(period, holder=HOLDER, issuer=ISSUER)
        for ended in paid:
            for _ in range(2):  # asked for again, nothing more goes
                retire_for(
                    store,
                    ended.energy_milliwh,
                    holder=HOLDER,
                    purpose=ended.job.name,
                    beneficiary=ended.job.buyer,
                )
        unlike = 0
        for ended in paid:
            mine = [lot for lot in store.lots() if lot.purpose == ended.job.name]
            whole = (ended.energy_milliwh + 999) // 1000
            unlike += abs(sum(lot.energy_wh for lot in mine) - whole)
        return unlike


def told_unlike_metered_percent(loop: Loop, told_milliwh: int, registers: Registers) -> float:
    """Return by how much a node's own count differs from its meter's. [%]"""
    (place,) = loop.computing.places.values()
    took_wh = 0.0 - registers.net_wh(place.meter_of[place.node])
    return PERCENT * abs(told_milliwh / 1000 - took_wh) / max(took_wh, 1.0)


def drew_while_paused_milliwh(loop: Loop, registers: Registers) -> int | None:
    """Return the most that a node took in a period that lies wholly in a pause. [mWh]

    None if there was no such period.
    """
    (place,) = loop.computing.places.values()
    meter, edges = place.meter_of[place.node], registers.edges()
    kinds = ("job_paused", "job_resumed", "job_given_up", "job_done")
    steps = [(event.t_s, event.kind) for event in loop.events.ordered() if event.kind in kinds]
    steps.append((edges[-1], "end"))
    tick_s = loop.scenario.tick_s_max
    worst: int | None = None
    for (from_s, kind), (to_s, _) in pairwise(steps):
        if kind != "job_paused":
            continue
        for begin, end in pairwise(edges):
            if begin >= from_s + tick_s and end <= to_s:
                took = registers.took[end, meter] - registers.took[begin, meter]
                worst = max(worst or 0, took)
    return worst


def balance_percent(rig: Rig, loop: Loop, registers: Registers) -> float:
    """Return how far the energy of a place is from closing. [%]

    What sun and main grid gave, less what the computer took, less what the lines lost (as the
    solved feeder has it) and the storage inverter (by its maker's efficiency), less what the pack's
    own manager says that went into it: as a share of what the computer took.
    """
    (place,) = loop.computing.places.values()
    head = next(m.name for m in rig.signing() if m.measures == "head")
    sun_wh = sum(registers.net_wh(place.meter_of[name]) for name in place.sources)
    used_wh = 0.0 - registers.net_wh(place.meter_of[place.node])
    first, *_, last = registers.edges()
    meter = place.meter_of[place.storage]
    in_wh = (registers.took[last, meter] - registers.took[first, meter]) / 1000
    out_wh = (registers.gave[last, meter] - registers.gave[first, meter]) / 1000
    lost_wh = in_wh * (1 - EFFICIENCY) + out_wh * (1 / EFFICIENCY - 1)
    columns = loop.trace.columns()
    ticks = zip(columns["feeder.losses_w"], columns["dt_s"], strict=True)
    lines_wh = sum(p_w * dt_s for p_w, dt_s in ticks) / 3600
    stored_wh = loop.computing.watches[place.node].charged_wh
    open_wh = sun_wh + registers.net_wh(head) - used_wh - lines_wh - lost_wh - stored_wh
    return PERCENT * abs(open_wh) / max(used_wh, 1.0)
