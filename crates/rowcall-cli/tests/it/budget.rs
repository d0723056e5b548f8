//! Budgets over real sockets: the simulator's bill never exceeds them, whatever it charges and whichever run is killed. Also the other
//! limits that stop a run.

use std::process::Command;
use std::time::Duration;

use rowcall::Usd;
use rowcall_sim::{Bill, Fault, FaultKind, Latency, Moment, Options, Scenario, Simulator, StatusFault, Tier};
use serde_json::Value;

use crate::command::{Ran, TestDir, ages, asking, simulator};

/// The prices of [`bill`], for `--prices`.
const PRICES: &str = r#"{"providers": {"openai": {"m": {"prices":
    [{"i": 150000, "o": 600000, "r": 15000, "w": 187500, "above": [[60, {"i": 300000, "o": 900000}]]}]}}}}"#;

fn bill() -> Bill {
    let tiers = vec![Tier { above: 60, input: 300_000, output: 900_000 }];
    Bill { cached: Some(15_000), cached_share: 0.3, tiers, ..Bill::new(150_000, 600_000) }
}

fn billed(simulator: &Simulator) -> Usd {
    Usd::from_picodollars(simulator.stats().bill_picodollars)
}

fn usd(text: &str) -> Usd {
    Usd::parse(text).expect("an amount")
}

/// A run of the model with those prices.
struct Story {
    dir: TestDir,
    simulator: Simulator,
    url: String,
}

impl Story {
    fn new(scenario: Scenario, seed: u64, rows: usize) -> Self {
        let dir = TestDir::new();
        dir.write("in.txt", ages(rows));
        dir.write("prices.json", PRICES);
        let simulator = Simulator::start(scenario, Options::default().with_seed(seed)).expect("it starts");
        let url = simulator.base_url();
        Self { dir, simulator, url }
    }

    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let mut arguments = asking("in.txt", "age int", &self.url);
        arguments[7] = "openai/m";
        [&arguments[..], &["-o", "out.jsonl", "--prices", "prices.json"], more].concat()
    }

    fn run(&self, more: &[&str]) -> Ran {
        self.dir.rowcall_with(&self.arguments(more), "", &[("OPENAI_API_KEY", "key")])
    }

    /// Runs until this many more requests have arrived, then kills the run.
    fn kill(&self, requests: u64, more: &[&str]) {
        let enough = self.simulator.stats().requests.all + requests;
        let mut child = self.dir.start(&self.arguments(more), &[("OPENAI_API_KEY", "key")]);
        while self.simulator.stats().requests.all < enough && child.try_wait().expect("it is ours").is_none()
        {
            std::thread::yield_now();
        }
        // It may already have ended.
        let _ = Command::new("kill").args(["-9", &child.id().to_string()]).status().expect("`kill` runs");
        child.wait().expect("it ends");
    }

    fn status(&self) -> Value {
        let status = self.dir.rowcall(&["status", "out.jsonl.journal", "--json"]);
        serde_json::from_str(&status.stdout).expect("JSON")
    }

    fn status_usd(&self, name: &str) -> Usd {
        usd(&self.status()[name].to_string())
    }
}

fn assert_exit(ran: &Ran, code: i32, parts: &[&str]) {
    assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    for part in parts {
        assert!(ran.stderr.contains(part), "`{part}` is not in: {}", ran.stderr);
    }
}

#[test]
fn a_run_stops_before_its_budget_is_exceeded_and_resumes_with_a_larger_one() {
    let scenario = Scenario::instant("bills all limits").with_bill(Bill { full_output: true, ..bill() });
    let story = Story::new(scenario, 1, 150);
    let ran = story.run(&["--budget", "0.25"]);
    assert_exit(
        &ran,
        4,
        &["error: the budget of $0.25 is used up: $0.2", "rows left: about $0.1", "hint: at least $0."],
    );
    let first = billed(&story.simulator);
    // One more request may cost $0.0045.
    assert!((usd("0.2455")..=usd("0.25")).contains(&first), "{first}");
    assert_eq!(story.status_usd("cost_usd"), first);
    let again = story.run(&["--budget", "0.25"]);
    assert_exit(&again, 4, &["the budget of $0.25 is used up"]);
    assert_eq!(billed(&story.simulator), first, "nothing was sent");
    assert_exit(&story.run(&["--budget", "$1"]), 0, &["150 done"]);
    let all = billed(&story.simulator);
    assert!(
        all > first && story.status_usd("cost_usd") == all && story.status_usd("cost_at_most_usd") == all
    );
}

#[test]
fn killed_and_resumed_runs_keep_the_budget_whatever_is_billed() {
    for seed in 1..=4 {
        let nasty = Bill { full_output: seed % 2 == 0, prompt_factor: 1.5, failures: true, ..bill() };
        let scenario = Scenario::instant("bills whatever it can")
            .with_latency(Latency::fixed(Duration::from_millis(20)))
            .with_fault(Fault::new(FaultKind::Status(StatusFault::new(500)), 0.04))
            .with_fault(Fault::new(FaultKind::Status(StatusFault::new(502)), 0.02))
            .with_fault(Fault::new(FaultKind::Cut(Moment::Midway), 0.03))
            .with_fault(Fault::new(FaultKind::Stall(Moment::Before), 0.02))
            .with_fault(Fault::new(FaultKind::InvalidJson, 0.05))
            .with_fault(Fault::new(FaultKind::GarbageBody, 0.02))
            .with_bill(nasty);
        let story = Story::new(scenario, seed, 700);
        let budget = usd("0.13");
        let more = ["--budget", "0.13", "--max-output-tokens", "300", "--timeout", "2s", "-c", "16"];
        for requests in [30, 80, 60] {
            story.kill(requests + 7 * seed, &more);
            assert!(billed(&story.simulator) <= budget, "seed {seed}: {}", billed(&story.simulator));
        }
        let ran = story.run(&more);
        let (bill, at_most) = (billed(&story.simulator), story.status_usd("cost_at_most_usd"));
        // An answer that had come when the run was killed, but was not in the journal yet, counts at its maximum there, although the run
        // had given back the rest of it.
        let unnoticed = usd("0.0012").times(3 * 16);
        assert!(
            bill <= budget && bill <= at_most && at_most <= budget + unnoticed,
            "seed {seed}: {bill} of {at_most} of {budget}: {}",
            ran.stderr
        );
        assert_exit(&ran, 4, &["the budget of $0.13 is used up"]);
        // One request may cost $0.0012.
        assert!(at_most + usd("0.0012") > budget, "seed {seed}: {at_most} is used");
    }
}

#[test]
fn the_budget_limits_requests_in_flight() {
    let scenario = Scenario::instant("takes its time")
        .with_latency(Latency::fixed(Duration::from_millis(20)))
        .with_bill(bill());
    let story = Story::new(scenario, 1, 200);
    // A few requests at a time reserve $0.003 each, and each really costs a hundredth of a cent.
    let ran = story.run(&["--budget", "0.03"]);
    assert_exit(&ran, 0, &["200 done", "bound by  the budget"]);
    assert!(billed(&story.simulator) <= usd("0.03") && story.simulator.stats().in_flight.max <= 12);
}

#[test]
fn a_server_that_ignores_the_output_limit_is_detected() {
    let scenario = Scenario::instant("talks on").with_bill(Bill {
        full_output: true,
        output_factor: 50.0,
        ..Bill::new(150_000, 600_000)
    });
    let story = Story::new(scenario, 1, 50);
    let ran = story.run(&["--budget", "0.02", "--max-output-tokens", "1000", "-c", "1"]);
    assert_exit(
        &ran,
        4,
        &["error: a request cost $0.03", "the server ignores the output limit", "exceeded by $0.01"],
    );
    assert_eq!(story.simulator.stats().requests.all, 1);
}

#[test]
fn a_budget_that_cannot_be_kept_is_refused_before_anything_is_sent() {
    let simulator = simulator(Scenario::instant("answers"));
    let url = simulator.base_url();
    let dir = TestDir::new();
    dir.write("in.txt", ages(3));
    for (model, more, parts) in [
        (
            "openai/gpt-9-nobody",
            &[][..],
            ["no price is known for `openai/gpt-9-nobody`", "`--price in=USD,out=USD`"],
        ),
        (
            "openai/gpt-6-luna",
            &["--param", "tools=[]"],
            ["with `tools` a request costs more", "leave out `tools`"],
        ),
        (
            "openai/gpt-6-luna",
            &["--param", "service_tier=scale"],
            ["no price is known for tier `scale`", "`--price"],
        ),
        ("openai/gpt-6-luna", &["--budget", "five"], ["`five` is not an amount", "cannot be used"]),
    ] {
        let mut arguments = asking("in.txt", "age int", &url).to_vec();
        arguments[7] = model;
        if !more.contains(&"--budget") {
            arguments.extend(["--budget", "5.00"]);
        }
        arguments.extend(more);
        let ran = dir.rowcall_with(&arguments, "", &[("OPENAI_API_KEY", "key")]);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(parts.iter().any(|part| ran.stderr.contains(part)), "{}", ran.stderr);
    }
    let small = dir.rowcall(
        &[&asking("in.txt", "age int", &url)[..], &["--price", "in=1,out=2", "--budget", "0.001"]].concat(),
    );
    assert_exit(&small, 4, &["the budget of $0.001 is less than the $0.01", "3 rows left"]);
    assert_eq!(simulator.stats().requests.all, 0);
}

#[test]
fn a_run_stops_at_its_deadline_and_when_too_many_rows_fail() {
    let slow = Scenario::instant("takes its time").with_latency(Latency::fixed(Duration::from_millis(50)));
    let story = Story::new(slow, 1, 400);
    let ran = story.run(&["--deadline", "1s", "-c", "2"]);
    assert_exit(
        &ran,
        4,
        &["error: the deadline of 1s has passed", "rows left", "run the same command to continue"],
    );
    assert_eq!(story.simulator.stats().unfinished, 0, "what was in flight was awaited");
    assert_exit(&story.run(&["--deadline", "1h"]), 0, &["400 done"]);
    // Rows that were all in flight when it passed are all done.
    let slower = Scenario::instant("takes longer").with_latency(Latency::fixed(Duration::from_secs(3)));
    let late = Story::new(slower, 1, 4);
    let ran = late.run(&["--deadline", "1s", "-c", "4"]);
    assert_exit(&ran, 0, &["4 done"]);
    assert!(late.dir.has("out.jsonl") && !ran.stderr.contains("deadline"), "{}", ran.stderr);
    assert_exit(&story.run(&["--deadline", "0s"]), 2, &["expected a time above zero"]);

    let story =
        Story::new(Scenario::instant("declines").with_fault(Fault::new(FaultKind::Refusal, 0.5)), 1, 400);
    let ran = story.run(&["--max-failures", "20", "-c", "2"]);
    assert_exit(&ran, 4, &["rows have failed, expected at most 20"]);
    let ran = story.run(&["--max-failures", "40%", "-c", "2"]);
    assert_exit(&ran, 4, &["rows have failed, expected at most 40 %"]);
    assert_exit(&story.run(&["--max-failures", "60%"]), 3, &["failed"]);
    assert_exit(&story.run(&["--max-failures", "many"]), 2, &["`many` is not a limit on failures"]);
}
