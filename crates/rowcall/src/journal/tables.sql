-- A rowcall journal, format 3. What each table means is told in docs/journal.md.

-- What has been asked; the last row holds.
CREATE TABLE plans (
    seq        INTEGER PRIMARY KEY,
    model      TEXT NOT NULL,
    prompt     TEXT NOT NULL,
    system     TEXT,
    parameters TEXT NOT NULL,
    schema     TEXT NOT NULL,
    memo       TEXT NOT NULL,
    examples   TEXT NOT NULL,
    images     TEXT NOT NULL
);

-- How asked rows ended, in the order in which they did. The last one of a key holds.
CREATE TABLE outcomes (
    seq                INTEGER PRIMARY KEY,
    key                BLOB,
    value              TEXT,
    failure            TEXT,
    attempts           INTEGER NOT NULL,
    prompts            INTEGER NOT NULL,
    input_tokens       INTEGER NOT NULL,
    cached_tokens      INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    output_tokens      INTEGER NOT NULL,
    reasoning_tokens   INTEGER NOT NULL,
    unmetered          INTEGER NOT NULL,
    latency_us         INTEGER NOT NULL,
    ended_at_ms        INTEGER NOT NULL,
    model              TEXT,
    finish_reason      TEXT,
    repairs            TEXT,
    cache_write_long_tokens INTEGER NOT NULL DEFAULT 0,
    -- In picodollars, and the requests whose cost is not in it because nobody knows it.
    cost_picousd       INTEGER NOT NULL DEFAULT 0,
    cost_unknown       INTEGER NOT NULL DEFAULT 0,
    -- Of those, the ones that cannot have cost more than is known, and that.
    cost_bounded       INTEGER NOT NULL DEFAULT 0,
    cost_most_picousd  INTEGER NOT NULL DEFAULT 0,
    -- What each request took, where several may have been billed; and the prices that the costs are by.
    requests           TEXT,
    basis              INTEGER,
    -- Whether the value comes from a cache: then nothing was asked.
    from_cache         INTEGER NOT NULL DEFAULT 0,
    -- What each request came to, if there were several.
    history            TEXT
);

-- Tables of prices, or prices that were given.
CREATE TABLE bases (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

-- The outcomes by key; those after totals.indexed are not in it yet.
CREATE TABLE keys (key BLOB PRIMARY KEY, outcome INTEGER NOT NULL) WITHOUT ROWID;

-- The rows of the input in their order, each with its outcome.
CREATE TABLE places (idx INTEGER PRIMARY KEY, outcome INTEGER NOT NULL, failure TEXT, record TEXT);
CREATE INDEX failed_places ON places (failure) WHERE failure IS NOT NULL;

-- Rows that are being asked about: an intent is here before the request goes out, and gone with the outcome.
-- The costs are those of all of the row's requests if the answer to this one is lost.
CREATE TABLE intents (
    key               BLOB PRIMARY KEY,
    idx               INTEGER NOT NULL,
    attempts          INTEGER NOT NULL,
    cost_picousd      INTEGER NOT NULL DEFAULT 0,
    cost_unknown      INTEGER NOT NULL DEFAULT 0,
    cost_bounded      INTEGER NOT NULL DEFAULT 0,
    cost_most_picousd INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Rows whose requests may have been paid for in vain, as they were asked about when a run ended without their outcome.
CREATE TABLE possibly_paid (
    seq          INTEGER PRIMARY KEY,
    key          BLOB NOT NULL,
    idx          INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    why          TEXT NOT NULL,
    found_at_ms  INTEGER NOT NULL,
    -- The most that the row has cost by then, if there is a most.
    cost_at_most_picousd INTEGER
);

-- What runs did in each interval.
CREATE TABLE intervals (
    seq        INTEGER PRIMARY KEY,
    run_ms     INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    lasted_ms  INTEGER NOT NULL,
    activity   TEXT NOT NULL
);

-- What the user changed while runs were under way.
CREATE TABLE adjustments (
    seq    INTEGER PRIMARY KEY,
    at_ms  INTEGER NOT NULL,
    name   TEXT NOT NULL,
    change TEXT NOT NULL
);

-- One row: what has been spent so far, and up to which outcome the keys are indexed.
CREATE TABLE totals (id INTEGER PRIMARY KEY CHECK (id = 0), indexed INTEGER NOT NULL, spent TEXT NOT NULL);
INSERT INTO totals VALUES (0, 0, '{}');
