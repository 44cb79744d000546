"""The run directory: everything a run leaves behind, written as it goes and signed at the end.

Invariants
----------
* Each file is written once. Events and readings may be appended as they happen; everything else is
  written whole.
* Events are ordered by (time, device in rig order, order of record), orders and trades by period
  and id, never by arrival.
* Nothing is finished until `finish` has signed it: see `manifest`.

Limits: none of its own; all tables are held in memory once.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gridrig.campaign import records
from gridrig.campaign.formats import csv_bytes, json_bytes, json_line, parquet_bytes
from gridrig.campaign.manifest import is_finished, write_manifest
from gridrig.campaign.records import (
    BalanceRow,
    ClearingRow,
    EnergyRow,
    EntryRow,
    JobRow,
    LinkRow,
    OrderRow,
    ReadingRow,
    RunRecord,
    TradeRow,
    ZoneRow,
)
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.campaign.signing import load_signing_key, signing_key_path
from gridrig.computing.escrow import EscrowEntry
from gridrig.errors import CampaignError
from gridrig.grid.source_files import source_files
from gridrig.rig.description import Rig

_EVENT_FIRST = ("t_s", "device", "kind")


class RunDirectory:
    """Writer of one run directory.

    Parameters
    ----------
    path : Path
        Made with its parents; refused if it exists and is not an empty directory.
    device_order : sequence of str
        Names in rig order; events without a device come first, unknown names last.

    Raises
    ------
    CampaignError
        If the path is taken, or cannot be written.
    """

    def __init__(self, path: Path, *, device_order: Sequence[str] = ()) -> None:
        if path.exists() and not path.is_dir():
            raise CampaignError("campaign.run_path_taken", "{path} is a file", path=path)
        if path.is_dir() and any(path.iterdir()):
            raise CampaignError(
                "campaign.run_path_taken",
                "{path} is not empty; a run directory is never written over",
                path=path,
            )
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise CampaignError(
                "campaign.run_path_unwritable",
                "{path}: {fault}, expected a folder to write into",
                path=path,
                fault=fault.strerror or str(fault),
            ) from fault
        self.path = path
        self._rank = {"": -1, **{name: rank for rank, name in enumerate(device_order)}}
        self._events: list[tuple[tuple[float, int, str], bytes]] = []
        self._streams: dict[str, BinaryIO] = {}
        self._live: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def add_rig(self, text: bytes) -> None:
        """Keep the rig file as it was given."""
        self._write(records.RIG, text)

    def add_scenario(self, text: bytes) -> None:
        """Keep the scenario file as it was given."""
        self._write(records.SCENARIO, text)

    def add_feeder(self, rig: Rig) -> None:
        """Keep the files that the feeder is read from, below `feeder/`, by their place at the rig.

        Those that lie elsewhere are below `feeder/outside/`, each in a numbered folder.
        """
        if rig.feeder is None:
            return
        folder = Path(rig.path).parent.resolve()
        weather = rig.feeder.weather
        named = rig.feeder.network, rig.feeder.profiles, weather.file if weather else None
        for number, path in enumerate(source_files(named, folder)):
            inside = path.is_relative_to(folder)
            name = path.relative_to(folder) if inside else Path("outside", str(number), path.name)
            self._write(str(Path(records.FEEDER, name)), path.read_bytes())

    def add_run(self, run: RunRecord) -> None:
        """Write what the run was."""
        self._write(records.RUN, json_bytes(run.to_json()))

    def add_host(self, facts: Mapping[str, Any]) -> None:
        """Write what differs by nature: ports, process ids, wall times, host."""
        self._write(records.HOST, json_bytes(facts))

    def add_trace(self, columns: Mapping[str, Sequence[float] | npt.NDArray[np.float64]]) -> None:
        """Write the trace, one row a tick; the first column is `t_s`, and rises. [s]."""
        _require_rising("trace", columns)
        self._write(records.TRACE, parquet_bytes(columns))

    def add_island(self, columns: Mapping[str, Sequence[float] | npt.NDArray[np.float64]]) -> None:
        """Write the island model's own samples: `t_s`, `f_hz`, `v_pu`, `opening` (its number)."""
        if tuple(columns) != records.ISLAND_COLUMNS:
            raise CampaignError(
                "campaign.island_columns",
                "island columns are {found}, expected {expected}",
                found=list(columns),
                expected=list(records.ISLAND_COLUMNS),
            )
        _require_rising("island", columns)
        self._write(records.ISLAND, parquet_bytes(columns))

    def append_events(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Record events; each has `t_s`, `device` (may be empty), `kind`, and facts of its own.

        They may come in any order of devices and even late: the file is put in order at the end.
        """
        stream = self._stream(records.EVENTS)
        for event in events:
            facts = {key: event[key] for key in sorted(event) if key not in _EVENT_FIRST}
            line = json_line({**{key: event[key] for key in _EVENT_FIRST}, **facts})
            name = str(event["device"])
            rank = self._rank.get(name, len(self._rank))
            self._events.append(((float(event["t_s"]), rank, name), line))
            stream.write(line)
        stream.flush()

    def note(self, event: Mapping[str, Any]) -> None:
        """Write an event down at once: a run that is killed leaves them in `events.live.jsonl`.

        Their times may still count from before the beginning of the run, and `append_events` says
        all of them again in the end; then this file goes.
        """
        if self._live is None:
            self._live = self.path_for(records.LIVE_EVENTS).open("wb", buffering=0)
        self._live.write(json_line({str(key): event[key] for key in event}))

    def append_readings(self, rows: Iterable[ReadingRow]) -> None:
        """Record signed readings as received, in the order given."""
        stream = self._stream(records.READINGS)
        for row in rows:
            # A byte that is no UTF-8 survives as a lone surrogate, and so can be had back.
            text = row.record.decode("utf-8", "surrogateescape")
            stream.write(json_line({**vars(row), "record": text}))
        stream.flush()

    def add_orders(self, rows: Iterable[OrderRow]) -> None:
        """Write all orders, by period and id."""
        ordered = sorted(rows, key=lambda row: (row.period, row.order_id))
        self._write(records.ORDERS, csv_bytes(OrderRow, ordered))

    def add_trades(self, rows: Iterable[TradeRow]) -> None:
        """Write all trades, by period and id."""
        ordered = sorted(rows, key=lambda row: (row.period, row.trade_id))
        self._write(records.TRADES, csv_bytes(TradeRow, ordered))

    def add_clearing(self, rows: Iterable[ClearingRow]) -> None:
        """Write price and volume of every delivery period."""
        ordered = sorted(rows, key=lambda row: row.period)
        self._write(records.CLEARING, csv_bytes(ClearingRow, ordered))

    def add_zones(self, zones: Iterable[ZoneRow], links: Iterable[LinkRow]) -> None:
        """Write the price of every zone and what every link carried, period by period."""
        self._write(records.ZONES, csv_bytes(ZoneRow, zones))
        self._write(records.LINKS, csv_bytes(LinkRow, links))

    def add_entries(self, rows: Iterable[EntryRow]) -> None:
        """Write the ledger's entries, by the period they were posted in and their key."""
        ordered = sorted(
            rows,
            key=lambda row: (
                row.period if row.booked_in is None else row.booked_in,
                row.period,
                row.revision,
                row.entry_id,
            ),
        )
        self._write(records.ENTRIES, csv_bytes(EntryRow, ordered))

    def add_balances(self, rows: Iterable[BalanceRow]) -> None:
        """Write what each account came to, in the order given."""
        self._write(records.BALANCES, csv_bytes(BalanceRow, rows))

    def add_jobs(self, rows: Iterable[JobRow], entries: Iterable[EscrowEntry]) -> None:
        """Write how computing jobs ended, and every movement of their money, in the order given."""
        self._write(records.JOBS, csv_bytes(JobRow, rows))
        self._write(records.ESCROW, csv_bytes(EscrowEntry, entries))

    def add_energy(self, rows: Iterable[EnergyRow]) -> None:
        """Write energy and losses of every delivery period."""
        ordered = sorted(rows, key=lambda row: row.period)
        self._write(records.ENERGY, csv_bytes(EnergyRow, ordered))

    def add_timing(self, timing: Mapping[str, Any]) -> None:
        """Write how a run on the wall clock kept its times."""
        self._write(records.TIMING, json_bytes(timing))

    def add_verdicts(self, verdicts: RunVerdicts) -> None:
        """Write what the run was found to be."""
        self._write(records.VERDICTS, json_bytes(verdicts.to_json()))

    def add_file(self, name: str, content: bytes) -> None:
        """Write another file, for example a waveform; the name may have folders."""
        self._write(name, content)

    def path_for(self, name: str) -> Path:
        """Return where to write a file that keeps itself, such as the journal's database."""
        self._require_new(name)
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def close(self) -> None:
        """Put events in their order and close the files; the directory stays unsigned."""
        for stream in self._streams.values():
            stream.close()
        ordered = sorted(self._events, key=lambda event: event[0])
        if records.EVENTS in self._streams and ordered != self._events:
            lines = b"".join(line for _, line in ordered)
            (self.path / records.EVENTS).write_bytes(lines)
            self._events = ordered
        if self._live is not None and records.EVENTS in self._streams:
            self._live.close()
            self._live = None
            (self.path / records.LIVE_EVENTS).unlink()
        self._streams.clear()

    def finish(self, key: Ed25519PrivateKey | None = None) -> str:
        """Close, sign everything that is in the directory, and return the signer's id.

        Parameters
        ----------
        key : Ed25519PrivateKey or None
            None for the key of this machine, see `signing`.

        Raises
        ------
        CampaignError
            If the database of the journal is still open, or the signing key is in here.
        """
        self.close()
        leftovers = [*self.path.glob("*-wal"), *self.path.glob("*-journal")]
        if leftovers:
            raise CampaignError(
                "campaign.evidence_open",
                "{file} is there: close the database before the run is signed",
                file=leftovers[0].name,
            )
        return write_manifest(self.path, key or self.signing_key())

    def signing_key(self) -> Ed25519PrivateKey:
        """Load the key that signs this run, which lies elsewhere.

        Raises
        ------
        CampaignError
            `campaign.key_in_run` if it would be part of the evidence; as `load_signing_key` does.
        """
        if signing_key_path().resolve().is_relative_to(self.path.resolve()):
            raise CampaignError(
                "campaign.key_in_run",
                "signing key {path} would be part of the evidence",
                path=signing_key_path(),
            )
        return load_signing_key()

    def _write(self, name: str, content: bytes) -> None:
        self.path_for(name).write_bytes(content)

    def _stream(self, name: str) -> BinaryIO:
        if name not in self._streams:
            self._streams[name] = self.path_for(name).open("wb")
        return self._streams[name]

    def _require_new(self, name: str) -> None:
        relative = Path(name)
        if relative.is_absolute() or ".." in relative.parts or name in ("", "."):
            raise CampaignError(
                "campaign.evidence_outside", "{name!r} is not inside the run directory", name=name
            )
        if is_finished(self.path):
            raise CampaignError("campaign.run_finished", "{path} is already signed", path=self.path)
        if (self.path / name).exists():
            raise CampaignError("campaign.evidence_twice", "{name} is already written", name=name)


def _require_rising(
    what: str, columns: Mapping[str, Sequence[float] | npt.NDArray[np.float64]]
) -> None:
    if next(iter(columns), None) != "t_s":
        raise CampaignError(
            "campaign.time_column", "the first column of the {what} is not t_s", what=what
        )
    time_s = np.asarray(columns["t_s"], dtype=np.float64)
    if not (np.diff(time_s) > 0).all():
        raise CampaignError(
            "campaign.time_not_rising", "t_s of the {what} does not rise at each row", what=what
        )
