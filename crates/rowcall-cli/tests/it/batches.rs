//! `--batch`, `--detach`, `rowcall collect` and what `rowcall status` says of batches, with kills at any moment.

use rowcall::Usd;
use rowcall_sim::{Batches, Bill, Fault, FaultKind, Options, Scenario, Simulator};
use serde_json::{Value, json};

use crate::command::{Ran, TestDir, ages, lines};

const ROWS: usize = 80;

/// A run in batches, with its simulator.
struct Story {
    dir: TestDir,
    simulator: Simulator,
    model: &'static str,
}

impl Story {
    fn new(scenario: Scenario, model: &'static str) -> Self {
        let dir = TestDir::new();
        dir.write("in.txt", ages(ROWS));
        let simulator = Simulator::start(scenario, Options::default()).expect("it starts");
        Self { dir, simulator, model }
    }

    fn arguments<'a>(&'a self, url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let usual = [
            "run",
            "in.txt",
            "-s",
            "age int",
            "-p",
            "{{ text }}",
            "-m",
            "sim",
            "--base-url",
            url,
            "--protocol",
            self.model,
            "-o",
            "out.jsonl",
            "--batch",
            "--poll",
            "30ms",
        ];
        [&usual[..], more].concat()
    }

    fn run(&self, more: &[&str]) -> Ran {
        let url = self.simulator.base_url();
        self.dir.rowcall(&self.arguments(&url, more))
    }

    fn status(&self) -> Value {
        let ran = self.dir.rowcall(&["status", "out.jsonl.journal", "--json"]);
        serde_json::from_str(&ran.stdout).expect("JSON")
    }

    fn output(&self) -> Vec<Value> {
        lines(&self.dir.read("out.jsonl")).iter().map(|line| line["age"].clone()).collect()
    }
}

fn all() -> Vec<Value> {
    (0..ROWS).map(|age| json!(age)).collect()
}

fn scenario(batches: Batches) -> Scenario {
    Scenario::instant("batches").with_batches(batches)
}

#[track_caller]
fn assert_exit(ran: &Ran, code: i32, said: &[&str]) {
    assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    for words in said {
        assert!(ran.stderr.contains(words), "`{words}` is not in:\n{}", ran.stderr);
    }
}

#[test]
fn the_output_is_that_of_an_online_run_and_the_cost_half() {
    for model in ["chat", "responses", "anthropic", "gemini"] {
        let scenario = scenario(Batches { speed: 3000.0, ..Batches::default() });
        let story = Story::new(scenario.with_bill(Bill::new(2_000_000, 4_000_000)), model);
        let price = ["--price", "in=2,out=4"];
        let ran = story.run(&price);
        assert_exit(&ran, 0, &["sent 80 rows as", "ended: ", "batches   1, 1 collected", "80 done"]);
        assert_eq!(story.output(), all(), "{model}");
        let cost = |status: &Value| Usd::parse(&status["cost_usd"].to_string()).expect("an amount");
        let half = cost(&story.status());
        assert_eq!(half, Usd::from_picodollars(story.simulator.stats().bill_picodollars), "{model}");
        assert_eq!(story.status()["batches"][0]["collection"], "collected");
        let url = story.simulator.base_url();
        let online: Vec<&str> = story
            .arguments(&url, &price)
            .into_iter()
            .filter(|word| !["--batch", "--poll", "30ms"].contains(word))
            .collect();
        let in_batches = story.dir.read("out.jsonl");
        assert_exit(&story.dir.rowcall(&[&online[..], &["--fresh"]].concat()), 0, &[]);
        assert_eq!(story.dir.read("out.jsonl"), in_batches, "{model}");
        assert_eq!(cost(&story.status()), half.times(2), "{model}");
    }
}

#[test]
fn a_detached_run_is_shown_and_collected() {
    let story = Story::new(scenario(Batches { speed: 200.0, ..Batches::default() }), "chat");
    let ran = story.run(&["--detach", "--batch-rows", "30"]);
    assert_exit(
        &ran,
        0,
        &["everything is sent: collect the results with `rowcall collect out.jsonl.journal`"],
    );
    assert!(!story.dir.has("out.jsonl"), "it is not complete");
    let status = story.status();
    assert_eq!((&status["complete"], &status["in_batches"]), (&json!(false), &json!(80)));
    let batches = status["batches"].as_array().expect("batches");
    assert_eq!(
        batches.iter().map(|batch| batch["rows"].clone()).collect::<Vec<_>>(),
        [json!(30), json!(30), json!(20)]
    );
    assert_eq!((&batches[0]["remote"], &batches[0]["collection"]), (&json!("running"), &json!("not ready")));
    let shown = story.dir.rowcall(&["status", "out.jsonl.journal"]).stdout;
    for words in [
        "collect the batches with `rowcall collect`",
        "80 rows without an outcome are in batches",
        "running",
        "results until ",
        "key ",
    ] {
        assert!(shown.contains(words), "{shown}");
    }
    let collected = story.dir.rowcall(&["collect", "out.jsonl.journal", "--poll", "30ms"]);
    assert_exit(&collected, 0, &["collected: 30 rows settled", "wrote `", "80 rows, 0 failed"]);
    assert_eq!(story.output(), all());
    assert_eq!((story.simulator.stats().batches, story.simulator.stats().batched), (3, 80));
    assert_exit(&story.dir.rowcall(&["collect", "out.jsonl.journal"]), 0, &["80 rows, 0 failed"]);
}

#[test]
fn a_cache_answers_rows_before_they_are_sent_and_keeps_what_is_collected() {
    let story = Story::new(scenario(Batches { speed: 3000.0, ..Batches::default() }), "chat");
    let cached = ["--cache", "a.cache"];
    assert_exit(&story.run(&[&cached[..], &["--limit-rows", "30"]].concat()), 0, &["30 done"]);
    let detached = story.run(&[&cached[..], &["--detach", "--fresh"]].concat());
    assert_exit(
        &detached,
        0,
        &["everything is sent", "30 of these known without asking (30 from the cache)"],
    );
    assert_eq!(story.simulator.stats().batches, 2);
    let collected =
        story.dir.rowcall(&["collect", "out.jsonl.journal", "--poll", "30ms", "--cache", "a.cache"]);
    assert_exit(&collected, 0, &["80 rows, 0 failed"]);
    assert_eq!(story.output(), all());
    // Everything is in the cache by now.
    let again = story.run(&[&cached[..], &["--fresh"]].concat());
    assert_exit(&again, 0, &["80 of these known without asking (80 from the cache)"]);
    assert_eq!((story.output(), story.simulator.stats().batches), (all(), 2));
}

#[test]
fn wrong_usage_is_found_before_anything_is_sent() {
    let story = Story::new(scenario(Batches::default()), "chat");
    let url = story.simulator.base_url();
    let run =
        ["run", "in.txt", "-s", "age int", "-p", "{{ text }}", "-m", "sim", "--base-url", &url, "--batch"];
    for (more, said) in [
        (&[][..], "`--batch` needs a journal"),
        (&["-o", "out.jsonl", "--journal-records", "off"], "batches need a journal that keeps records"),
        (&["-o", "out.jsonl", "--no-journal"], "cannot be used with"),
    ] {
        let ran = story.dir.rowcall(&[&run[..], more].concat());
        assert_exit(&ran, 2, &[said]);
    }
    let ends_with_the_run = [
        "run",
        "in.txt",
        "-s",
        "age int",
        "-p",
        "{{ text }}",
        "-m",
        "sim",
        "-o",
        "o.jsonl",
        "--batch",
        "--detach",
    ];
    assert_exit(
        &story.dir.rowcall(&ends_with_the_run),
        2,
        &["a simulator that ends with the run", "rowcall sim"],
    );
    assert!(!story.dir.has("o.jsonl.journal"));
    let ollama =
        ["run", "in.txt", "-s", "age int", "-p", "{{ text }}", "-m", "ollama/a", "-o", "o.jsonl", "--batch"];
    assert_exit(&story.dir.rowcall(&ollama), 2, &["provider `ollama` has no batches that rowcall can use"]);
    assert_eq!(story.simulator.stats().batches, 0);
}

#[test]
fn a_budget_stops_a_run_in_batches() {
    let scenario = scenario(Batches { speed: 6000.0, ..Batches::default() });
    // Each answer costs nearly as much as its reservation.
    let bill = Bill { full_output: true, ..Bill::new(2_000_000, 4_000_000) };
    let story = Story::new(scenario.with_bill(bill), "chat");
    let priced = ["--price", "in=2,out=4", "--max-output-tokens", "5000"];
    let ran = story.run(&[&priced[..], &["--budget", "0.4"]].concat());
    assert_exit(&ran, 4, &["the budget of"]);
    let billed = Usd::from_picodollars(story.simulator.stats().bill_picodollars);
    assert!(billed > Usd::ZERO && billed <= Usd::parse("0.4").expect("an amount"), "{billed}");
    let ran = story.run(&[&priced[..], &["--budget", "5"]].concat());
    assert_exit(&ran, 0, &["80 done"]);
    assert_eq!((story.output(), story.simulator.stats().batched), (all(), ROWS as u64));
}

#[test]
fn kills_at_any_moment_lose_nothing_and_pay_for_nothing_twice() {
    for (seed, model) in [(1, "chat"), (2, "anthropic"), (3, "gemini"), (4, "chat")] {
        let fault = Fault::new(FaultKind::SchemaViolation, 0.2).with_attempts(1);
        let scenario = scenario(Batches { speed: 1500.0, ..Batches::default() }).with_fault(fault);
        let story = Story::new(scenario, model);
        let url = story.simulator.base_url();
        let mut random = fastrand::Rng::with_seed(seed);
        let more = ["--batch-rows", "20", "--reask", "batch"];
        for _ in 0..6 {
            let mut child = story.dir.start(&story.arguments(&url, &more), &[]);
            let enough = story.simulator.stats().batch_requests + random.u64(1..12);
            while story.simulator.stats().batch_requests < enough
                && child.try_wait().expect("its state").is_none()
            {
                std::thread::yield_now();
            }
            child.kill().expect("it is killed");
            child.wait().expect("it has ended");
        }
        let ran = story.run(&more);
        assert_exit(&ran, 0, &[]);
        assert_eq!(story.output(), all(), "{model}");
        let stats = story.simulator.stats();
        let first = stats.requests.first + stats.requests.again;
        assert_eq!(first, ROWS as u64, "{model}: each row is asked once, not counting re-asks: {stats:?}");
        let left: Vec<_> = std::fs::read_dir(story.dir.path(""))
            .expect("a folder")
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        assert!(left.len() <= 3, "{left:?}");
    }
}
