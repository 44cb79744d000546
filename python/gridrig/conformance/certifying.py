"""`gridrig certify`: try a driver on the catalogue, keep the evidence, sign what was found."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gridrig.campaign.builtin import RIGS, find
from gridrig.campaign.manifest import verify, write_manifest
from gridrig.campaign.outcomes import Outcome
from gridrig.campaign.signing import load_signing_key
from gridrig.campaign.stopping import Stop
from gridrig.clock import Clock, run_wall
from gridrig.clock.wall_time import utc_now
from gridrig.conformance.case import Case, CaseResult
from gridrig.conformance.catalogue import cases_for, catalogue_digest, chosen, not_covered
from gridrig.conformance.certificate import (
    CERTIFIED,
    NAME,
    CaseEntry,
    certificate_body,
    term_of,
)
from gridrig.conformance.dependencies import (
    ASKED_ALWAYS,
    DriverPackage,
    current_blocks,
    dependencies,
    driver_package,
    reason_for,
    reason_for_all,
)
from gridrig.conformance.examination import LANES, Examination
from gridrig.conformance.remote import Remote, WorkerEnded
from gridrig.conformance.signed_document import CERTIFICATE, plain, read_document, write_document
from gridrig.conformance.subject import Subject, subject_of
from gridrig.errors import CampaignError
from gridrig.rig.description import load_rig

EVIDENCE = "evidence"
DEPENDENCIES = "dependencies.json"
RESULTS = "results.json"
CAPABILITY_OF = {"storage_inverter": "storage"}  # of a driver, as a rig names it
FIRST = "first certification"
STOPPED = "conformance.stopped"
T = TypeVar("T")
SAID_BYTES_MAX = 2_000  # of what a driver printed that cannot be loaded


@dataclass(frozen=True)
class Before:
    """A certificate that is taken as the starting point."""

    id: str
    entries: dict[str, CaseEntry]
    dependencies: dict[str, Any]


@dataclass(frozen=True)
class Order:
    """What `gridrig certify` was asked for; see its help."""

    driver: str
    rig: str
    device: str
    out: Path
    key: Path | None
    since: Path | None = None
    only: tuple[str, ...] = ()
    lanes: int = LANES
    days: int = 365


def certify_command(order: Order, *, as_json: bool, render: Callable[[Path], Path]) -> int:
    """Certify a driver and return the exit code.

    0 certified, 1 refused, 3 only a part was run, 5 stopped by SIGINT, SIGTERM or SIGHUP.

    Parameters
    ----------
    order : Order
        What to do.
    as_json : bool
        Print the certificate's content instead of a summary.
    render : callable
        Makes the page of a certificate's file and returns its path.
    """
    key = _signing_key(order.key)
    if order.out.exists() and any(order.out.iterdir()):
        raise CampaignError(
            "conformance.not_empty", "{path} is not empty; name a new directory", path=order.out
        )

    def told(result: CaseResult) -> None:
        if not as_json:
            print(line_of(result), flush=True)

    try:
        body = certify(order, key, told)
    except CampaignError as error:
        if error.code != STOPPED:
            raise
        print(f"gridrig certify: {error.message}", file=sys.stderr)
        return Outcome.ABORTED.exit_code
    page = render(order.out / NAME)
    if as_json:
        print(json.dumps(body, indent=1))
    else:
        print(f"\n{body['result']}: {order.driver} on {body['device']['name']}, {tally(body)}")
        print(f"certificate  {order.out / NAME}\nreport       {page}")
        print(f"check        gridrig verify {order.out / NAME} --trust KEY")
    return exit_code(body)


def certify(
    order: Order, key: Ed25519PrivateKey, told: Callable[[CaseResult], object]
) -> dict[str, Any]:
    """Try a driver, write evidence and certificate, and return what the certificate says.

    Raises
    ------
    CampaignError, RigError
        If there is nothing to certify: no such driver, device, case, or earlier certificate;
        `conformance.stopped` if SIGINT, SIGTERM or SIGHUP came first.
    """
    now = utc_now()
    package = driver_package(order.driver)
    start_utc_s = int(datetime.fromisoformat(now).timestamp())
    loaded = _stoppable(lambda clock: _load(order.driver, clock), start_utc_s)
    subject = _subject(order, loaded)
    cases = cases_for(subject)
    before = None if order.since is None else _before(order.since, key)
    # Whether anything stands depends on who the device is now.
    asked = {ASKED_ALWAYS, *order.only} if before is not None and order.only else order.only
    picked = chosen(cases, asked)
    evidence = order.out / EVIDENCE
    (evidence / "cases").mkdir(parents=True)
    with (evidence / "driver.log").open("wb") as log:
        run = _Run(order, subject, package, picked, before, evidence, log, told)
        results = _stoppable(run.all, start_utc_s)
    entries = _entries(picked, results, run.reasons, before, now)
    known = {result.case.id: result for result in results}
    identity = known[ASKED_ALWAYS].identity if ASKED_ALWAYS in known else {}
    _write_evidence(evidence, subject, package, results, entries, before)
    write_manifest(evidence, key)
    ran = {entry.id for entry in entries}
    body = certificate_body(
        subject=subject,
        package=package,
        identity=identity,
        entries=entries,
        not_covered=not_covered(subject, cases),
        catalogue=catalogue_digest(cases),
        evidence=evidence,
        complete=all(case.id in ran for case in cases),
        term=term_of(now, order.days, None if before is None else before.id),
    )
    write_document(order.out / NAME, CERTIFICATE, body, key)
    return body


class _Run:
    """The cases of one order, and why each is run."""

    def __init__(
        self,
        order: Order,
        subject: Subject,
        package: DriverPackage,
        picked: list[Case],
        before: Before | None,
        evidence: Path,
        log: BinaryIO,
        told: Callable[[CaseResult], object],
    ) -> None:
        self._order = order
        self._subject = subject
        self._package = package
        self._picked = picked
        self._before = before
        self._evidence = evidence
        self._log = log
        self._told = told
        self.reasons: dict[str, str] = {}

    async def all(self, clock: Clock) -> list[CaseResult]:
        """Run what has to be run."""
        records = self._evidence / "cases"
        exam = Examination(self._subject, clock, records, self._log, self._told)
        lanes = self._order.lanes
        if self._before is None:
            self.reasons = {case.id: FIRST for case in self._picked}
            return await exam.run(self._picked, lanes=lanes)
        first = [case for case in self._picked if case.id == ASKED_ALWAYS]
        asked = await exam.run(first, lanes=1)
        self._decide(self._before.dependencies, asked)
        rest = [c for c in self._picked if c.id in self.reasons and c.id != ASKED_ALWAYS]
        return asked + await exam.run(rest, lanes=lanes)

    def _decide(self, was: dict[str, Any], asked: list[CaseResult]) -> None:
        """Say of each case why it is run again; of the others nothing."""
        every = reason_for_all(was, self._subject, self._package, asked[0]) if asked else ""
        blocks = current_blocks(self._package, was["blocks"])
        for case in self._picked:
            if reason := reason_for(was, blocks, case) or every:
                self.reasons[case.id] = reason


def _stoppable(work: Callable[[Clock], Awaitable[T]], start_utc_s: int) -> T:
    """Do it on the wall clock; a signal ends every process of a driver, then this."""
    stops: list[Stop] = []

    async def main(clock: Clock) -> T:
        stops.append(Stop())
        return await work(clock)

    try:
        return run_wall(main, start_utc_s=start_utc_s)
    except asyncio.CancelledError:
        cause = stops[0].cause if stops else "cancelled"
        raise CampaignError(STOPPED, "{cause}: nothing is certified", cause=cause) from None


async def _load(driver: str, clock: Clock) -> str:
    """Import the driver in a process of its own, before anybody else does."""
    with tempfile.TemporaryFile() as log:
        remote = Remote(clock, log)
        try:
            await remote.start()
            return await remote.load(driver)
        except WorkerEnded as end:
            log.seek(0)
            raise CampaignError(
                "conformance.driver_not_loaded",
                "{driver}: {cause} {said}",
                driver=driver,
                cause=str(end),
                said=log.read(SAID_BYTES_MAX).decode("utf-8", "replace"),
            ) from None
        finally:
            await remote.stop()


def _subject(order: Order, loaded: str) -> Subject:
    subject = subject_of(load_rig(find(order.rig, RIGS)), order.device, order.driver)
    found = CAPABILITY_OF.get(loaded, loaded)
    if found != subject.capability:
        raise CampaignError(
            "conformance.capability",
            "driver {driver} is of capability {found!r}, {device} of {expected!r}",
            driver=order.driver,
            found=found,
            device=order.device,
            expected=subject.capability,
        )
    return subject


def _signing_key(path: Path | None) -> Ed25519PrivateKey:
    if path is not None and not path.is_file():
        raise CampaignError(
            "conformance.no_key",
            "{path} is no file; make a key with: openssl genpkey -algorithm ed25519 -out {path}",
            path=path,
        )
    return load_signing_key(path)


def _before(directory: Path, key: Ed25519PrivateKey) -> Before:
    """Read an earlier certificate with its evidence; only one of the same key counts."""
    document = read_document(directory / NAME, CERTIFICATE)
    found = verify(directory / EVIDENCE, [key.public_key()])
    if document.key != key.public_key() or not found.intact or not found.trusted:
        raise CampaignError(
            "conformance.since",
            "{path} cannot be built on: {found}; expected a certificate and its evidence, whole, "
            "signed by this key",
            path=directory,
            found=found.summary,
        )
    content = json.loads((directory / EVIDENCE / DEPENDENCIES).read_text(encoding="utf-8"))
    entries = [CaseEntry(entry) for entry in document.body["cases"]]
    return Before(document.body["id"], {entry.id: entry for entry in entries}, content)


def _entries(
    cases: list[Case],
    results: list[CaseResult],
    reasons: dict[str, str],
    before: Before | None,
    now: str,
) -> list[CaseEntry]:
    """Return the entries of the cases asked for, those carried over among them."""
    fresh = {r.case.id: CaseEntry.of(r, at=now, because=reasons[r.case.id]) for r in results}
    old = {} if before is None else {n: e.carried(before.id) for n, e in before.entries.items()}
    both = {**old, **fresh}
    return [both[case.id] for case in cases if case.id in both]


def _write_evidence(
    evidence: Path,
    subject: Subject,
    package: DriverPackage,
    results: list[CaseResult],
    entries: list[CaseEntry],
    before: Before | None,
) -> None:
    found = dependencies(subject, package, results)
    if before is not None:
        was = before.dependencies
        kept = {entry.id for entry in entries}
        cases = {name: case for name, case in was["cases"].items() if name in kept}
        found["cases"] = {**cases, **found["cases"]}
        files = {file for case in found["cases"].values() for file in case["ran"]}
        found["blocks"] = current_blocks(package, sorted(files))
        found["versions"] = {**was["versions"], **found["versions"]}
    _write(evidence / DEPENDENCIES, found)
    _write(evidence / RESULTS, plain([dict(entry.content) for entry in entries]))
    (evidence / "rig.toml").write_bytes(subject.rig.text)


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def line_of(result: CaseResult) -> str:
    """Return a case's result as one line, with what went wrong below it."""
    if result.not_applicable:
        return f"    n/a  {result.case.id}: {result.not_applicable}"
    told = [f"{result.outcome!s:>7}  {result.case.id}  ({result.duration_s:.1f} s)"]
    for verdict in result.verdicts:
        if verdict.outcome is not Outcome.PASS:
            limit = verdict.criterion
            bound = f"<= {limit.max:g}" if limit.max is not None else f">= {limit.min:g}"
            value = "not measured" if verdict.value is None else f"{verdict.value:g}"
            told.append(f"           {limit.name}: {value} {limit.unit}, limit {bound}")
    told += [f"           {note}" for note in (*result.notes, result.not_run) if note]
    return "\n".join(told)


def tally(body: dict[str, Any]) -> str:
    """Return how many cases came to what."""
    outcomes = [entry["outcome"] for entry in body["cases"]]
    run = [outcome for outcome in outcomes if outcome is not None]
    passed = sum(outcome == Outcome.PASS for outcome in run)
    carried = sum(entry["carried_from"] is not None for entry in body["cases"])
    text = f"{passed} of {len(run)} cases passed, {len(outcomes) - len(run)} do not apply"
    return f"{text}, {carried} carried over" if carried else text


def exit_code(body: dict[str, Any]) -> int:
    """Return the exit code of a certificate's result."""
    codes = {CERTIFIED: Outcome.PASS, "refused": Outcome.FAIL}
    return codes.get(body["result"], Outcome.INCONCLUSIVE).exit_code
