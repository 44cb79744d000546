"""Running cases: several at once where they only wait, one at a time where they measure.

Every case has a device, a process and a record of its own; none sees what another left. After
`ENDS_MAX` cases in which the driver's process crashed or hung the rest is not run: a driver that
does that is refused, and its hangs would take an hour.

The referee watches its own punctuality. A case that is not passed while the referee was more than
`LATE_S_MAX` late is tried again, `ATTEMPTS_MAX` times in all, each attempt with its own record and
told in the notes. What every attempt breaks is the driver's; if they break nothing in common the
case is INCONCLUSIVE, for the machine was too busy to judge.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from gridrig.campaign.measurements import Outcome, judge_all
from gridrig.clock import Clock
from gridrig.conformance.case import CRASHES, HANGS, Case, CaseOver, CaseResult, NotApplicable
from gridrig.conformance.punctuality import Punctuality
from gridrig.conformance.remote import WorkerEnded
from gridrig.conformance.stand import Stand
from gridrig.conformance.subject import Subject

LANES = 4
ENDS_MAX = 3
CASE_S_MAX = 180.0
LATE_S_MAX = 0.25
ATTEMPTS_MAX = 3


class Examination:
    """Cases tried on one driver.

    Parameters
    ----------
    subject : Subject
        The driver and its device.
    clock : Clock
        The wall clock.
    records : Path
        Folder for the record of each case.
    log : binary file
        Takes what the driver prints.
    on_result : callable
        Told of each result as it comes.
    """

    def __init__(
        self,
        subject: Subject,
        clock: Clock,
        records: Path,
        log: BinaryIO,
        on_result: Callable[[CaseResult], object],
    ) -> None:
        self._subject = subject
        self._clock = clock
        self._records = records
        self._log = log
        self._on_result = on_result
        self._ended: list[str] = []

    async def run(self, cases: Sequence[Case], *, lanes: int = LANES) -> list[CaseResult]:
        """Try the cases and return their results in the order given."""
        results: dict[str, CaseResult] = {}
        queue = [case for case in cases if not case.alone]

        async def lane() -> None:
            while queue:
                one = queue.pop(0)
                results[one.id] = await self._try(one)

        await asyncio.gather(*(lane() for _ in range(lanes)))
        for one in cases:
            if one.alone:
                results[one.id] = await self._try(one)
        return [results[one.id] for one in cases]

    async def _try(self, case: Case) -> CaseResult:
        result = await self._case_in_time(case)
        self._on_result(result)
        return result

    async def _case_in_time(self, case: Case) -> CaseResult:
        """Try a case; once more if it was not passed while the referee itself came late."""
        told: list[str] = []
        always = {criterion.name for criterion in case.criteria}
        for attempt in range(1, ATTEMPTS_MAX + 1):
            if len(self._ended) >= ENDS_MAX:
                return CaseResult(case, not_run=f"the driver ended in {', '.join(self._ended)}")
            ended = list(self._ended)
            async with Punctuality(self._clock) as referee:
                result = await self._case(case, attempt)
            if result.outcome in (None, Outcome.PASS) or referee.late_s <= LATE_S_MAX:
                return replace(result, notes=(*told, *result.notes))
            always &= set(result.broken)
            if attempt == ATTEMPTS_MAX and always:
                break
            # What a driver misses on a machine that stands still says nothing of the driver.
            self._ended = ended
            told.append(
                f"attempt {attempt} does not count: the referee was {referee.late_s:.2f} s "
                f"late; {', '.join(result.broken)}"
            )
        else:
            return CaseResult(case, not_run="; ".join(told))
        return replace(result, notes=(*told, *result.notes))

    async def _case(self, case: Case, attempt: int) -> CaseResult:
        again = "" if attempt == 1 else f".{attempt}"
        record = self._records / f"{case.id}{again}.jsonl"
        stand = Stand(case, self._subject, self._clock, record, self._log)
        stand.measure(CRASHES, 0)
        stand.measure(HANGS, 0)
        begun_s = self._clock.now_s()
        not_applicable = ""
        try:
            async with asyncio.timeout(CASE_S_MAX):
                if case.opens:
                    await stand.start_device()
                    await stand.start_driver()
                with contextlib.suppress(CaseOver):
                    if case.opens:
                        await stand.value("open")
                    await case.run(stand)
                # A process that is gone without having been asked to go crashed unseen.
                if not stand.driver_ended:
                    await stand.keep_trace()
        except NotApplicable as why:
            not_applicable = str(why)
        except WorkerEnded as end:
            self._ended.append(case.id)
            stand.measure(HANGS if end.hung else CRASHES, 1, str(end))
            stand.note(str(end))
        except TimeoutError:
            stand.note(f"the case did not end within {CASE_S_MAX:g} s")
        finally:
            await stand.driver.stop()
            await stand.stop_device()
            stand.write_record()
        took_s = self._clock.now_s() - begun_s
        if not_applicable:
            return CaseResult(case, not_applicable=not_applicable, duration_s=took_s)
        verdicts = judge_all(case.criteria, stand.measurements())
        notes = tuple(stand.notes)
        return CaseResult(case, verdicts, "", "", notes, took_s, stand.identity, stand.ran)
