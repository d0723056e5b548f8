//! `cargo xtask bench memory`: the command line over 10,000 and 100,000 generated rows, with the simulator in a
//! separate process. Every row must come out at its position, and memory must not grow with the rows.
#![expect(clippy::disallowed_methods, reason = "wall time is shown")]

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::digits::thousands;
use super::watched::watch;
use crate::server::Server;
use crate::{Result, binaries, people};

const ROWS: [u64; 2] = [10_000, 100_000];
const LATENCY: &str = "20ms";
const CONCURRENCY: &str = "256";

/// The limit for the larger run: this ratio to the smaller run's peak, or this many more kilobytes, whichever is
/// larger.
const MOST_RATIO: f64 = 1.1;
const MOST_MORE_KB: f64 = 4096.0;

/// Measures, prints, and evaluates.
///
/// # Errors
/// A row that is missing, failed or out of order, and memory that grew.
pub(crate) fn run() -> Result<()> {
    let program = binaries::release("rowcall-cli")?;
    let server = Server::start(Command::new(&program).args(["sim", "--port", "0", "--latency", LATENCY]))?;
    let folder =
        tempfile::tempdir().map_err(|error| format!("cannot make a folder for the rows: {error}"))?;
    println!("input order, {CONCURRENCY} in flight, {LATENCY} latency, the simulator in its own process\n");
    println!("{:>8}{:>12}{:>10}", "rows", "peak MB", "wall s");
    let mut peaks = Vec::new();
    for rows in ROWS {
        let started = Instant::now();
        let peak = peak_of_run(&program, server.base(), folder.path(), rows)?;
        let seconds = started.elapsed().as_secs_f64();
        println!("{:>8}{:>12.1}{seconds:>10.1}", thousands(rows as f64), peak / 1024.0);
        peaks.push(peak);
    }
    let (small, large) =
        (peaks.first().copied().unwrap_or_default(), peaks.last().copied().unwrap_or_default());
    println!("\nratio {:.2}; every row came out, in order", large / small);
    if is_bounded(small, large) {
        return Ok(());
    }
    Err(format!(
        "memory grew with the rows: expected at most {MOST_RATIO} times or {} MB more",
        MOST_MORE_KB / 1024.0
    ))
}

fn is_bounded(small: f64, large: f64) -> bool {
    large <= (small * MOST_RATIO).max(small + MOST_MORE_KB)
}

/// The peak resident set, in kilobytes of 1024 bytes, of one run of the command line over `rows` generated rows.
fn peak_of_run(program: &Path, base: &str, folder: &Path, rows: u64) -> Result<f64> {
    let (input, output) = (folder.join(format!("{rows}.csv")), folder.join(format!("{rows}.jsonl")));
    people::generate(&input, rows)?;
    let mut run = Command::new(program)
        .arg("run")
        .arg(&input)
        .args(people::TASK)
        .args(["-m", "sim", "--base-url", base, "--concurrency", CONCURRENCY, "--quiet", "-o"])
        .arg(&output)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    let cost = watch(&mut run)?;
    let lines = File::open(&output).map_err(|error| format!("cannot read {}: {error}", output.display()))?;
    people::check(BufReader::new(lines).lines().map_while(std::result::Result::ok), rows)?;
    cost.peak_kb.ok_or_else(|| "peak memory is read from `/proc`, which this system does not have".to_owned())
}

#[cfg(test)]
mod tests {
    use super::is_bounded;

    #[test]
    fn memory_may_grow_by_a_tenth_or_by_four_megabytes() {
        for (small, large, expected) in [
            (10_000.0, 14_000.0, true),
            (10_000.0, 14_200.0, false),
            (100_000.0, 109_000.0, true),
            (100_000.0, 111_000.0, false),
            (10_000.0, 9_000.0, true),
        ] {
            assert_eq!(is_bounded(small, large), expected, "{small} to {large}");
        }
    }
}
