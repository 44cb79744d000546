"""The tables of a replay ledger's file, and the triggers that make them append-only."""

APPLICATION_ID = 0x67726D74  # "grmt"
SCHEMA_VERSION = 1
PAGE_BYTES = 8192

SCHEMA = """
CREATE TABLE key (
    key INTEGER PRIMARY KEY,
    key_id BLOB NOT NULL UNIQUE CHECK (length(key_id) = 32),
    meter TEXT NOT NULL,
    public_key BLOB NOT NULL
) STRICT;

CREATE TABLE reading (
    arrival INTEGER PRIMARY KEY,
    key INTEGER NOT NULL REFERENCES key,
    context TEXT NOT NULL,
    counter INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    clock_status TEXT NOT NULL,
    start_ms INTEGER,
    import_milliwh INTEGER,
    export_milliwh INTEGER,
    operating_s INTEGER,
    power_milliwatt INTEGER,
    digest BLOB NOT NULL,
    record BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX reading_by_counter ON reading (key, context, counter);

-- When the readings from `first_arrival` on were received, up to those of the next batch.
CREATE TABLE batch (
    first_arrival INTEGER PRIMARY KEY,
    received_s INTEGER
) STRICT;

CREATE TABLE fork (
    key INTEGER NOT NULL REFERENCES key,
    context TEXT NOT NULL,
    counter INTEGER NOT NULL,
    digest BLOB NOT NULL,
    record BLOB NOT NULL,
    received_s INTEGER,
    PRIMARY KEY (key, context, counter, digest)
) STRICT, WITHOUT ROWID;
"""

_TABLES = ("key", "reading", "batch", "fork")


def schema_sql() -> str:
    """Return the statements that make an empty ledger; no row of it changes or goes."""
    guards = [
        f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
        "BEGIN SELECT RAISE(ABORT, 'metering.ledger_append_only'); END;"
        for table in _TABLES
        for change in ("UPDATE", "DELETE")
    ]
    return SCHEMA + "\n".join(guards)
