"""How records become bytes: JSON, JSON Lines, CSV and Parquet, the same bytes for the same data.

Ordering: keys and columns as given, rows as given. Known gaps: Parquet names the library version
that wrote it, so its bytes are the same under one lockfile only. Cost: everything in memory.
"""

import csv
import io
import json
import math
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gridrig.errors import CampaignError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Row = TypeVar("Row", bound="DataclassInstance")
else:
    Row = TypeVar("Row")

Columns = dict[str, npt.NDArray[np.float64]]


def plain(value: Any) -> Any:
    """Return `value` as JSON can hold it: numbers that are not finite as text, bytes as hex."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value if type(value) in (str, int, float, bool, type(None)) else _base(value)
    return str(value)


def json_bytes(content: Any) -> bytes:
    """Return `content` as indented JSON, ASCII, keys in the order given."""
    return (json.dumps(plain(content), indent=1, allow_nan=False) + "\n").encode()


def json_line(content: Mapping[str, Any]) -> bytes:
    """Return `content` as one line of JSON, ASCII, keys in the order given."""
    text = json.dumps(plain(content), separators=(",", ":"), allow_nan=False)
    return (text + "\n").encode()


def csv_bytes(row_type: type[Row], rows: Iterable[Row]) -> bytes:
    """Return rows as CSV with a header; None is empty, a bool 0 or 1, bytes hex."""
    names = [field.name for field in fields(row_type)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(getattr(row, name)) for name in names])
    return text.getvalue().encode()


def csv_rows(row_type: type[Row], path: Path) -> list[Row]:
    """Read rows that `csv_bytes` wrote, now or before its last columns were added.

    Columns that are not there have the values that the row's own type gives them.

    Raises
    ------
    CampaignError
        If the header or a value is not one of `row_type`; names file and line.
    """
    hints = typing.get_type_hints(row_type)
    names = [field.name for field in fields(row_type)]
    needed = sum(field.default is MISSING for field in fields(row_type))
    rows = []
    with path.open(newline="", encoding="utf-8") as text:
        reader = csv.reader(text)
        try:
            header = next(reader, [])
            if header != names[: max(needed, len(header))]:
                raise ValueError
            for cells in reader:
                values = zip(header, cells, strict=True)
                rows.append(row_type(**{name: _value(hints[name], cell) for name, cell in values}))
        except (ValueError, csv.Error):
            raise CampaignError(
                "campaign.csv_malformed",
                "{file}, line {line}: not {expected}",
                file=path.name,
                line=max(1, reader.line_num),
                expected=",".join(names),
            ) from None
    return rows


def parquet_bytes(columns: Mapping[str, Sequence[float] | npt.NDArray[np.float64]]) -> bytes:
    """Return columns of float64 as Parquet; missing values are NaN.

    Options are fixed and nothing of the machine or the moment goes in. Each value's bytes are
    split over streams, which compresses slowly varying floats to a third.
    """
    arrays = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    lengths = {len(array) for array in arrays.values()}
    if len(lengths) > 1:
        raise CampaignError(
            "campaign.columns_differ", "columns have {lengths} rows", lengths=sorted(lengths)
        )
    table = pa.table(
        {name: pa.array(array) for name, array in arrays.items()},
        schema=pa.schema([pa.field(name, pa.float64(), nullable=False) for name in arrays]),
    )
    sink = io.BytesIO()
    pq.write_table(
        table,
        sink,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=3,
        use_dictionary=False,
        use_byte_stream_split=True,
        write_statistics=False,
        store_schema=False,
        row_group_size=65536,
    )
    return sink.getvalue()


def parquet_columns(path: Path) -> Columns:
    """Read columns that `parquet_bytes` wrote, in their order."""
    table = pq.read_table(path, use_threads=False)
    return {name: table.column(name).to_numpy() for name in table.column_names}


def _base(value: Any) -> Any:
    """Return an enum or other subclass as its plain base, so that its own repr never gets in."""
    for base in (bool, int, float, str):
        if isinstance(value, base):
            return base(value) if base is not str else str.__str__(value)
    return str(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def _value(hint: Any, cell: str) -> Any:
    options = typing.get_args(hint) or (hint,)
    if cell == "" and type(None) in options:
        return None
    kind = next(option for option in options if option is not type(None))
    if kind is bool:
        return bool(("0", "1").index(cell))
    return bytes.fromhex(cell) if kind is bytes else kind(cell)
