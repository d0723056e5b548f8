//! `cargo xtask bench load`: the command line with 2,500 requests in flight of five seconds each, which is 30,000 per
//! minute. It must use little CPU and memory.
#![expect(clippy::disallowed_methods, reason = "wall time is measured")]

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use super::digits::thousands;
use super::watched::{Cost, watch};
use crate::server::Server;
use crate::{Result, binaries, option, people};

const IN_FLIGHT: u64 = 2_500;
const LATENCY_SECONDS: u64 = 5;

/// The limits for the run: this share of a core, and this many kilobytes.
const MOST_CPU: f64 = 0.15;
const MOST_KB: f64 = 150.0 * 1024.0;
/// The figures are void if the client did not reach this share of the rate.
const LEAST_OF_RATE: f64 = 0.9;

/// The options of the command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    seconds: u64,
    journal: Journal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Journal {
    Kept,
    None,
}

impl Options {
    /// Parses the options in `words`, or returns what is wrong with them.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { seconds: 120, journal: Journal::None };
        let mut words = words.iter();
        while let Some(&option) = words.next() {
            match option {
                "--seconds" => options.seconds = option::number(option, &mut words, LATENCY_SECONDS)?,
                "--journal" => options.journal = Journal::Kept,
                _ => return Err(option::unknown(option)),
            }
        }
        Ok(options)
    }
}

/// The results of the run.
#[derive(Debug, Clone, Copy)]
struct Figures {
    per_minute: f64,
    most_in_flight: u64,
    /// Of one core.
    cpu: f64,
    peak_kb: f64,
}

/// Measures, prints, and evaluates.
///
/// # Errors
/// A program that does not build or start, a row without a value, and a client that is too slow, too busy or too
/// large.
pub(crate) fn run(options: &Options) -> Result<()> {
    let program = binaries::release("rowcall-cli")?;
    let latency = format!("{LATENCY_SECONDS}s");
    let server = Server::start(Command::new(&program).args(["sim", "--port", "0", "--latency", &latency]))?;
    let folder =
        tempfile::tempdir().map_err(|error| format!("cannot make a folder for the rows: {error}"))?;
    let (input, output) = (folder.path().join("input.csv"), folder.path().join("output.jsonl"));
    let rows = options.seconds / LATENCY_SECONDS * IN_FLIGHT;
    people::generate(&input, rows)?;

    let mut run = Command::new(&program);
    run.arg("run").arg(&input).args(people::TASK);
    run.args(["-m", "sim", "--base-url", server.base(), "--quiet", "-o"]).arg(&output);
    run.args(["--concurrency", &IN_FLIGHT.to_string()]);
    run.args(match options.journal {
        Journal::Kept => &[][..],
        Journal::None => &["--no-journal"],
    });
    let started = Instant::now();
    let spawned = run.stdin(Stdio::null()).spawn();
    let mut process = spawned.map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    let cost = watch(&mut process)?;
    let wall_seconds = started.elapsed().as_secs_f64();

    let lines = File::open(&output).map_err(|error| format!("cannot read {}: {error}", output.display()))?;
    people::check(BufReader::new(lines).lines().map_while(std::result::Result::ok), rows)?;
    let figures = figures(rows, wall_seconds, cost, &server.get("/stats")?)?;
    println!("{}", table(rows, &figures));
    match missed(&figures).as_slice() {
        [] => Ok(()),
        missed => Err(format!("missed: {}", missed.join(", "))),
    }
}

fn figures(rows: u64, wall_seconds: f64, cost: Cost, stats: &Value) -> Result<Figures> {
    let unknown = || "peak memory is read from `/proc`, which this system does not have".to_owned();
    let lasted = stats.get("seconds").and_then(Value::as_f64).ok_or("the simulator reports no time")?;
    Ok(Figures {
        per_minute: rows as f64 / lasted * 60.0,
        most_in_flight: stats.pointer("/in_flight/max").and_then(Value::as_u64).unwrap_or_default(),
        cpu: cost.cpu_seconds / wall_seconds,
        peak_kb: cost.peak_kb.ok_or_else(unknown)?,
    })
}

fn table(rows: u64, figures: &Figures) -> String {
    format!(
        "{} rows, {} in flight at most, {LATENCY_SECONDS} s each, the simulator in its own process\n\n\
         requests a minute  {:>8}\nshare of a core    {:>8.3}  at most {MOST_CPU}\n\
         peak MB            {:>8.1}  at most {:.0}",
        thousands(rows as f64),
        thousands(figures.most_in_flight as f64),
        thousands(figures.per_minute),
        figures.cpu,
        figures.peak_kb / 1024.0,
        MOST_KB / 1024.0,
    )
}

fn missed(figures: &Figures) -> Vec<&'static str> {
    let rate = (IN_FLIGHT * 60 / LATENCY_SECONDS) as f64;
    let checks = [
        ("requests a minute", figures.per_minute < rate * LEAST_OF_RATE),
        ("CPU", figures.cpu > MOST_CPU),
        ("memory", figures.peak_kb > MOST_KB),
    ];
    checks.into_iter().filter(|(_, missed)| *missed).map(|(what, _)| what).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Cost, Journal, Options, figures, missed, table};

    #[test]
    fn options_are_checked() {
        assert_eq!(Options::parse(&[]), Ok(Options { seconds: 120, journal: Journal::None }));
        let expected = Options { seconds: 20, journal: Journal::Kept };
        assert_eq!(Options::parse(&["--journal", "--seconds", "20"]), Ok(expected));
        for (words, expected) in [
            (&["--seconds"][..], "`--seconds` needs a number"),
            (&["--seconds", "4"], "`4` is not a valid value for `--seconds`, expected a number from 5"),
            (&["--fast"], "unknown option `--fast`"),
        ] {
            assert_eq!(Options::parse(words), Err(expected.to_owned()));
        }
    }

    #[test]
    fn a_client_must_be_fast_idle_and_small() {
        let stats = |seconds: f64| json!({ "seconds": seconds, "in_flight": { "max": 2_500 } });
        let cost = |cpu, mb: f64| Cost { cpu_seconds: cpu, peak_kb: Some(mb * 1024.0) };
        for (lasted, cost, expected) in [
            (121.0, cost(18.0, 150.0), &[][..]),
            (135.0, cost(18.0, 150.0), &["requests a minute"]),
            (121.0, cost(18.5, 150.0), &["CPU"]),
            (121.0, cost(18.0, 151.0), &["memory"]),
        ] {
            assert_eq!(missed(&figures(60_000, 122.0, cost, &stats(lasted)).unwrap()), expected);
        }
        assert!(figures(60_000, 122.0, Cost::default(), &stats(121.0)).is_err());
        let expected = "\
60,000 rows, 2,500 in flight at most, 5 s each, the simulator in its own process

requests a minute    30,000
share of a core       0.100  at most 0.15
peak MB               100.0  at most 150";
        let shown = figures(60_000, 120.0, cost(12.0, 100.0), &stats(120.0)).unwrap();
        assert_eq!(table(60_000, &shown), expected);
    }
}
