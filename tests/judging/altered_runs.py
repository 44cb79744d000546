"""Runs that are over, altered afterwards: what the books of a wrong gridrig would have said."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

from gridrig.campaign.account import Account
from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.lab import open_lab
from gridrig.campaign.loop import Loop
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.slicing import slice_scenario
from gridrig.clock import Clock, run_virtual
from gridrig.rig.description import load_rig


@cache
def region_hours() -> Loop:
    """Two hours of the first region's day in June, of which nobody changes anything for good."""
    scenario = load_scenario(SCENARIOS / "promise-10-region-50hz.toml")
    part = slice_scenario(scenario, from_s=10 * 3600, for_s=2 * 3600, tick_s=None)

    async def run(clock: Clock) -> Loop:
        async with open_lab(load_rig(RIGS / "region-50hz.toml"), clock, [], []) as lab:
            return await lab.run_loop(part)

    return run_virtual(run, start_utc_s=part.start_utc_s)


def thawed(record: Any, **values: object) -> Any:
    """Return a copy of a frozen record of the core with other values."""
    names = (name for name in dir(record) if not name.startswith("_"))
    held = {name: getattr(record, name) for name in names}
    return SimpleNamespace(**held | values)


class AlteredAccount:
    """An account that says of some things something else."""

    def __init__(self, account: Account, **values: Any) -> None:
        self._account, self._values = account, values

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__["_values"]
        return values[name] if name in values else getattr(self.__dict__["_account"], name)


def with_books(loop: Loop, **values: Any) -> Loop:
    """Return a run with altered books: `settled`, or `entries` as a function."""
    altered: Any = AlteredAccount(loop.account, **values)
    return replace(loop, account=altered)


def with_settled(loop: Loop, at: int, **values: object) -> Loop:
    """Return a run whose period at an index of its books was settled with other values."""
    settled: list[Any] = list(loop.account.settled)
    settled[at] = thawed(settled[at], **values)
    return with_books(loop, settled=settled)


def with_entry(loop: Loop, chosen: Callable[[Any], bool], **values: object) -> Loop:
    """Return a run in whose books the first entry that is `chosen` has other values."""
    entries: list[Any] = loop.account.entries()
    at = next(k for k, entry in enumerate(entries) if chosen(entry))
    entries[at] = thawed(entries[at], **values)
    return with_books(loop, entries=lambda: entries)


def with_trace(loop: Loop, change: Callable[[dict[str, float]], object]) -> Loop:
    """Return a run every tick of whose trace is changed."""
    trace = copy.copy(loop.trace)
    trace._rows = copy.deepcopy(trace._rows)
    for row in trace._rows:
        change(row)
    return replace(loop, trace=trace)


@contextmanager
def changed(rows: list[Any], at: int, **values: object) -> Iterator[None]:
    """Change one of a run's rows, and put it back."""
    held = rows[at]
    rows[at] = replace(held, **values)
    try:
        yield
    finally:
        rows[at] = held
