//! Kills runs where they are about to write to their cache, and lets another run finish: it must give the same rows, find a sound cache, and
//! ask again only about rows that the killed run was asking about.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use rusqlite::Connection;

use super::case::answered_twice;
use super::difference::difference;
use super::instants::SIGKILL;
use super::strace::{self, Moment};
use super::syscalls::evenly;
use super::tally::Tally;
use super::workload::{Workload, read};
use crate::Result;
use crate::server::Server;

/// Kills runs at each of their calls on the cache, or at `most` of these that are spread over all.
///
/// # Errors
/// A strace that sees no calls or kills no run, and a folder that cannot be written to.
pub(super) fn kill(workload: &Workload, most: usize, tally: &mut Tally) -> Result<()> {
    let case = Case::begin(workload, "calls")?;
    let log = workload.folder.join("calls.log");
    case.expect_success("the first run", case.run("one.jsonl", Some(strace::noting(&log, &case.cache())))?)?;
    let moments = strace::moments(&read(&log)?, &case.cache());
    if moments.is_empty() {
        return Err("strace has seen no run write to its cache".to_owned());
    }
    let all = moments.len();
    let chosen = evenly(moments, most);
    println!("a run of {} rows makes {all} such calls; {} are tried", workload.size.rows, chosen.len());
    for moment in chosen {
        let name = format!("{}{}-{}", moment.call, moment.file, moment.nth);
        let case = Case::begin(workload, &name)?;
        match case.judge(&moment, tally) {
            Ok(()) => {
                let removed = fs::remove_dir_all(&case.folder);
                removed.map_err(|error| format!("{} cannot be removed: {error}", case.folder.display()))?;
            }
            Err(problem) => {
                let problem = format!("{problem}; the case is kept in `{}`", case.folder.display());
                println!("{problem}");
                tally.problems.push(problem);
            }
        }
    }
    if tally.cache_kills.is_none() {
        return Err("strace has killed no run at its cache's calls, which proves nothing".to_owned());
    }
    Ok(())
}

/// A cache, and the simulator that its runs ask.
struct Case<'w> {
    workload: &'w Workload,
    folder: PathBuf,
    server: Server,
}

impl<'w> Case<'w> {
    fn begin(workload: &'w Workload, name: &str) -> Result<Self> {
        let folder = workload.folder.join(name);
        fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        Ok(Self { workload, folder, server: workload.simulator()? })
    }

    fn cache(&self) -> PathBuf {
        self.folder.join("answers.cache")
    }

    /// Lets a run with the cache end, under strace or by itself.
    fn run(&self, output: &str, strace: Option<Command>) -> Result<ExitStatus> {
        let program = match strace {
            Some(mut strace) => {
                strace.arg(&self.workload.program);
                strace
            }
            None => Command::new(&self.workload.program),
        };
        let mut run = self.workload.run(program, &self.server, &self.folder.join(output))?;
        run.arg("--no-journal").arg("--cache").arg(self.cache());
        run.status().map_err(|error| format!("cannot run {}: {error}", self.workload.program.display()))
    }

    fn judge(&self, moment: &Moment, tally: &mut Tally) -> Result<()> {
        let killed = self.run("one.jsonl", Some(strace::killing_at(moment, &self.cache())))?;
        if killed.signal() == Some(SIGKILL) {
            tally.cache_kills = Some(tally.cache_kills.unwrap_or_default() + 1);
        } else {
            self.expect_success("a run that was not killed", killed)?;
        }
        end_leases(&self.cache()).map_err(|error| format!("the cache cannot be opened: {error}"))?;
        self.expect_success("the run after the kill", self.run("two.jsonl", None)?)?;
        let (lost, wrong) = difference(&self.workload.output, &read(&self.folder.join("two.jsonl"))?);
        tally.lost += lost;
        tally.wrong += wrong;
        if lost + wrong > 0 {
            return Err(format!("{lost} rows are lost and {wrong} are not as in an undisturbed run"));
        }
        let again = answered_twice(&self.server)?.len() as u64;
        tally.uncached += again;
        tally.most_uncached = tally.most_uncached.max(again);
        // What is in flight, and as much again whose answers wait to be written together.
        let most = 2 * self.workload.size.concurrency;
        if again > most {
            return Err(format!("{again} rows were asked again after an answer, expected at most {most}"));
        }
        let rows = self.workload.size.rows;
        match contents(&self.cache()).map_err(|error| format!("the cache cannot be read: {error}"))? {
            (said, answers, 0) if said == "ok" && answers.cast_unsigned() == rows => Ok(()),
            (said, answers, claims) => Err(format!(
                "the cache is `{said}` with {answers} answers and {claims} claims, expected {rows} and none"
            )),
        }
    }

    fn expect_success(&self, run: &str, ended: ExitStatus) -> Result<()> {
        if ended.success() {
            return Ok(());
        }
        let said: Vec<_> = ["one", "two"]
            .iter()
            .filter_map(|name| read(&self.folder.join(format!("{name}.stderr"))).ok())
            .flat_map(|said| said.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>())
            .collect();
        Err(format!("{run} failed ({ended}): {}", said.join("; ")))
    }
}

/// Ends what a killed run has claimed, for which others would wait a quarter of a minute. A cache that was not made yet has no claims.
fn end_leases(cache: &Path) -> rusqlite::Result<()> {
    if fs::metadata(cache).map_or(true, |there| there.len() == 0) {
        return Ok(());
    }
    let connection = Connection::open(cache)?;
    if connection.table_exists(None, "claims")? {
        connection.execute("UPDATE claims SET expires_at_ms = 0", [])?;
    }
    Ok(())
}

/// What SQLite says of the file, and how many answers and claims it has.
fn contents(cache: &Path) -> rusqlite::Result<(String, i64, i64)> {
    let connection = Connection::open(cache)?;
    let sql = "SELECT (SELECT integrity_check FROM pragma_integrity_check LIMIT 1), (SELECT count(*) FROM answers), \
               (SELECT count(*) FROM claims)";
    connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}
