//! Kills runs in batches while they submit, look and collect, and resumes them to the end. No row may be lost or wrong, and no request may be
//! executed twice unless a run has reported that it may have been billed.
#![expect(
    clippy::disallowed_methods,
    reason = "a run is killed by the clock on purpose, wherever it is then"
)]

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::difference::difference;
use super::instants::SIGKILL;
use super::tally::Tally;
use super::workload::read;
use crate::server::Server;
use crate::{Result, people};

/// Batches that take a fifth of a second each, rows that are re-asked in batches and online, and a few that get no result in their first
/// batch.
const SCENARIO: &str = "\
about = 'Batches, with some answers that are no values at first.'

[batches]
speed = 3000.0

[[faults]]
rate = 0.05
attempts = 1
kind = 'schema_violation'

[[faults]]
rate = 0.05
attempts = 1
kind = { status = { code = 503 } }
";

/// The protocols in which batches are sent, in turns.
const PROTOCOLS: [&str; 4] = ["chat", "anthropic", "gemini", "responses"];

/// Kills of one run, which is resumed after each.
const OF_ONE_RUN: u64 = 5;

/// How many requests to batch APIs an undisturbed run makes, roughly.
const USUAL: u64 = 40;

/// A run that does not end within this time hangs.
const LONGEST: Duration = Duration::from_mins(2);

/// Kills runs of this many rows until there were enough kills.
///
/// # Errors
/// A run that fails or hangs, and runs that end before they can be killed.
pub(super) fn kill(
    program: &Path,
    folder: &Path,
    rows: u64,
    kills: u64,
    rng: &mut fastrand::Rng,
    tally: &mut Tally,
) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    people::generate(&folder.join("rows.csv"), rows)?;
    let written = fs::write(folder.join("scenario.toml"), SCENARIO);
    written.map_err(|error| format!("cannot write to {}: {error}", folder.display()))?;
    let expected = online(program, folder)?;
    let most_cases = 3 * kills.div_ceil(OF_ONE_RUN);
    for number in 1..=most_cases {
        if tally.kills >= kills {
            return Ok(());
        }
        let protocol = PROTOCOLS[number as usize % PROTOCOLS.len()];
        let reask = if number % 3 == 0 { "online" } else { "batch" };
        let name = format!("batches-{number}");
        let server = simulator(program, folder)?;
        let case = Case {
            program,
            above: folder,
            folder: folder.join(name),
            server,
            expected: &expected,
            rows,
            protocol,
            reask,
        };
        fs::create_dir_all(&case.folder)
            .map_err(|error| format!("cannot make {}: {error}", case.folder.display()))?;
        let judged = case.judge(OF_ONE_RUN.min(kills - tally.kills), rng, tally);
        println!(
            "{} of {kills} kills, the last case by {protocol}; {} rows possibly paid, {} asked again after an answer",
            tally.kills, tally.possibly_paid, tally.answered_twice
        );
        match judged {
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
    if tally.kills >= kills { Ok(()) } else { Err("the runs end before they can be killed".to_owned()) }
}

/// A new simulator in a separate process.
fn simulator(program: &Path, folder: &Path) -> Result<Server> {
    let mut simulator = Command::new(program);
    simulator.arg("sim").arg(folder.join("scenario.toml"));
    Server::start(simulator.args(["--port", "0", "--count", "--latency", "20ms"]))
}

/// The output of an undisturbed run that asks online.
fn online(program: &Path, folder: &Path) -> Result<String> {
    let (server, output) = (simulator(program, folder)?, folder.join("online.jsonl"));
    let mut run = Command::new(program);
    run.arg("run").arg(folder.join("rows.csv")).arg("-o").arg(&output).args(people::TASK);
    run.args(["-m", "sim", "--base-url", server.base(), "--quiet"]).stdin(Stdio::null());
    let ended = run.status().map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    if ended.success() { read(&output) } else { Err(format!("the run online failed ({ended})")) }
}

/// A journal, and the simulator that its runs use.
struct Case<'a> {
    program: &'a Path,
    /// The folder with the input.
    above: &'a Path,
    folder: PathBuf,
    server: Server,
    /// The output of the same run online.
    expected: &'a str,
    rows: u64,
    protocol: &'static str,
    reask: &'static str,
}

impl Case<'_> {
    /// Starts or resumes the run. Its messages are appended to a file.
    fn start(&self) -> Result<Child> {
        let said = fs::File::options().create(true).append(true).open(self.folder.join("rows.stderr"));
        let said = said.map_err(|error| format!("cannot write to {}: {error}", self.folder.display()))?;
        let mut run = Command::new(self.program);
        run.arg("run").arg(self.above.join("rows.csv")).arg("-o").arg(self.output()).args(people::TASK);
        run.args(["-m", "sim", "--base-url", self.server.base(), "--protocol", self.protocol]);
        run.args(["--batch", "--poll", "20ms", "--reask", self.reask]);
        // Several batches at a time.
        run.args(["--batch-rows", &(self.rows / 4 + 1).to_string()]);
        run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        run.spawn().map_err(|error| format!("cannot run {}: {error}", self.program.display()))
    }

    fn output(&self) -> PathBuf {
        self.folder.join("rows.jsonl")
    }

    fn stats(&self) -> Result<Value> {
        self.server.get("/stats")
    }

    /// Kills runs, lets one end, and checks what has come of it.
    fn judge(&self, kills: u64, rng: &mut fastrand::Rng, tally: &mut Tally) -> Result<()> {
        for _ in 0..kills {
            if !self.kill_one(rng)? {
                break;
            }
            tally.kills += 1;
        }
        let ended = ended(&mut self.start()?)?;
        if !ended.success() {
            let said = read(&self.folder.join("rows.stderr"))?;
            return Err(format!("the last run failed ({ended}): {}", said.trim().replace('\n', "; ")));
        }
        let (lost, wrong) = difference(self.expected, &read(&self.output())?);
        tally.lost += lost;
        tally.wrong += wrong;
        if lost + wrong > 0 {
            return Err(format!("{lost} rows are lost and {wrong} are not as in an undisturbed run"));
        }
        let reported = self.possibly_paid()?;
        tally.possibly_paid += reported;
        let stats = self.stats()?;
        let count = |name: &str| stats["requests"][name].as_u64().unwrap_or_default();
        // One request in twenty fails for now and is sent again.
        let failed = stats["faults"]["status"].as_u64().unwrap_or_default();
        let twice = (count("first") + count("again")).saturating_sub(self.rows + failed);
        tally.answered_twice += twice;
        if twice > reported {
            return Err(format!(
                "{twice} requests were executed twice, but only {reported} are reported as possibly paid: {stats}"
            ));
        }
        let left = fs::read_dir(&self.folder).map_err(|error| error.to_string())?;
        let is_spool = |name: &str| name.contains(".journal-rowcall_");
        let spools = left.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_spool)).count();
        if spools > 0 {
            return Err(format!("{spools} files with the requests of batches are left"));
        }
        Ok(())
    }

    /// Starts a run and kills it, wherever it is then: whether it was killed before it ended.
    fn kill_one(&self, rng: &mut fastrand::Rng) -> Result<bool> {
        let before = self.stats()?["batch_requests"].as_u64().unwrap_or_default();
        let mut run = self.start()?;
        // Half of them after a number of requests to the batch API, to hit what is before and after each; the others by the clock.
        if rng.bool() {
            let enough = before + rng.u64(1..USUAL);
            let began = Instant::now();
            while self.stats()?["batch_requests"].as_u64().unwrap_or_default() < enough {
                let is_over = run.try_wait().map_err(|error| error.to_string())?.is_some();
                if is_over || began.elapsed() > LONGEST {
                    break;
                }
            }
            std::thread::sleep(Duration::from_micros(rng.u64(0..5_000)));
        } else {
            std::thread::sleep(Duration::from_millis(rng.u64(1..1_200)));
        }
        run.kill().map_err(|error| error.to_string())?;
        let ended = run.wait().map_err(|error| error.to_string())?;
        if ended.signal() == Some(SIGKILL) {
            return Ok(true);
        }
        if ended.success() { Ok(false) } else { Err(format!("a run that was not killed failed ({ended})")) }
    }

    /// What `rowcall status` reports as possibly paid.
    fn possibly_paid(&self) -> Result<u64> {
        let mut status = Command::new(self.program);
        status.arg("status").arg(self.folder.join("rows.jsonl.journal")).arg("--json").stdin(Stdio::null());
        let output = status.output().map_err(|error| format!("`rowcall status` cannot be run: {error}"))?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("`rowcall status` did not print JSON: {error}"))?;
        if report["done"] != self.rows || report["complete"] != true {
            return Err(format!("the journal is not complete: {report}"));
        }
        Ok(report["possibly_paid"].as_u64().unwrap_or_default())
    }
}

/// Waits for the end of a run.
fn ended(run: &mut Child) -> Result<ExitStatus> {
    let began = Instant::now();
    loop {
        if let Some(ended) = run.try_wait().map_err(|error| error.to_string())? {
            return Ok(ended);
        }
        if began.elapsed() > LONGEST {
            let _ = run.kill();
            let _ = run.wait();
            return Err("a run does not end".to_owned());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
