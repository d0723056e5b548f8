//! Reads a journal: what was requested, what was spent, and each row with its outcome. It can be read while it is being written
//! to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::batches::{self, BatchRecord};
use super::columns;
use super::file::{self, Filtered, Recent};
use super::kind::JOURNAL;
use super::lookup::{Finder, row};
use super::parked;
use crate::error::{Error, Problem, ProblemKind, Result};
use crate::hint::{Hint, Setting};
use crate::identity::{EqualRows, Identity, Key, Keys};
use crate::money::Cost;
use crate::outcome::Outcome;
use crate::row::Row;
use crate::sqlite::{self, integer, natural};
use crate::totals::Totals;

/// The number of rows read at a time.
const PAGE: u64 = 512;

/// A journal that is open for reading only.
#[derive(Debug)]
pub struct Contents {
    path: PathBuf,
    pub(super) connection: rusqlite::Connection,
    identity: Identity,
    memo: String,
    totals: Totals,
}

impl Contents {
    /// Opens the journal at `path`.
    ///
    /// # Errors
    /// [`Error::Config`] if the file does not exist, is not a journal, has a newer format or cannot be read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let connection = file::open_to_read(&path).map_err(Error::Config)?;
        let read = || Ok((file::plan(&connection)?, file::totals(&connection)?));
        let (plan, (totals, _)) =
            read().map_err(|error: rusqlite::Error| Error::Config(JOURNAL.problem(&path, &error)))?;
        let Some((identity, memo)) = plan else {
            return Err(Error::Config(file::no_run(&path)));
        };
        Ok(Self { path, connection, identity, memo, totals })
    }

    /// The identity of the plan.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Why a plan with this `identity` cannot continue this journal, if it cannot. Any plan can continue an empty one.
    pub fn change(&self, identity: &Identity) -> Option<Problem> {
        let changes = identity.changes(&self.identity);
        let holds_nothing = file::holds_nothing(&self.connection, &self.totals).unwrap_or_default();
        (!changes.is_empty() && !holds_nothing).then(|| changed(&self.path, &changes))
    }

    /// The text that its writer stored in it; see [`JournalOptions::memo`](super::JournalOptions::memo).
    pub fn memo(&self) -> &str {
        &self.memo
    }

    /// What has been spent.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Whether a process is writing to it now.
    pub fn is_being_written(&self) -> bool {
        sqlite::is_taken(&self.path)
    }

    /// The number of rows in flight or, if no process writes to the journal, of those that were in flight when the last run was
    /// killed: those may have been billed without an answer.
    ///
    /// # Errors
    /// [`Error::Journal`] if it cannot be read.
    pub fn intents(&self) -> Result<u64> {
        let count = || self.connection.query_row("SELECT count(*) FROM intents", [], |row| row.get(0));
        count().map(natural).map_err(|error| self.trouble(&error))
    }

    /// What those rows cost if they get no answer, as far as that is known.
    ///
    /// # Errors
    /// [`Error::Journal`] if it cannot be read.
    pub fn cost_of_intents(&self) -> Result<Cost> {
        file::cost_of_intents(&self.connection, None).map_err(|error| self.trouble(&error))
    }

    /// The batches of the journal, the oldest first.
    ///
    /// # Errors
    /// [`Error::Journal`] if it cannot be read.
    pub fn batches(&self) -> Result<Vec<BatchRecord>> {
        let read = || {
            if batches::has_tables(&self.connection)? {
                batches::all(&self.connection)
            } else {
                Ok(Vec::new())
            }
        };
        read().map_err(|error| self.trouble(&error))
    }

    /// How many rows wait for a batch, and how many are in one.
    ///
    /// # Errors
    /// [`Error::Journal`] if it cannot be read.
    pub fn parked(&self) -> Result<(u64, u64)> {
        let read = || {
            if batches::has_tables(&self.connection)? {
                parked::all_parked(&self.connection)
            } else {
                Ok((0, 0))
            }
        };
        read().map_err(|error| self.trouble(&error))
    }

    /// Rows that wait for a result, from this position on, at most `most` of them.
    ///
    /// # Errors
    /// [`Error::Journal`] if it cannot be read.
    pub(crate) fn parked_rows(&self, from: u64, most: usize) -> Result<Vec<Row>> {
        let read = || {
            if batches::has_tables(&self.connection)? {
                parked::rows(&self.connection, from, most as u64)
            } else {
                Ok(Vec::new())
            }
        };
        read().map_err(|error| self.trouble(&error))
    }

    /// The number of rows without a value, by the kind of failure.
    ///
    /// # Errors
    /// [`Error::Journal`] if it cannot be read.
    pub fn failures(&self) -> Result<BTreeMap<String, u64>> {
        let count = || {
            let sql = "SELECT failure, count(*) FROM places WHERE failure IS NOT NULL GROUP BY failure";
            let mut statement = self.connection.prepare(sql)?;
            let counts = statement.query_map([], |row| Ok((row.get(0)?, natural(row.get(1)?))))?;
            counts.collect::<rusqlite::Result<_>>()
        };
        count().map_err(|error| self.trouble(&error))
    }

    /// All rows with an outcome, in input order.
    ///
    /// # Errors
    /// [`Error::Journal`] if it cannot be read.
    pub fn into_rows(self) -> Result<Rows> {
        self.choose(None)
    }

    /// All rows with an outcome, in the order of completion.
    ///
    /// # Errors
    /// [`Error::Journal`] if it cannot be read.
    pub fn into_rows_as_completed(self) -> Result<Rows> {
        self.choose(Some("SELECT idx FROM places ORDER BY outcome, idx"))
    }

    /// The rows without a value that may get one from another request: all except those for which no prompt can be made. Rows for
    /// which only the template failed are included, since another template may work.
    ///
    /// # Errors
    /// [`Error::Journal`] if it cannot be read.
    pub fn into_failed_rows(self) -> Result<Rows> {
        self.choose(Some(
            "SELECT idx FROM places p JOIN outcomes o ON o.seq = p.outcome \
             WHERE p.failure IS NOT NULL AND (o.key IS NOT NULL OR p.failure = 'template') ORDER BY idx",
        ))
    }

    /// Whether records are kept, as far as the rows show.
    ///
    /// # Errors
    /// [`Error::Journal`] if it cannot be read.
    pub fn has_records(&self) -> Result<bool> {
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM places WHERE record IS NULL LIMIT 1)";
        // One row without its record is enough; if all have theirs, all are checked.
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(|error| self.trouble(&error))
    }

    fn choose(self, places: Option<&str>) -> Result<Rows> {
        let choose = |places: &str| {
            self.connection.execute_batch("CREATE TEMP TABLE chosen (n INTEGER PRIMARY KEY, idx INTEGER)")?;
            self.connection.execute(&format!("INSERT INTO chosen (idx) {places}"), []).map(drop)
        };
        places.map_or(Ok(()), choose).map_err(|error| self.trouble(&error))?;
        let outcome = file::outcome_columns(&self.connection).map_err(|error| self.trouble(&error))?;
        let page = match places {
            None => format!(
                "SELECT p.idx, p.idx, p.record, {outcome} FROM places p JOIN outcomes o ON o.seq = p.outcome \
                 WHERE p.idx > ? ORDER BY p.idx LIMIT ?"
            ),
            Some(_) => format!(
                "SELECT c.n, p.idx, p.record, {outcome} FROM temp.chosen c CROSS JOIN places p ON p.idx = c.idx \
                 CROSS JOIN outcomes o ON o.seq = p.outcome WHERE c.n > ? ORDER BY c.n LIMIT ?"
            ),
        };
        Ok(Rows { contents: self, page, after: -1 })
    }

    pub(super) fn trouble(&self, error: &rusqlite::Error) -> Error {
        Error::Journal(JOURNAL.problem(&self.path, error))
    }
}

/// Rows with their outcomes, a page at a time. The set of rows is fixed when the iterator is created, except for
/// [`Contents::into_rows`], which also returns what is written in the meantime.
#[derive(Debug)]
pub struct Rows {
    contents: Contents,
    page: String,
    after: i64,
}

impl Rows {
    /// The next rows; empty at the end. A row's record is as in the input, and its fields are parsed from it.
    ///
    /// # Errors
    /// [`Error::Journal`] if they cannot be read.
    pub fn next_page(&mut self) -> Result<Vec<(Row, Outcome)>> {
        self.read().map_err(|error| self.contents.trouble(&error))
    }

    fn read(&mut self) -> rusqlite::Result<Vec<(Row, Outcome)>> {
        let mut statement = self.contents.connection.prepare_cached(&self.page)?;
        let mut rows = statement.query([self.after, integer(PAGE)])?;
        let mut page = Vec::new();
        while let Some(columns) = rows.next()? {
            self.after = columns.get(0)?;
            let index = natural(columns.get(1)?);
            let record = columns.get_ref(2)?.as_str_or_null()?;
            page.push((row(index, record), columns::read(columns, 3, index)?));
        }
        Ok(page)
    }
}

/// Checks which rows a journal knows, in order to count the others.
#[derive(Debug)]
pub(crate) struct Census {
    path: PathBuf,
    finder: Finder,
    keys: Keys,
}

impl Census {
    /// A census of the journal at `path`, for a plan with this `identity`.
    ///
    /// # Errors
    /// Those of [`Contents::open`].
    pub(crate) fn open(path: &Path, identity: &Identity) -> std::result::Result<Self, Problem> {
        let connection = file::open_to_read(path)?;
        let read = || {
            let (_, indexed) = file::totals(&connection)?;
            Ok((Recent::load(&connection, indexed, Filtered::No)?, file::noted(&connection, identity)?.1))
        };
        let (recent, keys) = read().map_err(|error: rusqlite::Error| JOURNAL.problem(path, &error))?;
        let finder = Finder::new(path.to_owned(), connection, Arc::new(recent))
            .map_err(|error| JOURNAL.problem(path, &error))?;
        Ok(Self { path: path.to_owned(), finder, keys })
    }

    /// How the keys of rows are made in this journal.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Whether a row with this key would be requested, given that all earlier rows were passed to this method.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub(crate) fn would_ask(&self, key: Key, equal: EqualRows) -> std::result::Result<bool, Problem> {
        let look = || {
            let before = self.finder.seen_before(key, 0)?;
            match equal {
                EqualRows::Share => Ok(before == 0 && self.finder.number(key)?.is_none()),
                EqualRows::AskEach => Ok(self.finder.number(key.occurrence(before))?.is_none()),
            }
        };
        look().map_err(|error| JOURNAL.problem(&self.path, &error))
    }
}

/// The differences between the plan that a journal was created for and the current one.
pub(super) fn changed(path: &Path, changes: &[&str]) -> Problem {
    let changes = match changes {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        few => few.concat(),
    };
    let other = if changes.starts_with("parameters")
        || changes.starts_with("examples")
        || changes.starts_with("images")
    {
        "other"
    } else {
        "another"
    };
    let hint = Hint::from("use ")
        .with(Setting::AcceptChanges.on())
        .with(" to continue and ask only what is new, or start over with ")
        .with(Setting::Fresh.on());
    Problem::new(format!("the journal `{}` was made with {other} {changes}", path.display()))
        .hint(hint)
        .of_kind(ProblemKind::PlanChanged)
}

/// Removes a journal and its auxiliary files, if it exists.
///
/// # Errors
/// If the file is not a journal or cannot be removed.
pub(super) fn remove(path: &Path) -> std::result::Result<(), Problem> {
    if !JOURNAL.is_ours(path) {
        return Err(Problem::new(format!(
            "`{}` is not a rowcall journal, so it is not removed",
            path.display()
        ))
        .hint(Hint::from("give another file with ").with(Setting::Journal.like("PATH"))));
    }
    JOURNAL.remove_beside(path)?;
    JOURNAL.remove(path)
}
