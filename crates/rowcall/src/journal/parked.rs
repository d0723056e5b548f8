//! Rows parked in the journal: those that wait for a batch or are in one, and those that wait for the outcome of an equal one. A row is
//! parked until its outcome is recorded, which removes it in the same transaction.

use rusqlite::{Connection, OptionalExtension, Row as Columns, params};

use super::columns;
use super::lookup::row;
use crate::identity::{Key, KeyOf, RowKey};
use crate::money::{Cost, Usd};
use crate::row::Row;
use crate::sqlite::{integer, natural};

/// A parked row.
#[derive(Debug)]
pub(crate) struct ParkedRow {
    pub(crate) seq: i64,
    pub(crate) key: RowKey,
    pub(crate) row: Row,
    /// Its conversation as JSON, unless it has not begun.
    pub(crate) conversation: Option<String>,
    /// The most that its request in the batch costs, if known.
    pub(crate) most: Option<Usd>,
    /// Whether the current run has this row.
    pub(crate) is_taken: bool,
}

/// The columns of a parked row, in the order in which [`parked`] reads them.
const PARKED: &str = "seq, key, of_row, asked, idx, record, conversation, most_picousd, taken";

fn parked(columns: &Columns<'_>) -> rusqlite::Result<ParkedRow> {
    let of = if columns.get::<_, bool>(2)? { KeyOf::Row } else { KeyOf::Prompt };
    let key = RowKey { key: columns::key(columns, 1)?, of, asked: columns::key(columns, 3)? };
    Ok(ParkedRow {
        seq: columns.get(0)?,
        key,
        row: row(natural(columns.get(4)?), columns.get_ref(5)?.as_str_or_null()?),
        conversation: columns.get(6)?,
        most: usd(columns, 7)?,
        is_taken: columns.get(8)?,
    })
}

fn usd(columns: &Columns<'_>, at: usize) -> rusqlite::Result<Option<Usd>> {
    Ok(columns.get::<_, Option<i64>>(at)?.map(|most| Usd::from_picodollars(natural(most))))
}

/// A row, from its position and its record.
fn of_input(columns: &Columns<'_>) -> rusqlite::Result<Row> {
    Ok(row(natural(columns.get(0)?), columns.get_ref(1)?.as_str_or_null()?))
}

/// What a parked row is recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownBy {
    /// By its key, for rows from the input.
    Key,
    /// By its position, for rows from the journal itself.
    Position,
}

/// A row to be parked, with its record and its conversation as JSON.
#[derive(Debug)]
pub(crate) struct ToPark {
    pub(crate) key: RowKey,
    pub(crate) index: u64,
    pub(crate) record: String,
    pub(crate) conversation: Option<String>,
}

/// Parks rows. One that is parked already stays where it is, and one with the key of another waits for that one's outcome.
pub(crate) fn park(connection: &Connection, rows: &[ToPark], known_by: KnownBy) -> rusqlite::Result<()> {
    let mut there = connection.prepare_cached("SELECT taken, idx FROM parked WHERE key = ?")?;
    let mut take = connection.prepare_cached("UPDATE parked SET taken = 1 WHERE idx = ? AND taken = 0")?;
    for ToPark { key, index, record, conversation } in rows {
        if known_by == KnownBy::Position && take.execute([integer(*index)])? > 0 {
            continue;
        }
        let of_row = matches!(key.of, KeyOf::Row);
        let found: Option<(bool, i64)> =
            there.query_row([key.key.bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        match found {
            None => connection
                .prepare_cached(
                    "INSERT INTO parked (key, of_row, asked, idx, record, conversation, taken) VALUES (?, ?, ?, ?, ?, ?, 1)",
                )?
                .execute(params![key.key.bytes(), of_row, key.asked.bytes(), integer(*index), record, conversation])?,
            Some((false, _)) => connection
                .prepare_cached("UPDATE parked SET taken = 1, idx = ?2, record = ?3 WHERE key = ?1")?
                .execute(params![key.key.bytes(), integer(*index), record])?,
            // A row that an answer has been judged invalid for comes with its conversation.
            Some((true, idx)) if natural(idx) == *index => connection
                .prepare_cached("UPDATE parked SET batch = NULL, line = NULL, conversation = ?2 WHERE key = ?1 AND batch IS NULL")?
                .execute(params![key.key.bytes(), conversation])?,
            Some((true, _)) => connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO parked_equals (idx, key, record, state) VALUES (?, ?, ?, 1)",
                )?
                .execute(params![integer(*index), key.key.bytes(), record])?,
        };
    }
    Ok(())
}

/// How many rows are parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Those of the current run that wait for a batch.
    pub(crate) queued: u64,
    /// Of these, rows that have not been asked about yet.
    pub(crate) fresh: u64,
    /// Those in batches.
    pub(crate) sent: u64,
}

/// How many rows are parked.
pub(crate) fn counts(connection: &Connection) -> rusqlite::Result<Counts> {
    let sql = "SELECT count(*) FILTER (WHERE batch IS NULL AND taken = 1), \
               count(*) FILTER (WHERE batch IS NULL AND taken = 1 AND conversation IS NULL), count(batch) FROM parked";
    connection.prepare_cached(sql)?.query_row([], |row| {
        let count = |at| row.get(at).map(natural);
        Ok(Counts { queued: count(0)?, fresh: count(1)?, sent: count(2)? })
    })
}

/// How many rows wait for a batch, whether or not a run has them, and how many are in one.
pub(super) fn all_parked(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    let sql = "SELECT count(*) FILTER (WHERE batch IS NULL), count(batch) FROM parked";
    connection.query_row(sql, [], |row| Ok((natural(row.get(0)?), natural(row.get(1)?))))
}

/// The rows that wait for a batch, at most `most` of them, after this one.
pub(crate) fn queue(connection: &Connection, after: i64, most: u64) -> rusqlite::Result<Vec<ParkedRow>> {
    let sql = format!(
        "SELECT {PARKED} FROM parked WHERE batch IS NULL AND taken = 1 AND seq > ? ORDER BY seq LIMIT ?"
    );
    connection.prepare_cached(&sql)?.query_map([after, integer(most)], parked)?.collect()
}

/// Takes a row out of the queue that has ended unsent: its outcome is about to be recorded.
pub(crate) fn leave_queue(connection: &Connection, seq: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE parked SET taken = 2 WHERE seq = ?")?.execute([seq]).map(drop)
}

/// The rows of a batch with these keys.
pub(crate) fn of_keys(
    connection: &Connection,
    batch: i64,
    keys: &[Key],
) -> rusqlite::Result<Vec<Option<ParkedRow>>> {
    let sql = format!("SELECT {PARKED} FROM parked WHERE key = ? AND batch = ?");
    let mut statement = connection.prepare_cached(&sql)?;
    keys.iter().map(|key| statement.query_row(params![key.bytes(), batch], parked).optional()).collect()
}

/// The keys of the rows at these lines of a batch.
pub(crate) fn at_lines(
    connection: &Connection,
    batch: i64,
    lines: &[usize],
) -> rusqlite::Result<Vec<Option<Key>>> {
    let mut statement = connection.prepare_cached("SELECT key FROM parked WHERE batch = ? AND line = ?")?;
    let key = |line: &usize| {
        statement.query_row(params![batch, integer(*line as u64)], |row| columns::key(row, 0)).optional()
    };
    lines.iter().map(key).collect()
}

/// The rows of a batch, at most `most` of them, after this one.
pub(crate) fn of_batch(
    connection: &Connection,
    batch: i64,
    after: i64,
    most: u64,
) -> rusqlite::Result<Vec<ParkedRow>> {
    let sql = format!("SELECT {PARKED} FROM parked WHERE batch = ? AND seq > ? ORDER BY seq LIMIT ?");
    connection.prepare_cached(&sql)?.query_map(params![batch, after, integer(most)], parked)?.collect()
}

/// The most that each request in a batch costs, if known, for the rows that have no outcome yet.
pub(crate) fn most_of_batch(connection: &Connection, batch: i64) -> rusqlite::Result<Vec<Option<Usd>>> {
    let sql = "SELECT most_picousd FROM parked WHERE batch = ?";
    connection.prepare_cached(sql)?.query_map([batch], |columns| usd(columns, 0))?.collect()
}

/// Puts a row back into the queue, with its conversation.
pub(crate) fn requeue(connection: &Connection, seq: i64, conversation: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE parked SET batch = NULL, line = NULL, conversation = ? WHERE seq = ?";
    connection.prepare_cached(sql)?.execute(params![conversation, seq]).map(drop)
}

/// Notes that a row is asked online from now on. If that is cut off, what it has cost so far counts as spent without an outcome, and the
/// row begins again.
pub(crate) fn hand_over(
    connection: &Connection,
    row: &ParkedRow,
    attempts: u32,
    cost: Cost,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE parked SET batch = NULL, line = NULL, conversation = NULL, taken = 2 WHERE seq = ?",
        )?
        .execute([row.seq])?;
    if attempts == 0 {
        return Ok(());
    }
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO intents (key, idx, attempts, cost_picousd, cost_unknown, cost_bounded, cost_most_picousd) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            row.key.key.bytes(),
            integer(row.row.index),
            attempts,
            integer(cost.known.picodollars()),
            integer(cost.unknown),
            integer(cost.bounded),
            integer(cost.most.picodollars()),
        ])
        .map(drop)
}

/// Rows of the current run whose equal row is no longer parked, at most `most` of them. They are handed over.
pub(crate) fn take_equals(connection: &Connection, most: u64) -> rusqlite::Result<Vec<Row>> {
    let sql = "SELECT e.idx, e.record FROM parked_equals e WHERE e.state = 1 \
               AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.key = e.key) ORDER BY e.idx LIMIT ?";
    let found: Vec<Row> = connection
        .prepare_cached(sql)?
        .query_map([integer(most)], of_input)?
        .collect::<rusqlite::Result<_>>()?;
    let mut taken = connection.prepare_cached("UPDATE parked_equals SET state = 2 WHERE idx = ?")?;
    for row in &found {
        taken.execute([integer(row.index)])?;
    }
    Ok(found)
}

/// How many rows with the key of a parked one wait in the current run.
pub(crate) fn waiting_equals(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM parked_equals WHERE state = 1";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).map(natural)
}

/// All rows that are parked or wait for a parked one, by their position, at most `most` of them, from this position on.
pub(super) fn rows(connection: &Connection, from: u64, most: u64) -> rusqlite::Result<Vec<Row>> {
    let sql = "SELECT idx, record FROM parked WHERE idx >= ?1 UNION ALL \
               SELECT idx, record FROM parked_equals WHERE idx >= ?1 ORDER BY idx LIMIT ?2";
    connection.prepare_cached(sql)?.query_map([integer(from), integer(most)], of_input)?.collect()
}

/// Forgets a row that was asked under this key, as it has an outcome.
pub(super) fn settle(connection: &Connection, key: Key) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM parked WHERE key = ?")?.execute([key.bytes()]).map(drop)
}

/// Forgets that the row at this position waits for another one.
pub(super) fn place(connection: &Connection, index: u64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM parked_equals WHERE idx = ?")?.execute([integer(index)]).map(drop)
}
