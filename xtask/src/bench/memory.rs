//! `cargo xtask bench memory`: the command line over 10,000 and 100,000 generated rows against the simulator in a process
//! of its own. Every row must come out in its place, and memory must not grow with them.
#![expect(clippy::disallowed_methods, reason = "a process is watched from outside, by the clock")]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::binaries;
use super::digits::thousands;
use super::server::Server;
use crate::Result;

const ROWS: [u64; 2] = [10_000, 100_000];
const LATENCY: &str = "20ms";
const CONCURRENCY: &str = "256";

/// How often a process is asked for its peak; it can rise unseen only in the last of these.
const GLANCE: Duration = Duration::from_millis(20);

/// What the larger run may take: this much of the smaller's peak, or so many kilobytes more, whichever is larger.
const MOST_RATIO: f64 = 1.1;
const MOST_MORE_KB: f64 = 4096.0;

/// Measures, prints, and judges.
///
/// # Errors
/// A row that is missing, failed or out of place, and memory that grew.
pub(crate) fn run() -> Result<()> {
    let program = binaries::release("rowcall-cli")?;
    let server = Server::start(Command::new(&program).args(["sim", "--port", "0", "--latency", LATENCY]))?;
    let folder = tempfile::tempdir().map_err(|error| format!("no folder for the rows: {error}"))?;
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
    println!("\nratio {:.2}; every row came out, in its place", large / small);
    if is_bounded(small, large) {
        return Ok(());
    }
    Err(format!(
        "memory grew with the rows: at most {MOST_RATIO} times or {} MB more is expected",
        MOST_MORE_KB / 1024.0
    ))
}

fn is_bounded(small: f64, large: f64) -> bool {
    large <= (small * MOST_RATIO).max(small + MOST_MORE_KB)
}

/// The peak resident set, in kilobytes of 1024 bytes, of one run of the command line over `rows` generated rows.
fn peak_of_run(program: &Path, base: &str, folder: &Path, rows: u64) -> Result<f64> {
    let (input, output) = (folder.join(format!("{rows}.csv")), folder.join(format!("{rows}.jsonl")));
    generate(&input, rows).map_err(|error| format!("cannot write {}: {error}", input.display()))?;
    let mut run = Command::new(program)
        .arg("run")
        .arg(&input)
        .args(["--prompt", "Extract the person: {{ text }}", "--schema", "name, age int, occupation"])
        .args(["-m", "sim", "--base-url", base, "--concurrency", CONCURRENCY, "--quiet", "-o"])
        .arg(&output)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    let peak = watch(&mut run)?;
    let lines = File::open(&output).map_err(|error| format!("cannot read {}: {error}", output.display()))?;
    check(BufReader::new(lines).lines().map_while(std::result::Result::ok), rows)?;
    peak.ok_or_else(|| "peak memory is read from `/proc`, which this system does not have".to_owned())
}

/// Waits for the process to succeed; returns the highest peak that was seen.
fn watch(process: &mut Child) -> Result<Option<f64>> {
    let status = format!("/proc/{}/status", process.id());
    let mut peak = None;
    loop {
        match process.try_wait() {
            Ok(None) => {}
            Ok(Some(ended)) if ended.success() => return Ok(peak),
            Ok(Some(ended)) => return Err(format!("the run failed: {ended}")),
            Err(error) => return Err(format!("the run is lost: {error}")),
        }
        // A process about to end has no memory any more, and then the last figure stands.
        peak = fs::read_to_string(&status).ok().as_deref().and_then(peak_memory).or(peak);
        std::thread::sleep(GLANCE);
    }
}

/// The peak resident set in what Linux says of a process in its `status` file.
fn peak_memory(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// What stands in the column `text` of a row; no two are the same.
fn text(row: u64) -> String {
    const NAMES: [&str; 7] = ["Ann", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus"];
    const OCCUPATIONS: [&str; 5] =
        ["nurse", "carpenter", "lighthouse keeper", "teacher", "software engineer"];
    let name = NAMES.get((row % 7) as usize).unwrap_or(&"Ann");
    let occupation = OCCUPATIONS.get((row % 5) as usize).unwrap_or(&"nurse");
    format!("[row {row}] {name} is a {}-year-old {occupation}", 20 + row % 60)
}

fn generate(path: &Path, rows: u64) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "text")?;
    for row in 0..rows {
        writeln!(file, "{}", text(row))?;
    }
    file.flush()
}

/// Whether `lines` are the outcomes of all `rows`, in order, each with a value.
fn check(lines: impl Iterator<Item = String>, rows: u64) -> Result<()> {
    let mut count = 0;
    for (row, line) in (0..).zip(lines) {
        let line: Value = serde_json::from_str(&line).map_err(|error| format!("row {row}: {error}"))?;
        if line.get("text").and_then(Value::as_str) != Some(&text(row)) {
            return Err(format!("row {row} is not in its place: {line}"));
        }
        if line.get("_error").is_some_and(|error| !error.is_null()) || line.get("name").is_none() {
            return Err(format!("row {row} has no value: {line}"));
        }
        count += 1;
    }
    if count == rows { Ok(()) } else { Err(format!("{count} rows came out of {rows}")) }
}

#[cfg(test)]
mod tests {
    use super::{check, is_bounded, peak_memory, text};

    fn line(row: u64) -> String {
        serde_json::json!({"text": text(row), "name": "Ann", "age": 30}).to_string()
    }

    #[test]
    fn every_row_must_come_out_in_its_place_with_a_value() {
        assert_eq!(check([0, 1, 2].map(line).into_iter(), 3), Ok(()));
        for lines in [
            vec![line(0), line(1)],
            vec![line(0), line(2), line(1)],
            vec![line(0), line(1), line(2), line(3)],
            vec![line(0), line(1), "torn".to_owned()],
            vec![
                line(0),
                line(1),
                serde_json::json!({"text": text(2), "_error": {"kind": "server"}}).to_string(),
            ],
            vec![line(0), line(1), serde_json::json!({"text": text(2)}).to_string()],
        ] {
            assert!(check(lines.clone().into_iter(), 3).is_err(), "{lines:?}");
        }
    }

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

    #[test]
    fn reads_the_peak() {
        assert_eq!(peak_memory("VmPeak:\t 9 kB\nVmHWM:\t    5120 kB\n"), Some(5120.0));
        assert_eq!(peak_memory("Name:\trowcall\n"), None);
    }
}
