//! Reading a cache and removing answers from it. Both are possible while runs use it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::file::{self, ANSWER, CACHE};
use super::store::Answer;
use crate::error::{Error, Problem, Result};
use crate::hint::{Hint, Setting};
use crate::identity::Key;
use crate::money::Usd;
use crate::sqlite::{integer, natural, parsed};
use crate::turn::Usage;

/// Answers read at a time.
const PAGE: u64 = 512;

/// Answers removed in one transaction, while others wait.
const REMOVED_TOGETHER: u64 = 2_000;

/// Digits of a plan's name.
const NAME_DIGITS: usize = 12;

/// A cache that is only read.
#[derive(Debug)]
pub struct CacheContents {
    path: PathBuf,
    connection: Connection,
    after: i64,
}

/// What was asked for answers, with their totals.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedPlan {
    /// The start of its hash, which names it.
    pub name: String,
    /// `PROVIDER/MODEL`, as it was asked for.
    pub model: String,
    /// The server's host.
    pub host: String,
    /// The template of the user's part.
    pub prompt: String,
    /// The template of the system's part, if there is one.
    pub system: Option<String>,
    /// The names of the parameters that were set.
    pub parameters: Vec<String>,
    /// The schema, as given.
    pub schema: Value,
    /// The name of what validated values beside the schema.
    pub validated_by: Option<String>,
    /// The number of answers.
    pub answers: u64,
    /// Bytes of their values.
    pub bytes: u64,
    /// The tokens that they took.
    pub usage: Usage,
    /// What they cost, as far as known.
    pub cost: Usd,
    /// Answers of unknown cost.
    pub cost_unknown: u64,
    /// When the first and the last of them were kept.
    pub kept: (SystemTime, SystemTime),
}

/// An answer in a cache.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedAnswer {
    /// Its key.
    pub key: Key,
    /// The name of the plan that asked for it.
    pub plan: String,
    /// The value.
    pub value: Value,
    /// The model that gave it, as the server named it.
    pub model: Option<String>,
    /// Tokens that it took.
    pub usage: Usage,
    /// What it cost, if that is known.
    pub cost: Option<Usd>,
    /// When it was kept.
    pub kept: SystemTime,
}

/// Which answers to remove: those that match all given criteria, and then, if a size is given, the oldest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruning {
    /// Kept longer ago than this.
    pub older_than: Option<Duration>,
    /// Of the plan whose name starts with this.
    pub plan: Option<String>,
    /// Asked of this `PROVIDER/MODEL`, or given by a model with this name.
    pub model: Option<String>,
    /// The maximum size of the file afterwards, in bytes.
    pub most_bytes: Option<u64>,
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// Removed answers.
    pub removed: u64,
    /// Remaining answers.
    pub left: u64,
    /// The file's size before, and afterwards, in bytes.
    pub bytes: (u64, u64),
}

impl CacheContents {
    /// Opens the cache at `path`.
    ///
    /// # Errors
    /// [`Error::Config`] if the file does not exist, is not a cache, has a newer format, or cannot be read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        check_there(&path)?;
        let connection = CACHE.open_to_read(&path).map_err(Error::Config)?;
        Ok(Self { path, connection, after: 0 })
    }

    /// The plans with answers, the latest answers first.
    ///
    /// # Errors
    /// [`Error::Config`] if it cannot be read.
    pub fn plans(&self) -> Result<Vec<CachedPlan>> {
        let read = || {
            let sql = "SELECT lower(hex(p.hash)), p.model, p.host, p.prompt, p.system, p.parameters, p.schema, p.validated_by, \
                       count(*), sum(length(CAST(a.value AS BLOB))), sum(a.input_tokens), sum(a.cached_tokens), \
                       sum(a.cache_write_tokens), sum(a.cache_write_long_tokens), sum(a.output_tokens), sum(a.reasoning_tokens), \
                       coalesce(sum(a.cost_picousd), 0), sum(a.cost_picousd IS NULL), min(a.kept_at_ms), max(a.kept_at_ms) \
                       FROM answers a JOIN plans p ON p.id = a.plan GROUP BY p.id ORDER BY max(a.number) DESC";
            let mut statement = self.connection.prepare(sql)?;
            let plans = statement.query_map([], |row| {
                let count = |at: usize| row.get::<_, i64>(at).map(natural);
                Ok(CachedPlan {
                    name: short(row.get_ref(0)?.as_str()?),
                    model: row.get(1)?,
                    host: row.get(2)?,
                    prompt: row.get(3)?,
                    system: row.get(4)?,
                    parameters: parsed(row.get_ref(5)?.as_str()?, 5)?,
                    schema: parsed(row.get_ref(6)?.as_str()?, 6)?,
                    validated_by: row.get(7)?,
                    answers: count(8)?,
                    bytes: count(9)?,
                    usage: Usage {
                        input_tokens: count(10)?,
                        cached_tokens: count(11)?,
                        cache_write_tokens: count(12)?,
                        cache_write_long_tokens: count(13)?,
                        output_tokens: count(14)?,
                        reasoning_tokens: count(15)?,
                    },
                    cost: Usd::from_picodollars(count(16)?),
                    cost_unknown: count(17)?,
                    kept: (time(row.get(18)?), time(row.get(19)?)),
                })
            })?;
            plans.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.trouble(&error))
    }

    /// Keys that a run is asking about, or was when it was killed less than a lease ago.
    ///
    /// # Errors
    /// [`Error::Config`] if it cannot be read.
    pub fn claims(&self) -> Result<u64> {
        let sql = "SELECT count(*) FROM claims WHERE expires_at_ms > ?";
        let claims = self.connection.query_row(sql, [file::now_ms()], |row| row.get(0));
        claims.map(natural).map_err(|error| self.trouble(&error))
    }

    /// The size of the file, in bytes.
    ///
    /// # Errors
    /// [`Error::Config`] if it cannot be read.
    pub fn bytes(&self) -> Result<u64> {
        bytes(&self.connection).map(|bytes| bytes.all).map_err(|error| self.trouble(&error))
    }

    /// The next answers, oldest first; empty at the end.
    ///
    /// # Errors
    /// [`Error::Config`] if they cannot be read.
    pub fn next_page(&mut self) -> Result<Vec<CachedAnswer>> {
        let read = || -> rusqlite::Result<Vec<(i64, CachedAnswer)>> {
            let sql = format!(
                "SELECT {ANSWER}, key, kept_at_ms, (SELECT lower(hex(hash)) FROM plans WHERE id = plan) FROM answers \
                 WHERE number > ? ORDER BY number LIMIT ?"
            );
            let mut statement = self.connection.prepare_cached(&sql)?;
            let rows = statement.query_map([self.after, integer(PAGE)], |row| {
                let Answer { number, value, model, usage, cost, .. } = file::read(row, 0)?;
                let key = Key::from_bytes(row.get_ref(12)?.as_blob()?)
                    .ok_or(rusqlite::Error::InvalidColumnName("key".to_owned()))?;
                let plan = row.get_ref(14)?.as_str_or_null()?.map(short).unwrap_or_default();
                let kept = time(row.get(13)?);
                Ok((number, CachedAnswer { key, plan, value, model, usage, cost, kept }))
            })?;
            rows.collect()
        };
        let page = read().map_err(|error| self.trouble(&error))?;
        self.after = page.last().map_or(self.after, |(number, _)| *number);
        Ok(page.into_iter().map(|(_, answer)| answer).collect())
    }

    /// Whether there is an answer by this key.
    pub(crate) fn knows(&self, key: Key) -> Result<bool> {
        let look = || {
            let mut statement = self.connection.prepare_cached("SELECT 1 FROM answers WHERE key = ?")?;
            statement.query_row([key.bytes()], |_| Ok(())).optional()
        };
        look().map(|found| found.is_some()).map_err(|error| self.trouble(&error))
    }

    fn trouble(&self, error: &rusqlite::Error) -> Error {
        Error::Config(CACHE.problem(&self.path, error))
    }
}

impl Pruning {
    /// Removes answers from the cache at `path`, with the plans that have none left, and returns their space to the disk. Runs that use it
    /// go on.
    ///
    /// # Errors
    /// [`Error::Config`] without any criterion, for a plan's name that matches none or several, and if the cache cannot be written.
    pub fn prune(&self, path: &Path) -> Result<Pruned> {
        let Self { older_than, plan, model, most_bytes } = self;
        if older_than.is_none() && plan.is_none() && model.is_none() && most_bytes.is_none() {
            let problem = Problem::new("nothing says which answers are to be removed");
            let hint = Hint::from("give ").with(Setting::OlderThan).with(", ").with(Setting::Plan).with(", ");
            let hint = hint.with(Setting::Model).with(" or ").with(Setting::MaxSize);
            return Err(Error::Config(problem.hint(hint.with("; to remove all, remove the file"))));
        }
        check_there(path)?;
        let connection = CACHE.open_to_write(path).map_err(Error::Config)?;
        let plan = plan.as_deref().map(|name| plan_named(&connection, path, name)).transpose()?;
        let prune = || {
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            let answers =
                || connection.query_row("SELECT count(*) FROM answers", [], |row| row.get(0)).map(natural);
            let (before, all) = (bytes(&connection)?.all, answers()?);
            if older_than.is_some() || plan.is_some() || model.is_some() {
                let oldest = older_than.map(|age| {
                    file::now_ms().saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
                });
                let sql = "DELETE FROM answers WHERE number > ?1 AND number <= ?2 AND (?3 IS NULL OR kept_at_ms < ?3) \
                           AND (?4 IS NULL OR plan = ?4) \
                           AND (?5 IS NULL OR model = ?5 OR plan IN (SELECT id FROM plans WHERE plans.model = ?5))";
                let mut remove = connection.prepare(sql)?;
                let last = "SELECT coalesce(max(number), 0) FROM answers";
                let last = connection.query_row(last, [], |row| row.get(0)).map(natural)?;
                for from in (0..last).step_by(REMOVED_TOGETHER as usize) {
                    let until = from + REMOVED_TOGETHER;
                    remove.execute(params![integer(from), integer(until), oldest, plan, model])?;
                }
            }
            if let Some(most) = most_bytes {
                let sql = "DELETE FROM answers WHERE number IN (SELECT number FROM answers ORDER BY number LIMIT ?)";
                let mut remove = connection.prepare(sql)?;
                loop {
                    let (used, left) = (bytes(&connection)?.used, answers()?);
                    if used <= *most || left == 0 {
                        break;
                    }
                    let each = (used / left).max(1);
                    remove.execute([integer(((used - most) / each).clamp(1, REMOVED_TOGETHER))])?;
                }
            }
            connection.execute("DELETE FROM plans WHERE id NOT IN (SELECT plan FROM answers)", [])?;
            give_back_room(&connection)?;
            let left = answers()?;
            Ok(Pruned { removed: all.saturating_sub(left), left, bytes: (before, bytes(&connection)?.all) })
        };
        prune().map_err(|error: rusqlite::Error| Error::Config(CACHE.problem(path, &error)))
    }
}

/// The number of the plan whose name starts with `name`.
fn plan_named(connection: &Connection, path: &Path, name: &str) -> Result<i64> {
    let find = || {
        let sql = "SELECT id FROM plans WHERE substr(lower(hex(hash)), 1, length(?1)) = lower(?1) LIMIT 2";
        let mut statement = connection.prepare(sql)?;
        let found = statement.query_map([name], |row| row.get(0))?;
        found.collect::<rusqlite::Result<Vec<i64>>>()
    };
    let found = find().map_err(|error| Error::Config(CACHE.problem(path, &error)))?;
    let several = match found.as_slice() {
        [plan] if !name.is_empty() => return Ok(*plan),
        [] => "no plan",
        _ => "more than one plan",
    };
    let problem = Problem::new(format!(
        "the cache `{}` has {several} whose name begins with `{name}`, expected one",
        path.display()
    ));
    Err(Error::Config(problem.hint("`rowcall cache show` lists the plans")))
}

/// A file's size, and the part that is used.
struct Bytes {
    all: u64,
    used: u64,
}

fn bytes(connection: &Connection) -> rusqlite::Result<Bytes> {
    let read = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map(natural);
    let (page, pages, free) = (read("page_size")?, read("page_count")?, read("freelist_count")?);
    Ok(Bytes { all: pages * page, used: pages.saturating_sub(free) * page })
}

/// Truncates the file's free pages, and checkpoints its log.
fn give_back_room(connection: &Connection) -> rusqlite::Result<()> {
    let mut vacuum = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut pages = vacuum.query([])?;
    // A page for each step.
    while pages.next()?.is_some() {}
    // If a run is reading, the next writer does it.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn check_there(path: &Path) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let problem = Problem::new(format!("the cache `{}` does not exist", path.display()));
    Err(Error::Config(
        problem.hint(Hint::from("a run with ").with(Setting::Cache.like("PATH")).with(" makes one")),
    ))
}

fn short(hash: &str) -> String {
    hash.chars().take(NAME_DIGITS).collect()
}

fn time(ms: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(natural(ms))
}
