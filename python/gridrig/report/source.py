"""A run directory read back whole: the only thing a report is made from."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gridrig.campaign import records
from gridrig.campaign.formats import Columns, Row, csv_rows, parquet_columns
from gridrig.campaign.measurements import Outcome
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.errors import CampaignError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RunSource:
    """Everything in a run directory; what a run that broke off did not write is empty."""

    path: Path
    run: records.RunRecord
    verdicts: RunVerdicts
    trace: Columns
    island: Columns
    events: tuple[dict[str, Any], ...]
    readings: tuple[dict[str, Any], ...]
    orders: tuple[records.OrderRow, ...]
    trades: tuple[records.TradeRow, ...]
    clearing: tuple[records.ClearingRow, ...]
    entries: tuple[records.EntryRow, ...]
    balances: tuple[records.BalanceRow, ...]
    energy: tuple[records.EnergyRow, ...]
    timing: dict[str, Any] | None = None
    zones: tuple[records.ZoneRow, ...] = ()
    links: tuple[records.LinkRow, ...] = ()

    def named(self, prefix: str, suffix: str) -> dict[str, Floats]:
        """Return the trace's columns `prefix<name>suffix` that hold any number, by name."""
        return {
            column[len(prefix) : len(column) - len(suffix)]: values
            for column, values in self.trace.items()
            if column.startswith(prefix) and column.endswith(suffix) and np.isfinite(values).any()
        }

    def column(self, name: str) -> Floats | None:
        """Return one column of the trace, or None if it holds no number."""
        values = self.trace.get(name)
        return None if values is None or not np.isfinite(values).any() else values

    @property
    def time_s(self) -> Floats:
        """Start of each tick since the run began. [s]."""
        return self.trace.get("t_s", np.zeros(0))

    @property
    def island_spans(self) -> tuple[tuple[float, float], ...]:
        """From when to when the feeder was an island, since the run began. [s]."""
        flags = self.trace.get("grid.island")
        if flags is None or len(flags) == 0:
            return ()
        time_s = self.time_s
        lengths_s = self.trace.get("dt_s", np.zeros(len(time_s)))
        within = np.concatenate(([False], flags > 0.5, [False]))
        edges = np.flatnonzero(np.diff(within.astype(np.int8)))
        return tuple(
            (float(time_s[first]), float(time_s[last - 1] + lengths_s[last - 1]))
            for first, last in zip(edges[::2], edges[1::2], strict=True)
        )


def load_run(path: Path) -> RunSource:
    """Read a run directory.

    Raises
    ------
    CampaignError
        If it has no `run.json`, or a file cannot be read; names the file.
    """
    if not (path / records.RUN).is_file():
        raise CampaignError(
            "campaign.run_missing",
            "{path} is no run directory: it has no {file}",
            path=path,
            file=records.RUN,
        )
    try:
        run = records.RunRecord.from_json(_json(path / records.RUN))
    except (TypeError, KeyError) as error:
        raise CampaignError(
            "campaign.evidence_malformed", "{file}: {why}", file=records.RUN, why=error
        ) from None
    return RunSource(
        path=path,
        run=run,
        verdicts=_verdicts(path / records.VERDICTS, run.title),
        trace=_columns(path / records.TRACE),
        island=_columns(path / records.ISLAND),
        events=_lines(path / records.EVENTS),
        readings=_lines(path / records.READINGS),
        orders=_rows(records.OrderRow, path / records.ORDERS),
        trades=_rows(records.TradeRow, path / records.TRADES),
        clearing=_rows(records.ClearingRow, path / records.CLEARING),
        entries=_rows(records.EntryRow, path / records.ENTRIES),
        balances=_rows(records.BalanceRow, path / records.BALANCES),
        energy=_rows(records.EnergyRow, path / records.ENERGY),
        timing=_json(path / records.TIMING) if (path / records.TIMING).is_file() else None,
        zones=_rows(records.ZoneRow, path / records.ZONES),
        links=_rows(records.LinkRow, path / records.LINKS),
    )


def _verdicts(path: Path, title: str) -> RunVerdicts:
    if not path.is_file():
        return RunVerdicts(title, (), Outcome.ERROR, "the run wrote no verdicts")
    try:
        return RunVerdicts.from_json(_json(path))
    except (TypeError, KeyError, ValueError) as error:
        raise CampaignError(
            "campaign.evidence_malformed", "{file}: {why!r}", file=path.name, why=error
        ) from None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise CampaignError(
            "campaign.evidence_malformed", "{file}: {why}", file=path.name, why=error
        ) from None


def _lines(path: Path) -> tuple[dict[str, Any], ...]:
    if not path.is_file():
        return ()
    try:
        return tuple(json.loads(line) for line in path.read_bytes().splitlines())
    except ValueError as error:
        raise CampaignError(
            "campaign.evidence_malformed", "{file}: {why}", file=path.name, why=error
        ) from None


def _columns(path: Path) -> Columns:
    if not path.is_file():
        return {}
    try:
        read = parquet_columns(path)
    except (OSError, ValueError) as error:  # pyarrow's own errors derive from these
        raise CampaignError(
            "campaign.evidence_malformed", "{file}: {why}", file=path.name, why=error
        ) from None

    # What is not a finite number cannot be drawn; it is a gap, as a missing value is.
    return {name: np.where(np.isfinite(column), column, np.nan) for name, column in read.items()}


def _rows(row_type: type[Row], path: Path) -> tuple[Row, ...]:
    return tuple(csv_rows(row_type, path)) if path.is_file() else ()
