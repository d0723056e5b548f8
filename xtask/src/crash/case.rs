//! One journal's life: runs that are killed, one that completes, and the invariants then. Other files decide when and
//! how runs are killed.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use serde_json::{Value, json};

use super::difference::difference;
use super::journal::{Found, beside};
use super::tally::Tally;
use super::workload::{Workload, read};
use crate::server::Server;
use crate::{Result, people};

/// After this many failed cases, no more are tried.
const MOST_PROBLEMS: usize = 100;

/// A journal, its output, and the simulator that all its runs use.
#[derive(Debug)]
pub(super) struct Case<'w> {
    pub(super) workload: &'w Workload,
    folder: PathBuf,
    server: Server,
    kills: u64,
    found: Found,
}

/// Lets `story` kill runs of a new case, runs it to the end, and checks it. The folder of a failed case is kept, and
/// the problem is printed and recorded.
///
/// # Errors
/// If enough cases fail that more would add nothing.
pub(super) fn tried(
    workload: &Workload,
    name: &str,
    tally: &mut Tally,
    story: impl FnOnce(&mut Case<'_>, &mut Tally) -> Result<()>,
) -> Result<()> {
    let folder = workload.folder.join(name);
    let judged = Case::begin(workload, folder.clone()).and_then(|mut case| {
        story(&mut case, tally)?;
        case.end(tally)
    });
    let Err(problem) = judged else {
        return fs::remove_dir_all(&folder)
            .map_err(|error| format!("{} cannot be removed: {error}", folder.display()));
    };
    let problem = format!("{problem}; the case is kept in `{}`", folder.display());
    println!("{problem}");
    tally.problems.push(problem);
    if tally.problems.len() < MOST_PROBLEMS { Ok(()) } else { Err("too many cases failed".to_owned()) }
}

impl<'w> Case<'w> {
    fn begin(workload: &'w Workload, folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        Ok(Self { workload, folder, server: workload.simulator()?, kills: 0, found: Found::default() })
    }

    /// The command that starts or resumes a run.
    pub(super) fn run(&self) -> Result<Command> {
        self.run_under(self.workload.runner())
    }

    /// The same, with `program` running the command line.
    pub(super) fn run_under(&self, program: Command) -> Result<Command> {
        self.workload.run(program, &self.server, &self.output())
    }

    fn output(&self) -> PathBuf {
        self.folder.join("rows.jsonl")
    }

    pub(super) fn journal(&self) -> PathBuf {
        beside(&self.output(), ".journal")
    }

    /// The share of rows that had an outcome at the last kill.
    pub(super) fn progress(&self) -> f64 {
        self.found.outcomes as f64 / self.workload.size.rows as f64
    }

    /// The number of requests that the simulator is processing.
    pub(super) fn in_flight(&self) -> Result<u64> {
        Ok(number(&self.server.get("/stats")?, &["in_flight", "now"]))
    }

    /// Examines what a killed run left.
    ///
    /// # Errors
    /// An entry that must not be in the journal, or one that is missing.
    pub(super) fn killed(&mut self, tally: &mut Tally) -> Result<()> {
        self.kills += 1;
        let found = self.read_journal(&format!("kill-{}", self.kills))?;
        let left = found.left_since(&self.found)?;
        let most = 2 * self.workload.size.concurrency;
        if left > most {
            return Err(format!("{left} rows have an intent and no outcome, expected at most {most}"));
        }
        let asked = number(&self.server.get("/stats")?, &["requests", "first"]);
        if asked > found.known {
            return Err(format!("{asked} rows were asked about, but the journal knows only {}", found.known));
        }
        tally.most_intents = tally.most_intents.max(left);
        self.found = found;
        Ok(())
    }

    /// Runs to the end, and checks the results.
    fn end(&self, tally: &mut Tally) -> Result<()> {
        let ended = self.run()?.status().map_err(|error| format!("cannot resume the run: {error}"))?;
        self.expect_success(ended)?;
        let (lost, wrong) = difference(&self.workload.output, &read(&self.output())?);
        tally.lost += lost;
        tally.wrong += wrong;
        if lost + wrong > 0 {
            return Err(format!("{lost} rows are lost and {wrong} differ from an undisturbed run"));
        }

        let cut_off = self.found.cut_off();
        tally.possibly_paid += cut_off.len() as u64;
        let found = self.read_journal("end")?;
        if found.possibly_paid != cut_off || !found.intents.is_empty() {
            let (expected, found) = (cut_off.len(), found.cut_off().len());
            return Err(format!(
                "{expected} rows were cut off by the kills, but at the end the journal has {found}, or others"
            ));
        }
        self.check_status(cut_off.len() as u64)?;

        let twice = answered_twice(&self.server)?;
        tally.answered_twice += twice.len() as u64;
        let reported: BTreeSet<u64> = cut_off.iter().map(|asked| asked.row).collect();
        match twice.difference(&reported).next() {
            None => Ok(()),
            Some(row) => Err(format!("row {row} was answered twice but is not reported as possibly paid")),
        }
    }

    /// Checks that a run which was not killed has succeeded.
    ///
    /// # Errors
    /// How it ended, and its last messages.
    pub(super) fn expect_success(&self, ended: ExitStatus) -> Result<()> {
        if ended.success() {
            return Ok(());
        }
        let said = read(&self.output().with_extension("stderr"))?;
        let said: Vec<_> = said.lines().map(str::trim).collect();
        let run = match self.kills {
            0 => "the first run".to_owned(),
            kills => format!("the run after kill {kills}"),
        };
        Err(format!("{run} failed ({ended}): {}", said.join("; ")))
    }

    /// Checks the final output of `rowcall status`.
    fn check_status(&self, possibly_paid: u64) -> Result<()> {
        let mut status = Command::new(&self.workload.program);
        status.arg("status").arg(self.journal()).arg("--json").stdin(Stdio::null());
        let output = status.output().map_err(|error| format!("`rowcall status` cannot be run: {error}"))?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("`rowcall status` did not print JSON: {error}"))?;
        let rows = self.workload.size.rows;
        for (name, expected) in [
            ("rows", json!(rows)),
            ("done", json!(rows)),
            ("failed", json!(0)),
            ("possibly_paid", json!(possibly_paid)),
            ("running", json!(false)),
            ("complete", json!(true)),
        ] {
            let found = report.get(name).unwrap_or(&Value::Null);
            if *found != expected {
                return Err(format!("`rowcall status` printed `{found}` for `{name}`, expected {expected}"));
            }
        }
        Ok(())
    }

    fn read_journal(&self, name: &str) -> Result<Found> {
        Found::read(&self.journal(), &self.folder.join(name))
    }
}

/// The rows about which the simulator was asked the same again after it had answered.
pub(super) fn answered_twice(server: &Server) -> Result<BTreeSet<u64>> {
    let stats = server.get("/stats")?;
    let repeated =
        stats.get("repeated").and_then(Value::as_array).ok_or("the simulator counts no repeats")?;
    let row = |text: &Value| {
        text.as_str().and_then(people::row).ok_or_else(|| format!("the simulator was asked `{text}`"))
    };
    repeated.iter().map(row).collect()
}

/// The number at a path of names.
fn number(value: &Value, path: &[&str]) -> u64 {
    path.iter().try_fold(value, |value, name| value.get(name)).and_then(Value::as_u64).unwrap_or_default()
}
