//! A store in a SQLite file, which any number of processes of one machine may write to. Each transaction takes the write lock before it
//! reads, so that none fails halfway.
#![expect(
    clippy::disallowed_methods,
    reason = "leases and ages go by the time of day, which all processes share"
)]

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension, Row as Columns, params};

use super::store::{Answer, LEASE, Standing, Store, Wanted, Work};
use super::{mount, plan::PlanRecord};
use crate::error::Problem;
use crate::hint::{Hint, Setting};
use crate::identity::Key;
use crate::money::Usd;
use crate::sqlite::{Ailment, Kind, Lock, integer, natural, parsed, text};
use crate::turn::Usage;

/// A cache: marked by the ASCII letters `rowa`, for answers.
pub(super) const CACHE: Kind = Kind { noun: "cache", application: 0x726f_7761, format: 1, hint };

/// How long to wait for others' transactions before anything is sent, and during a run. Ours take milliseconds; a longer one is another
/// program's.
const PATIENCE_AT_FIRST: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(30);

/// The columns of an answer, in the order in which [`read`] reads them.
pub(super) const ANSWER: &str = "number, value, model, finish_reason, repairs, input_tokens, cached_tokens, \
     cache_write_tokens, cache_write_long_tokens, output_tokens, reasoning_tokens, cost_picousd";

fn hint(ailment: Ailment) -> Hint {
    let another = |before: &str| {
        Hint::from(format!("{before}give another file with ")).with(Setting::Cache.like("PATH"))
    };
    match ailment {
        Ailment::Foreign | Ailment::Other => another(""),
        Ailment::Newer => another("use that version, or "),
        Ailment::Damaged => another("remove it, and its answers are asked for again; or "),
        Ailment::Full => "make room, or shrink it with `rowcall cache prune`".into(),
        Ailment::ReadOnly => another("check who may write to it, or "),
        Ailment::Unopened | Ailment::Unlockable => {
            "check that its directory exists and may be written to".into()
        }
        Ailment::Disk => another("check the disk, or "),
        Ailment::Held | Ailment::Locked => {
            "close what holds it; other runs of rowcall may use it at the same time".into()
        }
        Ailment::NotLocal => another("keep it on a local disk: "),
        Ailment::Unremovable => another("remove it yourself, or "),
        Ailment::Defect => "this is a bug in rowcall: please report it; finished rows are kept".into(),
    }
}

/// The file of a cache as one of its claimants has it.
#[derive(Debug)]
pub(super) struct AnswerFile {
    path: PathBuf,
    /// Its absolute path, and the device and number of the file there, which show whether it is still the same.
    place: PathBuf,
    identity: Option<(u64, u64)>,
    connection: Connection,
    /// The plan whose answers are kept.
    plan: PlanRecord,
    claimant: String,
}

impl AnswerFile {
    /// Opens or creates the cache at `path` for answers of this plan. An existing file never loses anything.
    ///
    /// # Errors
    /// A file of another kind, of a newer format or on a network drive, or one that cannot be written.
    pub(super) fn open(path: &Path, plan: PlanRecord, claimant: String) -> Result<Self, Problem> {
        mount::check_local(path)?;
        if is_nothing(path)? {
            let _lock = Lock::wait(&CACHE, path)?;
            // Another process may have made it meanwhile.
            if is_nothing(path)? {
                CACHE.make(
                    path,
                    "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;",
                    |connection| connection.execute_batch(include_str!("answers.sql")),
                )?;
            }
        }
        let connection = CACHE.open_to_write(path)?;
        let begin = || -> rusqlite::Result<()> {
            connection.busy_timeout(PATIENCE_AT_FIRST)?;
            // What a power cut loses is asked for again; a killed process loses nothing.
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.set_prepared_statement_cache_capacity(32);
            connection.execute_batch("BEGIN IMMEDIATE")?;
            connection.execute(
                "DELETE FROM claims WHERE NOT (expires_at_ms BETWEEN ?1 AND ?1 + ?2)",
                [now_ms(), lease_ms()],
            )?;
            connection.execute_batch("COMMIT")?;
            // Prepares every statement that will be used, so that a wrong table is found now.
            connection
                .prepare_cached(&select())?
                .query_row([[0_u8; 16].as_slice()], |_| Ok(()))
                .optional()?;
            connection.prepare_cached(INSERT)?;
            connection.prepare("SELECT id FROM plans WHERE hash = ?")?;
            connection.busy_timeout(PATIENCE)
        };
        begin().map_err(|error| CACHE.problem(path, &error))?;
        // The process may change its folder.
        let place = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let identity = identity(&place);
        Ok(Self { path: path.to_owned(), place, identity, connection, plan, claimant })
    }

    /// Checks that the file is still there: SQLite goes on writing to one that was deleted or replaced, where no other run finds anything.
    fn check_there(&self) -> Result<(), Problem> {
        let found = identity(&self.place);
        if found.is_some() && found == self.identity {
            return Ok(());
        }
        let what = if found.is_none() { "was deleted" } else { "was replaced by another file" };
        Err(Problem::new(format!("the cache `{}` {what} while it was in use", self.path.display())))
    }

    fn standing(&self, wanted: Wanted, now: i64) -> rusqlite::Result<Standing> {
        let found = self
            .connection
            .prepare_cached(&select())?
            .query_row([wanted.key.bytes()], |columns| read(columns, 0))
            .optional()?;
        if let Some(answer) = found.filter(|answer| Some(answer.number) != wanted.rejected) {
            return Ok(Standing::Answered(Box::new(answer)));
        }
        let sql = "SELECT expires_at_ms BETWEEN ?2 AND ?2 + ?3 FROM claims WHERE key = ?1";
        let live: Option<bool> = self
            .connection
            .prepare_cached(sql)?
            .query_row(params![wanted.key.bytes(), now, lease_ms()], |row| row.get(0))
            .optional()?;
        Ok(if live == Some(true) { Standing::Claimed } else { Standing::Free })
    }

    fn all_standings(&self, wanted: &[Wanted]) -> rusqlite::Result<Vec<Standing>> {
        // In one transaction, since each alone would take and release SQLite's locks.
        self.run("BEGIN")?;
        let now = now_ms();
        let found = wanted.iter().map(|wanted| self.standing(*wanted, now)).collect();
        self.run("COMMIT")?;
        found
    }

    fn carry_out(&self, work: &Work) -> rusqlite::Result<Vec<Standing>> {
        let Work { kept, given_back, renewed, claimed } = work;
        self.run("BEGIN IMMEDIATE")?;
        let now = now_ms();
        let expires = now.saturating_add(lease_ms());
        if !kept.is_empty() {
            let plan = self.plan.number(&self.connection)?;
            for (key, answer) in kept {
                self.insert(*key, plan, answer, now)?;
                self.end_claim(*key)?;
            }
        }
        for key in given_back {
            self.end_claim(*key)?;
        }
        for key in renewed {
            let sql = "UPDATE claims SET expires_at_ms = ?3 WHERE key = ?1 AND claimant = ?2";
            self.connection.prepare_cached(sql)?.execute(params![key.bytes(), self.claimant, expires])?;
        }
        let mut standings = Vec::with_capacity(claimed.len());
        for wanted in claimed {
            let standing = self.standing(*wanted, now)?;
            if standing == Standing::Free {
                let sql = "INSERT OR REPLACE INTO claims (key, claimant, expires_at_ms) VALUES (?, ?, ?)";
                let claim = params![wanted.key.bytes(), self.claimant, expires];
                self.connection.prepare_cached(sql)?.execute(claim)?;
            }
            standings.push(standing);
        }
        self.run("COMMIT")?;
        Ok(standings)
    }

    fn insert(&self, key: Key, plan: i64, answer: &Answer, now: i64) -> rusqlite::Result<()> {
        let Answer { number: _, value, model, finish_reason, repairs, usage, cost } = answer;
        let repairs = (!repairs.is_empty()).then(|| text(repairs)).transpose()?;
        self.connection.prepare_cached(INSERT)?.execute(params![
            key.bytes(),
            plan,
            text(value)?,
            model,
            finish_reason,
            repairs,
            integer(usage.input_tokens),
            integer(usage.cached_tokens),
            integer(usage.cache_write_tokens),
            integer(usage.cache_write_long_tokens),
            integer(usage.output_tokens),
            integer(usage.reasoning_tokens),
            cost.map(|cost| integer(cost.picodollars())),
            now,
        ])?;
        Ok(())
    }

    fn end_claim(&self, key: Key) -> rusqlite::Result<()> {
        let sql = "DELETE FROM claims WHERE key = ? AND claimant = ?";
        self.connection.prepare_cached(sql)?.execute(params![key.bytes(), self.claimant]).map(drop)
    }

    fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }
}

impl Store for AnswerFile {
    fn look_up(&mut self, wanted: &[Wanted]) -> Result<Vec<Standing>, Problem> {
        self.check_there()?;
        CACHE.caught(&self.path, || self.all_standings(wanted))
    }

    fn change(&mut self, work: &Work) -> Result<Vec<Standing>, Problem> {
        self.check_there()?;
        let done = CACHE.caught(&self.path, || self.carry_out(work));
        if done.is_err() {
            // SQLite undoes the transaction, now or when the file is next opened.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        done
    }
}

const INSERT: &str = "INSERT OR REPLACE INTO answers (key, plan, value, model, finish_reason, repairs, input_tokens, \
     cached_tokens, cache_write_tokens, cache_write_long_tokens, output_tokens, reasoning_tokens, cost_picousd, \
     kept_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

fn select() -> String {
    format!("SELECT {ANSWER} FROM answers WHERE key = ?")
}

/// An answer from the columns [`ANSWER`], the first of which is the `from`th.
pub(super) fn read(columns: &Columns<'_>, from: usize) -> rusqlite::Result<Answer> {
    let tokens = |at: usize| columns.get::<_, i64>(from + at).map(natural);
    let repairs = match columns.get_ref(from + 4)?.as_str_or_null()? {
        Some(repairs) => parsed(repairs, from + 4)?,
        None => Vec::new(),
    };
    Ok(Answer {
        number: columns.get(from)?,
        value: parsed(columns.get_ref(from + 1)?.as_str()?, from + 1)?,
        model: columns.get(from + 2)?,
        finish_reason: columns.get(from + 3)?,
        repairs,
        usage: Usage {
            input_tokens: tokens(5)?,
            cached_tokens: tokens(6)?,
            cache_write_tokens: tokens(7)?,
            cache_write_long_tokens: tokens(8)?,
            output_tokens: tokens(9)?,
            reasoning_tokens: tokens(10)?,
        },
        cost: columns.get::<_, Option<i64>>(from + 11)?.map(|cost| Usd::from_picodollars(natural(cost))),
    })
}

/// The device and number of the file at a path.
fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Whether `path` has no file yet, or an empty one.
fn is_nothing(path: &Path) -> Result<bool, Problem> {
    match std::fs::metadata(path) {
        Ok(there) if there.is_dir() => Err(not_a_file(path, "a directory")),
        Ok(there) if !there.is_file() => Err(not_a_file(path, "a pipe or a device")),
        Ok(there) => Ok(there.len() == 0),
        Err(_) => Ok(true),
    }
}

fn not_a_file(path: &Path, what: &str) -> Problem {
    let hint = Hint::from("give a file with ").with(Setting::Cache.like("PATH"));
    Problem::new(format!("the cache `{}` is {what}, expected a file", path.display()))
        .hint(hint.with(", there or not yet"))
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn lease_ms() -> i64 {
    LEASE.as_millis() as i64
}
