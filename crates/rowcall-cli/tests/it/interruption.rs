//! Runs ended from outside: Ctrl-C once and twice, SIGTERM, and a reader that goes away.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};
use std::time::Duration;

use rowcall_sim::{Latency, Scenario, Simulator};
use serde_json::Value;

use crate::command::{TestDir, ages, asking, lines, simulator};

const ROWS: usize = 400;

fn slow(time: Duration) -> Simulator {
    simulator(Scenario::instant("takes its time").with_latency(Latency::fixed(time)))
}

fn start(dir: &TestDir, simulator: &Simulator, more: &[&str]) -> Child {
    dir.write("in.txt", ages(ROWS));
    let url = simulator.base_url();
    dir.start(&[&asking("in.txt", "age int", &url)[..], &["-c", "8"], more].concat(), &[])
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("`kill` runs");
    assert!(sent.success());
}

/// Waits until this many requests have arrived.
fn until_requests(simulator: &Simulator, requests: u64) {
    while simulator.stats().requests.all < requests {
        std::thread::yield_now();
    }
}

#[test]
fn one_signal_waits_for_requests_in_flight_and_writes_their_rows() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let simulator = slow(Duration::from_millis(50));
        let dir = TestDir::new();
        let child = start(&dir, &simulator, &["-o", "out.jsonl"]);
        until_requests(&simulator, 20);
        send(signal, &child);
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        let stats = simulator.stats();
        assert_eq!((stats.unfinished, stats.in_flight.now), (0, 0), "no request in flight was dropped");
        let records = lines(&dir.read("out.jsonl.part"));
        assert_eq!(records.len() as u64, stats.requests.all, "every billed answer is written");
        assert!(records.len() < ROWS, "the run was interrupted");
        for (n, record) in records.iter().enumerate() {
            assert_eq!((&record["age"], &record["_error"]), (&Value::from(n), &Value::Null));
        }
        assert!(stderr.contains(&format!("interrupted: {} rows left", ROWS - records.len())), "{stderr}");
        // The count includes rows that were not read yet.
        let done = records.len();
        assert!(stderr.contains(&format!("{done} done, {} rows not finished", ROWS - done)), "{stderr}");
        assert!(!dir.has("out.jsonl"));
    }
}

#[test]
fn uncounted_rows_are_reported_as_an_estimate() {
    // Long rows at the end: the part that was read before the signal says little about the number of rows.
    let long = "x".repeat(4000);
    let mut rows = ages(20_000);
    rows.extend(std::iter::repeat_n(format!("row {long}\n"), 3000));
    let simulator = slow(Duration::from_millis(50));
    let dir = TestDir::new();
    dir.write("in.txt", rows);
    let url = simulator.base_url();
    let child = dir.start(&[&asking("in.txt", "age int", &url)[..], &["-c", "8"]].concat(), &[]);
    until_requests(&simulator, 20);
    send("-INT", &child);
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("interrupted: about ") && stderr.contains(" rows left"), "{stderr}");
}

#[test]
fn two_signals_stop_at_once() {
    let simulator = slow(Duration::from_mins(5));
    let dir = TestDir::new();
    let mut child = start(&dir, &simulator, &["-o", "out.jsonl"]);
    until_requests(&simulator, 8);
    send("-INT", &child);
    let mut stderr = BufReader::new(child.stderr.take().expect("piped")).lines();
    let line = stderr.find_map(|line| line.ok().filter(|line| line.contains("waiting for")));
    assert_eq!(
        line.as_deref(),
        Some("interrupted: waiting for 8 requests in flight; press Ctrl-C again to stop at once")
    );
    send("-INT", &child);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn a_reader_that_goes_away_ends_the_run_silently() {
    let simulator = slow(Duration::from_millis(5));
    let dir = TestDir::new();
    let mut child = start(&dir, &simulator, &[]);
    let mut first = String::new();
    // Like `| head -1`: one line, then the pipe is closed.
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut first).expect("a line");
    assert_eq!(lines(&first)[0]["age"], 0);
    let mut stderr = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("UTF-8");
    assert_eq!((child.wait().expect("it ends").code(), stderr.as_str()), (Some(141), ""));
    let stats = simulator.stats();
    assert!((stats.requests.all as usize) < ROWS, "the run was ended");
    assert_eq!(stats.unfinished, 0, "what was in flight was awaited");
}
