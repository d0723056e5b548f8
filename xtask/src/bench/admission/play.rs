//! One scenario played once: the simulator in one process, the client in another, and the simulator's statistics
//! afterwards.
#![expect(clippy::disallowed_methods, reason = "wall time is measured")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rowcall_sim::Forecast;
use serde_json::Value;
use tempfile::TempDir;

use super::rows;
use super::story::{Faults, Story};
use crate::server::Server;
use crate::{Result, binaries};

/// A client that takes longer is killed. The slowest, a semaphore of ten, takes two minutes.
const PATIENCE: Duration = Duration::from_mins(4);
/// How often to check whether a client has ended.
const GLANCE: Duration = Duration::from_millis(5);

/// The client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Player {
    /// The command line with its defaults.
    Rowcall,
    /// This many requests in flight, each of which sleeps as long as a 429 says.
    Semaphore(u64),
}

/// The result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Played {
    /// From the first request to the last answer, by the simulator's clock.
    pub(crate) seconds: f64,
    /// From the client's start to its end.
    pub(crate) wall_seconds: f64,
    pub(crate) requests: u64,
    /// Requests answered with 429.
    pub(crate) refused: u64,
    /// Requests answered with 529.
    pub(crate) overloaded: u64,
    /// Rows without a value.
    pub(crate) failed: u64,
}

impl Played {
    /// The share of requests answered with 429.
    pub(crate) fn refused_share(&self) -> f64 {
        self.refused as f64 / (self.requests as f64).max(1.0)
    }
}

/// The programs and the folder for playing.
#[derive(Debug)]
pub(crate) struct Stage {
    rowcall: PathBuf,
    floor: PathBuf,
    folder: TempDir,
}

impl Stage {
    /// Builds the programs.
    pub(crate) fn build() -> Result<Self> {
        Ok(Self {
            rowcall: binaries::release("rowcall-cli")?,
            floor: binaries::release("rowcall-bench-floor")?,
            folder: tempfile::tempdir()
                .map_err(|error| format!("cannot make a folder for the rows: {error}"))?,
        })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the rows and requests for the clients; returns their predicted costs.
    pub(crate) fn prepare(&self, story: &Story) -> Result<Vec<Forecast>> {
        let scenario = story.scenario()?;
        let (mut records, mut requests, mut forecasts) = (String::new(), String::new(), Vec::new());
        for text in story.texts.make(story.rows) {
            let request = rows::request(&text);
            let known = scenario.forecast(0, request.as_bytes());
            forecasts.push(known.ok_or_else(|| format!("the simulator does not accept `{request}`"))?);
            // Writing to a string cannot fail.
            let _ = writeln!(records, "{}", rows::record(&text));
            let _ = writeln!(requests, "{request}");
        }
        self.write("input.jsonl", &records)?;
        self.write("requests.jsonl", &requests)?;
        Ok(forecasts)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        fs::write(self.file(name), text).map_err(|error| format!("cannot write `{name}`: {error}"))
    }

    /// Plays `story` to the end.
    ///
    /// # Errors
    /// A client that gives up, and requests whose cost differs from the prediction, which invalidates the ideal.
    pub(crate) fn play(
        &self,
        story: &Story,
        rows: &[Forecast],
        faults: Faults,
        player: Player,
    ) -> Result<Played> {
        self.write("scenario.toml", &story.file(faults))?;
        let mut simulator = Command::new(&self.rowcall);
        let server =
            Server::start(simulator.arg("sim").arg(self.file("scenario.toml")).args(["--port", "0"]))?;
        let started = Instant::now();
        let failed = match player {
            Player::Rowcall => self.rowcall(server.base(), story.rows)?,
            Player::Semaphore(in_flight) => self.semaphore(server.base(), in_flight, story.rows)?,
        };
        let wall_seconds = started.elapsed().as_secs_f64();
        let stats = server.get("/stats")?;
        let number = |path: &str| stats.pointer(path).and_then(Value::as_u64).unwrap_or_default();
        let cost = (number("/tokens/prompt"), number("/tokens/completion"));
        let forecast = cost_of(rows);
        if failed == 0 && cost != forecast {
            return Err(format!("tokens in and out were {cost:?} instead of the predicted {forecast:?}"));
        }
        Ok(Played {
            seconds: stats.get("seconds").and_then(Value::as_f64).ok_or("the simulator reports no time")?,
            wall_seconds,
            requests: number("/requests/all"),
            refused: number("/statuses/429"),
            overloaded: number("/statuses/529"),
            failed,
        })
    }

    /// Runs the command line; returns how many rows have no value.
    fn rowcall(&self, base: &str, rows: u64) -> Result<u64> {
        let output = self.file("output.jsonl");
        let mut run = Command::new(&self.rowcall);
        run.arg("run").arg(self.file("input.jsonl")).args(rows::TASK);
        run.args(["-m", "sim", "--base-url", base, "--no-journal", "--force", "--quiet", "-o"]).arg(&output);
        let ended = to_its_end(&mut run)?;
        match ended.code() {
            Some(0 | 3) => Ok(rows.saturating_sub(with_value(&output)?)),
            Some(_) | None => Err(format!("the run failed: {ended}")),
        }
    }

    /// Runs the plain semaphore, which continues until every row is answered.
    fn semaphore(&self, base: &str, in_flight: u64, rows: u64) -> Result<u64> {
        let mut run = Command::new(&self.floor);
        run.args(["semaphore", "--base", base]).arg("--bodies").arg(self.file("requests.jsonl"));
        run.args(["--in-flight", &in_flight.to_string(), "--rows", &rows.to_string()]);
        match to_its_end(&mut run)? {
            ended if ended.success() => Ok(0),
            ended => Err(format!("the semaphore failed: {ended}")),
        }
    }
}

/// Runs a client until it ends, or until the timeout.
fn to_its_end(client: &mut Command) -> Result<ExitStatus> {
    let started = Instant::now();
    let spawned = client.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let mut process = spawned.map_err(|error| format!("cannot run {client:?}: {error}"))?;
    loop {
        match process.try_wait() {
            Ok(Some(ended)) => return Ok(ended),
            Ok(None) if started.elapsed() < PATIENCE => std::thread::sleep(GLANCE),
            Ok(None) => {
                // If it has ended meanwhile, there is nothing to kill.
                let _ = process.kill();
                let _ = process.wait();
                return Err(format!("the client was killed after {} s", PATIENCE.as_secs()));
            }
            Err(error) => return Err(format!("lost the client: {error}")),
        }
    }
}

/// Prompt and answer tokens of all rows.
fn cost_of(rows: &[Forecast]) -> (u64, u64) {
    rows.iter()
        .fold((0, 0), |(input, output), row| (input + row.need.input_tokens, output + row.need.output_tokens))
}

/// How many lines of the output have a value.
fn with_value(output: &Path) -> Result<u64> {
    let text = fs::read_to_string(output).map_err(|error| format!("cannot read the output: {error}"))?;
    let has_value = |line: &&str| {
        let line: Option<Value> = serde_json::from_str(line).ok();
        line.as_ref().and_then(|line| line.get("_error")) == Some(&Value::Null)
    };
    Ok(text.lines().filter(has_value).count() as u64)
}
