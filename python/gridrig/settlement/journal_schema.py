"""The tables of the journal, and the triggers that make them append-only.

Rows are narrow: accounts and meters are numbers with their names in a table, and views with the
word `named` in front of them show the names. A table is *sealed*: nobody inserts, changes or
deletes a row of it. A post takes the seals against inserting off and puts them back on, inside its
own transaction, so that the rule costs nothing per row.
"""

APPLICATION_ID = 0x67726967  # "grig"
SCHEMA_VERSION = 4
PAGE_BYTES = 8192

# Place in the tuple is the number in the column; numbers are never reused.
KINDS = (
    "delivered",
    "shortfall",
    "surplus",
    "taken",
    "untaken",
    "excess",
    "grid_fee",
    "operator_fee",
    "losses",
    "link_fee",
    "rent",
    "residual",
    "deposit",
    "receivable",
    "recovered",
)
QUALITIES = ("measured", "interpolated", "estimated")

NONE = 0
"""In a column of a key, where SQL has no use for NULL: no meter. Meters are counted from 1."""

NO_TRADE = -1
"""The same for trades, which the market may count from 0."""

_TABLES = """
CREATE TABLE account (
    account INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE meter (
    meter INTEGER PRIMARY KEY CHECK (meter > 0),
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE key (
    key INTEGER PRIMARY KEY,
    key_id BLOB NOT NULL UNIQUE CHECK (length(key_id) = 32)
) STRICT;

-- What the metering ledger accepted, in the order of its arrival there.
CREATE TABLE reading (
    arrival INTEGER PRIMARY KEY,
    posted_in INTEGER NOT NULL,
    key INTEGER NOT NULL,
    context TEXT NOT NULL CHECK (length(context) = 1),
    counter INTEGER NOT NULL CHECK (counter >= 0),
    time_ms INTEGER NOT NULL,
    clock_status TEXT NOT NULL,
    start_ms INTEGER,
    import_milliwh INTEGER CHECK (import_milliwh >= 0),
    export_milliwh INTEGER CHECK (export_milliwh >= 0),
    operating_s INTEGER,
    power_milliwatt INTEGER,
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT;

-- A post: a period settled for the first time, with the corrections booked in it.
CREATE TABLE period (
    period INTEGER PRIMARY KEY CHECK (period >= 0),
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL CHECK (to_ms > from_ms),
    arrival_last INTEGER NOT NULL,
    trade_last INTEGER NOT NULL,
    leaf_count INTEGER NOT NULL,
    root BLOB NOT NULL CHECK (length(root) = 32),
    link BLOB NOT NULL CHECK (length(link) = 32)
) STRICT;

-- A settlement of a period: revision 0, then one for every correction, booked in a later post. A
-- correction says what changes; what it changes to is the sum of all revisions.
CREATE TABLE settlement (
    period INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision >= 0),
    booked_in INTEGER NOT NULL REFERENCES period DEFERRABLE INITIALLY DEFERRED,
    island INTEGER CHECK (island IN (0, 1)),
    exported_milliwh INTEGER CHECK (exported_milliwh >= 0),
    imported_milliwh INTEGER CHECK (imported_milliwh >= 0),
    losses_milliwh INTEGER CHECK (losses_milliwh = exported_milliwh - imported_milliwh),
    long_price_micro_per_kwh INTEGER,
    short_price_micro_per_kwh INTEGER
        CHECK (short_price_micro_per_kwh >= long_price_micro_per_kwh),
    rules TEXT,
    PRIMARY KEY (period, revision),
    CHECK (iif(revision = 0, booked_in = period AND island NOTNULL, booked_in > period))
) STRICT, WITHOUT ROWID;

CREATE INDEX settlement_by_post ON settlement (booked_in);

-- What each meter counted in a period, and of a correction those that changed it, as they count
-- then; `readings` are the digests behind it, first to last.
CREATE TABLE metered (
    period INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    meter INTEGER NOT NULL,
    account INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL CHECK (to_ms > from_ms),
    import_milliwh INTEGER NOT NULL CHECK (import_milliwh >= 0),
    export_milliwh INTEGER NOT NULL CHECK (export_milliwh >= 0),
    quality INTEGER NOT NULL,
    readings BLOB NOT NULL CHECK (length(readings) % 32 = 0),
    PRIMARY KEY (period, revision, meter)
) STRICT, WITHOUT ROWID;

-- Payments: the debited account pays, the credited one is paid. The primary key is the key of
-- idempotency: what is settled once under it is never settled again.
CREATE TABLE entry (
    period INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    account INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    trade_id INTEGER NOT NULL,
    meter INTEGER NOT NULL,
    line INTEGER NOT NULL,
    debit INTEGER NOT NULL,
    credit INTEGER NOT NULL CHECK (credit <> debit),
    amount_micro INTEGER NOT NULL CHECK (amount_micro >= 0),
    energy_milliwh INTEGER NOT NULL,
    price_micro_per_kwh INTEGER NOT NULL,
    PRIMARY KEY (period, revision, account, kind, trade_id, meter)
) STRICT, WITHOUT ROWID;

CREATE TABLE kind (kind INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE quality (quality INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE) STRICT;

-- The one row that moves: how many posts there are, the last link, and who signed that.
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    posts INTEGER NOT NULL,
    link BLOB NOT NULL CHECK (length(link) = 32),
    public_key BLOB CHECK (length(public_key) = 32),
    signature BLOB CHECK (length(signature) = 64)
) STRICT;

CREATE TRIGGER head_forward BEFORE UPDATE ON head WHEN NEW.posts <> OLD.posts + 1
BEGIN SELECT RAISE(ABORT, 'settlement.append_only'); END;
CREATE TRIGGER head_no_replace BEFORE INSERT ON head WHEN EXISTS (SELECT 1 FROM head)
BEGIN SELECT RAISE(ABORT, 'settlement.append_only'); END;
CREATE TRIGGER head_no_delete BEFORE DELETE ON head
BEGIN SELECT RAISE(ABORT, 'settlement.append_only'); END;

CREATE VIEW named_entry AS SELECT
    e.period, e.revision, s.booked_in, e.line, k.word AS kind, d.name AS debit, c.name AS credit,
    e.amount_micro, e.energy_milliwh, e.price_micro_per_kwh, nullif(e.trade_id, -1) AS trade_id,
    m.name AS meter
FROM entry e
JOIN settlement s ON s.period = e.period AND s.revision = e.revision
JOIN kind k ON k.kind = e.kind
JOIN account d ON d.account = e.debit
JOIN account c ON c.account = e.credit
LEFT JOIN meter m ON m.meter = e.meter;

CREATE VIEW named_metered AS SELECT
    t.period, t.revision, s.booked_in, m.name AS meter, a.name AS participant, t.from_ms, t.to_ms,
    t.import_milliwh, t.export_milliwh, q.word AS quality, t.readings
FROM metered t
JOIN settlement s ON s.period = t.period AND s.revision = t.revision
JOIN meter m ON m.meter = t.meter
JOIN account a ON a.account = t.account
JOIN quality q ON q.quality = t.quality;
"""

SETTLEMENT_COLUMNS = 10

SEALED = ("account", "meter", "key", "reading", "period", "settlement", "metered", "entry")


def seal_sql(table: str) -> str:
    """Return the statement that lets nobody insert into a table."""
    return (
        f"CREATE TRIGGER {table}_sealed BEFORE INSERT ON {table} "
        "BEGIN SELECT RAISE(ABORT, 'settlement.sealed'); END;"
    )


def unseal_sql(table: str) -> str:
    """Return the statement that takes the seal off, for the transaction that puts it back on."""
    return f"DROP TRIGGER {table}_sealed;"


def schema_sql() -> str:
    """Return the statements that make an empty journal."""
    words = [
        f"INSERT INTO {table} VALUES ({number}, '{word}');"
        for table, listed in (("kind", KINDS), ("quality", QUALITIES))
        for number, word in enumerate(listed)
    ]
    fixed = (*SEALED, "kind", "quality")
    guards = [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        "BEGIN SELECT RAISE(ABORT, 'settlement.append_only'); END;"
        for table in fixed
        for verb in ("UPDATE", "DELETE")
    ]
    return "\n".join([_TABLES, *words, *guards, *map(seal_sql, fixed)])
