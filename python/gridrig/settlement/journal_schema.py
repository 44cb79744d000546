"""The tables of the journal, and the triggers that make them append-only."""

APPLICATION_ID = 0x67726967  # "grig"
SCHEMA_VERSION = 3
PAGE_BYTES = 4096

_TABLES = """
CREATE TABLE reading (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    meter TEXT NOT NULL,
    serial TEXT NOT NULL,
    key_id BLOB NOT NULL CHECK (length(key_id) = 32),
    context TEXT NOT NULL CHECK (length(context) = 1),
    counter INTEGER NOT NULL CHECK (counter >= 0),
    time_ms INTEGER NOT NULL,
    clock_status TEXT NOT NULL,
    import_milliwh INTEGER CHECK (import_milliwh >= 0),
    export_milliwh INTEGER CHECK (export_milliwh >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    key_id BLOB NOT NULL CHECK (length(key_id) = 32),
    context TEXT NOT NULL CHECK (length(context) = 1),
    counter INTEGER NOT NULL CHECK (counter >= 0),
    time_ms INTEGER NOT NULL,
    clock_status TEXT NOT NULL,
    start_ms INTEGER,
    import_milliwh INTEGER CHECK (import_milliwh >= 0),
    export_milliwh INTEGER CHECK (export_milliwh >= 0),
    operating_s INTEGER,
    power_milliwatt INTEGER,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (key_id, context, counter)
) STRICT, WITHOUT ROWID;

CREATE TABLE period (
    period INTEGER PRIMARY KEY CHECK (period >= 0),
    exported_milliwh INTEGER NOT NULL CHECK (exported_milliwh >= 0),
    imported_milliwh INTEGER NOT NULL CHECK (imported_milliwh >= 0),
    losses_milliwh INTEGER NOT NULL CHECK (losses_milliwh = exported_milliwh - imported_milliwh),
    long_price_micro_per_kwh INTEGER NOT NULL,
    short_price_micro_per_kwh INTEGER NOT NULL
        CHECK (short_price_micro_per_kwh >= long_price_micro_per_kwh)
) STRICT;

CREATE TABLE metered (
    period INTEGER NOT NULL REFERENCES period,
    meter TEXT NOT NULL,
    participant TEXT NOT NULL,
    opening_digest BLOB NOT NULL REFERENCES reading,
    closing_digest BLOB NOT NULL REFERENCES reading,
    opening_ms INTEGER NOT NULL,
    closing_ms INTEGER NOT NULL CHECK (closing_ms > opening_ms),
    PRIMARY KEY (period, meter)
) STRICT, WITHOUT ROWID;

CREATE INDEX metered_by_meter ON metered (meter, closing_ms);

CREATE TABLE entry (
    period INTEGER NOT NULL REFERENCES period,
    entry_id INTEGER NOT NULL CHECK (entry_id > 0),
    kind TEXT NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL CHECK (credit <> debit),
    amount_micro INTEGER NOT NULL CHECK (amount_micro >= 0),
    energy_milliwh INTEGER NOT NULL,
    price_micro_per_kwh INTEGER NOT NULL,
    trade_id INTEGER,
    meter TEXT,
    opening_digest BLOB REFERENCES reading,
    closing_digest BLOB REFERENCES reading,
    PRIMARY KEY (period, entry_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER metered_no_overlap BEFORE INSERT ON metered WHEN EXISTS (
    SELECT 1 FROM metered
    WHERE meter = NEW.meter AND closing_ms > NEW.opening_ms AND opening_ms < NEW.closing_ms
) BEGIN SELECT RAISE(ABORT, 'settlement.readings_overlap'); END;
"""

_KEYS = {
    "reading": ("digest",),
    "ledger": ("key_id", "context", "counter"),
    "period": ("period",),
    "metered": ("period", "meter"),
    "entry": ("period", "entry_id"),
}


def schema_sql() -> str:
    """Return the statements that make an empty journal.

    An insert over an existing key is refused by a trigger of its own: `INSERT OR REPLACE` would
    otherwise delete the old row without asking the delete trigger.
    """
    guards = []
    for table, columns in _KEYS.items():
        same = " AND ".join(f"{column} = NEW.{column}" for column in columns)
        guards.append(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'settlement.append_only'); END;\n"
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'settlement.append_only'); END;\n"
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
            "BEGIN SELECT RAISE(ABORT, 'settlement.already_posted'); END;"
        )
    return _TABLES + "\n".join(guards)
