//! A scenario played once with a run of the command line: the simulator in a separate process, and the results of
//! both.
#![expect(clippy::disallowed_methods, reason = "wall time is measured")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::server::Server;
use crate::{Result, people};

/// A simulator that plays a scenario, and rows for it.
pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) server: Server,
    rows: u64,
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Rows without a value.
    pub(crate) failed: u64,
    /// From the run's start to its end.
    pub(crate) seconds: f64,
    /// The simulator's statistics.
    pub(crate) stats: Value,
}

impl Stage {
    /// Starts the simulator and writes the rows.
    ///
    /// # Errors
    /// A simulator that does not start.
    pub(crate) fn new(rowcall: &Path, scenario: &str, rows: u64) -> Result<Self> {
        let folder =
            tempfile::tempdir().map_err(|error| format!("cannot make a folder for the rows: {error}"))?;
        let write = |name: &str, text: &str| {
            let written = fs::write(folder.path().join(name), text);
            written.map_err(|error| format!("cannot write `{name}`: {error}"))
        };
        let texts: Vec<_> = (0..rows).map(people::text).collect();
        write("rows.txt", &(texts.join("\n") + "\n"))?;
        write("scenario.toml", scenario)?;
        let mut simulator = Command::new(rowcall);
        simulator.arg("sim").arg(folder.path().join("scenario.toml")).args(["--port", "0"]);
        let server = Server::start(&mut simulator)?;
        Ok(Self { folder, server, rows })
    }

    /// Runs the command line with these options in addition to the required ones.
    ///
    /// # Errors
    /// A run that does not start or fails.
    pub(crate) fn run(&self, rowcall: &Path, options: &[&str]) -> Result<Ended> {
        let output = self.folder.path().join("out.jsonl");
        let mut run = Command::new(rowcall);
        run.arg("run").arg(self.folder.path().join("rows.txt")).args(people::TASK);
        run.args(["-m", "sim", "--base-url", self.server.base(), "--quiet", "-o"]).arg(&output).args(options);
        let started = Instant::now();
        let status = run.stdin(Stdio::null()).stdout(Stdio::null()).status();
        let seconds = started.elapsed().as_secs_f64();
        let status = status.map_err(|error| format!("cannot run {run:?}: {error}"))?;
        if !matches!(status.code(), Some(0 | 3)) {
            return Err(format!("the run failed: {status}"));
        }
        let output =
            fs::read_to_string(output).map_err(|error| format!("cannot read the output: {error}"))?;
        let failed = self.rows.saturating_sub(with_value(&output));
        Ok(Ended { failed, seconds, stats: self.server.get("/stats")? })
    }
}

impl Ended {
    /// A number in the simulator's statistics.
    pub(crate) fn number(&self, pointer: &str) -> u64 {
        self.stats.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
    }
}

/// How many lines of an output have a value.
fn with_value(output: &str) -> u64 {
    let has_value = |line: &&str| {
        let line: Option<Value> = serde_json::from_str(line).ok();
        line.as_ref().and_then(|line| line.get("_error")) == Some(&Value::Null)
    };
    output.lines().filter(has_value).count() as u64
}

#[cfg(test)]
mod tests {
    use super::with_value;

    #[test]
    fn rows_with_a_value_are_counted() {
        let output = "{\"age\":1,\"_error\":null}\n{\"_error\":{\"kind\":\"server\"}}\n\nno JSON\n";
        assert_eq!(with_value(output), 1);
    }
}
