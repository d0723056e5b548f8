//! Batches in the journal: their tables, and how far each batch is at the provider and here. `parked.rs` has their rows.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row as Columns, params};

use crate::money::Usd;
use crate::sqlite::{integer, natural};

/// The tables, which a journal gets with its first batch.
const TABLES: &str = "
-- Rows that wait for a batch or are in one. `conversation` is empty for a row that has not been answered yet.
CREATE TABLE IF NOT EXISTS parked (
    seq          INTEGER PRIMARY KEY,
    key          BLOB NOT NULL UNIQUE,
    of_row       INTEGER NOT NULL,
    asked        BLOB NOT NULL,
    idx          INTEGER NOT NULL,
    record       TEXT NOT NULL,
    conversation TEXT,
    batch        INTEGER,
    line         INTEGER,
    most_picousd INTEGER,
    -- Whether the current run has this row.
    taken        INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS parked_by_batch ON parked (batch, line);
CREATE INDEX IF NOT EXISTS parked_by_idx ON parked (idx);

-- Rows with the same key as a parked one, which wait for its outcome. `state` is 0 if the current run does not have the row, 1 if it
-- waits, and 2 once it has been handed over.
CREATE TABLE IF NOT EXISTS parked_equals (idx INTEGER PRIMARY KEY, key BLOB NOT NULL, record TEXT NOT NULL, state INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS parked_equals_by_key ON parked_equals (key);

-- Batches. What is known of each at the provider and what has been collected here are two columns. Times are in milliseconds since 1970.
CREATE TABLE IF NOT EXISTS batches (
    seq              INTEGER PRIMARY KEY,
    tag              TEXT NOT NULL UNIQUE,
    api              TEXT NOT NULL,
    fingerprint      TEXT NOT NULL,
    rows             INTEGER NOT NULL,
    bytes            INTEGER NOT NULL,
    remote           TEXT NOT NULL,
    collection       TEXT NOT NULL,
    remote_id        TEXT,
    remote_state     TEXT,
    input_file       TEXT,
    done             INTEGER,
    sealed_ms        INTEGER NOT NULL,
    sent_ms          INTEGER,
    ended_ms         INTEGER,
    results_until_ms INTEGER,
    problem          TEXT
);

-- How many rows the input has, once it has been read to its end.
CREATE TABLE IF NOT EXISTS inputs (id INTEGER PRIMARY KEY CHECK (id = 0), rows INTEGER NOT NULL);
";

/// What is known of a batch at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteStage {
    /// It was not created: its requests may have been uploaded.
    Unsent,
    /// Its create was sent, and it is not known whether it arrived.
    Unknown,
    /// It exists and has not ended.
    Running,
    /// It has ended.
    Ended,
    /// It was never created, or was rejected as a whole; its rows are back in the queue.
    Dropped,
}

/// How far the results of a batch are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// There are none yet.
    NotReady,
    /// The batch has ended, and not all results are collected.
    Pending,
    /// All are collected.
    Collected,
    /// They are gone.
    Unavailable,
}

impl RemoteStage {
    const ALL: [Self; 5] = [Self::Unsent, Self::Unknown, Self::Running, Self::Ended, Self::Dropped];

    /// The stage in a word, as the journal and `rowcall status` have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unsent => "unsent",
            Self::Unknown => "sent, unknown",
            Self::Running => "running",
            Self::Ended => "ended",
            Self::Dropped => "dropped",
        }
    }
}

impl Collection {
    const ALL: [Self; 4] = [Self::NotReady, Self::Pending, Self::Collected, Self::Unavailable];

    /// The state in a word, as the journal and `rowcall status` have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotReady => "not ready",
            Self::Pending => "pending",
            Self::Collected => "collected",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A batch as the journal has it.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchRecord {
    /// Its number in the journal, from 1.
    pub number: i64,
    /// Our label for it at the provider.
    pub tag: String,
    /// The fingerprint of the API key that created it: only that key can see it.
    pub fingerprint: String,
    /// How many rows were sent in it.
    pub rows: u64,
    /// The size of its requests in bytes.
    pub bytes: u64,
    /// What is known of it at the provider.
    pub remote: RemoteStage,
    /// How far its results are collected.
    pub collection: Collection,
    /// Its id at the provider.
    pub remote_id: Option<String>,
    /// The provider's word for its state.
    pub remote_state: Option<String>,
    /// The id of its uploaded requests.
    pub input_file: Option<String>,
    /// How many requests the provider said were done, at the last look.
    pub done: Option<u64>,
    /// When its create was sent, in milliseconds since 1970.
    pub sent_ms: Option<i64>,
    /// Until when its results can be read, in milliseconds since 1970, if the provider says so.
    pub results_until_ms: Option<i64>,
    /// Why it failed as a whole.
    pub problem: Option<String>,
    /// How many of its rows have no outcome yet.
    pub open: u64,
}

/// The columns of a batch, in the order in which [`batch`] reads them.
const BATCH: &str = "b.seq, b.tag, b.fingerprint, b.rows, b.bytes, b.remote, b.collection, b.remote_id, b.remote_state, \
                     b.input_file, b.done, b.sent_ms, b.results_until_ms, b.problem, \
                     (SELECT count(*) FROM parked p WHERE p.batch = b.seq)";

fn batch(columns: &Columns<'_>) -> rusqlite::Result<BatchRecord> {
    let (remote, collection): (String, String) = (columns.get(5)?, columns.get(6)?);
    let remote = RemoteStage::ALL.into_iter().find(|stage| stage.name() == remote);
    let collection = Collection::ALL.into_iter().find(|stage| stage.name() == collection);
    Ok(BatchRecord {
        number: columns.get(0)?,
        tag: columns.get(1)?,
        fingerprint: columns.get(2)?,
        rows: natural(columns.get(3)?),
        bytes: natural(columns.get(4)?),
        remote: remote.unwrap_or(RemoteStage::Unknown),
        collection: collection.unwrap_or(Collection::NotReady),
        remote_id: columns.get(7)?,
        remote_state: columns.get(8)?,
        input_file: columns.get(9)?,
        done: columns.get::<_, Option<i64>>(10)?.map(natural),
        sent_ms: columns.get(11)?,
        results_until_ms: columns.get(12)?,
        problem: columns.get(13)?,
        open: natural(columns.get(14)?),
    })
}

/// A batch about to be sent.
#[derive(Debug)]
pub(crate) struct ToSeal {
    pub(crate) tag: String,
    pub(crate) api: &'static str,
    pub(crate) fingerprint: String,
    pub(crate) bytes: u64,
    pub(crate) now_ms: i64,
    /// The rows in it, in the order of its lines, each with the most that it costs.
    pub(crate) rows: Vec<(i64, Option<Usd>)>,
}

/// A change to a batch.
#[derive(Debug, Default)]
pub(crate) struct BatchChange {
    pub(crate) remote: Option<RemoteStage>,
    pub(crate) collection: Option<Collection>,
    pub(crate) remote_id: Option<String>,
    pub(crate) remote_state: Option<String>,
    pub(crate) input_file: Option<String>,
    pub(crate) done: Option<u64>,
    pub(crate) sent_ms: Option<i64>,
    pub(crate) ended_ms: Option<i64>,
    pub(crate) results_until_ms: Option<i64>,
    pub(crate) problem: Option<String>,
}

/// Whether a journal has had batches.
pub(super) fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'parked'";
    connection.query_row(sql, [], |row| row.get(0))
}

/// Whether rows without an outcome are in a batch.
pub(super) fn are_sent(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM parked WHERE batch IS NOT NULL)";
    Ok(has_tables(connection)? && connection.query_row(sql, [], |row| row.get(0))?)
}

/// Makes the tables if there are none, and forgets which rows an earlier run had.
pub(crate) fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    connection.execute_batch(
        "UPDATE parked SET taken = 0 WHERE taken <> 0; UPDATE parked_equals SET state = 0 WHERE state <> 0;",
    )
}

/// Records a batch and which rows are in it, before anything of it is sent. Returns its number.
pub(crate) fn seal(connection: &Connection, batch: &ToSeal) -> rusqlite::Result<i64> {
    let ToSeal { tag, api, fingerprint, bytes, now_ms, rows } = batch;
    connection.execute(
        "INSERT INTO batches (tag, api, fingerprint, rows, bytes, remote, collection, sealed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            tag,
            api,
            fingerprint,
            integer(rows.len() as u64),
            integer(*bytes),
            RemoteStage::Unsent.name(),
            Collection::NotReady.name(),
            now_ms
        ],
    )?;
    let number = connection.last_insert_rowid();
    let mut statement =
        connection.prepare_cached("UPDATE parked SET batch = ?, line = ?, most_picousd = ? WHERE seq = ?")?;
    for (line, (seq, most)) in rows.iter().enumerate() {
        let most = most.map(|most| integer(most.picodollars()));
        statement.execute(params![number, integer(line as u64), most, seq])?;
    }
    Ok(number)
}

/// Records a change to a batch.
pub(crate) fn change(connection: &Connection, number: i64, change: BatchChange) -> rusqlite::Result<()> {
    let text = |text: Option<String>| text.map(Value::from);
    let number_of = |value: Option<i64>| value.map(Value::from);
    let columns = [
        ("remote", text(change.remote.map(|stage| stage.name().to_owned()))),
        ("collection", text(change.collection.map(|stage| stage.name().to_owned()))),
        ("remote_id", text(change.remote_id)),
        ("remote_state", text(change.remote_state)),
        ("input_file", text(change.input_file)),
        ("done", number_of(change.done.map(integer))),
        ("sent_ms", number_of(change.sent_ms)),
        ("ended_ms", number_of(change.ended_ms)),
        ("results_until_ms", number_of(change.results_until_ms)),
        ("problem", text(change.problem)),
    ];
    for (column, value) in columns {
        if let Some(value) = value {
            let sql = format!("UPDATE batches SET {column} = ? WHERE seq = ?");
            connection.prepare_cached(&sql)?.execute(params![value, number])?;
        }
    }
    Ok(())
}

/// Puts the rows of a batch that were never asked back into the queue, and drops the batch.
pub(crate) fn drop_batch(
    connection: &Connection,
    number: i64,
    problem: Option<String>,
) -> rusqlite::Result<()> {
    connection.execute("UPDATE parked SET batch = NULL, line = NULL WHERE batch = ?", [number])?;
    change(
        connection,
        number,
        BatchChange { remote: Some(RemoteStage::Dropped), problem, ..BatchChange::default() },
    )
}

/// All batches, the oldest first.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<BatchRecord>> {
    let sql = format!("SELECT {BATCH} FROM batches b ORDER BY b.seq");
    connection.prepare_cached(&sql)?.query_map([], batch)?.collect()
}

/// Records how many rows the input has.
pub(crate) fn note_input(connection: &Connection, rows: u64) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO inputs (id, rows) VALUES (0, ?)", [integer(rows)]).map(drop)
}

/// How many rows the input has, if it has been read to its end.
pub(crate) fn input(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    let rows = connection.query_row("SELECT rows FROM inputs", [], |row| row.get(0)).optional()?;
    Ok(rows.map(natural))
}
