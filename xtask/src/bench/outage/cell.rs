//! One outage played once: the simulator in a process of its own, a run in another, and what both say of it afterwards.
#![expect(clippy::disallowed_methods, reason = "wall time is measured")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use super::recovery;
use crate::server::Server;
use crate::{Result, people};

/// Rows that are asked about.
pub(crate) const ROWS: u64 = 1_500;

/// When the server begins to fail, in seconds after the first request: a run that undisturbed takes four has found its rate.
const BEGINS: u64 = 2;

/// What the server is like: an answer takes a quarter of a second, and it makes a hundred at a time.
const SERVER: &str = "[latency.log_normal]\nmedian_seconds = 0.25\nsigma = 0.2\n\n[slots]\nplaces = 100\n";

/// How a server fails.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct How {
    /// As the command line names it.
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// The kind of the fault in the scenario's file; none if nobody listens.
    fault: Option<&'static str>,
    /// Attempts that are sent meanwhile end only when their time is over.
    pub(crate) leaves_rows_hanging: bool,
}

const fn fails(name: &'static str, about: &'static str, fault: &'static str) -> How {
    How { name, about, fault: Some(fault), leaves_rows_hanging: false }
}

/// All ways to fail.
pub(crate) const HOWS: &[How] = &[
    fails("502", "502", "{ status = { code = 502, body = \"html\" } }"),
    fails("503", "503", "{ status = { code = 503, body = \"html\" } }"),
    fails("504", "504", "{ status = { code = 504, body = \"empty\" } }"),
    fails("html", "200 with a page", "\"garbage_body\""),
    fails("reset", "connections reset", "{ reset = \"before\" }"),
    How { name: "refused", about: "connections refused", fault: None, leaves_rows_hanging: false },
    How {
        name: "hang",
        about: "no answer",
        fault: Some("{ stall = \"before\" }"),
        leaves_rows_hanging: true,
    },
];

/// One outage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) how: &'static How,
    /// How long it lasts.
    pub(crate) seconds: u64,
}

/// What became of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Ended {
    /// Rows without a value.
    pub(crate) failed: u64,
    /// Seconds from the outage's end until answers came as fast as before it; `None` if they never did.
    pub(crate) full_rate_after: Option<f64>,
    /// How long the run took.
    pub(crate) seconds: f64,
    pub(crate) requests: u64,
}

impl Cell {
    fn scenario(&self) -> String {
        let span = format!("from_seconds = {BEGINS}\nfor_seconds = {}", self.seconds);
        let fails = match self.how.fault {
            Some(kind) => {
                let during = span.replace('\n', ", ");
                format!("[[faults]]\nrate = 1.0\nduring = {{ {during} }}\nkind = {kind}\n")
            }
            None => format!("[[away]]\n{span}\n"),
        };
        format!("about = \"cargo xtask bench outage: {}\"\n\n{SERVER}\n{fails}", self.how.name)
    }

    /// Plays it to the end.
    ///
    /// # Errors
    /// A simulator or a run that does not start, and a run that was stopped.
    pub(crate) fn play(&self, rowcall: &Path) -> Result<Ended> {
        let folder = tempfile::tempdir().map_err(|error| format!("no folder for the rows: {error}"))?;
        let file = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| {
            fs::write(file(name), text).map_err(|error| format!("cannot write `{name}`: {error}"))
        };
        let rows: String = (0..ROWS).map(|row| format!("{}\n", people::text(row))).collect();
        write("rows.txt", &rows)?;
        write("scenario.toml", &self.scenario())?;
        let mut simulator = Command::new(rowcall);
        let server = Server::start(simulator.arg("sim").arg(file("scenario.toml")).args(["--port", "0"]))?;
        let mut run = Command::new(rowcall);
        run.arg("run").arg(file("rows.txt")).args(people::TASK).args([
            "-m",
            "sim",
            "--base-url",
            server.base(),
        ]);
        run.arg("--quiet").arg("-o").arg(file("out.jsonl"));
        let started = Instant::now();
        let status = run.stdin(Stdio::null()).stdout(Stdio::null()).status();
        let seconds = started.elapsed().as_secs_f64();
        let status = status.map_err(|error| format!("cannot run {run:?}: {error}"))?;
        if !matches!(status.code(), Some(0 | 3)) {
            return Err(format!("the run failed: {status}"));
        }
        let output = fs::read_to_string(file("out.jsonl"));
        let output = output.map_err(|error| format!("cannot read the output: {error}"))?;
        let stats = server.get("/stats")?;
        let tenths = stats.get("answers_by_tenth").and_then(Value::as_array).map(Vec::as_slice);
        let tenths: Vec<_> = tenths.unwrap_or_default().iter().filter_map(Value::as_u64).collect();
        Ok(Ended {
            failed: ROWS.saturating_sub(with_value(&output)),
            full_rate_after: recovery::seconds(&tenths, BEGINS, BEGINS + self.seconds),
            seconds,
            requests: stats.pointer("/requests/all").and_then(Value::as_u64).unwrap_or_default(),
        })
    }
}

/// How many lines of an output hold a value.
fn with_value(output: &str) -> u64 {
    let has_value = |line: &&str| {
        let line: Option<Value> = serde_json::from_str(line).ok();
        line.as_ref().and_then(|line| line.get("_error")) == Some(&Value::Null)
    };
    output.lines().filter(has_value).count() as u64
}

#[cfg(test)]
mod tests {
    use rowcall_sim::Scenario;

    use super::*;

    #[test]
    fn every_outage_is_a_scenario() {
        for how in HOWS {
            let text = Cell { how, seconds: 20 }.scenario();
            let scenario = Scenario::from_toml(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert_eq!(scenario.faults.len() + scenario.away.len(), 1, "{}", how.name);
        }
    }
}
