"""The folder of a sweep: its plan, an attempt of each point, notes, and who works in it.

    sweep.json                        the plan
    points/0007/1/run/                the run directory of the first attempt of point 7
    points/0007/1/point.json          what it was and how it ended
    points/0007/1/said.txt            what its process printed
    points/0007/cut-short-1/          an attempt that never came to its end
    notes.jsonl                       what operators wrote

Invariants
----------
* An attempt is there whole or not at all: it is made elsewhere and renamed into its place.
* An attempt never changes and is never taken away; the last one counts, the report names them all.
* One process works in a sweep at a time. The lock is the kernel's, and every run of a point holds
  it too, so that whoever resumes after a crash waits until the last of them is gone.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridrig.campaign.formats import json_bytes, json_line
from gridrig.campaign.manifest import is_finished, verify, write_manifest
from gridrig.campaign.records import MANIFEST, SIGNATURE
from gridrig.campaign.signing import load_signing_key
from gridrig.clock.wall_time import arrival_ns, sleep, utc_now
from gridrig.errors import CampaignError
from gridrig.sweep.plan import Plan, Point, differences

PLAN, LOCK, NOTES, POINTS = "sweep.json", "sweep.lock", "notes.jsonl", "points"
POINT, SAID, RUN = "point.json", "said.txt", "run"
_CUT_SHORT = "cut-short-"
ASK_S = 0.2  # how often somebody waiting for the folder asks again
FREE_WITHIN_S = 30.0


@dataclass(frozen=True)
class Note:
    """What an operator wrote about a point."""

    utc: str
    by: str
    point: int
    text: str


class Place:
    """One sweep's folder.

    Parameters
    ----------
    path : Path
        The folder; `begin` makes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, plan: Plan) -> None:
        """Make the folder, or see that it holds the same plan.

        Raises
        ------
        CampaignError
            `sweep.another_plan` if it holds another one, `sweep.path_taken` if it is something
            else.
        """
        if (self.path / PLAN).is_file():
            changed = differences(self.plan(), plan)
            if changed:
                raise CampaignError(
                    "sweep.another_plan",
                    "{path} is another sweep: {changed} differ",
                    path=self.path,
                    changed=", ".join(changed),
                )
            return
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise CampaignError("sweep.path_taken", "{path} is no sweep", path=self.path)
        (self.path / POINTS).mkdir(parents=True)
        draft = self.path / f".{PLAN}"
        draft.write_bytes(json_bytes(plan.to_json()))
        draft.rename(self.path / PLAN)

    def plan(self) -> Plan:
        """Read the plan.

        Raises
        ------
        CampaignError
            `sweep.missing` if there is no sweep.
        """
        path = self.path / PLAN
        if not path.is_file():
            raise CampaignError("sweep.missing", "{path} is no sweep", path=self.path)
        try:
            return Plan.from_json(json.loads(path.read_bytes()))
        except (ValueError, KeyError, TypeError) as error:
            raise CampaignError(
                "campaign.evidence_malformed", "{file}: {why!r}", file=path, why=error
            ) from None

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Work in the folder alone; give the lock's descriptor, for those who work along.

        Runs that a dead sweep left behind end by themselves; they are waited for.

        Raises
        ------
        CampaignError
            `sweep.in_use` if somebody else works in it for longer than that.
        """
        descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        deadline_ns = arrival_ns() + round(FREE_WITHIN_S * 1e9)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if arrival_ns() > deadline_ns:
                        raise CampaignError(
                            "sweep.in_use", "{path} is in use by another process", path=self.path
                        ) from None
                sleep(ASK_S)
            yield descriptor
        finally:
            os.close(descriptor)

    def open_seal(self) -> None:
        """Take the signature away, because something will be added; refuse what was changed.

        Raises
        ------
        CampaignError
            `sweep.changed` if a file is not as it was signed.
        """
        if not is_finished(self.path):
            return
        found = verify(self.path)
        if not found.intact:
            raise CampaignError(
                "sweep.changed", "{path}: {lines}", path=self.path, lines="; ".join(found.lines())
            )
        (self.path / SIGNATURE).unlink()
        (self.path / MANIFEST).unlink()

    def seal(self) -> None:
        """Sign everything in the folder; `gridrig verify` checks it as it does a run."""
        write_manifest(self.path, load_signing_key())

    def attempts(self, number: int) -> list[Path]:
        """Return the whole attempts of a point, the first one first."""
        folder = self._folder(number)
        names = [p.name for p in folder.iterdir()] if folder.is_dir() else []
        return [folder / name for name in sorted(filter(str.isdecimal, names), key=int)]

    def cut_short(self, number: int) -> int:
        """Return how many attempts of a point never came to their end."""
        return len(list(self._folder(number).glob(f"{_CUT_SHORT}*")))

    def clear_up(self) -> None:
        """Set attempts aside that a crash left unfinished; to be called with the lock held."""
        for path in (self.path / POINTS).glob("*/running*"):
            rank = 1
            while (kept := path.with_name(f"{_CUT_SHORT}{rank}")).exists():
                rank += 1
            path.rename(kept)

    def running(self, number: int) -> Path:
        """Make the folder that an attempt of a point is made in."""
        path = self._folder(number) / "running"
        path.mkdir(parents=True)
        return path

    def keep(self, made: Path, number: int) -> Path:
        """Put a whole attempt in its place, after those that are there."""
        path = self._folder(number) / str(len(self.attempts(number)) + 1)
        made.rename(path)
        return path

    def note(self, number: int, text: str, by: str) -> None:
        """Write an operator's note on a point.

        Raises
        ------
        CampaignError
            `sweep.no_such_point` if the sweep has none of this number.
        """
        self.point(number)
        with (self.path / NOTES).open("ab") as file:
            file.write(json_line(vars(Note(utc_now(), by, number, text))))

    def notes(self) -> list[Note]:
        """Return all notes in the order they were written."""
        path = self.path / NOTES
        lines = path.read_bytes().splitlines() if path.is_file() else []
        return [Note(**json.loads(line)) for line in lines]

    def point(self, number: int) -> Point:
        """Return a point by its number.

        Raises
        ------
        CampaignError
            `sweep.no_such_point` if there is none.
        """
        plan = self.plan()
        for point in plan.points():
            if point.number == number:
                return point
        raise CampaignError(
            "sweep.no_such_point",
            "point {number} is not there; the sweep has 1 to {count}",
            number=number,
            count=len(plan),
        )

    def _folder(self, number: int) -> Path:
        return self.path / POINTS / f"{number:04d}"


def ended(attempt: Path) -> dict[str, Any]:
    """Return how an attempt ended: the content of its `point.json`."""
    content: dict[str, Any] = json.loads((attempt / POINT).read_bytes())
    return content


def next_place(name: str) -> Path:
    """Return the first free sweeps/NAME-NUMBER."""
    number = 1
    while (path := Path("sweeps") / re.sub(r"[^\w.-]", "-", f"{name}-{number}")).exists():
        number += 1
    return path
