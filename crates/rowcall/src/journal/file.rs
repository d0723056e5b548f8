//! The journal's file: creates, opens and recognises it, and reads and updates its plans, totals and leftover intents.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use rusqlite::{Connection, OptionalExtension};

use super::adjustments;
use super::columns;
use super::filter::Filter;
use super::intervals;
use super::kind::JOURNAL;
use crate::error::Problem;
use crate::identity::{Identity, Key, Keys};
use crate::money::Cost;
use crate::sqlite::{Kind, integer, natural, parsed, text};
use crate::totals::Totals;

/// The last format whose keys include the output limit.
const LIMIT_IN_KEYS: i32 = 2;

/// The cost columns of intents.
const INTENT_COST: &str = "cost_picousd, cost_unknown, cost_bounded, cost_most_picousd";

/// Whether a journal existed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It was just created.
    Nothing,
    /// It existed and has been written to before.
    Journal,
}

/// Opens the journal at `path` for writing, or creates one.
///
/// # Errors
/// If the file is not a journal, has a newer format or cannot be written to.
pub(super) fn open_to_write(
    path: &Path,
    identity: &Identity,
    memo: &str,
) -> Result<(Connection, Found), Problem> {
    let found = match std::fs::metadata(path) {
        Ok(there) if there.len() > 0 || !there.is_file() => Found::Journal,
        Ok(_) | Err(_) => Found::Nothing,
    };
    if found == Found::Nothing {
        JOURNAL.make(path, "", |connection| {
            connection.execute_batch(include_str!("tables.sql"))?;
            add_plan(connection, identity, memo)
        })?;
    }
    let connection = JOURNAL.open_to_write(path)?;
    Ok((connection, found))
}

/// The problem with a journal that nothing has been written to.
pub(super) fn no_run(path: &Path) -> Problem {
    Problem::new(format!("the journal `{}` is empty: no run has started", path.display()))
}

/// Opens the journal at `path` for reading, whether or not it is being written to.
///
/// # Errors
/// If the file does not exist, is not a journal, has a newer format or cannot be read.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, Problem> {
    if !path.exists() {
        return Err(Problem::new(format!("there is no journal `{}`", path.display()))
            .hint("`rowcall run` keeps one beside its output, named like it with `.journal` after it"));
    }
    if std::fs::metadata(path).is_ok_and(|there| there.is_file() && there.len() == 0) {
        return Err(no_run(path));
    }
    JOURNAL.open_to_read(path)
}

/// The columns of an outcome, for journals from before and after costs were kept.
pub(super) fn outcome_columns(connection: &Connection) -> rusqlite::Result<String> {
    let missing = match kept_of_costs(connection)? {
        Kept::Nothing => &[columns::COST, columns::BOUNDS][..],
        Kept::WhatIsKnown => &[columns::BOUNDS],
        Kept::All => &[],
    };
    let of_cache = (!has_column(connection, "from_cache")?).then_some(columns::CACHE);
    let of_history = (!has_column(connection, "history")?).then_some(columns::HISTORY);
    Ok(missing
        .iter()
        .chain(&of_cache)
        .chain(&of_history)
        .fold(columns::OUTCOME.to_owned(), |all, [there, instead]| all.replace(there, instead)))
}

/// Which costs a journal keeps. Journals from before costs were kept have the same formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Nothing,
    /// Known costs, but no upper bounds for unknown ones and no costs of single requests.
    WhatIsKnown,
    All,
}

/// Whether a journal's outcomes have this column. Journals from before there were caches, or histories, have the same formats.
pub(super) fn has_column(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM pragma_table_info('outcomes') WHERE name = ?";
    connection.query_row(sql, [name], |row| row.get(0))
}

fn kept_of_costs(connection: &Connection) -> rusqlite::Result<Kept> {
    let sql =
        "SELECT count(*) FROM pragma_table_info('outcomes') WHERE name IN ('cost_unknown', 'cost_bounded')";
    Ok(match connection.query_row(sql, [], |row| row.get(0))? {
        0 => Kept::Nothing,
        1 => Kept::WhatIsKnown,
        _ => Kept::All,
    })
}

/// The last plan's identity, and the caller's memo.
pub(super) fn plan(connection: &Connection) -> rusqlite::Result<Option<(Identity, String)>> {
    let (_, format) = Kind::marks(connection)?;
    let further = if format < 2 { "'[]', '[]'" } else { "examples, images" };
    let sql = format!(
        "SELECT model, prompt, system, parameters, schema, memo, {further} FROM plans ORDER BY seq DESC LIMIT 1"
    );
    connection
        .query_row(&sql, [], |row| {
            let identity = Identity {
                model: row.get(0)?,
                prompt: row.get(1)?,
                system: row.get(2)?,
                parameters: parsed(row.get_ref(3)?.as_str()?, 3)?,
                schema: parsed(row.get_ref(4)?.as_str()?, 4)?,
                examples: parsed(row.get_ref(6)?.as_str()?, 6)?,
                images: parsed(row.get_ref(7)?.as_str()?, 7)?,
            };
            Ok((identity, row.get(5)?))
        })
        .optional()
}

/// The `identity` to record in this journal, and how its keys are made. If the keys include the output limit, the limit with which the
/// journal was created stays.
pub(super) fn noted(connection: &Connection, identity: &Identity) -> rusqlite::Result<(Identity, Keys)> {
    let (_, format) = Kind::marks(connection)?;
    if format > LIMIT_IN_KEYS {
        return Ok((identity.clone(), identity.keys()));
    }
    let noted = match plan(connection)? {
        Some((known, _)) => identity.with_output_limit(known.output_limit()),
        None => identity.clone(),
    };
    let keys = noted.keys_with_limit();
    Ok((noted, keys))
}

/// What has been spent, and the last outcome whose key is indexed.
pub(super) fn totals(connection: &Connection) -> rusqlite::Result<(Totals, i64)> {
    let (mut totals, indexed): (Totals, i64) =
        connection.query_row("SELECT spent, indexed FROM totals", [], |row| {
            Ok((parsed(row.get_ref(0)?.as_str()?, 0)?, row.get(1)?))
        })?;
    if kept_of_costs(connection)? == Kept::Nothing {
        totals.cost.unknown = totals.requests;
    }
    Ok((totals, indexed))
}

/// What is known about keys without reading the file: the outcomes of keys that are not yet indexed, a bounded number since the
/// writer indexes them by the thousand, and which keys may be in the file at all.
#[derive(Debug)]
pub(super) struct Recent {
    outcomes: Mutex<HashMap<Key, i64>>,
    filter: Filter,
}

impl Recent {
    /// Reads the keys after the outcome `indexed`, with a filter of all keys if that is wanted.
    pub(super) fn load(connection: &Connection, indexed: i64, filtered: Filtered) -> rusqlite::Result<Self> {
        let filter = match filtered {
            Filtered::Yes => Filter::empty(),
            Filtered::No => Filter::full(),
        };
        if filtered == Filtered::Yes {
            let mut statement = connection.prepare("SELECT key FROM keys")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                filter.add(columns::key(row, 0)?);
            }
        }
        let mut statement = connection
            .prepare("SELECT key, seq FROM outcomes WHERE seq > ? AND key IS NOT NULL ORDER BY seq")?;
        let rows = statement.query_map([indexed], |row| Ok((columns::key(row, 0)?, row.get(1)?)))?;
        let outcomes: HashMap<Key, i64> = rows.collect::<rusqlite::Result<_>>()?;
        for key in outcomes.keys() {
            filter.add(*key);
        }
        Ok(Self { outcomes: Mutex::new(outcomes), filter })
    }

    /// Whether there may be an outcome for `key`; `false` is certain.
    pub(super) fn may_know(&self, key: Key) -> bool {
        self.filter.may_have(key)
    }

    /// Adds outcomes that are on the disk.
    pub(super) fn add(&self, outcomes: &[(Key, i64)]) {
        for (key, _) in outcomes {
            self.filter.add(*key);
        }
        self.with(|recent| recent.extend(outcomes.iter().copied()));
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&mut HashMap<Key, i64>) -> T) -> T {
        look(&mut self.outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// Whether to make a filter, which requires reading all keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filtered {
    Yes,
    No,
}

/// One more than the highest place with an outcome.
pub(super) fn places(connection: &Connection) -> rusqlite::Result<u64> {
    let last: Option<i64> = connection.query_row("SELECT max(idx) FROM places", [], |row| row.get(0))?;
    Ok(last.map_or(0, |last| natural(last) + 1))
}

/// Converts a journal of format 1 to format 2. If its keys include the output limit, they keep it.
pub(super) fn upgrade(connection: &Connection) -> rusqlite::Result<()> {
    let (_, format) = Kind::marks(connection)?;
    if format < 2 {
        connection.execute_batch(
            "ALTER TABLE plans ADD COLUMN examples TEXT NOT NULL DEFAULT '[]'; \
             ALTER TABLE plans ADD COLUMN images TEXT NOT NULL DEFAULT '[]';",
        )?;
        connection.pragma_update(None, "user_version", LIMIT_IN_KEYS)?;
    }
    let kept = kept_of_costs(connection)?;
    if kept == Kept::Nothing {
        // The cost of requests from before costs were kept is unknown.
        connection.execute_batch(
            "ALTER TABLE outcomes ADD COLUMN cache_write_long_tokens INTEGER NOT NULL DEFAULT 0; \
             ALTER TABLE outcomes ADD COLUMN cost_picousd INTEGER NOT NULL DEFAULT 0; \
             ALTER TABLE outcomes ADD COLUMN cost_unknown INTEGER NOT NULL DEFAULT 0; \
             UPDATE outcomes SET cost_unknown = attempts;",
        )?;
    }
    if kept != Kept::All {
        connection.execute_batch(
            "ALTER TABLE outcomes ADD COLUMN cost_bounded INTEGER NOT NULL DEFAULT 0; \
             ALTER TABLE outcomes ADD COLUMN cost_most_picousd INTEGER NOT NULL DEFAULT 0; \
             ALTER TABLE outcomes ADD COLUMN requests TEXT; \
             ALTER TABLE outcomes ADD COLUMN basis INTEGER; \
             CREATE TABLE bases (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE); \
             ALTER TABLE intents ADD COLUMN cost_picousd INTEGER NOT NULL DEFAULT 0; \
             ALTER TABLE intents ADD COLUMN cost_unknown INTEGER NOT NULL DEFAULT 0; \
             ALTER TABLE intents ADD COLUMN cost_bounded INTEGER NOT NULL DEFAULT 0; \
             ALTER TABLE intents ADD COLUMN cost_most_picousd INTEGER NOT NULL DEFAULT 0; \
             UPDATE intents SET cost_unknown = attempts; \
             ALTER TABLE possibly_paid ADD COLUMN cost_at_most_picousd INTEGER;",
        )?;
    }
    if !has_column(connection, "from_cache")? {
        connection.execute_batch("ALTER TABLE outcomes ADD COLUMN from_cache INTEGER NOT NULL DEFAULT 0;")?;
    }
    if !has_column(connection, "history")? {
        connection.execute_batch("ALTER TABLE outcomes ADD COLUMN history TEXT;")?;
    }
    connection.execute_batch(intervals::TABLE)?;
    connection.execute_batch(adjustments::TABLE)
}

/// The number with which outcomes refer to these prices.
pub(super) fn basis(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.execute("INSERT OR IGNORE INTO bases (name) VALUES (?)", [name])?;
    connection.query_row("SELECT id FROM bases WHERE name = ?", [name], |row| row.get(0))
}

/// The names of all prices; empty for journals of versions that did not record them.
pub(super) fn bases(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    if kept_of_costs(connection)? != Kept::All {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare("SELECT name FROM bases ORDER BY id")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// Records the identity of the current plan.
pub(super) fn add_plan(connection: &Connection, identity: &Identity, memo: &str) -> rusqlite::Result<()> {
    let Identity { model, prompt, system, parameters, schema, examples, images } = identity;
    connection.execute(
        "INSERT INTO plans (model, prompt, system, parameters, schema, memo, examples, images) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        rusqlite::params![
            model,
            prompt,
            system,
            text(parameters)?,
            text(schema)?,
            memo,
            text(examples)?,
            text(images)?,
        ],
    )?;
    Ok(())
}

/// Counts the rows that were in flight when the last run was killed as possibly billed without an answer. Returns how many rows
/// those are, and what they cost.
pub(super) fn take_over(connection: &Connection, now_ms: i64) -> rusqlite::Result<(u64, Cost)> {
    let cost = cost_of_intents(connection, None)?;
    let moved = connection.execute(&move_intents("'cut off'", "true"), [now_ms])?;
    connection.execute("DELETE FROM intents", [])?;
    Ok((moved as u64, cost))
}

/// Counts the intent with this key as possibly billed without an answer. Returns how many intents that are, one or zero, and the cost.
pub(super) fn drop_intent(connection: &Connection, key: Key, now_ms: i64) -> rusqlite::Result<(u64, Cost)> {
    let cost = cost_of_intents(connection, Some(key))?;
    let sql = move_intents("'dropped'", "key = ?2");
    let moved = connection.prepare_cached(&sql)?.execute(rusqlite::params![now_ms, key.bytes()])?;
    Ok((moved as u64, cost))
}

fn move_intents(why: &str, which: &str) -> String {
    format!(
        "INSERT INTO possibly_paid (key, idx, attempts, why, found_at_ms, cost_at_most_picousd) \
         SELECT key, idx, attempts, {why}, ?1, \
         CASE WHEN cost_bounded = cost_unknown THEN cost_picousd + cost_most_picousd END FROM intents WHERE {which}"
    )
}

/// What the rows in flight, or the one with this key, cost if they get no answer.
pub(super) fn cost_of_intents(connection: &Connection, key: Option<Key>) -> rusqlite::Result<Cost> {
    let (columns, which) = match (kept_of_costs(connection)?, key) {
        (Kept::All, Some(_)) => (INTENT_COST, "WHERE key = ?"),
        (Kept::All, None) => (INTENT_COST, ""),
        (Kept::Nothing | Kept::WhatIsKnown, _) => ("0, attempts, 0, 0", ""),
    };
    let mut statement = connection.prepare_cached(&format!("SELECT {columns} FROM intents {which}"))?;
    let mut rows = match key.filter(|_| !which.is_empty()) {
        Some(key) => statement.query([key.bytes()])?,
        None => statement.query([])?,
    };
    let mut sum = Cost::default();
    while let Some(row) = rows.next()? {
        sum += columns::cost(row, 0)?;
    }
    Ok(sum)
}

/// Removes the places from `rows` on, which the input no longer has, and returns how many there were.
pub(super) fn cut_places(connection: &Connection, rows: u64) -> rusqlite::Result<u64> {
    Ok(connection.execute("DELETE FROM places WHERE idx >= ?", [integer(rows)])? as u64)
}

/// Whether the journal has no outcomes of requests, no requests were in flight when the last run ended, and nothing may have been
/// billed.
pub(super) fn holds_nothing(connection: &Connection, totals: &Totals) -> rusqlite::Result<bool> {
    if totals.possibly_paid > 0 {
        return Ok(false);
    }
    if super::batches::are_sent(connection)? {
        return Ok(false);
    }
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM intents) \
               AND NOT EXISTS (SELECT 1 FROM outcomes WHERE key IS NOT NULL OR attempts > 0)";
    connection.query_row(sql, [], |row| row.get(0))
}
