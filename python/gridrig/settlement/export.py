"""A journal as files that any tool reads: Parquet or CSV, with names instead of numbers."""

import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from gridrig.settlement.journal_reader import EntryRow, JournalReader, MeteredRow, PostRow

ROWS_PER_BATCH = 65_536
_TYPES = {
    int: pa.int64(),
    int | None: pa.int64(),
    str: pa.string(),
    str | None: pa.string(),
    bytes: pa.binary(),
}


class BalanceRow(NamedTuple):
    """What an account was paid less what it paid. [millionths]"""

    account: str
    balance_micro: int


def _balances(journal: JournalReader) -> Iterator[BalanceRow]:
    yield from (BalanceRow(*one) for one in journal.balances().items())


TABLES: dict[str, tuple[type[Any], Callable[[JournalReader], Iterable[Any]]]] = {
    "entries": (EntryRow, JournalReader.entries),
    "metered": (MeteredRow, JournalReader.metered),
    "posts": (PostRow, JournalReader.posts),
    "balances": (BalanceRow, _balances),
}


def export(journal: JournalReader, folder: Path, form: str) -> dict[str, int]:
    """Write every table of one state of a journal into a folder.

    Parameters
    ----------
    journal : JournalReader
        What is exported.
    folder : Path
        Made if there is none; files of the same names are replaced.
    form : {"parquet", "csv"}
        Digests and roots are bytes in Parquet, hex digits in CSV. The same journal makes the same
        bytes.

    Returns
    -------
    dict of str to int
        How many rows each file has, by its name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write = {"parquet": _parquet, "csv": _csv}[form]
    written = {}
    with journal.snapshot():
        for name, (row, rows) in TABLES.items():
            path = folder / f"{name}.{form}"
            written[path.name] = write(path, row, iter(rows(journal)))
    return written


def _parquet(path: Path, row: type[Any], rows: Iterator[Any]) -> int:
    schema = pa.schema([(name, _TYPES[kind]) for name, kind in row.__annotations__.items()])
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch := list(islice(rows, ROWS_PER_BATCH)):
            columns = [
                pa.array(column, field.type)
                for column, field in zip(zip(*batch, strict=True), schema, strict=True)
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            count += len(batch)
    return count


def _csv(path: Path, row: type[Any], rows: Iterator[Any]) -> int:
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(row._fields)
        for one in rows:
            writer.writerow(cell.hex() if isinstance(cell, bytes) else cell for cell in one)
            count += 1
    return count
