//! Runs that are watched and steered while they are under way: `rowcall ctl`, and the live page over HTTP.

mod http;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::Child;
use std::time::Duration;

use rowcall_sim::{Fault, FaultKind, Latency, Scenario, Simulator};
use serde_json::{Value, json};

use crate::command::{Ran, TestDir, ages, asking, lines, requests, simulator};
use crate::report::hostile::HOSTILE;
use http::{Page, get};

const ROWS: usize = 400;
const JOURNAL: &str = "out.jsonl.journal";

/// Long enough for many answers, if anything were sent.
const QUIET: Duration = Duration::from_millis(300);

/// A run under way, against a simulator that takes 10 ms for an answer.
struct Story {
    dir: TestDir,
    simulator: Simulator,
    child: Option<Child>,
}

impl Story {
    fn start(scenario: Scenario, more: &[&str]) -> Self {
        Self::start_over(&ages(ROWS), scenario, more)
    }

    fn start_over(rows: &str, scenario: Scenario, more: &[&str]) -> Self {
        let simulator = simulator(scenario.with_latency(Latency::fixed(Duration::from_millis(10))));
        let dir = TestDir::new();
        dir.write("in.txt", rows);
        let url = simulator.base_url();
        let arguments =
            [&asking("in.txt", "age int", &url)[..], &["-c", "4", "-o", "out.jsonl"], more].concat();
        let folder = dir.path("runtime");
        let child = dir.start(&arguments, &[("XDG_RUNTIME_DIR", &folder.to_string_lossy())]);
        let story = Self { dir, simulator, child: Some(child) };
        story.until_requests(20);
        story
    }

    fn until_requests(&self, least: u64) {
        while requests(&self.simulator) < least {
            std::thread::yield_now();
        }
    }

    fn ctl(&self, arguments: &[&str]) -> Ran {
        let folder = self.dir.path("runtime");
        let variables = [("XDG_RUNTIME_DIR", &*folder.to_string_lossy())];
        self.dir.rowcall_with(&[&["ctl"], arguments].concat(), "", &variables)
    }

    /// The JSON that `ctl` prints.
    fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.ctl(&[arguments, &["--json"]].concat());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    fn end(&mut self) -> Ran {
        Ran::of(self.child.take().expect("it is running"))
    }

    /// The address of its page, from the first lines of its messages.
    fn page(&mut self) -> Page {
        let child = self.child.as_mut().expect("it is running");
        let mut messages = BufReader::new(child.stderr.take().expect("stderr is piped"));
        loop {
            let mut line = String::new();
            assert!(messages.read_line(&mut line).expect("a line") > 0, "the address is not printed");
            if let Some(address) = line.trim().strip_prefix("live at ") {
                let page = Page::at(address);
                // So that the run does not wait for someone to read.
                std::thread::spawn(move || messages.read_to_string(&mut String::new()));
                return page;
            }
        }
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Failed rows are asked again one after the other by a run that can be watched and stopped like the first.
#[test]
fn a_rerun_is_watched_and_steered_as_well() {
    let fault = Fault::new(FaultKind::Refusal, 1.0).with_attempts(1);
    let mut story = Story::start(Scenario::instant("declines at first").with_fault(fault), &[]);
    assert_eq!(story.end().code, Some(3));
    let url = story.simulator.base_url();
    let asked = requests(&story.simulator);
    let folder = story.dir.path("runtime");
    let arguments = ["rerun", JOURNAL, "--base-url", &url, "-c", "1", "--live"];
    story.child = Some(story.dir.start(&arguments, &[("XDG_RUNTIME_DIR", &folder.to_string_lossy())]));
    let page = story.page();
    story.until_requests(asked + 5);
    let status: Value = serde_json::from_str(&page.get("status").2).expect("JSON");
    assert_eq!((&status["state"], &status["rows"]["total"]), (&json!("running"), &json!(ROWS)));
    let refused = story.json(&[JOURNAL, "retry-failed"]);
    assert!(
        refused["error"]["message"].as_str().is_some_and(|said| said.contains("over an input")),
        "{refused}"
    );
    assert_eq!(story.json(&[JOURNAL, "stop"])["state"], "stopping");
    let ended = story.child.take().expect("it is running").wait().expect("it ends");
    assert_eq!(ended.code(), Some(4));
    let left = requests(&story.simulator) - asked;
    assert!((5..ROWS as u64).contains(&left), "{left}");
}

#[test]
fn ctl_pauses_and_resumes_a_run_by_its_journal_and_by_its_process() {
    let mut story = Story::start(Scenario::instant("steered"), &[]);
    let process = story.child.as_ref().expect("it is running").id().to_string();
    let paused = story.json(&[JOURNAL, "pause", "--wait"]);
    assert_eq!((&paused["state"], &paused["requests"]["in_flight"]), (&json!("paused"), &json!(0)));
    assert_eq!((&paused["rows"]["total"], &paused["settings"]["concurrency"]), (&json!(ROWS), &json!(4)));
    let asked = requests(&story.simulator);
    std::thread::park_timeout(QUIET);
    assert_eq!(requests(&story.simulator), asked, "a paused run sends nothing");
    assert!(story.ctl(&[JOURNAL]).stdout.starts_with("state     paused"));
    let runs = story.json(&[]);
    assert_eq!(runs.as_array().map(Vec::len), Some(1));
    assert_eq!(runs[0]["process"].to_string(), process);
    assert_eq!(story.json(&[&process, "resume"])["state"], "running");
    assert_eq!(
        story.json(&[JOURNAL, "set", "concurrency=auto", "rpm=6e6"])["settings"]["limits"][0]["amount"],
        6e6
    );
    let ran = story.end();
    assert_eq!((ran.code, lines(&story.dir.read("out.jsonl")).len()), (Some(0), ROWS), "{ran:?}");
    for change in [
        "note: paused",
        "note: resumed",
        "note: concurrency set to auto",
        "note: requests per minute set to 6000000",
    ] {
        assert!(ran.stderr.contains(change), "`{change}` is missing: {}", ran.stderr);
    }
    let report = story.dir.rowcall(&["report", JOURNAL, "--json"]);
    let report: Value = serde_json::from_str(&report.stdout).expect("JSON");
    let changes: Vec<_> = report["curves"]["adjustments"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|adjusted| &adjusted["name"])
        .collect();
    assert_eq!(changes, ["pause", "resume", "concurrency", "rpm"]);
    assert_eq!(report["settings"]["options"]["concurrency"], "4");
    assert_eq!(story.ctl(&[JOURNAL]).code, Some(2), "the run has ended");
    assert_eq!(story.json(&[]), json!([]));
}

#[test]
fn a_change_that_is_not_understood_changes_nothing() {
    let story = Story::start(Scenario::instant("steered"), &[]);
    story.json(&[JOURNAL, "pause", "--wait"]);
    let before = story.json(&[JOURNAL])["settings"].clone();
    for (changes, expected) in [
        (&["concurrency=2", "speed=9"][..], "`speed` is not something that can be changed"),
        (&["concurency=2"], "`concurency` is not something"),
        (&["rpm=5", "concurrency=0"], "concurrency `0` is out of range"),
        (&["rpm=5", "tpm=fast"], "`tpm` is `fast`, expected a number"),
        (&["rpm=5", "rpm=6"], "`rpm` is given twice"),
        (&["rpm=5", "budget=1"], "the length of answers is not limited"),
        (&["rpm"], "expected NAME=VALUE"),
    ] {
        let arguments = [&[JOURNAL, "set"], changes].concat();
        let ran = story.ctl(&arguments);
        assert!(ran.code == Some(2) && ran.stderr.contains(expected), "{changes:?}: {ran:?}");
        let error = story.json(&arguments)["error"]["message"].clone();
        assert!(error.as_str().is_some_and(|error| error.contains(expected)), "{error}");
        assert_eq!(story.json(&[JOURNAL])["settings"], before, "{changes:?}");
    }
}

#[test]
fn ctl_stops_a_run_which_can_go_on_later() {
    let mut story = Story::start(Scenario::instant("steered"), &[]);
    assert_eq!(story.json(&[JOURNAL, "stop", "--wait"])["state"], "ended");
    let ran = story.end();
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("stopped: ") && ran.stderr.contains("rows left"), "{ran:?}");
    let part = lines(&story.dir.read("out.jsonl.part")).len();
    assert!((20..ROWS).contains(&part) && requests(&story.simulator) == part as u64);
}

#[test]
fn failed_rows_that_are_retried_during_a_run_have_their_values_in_the_output() {
    let refusal = Fault::new(FaultKind::Refusal, 1.0).with_contains("7").with_attempts(1);
    let mut story =
        Story::start(Scenario::instant("declines at first").with_fault(refusal), &["--max-reasks", "0"]);
    story.until_requests(100);
    let status = story.json(&[JOURNAL, "retry-failed"]);
    assert!(status["rows"]["failed"].as_u64().is_some_and(|failed| failed > 0), "{status}");
    let ran = story.end();
    assert!(ran.stderr.contains("with the retried rows"), "{ran:?}");
    let rows = lines(&story.dir.read("out.jsonl"));
    assert_eq!(rows.len(), ROWS);
    assert_eq!(
        (rows[7]["age"].clone(), rows[7]["_error"].clone()),
        (json!(7), Value::Null),
        "it was retried"
    );
    let failed = rows.iter().filter(|row| row["age"].is_null()).count();
    assert!(ran.code == Some(3) && ran.stderr.contains(&format!(", {failed} failed (")), "{failed}: {ran:?}");
}

#[test]
fn only_the_user_can_open_the_socket() {
    let story = Story::start(Scenario::instant("steered"), &[]);
    let folder = story.dir.path("runtime/rowcall");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let sockets: Vec<_> =
        std::fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    assert_eq!(sockets.len(), 1);
    assert_eq!(mode(&sockets[0]), 0o600);
}

#[test]
fn the_live_page_shows_the_run_to_two_viewers_and_steers_it() {
    let mut story = Story::start(Scenario::instant("steered"), &["--live"]);
    let page = story.page();
    assert_eq!(story.json(&[JOURNAL])["live"], page.address());
    let (status, head, body) = page.get("");
    assert_eq!(status, 200);
    for part in ["no-store", "no-referrer", "nosniff", "frame-ancestors 'none'"] {
        assert!(head.contains(part), "`{part}` is missing: {head}");
    }
    assert!(
        body.contains("connect-src 'self'")
            && body.contains("<section id=\"live\"")
            && body.contains("rowcall live")
    );
    let mut viewers = [page.events(), page.events()];
    for viewer in &mut viewers {
        assert_eq!(viewer.next()["status"]["state"], "running");
    }
    let (status, answer) = page.post("control", r#"{"set": {"pause": true}}"#, &[]);
    assert!(status == 200 && answer["ok"]["state"] != "running", "{answer}");
    for viewer in &mut viewers {
        viewer.until(|event| event["status"]["state"] == "paused");
    }
    let asked = requests(&story.simulator);
    assert_eq!(page.get("rows/0").0, 200);
    let (status, head, metrics) = page.get("metrics");
    assert!(status == 200 && head.contains("text/plain; version=0.0.4"), "{head}");
    assert!(metrics.contains("\nrowcall_paused{model=\"sim/sim\"} 1\n"), "{metrics}");
    let (host, token) = (page.host(), page.token());
    let bearer =
        |token: &str| format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}");
    assert_eq!(get(&host, &bearer(&token), "").0, 200);
    assert_eq!(get(&host, &bearer(&token[1..]), "").0, 403);
    assert_eq!(page.get(&format!("rows/{}", ROWS - 1)).0, 404);
    let (status, answer) = page.post("control", r#"{"set": {"concurrency": 16, "rpm": "x"}}"#, &[]);
    assert_eq!(
        (status, &answer["error"]["message"]),
        (400, &json!("`rpm` is `x`, expected a number, or `none`"))
    );
    assert_eq!(requests(&story.simulator), asked);
    assert_eq!(page.post("control", r#"{"set": {"resume": true, "concurrency": 16}}"#, &[]).0, 200);
    for viewer in &mut viewers {
        viewer.until(|event| event["status"]["state"] == "ended");
    }
    assert_eq!(story.end().code, Some(0));
    assert_eq!(story.simulator.stats().in_flight.max, 16);
}

#[test]
fn strangers_are_refused() {
    let mut story = Story::start(Scenario::instant("steered"), &["--live"]);
    let page = story.page();
    let asked = requests(&story.simulator);
    let (host, token) = (page.host(), page.token());
    let pause = r#"{"set": {"pause": true}}"#;
    let kind = "Content-Type: application/json";
    let other = token.replace(&token[..1], if token.starts_with('0') { "1" } else { "0" });
    for (what, head, expected) in [
        ("no token", format!("GET / HTTP/1.1\r\nHost: {host}"), 403),
        ("no slash", format!("GET /{token} HTTP/1.1\r\nHost: {host}"), 403),
        ("another token", format!("GET /{other}/ HTTP/1.1\r\nHost: {host}"), 403),
        ("a shorter token", format!("GET /{}/ HTTP/1.1\r\nHost: {host}", &token[1..]), 403),
        ("a path outside", format!("GET /{token}/../status HTTP/1.1\r\nHost: {host}"), 404),
        ("an unknown path", format!("GET /{token}/etc/passwd HTTP/1.1\r\nHost: {host}"), 404),
        ("another host", format!("GET /{token}/ HTTP/1.1\r\nHost: example.com"), 403),
        ("two hosts", format!("GET /{token}/ HTTP/1.1\r\nHost: {host}\r\nHost: example.com"), 403),
        (
            "another origin",
            format!("GET /{token}/ HTTP/1.1\r\nHost: {host}\r\nOrigin: http://example.com"),
            403,
        ),
        (
            "another site",
            format!(
                "POST /{token}/control HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: cross-site\r\n{kind}\r\nContent-Length: {}",
                pause.len()
            ),
            403,
        ),
        (
            "a form",
            format!(
                "POST /{token}/control HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain\r\nContent-Length: {}",
                pause.len()
            ),
            415,
        ),
        ("another method", format!("GET /{token}/control HTTP/1.1\r\nHost: {host}"), 405),
    ] {
        let body = if head.starts_with("POST") { pause } else { "" };
        let (status, _, body) = get(&host, &head, body);
        assert_eq!(status, expected, "{what}: {body}");
        assert!(!body.contains(&token), "{what}");
    }
    assert_eq!(page.post("control", pause, &["Origin: http://example.com"]).0, 403);
    assert_eq!(page.post("control", &"x".repeat(100_000), &[]).0, 413);
    assert_eq!(story.json(&[JOURNAL])["state"], "running", "nobody has paused it, after {asked} requests");
    assert_eq!(page.post("control", pause, &[&format!("Origin: http://{host}")]).0, 200);
}

#[test]
fn hostile_texts_do_not_break_out_of_the_live_page() {
    let texts: Vec<_> =
        (0..HOSTILE.len()).map(|row| HOSTILE[row].replace('~', &format!("word{row}"))).collect();
    let mut lines = String::new();
    for text in &texts {
        lines.push_str(&format!("{} is 3\n", text.replace(['\r', '\n'], " ")));
    }
    let mut story = Story::start_over(&(lines + &ages(ROWS)), Scenario::instant("steered"), &["--live"]);
    let page = story.page();
    story.json(&[JOURNAL, "pause", "--wait"]);
    // The page may have been made before the pause.
    let mut viewer = page.events();
    let first = viewer.next()["report"].clone();
    viewer.until(|event| event["report"] != first || event["report"] == 1);
    let (_, _, body) = page.get("");
    for (row, text) in texts.iter().enumerate().take(20) {
        let (status, _, story) = page.get(&format!("rows/{row}"));
        assert_eq!(status, 200, "row {row}");
        assert!(story.contains(&format!("word{row}")), "row {row} is not shown: {story}");
        for shown in [&story, &body] {
            assert!(!shown.contains(text), "{text:?}");
        }
        for tag in story.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
            let unquoted: String = tag.split('"').step_by(2).collect();
            assert!(!unquoted.contains("word"), "<{tag}>");
        }
    }
}

#[test]
fn a_page_needs_a_journal_a_free_port_and_a_long_secret() {
    let dir = TestDir::new();
    dir.write("in.txt", ages(2));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = format!("--live={}", taken.local_addr().expect("an address"));
    for (more, expected) in [
        (&["--live"][..], "this run has none"),
        (&["--live", "--live-token", "short", "-o", "o.jsonl"], "at least 16"),
        (&["--live=example", "-o", "o.jsonl"], "`example` is not an address"),
        (&[&taken, "-o", "o.jsonl"], "cannot be served at"),
    ] {
        let ran = dir
            .rowcall(&[&["run", "in.txt", "-s", "age int", "-p", "{{ text }}", "-m", "sim"], more].concat());
        assert!(ran.code == Some(2) && ran.stderr.contains(expected), "{more:?}: {ran:?}");
        assert!(!dir.has("o.jsonl") && !dir.has("o.jsonl.part") && !dir.has("o.jsonl.journal"), "{more:?}");
    }
}
