//! No key and no header appears anywhere, whatever goes wrong: not in the journal or beside it, not on stdout or stderr.

use rowcall_sim::{ErrorBody, Fault, FaultKind, Latency, Scenario, StatusFault};
use std::time::Duration;

use super::{Story, assert_exit};
use crate::command::{Ran, TestDir, ages};

const KEY: &str = "sk-secret-4711-0815";
const HEADER: &str = "hunter2-very-secret";

/// Asserts that no secret is in any file of the folder or in the printed text.
fn assert_no_secret(dir: &TestDir, printed: &[&Ran]) {
    let files = std::fs::read_dir(dir.path("")).expect("a folder").map(|file| file.expect("a file").path());
    let files: Vec<_> =
        files.map(|path| (path.display().to_string(), std::fs::read(&path).expect("a file"))).collect();
    assert!(files.len() >= 3, "input, output and journal: {files:?}");
    let printed = printed.iter().flat_map(|ran| [("stdout", &ran.stdout), ("stderr", &ran.stderr)]);
    let printed = printed.map(|(name, text)| (name.to_owned(), text.clone().into_bytes()));
    for (name, bytes) in files.into_iter().chain(printed) {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        for secret in [KEY, HEADER, "authorization", "x-api-key"] {
            assert!(!text.contains(secret), "`{secret}` is in {name}");
        }
    }
}

fn arguments<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let run = ["run", "in.txt", "-s", "age int", "-p", "{{ text }}", "-m", "openai/x", "--base-url", url];
    let secret = "X-Api-Key: hunter2-very-secret";
    let output = ["-o", "out.jsonl", "--failed", "failed.jsonl", "--header", secret, "--verbose", "-c", "4"];
    [&run[..], &output, more].concat()
}

fn run(story: &Story, url: &str, more: &[&str]) -> Ran {
    story.dir.rowcall_with(&arguments(url, more), "", &[("OPENAI_API_KEY", KEY)])
}

/// All kinds of faults at times.
fn trouble() -> Scenario {
    let status = |code| FaultKind::Status(StatusFault::new(code));
    let html = FaultKind::Status(StatusFault { body: ErrorBody::Html, ..StatusFault::new(500) });
    Scenario::instant("goes wrong now and then")
        .with_key(KEY)
        .with_latency(Latency::fixed(Duration::from_millis(10)))
        .with_fault(Fault::new(FaultKind::Refusal, 1.0).with_contains("is 1"))
        .with_fault(Fault::new(status(400), 1.0).with_contains("is 2"))
        .with_fault(Fault::new(FaultKind::InvalidJson, 1.0).with_contains("is 3"))
        .with_fault(Fault::new(html, 0.2).with_attempts(1))
}

#[test]
fn a_run_with_failures_and_a_crash_leaves_no_secret() {
    let story = Story::new(trouble(), &ages(100));
    let mut child = story.dir.start(&arguments(&story.url, &[]), &[("OPENAI_API_KEY", KEY)]);
    story.until_requests(&mut child, 40);
    child.kill().expect("it is killed");
    let killed = Ran::of(child);
    assert!(story.dir.has("out.jsonl.journal-wal"), "it was killed while writing");
    assert_no_secret(&story.dir, &[&killed]);
    let finished = run(&story, &story.url, &[]);
    assert_exit(&finished, 3, &["attempt"]);
    let status = story.dir.rowcall(&["status", "out.jsonl.journal"]);
    let exported = story.dir.rowcall(&["export", "out.jsonl.journal"]);
    let rerun = ["rerun", "out.jsonl.journal", "--verbose", "--header", "X-Api-Key: hunter2-very-secret"];
    let rerun = story.dir.rowcall_with(&rerun, "", &[("OPENAI_API_KEY", KEY)]);
    assert_exit(&rerun, 3, &["attempt"]);
    assert_no_secret(&story.dir, &[&finished, &status, &exported, &rerun]);
}

#[test]
fn a_key_that_is_refused_is_not_repeated() {
    let story = Story::new(trouble().with_key("sk-another"), &ages(100));
    let refused = run(&story, &story.url, &[]);
    assert_exit(&refused, 1, &["401"]);
    assert_no_secret(&story.dir, &[&refused]);
}

#[test]
fn a_key_that_the_server_repeats_is_not_passed_on() {
    for code in [400, 401, 500] {
        let message =
            Some(format!("Incorrect API key provided: {KEY}. It came in Authorization: Bearer {KEY}."));
        let echo = FaultKind::Status(StatusFault { message, ..StatusFault::new(code) });
        let story = Story::new(Scenario::instant("repeats keys").with_fault(Fault::new(echo, 1.0)), &ages(5));
        let ran = run(&story, &story.url, &["--retries", "1"]);
        let dir = &story.dir;
        let files = ["out.jsonl", "out.jsonl.part", "failed.jsonl", "failed.jsonl.part", "out.jsonl.journal"];
        let holding = files.into_iter().filter(|name| {
            std::fs::read(dir.path(name)).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(KEY))
        });
        assert_eq!(holding.collect::<Vec<_>>(), [""; 0], "{code}: {}", ran.stderr);
        assert!(!ran.stderr.contains(KEY), "{code}: {}", ran.stderr);
    }
}

#[test]
fn a_secret_in_an_address_is_not_recorded() {
    let story = Story::instant(&ages(10));
    for url in
        [story.url.replace("://", &format!("://ann:{HEADER}@")), format!("{}?api_key={HEADER}", story.url)]
    {
        let ran = run(&story, &url, &["--fresh"]);
        let journal = std::fs::read(story.dir.path("out.jsonl.journal")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&journal).contains(HEADER), "{url}: {ran:?}");
    }
}
