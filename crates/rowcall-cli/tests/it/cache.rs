//! The cache through the command line, over real sockets: what one run has asked, no other run asks again, before or at the same time.
//! This file holds what the scenarios share; each other file covers one subject.

mod keys;
mod processes;
mod trouble;

use std::cell::Cell;
use std::process::Child;
use std::time::Duration;

use rowcall_sim::{Counting, Latency, Options, Scenario, Simulator};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::command::{Ran, TestDir, ages, asking, lines, requests, with_own_mounts};

/// A folder with `in.txt`, and a simulator that is asked about its lines. Each run has its own output.
struct Story {
    dir: TestDir,
    simulator: Simulator,
    url: String,
    seen: Cell<u64>,
}

impl Story {
    fn new(scenario: Scenario, rows: usize) -> Self {
        let options = Options::default().with_counting(Counting::On);
        let simulator = Simulator::start(scenario, options).expect("the simulator starts");
        let (dir, url) = (TestDir::new(), simulator.base_url());
        dir.write("in.txt", ages(rows));
        Self { dir, simulator, url, seen: Cell::new(0) }
    }

    fn instant(rows: usize) -> Self {
        Self::new(Scenario::instant("for the cache"), rows)
    }

    /// A story in which every answer takes this many milliseconds.
    fn slow(milliseconds: u64, rows: usize) -> Self {
        let latency = Latency::fixed(Duration::from_millis(milliseconds));
        Self::new(Scenario::instant("takes its time").with_latency(latency), rows)
    }

    /// Asks about the ages in `in.txt`, with the cache, and writes them to `output`.
    fn run(&self, output: &str, more: &[&str]) -> Ran {
        self.dir.rowcall(&self.arguments(output, more))
    }

    /// The same, without waiting for it.
    fn start(&self, output: &str, more: &[&str]) -> Child {
        self.dir.start(&self.arguments(output, more), &[])
    }

    fn arguments<'a>(&'a self, output: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let asking = asking("in.txt", "age int", &self.url);
        [&asking[..], &["-o", output, "--cache", "answers.cache"], more].concat()
    }

    /// How many requests have arrived since this was last asked.
    fn asked(&self) -> u64 {
        let all = requests(&self.simulator);
        all - self.seen.replace(all)
    }

    /// Waits until this many requests have arrived from a running command.
    fn until_requests(&self, child: &mut Child, requests: u64) {
        while self.simulator.stats().requests.all < requests {
            let ended = child.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "{ended:?} after {:?}", self.simulator.stats().requests);
            std::thread::yield_now();
        }
    }

    /// The cache as any SQLite tool sees it.
    fn file(&self) -> Connection {
        Connection::open(self.dir.path("answers.cache")).expect("a SQLite file")
    }

    fn shown(&self) -> Value {
        let ran = self.dir.rowcall(&["cache", "show", "answers.cache", "--json"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).expect("JSON")
    }
}

/// The expected output for this many [`ages`].
fn answers(rows: usize) -> String {
    let line = |age| format!("{{\"text\":\"Ann is {age}\",\"age\":{age},\"_error\":null}}\n");
    (0..rows).map(line).collect::<Vec<_>>().concat()
}

#[track_caller]
fn assert_exit(ran: &Ran, code: i32, parts: &[&str]) {
    assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    for part in parts {
        assert!(ran.stderr.contains(part), "`{part}` is missing: {}", ran.stderr);
    }
}

#[test]
fn a_second_run_asks_nothing_and_gives_the_same_output() {
    let story = Story::instant(1_000);
    assert_exit(&story.run("one.jsonl", &[]), 0, &["rows      1,000 done\n", "requests  1,000,"]);
    assert_eq!(story.asked(), 1_000);
    // With a journal and without, in one format and the other, in any order.
    assert_exit(
        &story.run("two.jsonl", &[]),
        0,
        &["1,000 of these known without asking (1,000 from the cache)", "requests  0,"],
    );
    assert_exit(
        &story.run("three.jsonl", &["--no-journal", "--order", "completed"]),
        0,
        &["(1,000 from the cache)"],
    );
    assert_eq!(story.asked(), 0);
    assert_eq!(story.dir.read("one.jsonl"), answers(1_000));
    assert_eq!(story.dir.read("two.jsonl"), answers(1_000));
    let mut lines: Vec<_> = story.dir.read("three.jsonl").lines().map(str::to_owned).collect();
    let mut expected: Vec<_> = answers(1_000).lines().map(str::to_owned).collect();
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

#[test]
fn meta_status_and_the_journal_count_cached_values() {
    let story = Story::instant(30);
    assert_exit(&story.run("one.jsonl", &["--meta", "--limit-rows", "20"]), 0, &[]);
    assert_exit(
        &story.run("two.jsonl", &["--meta"]),
        0,
        &["20 of these known without asking (20 from the cache)"],
    );
    assert_eq!(story.asked(), 30);
    let outputs = || (lines(&story.dir.read("one.jsonl")), lines(&story.dir.read("two.jsonl")));
    let (one, two) = outputs();
    assert_eq!((one.len(), two.len()), (20, 30));
    for (asked, known) in one.iter().zip(&two) {
        let meta = &known["_meta"];
        let mut without = [asked.clone(), known.clone()];
        for row in &mut without {
            row.as_object_mut().expect("an object").remove("_meta");
        }
        assert_eq!(without[0], without[1]);
        assert_eq!((&asked["_meta"]["from_cache"], &meta["from_cache"]), (&json!(false), &json!(true)));
        assert_eq!((&asked["_meta"]["attempts"], &meta["attempts"]), (&json!(1), &json!(0)));
        assert_eq!((&meta["input_tokens"], &meta["cost_usd"]), (&json!(0), &json!(0)));
        assert_eq!(
            (&asked["_meta"]["model"], &asked["_meta"]["finish_reason"]),
            (&meta["model"], &meta["finish_reason"])
        );
    }
    assert!(two[20..].iter().all(|row| row["_meta"]["from_cache"] == json!(false)));
    // Rows known from the journal are not counted as cached, and the output is unchanged.
    let before = story.dir.read("two.jsonl");
    assert_exit(&story.run("two.jsonl", &["--meta"]), 0, &["30 of these known without asking\n"]);
    assert_eq!(story.dir.read("two.jsonl"), before);
    let exported = story.dir.rowcall(&["export", "two.jsonl.journal", "--meta"]);
    assert_eq!(exported.stdout, before);
    let status = story.dir.rowcall(&["status", "two.jsonl.journal", "--json"]);
    let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
    assert_eq!(
        (&status["cached"], &status["requests"], &status["rows"]),
        (&json!(20), &json!(10), &json!(30))
    );
    let status = story.dir.rowcall(&["status", "two.jsonl.journal"]).stdout;
    assert!(status.contains("cache     20 values came from the cache"), "{status}");
}

#[test]
fn cache_hits_are_free_in_budgets_estimates_and_samples() {
    let story = Story::instant(200);
    let paid: &[&str] = &["--price", "in=1,out=1"];
    let as_openai = |output: &str, more: &[&str]| {
        let mut arguments = story.arguments(output, more);
        arguments[7] = "openai/m";
        story.dir.rowcall_with(&[&arguments[..], paid].concat(), "", &[("OPENAI_API_KEY", "sk-very-secret")])
    };
    let estimated = as_openai("none.jsonl", &["--estimate"]);
    assert!(estimated.stdout.contains("rows      200 to ask\n"), "{}", estimated.stdout);
    assert!(!story.dir.has("answers.cache"), "an estimate creates no cache");
    assert_exit(&as_openai("one.jsonl", &["--limit-rows", "150"]), 0, &[]);
    assert_eq!(story.asked(), 150);
    let estimated = as_openai("none.jsonl", &["--estimate"]);
    assert!(estimated.stdout.contains("rows      50 to ask, 150 in the cache\n"), "{}", estimated.stdout);
    // Not enough for one request.
    assert_exit(&as_openai("two.jsonl", &["--budget", "0.0000001", "--limit-rows", "150"]), 0, &["150 done"]);
    assert_exit(&as_openai("three.jsonl", &["--budget", "0.0000001"]), 4, &["50 rows left"]);
    assert_exit(
        &as_openai("four.jsonl", &["--sample", "150", "--yes", "--limit-rows", "150"]),
        0,
        &["$0; all 150 rows: about $0, "],
    );
    assert_eq!(story.asked(), 0);
    let file = std::fs::read(story.dir.path("answers.cache")).expect("the cache");
    assert!(!file.windows(14).any(|bytes| bytes == b"sk-very-secret"));
}

#[test]
fn a_cache_is_shown_pruned_and_exported() {
    let story = Story::instant(40);
    assert_exit(&story.run("one.jsonl", &[]), 0, &[]);
    let other = [
        "run",
        "in.txt",
        "--schema",
        "age int, name",
        "--prompt",
        "Who is {{ text }}?",
        "-m",
        "sim",
        "--base-url",
        &story.url,
    ];
    let other = [&other[..], &["-o", "two.jsonl", "--cache", "answers.cache", "--limit-rows", "10"]].concat();
    assert_exit(&story.dir.rowcall(&other), 0, &[]);
    let shown = story.shown();
    assert_eq!((&shown["answers"], &shown["being_asked"]), (&json!(50), &json!(0)));
    let plans = shown["plans"].as_array().expect("plans");
    let shown_of = |plan: &Value| (plan["prompt"].clone(), plan["answers"].clone(), plan["host"].clone());
    assert_eq!(
        plans.iter().map(shown_of).collect::<Vec<_>>(),
        [
            (json!("Who is {{ text }}?"), json!(10), json!("127.0.0.1")),
            (json!("{{ text }}"), json!(40), json!("127.0.0.1"))
        ]
    );
    assert!(
        plans.iter().all(|plan| plan["input_tokens"].as_u64().is_some_and(|tokens| tokens > 0)),
        "{shown}"
    );
    let text = story.dir.rowcall(&["cache", "show", "answers.cache"]).stdout;
    for part in [
        "answers.cache: 50 answers, ",
        "sim/",
        " at 127.0.0.1",
        "prompt    Who is {{ text }}?",
        "fields    age, name",
    ] {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
    let exported = story.dir.rowcall(&["cache", "export", "answers.cache"]).lines();
    assert_eq!((exported.len(), &exported[0]["plan"]), (50, &plans[1]["plan"]));
    let mut values: Vec<_> =
        exported[..40].iter().filter_map(|answer| answer["value"]["age"].as_u64()).collect();
    values.sort_unstable();
    assert_eq!(values, (0..40).collect::<Vec<_>>());
    let prune = |more: &[&str]| story.dir.rowcall(&[&["cache", "prune", "answers.cache"], more].concat());
    assert_exit(&prune(&[]), 2, &["nothing says which answers are to be removed", "--older-than"]);
    assert_exit(&prune(&["--older-than", "soon"]), 2, &["expected an age such as `30d`"]);
    assert_exit(&prune(&["--max-size", "lots"]), 2, &["expected a size such as `500MB`"]);
    assert_exit(&prune(&["--older-than", "1h"]), 0, &[]);
    assert_eq!(story.shown()["answers"], json!(50));
    let name = plans[0]["plan"].as_str().expect("a name");
    let ran = prune(&["--plan", &name[..6]]);
    assert!(ran.stdout.starts_with("10 answers removed, 40 left; "), "{} {}", ran.stdout, ran.stderr);
    story.asked();
    assert_exit(&story.run("three.jsonl", &[]), 0, &["(40 from the cache)"]);
    assert_eq!(story.asked(), 0);
    let ran = prune(&["--max-size", "0"]);
    assert!(ran.stdout.starts_with("40 answers removed, 0 left; "), "{} {}", ran.stdout, ran.stderr);
    assert_exit(&story.run("four.jsonl", &[]), 0, &["40 done\n"]);
    assert_eq!(story.asked(), 40);
    for command in [
        &["cache", "show", "none.cache"][..],
        &["cache", "export", "none.cache"],
        &["cache", "prune", "none.cache", "--max-size", "0"],
    ] {
        assert_exit(&story.dir.rowcall(command), 2, &["the cache `none.cache` does not exist"]);
    }
    assert!(!story.dir.has("none.cache"));
}
