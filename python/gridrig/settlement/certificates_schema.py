"""The tables of a register of certificates: events that are only added, and the index of quanta."""

APPLICATION_ID = 0x67726365  # "grce"
SCHEMA_VERSION = 2
PAGE_BYTES = 4096

EVENT_TABLES = (
    "certificate_point",
    "certificate_source",
    "certificate_claim",
    "certificate_step",
)

_TABLES = (
    """CREATE TABLE IF NOT EXISTS certificate_point (
        number INTEGER PRIMARY KEY,
        point TEXT NOT NULL UNIQUE,
        asset BLOB NOT NULL UNIQUE CHECK (length(asset) = 32)
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS certificate_source (
        number INTEGER PRIMARY KEY,
        meter TEXT NOT NULL,
        serial TEXT NOT NULL,
        asset BLOB NOT NULL REFERENCES certificate_point (asset),
        start_milliwh INTEGER NOT NULL,
        carried_milliwh INTEGER NOT NULL,
        storage_permille INTEGER,
        UNIQUE (meter, serial)
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS certificate_claim (
        number INTEGER PRIMARY KEY,
        asset BLOB NOT NULL CHECK (length(asset) = 32),
        direction TEXT NOT NULL CHECK (direction IN ('export', 'import')),
        first_quantum INTEGER NOT NULL,
        quanta INTEGER NOT NULL CHECK (quanta > 0),
        energy_wh INTEGER NOT NULL CHECK (energy_wh >= 0),
        scheme TEXT NOT NULL CHECK (scheme IN ('certificate', 'carbon-credit', 'share')),
        issuer TEXT NOT NULL,
        holder TEXT NOT NULL,
        is_from_storage INTEGER NOT NULL CHECK (is_from_storage IN (0, 1)),
        meter TEXT,
        serial TEXT,
        opening_digest BLOB CHECK (length(opening_digest) = 32),
        closing_digest BLOB CHECK (length(closing_digest) = 32),
        first_unit INTEGER,
        units INTEGER,
        interval_milliwh INTEGER
            CHECK (energy_wh > 0 OR coalesce(interval_milliwh, 0) > 0)
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS certificate_quantum (
        asset BLOB NOT NULL,
        direction TEXT NOT NULL,
        quantum INTEGER NOT NULL,
        certificate INTEGER NOT NULL REFERENCES certificate_claim (number),
        PRIMARY KEY (asset, direction, quantum)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS certificate_step (
        number INTEGER PRIMARY KEY,
        kind TEXT NOT NULL
            CHECK (kind IN ('split', 'transfer', 'retire', 'charge', 'move', 'freeze')),
        certificate INTEGER NOT NULL REFERENCES certificate_claim (number),
        from_wh INTEGER,
        energy_wh INTEGER,
        holder TEXT,
        party TEXT,
        purpose TEXT,
        digest BLOB CHECK (length(digest) = 32)
    ) STRICT""",
    *(
        f"""CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table}
        BEGIN SELECT RAISE(ABORT, 'settlement.append_only'); END"""
        for table in (*EVENT_TABLES, "certificate_quantum")
        for verb in ("UPDATE", "DELETE")
    ),
)


def statements() -> tuple[str, ...]:
    """Return the statements that make the tables where they are missing."""
    return _TABLES


def schema_sql() -> str:
    """Return the statements that make an empty register."""
    return ";\n".join(_TABLES) + ";"
