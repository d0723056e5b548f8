-- A rowcall cache, format 1. docs/cache.md says what each table means.

-- What was asked when answers were kept: to show and to choose them by, not to find them.
CREATE TABLE plans (
    id           INTEGER PRIMARY KEY,
    hash         BLOB NOT NULL UNIQUE,
    model        TEXT NOT NULL,
    host         TEXT NOT NULL,
    prompt       TEXT NOT NULL,
    system       TEXT,
    parameters   TEXT NOT NULL,
    schema       TEXT NOT NULL,
    validated_by TEXT
);

-- Values that were valid for the rows that asked; a higher number was kept later.
CREATE TABLE answers (
    number                  INTEGER PRIMARY KEY AUTOINCREMENT,
    key                     BLOB NOT NULL UNIQUE,
    plan                    INTEGER NOT NULL,
    value                   TEXT NOT NULL,
    model                   TEXT,
    finish_reason           TEXT,
    repairs                 TEXT,
    input_tokens            INTEGER NOT NULL,
    cached_tokens           INTEGER NOT NULL,
    cache_write_tokens      INTEGER NOT NULL,
    cache_write_long_tokens INTEGER NOT NULL,
    output_tokens           INTEGER NOT NULL,
    reasoning_tokens        INTEGER NOT NULL,
    -- In picodollars, if it is known.
    cost_picousd            INTEGER,
    kept_at_ms              INTEGER NOT NULL
);

-- Keys that a run is asking about.
CREATE TABLE claims (
    key           BLOB PRIMARY KEY,
    claimant      TEXT NOT NULL,
    expires_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
