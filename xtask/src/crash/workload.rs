//! The workload: an input, a simulator with some latency and some faults, the command line that uses both, and the
//! output of an undisturbed run.
#![expect(
    clippy::disallowed_methods,
    reason = "the duration of an undisturbed run decides when to kill others"
)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::server::Server;
use crate::{Result, people, workspace};

/// Some of the first two requests for a row fail in ways that cause a retry or a re-ask. The values stay the same, so
/// that outputs can be compared.
const SCENARIO: &str = "\
about = 'Some requests fail and some answers are no values, at first.'

[[faults]]
rate = 0.01
attempts = 2
kind = { status = { code = 500, retry_after_ms = 20 } }

[[faults]]
rate = 0.01
attempts = 2
kind = 'invalid_json'

[[faults]]
rate = 0.005
attempts = 2
kind = { reset = 'midway' }
";

/// The size of a run, and its latency.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) rows: u64,
    pub(super) concurrency: u64,
    /// Of each answer.
    pub(super) latency: &'static str,
}

/// What executes a run.
#[derive(Debug, Clone)]
pub(super) enum Runner {
    /// The program itself.
    Program,
    /// A script that takes the same arguments and calls the Python package.
    Python { interpreter: PathBuf },
}

/// A run that can be repeated, and its output.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) program: PathBuf,
    runner: Runner,
    pub(super) folder: PathBuf,
    pub(super) size: Size,
    /// The output of an undisturbed run.
    pub(super) output: String,
    /// The duration of an undisturbed run.
    pub(super) wall: Duration,
}

impl Workload {
    /// Makes the input in the new folder `folder`, and completes a run over it.
    ///
    /// # Errors
    /// A failure to do so, and a row without a value.
    pub(super) fn prepare(program: &Path, runner: &Runner, folder: PathBuf, size: Size) -> Result<Self> {
        let cannot_write = |error: std::io::Error| format!("cannot write to {}: {error}", folder.display());
        fs::create_dir_all(&folder).map_err(cannot_write)?;
        fs::write(folder.join("scenario.toml"), SCENARIO).map_err(cannot_write)?;
        people::generate(&folder.join("rows.csv"), size.rows)?;
        let (program, runner, wall) = (program.to_owned(), runner.clone(), Duration::ZERO);
        let mut workload = Self { program, runner, folder, size, output: String::new(), wall };
        let server = workload.simulator()?;
        let output = workload.folder.join("undisturbed.jsonl");
        let began = Instant::now();
        let status = workload.run(workload.runner(), &server, &output)?.status();
        let status = status.map_err(|error| format!("cannot run {}: {error}", workload.program.display()))?;
        if !status.success() {
            return Err(format!("an undisturbed run failed: {status}"));
        }
        workload.wall = began.elapsed();
        workload.output = read(&output)?;
        people::check(workload.output.lines().map(str::to_owned), size.rows)?;
        Ok(workload)
    }

    /// A new simulator in a separate process.
    pub(super) fn simulator(&self) -> Result<Server> {
        let mut simulator = Command::new(&self.program);
        simulator.arg("sim").arg(self.folder.join("scenario.toml"));
        Server::start(simulator.args(["--port", "0", "--count", "--latency", self.size.latency]))
    }

    /// The command that executes a run, without its arguments.
    pub(super) fn runner(&self) -> Command {
        match &self.runner {
            Runner::Program => Command::new(&self.program),
            Runner::Python { interpreter } => {
                let mut python = Command::new(interpreter);
                python.arg(workspace().join("xtask").join("src").join("crash").join("run.py"));
                python
            }
        }
    }

    /// `program` with the arguments of a run from the input to `output`; it may also be one that runs the command
    /// line. The run's messages are appended to a file next to the output.
    pub(super) fn run(&self, mut program: Command, server: &Server, output: &Path) -> Result<Command> {
        let said = output.with_extension("stderr");
        let said = File::options().create(true).append(true).open(&said);
        let said = said.map_err(|error| format!("cannot write beside {}: {error}", output.display()))?;
        program.arg("run").arg(self.folder.join("rows.csv")).arg("-o").arg(output).args(people::TASK);
        program.args(["-m", "sim", "--base-url", server.base(), "--quiet"]);
        program.args(["--concurrency", &self.size.concurrency.to_string()]);
        program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        Ok(program)
    }
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
