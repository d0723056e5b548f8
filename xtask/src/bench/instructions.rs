//! `cargo xtask bench instructions`: how many instructions a row takes, counted by callgrind, compared with the committed counts. Unlike
//! CPU time, they do not depend on what else the machine does, so that a small increase shows.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Map, Value};

use super::digits::{median, thousands};
use crate::debian::{install, succeeds};
use crate::server::Server;
use crate::{Result, binaries, people, workspace};

/// The committed counts, by way.
const COMMITTED: &str = "bench/instructions.json";

/// What is counted is the difference between two runs, so that the start of the process does not count.
const ROWS: [u64; 2] = [1_000, 5_000];

/// Which rows share a wake-up or a commit depends on the scheduler.
const ROUNDS: usize = 3;

/// How much more than committed a row may take.
const MOST_MORE: f64 = 0.03;

/// Requests in flight.
const IN_FLIGHT: &str = "64";

/// A way of a row through the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Library,
    /// `rowcall run`, CSV to JSON Lines, without and with a journal.
    Run,
    Journal,
}

const WAYS: [Way; 3] = [Way::Library, Way::Run, Way::Journal];

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Run => "run --no-journal",
            Self::Journal => "run",
        }
    }
}

/// What is run, and the server.
struct Stage {
    server: Server,
    floor: PathBuf,
    rowcall: PathBuf,
}

/// Counts, prints and compares.
///
/// # Errors
/// If valgrind is not available, a program does not build or fails, and a row takes too many instructions.
pub(crate) fn run() -> Result<()> {
    let has_valgrind = || succeeds(Command::new("valgrind").arg("--version"));
    let is_there = has_valgrind() || (install("valgrind") && has_valgrind());
    if !is_there {
        return Err("valgrind is not available: install Debian's package `valgrind`".to_owned());
    }
    let stub = binaries::release("rowcall-bench-stub")?;
    let (floor, rowcall) = (binaries::release("rowcall-bench-floor")?, binaries::release("rowcall-cli")?);
    let server = Server::start(Command::new(stub).args(["--port", "0"]))?;
    let stage = Stage { server, floor, rowcall };
    let committed = fs::read_to_string(workspace().join(COMMITTED)).unwrap_or_default();
    let committed: Map<String, Value> = serde_json::from_str(&committed).unwrap_or_default();
    println!("instructions per row, {IN_FLIGHT} in flight; medians of {ROUNDS} rounds\n");
    println!("{:18}{:>12}{:>12}", "way", "now", "committed");
    let mut missed = Vec::new();
    for way in WAYS {
        let counts = (0..ROUNDS).map(|_| stage.per_row(way)).collect::<Result<Vec<f64>>>()?;
        let (now, before) = (median(counts), committed.get(way.name()).and_then(Value::as_f64));
        println!("{:18}{:>12}{:>12}", way.name(), thousands(now), before.map_or("-".to_owned(), thousands));
        if !is_kept(now, before) {
            missed.push(way.name());
        }
    }
    match missed.as_slice() {
        [] => Ok(()),
        missed => Err(format!(
            "more than {:.0} % above `{COMMITTED}`: {}; if there is a reason, commit the new counts",
            MOST_MORE * 100.0,
            missed.join(", "),
        )),
    }
}

/// Whether a count is within the limit; a way without a committed count is not.
fn is_kept(now: f64, before: Option<f64>) -> bool {
    before.is_some_and(|before| now <= before * (1.0 + MOST_MORE))
}

impl Stage {
    fn per_row(&self, way: Way) -> Result<f64> {
        let [few, many] = ROWS;
        let counted = |rows| self.counted(way, rows).map_err(|problem| format!("{}: {problem}", way.name()));
        Ok((counted(many)? - counted(few)?) / (many - few) as f64)
    }

    /// The instructions of one run over this many rows.
    fn counted(&self, way: Way, rows: u64) -> Result<f64> {
        let folder = tempfile::tempdir().map_err(|error| format!("cannot make a folder: {error}"))?;
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        let base = self.server.base();
        match way {
            Way::Library => {
                command.arg(&self.floor).args(["rowcall", "--base", base, "--in-flight", IN_FLIGHT]);
                command.args(["--rows", &rows.to_string()]);
            }
            Way::Run | Way::Journal => {
                let input = folder.path().join("in.csv");
                people::generate(&input, rows)?;
                command
                    .arg(&self.rowcall)
                    .arg("run")
                    .arg(input)
                    .arg("-o")
                    .arg(folder.path().join("out.jsonl"));
                command.args(people::TASK).args(["-m", "vllm/stub", "--base-url", base]);
                command.args(["--concurrency", IN_FLIGHT, "--quiet"]);
                command.args(if way == Way::Run { &["--no-journal"][..] } else { &[] });
            }
        }
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("cannot run valgrind: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(said.into_owned());
        }
        collected(&said).ok_or_else(|| format!("valgrind reported `{}`", said.trim()))
    }
}

/// The count in callgrind's report.
fn collected(report: &str) -> Option<f64> {
    let line = report.lines().find_map(|line| line.split_once("Collected :"))?;
    line.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{collected, is_kept};

    #[test]
    fn reads_callgrind_s_report() {
        let report = "==7== Events    : Ir\n==7== Collected : 169511442\n==7==\n";
        assert_eq!(collected(report), Some(169_511_442.0));
        assert_eq!(collected("==7== Process terminating"), None);
    }

    #[test]
    fn three_percent_more_are_too_many() {
        for (now, before, expected) in [
            (100_000.0, Some(100_000.0), true),
            (102_900.0, Some(100_000.0), true),
            (103_100.0, Some(100_000.0), false),
            (50_000.0, Some(100_000.0), true),
            (50_000.0, None, false),
        ] {
            assert_eq!(is_kept(now, before), expected, "{now}");
        }
    }
}
